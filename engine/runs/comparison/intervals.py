"""Confidence intervals of what several runs come to, over their seeds.

Each interval says its method, the number of runs and its level. What each really covers is measured by ``python -m
tests.benchmarks coverage``. The ``recommended`` ones are quick enough for a whole curve, and from five runs on within
two points of 95 %: the median's and the interquartile mean's of normal and skewed scores, of such of which three in ten
fail, and of such that have a highest one; the mean's of normal scores only.

- ``order``, of the median: from the k-th lowest to the k-th highest value. The median lies outside with the probability
  of fewer than k heads (or tails) in n tosses, whatever the distribution of the scores is; between two k the level is
  reached by interpolation (Hettmansperger and Sheather 1986). Fewer than six runs do not reach 95 %: the interval is
  then their whole range, and its level ``1 − 2·0.5ⁿ``, 75 % of three, is what is written.
- ``expanded``, of the interquartile mean of eight runs and more: the bootstrap's percentiles, as far out as Student's t
  is. It holds where some seeds fail and others do not, which ``trimmed`` does not.
- ``extended``, of the interquartile mean of four to seven runs, where no draw leaves their range and that range is too
  short: ``[x₍₁₎ − c (x₍₂₎ − x₍₁₎), x₍ₙ₎ + c (x₍ₙ₎ − x₍ₙ₋₁₎)]``. By their gap to the next are the outermost values taken
  further, as where the end of a distribution is looked for (Robson and Whitlock 1964); ``c`` is 2, 0.8, 0 and −0.6 of
  four, five, six and seven runs, by simulation, at 95 % and no other level. Of five it is half as wide again as
  ``expanded``.
- ``trimmed``, of the interquartile mean of two and three runs: ``m ± t(h−1) · √(SSD_w / (h(h−1)))``, where m is the
  mean of the h values that stay and ``SSD_w`` the sum of squared deviations of all n, those left out counting as the
  nearest that stays (Tukey and McLaughlin 1963; Yuen 1974).
- ``student``, of the mean: ``x̄ ± t(n−1) · s/√n``. Exact of normal scores; of skewed or two-humped ones it misses more.
- ``percentile`` and ``bca``: the bootstraps of the literature, of any statistic; too short of few runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, stdtrit

from engine.runs.comparison.aggregates import STATISTICS, Statistic, aggregate, cut
from engine.runs.comparison.bootstrap import RESAMPLES, bca_bounds, expanded_bounds, percentile_bounds

Floats = NDArray[np.float64]
Method = Literal["order", "expanded", "extended", "trimmed", "student", "percentile", "bca"]
METHODS: dict[Method, str] = {
    "order": "order statistics",
    "expanded": "expanded percentile bootstrap",
    "extended": "extended order statistics",
    "trimmed": "Student t of the trimmed mean",
    "student": "Student t",
    "percentile": "percentile bootstrap",
    "bca": "BCa bootstrap",
}
RECOMMENDED: dict[Statistic, Method] = {"median": "order", "iqm": "expanded", "mean": "student"}
_OF: dict[Method, Statistic] = {
    "order": "median",
    "extended": "iqm",
    "trimmed": "iqm",
    "student": "mean",
}  # of no other
_REACH = {4: 2.0, 5: 0.8, 6: 0.0, 7: -0.6}  # gaps by which the outermost of so many runs are taken further, at LEVEL
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """``level`` is the one that it has, which may be another than was asked for; ``method`` is in words."""

    low: float
    high: float
    level: float
    method: str


@dataclass(frozen=True)
class Estimate:
    """What ``n`` runs come to; ``of`` names it in words. ``interval`` is None of a single run, which has none."""

    of: str
    value: float
    n: int
    interval: Interval | None


def estimate(
    values: Floats,
    statistic: Statistic = "median",
    method: Method | None = None,
    level: float = LEVEL,
    generator: np.random.Generator | None = None,
) -> Estimate:
    """The ``statistic`` of runs' ``values`` [n] with its interval; by the recommended method where none is named. A
    bootstrap draws from ``generator``, or else from one with seed 0.

    Raises:
        ValueError: there is no value, one is not finite, or the method is not one of this statistic.
    """
    values = np.asarray(values, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("A score is not finite; leave its run out, and say so.")
    n, found = len(values), float(aggregate(values, statistic))
    if n < 2:
        return Estimate(STATISTICS[statistic], found, n, None)
    by = method or recommended(statistic, n)
    if by in ("percentile", "bca"):
        random = generator if generator is not None else np.random.default_rng(0)
        boot = bca_bounds if by == "bca" else percentile_bounds
        interval = Interval(*boot(values, statistic, level, random, RESAMPLES), level, METHODS[by])
    else:
        low, high, reached = bounds(values, statistic, by, level)
        interval = Interval(float(low), float(high), reached, METHODS[by])
    return Estimate(STATISTICS[statistic], found, n, interval)


def recommended(statistic: Statistic, n: int) -> Method:
    """The method for the interval of a statistic of ``n`` runs."""
    if statistic == "iqm" and n <= max(_REACH):
        return "extended" if n in _REACH else "trimmed"
    return RECOMMENDED[statistic]


def bounds(values: Floats, statistic: Statistic, method: Method, level: float = LEVEL) -> tuple[Floats, Floats, float]:
    """Lower and upper bounds [...] of ``values`` [n, …], and the level that they have; by neither ``percentile`` nor
    ``bca``, which are of single statistics.

    Raises:
        ValueError: there are fewer than two values, or the method is not one of this statistic or of so many.
    """
    if method in ("percentile", "bca") or _OF.get(method, statistic) != statistic:
        raise ValueError(f"There is no such interval of the {STATISTICS[statistic]} by {METHODS[method]}.")
    n = len(values)
    if n < 2:
        raise ValueError("It takes two runs for an interval.")
    if method == "student":
        return *_around(*_student(values), level), level
    ordered = np.sort(values, axis=0)
    if method == "order":
        return _order(ordered, level)
    if method == "extended":
        return *_extended(ordered), LEVEL
    if method == "trimmed":
        return *_around(*_trimmed(ordered), level), level
    return *expanded_bounds(ordered, statistic, level), level


def _around(middle: Floats, error: Floats, free: int, level: float) -> tuple[Floats, Floats]:
    """As far as Student's t of ``free`` degrees of freedom reaches, in standard errors."""
    reach: Floats = stdtrit(free, 0.5 + level / 2) * error
    return middle - reach, middle + reach


def _student(values: Floats) -> tuple[Floats, Floats, int]:
    """Mean, its standard error, and the degrees of freedom of that."""
    n = len(values)
    error: Floats = values.std(axis=0, ddof=1) / np.sqrt(n)
    return values.mean(axis=0), error, n - 1


def _trimmed(ordered: Floats) -> tuple[Floats, Floats, int]:
    """Interquartile mean, its standard error, and the degrees of freedom of that."""
    n = len(ordered)
    out = cut(n)
    stay = n - 2 * out
    winsorized = np.clip(ordered, ordered[out], ordered[n - 1 - out])
    squares = ((winsorized - winsorized.mean(axis=0)) ** 2).sum(axis=0)
    return ordered[out : n - out].mean(axis=0), np.sqrt(squares / (stay * (stay - 1))), stay - 1


def _extended(ordered: Floats) -> tuple[Floats, Floats]:
    n = len(ordered)
    if n not in _REACH:
        raise ValueError(f"Order statistics are extended of {min(_REACH)} to {max(_REACH)} runs, not of {n}.")
    low: Floats = ordered[0] - _REACH[n] * (ordered[1] - ordered[0])
    high: Floats = ordered[-1] + _REACH[n] * (ordered[-1] - ordered[-2])
    return low, high


def order_level(n: int, k: int) -> float:
    """The probability with which the median lies between the ``k``-th lowest and the ``k``-th highest of ``n`` values
    of a continuous distribution: ``1 − 2·P(Binomial(n, ½) < k)``."""
    return 1.0 - 2.0 * float(bdtr(k - 1, n, 0.5))


def _order(ordered: Floats, level: float) -> tuple[Floats, Floats, float]:
    n = len(ordered)
    reaching = [k for k in range(1, n // 2 + 1) if order_level(n, k) >= level]
    if not reaching:
        return ordered[0], ordered[-1], order_level(n, 1)
    k = reaching[-1]
    if k >= n - k:  # the next would have no width
        return ordered[k - 1], ordered[n - k], order_level(n, k)
    wider, narrower = order_level(n, k), order_level(n, k + 1)
    share = (wider - level) / (wider - narrower)
    inwards = (n - k) * share / (k + (n - 2 * k) * share)
    low = (1 - inwards) * ordered[k - 1] + inwards * ordered[k]
    high = (1 - inwards) * ordered[n - k] + inwards * ordered[n - k - 1]
    return low, high, level
