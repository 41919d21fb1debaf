"""Curves of several runs as one, with what is known at each place."""

from __future__ import annotations

import numpy as np
import pytest

from engine.runs.comparison.bands import band
from engine.runs.comparison.curves import Curve
from engine.runs.comparison.grids import grid, on_grid
from engine.runs.comparison.intervals import estimate


def line(slope: float, until: float, points: int) -> Curve:
    x = np.linspace(0.0, until, points)
    return Curve(x, slope * x)


def test_curves_are_met_on_steps_and_not_on_iterations() -> None:
    """Lines that tell at different places: by the number of the point they would have another median."""
    curves = [line(1.0, 100.0, 3), line(2.0, 100.0, 41), line(4.0, 100.0, 7)]
    found = band(curves, points=11)
    assert found.x.tolist() == list(range(0, 101, 10))
    assert found.value == pytest.approx(2.0 * found.x)
    assert found.low == pytest.approx(found.x)
    assert found.high == pytest.approx(4.0 * found.x)
    assert set(found.level) == {0.75}
    assert (found.of, found.method) == ("median", "order statistics")


def test_a_band_goes_as_far_as_half_of_the_runs_and_says_how_many_there_are() -> None:
    curves = [line(slope, until, 9) for slope, until in ((1, 40), (2, 60), (3, 80), (4, 100))]
    found = band(curves, "mean", points=9)
    assert found.x[-1] == 80.0
    assert found.n.tolist() == [4, 4, 4, 4, 4, 3, 3, 2, 2]
    at_60 = estimate(60.0 * np.array([2.0, 3.0, 4.0]), "mean")
    assert at_60.interval is not None
    assert (found.value[6], found.low[6], found.high[6]) == pytest.approx(
        (at_60.value, at_60.interval.low, at_60.interval.high)
    )
    assert band(curves, least=1.0).x[-1] == 40.0


def test_nothing_is_extrapolated() -> None:
    late = Curve(np.array([50.0, 100.0]), np.array([5.0, 6.0]))
    heights = on_grid([line(1.0, 60.0, 2), late], np.array([0.0, 50.0, 60.0, 100.0]))
    np.testing.assert_equal(heights, [[0.0, 50.0, 60.0, np.nan], [np.nan, 5.0, 5.2, 6.0]])
    assert grid([line(1.0, 60.0, 2), late], least=1.0)[[0, -1]].tolist() == [50.0, 60.0]


def test_runs_without_a_point_leave_no_mark() -> None:
    nothing = Curve(np.empty(0), np.empty(0))
    assert len(band([])) == len(band([nothing])) == 0
    alone = band([nothing, line(1.0, 10.0, 3)], points=3)
    assert alone.value.tolist() == [0.0, 5.0, 10.0]
    assert np.isnan(alone.low).all()
    assert alone.n.tolist() == [1, 1, 1]
    apart = [line(1.0, 10.0, 2), Curve(np.array([20.0, 30.0]), np.array([0.0, 1.0]))]
    assert len(band(apart, least=1.0)) == 0
