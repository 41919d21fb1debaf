"""Performance profiles: at each score, the share of runs that are above it (Dolan and Moré 2002; Agarwal et al. 2021).

One curve shows what no single number does: where the profile of one setting is above another's everywhere it is better
at any score, and where they cross, it depends. A step that is flat says that some seeds fail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.runs.comparison.proportions import WORDS, By, share_bounds

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """``share`` [m] of ``n`` runs above each of ``thresholds`` [m], with the interval from ``low`` to ``high``, which
    holds at each threshold by itself."""

    thresholds: Floats
    share: Floats
    low: Floats
    high: Floats
    n: int
    level: float
    method: str


def profile(scores: Floats, thresholds: Floats, by: By = "wilson", level: float = 0.95) -> Profile:
    """The share of runs' ``scores`` [n] above each of ``thresholds`` [m]. A run without a score may stand as −∞, which
    is above nothing and counts.

    Raises:
        ValueError: there is no run, or a score is NaN.
    """
    if not len(scores) or np.isnan(scores).any():
        raise ValueError("A profile is of at least one run, and of scores that are known.")
    n = len(scores)
    above = n - np.searchsorted(np.sort(scores), thresholds, side="right").astype(np.float64)
    return Profile(thresholds, above / n, *share_bounds(above, n, by, level), n, level, WORDS[by])


def thresholds_of(groups: Sequence[Floats], points: int = 201) -> Floats:
    """Evenly from just below the lowest to just above the highest score of all groups; none where there is none."""
    known = np.concatenate([np.asarray(group, dtype=np.float64) for group in groups]) if len(groups) else np.empty(0)
    known = known[np.isfinite(known)]
    if not len(known):
        return np.empty(0)
    margin = 0.02 * float(np.ptp(known)) or 1.0
    return np.linspace(known.min() - margin, known.max() + margin, points)
