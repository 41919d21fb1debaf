"""How far runs of one setting lie apart: their median, and the range of the middle half of them, at each place of the
axis. It describes the runs that there are, and is no interval for what others would come to (see ``bands``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.runs.comparison.curves import Curve, Floats
from engine.runs.comparison.grids import POINTS, grid, on_grid

LEAST_FOR_QUARTILES = 5  # runs; quartiles of fewer would be read off between the outermost ones


@dataclass(frozen=True)
class Spread:
    """At ``x`` [m], of ``n`` runs: the ``median``, and a band from ``low`` to ``high``, whose name is ``band``."""

    x: Floats
    median: Floats
    low: Floats
    high: Floats
    n: int
    band: str

    def __len__(self) -> int:
        return len(self.x)


def spread(curves: Sequence[Curve], points: int = POINTS) -> Spread:
    """The median of ``curves`` and the interquartile range, or of fewer than five from the lowest to the highest, at
    ``points`` places from the first to the last that all of them reach that have a point. Each is read off between its
    points; quantiles are those of the definition 7 of Hyndman & Fan (1996), as in numpy."""
    known = [curve for curve in curves if len(curve)]
    x = grid(known, points, least=1.0)
    heights = on_grid(known, x)
    quartiles = len(known) >= LEAST_FOR_QUARTILES
    band = "interquartile range" if quartiles else "lowest to highest"
    if not len(x):
        return Spread(x, x, x, x, len(known), band)
    low, median, high = np.quantile(heights, (0.25, 0.5, 0.75) if quartiles else (0.0, 0.5, 1.0), axis=0)
    return Spread(x, median, low, high, len(known), band)
