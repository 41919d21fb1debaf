"""The curves of runs on one grid, read as they grow."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.session.grid_curves import POINTS, GridCurves
from engine.reports.metrics import METRICS
from engine.runs.library import ITERATIONS, Library
from tests.engine.runs.libraries import ITERATION_COLUMNS, opened, record

MEAN = ITERATION_COLUMNS.index("mean_return")


def tell(library: Library, run: str, steps: np.ndarray, returns: np.ndarray) -> None:
    rows = np.zeros((len(steps), len(ITERATION_COLUMNS)))
    rows[:, 0], rows[:, 1], rows[:, MEAN] = np.arange(1, len(steps) + 1), steps, returns
    library.append(run, ITERATIONS, ITERATION_COLUMNS, rows)


def test_a_curve_that_is_read_as_it_grows_is_that_which_is_read_whole(tmp_path: Path) -> None:
    assert len(METRICS) + 4 == len(ITERATION_COLUMNS)
    steps = np.arange(1, 1301) * 70.0
    returns = np.random.default_rng(1).normal(size=1300).cumsum()
    returns[:3] = np.nan  # no episode has ended yet
    with opened(tmp_path) as library:
        run = library.begin(record()).id
        growing = GridCurves(100_000.0)
        for first, last in ((0, 1), (1, 2), (2, 5), (5, 600), (600, 601), (601, 1300)):
            tell(library, run, steps[first:last], returns[first:last])
            assert growing.read(library, run, (last, int(steps[last - 1])))
            assert not growing.read(library, run, (last, int(steps[last - 1])))
        whole = np.interp(growing.grid, steps[3:], returns[3:], left=np.nan, right=np.nan)
        np.testing.assert_allclose(growing.heights(run), whole)
        assert np.isfinite(whole).sum() > POINTS / 2

        library.cut(run, 2)  # it goes on from an earlier checkpoint, and by the next look it has come further
        library.execute("DELETE FROM series WHERE run = ?", (run,))
        tell(library, run, steps + 35.0, -returns)
        growing.read(library, run, (1300, int(steps[-1] + 35.0)))
        other = np.interp(growing.grid, steps[3:] + 35.0, -returns[3:], left=np.nan, right=np.nan)
        np.testing.assert_allclose(growing.heights(run), other)
