"""What a sweep is asked to do: one configuration, what varies in it, and the seeds of each setting. Importable without
torch and without numpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StrictInt, model_validator

from engine.config import RunConfig
from engine.config.fields import Model

Scale = Literal["linear", "log"]
Design = Literal["grid", "random", "sobol"]
MOST_RUNS = 10_000
MOST_SEEDS = 1_000


class Setting(Model):
    """Several parameters set together, under a name: ``{title = "with baseline", set = {"estimator.baseline" =
    "average"}}``. The path ``algorithm`` names a whole algorithm, as on the command line."""

    title: str = Field(min_length=1, max_length=80)
    set: Mapping[str, Any]


class Varied(Model):
    """One thing that varies: a parameter or choice at ``path``, through ``values`` or between ``low`` and ``high``
    (``count`` of them in a grid, evenly on ``scale``); or several at once, through ``settings``."""

    path: str = ""
    title: str = Field(default="", max_length=80)
    values: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    count: int = Field(default=5, ge=2, le=1_000)
    scale: Scale = "linear"
    settings: tuple[Setting, ...] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = (bool(self.values), self.low is not None or self.high is not None, bool(self.settings))
        if sum(ways) != 1:
            raise ValueError("says what it goes through in one way: values, low and high, or settings")
        if bool(self.path) == bool(self.settings):
            raise ValueError("names a path where it has values or a range, and none where it has settings")
        if ways[1]:
            if self.low is None or self.high is None or not self.low < self.high:
                raise ValueError("has a low that is below its high")
            if self.scale == "log" and self.low <= 0.0:
                raise ValueError("is on a logarithmic scale, whose low is above 0")
        return self


class Sweep(Model):
    """``config`` is what all runs have in common. Each point of the ``design`` is one setting, trained once for each of
    the ``seeds``: so many from the configuration's own on, or just those. ``points`` are how many a random or a Sobol
    design has. ``shows`` is the sentence that the result is to be read for."""

    title: str = Field(min_length=1, max_length=80)
    shows: str = Field(default="", max_length=600)
    config: RunConfig
    vary: tuple[Varied, ...] = Field(default=(), max_length=12)
    design: Design = "grid"
    points: int = Field(default=16, ge=1, le=MOST_RUNS)
    seeds: Annotated[int, Field(strict=True, ge=1, le=MOST_SEEDS)] | tuple[StrictInt, ...] = 5
