"""Two settings: how likely one is better than the other, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr, stdtrit

Floats = NDArray[np.float64]
LEVEL = 0.95
_HALVINGS = 40  # of the range in which a bound is looked for: to twelve digits


@dataclass(frozen=True)
class Improvement:
    """The probability that a run of the first setting is better than one of the second, with its interval; ``n`` are
    the runs of each."""

    probability: float
    low: float
    high: float
    level: float
    n: tuple[int, int]
    method: str


@dataclass(frozen=True)
class Difference:
    """Welch's test: by how much the mean of the first setting is above that of the second, with its interval; the t
    statistic, its degrees of freedom, and the two-sided p-value. ``n`` are the runs of each."""

    difference: float
    low: float
    high: float
    level: float
    n: tuple[int, int]
    t: float
    degrees: float
    p: float
    method: str = "Welch's t-test"

    @property
    def settled(self) -> bool:
        """Whether the interval leaves out 0."""
        return not self.low <= 0.0 <= self.high


def probability_of_improvement(first: Floats, second: Floats, level: float = LEVEL) -> Improvement:
    """``P(X > Y) + ½ P(X = Y)`` of scores X of ``first`` [n] and Y of ``second`` [m], as Mann and Whitney's U / nm has
    it (Agarwal et al. 2021).

    Its interval is Newcombe's (2006, method 5): all θ with ``|θ̂ − θ| ≤ z √V(θ)``, where ``V(θ) = θ(1−θ)/nm ·
    (1 + ((n+m)/2 − 1) ((1−θ)/(2−θ) + θ/(1+θ)))``. It has a width also where all runs of one are above all of the other,
    where a bootstrap has none.

    Raises:
        ValueError: one has no run, or a score is NaN.
    """
    _require_scores(first, second)
    n, m = len(first), len(second)
    found = probabilities(first[:, None], second[:, None])
    low, high = improvement_bounds(found, n, m, level)
    return Improvement(float(found[0]), float(low[0]), float(high[0]), level, (n, m), "Newcombe")


def probabilities(first: Floats, second: Floats) -> Floats:
    """``P(X > Y) + ½ P(X = Y)`` [k] of ``first`` [n, k] against ``second`` [m, k], column by column."""
    above = (first[:, None] > second[None]).mean(axis=(0, 1))
    tied = (first[:, None] == second[None]).mean(axis=(0, 1))
    both: Floats = above + 0.5 * tied
    return both


def improvement_bounds(found: Floats, n: int, m: int, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Bounds [k] of probabilities ``found`` [k] from ``n`` and ``m`` runs."""
    z = ndtri(0.5 + level / 2)
    near = np.array([found, found])
    far = np.array([np.zeros_like(found), np.ones_like(found)])
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        within = np.abs(middle - found) <= z * np.sqrt(_variance(middle, n, m))
        near, far = np.where(within, middle, near), np.where(within, far, middle)
    return near[0], near[1]


def _variance(theta: Floats, n: int, m: int) -> Floats:
    both = (1 - theta) / (2 - theta) + theta / (1 + theta)
    return theta * (1 - theta) / (n * m) * (1 + ((n + m) / 2 - 1) * both)


def mean_improvement(pairs: Sequence[tuple[Floats, Floats]], level: float = LEVEL) -> Improvement:
    """The mean over environments of the probability of improvement in each, as rliable has it: scores of different
    environments are never compared with each other. The interval puts those of the environments together,
    ``θ̄ ∓ √Σ(θₖ − boundₖ)² / K`` (Zou and Donner 2008); ``n`` are the runs in all.

    Raises:
        ValueError: there is no environment, one has no run in it, or a score is NaN.
    """
    if not pairs:
        raise ValueError("There is no environment to compare in; give at least one.")
    each = [probability_of_improvement(first, second, level) for first, second in pairs]
    if len(each) == 1:
        return each[0]
    theta, low, high = (np.array([getattr(one, part) for one in each]) for part in ("probability", "low", "high"))
    mean = float(theta.mean())
    down, up = (float(np.sqrt(((theta - bound) ** 2).sum())) / len(each) for bound in (low, high))
    runs = (sum(one.n[0] for one in each), sum(one.n[1] for one in each))
    return Improvement(mean, mean - down, mean + up, level, runs, f"Newcombe, mean of {len(each)} environments")


def welch(first: Floats, second: Floats, level: float = LEVEL) -> Difference | None:
    """The difference of means with ``t = (x̄ − ȳ) / √(sₓ²/n + s_y²/m)`` and the degrees of freedom of Welch and
    Satterthwaite, as ``scipy.stats.ttest_ind(equal_var=False)``; None where one has a single run, so that nothing is
    known of how much its seeds differ, or where neither's scores differ at all.

    Raises:
        ValueError: one has no run, or a score is NaN.
    """
    _require_scores(first, second)
    n, m = len(first), len(second)
    if n < 2 or m < 2:
        return None
    parts = variance(first) / n, variance(second) / m
    if sum(parts) == 0.0:
        return None
    difference, error = float(first.mean() - second.mean()), float(np.sqrt(sum(parts)))
    free = sum(parts) ** 2 / (parts[0] ** 2 / (n - 1) + parts[1] ** 2 / (m - 1))
    reach = float(stdtrit(free, 0.5 + level / 2)) * error
    t = difference / error
    p = 2.0 * float(stdtr(free, -abs(t)))
    return Difference(difference, difference - reach, difference + reach, level, (n, m), t, free, p)


def variance(scores: Floats) -> float:
    """Of the distribution behind ``scores`` [n]; 0 where all are alike, which the rounding of their mean may hide."""
    return float(scores.var(ddof=1)) if np.ptp(scores) > 0.0 else 0.0


def _require_scores(first: Floats, second: Floats) -> None:
    for scores in (first, second):
        if not len(scores) or np.isnan(scores).any():
            raise ValueError("Two settings are compared by scores that are known, of at least one run each.")
