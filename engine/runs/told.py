"""What a run has told and is yet to be written, and how far it has come by that."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.reports.events import Change, Collected, Event, Failed, Solved, Updated
from engine.reports.metrics import METRICS
from engine.runs.library import EPISODES, ITERATIONS, Library
from engine.runs.records import NotedEvent, RunRecord

if TYPE_CHECKING:
    from numpy.typing import NDArray

ITERATION_COLUMNS = ("iteration", "environment_steps", "episodes", "seconds", *METRICS)
EPISODE_COLUMNS = ("iteration", "return", "length", "end", "seconds")
WRITTEN = frozenset({Updated, Collected, Solved, Failed})  # the events of which something is written
POINTS = 48  # that the little curve of a run has at most


class Sparkline:
    """The course of a number in few points: where there would be too many, each comes to stand for twice as much."""

    def __init__(self, points: list[float], iteration: int) -> None:
        self.points = points
        self._stride = 1
        while points and iteration > self._stride * POINTS:
            self._stride *= 2
        self._next = iteration + self._stride if points else 0

    def add(self, iteration: int, value: float) -> None:
        if iteration < self._next:
            return
        self.points.append(value)
        if len(self.points) > POINTS:
            del self.points[::2]
            self._stride *= 2
        self._next = iteration + self._stride


class Told:
    """Filled on the thread that trains by ``add``, and emptied by ``write`` on the one that writes; what could not be
    written is kept for the next time."""

    def __init__(self, record: RunRecord) -> None:
        self.id = record.id
        self.reached = record.reached
        self._best = record.reached.best
        self._latest: Updated | None = None  # the last of those that ``reached`` does not know of yet
        self.failure = ""  # why the run came to an end while those that are trained with it go on
        self._changes = dict(record.changes)
        self._sparkline = Sparkline(list(record.sparkline), record.reached.iteration)
        self._heard: deque[Event] = deque()
        self._iterations: list[NDArray[np.float64]] = []
        self._episodes: list[NDArray[np.float64]] = []
        self._noted: list[NotedEvent] = []

    def add(self, event: Event) -> None:
        self._heard.append(event)

    def note(self, kind: str, **data: Any) -> None:
        """Something of note that happens now; on the thread that writes, or before that begins."""
        self._noted.append(self._now(kind, data))

    def has_news(self) -> bool:
        """Whether there is anything to write."""
        self._sort()
        return bool(self._iterations or self._episodes or self._noted)

    def write(self, library: Library) -> None:
        """Write all that was told, within the library's transaction.

        Raises:
            RunError: it cannot be written; what ``written`` has not been said of stays to be written.
        """
        for stream, columns, rows in (
            (ITERATIONS, ITERATION_COLUMNS, self._iterations),
            (EPISODES, EPISODE_COLUMNS, self._episodes),
        ):
            if rows:
                library.append(self.id, stream, columns, np.concatenate(rows))
        for event in self._noted:
            library.note(self.id, event)
        if any(event.kind == "change" for event in self._noted):
            library.update(self.id, changes=json.dumps(self._changes, ensure_ascii=False))
        library.reach(self.id, self.reached, self._sparkline.points)

    def written(self) -> None:
        """All that ``write`` has written is safe."""
        self._iterations, self._episodes, self._noted = [], [], []

    def _sort(self) -> None:
        """Take in what was heard, in its order."""
        iterations: list[list[float | None]] = []
        episodes: list[Collected] = []
        for _ in range(len(self._heard)):
            event = self._heard.popleft()
            if isinstance(event, Updated):
                iterations.append(self._updated(event))
            elif isinstance(event, Collected):
                if len(event.returns):
                    episodes.append(event)
            elif isinstance(event, Solved):
                self._reach()
                self.reached = replace(self.reached, solved=(event.environment_steps, event.seconds))
                self.note("solved", mean_return=event.mean_return, threshold=event.threshold)
            elif isinstance(event, Failed):
                self._reach()
                self.failure = event.reason
                self.note("failed", reason=event.reason)
        self._reach()
        if episodes:
            self._episodes.append(_episodes(episodes))
        if iterations:
            self._iterations.append(np.array(iterations, np.float64))  # where None becomes NaN

    def _updated(self, event: Updated) -> list[float | None]:
        """The row of an iteration."""
        self._latest = event
        mean = event.metrics.get("mean_return")
        if mean is not None:
            self._best = mean if self._best is None else max(mean, self._best)
            self._sparkline.add(event.iteration, mean)
        for change in event.changes:
            self._noted.append(_changed(change))
            self._changes[change.path] = change.new
        if event.note:
            self._reach()
            self.note("note", sentence=event.note)
        at = (event.iteration, event.environment_steps, event.episodes, event.seconds)
        return [*at, *map(event.metrics.get, METRICS)]

    def _reach(self) -> None:
        """Know how far the run has come by what was taken in."""
        latest, self._latest = self._latest, None
        if latest is not None:
            self.reached = replace(
                self.reached,
                iteration=latest.iteration,
                environment_steps=latest.environment_steps,
                episodes=latest.episodes,
                seconds=latest.seconds,
                mean_return=latest.metrics.get("mean_return"),
                best=self._best,
            )

    def _now(self, kind: str, data: dict[str, Any]) -> NotedEvent:
        at = self.reached
        return NotedEvent(kind, at.iteration, at.environment_steps, at.episodes, at.seconds, data)


def _episodes(events: Sequence[Collected]) -> NDArray[np.float64]:
    """The rows of all episodes that ``events`` tell of."""
    counts = [len(event.returns) for event in events]
    rows = np.empty((sum(counts), len(EPISODE_COLUMNS)))
    rows[:, 0] = np.repeat([event.iteration for event in events], counts)
    rows[:, 1] = np.concatenate([event.returns for event in events])
    rows[:, 2] = np.concatenate([event.lengths for event in events])
    rows[:, 3] = np.concatenate([event.ends for event in events])
    rows[:, 4] = np.repeat([event.seconds for event in events], counts)
    return rows


def _changed(change: Change) -> NotedEvent:
    data = asdict(change)
    at = (data.pop("iteration"), data.pop("environment_steps"), data.pop("episodes"), data.pop("seconds"))
    return NotedEvent("change", *at, data=data)
