"""The curves of many runs on one grid of environment steps, of which only what is new is read: however long runs are, a
curve of each is as few numbers as a plot can show."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.runs.comparison.curves import RETURN
from engine.runs.library import ITERATIONS, Library
from engine.runtime.errors import RunError

POINTS = 200  # of the grid
Floats = NDArray[np.float64]


@dataclass
class _Read:
    """What is known of one run: ``heights`` [POINTS], NaN where it has not been; how many rows were read, and the
    environment steps in the last of them; and the last point of its curve."""

    heights: Floats
    rows: int = 0
    end: float = 0.0
    last: tuple[float, float] | None = None
    mark: tuple[int, int] = (0, 0)


@dataclass
class GridCurves:
    """Mean returns of runs over ``grid``, evenly from 0 to the ``budget``, on the straight lines between iterations."""

    budget: float
    grid: Floats = field(init=False)
    _read: dict[str, _Read] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.grid = np.linspace(0.0, self.budget, POINTS)

    def read(self, library: Library, run: str, mark: tuple[int, int]) -> bool:
        """Read what ``run`` has told since; whether there was anything.

        Args:
            mark: its iteration and environment steps; where it is as at the last time, nothing is read.
        """
        known = self._read.get(run)
        if known is None or mark < known.mark:  # it has gone back, to tell otherwise
            known = self._read[run] = _Read(np.full(POINTS, np.nan))
        if known.mark == mark:
            return False
        known.mark = mark
        try:
            series = library.series(run, ITERATIONS, max(known.rows - 1, 0))
        except RunError:  # of which the window is told by whoever reads the library's runs
            return False
        if not len(series) or RETURN not in series.columns:
            return False
        x, y = series["environment_steps"], series[RETURN]
        if known.rows:
            if x[0] != known.end:  # it has gone back, and on from there
                del self._read[run]
                return self.read(library, run, mark)
            x, y = x[1:], y[1:]
        if not len(x):
            return False
        known.rows += len(x)
        known.end = float(x[-1])
        told = np.isfinite(y)
        if told.any():
            self._extend(known, x[told], y[told])
        return True

    def _extend(self, known: _Read, x: Floats, y: Floats) -> None:
        if known.last is not None:
            x, y = np.concatenate([[known.last[0]], x]), np.concatenate([[known.last[1]], y])
        inside = (self.grid >= x[0]) & (self.grid <= x[-1])
        known.heights[inside] = np.interp(self.grid[inside], x, y)
        known.last = float(x[-1]), float(y[-1])

    def heights(self, run: str) -> Floats:
        """The curve of a run [POINTS], NaN where it does not reach."""
        known = self._read.get(run)
        return known.heights if known is not None else np.full(POINTS, np.nan)
