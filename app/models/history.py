"""What one run has told: every episode and every metric, as numpy arrays the panels read from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from app.models.axis_choice import XAxis
from app.models.columns import Column, Floats, Table
from app.models.watched_update import WatchedUpdate
from engine.reports.events import (
    Asked,
    Change,
    Collected,
    Estimated,
    Event,
    Failed,
    Heartbeat,
    Planned,
    Reweighted,
    Solved,
    Updated,
)
from engine.reports.metrics import METRICS
from engine.runs.records import NotedEvent
from engine.runs.series import Series

FINE = 20_000  # points; after so many, each stands for twice as many iterations, and memory stays flat

_TOTALS = ("iteration", "environment_steps", "episodes", "seconds")


class _Group:
    """The running mean of the iterations that the next point will stand for, column by column and without NaNs."""

    def __init__(self, columns: int) -> None:
        self._sums, self._known = np.zeros(columns), np.zeros(columns)
        self.size = 0

    def add(self, row: Floats) -> None:
        known = np.isfinite(row)
        self._sums += np.where(known, row, 0.0)
        self._known += known
        self.size += 1

    @property
    def means(self) -> Floats:
        """NaN where nothing was known."""
        return np.where(self._known > 0, self._sums / np.maximum(self._known, 1), np.nan)

    def clear(self) -> None:
        self._sums[:] = self._known[:] = 0.0
        self.size = 0


@dataclass
class History:
    """All that a run has reported so far.

    Episodes: ``episode_returns`` [E] against ``episode_steps`` or ``episode_seconds`` [E]; an episode's number is its
    index + 1. Iterations: ``metrics[name]`` [I] (NaN where null) against ``steps``, ``episodes`` or ``seconds`` [I].
    Late in a long run a point is the mean of several iterations; those that do not make one yet are ``provisional``.
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
    planned: Planned | None = None
    watched: WatchedUpdate = field(default_factory=WatchedUpdate)
    latest: Updated | None = None
    solved: Solved | None = None
    incomplete: bool = False  # what was kept of its last batch cannot be read before the learning engine is there
    failure: str = ""  # why it came to an end while the seeds that are trained with it go on
    asked: Asked | None = None  # what the person who teaches is asked, until the round is learned from
    heartbeat: Heartbeat | None = None  # the last one, until anything else is told
    environment_steps: int = 0  # so far, those of the iteration under way included
    _group: _Group = field(default_factory=lambda: _Group(len(METRICS)))

    @classmethod
    def from_series(cls, iterations: Series, episodes: Series, events: Sequence[NotedEvent] = ()) -> Self:
        """What a recorded run has told, as if it had just told it; ``events`` hold its changes, and that it was solved.

        Args:
            iterations, episodes: its streams in the run library, with the columns that are described there.
        """
        history = cls()
        history.read_on(iterations, episodes, events)
        return history

    def read_on(self, iterations: Series, episodes: Series, events: Sequence[NotedEvent] = ()) -> set[type[Event]]:
        """Take in the rows of a recorded run that come after those that are known, and what is new of all its
        ``events``; of what kinds of events it has told meanwhile."""
        news: set[type[Event]] = set()
        if len(episodes):
            self.episode_returns.extend(episodes["return"])
            self.episode_steps.extend(episodes["end"])
            self.episode_seconds.extend(episodes["seconds"])
            news.add(Collected)
        if len(iterations) and self.latest is None:
            self._take_iterations(iterations)
            news.add(Updated)
        elif len(iterations):
            for updated in _told(iterations):
                self.add_iteration(updated)
            news.add(Updated)
        self.environment_steps = self.latest.environment_steps if self.latest is not None else 0
        changes = [event for event in events if event.kind == "change"]
        for event in changes[len(self.changes) :]:
            self.changes.append(Change(event.data["path"], event.data["old"], event.data["new"], *_at(event)))
        solved = next((event for event in events if event.kind == "solved"), None)
        if solved is not None and self.solved is None:
            self.solved = Solved(*_at(solved), solved.data["mean_return"], solved.data["threshold"])
            news.add(Solved)
        return news

    def _take_iterations(self, told: Series) -> None:
        """All at once what ``add_iteration`` takes one after the other."""
        values = np.full((len(told), len(METRICS)), np.nan)
        for index, name in enumerate(METRICS):
            if name in told.columns:
                values[:, index] = told[name]
        last = dict(zip(METRICS, values[-1].tolist(), strict=True))
        done = told.rows[-1, [told.columns.index(name) for name in _TOTALS]].tolist()
        iteration, steps, ended, seconds = done
        self.latest = Updated(int(iteration), int(steps), int(ended), seconds, last)  # which knows what is not finite
        start, size = 0, 1
        while start < len(told):
            count = min(FINE, (len(told) - start) // size)  # of points that stand for so many iterations
            stop = start + count * size
            ends = np.arange(start + size - 1, stop, size)
            self.steps.extend(told["environment_steps"][ends])
            self.episodes.extend(told["episodes"][ends])
            self.seconds.extend(told["seconds"][ends])
            self.metrics.extend(_means(values[start:stop], size))
            if count < FINE:
                for row in values[stop:]:
                    self._group.add(row)
                break
            start, size = stop, 2 * size

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been reported: a short iteration may well end before any episode does."""
        return not len(self.episode_returns) and self.latest is None

    @property
    def iterations(self) -> int:
        """How many there have been."""
        return self.latest.iteration if self.latest else 0

    def add(self, event: Event) -> None:
        """Take in what the run tells."""
        self.watched = self.watched.with_event(event)
        if isinstance(event, Updated):
            self.add_iteration(event)
        elif isinstance(event, Collected):
            self.add_episodes(event)
        elif isinstance(event, Estimated):
            self.advantages = event
        elif isinstance(event, Reweighted):
            self.ratios = event
        elif isinstance(event, Planned):
            self.planned = event
        elif isinstance(event, Solved):
            self.solved = event
        elif isinstance(event, Failed):
            self.failure = event.reason
        elif isinstance(event, Asked) and event.iteration > self.iterations:  # else it has been answered meanwhile
            self.asked = event
        if isinstance(event, Heartbeat | Collected | Updated):
            self.environment_steps = event.environment_steps
        self.heartbeat = event if isinstance(event, Heartbeat) else None

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
        self.latest, self.asked = updated, None
        values = [updated.metrics.get(name) for name in self.metrics.names]
        row: Sequence[float] | Floats = [np.nan if value is None else value for value in values]
        size = 2 ** (len(self.steps) // FINE)
        if size > 1:
            self._group.add(np.array(row))
            if self._group.size < size:
                return
            row = self._group.means
            self._group.clear()
        self.steps.append(updated.environment_steps)
        self.episodes.append(updated.episodes)
        self.seconds.append(updated.seconds)
        self.metrics.append(row)

    def value_at(self, metric: str, environment_steps: int) -> float:
        """A metric as it was reported after so many environment steps; NaN where nothing had been reported yet."""
        index = int(np.searchsorted(self.steps.values, environment_steps))
        column = self.metrics[metric].values
        if (index == 0 and environment_steps == 0) or not len(column):
            return np.nan
        return float(column[min(index, len(column) - 1)])

    def provisional(self, metric: str) -> Floats:
        """The mean of the newest iterations, where they do not make a point yet: [0 or 1]."""
        if not self._group.size:
            return np.empty(0)
        index = self.metrics.names.index(metric)
        return self._group.means[index : index + 1]

    def episode_x_at(self, axis: XAxis, indices: NDArray[np.int64]) -> Floats:
        """The x-coordinates of the episodes at ``indices``, where they ended."""
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
        ended = float(episodes.values[-1]) if len(episodes) else 0.0
        return max(ended, self._newest_x(axis))

    def iteration_x_at(self, axis: XAxis, indices: NDArray[np.int64]) -> Floats:
        """The x-coordinates of the points at ``indices``; index I is the provisional point, at the newest iteration."""
        columns = {"environment_steps": self.steps, "episodes": self.episodes, "seconds": self.seconds}
        complete = columns[axis].values
        x = np.full(len(indices), self._newest_x(axis))
        there = indices < len(complete)
        x[there] = complete[indices[there]]
        return x

    def _newest_x(self, axis: XAxis) -> float:
        return float(getattr(self.latest, axis)) if self.latest else 0.0


def _at(event: NotedEvent) -> tuple[int, int, int, float]:
    return event.iteration, event.environment_steps, event.episodes, event.seconds


def _told(iterations: Series) -> Iterator[Updated]:
    """What was told at the end of each."""
    known = [(name, iterations.columns.index(name)) for name in METRICS if name in iterations.columns]
    totals = [iterations.columns.index(name) for name in _TOTALS]
    for row in iterations.rows:
        iteration, steps, ended, seconds = row[totals].tolist()
        metrics: dict[str, float | None] = dict.fromkeys(METRICS) | {name: float(row[at]) for name, at in known}
        yield Updated(int(iteration), int(steps), int(ended), seconds, metrics)


def _means(rows: Floats, size: int) -> Floats:
    """The mean of every ``size`` of ``rows`` [n, columns], without NaNs: [n / size, columns]."""
    if size == 1:
        return rows
    groups = rows.reshape(-1, size, rows.shape[1])
    known = np.isfinite(groups)
    counts = known.sum(axis=1)
    sums = np.where(known, groups, 0.0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
