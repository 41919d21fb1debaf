"""One curve for several runs: what they come to at each place of the axis, with the interval over their seeds there.

Runs tell at different places and end at different ones. Each is read off between its points, on a grid that all share
and never by the number of the iteration, and where a run does not reach it is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.runs.comparison.aggregates import STATISTICS, Statistic, aggregate
from engine.runs.comparison.curves import Curve
from engine.runs.comparison.grids import LEAST, POINTS, grid, on_grid
from engine.runs.comparison.intervals import LEVEL, METHODS, bounds, recommended

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """At ``x`` [m]: ``value``, the statistic of the ``n`` [m] runs that are known there, and its interval from ``low``
    to ``high``, NaN of a single run. ``level`` [m] is the one that it has, which of few runs may be less than was asked
    for. ``of`` and ``method`` are in words, of several methods that of more runs first. It holds at each place by
    itself, not for the whole curve at once."""

    x: Floats
    value: Floats
    low: Floats
    high: Floats
    n: NDArray[np.int64]
    level: Floats
    of: str
    method: str

    def __len__(self) -> int:
        return len(self.x)


def band(
    curves: Sequence[Curve],
    statistic: Statistic = "median",
    level: float = LEVEL,
    points: int = POINTS,
    least: float = LEAST,
) -> Band:
    """The ``statistic`` of the runs' ``curves`` with its pointwise interval, on a grid of ``points``: from the first
    place to the last at which at least the share ``least`` of the runs that have a point is known. By the recommended
    method of the statistic."""
    known = [curve for curve in curves if len(curve)]
    x = grid(known, points, least)
    heights = on_grid(known, x)
    n = np.isfinite(heights).sum(axis=0)
    value, low, high, reached = (np.full(len(x), np.nan) for _ in range(4))
    ordered = np.sort(heights, axis=0)  # those that are not known come last
    for count in sorted({*n.tolist()} - {0}):
        at = n == count
        those = ordered[:count, at]
        value[at] = aggregate(those, statistic)
        if count > 1:
            low[at], high[at], reached[at] = bounds(those, statistic, recommended(statistic, count), level)
    methods = dict.fromkeys(METHODS[recommended(statistic, count)] for count in sorted({*n.tolist()} - {0, 1}))
    return Band(x, value, low, high, n, reached, STATISTICS[statistic], ", ".join(reversed(methods)))
