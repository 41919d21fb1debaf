"""What a run has told and is yet to be written, and how far it has come by that."""

from __future__ import annotations

import json
import math
from collections import deque
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
        iterations = []
        for _ in range(len(self._heard)):
            event = self._heard.popleft()
            if isinstance(event, Updated):
                iterations.append(self._updated(event))
            elif isinstance(event, Collected):
                if len(event.returns):
                    self._episodes.append(_episodes(event))
            elif isinstance(event, Solved):
                self.reached = replace(self.reached, solved=(event.environment_steps, event.seconds))
                self.note("solved", mean_return=event.mean_return, threshold=event.threshold)
            elif isinstance(event, Failed):
                self.failure = event.reason
                self.note("failed", reason=event.reason)
        if iterations:
            self._iterations.append(np.array(iterations))

    def _updated(self, event: Updated) -> list[float]:
        """The row of an iteration."""
        mean = event.metrics.get("mean_return")
        best = self.reached.best
        self.reached = replace(
            self.reached,
            iteration=event.iteration,
            environment_steps=event.environment_steps,
            episodes=event.episodes,
            seconds=event.seconds,
            mean_return=mean,
            best=mean if best is None or (mean is not None and mean > best) else best,
        )
        if mean is not None:
            self._sparkline.add(event.iteration, mean)
        for change in event.changes:
            self._noted.append(_changed(change))
            self._changes[change.path] = change.new
        if event.note:
            self.note("note", sentence=event.note)
        values = (event.metrics.get(name) for name in METRICS)
        numbers = (math.nan if value is None else value for value in values)
        return [event.iteration, event.environment_steps, event.episodes, event.seconds, *numbers]

    def _now(self, kind: str, data: dict[str, Any]) -> NotedEvent:
        at = self.reached
        return NotedEvent(kind, at.iteration, at.environment_steps, at.episodes, at.seconds, data)


def _episodes(event: Collected) -> NDArray[np.float64]:
    count = len(event.returns)
    columns = (np.full(count, event.iteration), event.returns, event.lengths, event.ends, np.full(count, event.seconds))
    return np.column_stack([np.asarray(column, np.float64) for column in columns])


def _changed(change: Change) -> NotedEvent:
    data = asdict(change)
    at = (data.pop("iteration"), data.pop("environment_steps"), data.pop("episodes"), data.pop("seconds"))
    return NotedEvent("change", *at, data=data)
