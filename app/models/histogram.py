"""The histogram of one batch of advantages, as numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.models.axes import Range, nice_step, robust_bounds

_ENOUGH = 50_000  # a histogram of more looks the same


def normalised(advantages: NDArray) -> NDArray:
    """(A − mean) / std as ``engine.losses.normalized`` has it, which this is tested against: 0 where all are equal."""
    spread = advantages.std()
    centred = advantages - advantages.mean()
    return centred / spread if spread > 1e-5 * float(np.abs(advantages).max()) else np.zeros_like(centred)


@dataclass(frozen=True)
class Histogram:
    """``shares`` of a batch in bins of equal width that start at ``edges``; 0 is always an edge, so that no bin mixes
    signs. A bin holds its lower edge, and values beyond the bins are in none."""

    edges: NDArray[np.float64]
    width: float
    shares: NDArray[np.float64]
    mean: float
    std: float
    positive: float
    negative: float


def bounds(advantages: NDArray) -> Range:
    """What an axis has to hold: nearly all advantages, the mean, and 0."""
    low, high = robust_bounds(advantages[:: 1 + len(advantages) // _ENOUGH])
    return min(low, 0.0), max(high, 0.0)


def histogram(advantages: NDArray, span: Range, bins: int = 40) -> Histogram:
    """The histogram of ``advantages`` over ``span`` in at most ``bins`` bins of a round width; not of nothing."""
    values = advantages.ravel()
    thinned = values[:: 1 + len(values) // _ENOUGH]
    width = nice_step(span[1] - span[0], bins)
    first, last = int(np.floor(span[0] / width + 1e-9)), int(np.ceil(span[1] / width - 1e-9))
    index = np.floor(thinned / width).astype(np.int64) - first
    inside = index[(index >= 0) & (index < last - first)]
    return Histogram(
        edges=np.arange(first, last) * width,
        width=width,
        shares=np.bincount(inside, minlength=last - first) / len(thinned),
        mean=float(values.mean()),
        std=float(values.std()),
        positive=float(np.count_nonzero(values > 0) / len(values)),
        negative=float(np.count_nonzero(values < 0) / len(values)),
    )
