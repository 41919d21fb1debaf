"""How far a run is, how fast it goes, and what it has been at for long."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.session.stops import Pace, Slow
from engine.reports.events import Activity, Event, Heartbeat, Updated
from engine.runtime.waiting import LONG

if TYPE_CHECKING:  # with numpy, which the window's first picture does not wait for
    from app.models.history import History

_SPEED_OVER = 2.0  # seconds of training that the shown speed averages over
_PACED_OVER = 10  # iterations that it averages over where they come at a pace
_LASTING = 1.0  # seconds after which a person is told what is being done
_WORDS: dict[Activity, str] = {
    "resetting": "resetting the environments",
    "collecting": "collecting",
    "estimating": "estimating",
    "fitting the value function": "fitting the value function",
    "updating the policy": "updating",
}


@dataclass(frozen=True)
class Progress:
    """How far a run is; what is not known yet is None. Seconds are those that a person waits, at the present pace."""

    steps: int
    budget: int
    steps_per_second: float | None
    seconds_left: float | None


class Advance:
    """What the latest events of a run tell of its speed, and of what it is at."""

    def __init__(self) -> None:
        self._latest: deque[Updated] = deque(maxlen=_PACED_OVER + 1)
        self._doing: Activity | None = None
        self._since = 0.0

    def add(self, event: Event) -> None:
        """Take in what the run tells."""
        if isinstance(event, Updated):
            self._latest.append(event)
        doing = event.doing if isinstance(event, Heartbeat) else None
        if doing != self._doing:
            self._doing, self._since = doing, time.monotonic()

    def activity(self, history: History) -> str:
        """What has been done for so long that a person would wonder: "updating, epoch 3 of 10"; empty otherwise."""
        heartbeat = history.heartbeat
        if heartbeat is None or heartbeat.doing != self._doing or time.monotonic() - self._since < _LASTING:
            return ""
        words = _WORDS[heartbeat.doing]
        return f"{words}, {heartbeat.detail}" if heartbeat.detail else words

    def progress(self, history: History, budget: int, pace: float | None) -> Progress:
        """How far the run is, where no more than ``pace`` iterations begin in a second; None is full speed."""
        done = history.environment_steps
        speed = speed_of(history)
        if pace is not None and speed is not None:
            speed = min(speed, self._paced(history, pace))
        if speed is None:
            return Progress(done, budget, None, None)
        return Progress(done, budget, speed, max(budget - done, 0) / max(speed, 1e-9))

    def _paced(self, history: History, pace: float) -> float:
        """Steps per second where every iteration is as long as the latest ones were."""
        if len(self._latest) > 1:
            first, last = self._latest[0], self._latest[-1]
            return pace * (last.environment_steps - first.environment_steps) / (last.iteration - first.iteration)
        assert history.latest is not None  # where a speed is known
        return pace * history.latest.environment_steps / history.latest.iteration


def speed_of(history: History) -> float | None:
    """Steps per second of training that a run came to lately; None before anything is known."""
    steps, seconds = history.steps.values, history.seconds.values
    if len(steps) == 0:
        return None
    since = int(seconds.searchsorted(seconds[-1] - _SPEED_OVER))
    from_steps, from_seconds = (steps[since - 1], seconds[since - 1]) if since > 0 else (0.0, 0.0)
    return float((steps[-1] - from_steps) / max(seconds[-1] - from_seconds, 1e-9))


class Silence:
    """Since when nothing has been heard of a run, and whether a person has been told so."""

    def __init__(self) -> None:
        self.since = 0.0
        self.told = False

    def end(self) -> None:
        """The run has been heard, or something has been asked of it."""
        self.since, self.told = time.monotonic(), False

    def is_long(self, pace: Pace) -> bool:
        """Whether it has lasted for longer than a run at this pace may linger between two signs of life."""
        rate = pace.stops_per_second if isinstance(pace, Slow) else pace
        return time.monotonic() - self.since > LONG + (1 / rate if rate else 0.0)
