"""Long columns thinned to what a plot can show; each update costs as much as what is new, not as what there is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

_GOLDEN = np.uint64(2654435769)  # 2³² / golden ratio, odd
_WORD = 2**32
_NOTHING: Numbers = np.empty(0)


class EpisodeSample:
    """Which episodes are drawn as dots: all of the first ``limit``, then a share of them that halves when it is full.

    Whether an episode is drawn depends only on its index and the share, and a smaller share is a subset of a larger
    one: dots never flicker. The choice is spread by the golden ratio instead of taken at a stride, because the
    episodes of an iteration are ordered by length and a stride would pick the shortest of each.
    """

    def __init__(self, limit: int = 1500) -> None:
        self._limit = limit
        self.clear()

    def clear(self) -> None:
        self.one_in = 1
        self._seen = 0
        self._indices = np.empty(0, np.int64)

    @property
    def indices(self) -> NDArray[np.int64]:
        """The indices of the drawn episodes, ascending."""
        return self._indices

    def update(self, count: int) -> NDArray[np.int64]:
        """Take note that there are ``count`` episodes; returns ``indices``."""
        while self._seen < count:
            # In pieces, so that catching up on a million episodes needs no memory to speak of.
            end = min(count, self._seen + 65536)
            new = np.arange(self._seen, end)
            self._indices = np.concatenate([self._indices, new[self._chosen(new)]])
            self._seen = end
            while len(self._indices) > self._limit:
                self.one_in *= 2
                self._indices = self._indices[self._chosen(self._indices)]
        return self._indices

    def _chosen(self, indices: NDArray[np.int64]) -> NDArray[np.bool_]:
        return (indices.astype(np.uint64) * _GOLDEN) % np.uint64(_WORD) < np.uint64(_WORD // self.one_in)


class Trace:
    """A column of numbers in at most ``limit`` bins of equal size, each with its mean, minimum and maximum.

    The bins' size doubles when they are full. NaN does not count; a bin without numbers is NaN.
    """

    def __init__(self, limit: int = 300) -> None:
        if limit % 2:
            raise ValueError(f"limit must be even to merge bins in pairs, not {limit}")
        self._limit = limit
        self.clear()

    def clear(self) -> None:
        self.size = 1
        self._full = 0
        self._bins = np.empty((4, self._limit + 1))  # sum, count, minimum, maximum; one more bin under way
        self._shown = 0
        self.middles = np.empty(0, np.int64)

    def __len__(self) -> int:
        return self._shown

    @property
    def means(self) -> Numbers:
        total, count = self._bins[:2, : self._shown]
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    @property
    def lows(self) -> Numbers:
        low = self._bins[2, : self._shown]
        return np.where(np.isfinite(low), low, np.nan)

    @property
    def highs(self) -> Numbers:
        high = self._bins[3, : self._shown]
        return np.where(np.isfinite(high), high, np.nan)

    def update(self, values: NDArray[Any], provisional: NDArray[Any] = _NOTHING) -> None:
        """Take in a column that has grown; what it held at the last update must be as it was.

        ``provisional`` are numbers after its end that may be others the next time.
        """
        count = len(values) + len(provisional)
        while count > self.size * self._limit:
            self._take_full(values[: self.size * self._limit])
            self._merge()
        self._take_full(values)
        self._shown = self._full
        rest = np.concatenate([values[self._full * self.size :], provisional])
        if len(rest):
            self._bins[:, self._shown] = _binned(rest, len(rest))[:, 0]
            self._shown += 1
        starts = np.arange(self._shown) * self.size
        self.middles = (starts + np.minimum(starts + self.size, count) - 1) // 2

    def _take_full(self, values: NDArray[Any]) -> None:
        new = len(values) // self.size - self._full
        if new > 0:
            start = self._full * self.size
            binned = _binned(values[start : start + new * self.size], self.size)
            self._bins[:, self._full : self._full + new] = binned
            self._full += new

    def _merge(self) -> None:
        self.size *= 2
        pairs = self._bins[:, : self._full].reshape(4, -1, 2)
        half = pairs.shape[1]
        self._bins[:2, :half] = pairs[:2].sum(axis=2)
        self._bins[2, :half] = pairs[2].min(axis=1)
        self._bins[3, :half] = pairs[3].max(axis=1)
        self._full = half


def _binned(values: NDArray[Any], size: int) -> Numbers:
    """Sum, count, minimum and maximum of consecutive bins, [4, len(values) / size]."""
    rows = values.astype(np.float64).reshape(-1, size)
    known = np.isfinite(rows)
    return np.stack(
        [
            np.where(known, rows, 0.0).sum(axis=1),
            known.sum(axis=1),
            np.where(known, rows, np.inf).min(axis=1),
            np.where(known, rows, -np.inf).max(axis=1),
        ]
    )
