"""Growing histories of a run: every episode and every metric, as numpy arrays the panels read from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.reports.events import Change, Collected, Estimated, Reweighted, Updated
from engine.reports.metrics import METRICS

XAxis = Literal["environment_steps", "episodes", "seconds"]
Floats = NDArray[np.float64]
FINE = 20_000  # points; after so many, each stands for twice as many iterations, and memory stays flat


class Column:
    """A growing array of numbers; ``values`` is a view of what was appended, valid until the next append.

    A column of whole numbers widens itself when they outgrow its type.
    """

    def __init__(self, dtype: type[np.generic]) -> None:
        self._data: NDArray[Any] = np.empty(1024, dtype)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def values(self) -> NDArray[Any]:
        return self._data[: self._size]

    def extend(self, values: NDArray[Any]) -> None:
        if self._data.dtype.kind == "u" and len(values) and values.max() > np.iinfo(self._data.dtype).max:
            self._data = self._data.astype(np.float64)
        needed = self._size + len(values)
        if needed > len(self._data):
            # A quarter more, not double: memory has to stay flat over a million episodes.
            grown = np.empty(max(needed, len(self._data) + len(self._data) // 4), self._data.dtype)
            grown[: self._size] = self.values
            self._data = grown
        self._data[self._size : needed] = values
        self._size = needed

    def append(self, value: float) -> None:
        self.extend(np.array([value]))


class Table:
    """Growing columns of float32 that are appended to together, a row at a time: one write instead of one for each."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._data = np.empty((len(self.names), 1024), np.float32)
        self._size = 0

    def __getitem__(self, name: str) -> TableColumn:
        return TableColumn(self, self.names.index(name))

    def append(self, row: Sequence[float] | Floats) -> None:
        if self._size == self._data.shape[1]:
            grown = np.empty((len(self.names), self._size + self._size // 4), np.float32)
            grown[:, : self._size] = self._data
            self._data = grown
        self._data[:, self._size] = row
        self._size += 1

    def values(self, index: int) -> NDArray[np.float32]:
        return self._data[index, : self._size]


@dataclass(frozen=True)
class TableColumn:
    """One column of a table; ``values`` is a view of what was appended, valid until the next append."""

    table: Table
    index: int

    @property
    def values(self) -> NDArray[np.float32]:
        return self.table.values(self.index)


def _means(rows: list[list[float]]) -> Floats:
    """The mean of each column without its NaNs; NaN where there is nothing else."""
    table = np.array(rows)
    counts = np.isfinite(table).sum(0)
    return np.where(counts > 0, np.nansum(table, 0) / np.maximum(counts, 1), np.nan)


@dataclass
class History:
    """All that a run has reported so far.

    Episodes: ``episode_returns`` [E] against ``episode_steps`` or ``episode_seconds`` [E]; an episode's number is its
    index + 1. Iterations: ``metrics[name]`` [I] (NaN where null) against ``steps``, ``episodes`` or ``seconds`` [I].
    """

    episode_returns: Column = field(default_factory=lambda: Column(np.float32))
    episode_steps: Column = field(default_factory=lambda: Column(np.uint32))
    episode_seconds: Column = field(default_factory=lambda: Column(np.float32))
    steps: Column = field(default_factory=lambda: Column(np.uint32))
    episodes: Column = field(default_factory=lambda: Column(np.uint32))
    seconds: Column = field(default_factory=lambda: Column(np.float64))
    metrics: Table = field(default_factory=lambda: Table(METRICS))
    changes: list[Change] = field(default_factory=list)
    advantages: Estimated | None = None
    ratios: Reweighted | None = None
    latest: Updated | None = None
    _gathered: list[list[float]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been reported: a short iteration may well end before any episode does."""
        return not len(self.episode_returns) and not len(self.steps)

    def add_episodes(self, collected: Collected) -> None:
        count = len(collected.returns)
        if not count:
            return
        self.episode_returns.extend(collected.returns)
        self.episode_steps.extend(collected.ends)
        self.episode_seconds.extend(np.full(count, collected.seconds))

    def add_iteration(self, updated: Updated) -> None:
        """Add a point to every metric's curve; late in a long run, one that is the mean of several iterations."""
        self.changes.extend(updated.changes)
        self.latest = updated
        values = (updated.metrics.get(name) for name in self.metrics.names)
        self._gathered.append([np.nan if value is None else value for value in values])
        if len(self._gathered) < 2 ** (len(self.steps) // FINE):
            return
        self.steps.append(updated.environment_steps)
        self.episodes.append(updated.episodes)
        self.seconds.append(updated.seconds)
        self.metrics.append(self._gathered[0] if len(self._gathered) == 1 else _means(self._gathered))
        self._gathered.clear()

    def episode_x(self, axis: XAxis) -> NDArray[Any]:
        """The x-coordinate of every episode, [E]."""
        if axis == "episodes":
            return np.arange(1, len(self.episode_returns) + 1, dtype=np.float64)
        return (self.episode_steps if axis == "environment_steps" else self.episode_seconds).values

    def episode_x_at(self, axis: XAxis, indices: NDArray[np.int64]) -> Floats:
        """The x-coordinates of the episodes at ``indices`` alone, however many there are."""
        if axis == "episodes":
            return indices.astype(np.float64) + 1.0
        column = self.episode_steps if axis == "environment_steps" else self.episode_seconds
        chosen: Floats = column.values[indices].astype(np.float64)
        return chosen

    def last_x(self, axis: XAxis) -> float:
        """How far the run has come, 0 before anything was reported."""
        if axis == "episodes":
            return float(len(self.episode_returns))
        episodes = self.episode_steps if axis == "environment_steps" else self.episode_seconds
        iterations = self.iteration_x(axis)
        ends = [column[-1] for column in (episodes.values, iterations) if len(column)]
        return float(max(ends, default=0.0))

    def iteration_x(self, axis: XAxis) -> NDArray[Any]:
        """The x-coordinate of every iteration, [I]."""
        columns = {"environment_steps": self.steps, "episodes": self.episodes, "seconds": self.seconds}
        return columns[axis].values
