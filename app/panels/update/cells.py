"""How the steps of a batch lie in strips: one row for each episode, one cell for each step; plain arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.reports.events import EpisodeEnded
from engine.reports.update_events import Inspected

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Layout:
    """``index`` [rows, longest] is which step of the batch stands in a cell, −1 where there is none."""

    index: NDArray[np.int64]

    @property
    def rows(self) -> int:
        return int(self.index.shape[0])

    @property
    def longest(self) -> int:
        return int(self.index.shape[1])

    def place_of(self, step: int) -> tuple[int, int]:
        """The row and column of a step of the batch."""
        row, column = (int(found[0]) for found in np.nonzero(self.index == step))
        return row, column

    def nearest(self, row: int, column: int) -> int:
        """The step in a cell, or in the last one of its row where that ends before; rows and columns stop at the first
        and the last."""
        steps = self.index[min(max(row, 0), self.rows - 1)]
        length = int((steps >= 0).sum())
        return int(steps[min(max(column, 0), length - 1)])

    def cells(self, values: NDArray[np.floating]) -> Numbers:
        """The ``values`` [M] of a batch in their cells [rows, longest], NaN where there is none."""
        found = np.full(self.index.shape, np.nan)
        there = self.index >= 0
        found[there] = values[self.index[there]]
        return found


def layout_of(batch: Inspected) -> Layout:
    """A row for each episode, or piece of one, that the batch holds."""
    count = len(batch.rewards)
    ended = batch.terminated | batch.truncated
    begins = np.ones(count, bool)
    begins[1:] = ended[:-1] | (batch.environments[1:] != batch.environments[:-1])
    return _laid_out(np.diff(np.append(np.flatnonzero(begins), count)))


def layout_of_episodes(episodes: Sequence[EpisodeEnded]) -> tuple[Layout, Numbers]:
    """The same of episodes as they end, with their rewards."""
    lengths = np.array([len(episode.rewards) for episode in episodes], np.int64)
    return _laid_out(lengths), np.concatenate([episode.rewards for episode in episodes]).astype(np.float64)


def _laid_out(lengths: NDArray[np.int64]) -> Layout:
    index = np.full((len(lengths), int(lengths.max(initial=1))), -1, np.int64)
    steps = np.arange(index.shape[1])
    inside = steps < lengths[:, None]
    index[inside] = np.arange(int(lengths.sum()))
    return Layout(index)


def binned(cells: Numbers, rows: int, columns: int) -> Numbers:
    """At most so many ``rows`` and ``columns``, each the mean of what it stands for; NaN where that is nothing."""
    return _along(_along(cells, rows).T, columns).T


def _along(cells: Numbers, most: int) -> Numbers:
    if len(cells) <= most:
        return cells
    bounds = np.unique(np.linspace(0, len(cells), max(most, 1) + 1).astype(np.int64))
    known = np.isfinite(cells)
    sums = np.add.reduceat(np.where(known, cells, 0.0), bounds[:-1], axis=0)
    counts = np.add.reduceat(known, bounds[:-1], axis=0, dtype=np.int64)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def reach_of(values: Numbers) -> float:
    """The size at which a colour is full: of all but the largest hundredth, 1 of nothing but zeros."""
    sizes = np.abs(values[np.isfinite(values)])
    if not sizes.size or sizes.max() == 0.0:
        return 1.0
    usual = float(np.quantile(sizes, 0.99))
    return usual if usual > 0.0 else float(sizes.max())
