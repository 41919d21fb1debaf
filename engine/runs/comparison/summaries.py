"""What the runs of one setting come to: one record with everything that is told of them.

No run is dropped silently. One that failed keeps the score that it came to, and is counted as failed; of the runs to a
threshold it is one that never gets there. One that is still under way, or was stopped, keeps the score that it has
come to so far, and is counted as unfinished. One in which no episode has ended has no score, and is counted too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.runs.comparison.aggregates import STATISTICS, Statistic
from engine.runs.comparison.curves import curve
from engine.runs.comparison.intervals import LEVEL, Estimate, estimate
from engine.runs.comparison.proportions import Share, share
from engine.runs.comparison.scores import reached
from engine.runs.comparison.survival import Survival, Waiting, median_steps, survival
from engine.runs.records import RunRecord, Status
from engine.runs.series import Series

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """What a run came to: its ``score``, None where no episode has ended; the environment steps after which it reached
    the threshold, None where it has not; and the ``steps`` for which it was watched, of a failed one those for which it
    was to be trained, after which it would not have got there either."""

    score: float | None
    reached: int | None
    steps: int
    failed: bool = False
    unfinished: bool = False


@dataclass(frozen=True)
class Summary:
    """Runs of one setting, by the ``name`` that sentences call it. ``estimates`` is empty where no run has a score;
    ``solved``, ``survival`` and ``steps`` are None where there is no threshold."""

    name: str
    outcomes: tuple[Outcome, ...]
    scores: Floats
    estimates: Mapping[Statistic, Estimate]
    solved: Share | None
    survival: Survival | None
    steps: Waiting | None

    @property
    def watched(self) -> tuple[Floats, NDArray[np.bool_]]:
        """The steps of each to the threshold, or for which it was watched, and whether it got there."""
        steps = [one.steps if one.reached is None else one.reached for one in self.outcomes]
        return np.array(steps, dtype=np.float64), np.array([one.reached is not None for one in self.outcomes])

    @property
    def n(self) -> int:
        """All runs, with a score or without."""
        return len(self.outcomes)

    @property
    def failed(self) -> int:
        return sum(one.failed for one in self.outcomes)

    @property
    def unfinished(self) -> int:
        return sum(one.unfinished for one in self.outcomes)

    @property
    def unscored(self) -> int:
        return sum(one.score is None for one in self.outcomes)


def outcome(run: RunRecord, series: Series, threshold: float | None) -> Outcome:
    """That of a run, by the mean return at its end."""
    ends = curve(series)
    score = float(ends.y[-1]) if len(ends) else None
    there = reached(series, threshold)
    failed = run.status is Status.FAILED
    trained = run.reached.environment_steps
    steps = max(trained, run.budget if failed else 0)
    unfinished = not failed and run.status is not Status.FINISHED
    return Outcome(score, there[0] if there else None, steps, failed, unfinished)


def summary(name: str, outcomes: Sequence[Outcome], threshold: float | None, level: float = LEVEL) -> Summary:
    """What runs of one setting come to together.

    Raises:
        ValueError: there is no run.
    """
    if not outcomes:
        raise ValueError("There is no run to sum up; give at least one.")
    scores = np.array([one.score for one in outcomes if one.score is not None])
    known = {each: estimate(scores, each, level=level) for each in STATISTICS} if len(scores) else {}
    found = Summary(name, tuple(outcomes), scores, known, None, None, None)
    if threshold is None:
        return found
    steps = survival(*found.watched, level)
    solved = share(steps.reached, steps.n, level=level)
    return replace(found, solved=solved, survival=steps, steps=median_steps(steps))
