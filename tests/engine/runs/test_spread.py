"""How far seeds lie apart: the median and the middle half, on steps and never by the number of the iteration."""

from __future__ import annotations

import numpy as np

from engine.runs.comparison.curves import Curve
from engine.runs.comparison.spread import spread


def test_the_median_is_read_off_at_the_same_steps() -> None:
    x = [np.arange(0.0, 101.0, step) for step in (1.0, 5.0, 20.0)]  # of unlike many iterations
    found = spread([Curve(at, slope * at) for at, slope in zip(x, (1.0, 2.0, 4.0), strict=True)])
    np.testing.assert_allclose(found.median, 2.0 * found.x)
    np.testing.assert_allclose(found.low, found.x)
    np.testing.assert_allclose(found.high, 4.0 * found.x)
    assert (found.n, found.band) == (3, "lowest to highest")


def test_from_five_on_the_band_is_the_interquartile_range_where_all_reach() -> None:
    x = np.array([0.0, 10.0])
    level = [Curve(x + late, np.full(2, value)) for late, value in enumerate((1.0, 2.0, 3.0, 4.0, 5.0))]
    found = spread(level)
    assert (found.x[0], found.x[-1]) == (4.0, 10.0)
    assert ({*found.low}, {*found.median}, {*found.high}) == ({2.0}, {3.0}, {4.0})
    assert (found.n, found.band) == (5, "interquartile range")


def test_nothing_is_said_where_not_all_reach() -> None:
    nothing = Curve(np.empty(0), np.empty(0))
    assert len(spread([])) == len(spread([nothing])) == 0
    assert len(spread([Curve(np.array([0.0, 1.0]), np.zeros(2)), Curve(np.array([2.0]), np.zeros(1))])) == 0
