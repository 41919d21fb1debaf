"""Which iterations something is kept of while runs are trained, and how much of the time of training that may take.

At first every iteration is kept. As a run goes on, every second one goes whenever there are too many or they take too
much room, so that they stay evenly spread and a long run keeps no more than a short one. A policy costs little, the
whole state much more, so that fewer iterations have that. Importable without torch and without numpy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.reports.events import Estimated, Event, Reweighted
from engine.runs.library import Library
from engine.runs.snapshots import Snapshot, few, size_of, to_bytes
from engine.runtime.state import State

if TYPE_CHECKING:  # with torch
    from engine.training.training import Training

MOST = 64  # iterations of which something is kept
MOST_BYTES = 32 << 20  # that these take together, of all runs that are trained as one
LARGEST_STATE = 256 << 10  # bytes of a state that is kept with the policy
SHARE = 0.005  # of the time of training, that keeping policies may take
STATE_SHARE = 0.002  # and that keeping whole states may take beside it
SAVED = 0.006  # seconds that policies may take at first, so that a run that is over in a moment has a course, too

Kept = Sequence[tuple[int, int, int]]  # as ``Library.snapshots`` gives it


class SnapshotKeeper:
    """Chooses what is kept of the runs of one training, of one by itself or of several together, and keeps it.

    ``put`` and ``between`` belong to the thread that trains, ``write`` to whichever one writes the library. Runs that
    are trained together share the time that this may take: whenever there is some left, all have their turn.

    Args:
        kept: what the library has of the runs already, by their names in the training.
        clock: seconds that the thread which trains has been at work.
    """

    def __init__(self, kept: Mapping[str, Kept] | None = None, clock: Callable[[], float] = time.thread_time) -> None:
        self._courses = {run: _Course(there) for run, there in (kept or {}).items()}
        self._clock = clock
        self._policies, self._states = _Allowed(clock(), SAVED), _Allowed(clock(), SAVED / 10)
        self._warm = False  # the first one loads what it needs, which says nothing of the others
        self._small = True  # states can be had, and have not been too large to be kept

    def put(self, event: Event) -> None:
        """Know what a run tells; costs nothing."""
        if isinstance(event, Estimated):
            self._course(event.run).advantages = event
        elif isinstance(event, Reweighted):
            self._course(event.run).ratios = event

    def _course(self, run: str) -> _Course:
        return self._courses.setdefault(run, _Course())

    def between(self, training: Training, *, last: bool = False) -> dict[str, Snapshot]:
        """What is to be written of the iterations that have just ended, or of the beginning, by run; none of runs whose
        turn it is not. The ``last`` one of a run has its turn always, and may be asked for within an iteration."""
        sound = [run for run, totals in training.totals.items() if not totals.failed]
        due = [run for run in sound if self._course(run).is_due(_iteration(training, run), last=last)]
        if not due:
            return {}
        now = self._clock()  # costs more than all before it
        if not (last or self._policies.is_left(now, SHARE)):
            return {}
        found = {run: self._policy_alone(training, run) for run in due}
        frozen = self._clock()
        if last or self._states.is_left(frozen, STATE_SHARE):
            for run, state in self._taken(training, due).items():
                found[run] = replace(found[run], state=state)
        whole = sum(snapshot.state is not None for snapshot in found.values())
        if self._warm:
            self._policies.take(frozen - now, len(found))
            self._states.take(self._clock() - frozen if whole else 0.0, whole)
        self._warm = True
        for run, snapshot in found.items():
            self._course(run).take(snapshot.iteration, snapshot.size, MOST_BYTES // len(training.runs))
        return found

    def write(self, library: Library, ids: Mapping[str, str], snapshots: Iterable[tuple[str, Snapshot]]) -> None:
        """Write some that ``between`` gave, and let go what has given up its place.

        Args:
            ids: what the library calls the runs, by their names in the training.

        Raises:
            RunError: the library cannot be written.
        """
        kept = {run: course.kept for run, course in tuple(self._courses.items())}
        with library.transaction():
            for run, snapshot in snapshots:
                began = time.thread_time()
                if snapshot.iteration in kept[run]:
                    at = snapshot.iteration, snapshot.environment_steps
                    library.keep_snapshot(ids[run], *at, to_bytes(snapshot))
                written = self._policies if snapshot.state is None else self._states
                written.writing = time.thread_time() - began
            for run, left in kept.items():
                if run in ids:
                    there = [iteration for iteration, _, _ in library.snapshots(ids[run])]
                    library.drop_snapshots(ids[run], [iteration for iteration in there if iteration not in left])

    def _policy_alone(self, training: Training, run: str) -> Snapshot:
        from engine.analysis.playback import frozen

        policy, course = frozen(training, run), self._course(run)
        advantages, ratios = course.advantages, course.ratios
        return Snapshot(
            policy,
            training.totals[run].environment_steps,
            _few_advantages(advantages)
            if advantages is not None and advantages.iteration == policy.iteration
            else None,
            _few_ratios(ratios) if ratios is not None and ratios.iteration == policy.iteration else None,
        )

    def _taken(self, training: Training, due: Sequence[str]) -> dict[str, State]:
        """The states of those that are ``due`` to go on from, each as that of a run by itself, unless one is too large
        or cannot be had here. They are made into bytes where they are written, which takes ten times as long."""
        if not (self._small and training.whole):
            return {}
        try:
            state = training.state()
            found = {run: _of_one(training, run, state) for run in due}
        except Exception:  # of an environment from elsewhere
            self._small = False
            return {}
        if any(size_of(one) > LARGEST_STATE for one in found.values()):
            self._small = False  # it becomes no smaller, and looking again would cost time
            return {}
        return found


class _Course:
    """What is kept of one run, by iteration, with its bytes; and what it told last of a batch."""

    def __init__(self, there: Kept = ()) -> None:
        self.kept = {iteration: size for iteration, _, size in there}
        self._every = spacing(self.kept)
        self.advantages: Estimated | None = None
        self.ratios: Reweighted | None = None

    def is_due(self, iteration: int, *, last: bool) -> bool:
        return iteration not in self.kept and (last or iteration % self._every == 0)

    def take(self, iteration: int, size: int, most_bytes: int) -> None:
        spread = {kept: size for kept, size in self.kept.items() if kept % self._every == 0}
        self.kept, self._every = thinned(spread | {iteration: size}, self._every, most_bytes)


class _Allowed:
    """Seconds that something may take: a share of those that pass, of which so many are ``saved`` at most."""

    def __init__(self, now: float, saved: float) -> None:
        self._left = self._most = saved
        self._at = now
        self.writing = 0.0  # seconds that the latest took to be written, as the next will

    def is_left(self, now: float, share: float) -> bool:
        self._left, self._at = min(self._left + share * (now - self._at), self._most), now
        return self._left > 0.0

    def take(self, seconds: float, count: int) -> None:
        """So many have taken ``seconds`` together, and are yet to be written."""
        self._left -= seconds + count * self.writing


def _iteration(training: Training, run: str) -> int:
    """After how many iterations a run is."""
    totals = training.totals[run]
    return totals.iteration - totals.busy


def _of_one(training: Training, run: str, state: State) -> State:
    from engine.training.many_seeds.alone import alone

    return alone(state, training.runs[run]) if len(training.runs) > 1 else state


def thinned(kept: Mapping[int, int], every: int, most_bytes: int) -> tuple[dict[int, int], int]:
    """What is left of ``kept``, bytes by iteration, and which multiples are kept from now on: every second one goes as
    long as there are too many or they take too much room. The newest stays."""
    left, newest = dict(kept), max(kept)
    while every <= newest and (len(left) > MOST or sum(left.values()) > most_bytes):
        every *= 2
        left = {iteration: size for iteration, size in left.items() if iteration % every == 0 or iteration == newest}
    return left, every


def spacing(kept: Mapping[int, int]) -> int:
    """The greatest power of 2 of which all ``kept`` iterations but the last are multiples."""
    every, spread = 1, sorted(kept)[:-1]
    while any(spread) and all(iteration % (2 * every) == 0 for iteration in spread):
        every *= 2
    return every


def _few_advantages(told: Estimated) -> Estimated:
    return replace(told, advantages=few(told.advantages), normalized=few(told.normalized))


def _few_ratios(told: Reweighted) -> Reweighted:
    return replace(told, log_ratios=few(told.log_ratios))
