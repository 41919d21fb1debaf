"""When the state of a run is taken while it trains, and how it comes to be a file of the library."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.runs.library import Library
from engine.runs.records import CheckpointRecord
from engine.runs.retention import surplus
from engine.runtime.whole_file import write_whole

if TYPE_CHECKING:
    from engine.training.training import Training

EVERY = 60.0  # seconds of which a crash loses the weights at most
FIRST = 1.0  # seconds after which the first is taken; then whenever the run is twice as old, up to EVERY
IMPROVED = 5.0  # seconds at least from one to the next, where it is taken because the mean return is a new best
SHARE = 0.005  # of the time of training that taking states may cost, other than every EVERY seconds
FULL = 100  # episodes that a mean return covers, once there have been as many

LAST, BEST = "last", "best"
RUNS = "runs"  # where the state of several runs holds what the library calls them, in the order of their seeds


@dataclass(frozen=True)
class Standing:
    """How far a ``run``, by its name in the training, had come when its state was taken; ``best`` says that no state of
    it before was better."""

    run: str
    iteration: int
    environment_steps: int
    mean_return: float | None
    best: bool


@dataclass(frozen=True)
class Taken:
    """The state of a run, or of several that are trained together, to be written; ``iteration`` is the sum of theirs.
    Those that have failed stand in it no more."""

    state: dict[str, Any]
    iteration: int
    standings: tuple[Standing, ...]

    @property
    def environment_steps(self) -> int:
        """Those of all."""
        return sum(standing.environment_steps for standing in self.standings)


Rank = tuple[int, float]  # the larger the better: of how many episodes a mean return is, up to ``FULL``, and the mean


class Autosave:
    """Takes the states of a training, of one run or of several together; for the thread that trains.

    Args:
        best: the mean return of the best state that is kept already, of every run that has one.
        clock: seconds.
    """

    def __init__(self, best: Mapping[str, float] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._best: dict[str, Rank] = {run: (FULL, mean) for run, mean in (best or {}).items()}
        self._best_before = self._best
        self._clock = clock
        self._began = clock()
        self._taken_at, self._next_at = self._began, self._began + FIRST
        self._improved_from = self._began  # when one may be taken because it is better
        self._iteration = -1  # of the latest one

    def between(self, training: Training, *, now: bool = False) -> Taken | None:
        """The state to be written, where it is time for one or that is asked for ``now``; to be called while the
        training rests.

        Raises:
            Exception: whatever keeps the state of an environment from being read.
        """
        at = self._clock()
        timely = now or at >= self._next_at
        if not timely and at < self._improved_from:
            return None
        under_way = training.updates < training.iteration
        ranks = self._better(training)
        improved = at >= self._improved_from and any(episodes == FULL for episodes, _ in ranks.values())
        known = training.updates == self._iteration and not under_way  # else there may be answers that are not kept
        if known or not (timely or improved):
            return None
        state = training.state()
        self._iteration = training.updates
        self._best_before, self._best = self._best, self._best | ranks
        taken = self._clock()
        self._next_at = taken + min(EVERY, max(FIRST, taken - self._began))
        self.cost(taken - at)
        standings = tuple(
            Standing(run, kept["iteration"], kept["environment_steps"], each.mean_return, run in ranks)
            for (run, each), kept in zip(training.totals.items(), state["totals"], strict=True)
            if not each.failed
        )
        return Taken(state, training.updates, standings) if standings else None

    def _better(self, training: Training) -> dict[str, Rank]:
        """The ranks of those runs that have none as good before."""
        found = {}
        for run, totals in training.totals.items():
            mean = totals.mean_return
            rank = None if mean is None else (min(totals.episodes, FULL), mean)
            if rank is not None and (run not in self._best or rank > self._best[run]):
                found[run] = rank
        return found

    def cost(self, seconds: float) -> None:
        """Take none the sooner the more they cost."""
        self._improved_from = max(self._improved_from, self._clock() + max(IMPROVED, seconds / SHARE))

    def try_again(self) -> None:
        """The latest one could not be written, so the next is due soon."""
        self._best, self._iteration = self._best_before, -1
        self._next_at = self._clock() + 2 * IMPROVED


def keep(library: Library, ids: Mapping[str, str], taken: Taken) -> None:
    """Write a state as the last of its run, or of all runs that it is of, then let go what is not to be kept any more.

    The state of several is one file under a name in each one's folder: each is whole without the others.

    Args:
        ids: what the library calls the runs, by their names in the training.

    Raises:
        OSError: the file cannot be written; what was there before is as it was.
        RunError: the database cannot be written.
    """
    from engine.training.checkpoint import to_bytes

    several = len(ids) > 1
    data = to_bytes(taken.state | {RUNS: list(ids.values())} if several else taken.state)
    name = f"{'0' if several else ''}{taken.iteration}.safetensors"  # which no run by itself gives its states
    standing = {ids[one.run]: one for one in taken.standings}
    made = [_record(run, one, name, len(data) // len(standing)) for run, one in standing.items()]
    _write([library.checkpoint_file(new) for new in made], data)
    dropped: list[CheckpointRecord] = []
    with library.transaction():
        for new in made:
            dropped += _as_last(library, new)
        gone = _surplus(library, list(standing))
        for checkpoint in gone:
            library.drop_checkpoint(checkpoint.run, checkpoint.iteration)
    for checkpoint in (*dropped, *gone):  # once nothing names them any more
        with suppress(OSError):  # one that stays is found as a stray
            library.checkpoint_file(checkpoint).unlink(missing_ok=True)


def _record(run: str, standing: Standing, file: str, size: int) -> CheckpointRecord:
    kinds = (LAST, BEST) if standing.best else (LAST,)
    at = standing.iteration, standing.environment_steps
    return CheckpointRecord(run, *at, time.time(), file, size, kinds, standing.mean_return)


def _write(files: list[Path], data: bytes) -> None:
    first, *others = files
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(first, data)
    for file in others:
        temporary = file.with_name(f".{os.getpid()}.link")
        try:
            os.link(first, temporary)
            temporary.replace(file)
        except OSError:  # not every file system lets a file have two names
            write_whole(file, data)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _as_last(library: Library, new: CheckpointRecord) -> list[CheckpointRecord]:
    """Note a checkpoint as the last of its run; those in whose place it is, where they are other files."""
    replaced = []
    for earlier in library.checkpoints(new.run):
        left = tuple(kind for kind in earlier.kinds if kind not in new.kinds)
        if earlier.iteration != new.iteration and left != earlier.kinds:
            library.keep_checkpoint(replace(earlier, kinds=left))
        elif earlier.iteration == new.iteration:
            new = replace(new, kinds=tuple(dict.fromkeys((*new.kinds, *earlier.kinds))))
            replaced += [earlier] if earlier.file != new.file else []
    library.keep_checkpoint(new)
    return replaced


def _surplus(library: Library, runs: list[str]) -> list[CheckpointRecord]:
    """What is to go of these runs; of those that share files, the same of all, since only then a file goes."""
    if len(runs) == 1:
        return surplus(library.checkpoints(runs[0]))
    by_file: dict[str, list[CheckpointRecord]] = {}
    for run in runs:
        for checkpoint in library.checkpoints(run):
            by_file.setdefault(checkpoint.file, []).append(checkpoint)
    of_all = [
        replace(some[0], iteration=number, kinds=tuple(dict.fromkeys(kind for one in some for kind in one.kinds)))
        for number, some in enumerate(sorted(by_file.values(), key=lambda some: some[0].created))
    ]
    return [checkpoint for gone in surplus(of_all) for checkpoint in by_file[gone.file]]
