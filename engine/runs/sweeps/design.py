"""The points of a design: which settings are tried together. Importable without torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from engine.runs.sweeps.spec import MOST_RUNS, Sweep, Varied
from engine.runtime.errors import RequestError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Level:
    """What one thing that varies is at a point: what is ``shown`` of it, and the ``values`` that it sets, by path."""

    shown: Any
    values: Mapping[str, Any]


Levels = tuple[Level, ...]
"""Of a point: one for each thing that varies, in their order."""


def designed(sweep: Sweep, whole: Sequence[bool]) -> list[Levels]:
    """The points of the sweep in their order, the last thing varying fastest in a grid; one without anything that
    varies. A random or a Sobol design follows from the configuration's seed, and the first points of one of more points
    are those of one of fewer.

    Args:
        whole: of each thing that varies, whether its values are whole numbers, to which those between a low and a high
            are rounded; in a grid, what is the same then is tried once.

    Raises:
        RequestError: they are too many.
    """
    axes = [_levels(varied, whole[place]) for place, varied in enumerate(sweep.vary)]
    if sweep.design == "grid" or not sweep.vary:
        count = math.prod(map(len, axes))
        if count > MOST_RUNS:
            raise RequestError(
                f"A grid of {' × '.join(str(len(axis)) for axis in axes)} settings has {count:,} points, more than the "
                f"{MOST_RUNS:,} runs that a sweep can have; vary less, or take a random design."
            )
        return list(product(*axes))
    drawn = _drawn(sweep)
    return [
        tuple(
            _level_at(varied, share, whole[at]) for at, (varied, share) in enumerate(zip(sweep.vary, row, strict=True))
        )
        for row in drawn.tolist()
    ]


def _drawn(sweep: Sweep) -> NDArray[np.float64]:
    """Shares of each range, [points, things that vary] in [0, 1): independent and uniform, or a scrambled Sobol
    sequence (Owen 1998), which fills the cube more evenly."""
    import numpy as np

    size = len(sweep.vary)
    if sweep.design == "random":
        return np.random.default_rng(sweep.config.seed).random((sweep.points, size))
    from scipy.stats import qmc

    sequence = qmc.Sobol(size, scramble=True, seed=sweep.config.seed)
    drawn: NDArray[np.float64] = sequence.random_base2(math.ceil(math.log2(sweep.points)))[: sweep.points]
    return drawn


def _levels(varied: Varied, whole: bool) -> Levels:
    """Those of a grid."""
    if varied.low is None:
        return _named(varied)
    steps = (_level_at(varied, step / (varied.count - 1), whole) for step in range(varied.count))
    return tuple({level.shown: level for level in steps}.values())


def _named(varied: Varied) -> Levels:
    """Those that are said one by one."""
    if varied.settings:
        return tuple(Level(setting.title, setting.set) for setting in varied.settings)
    return tuple(Level(value, {varied.path: value}) for value in varied.values)


def _level_at(varied: Varied, share: float, whole: bool) -> Level:
    """The level at a share of the way from low to high; of those that are said one by one, each has as much of it."""
    if varied.low is None or varied.high is None:
        named = _named(varied)
        return named[min(int(share * len(named)), len(named) - 1)]
    value = _between(varied.low, varied.high, share, varied.scale == "log")
    found = round(value) if whole else value
    return Level(found, {varied.path: found})


def _between(low: float, high: float, share: float, log: bool) -> float:
    """The number at a share of the way, exactly the ends at 0 and 1, and else rounded to six digits: nobody can read
    more, and what is read is what was used."""
    if share in (0.0, 1.0):
        return high if share else low
    value = low * (high / low) ** share if log else low + (high - low) * share
    return min(max(float(f"{value:.6g}"), low), high)
