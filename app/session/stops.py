"""Where within its iterations a run is to wait or to linger, and which of them are watched for it."""

from __future__ import annotations

import math
import time
from typing import NamedTuple

from engine.catalogue.methods.stops import Stop, Until
from engine.reports.events import Collected, EpisodeEnded, Event, Solved, Updated
from engine.reports.update_events import Inspected, LineSearchTry, UpdateStep


class Slow(NamedTuple):
    """A pace below one iteration per second: so many stops in a second."""

    stops_per_second: float


Pace = float | Slow | None
"""Iterations per second, or stops; None is full speed."""

_SHARE = 0.03  # of the time that watching may take where nobody asked for it but a panel is seen
_SELDOM = 0.25  # seconds between two iterations that are watched for that, at least
_AT_LEAST_EVERY = 20.0  # seconds, be it dear: whoever looks is not to see what is long over
_BRIEF: dict[Stop, float] = {"episode": 0.15}  # of a stop's time, where many come one after the other
_OF_MANY = 0.25  # of a stop's time, for each gradient step of an update that has several epochs
_BATCH: tuple[Stop, ...] = ("collect", "credit", "baseline", "weight")


class Stops:
    """What is asked of the run that trains, as its thread knows it; ``pace`` and ``looked_at`` may be set by any."""

    def __init__(self) -> None:
        self.pace: Pace = None
        self.looked_at = False  # whether a panel that shows updates can be seen
        self.until: Until | None = None  # where the run is to wait; None where it goes on
        self.due_from = 0.0  # since when whatever comes next at this pace is waited for
        self._asked_in = 0  # the iteration that was under way then, or the last one
        self._told_of_episodes = False  # whether this iteration has told of each as it ended
        self._began, self._usual, self._watch_from = 0.0, 0.0, 0.0  # seconds
        self._share = 1.0  # of a stop's time, for the gradient steps of this update

    def ask(self, until: Until | None, iteration: int) -> None:
        """Go on to there, or without a stop; ``iteration`` is the one under way, or the last one."""
        self.until, self._asked_in = until, iteration
        self.due_from = self._began = time.monotonic()

    def begin(self, iteration: int) -> bool:
        """A run begins, or goes on, after so many iterations; whether the next one is to be watched."""
        self.ask(self.until, iteration)
        return self.watches()

    @property
    def is_slow(self) -> bool:
        return isinstance(self.pace, Slow)

    def of(self, event: Event) -> tuple[Stop, ...]:
        """The stops that stand at an event: what has been collected can be shown in several ways."""
        kind = type(event)
        if kind is EpisodeEnded:
            self._told_of_episodes = True
            return ("episode",)
        if kind is Inspected:
            return _BATCH
        if isinstance(event, UpdateStep):
            self._share = _OF_MANY if event.epochs > 1 else 1.0
            return ("step",)
        if isinstance(event, LineSearchTry):
            self._share = 1.0
            return () if event.accepted else ("step",)  # of which the step itself tells right after
        if isinstance(event, Collected):
            told, self._told_of_episodes = self._told_of_episodes, False
            return () if told or not len(event.returns) else ("episode",)
        return ("iteration",) if kind is Updated or kind is Solved else ()

    def is_wanted(self, stop: Stop, iteration: int) -> bool:
        """Whether the run is to wait here: as asked, or since a whole iteration has gone by without such a stop."""
        if self.until is None:
            return False
        if stop == "iteration" and iteration > self._asked_in:
            return True
        return self.until == stop or (self.until == "next" and stop != "episode")

    def lingers(self, stop: Stop) -> bool:
        """Whether the present pace holds the run here, unless it comes late anyway."""
        return self.is_slow or (self.pace is not None and stop == "iteration")

    def early(self, stop: Stop) -> float:
        """Seconds for which the run is to linger here at the present pace."""
        pace = self.pace
        if isinstance(pace, Slow):
            share = self._share if stop == "step" else _BRIEF.get(stop, 1.0)
            return self.due_from + share / pace.stops_per_second - time.monotonic()
        if pace is None or stop != "iteration":
            return 0.0
        return self.due_from + 1 / pace - time.monotonic()

    def lingered(self, since: float) -> None:
        """The run was held here since then, which is no work of its iteration."""
        self.due_from = time.monotonic()
        self._began += self.due_from - since

    def over(self, watched: bool) -> None:
        """An iteration has come to its end."""
        now = time.monotonic()
        took = max(now - self._began, 0.0)
        if not watched:
            if self._usual == 0.0:  # and what watching costs was not known until now
                self._watch_from = now + _SELDOM
            self._usual = took if self._usual == 0.0 else 0.9 * self._usual + 0.1 * took
        elif self._usual > 0.0:
            cost = max(took - self._usual, 0.0)
            self._watch_from = now + min(max(_SELDOM, cost / _SHARE), _AT_LEAST_EVERY)
        else:
            self._watch_from = math.inf

    def watches(self) -> bool:
        """Whether the iteration that begins now is to be watched."""
        self._began = now = time.monotonic()
        if self.is_slow or self.until not in (None, "iteration"):
            return True
        return self.looked_at and (self.until is not None or now >= self._watch_from)
