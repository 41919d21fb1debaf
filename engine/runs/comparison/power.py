"""How many seeds it takes to see a difference (Colas et al. 2018)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import nctdtr, stdtrit

Floats = NDArray[np.float64]
POWER = 0.8
MOST = 1_000  # seeds: beyond, a difference is too small to be looked for


def power(n: int, difference: float, spreads: tuple[float, float], level: float = 0.95) -> float:
    """The probability with which Welch's test at ``level`` sees a true ``difference`` of means of two settings whose
    scores have the standard deviations ``spreads``, with ``n`` seeds of each: that a noncentral t of
    ``δ = difference / √((s₁² + s₂²)/n)`` falls outside of Student's ``± t``.

    Raises:
        ValueError: there are fewer than two seeds, or the scores of neither setting differ.
    """
    first, second = (spread**2 / n for spread in spreads)
    if n < 2 or not first + second > 0.0:
        raise ValueError("Power is of two seeds and more, of settings whose scores differ from seed to seed.")
    free = (first + second) ** 2 * (n - 1) / (first**2 + second**2)
    delta = abs(difference) / np.sqrt(first + second)
    outside = stdtrit(free, 0.5 + level / 2)
    below, up_to = np.nan_to_num([nctdtr(free, delta, bound) for bound in (-outside, outside)])  # NaN where it is tiny
    return float(np.clip(1.0 - up_to + below, 0.0, 1.0))


def seeds_needed(
    difference: float, spreads: tuple[float, float], wanted: float = POWER, level: float = 0.95
) -> int | None:
    """The least number of seeds of each setting with which a true ``difference`` would be seen with the probability
    ``wanted``; None where it takes more than a thousand.

    What is put in is what was seen, which is not what is true: read it as an order of magnitude.

    Raises:
        ValueError: the scores of neither setting differ.
    """
    if power(MOST, difference, spreads, level) < wanted:
        return None
    low, high = 1, MOST  # more seeds see more: enough at high, not at low
    while high - low > 1:
        middle = (low + high) // 2
        if middle >= 2 and power(middle, difference, spreads, level) >= wanted:
            high = middle
        else:
            low = middle
    return high
