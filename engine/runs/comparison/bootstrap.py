"""Bootstrap intervals: the runs are drawn again, with replacement, many times, and the statistic of each draw is told.

They are what much of the literature reports (Agarwal et al. 2021), and with few runs they are too short: of five runs a
percentile interval that says 95 % holds the truth in some 85 % of all cases. The draws come from a generator that the
caller seeds, so that the same scores have the same interval.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from engine.runs.comparison.aggregates import Statistic, aggregate

Floats = NDArray[np.float64]
RESAMPLES = 10_000


def resampled(values: Floats, generator: np.random.Generator, resamples: int) -> Floats:
    """``resamples`` draws of n from ``values`` [n], in the columns of [n, resamples]."""
    n = len(values)
    return values[generator.integers(n, size=(n, resamples))]


def percentile_bounds(
    values: Floats, statistic: Statistic, level: float, generator: np.random.Generator, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """The quantiles ``(1 ∓ level)/2`` of the draws' statistics (Efron 1979)."""
    of_draws = aggregate(resampled(values, generator, resamples), statistic)
    low, high = np.quantile(of_draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bca_bounds(
    values: Floats, statistic: Statistic, level: float, generator: np.random.Generator, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """The quantiles ``Φ(z₀ + (z₀ ± z) / (1 − a (z₀ ± z)))`` of the draws' statistics, bias-corrected and accelerated
    (Efron 1987): ``z₀`` is where the statistic of the runs lies among the draws, and ``a``, from leaving out each run
    once, how its spread changes with it. Where all runs, or all draws, are alike there is one point."""
    of_draws = aggregate(resampled(values, generator, resamples), statistic)
    below = np.mean(of_draws < aggregate(values, statistic)) + 0.5 * np.mean(of_draws == aggregate(values, statistic))
    if not 0.0 < below < 1.0 or np.ptp(of_draws) == 0.0:
        return float(of_draws.min()), float(of_draws.max())
    bias = ndtri(below)
    without = _left_out(values, statistic)
    apart = without.mean() - without
    squares = (apart**2).sum()
    acceleration = (apart**3).sum() / (6.0 * squares**1.5) if squares > 0.0 else 0.0
    reached = bias + ndtri([(1 - level) / 2, (1 + level) / 2])
    low, high = np.quantile(of_draws, ndtr(bias + reached / (1.0 - acceleration * reached)))
    return float(low), float(high)


def _left_out(values: Floats, statistic: Statistic) -> Floats:
    """The statistic without each of the values [n] in turn."""
    n = len(values)
    columns = np.broadcast_to(values[:, None], (n, n)).T[~np.eye(n, dtype=bool)].reshape(n, n - 1).T
    return aggregate(columns, statistic)
