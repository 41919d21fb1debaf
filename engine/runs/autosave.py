"""When the state of a run is taken while it trains, and how it comes to be a file of the library."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class Taken:
    """The state of a run after ``iteration`` iterations, to be written; ``best`` says that none before was better."""

    state: dict[str, Any]
    iteration: int
    environment_steps: int
    mean_return: float | None
    best: bool


class Autosave:
    """Takes the states of one run; for the thread that trains.

    Args:
        best: the mean return of the best state that is kept of it already.
        clock: seconds.
    """

    def __init__(self, best: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._best: tuple[int, float] | None = None if best is None else (FULL, best)
        self._best_before = self._best
        self._clock = clock
        self._began = clock()
        self._taken_at, self._next_at = self._began, self._began + FIRST
        self._improved_from = self._began  # when one may be taken because it is better
        self._iteration = -1  # of the latest one

    def between(self, training: Training, *, now: bool = False) -> Taken | None:
        """The state to be written, where it is time for one or that is asked for ``now``; to be called between two
        iterations.

        Raises:
            Exception: whatever keeps the state of an environment from being read.
        """
        at = self._clock()
        timely = now or at >= self._next_at
        if not timely and at < self._improved_from:
            return None
        mean = training.mean_return
        rank = None if mean is None else (min(training.episodes, FULL), mean)
        better = rank is not None and (self._best is None or rank > self._best)
        improved = better and rank is not None and rank[0] == FULL and at >= self._improved_from
        if training.updates == self._iteration or not (timely or improved):
            return None
        state = training.state()
        self._iteration = training.updates
        self._best_before, self._best = self._best, rank if better else self._best
        taken = self._clock()
        self._next_at = taken + min(EVERY, max(FIRST, taken - self._began))
        self.cost(taken - at)
        return Taken(state, training.updates, training.environment_steps, mean, better)

    def cost(self, seconds: float) -> None:
        """Take none the sooner the more they cost."""
        self._improved_from = max(self._improved_from, self._clock() + max(IMPROVED, seconds / SHARE))

    def try_again(self) -> None:
        """The latest one could not be written, so the next is due soon."""
        self._best, self._iteration = self._best_before, -1
        self._next_at = self._clock() + 2 * IMPROVED


def keep(library: Library, run: str, taken: Taken) -> None:
    """Write a state as the last of its run, then let go what is not to be kept any more.

    Raises:
        OSError: the file cannot be written; what was there before is as it was.
        RunError: the database cannot be written.
    """
    from engine.training.checkpoint import to_bytes

    data = to_bytes(taken.state)
    kinds = (LAST, BEST) if taken.best else (LAST,)
    new = CheckpointRecord(
        run,
        taken.iteration,
        taken.environment_steps,
        time.time(),
        f"{taken.iteration}.safetensors",
        len(data),
        kinds,
        taken.mean_return,
    )
    where = library.checkpoint_file(new)
    where.parent.mkdir(parents=True, exist_ok=True)
    write_whole(where, data)
    with library.transaction():
        for earlier in library.checkpoints(run):
            left = tuple(kind for kind in earlier.kinds if kind not in kinds)
            if earlier.iteration != new.iteration and left != earlier.kinds:
                library.keep_checkpoint(replace(earlier, kinds=left))
            elif earlier.iteration == new.iteration:
                new = replace(new, kinds=tuple(dict.fromkeys((*kinds, *earlier.kinds))))
        library.keep_checkpoint(new)
        dropped = surplus(library.checkpoints(run))
        for checkpoint in dropped:
            library.drop_checkpoint(run, checkpoint.iteration)
    for checkpoint in dropped:  # once nothing names them any more
        with suppress(OSError):  # one that stays is found as a stray
            library.checkpoint_file(checkpoint).unlink(missing_ok=True)
