"""How many environment steps it takes to reach a threshold, as a survival curve.

The mean over those runs that got there says the better the more runs fail. Here a run that did not get there counts for
as long as it was watched: it is *censored*, not dropped (Kaplan and Meier 1958).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtri

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
LEVEL = 0.95
_WAYS = 5_000  # to divide runs in two that are tried one by one: 7 and 7 have 3,432


@dataclass(frozen=True)
class Survival:
    """The share of runs that have *not* reached the threshold yet: from each of ``steps`` [m] on it is ``remaining``,
    before the first one 1. ``low`` and ``high`` are its interval at each by itself, after Greenwood on the log-log
    scale, NaN where it is 0. ``at_risk`` [m] are the runs that were watched just before.

    ``n`` runs, of which ``reached`` got there and the others were watched until then at most, up to ``last`` steps.
    """

    steps: Floats
    remaining: Floats
    low: Floats
    high: Floats
    at_risk: Floats
    n: int
    reached: int
    last: float
    level: float
    method: str = "Kaplan–Meier, Greenwood's interval on the log-log scale"


@dataclass(frozen=True)
class Waiting:
    """The median of steps to the threshold, with its interval; None where half of the runs, or a bound, is not known to
    get there. ``level`` is the one that it has, which of few runs is less than was asked for."""

    steps: float | None
    low: float | None
    high: float | None
    n: int
    level: float
    method: str = "Brookmeyer and Crowley"


@dataclass(frozen=True)
class LogRank:
    """Whether two settings reach the threshold equally soon: the statistic, chi-squared with one degree of freedom, and
    its p-value. ``excess`` is by how many more runs of the first got there than would if both were alike: below 0
    where the second is sooner."""

    statistic: float
    p: float
    excess: float
    n: tuple[int, int]
    method: str = "log-rank test"


def survival(steps: Floats, reached: Flags, level: float = LEVEL) -> Survival:
    """The Kaplan–Meier curve ``S(t) = Π (1 − dᵢ/rᵢ)`` of runs that ``reached`` [n] the threshold after so many
    ``steps`` [n], or were watched for so many without it. Greenwood's ``σ² = Σ dᵢ / (rᵢ (rᵢ − dᵢ))`` gives the interval
    ``S^exp(± z σ / ln S)``, which stays between 0 and 1.

    A run that failed never gets there: give it the steps of the one that was watched longest, not those after which it
    failed, for otherwise those that fail soon count less than those that are slow.

    Raises:
        ValueError: there is no run, or steps are not known.
    """
    _require_runs(steps, reached)
    events = np.unique(steps[reached])
    at_risk = (steps[None] >= events[:, None]).sum(axis=1).astype(np.float64)
    got_there = ((steps[None] == events[:, None]) & reached[None]).sum(axis=1)
    remaining = np.cumprod(1.0 - got_there / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):  # where none remains
        spread = np.sqrt(np.cumsum(got_there / (at_risk * (at_risk - got_there))))
        reach = ndtri(0.5 + level / 2) * spread / np.log(remaining)
        low, high = remaining ** np.exp(-reach), remaining ** np.exp(reach)
    low, high = (np.where(remaining > 0.0, bound, np.nan) for bound in (low, high))
    return Survival(events, remaining, low, high, at_risk, len(steps), int(reached.sum()), float(steps.max()), level)


def median_steps(curve: Survival) -> Waiting:
    """Where the curve, and where the bounds of its interval, come down to one half (Brookmeyer and Crowley 1982).

    Of few runs the lower bound is where the first one got there, and all of ``n`` need longer than the median does with
    the probability ``0.5ⁿ``: of three the level is 87.5 %, whatever was asked for.
    """
    known = np.isfinite(curve.low)
    return Waiting(
        _down_to_half(curve.steps, curve.remaining),
        _down_to_half(curve.steps, np.where(known, curve.low, 0.0)),
        _down_to_half(curve.steps[known], curve.high[known]),
        curve.n,
        min(curve.level, 1.0 - 0.5**curve.n),
    )


def _down_to_half(steps: Floats, values: Floats) -> float | None:
    there = np.flatnonzero(values <= 0.5 + 1e-12)
    return float(steps[there[0]]) if len(there) else None


def log_rank(first: tuple[Floats, Flags], second: tuple[Floats, Flags]) -> LogRank | None:
    """Mantel's test of two settings' ``(steps, reached)``: at each step at which some run got there, how many of the
    first there were against how many there would be if both were alike, ``χ² = (Σ(O − E))² / ΣV``. None where no run
    of either got there.

    Of few runs chi-squared calls too much different (of 3 and 3 alike ones 9 %, of 5 and 5 7 %, at p < 0.05): there the
    p-value is the share of all ways to divide the runs in two that differ as much.

    Raises:
        ValueError: there is no run in one, or steps are not known.
    """
    for one in (first, second):
        _require_runs(*one)
    n, m = len(first[0]), len(second[0])
    steps, reached = np.concatenate([first[0], second[0]]), np.concatenate([first[1], second[1]])
    events = np.unique(steps[reached])
    at_risk = (steps[:, None] >= events).astype(np.float64)
    there = ((steps[:, None] == events) & reached[:, None]).astype(np.float64)
    excess, variance = _excess(np.arange(n + m)[None] < n, at_risk, there)
    if variance[0] == 0.0:
        return None
    statistic = float(excess[0] ** 2 / variance[0])
    if comb(n + m, n) > _WAYS:
        return LogRank(statistic, float(chdtrc(1, statistic)), float(excess[0]), (n, m))
    chosen = np.array(list(combinations(range(n + m), n)))
    ways = np.zeros((len(chosen), n + m), dtype=np.bool_)
    ways[np.arange(len(chosen))[:, None], chosen] = True
    of_all, variances = _excess(ways, at_risk, there)
    differ = (of_all**2 >= statistic * variances * (1.0 - 1e-9)) & (variances > 0.0)
    return LogRank(statistic, float(differ.mean()), float(excess[0]), (n, m), "exact log-rank test")


def _excess(first: Flags, at_risk: Floats, there: Floats) -> tuple[Floats, Floats]:
    """``Σ(O − E)`` and ``ΣV`` [ways], where ``first`` [ways, runs] says which runs are the first setting's, and the
    runs are ``at_risk`` and got ``there`` [runs, events]."""
    risk, got = at_risk.sum(axis=0), there.sum(axis=0)
    share = first @ at_risk / risk
    expected = got * share
    variance = (expected * (1 - share) * (risk - got) / np.maximum(risk - 1, 1)).sum(axis=1)
    return (first @ there - expected).sum(axis=1), variance


def _require_runs(steps: Floats, reached: Flags) -> None:
    if not len(steps) or len(steps) != len(reached) or not np.isfinite(steps).all():
        raise ValueError("Survival is of at least one run, each with the steps for which it was watched.")
