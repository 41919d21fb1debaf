"""The one mailbox between the engine's thread and the window."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from engine.reports.events import Collected, Estimated, Event, Heartbeat, Reweighted, Updated


@dataclass
class Mail:
    """What arrived since the last look: scalars in full, of everything else only the newest."""

    episodes: list[Collected] = field(default_factory=list)
    iterations: list[Updated] = field(default_factory=list)
    advantages: Estimated | None = None
    ratios: Reweighted | None = None
    environment_steps: int | None = None


class Mailbox:
    """Filled by the engine, which never waits, and emptied by the window when it has time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._mail = Mail()

    def put(self, event: Event) -> None:
        with self._lock:
            mail = self._mail
            if isinstance(event, Estimated):
                mail.advantages = event
                return
            if isinstance(event, Reweighted):
                mail.ratios = event
                return
            if isinstance(event, Heartbeat | Collected | Updated):
                mail.environment_steps = event.environment_steps
            if isinstance(event, Collected):
                if len(event.returns):  # short iterations often end no episode
                    mail.episodes.append(event)
            elif isinstance(event, Updated):
                mail.iterations.append(event)

    def take(self) -> Mail:
        with self._lock:
            mail, self._mail = self._mail, Mail()
        return mail
