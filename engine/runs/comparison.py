"""Runs beside each other: their curves over one axis, what differs between their configurations, and what each came to.

A curve is a metric over an axis, through one point for each iteration; between two points it is the straight line.
Numbers of scores are those of the metric as it was reported: smoothing is for looking at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.catalogue.configured import changed, described
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.entries import CHOICES
from engine.config import RunConfig
from engine.config.parameters import parameters_of
from engine.config.problems import OPTIONS
from engine.runs.library import Series

Axis = Literal["environment_steps", "episodes", "seconds", "gradient_steps", "iteration"]
AXES: dict[Axis, str] = {
    "environment_steps": "environment steps",
    "episodes": "episodes",
    "seconds": "seconds of training",
    "gradient_steps": "gradient steps",
    "iteration": "iterations",
}
RETURN = "mean_return"
MEAN_OVER = 100  # episodes that a mean return covers, and that have to have ended before it can reach a threshold
SMOOTHINGS = (1, 5, 20, 100)  # iterations that a smoothed point is the mean of
_ENVIRONMENT = "environment.id"

Floats = NDArray[np.float64]


# --- curves -----------------------------------------------------------------------------------------------------------


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


# --- what each came to ------------------------------------------------------------------------------------------------


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


def threshold_of(configs: Sequence[RunConfig]) -> float | None:
    """The mean return at which the environment of all counts as solved; None where they have none in common."""
    found = set()
    for config in configs:
        info = described(config.environment)
        found.add(changed(info, config.environment).solved_at if info is not None else None)
    return found.pop() if len(found) == 1 else None


# --- what differs -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Varying:
    """A parameter or a choice that is not alike in all runs.

    ``values`` has for each run what it began with and what that was changed to while it trained, if it was; nothing
    where the run has no such parameter. Choices and environments have their titles for values.
    """

    path: str
    title: str
    symbol: str
    values: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Told:
    """What a configuration has at a path."""

    title: str
    symbol: str
    value: Any


Flattened = Mapping[str, Told]
"""Every choice, parameter and environment's option of a configuration by its path."""


def flattened(config: RunConfig) -> Flattened:
    """All that a configuration has, to be kept where it is compared again and again."""
    return dict(_parts(config))


def varying(runs: Sequence[tuple[Flattened, Mapping[str, Any]]]) -> list[Varying]:
    """What is not alike in these configurations, with the changes made to each by path: first what is chosen, then
    parameters, each in the order of the fields.

    Of what only some have, because they have chosen otherwise, only what differs among these.
    """
    told = [parts for parts, _ in runs]
    paths = list(dict.fromkeys(path for parts in told for path in parts))
    found = []
    for path in paths:
        values = tuple(
            _history(parts[path], changes, path) if path in parts else ()
            for parts, (_, changes) in zip(told, runs, strict=True)
        )
        if len({repr(value) for value in values if value}) > 1:
            one = next(parts[path] for parts in told if path in parts)
            found.append(Varying(path, one.title, one.symbol, values))
    return sorted(found, key=lambda one: one.path not in (*CHOICES, _ENVIRONMENT))


def _history(told: Told, changes: Mapping[str, Any], path: str) -> tuple[Any, ...]:
    now = changes.get(path, told.value)
    return (told.value,) if now == told.value else (told.value, now)


def _parts(config: RunConfig) -> Iterator[tuple[str, Told]]:
    for path, (title, entries) in CHOICES.items():
        choice: Any = config
        for name in path.split("."):
            choice = getattr(choice, name, None)
        kind = getattr(choice, "kind", None)
        if kind in entries:  # else there is nothing to choose in its family
            yield path, Told(title, "", entries[kind].title)
    for parameter in parameters_of(config):
        value = parameter.value
        if parameter.path == _ENVIRONMENT and value in ENVIRONMENTS:
            value = ENVIRONMENTS[value].title
        yield parameter.path, Told(parameter.title, parameter.symbol, value)
    info = ENVIRONMENTS.get(config.environment.id)
    known = {option.name: option for option in info.options} if info else {}
    for name, value in {**{n: o.default for n, o in known.items()}, **config.environment.options}.items():
        title = known[name].title if name in known else name.replace("_", " ")
        yield f"{OPTIONS}.{name}", Told(title, "", value)
