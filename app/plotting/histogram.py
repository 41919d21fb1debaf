"""The histograms of one batch of advantages, of probability ratios and of importance weights, as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.plotting.axes import Range, nice_step, robust_bounds

_ENOUGH = 50_000  # a histogram of more looks the same


@dataclass(frozen=True)
class Histogram:
    """``shares`` of a batch in bins of equal width that start at ``edges``; the centre is always an edge, so that no
    bin mixes what is below it with what is above. A bin holds its lower edge, and values beyond the bins are in none.
    ``positive`` and ``negative`` are the shares above and below the centre."""

    edges: NDArray[np.float64]
    width: float
    shares: NDArray[np.float64]
    mean: float
    std: float
    positive: float
    negative: float

    def bar_at(self, x: float) -> tuple[int, tuple[float, float]] | None:
        """The number of the bin that ``x`` is in, and its ends."""
        index = int(np.floor((x - self.edges[0]) / self.width))
        if not 0 <= index < len(self.edges):
            return None
        return index, (float(self.edges[index]), float(self.edges[index]) + self.width)


def bounds(values: NDArray[Any], centre: float = 0.0) -> Range:
    """What an axis has to hold: nearly all values, their mean, and the centre."""
    thinned = values[:: 1 + len(values) // _ENOUGH]
    low, high = robust_bounds(thinned)
    known = thinned[np.isfinite(thinned)]
    held = [centre, float(known.mean(dtype=np.float64))] if len(known) else [centre]
    return min(low, *held), max(high, *held)


def histogram(values: NDArray[Any], span: Range, bins: int = 40, centre: float = 0.0) -> Histogram:
    """The histogram of ``values`` over ``span`` in at most ``bins`` bins of a round width; not of nothing.

    Values of −∞ count among all, but not in the mean and the standard deviation.
    """
    values = values.ravel()
    thinned = values[:: 1 + len(values) // _ENOUGH]
    thinned = np.clip(thinned, -1e30, 1e30)
    width = nice_step(span[1] - span[0], bins)
    first, last = (span[0] - centre) / width, (span[1] - centre) / width
    first, last = int(np.floor(first + 1e-9)), int(np.ceil(last - 1e-9))
    index = np.floor((thinned - centre) / width)
    inside = (index[(index >= first) & (index < last)] - first).astype(np.int64)
    known = values[np.isfinite(values)] if not np.isfinite(values).all() else values
    return Histogram(
        edges=centre + np.arange(first, last, dtype=np.float64) * width,
        width=width,
        shares=np.bincount(inside, minlength=last - first) / len(thinned),
        mean=float(known.mean(dtype=np.float64)) if len(known) else 0.0,
        std=float(known.std(dtype=np.float64)) if len(known) else 0.0,
        positive=float(np.count_nonzero(values > centre) / len(values)),
        negative=float(np.count_nonzero(values < centre) / len(values)),
    )
