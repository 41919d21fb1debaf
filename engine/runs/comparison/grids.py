"""Places at which several curves are read off, so that they can be compared there whatever places they tell of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.runs.comparison.curves import Curve, Floats

POINTS = 400  # of a grid: more than a curve has pixels to its 2-pixel line
LEAST = 0.5  # of the runs reach so far, where a band goes


def grid(curves: Sequence[Curve], points: int = POINTS, least: float = LEAST) -> Floats:
    """``points`` places, evenly from the first to the last at which at least the share ``least`` of ``curves`` is
    known; none where there is no such place."""
    wanted = max(1, int(np.ceil(least * len(curves) - 1e-9)))
    if len(curves) < wanted:
        return np.empty(0)
    begin = np.sort([curve.x[0] for curve in curves])[wanted - 1]
    end = np.sort([curve.x[-1] for curve in curves])[::-1][wanted - 1]
    if begin > end:
        return np.empty(0)
    return np.linspace(begin, end, points) if begin < end else np.array([begin])


def on_grid(curves: Sequence[Curve], x: Floats) -> Floats:
    """The height of each curve at each place, [curves, m]; NaN where it does not reach, and never extrapolated."""
    heights = [np.interp(x, curve.x, curve.y, left=np.nan, right=np.nan) for curve in curves]
    return np.array(heights).reshape(len(curves), len(x))
