"""What passes from the engine's thread to the window, and what else may read a run's events."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Protocol

from engine.reports.events import Collected, EpisodeEnded, Event, Heartbeat, Updated
from engine.reports.update_events import Inspected, LineSearchTry, TrustRegion, UpdateStep

WATCHED = (EpisodeEnded, Inspected, TrustRegion, LineSearchTry, UpdateStep)
"""What an iteration tells only while it is watched; all that it has told belongs together."""
_MOST_WATCHED = 20_000  # events that wait to be looked at


class EventReader(Protocol):
    """Is told every event of every run, in order, on the thread that trains; training waits until it returns.

    One that raises is told no more of that run.
    """

    def put(self, event: Event) -> None: ...


@dataclass
class Mail:
    """What arrived since the last look: ``scalars`` in full, of everything else of a run only the newest of its kind;
    a heartbeat only if nothing else came after it, and what tells of no episode only if no scalars did. ``watched`` are
    in full as well, those of the newest iterations, and each iteration's scalars come after them."""

    watched: list[Event] = field(default_factory=list)
    scalars: list[Collected | Updated] = field(default_factory=list)
    newest: dict[tuple[str, type[Event]], Event] = field(default_factory=dict)

    @property
    def events(self) -> list[Event]:
        return [*self.watched, *self.scalars, *self.newest.values()]

    def watch(self, event: Event) -> None:
        """Take in what a watched iteration tells; a step's change of all parameters and what was observed in the steps
        that it drew are left out, as they may be large."""
        if isinstance(event, UpdateStep):
            drawn = event.drawn
            if drawn is not None:  # a copy of nothing, as a part of an array would hold all of it
                drawn = replace(drawn, observations=drawn.observations[:0].copy())
            event = replace(event, parameter_change=event.parameter_change[:0].copy(), drawn=drawn)
        if len(self.watched) >= _MOST_WATCHED:
            del self.watched[: _MOST_WATCHED // 2]
        self.watched.append(event)


class Mailbox:
    """The window's reader: filled by the engine, which never waits, and emptied by the window when it has time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._mail = Mail()

    def put(self, event: Event) -> None:
        with self._lock:
            newest, kind = self._mail.newest, type(event)
            newest.pop((event.run, Heartbeat), None)
            if isinstance(event, Updated) or (isinstance(event, Collected) and len(event.returns)):
                newest.pop((event.run, Collected), None)  # whose steps would be taken for the run's
                self._mail.scalars.append(event)
            elif isinstance(event, WATCHED):
                self._mail.watch(event)
            else:  # short iterations often end no episode
                newest.pop((event.run, kind), None)  # so that it comes last
                newest[event.run, kind] = event

    def take(self) -> Mail:
        with self._lock:
            mail, self._mail = self._mail, Mail()
        return mail
