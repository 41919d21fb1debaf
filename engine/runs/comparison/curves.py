"""Curves of runs: a metric over an axis, through one point for each iteration; between two points it is the straight
line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.runs.series import Series

Axis = Literal["environment_steps", "episodes", "seconds", "gradient_steps", "iteration"]
AXES: dict[Axis, str] = {
    "environment_steps": "environment steps",
    "episodes": "episodes",
    "seconds": "seconds of training",
    "gradient_steps": "gradient steps",
    "iteration": "iterations",
}
RETURN = "mean_return"
SMOOTHINGS = (1, 5, 20, 100)  # iterations that a smoothed point is the mean of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Points ``x``, ``y`` [n] without NaN, ``x`` ascending."""

    x: Floats
    y: Floats

    def __len__(self) -> int:
        return len(self.x)

    @property
    def end(self) -> float:
        """How far it goes; 0 where it has no point."""
        return float(self.x[-1]) if len(self.x) else 0.0


def curve(series: Series, metric: str = RETURN, axis: Axis = "environment_steps", smoothing: int = 1) -> Curve:
    """``metric`` of a run's iterations over ``axis``, each point the mean of the last ``smoothing`` iterations; without
    a point where either is not known."""
    if not len(series) or metric not in series.columns:
        return Curve(np.empty(0), np.empty(0))
    x, y = _positions(series, axis), smoothed(series[metric], smoothing)
    known = np.isfinite(x) & np.isfinite(y)
    return Curve(x[known], y[known])


def _positions(series: Series, axis: Axis) -> Floats:
    """Where each iteration ended; NaN from where that was not recorded."""
    if axis not in series.columns:
        return np.full(len(series), np.nan)
    return np.cumsum(series[axis]) if axis == "gradient_steps" else series[axis]


def smoothed(values: Floats, over: int) -> Floats:
    """The mean of the last ``over`` values at each, of fewer at the beginning; NaN does not count, and stays."""
    if over <= 1 or not len(values):
        return values
    known = np.isfinite(values)
    window = np.ones(min(over, len(values)))  # of each by itself: in running sums a great value hides small ones
    sums, counts = (
        np.convolve(column, window)[: len(values)]
        for column in (np.where(known, values, 0.0), known.astype(np.float64))
    )
    with np.errstate(invalid="ignore"):
        means: Floats = sums / counts
    return np.where(known, means, np.nan)


def height(curve: Curve, x: float) -> float:
    """The curve's value at ``x``; NaN where it does not reach."""
    if not len(curve) or not curve.x[0] <= x <= curve.x[-1]:
        return float("nan")
    return float(np.interp(x, curve.x, curve.y))


def area(curve: Curve, until: float) -> float | None:
    """The area under the curve from 0 to ``until``, divided by its width: the mean height. Before its first point the
    curve is as high as there. None where it does not reach so far."""
    if not len(curve) or not 0.0 < until <= curve.end:
        return None
    inside = curve.x <= until  # all of several at one place, as where no episode has ended since
    x = np.concatenate([[0.0], curve.x[inside], [until]])
    y = np.concatenate([[curve.y[0]], curve.y[inside], [height(curve, max(until, float(curve.x[0])))]])
    return float(np.sum(0.5 * (y[1:] + y[:-1]) * np.diff(x)) / until)
