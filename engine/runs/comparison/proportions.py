"""Shares of runs: "7 of 8 solved", with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri

Floats = NDArray[np.float64]
By = Literal["wilson", "clopper-pearson"]
WORDS: dict[By, str] = {"wilson": "Wilson", "clopper-pearson": "Clopper–Pearson"}


@dataclass(frozen=True)
class Share:
    """``count`` of ``n`` runs, and the interval of the probability that another seed is one of them."""

    count: int
    n: int
    low: float
    high: float
    level: float
    method: str

    @property
    def value(self) -> float:
        return self.count / self.n


def share(count: int, n: int, by: By = "wilson", level: float = 0.95) -> Share:
    """``count`` of ``n`` runs.

    Raises:
        ValueError: there is no run, or there are more than all.
    """
    if not 0 <= count <= n or n < 1:
        raise ValueError(f"{count} of {n} is no share of runs; give at least one run and at most all.")
    low, high = share_bounds(np.array([float(count)]), n, by, level)
    return Share(count, n, float(low[0]), float(high[0]), level, WORDS[by])


def share_bounds(counts: Floats, n: int, by: By = "wilson", level: float = 0.95) -> tuple[Floats, Floats]:
    """Bounds [...] of the probability behind ``counts`` [...] of ``n``.

    Wilson (1927) turns the test of a proportion round, ``(p̂ + z²/2n ± z √(p̂(1−p̂)/n + z²/4n²)) / (1 + z²/n)``, and
    covers 95 % on average. Clopper and Pearson (1934) take the beta quantiles ``(1∓level)/2`` of (count, n − count + 1)
    and (count + 1, n − count), and cover never less than the level, mostly more.
    """
    if by == "wilson":
        z2 = ndtri(0.5 + level / 2) ** 2
        p = counts / n
        reach = np.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n**2)))
        middle = p + z2 / (2 * n)
        return _inside(middle - reach, 1 + z2 / n), _inside(middle + reach, 1 + z2 / n)
    outside = (1 - level) / 2
    low = np.where(counts > 0, betaincinv(np.maximum(counts, 1), n - counts + 1, outside), 0.0)
    high = np.where(counts < n, betaincinv(counts + 1, np.maximum(n - counts, 1), 1 - outside), 1.0)
    return low, high


def _inside(values: Floats, by: float) -> Floats:
    """Rounding must not leave the range of a probability."""
    return np.clip(values / by, 0.0, 1.0)
