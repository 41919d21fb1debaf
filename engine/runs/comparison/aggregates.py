"""What several runs come to in one number. Runs are along the first axis; any further axes are kept."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Statistic = Literal["median", "iqm", "mean"]
STATISTICS: dict[Statistic, str] = {"median": "median", "iqm": "interquartile mean", "mean": "mean"}


def cut(n: int) -> int:
    """How many of ``n`` values the interquartile mean leaves out at each end: a quarter, rounded down."""
    return n // 4


def interquartile_mean(values: Floats) -> Floats:
    """The mean of the middle half of ``values`` [n, …]: of those that stay when the lowest ``⌊n/4⌋`` and the highest
    ``⌊n/4⌋`` are left out, as ``scipy.stats.trim_mean(values, 0.25)`` and rliable have it (Agarwal et al. 2021).

    Where n is not divisible by 4, more than the half stays: 3 of 5, 5 of 7, 6 of 10. Of fewer than 4 values none is
    left out, so that it is their mean.

    Raises:
        ValueError: there is no value.
    """
    _require_some(values)
    n = len(values)
    ordered = np.sort(values, axis=0)
    means: Floats = ordered[cut(n) : n - cut(n)].mean(axis=0)
    return means


def aggregate(values: Floats, statistic: Statistic) -> Floats:
    """The ``statistic`` of ``values`` [n, …] over the first axis, [...].

    Raises:
        ValueError: there is no value.
    """
    _require_some(values)
    if statistic == "iqm":
        return interquartile_mean(values)
    of: Floats = np.asarray(np.median(values, axis=0) if statistic == "median" else np.mean(values, axis=0))
    return of


def median_run(scores: Floats) -> int:
    """The index of the run whose score [n] is the median; of two in the middle the lower one, and of equal ones the
    first: the run that stands for all where one is drawn.

    Raises:
        ValueError: there is no run.
    """
    _require_some(scores)
    return int(np.argsort(scores, kind="stable")[(len(scores) - 1) // 2])


def _require_some(values: Floats) -> None:
    if not len(values):
        raise ValueError("There is no run to aggregate; give at least one.")
