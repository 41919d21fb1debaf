"""What each run came to. Numbers are those of the metric as it was reported: smoothing is for looking at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.catalogue.configured import changed, described
from engine.config import RunConfig
from engine.runs.comparison.curves import RETURN, Axis, Curve, area, curve
from engine.runs.series import Series

MEAN_OVER = 100  # episodes that a mean return covers, and that have to have ended before it can reach a threshold
LEAST_FOR_MEDIAN_RUN = 3  # runs; of two none is in the middle


@dataclass(frozen=True)
class Score:
    """What a run came to, in mean returns: at its end, at its best, and on average over the stretch of the axis that
    all have; and the environment steps and seconds after which it reached the threshold. None where it has not."""

    final: float | None = None
    best: float | None = None
    area: float | None = None
    steps: int | None = None
    seconds: float | None = None


def common_end(curves: Sequence[Curve]) -> float:
    """How far all of them go that have a point."""
    return min((curve.end for curve in curves if len(curve)), default=0.0)


def score(series: Series, axis: Axis, until: float, threshold: float | None) -> Score:
    """That of a run, with the area over ``axis`` until there."""
    over_steps = curve(series)
    if not len(over_steps):
        return Score()
    steps, seconds = reached(series, threshold) or (None, None)
    final, best = float(over_steps.y[-1]), float(over_steps.y.max())
    return Score(final, best, area(curve(series, RETURN, axis), until), steps, seconds)


def reached(series: Series, threshold: float | None) -> tuple[int, float] | None:
    """The environment steps and seconds after which the mean return was first at ``threshold``, of 100 episodes at
    least, as it takes to solve an environment; None where it never was."""
    if threshold is None or not len(series):
        return None
    there = np.flatnonzero((series[RETURN] >= threshold) & (series["episodes"] >= MEAN_OVER))
    if not len(there):
        return None
    first = there[0]
    return int(series["environment_steps"][first]), float(series["seconds"][first])


def median_run(scores: Sequence[float | None]) -> int | None:
    """The place of the run whose score is the median: of n in order the one at (n + 1) // 2, so that of an even number
    it is the lower of the two in the middle, and of runs that are alike the one in the middle as they stand. A run
    without a score is left out; None where fewer than three are left."""
    known = [(value, place) for place, value in enumerate(scores) if value is not None]
    if len(known) < LEAST_FOR_MEDIAN_RUN:
        return None
    return sorted(known)[(len(known) - 1) // 2][1]


def threshold_of(configs: Sequence[RunConfig]) -> float | None:
    """The mean return at which the environment of all counts as solved; None where they have none in common."""
    found = set()
    for config in configs:
        info = described(config.environment)
        found.add(changed(info, config.environment).solved_at if info is not None else None)
    return found.pop() if len(found) == 1 else None
