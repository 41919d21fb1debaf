"""Growing histories of a run: every episode and every metric, as numpy arrays the panels read from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.metrics import METRICS
from engine.phases import Change, Collected, Estimated, Updated

XAxis = Literal["environment_steps", "episodes", "seconds"]
Floats = NDArray[np.float64]


class Column:
    """A growing array of numbers; ``values`` is a view of what was appended, valid until the next append.

    A column of whole numbers widens itself when they outgrow its type.
    """

    def __init__(self, dtype: type) -> None:
        self._data = np.empty(1024, dtype)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def values(self) -> NDArray:
        return self._data[: self._size]

    def extend(self, values: NDArray) -> None:
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
    metrics: dict[str, Column] = field(default_factory=lambda: {name: Column(np.float32) for name in METRICS})
    changes: list[Change] = field(default_factory=list)
    advantages: Estimated | None = None
    latest: Updated | None = None

    def add_episodes(self, collected: Collected) -> None:
        count = len(collected.returns)
        self.episode_returns.extend(collected.returns)
        self.episode_steps.extend(collected.ends)
        self.episode_seconds.extend(np.full(count, collected.seconds))

    def add_iteration(self, updated: Updated) -> None:
        self.steps.append(updated.environment_steps)
        self.episodes.append(updated.episodes)
        self.seconds.append(updated.seconds)
        for name, column in self.metrics.items():
            value = updated.metrics.get(name)
            column.append(np.nan if value is None else value)
        self.changes.extend(updated.changes)
        self.latest = updated

    def episode_x(self, axis: XAxis) -> NDArray:
        """The x-coordinate of every episode, [E]."""
        if axis == "episodes":
            return np.arange(1, len(self.episode_returns) + 1, dtype=np.float64)
        return (self.episode_steps if axis == "environment_steps" else self.episode_seconds).values

    def episode_x_at(self, axis: XAxis, indices: NDArray) -> Floats:
        """The x-coordinates of the episodes at ``indices`` alone, however many there are."""
        if axis == "episodes":
            return indices + 1.0
        column = self.episode_steps if axis == "environment_steps" else self.episode_seconds
        return column.values[indices].astype(np.float64)

    def last_x(self, axis: XAxis) -> float:
        """How far the run has come, 0 before anything was reported."""
        if axis == "episodes":
            return float(len(self.episode_returns))
        episodes = self.episode_steps if axis == "environment_steps" else self.episode_seconds
        iterations = self.iteration_x(axis)
        ends = [column[-1] for column in (episodes.values, iterations) if len(column)]
        return float(max(ends, default=0.0))

    def iteration_x(self, axis: XAxis) -> NDArray:
        """The x-coordinate of every iteration, [I]."""
        columns = {"environment_steps": self.steps, "episodes": self.episodes, "seconds": self.seconds}
        return columns[axis].values
