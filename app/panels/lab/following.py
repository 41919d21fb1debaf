"""When a page of the Lab computes: at once where a person wants it otherwise, and seldom while a run goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject

from app.panels.lab.work import Computing, LabWork
from app.panels.looks import Looks
from app.panels.record import PanelContext, PanelWidget

EVERY = 250  # ms between two looks at which policy there is
REST = 4.0  # times as long as it took nothing is computed while a run goes on, which it would slow down


@dataclass(frozen=True)
class Asked:
    """What is to be seen: of these ``policies``, by their keys, with these ``settings``."""

    policies: tuple[object, ...]
    settings: object
    computing: Computing


class Following(QObject):
    """Has a page's ``work`` done while it can be seen, which it hears of from the page's own events.

    Args:
        name: by which the playback knows the page.
        look: what is to be seen now; None where there is no policy yet.
        take: what is done with what is found.
    """

    def __init__(
        self,
        page: PanelWidget,
        context: PanelContext,
        work: LabWork,
        look: Callable[[], Asked | None],
        take: Callable[[Any], object],
    ) -> None:
        super().__init__(page)
        self._page, self._playback, self._work, self._look, self._take = page, context.playback, work, look, take
        self._name = f"lab {work.name}"
        self._asked: Asked | None = None
        self._since = self._rests_until = 0.0
        self._looks = Looks(page, EVERY, self.follow)
        context.past.changed.connect(self.request)

    @property
    def active(self) -> bool:
        """Whether it looks for what is to be computed."""
        return self._looks.isActive()

    def request(self) -> None:
        """Look from soon on, and while the page can be seen."""
        self._looks.request()

    def ask_at_once(self) -> None:
        """A person wants something else."""
        self._rests_until = 0.0
        self.follow()

    def forget(self) -> None:
        """Compute it all anew."""
        self._work.cancel()
        self._asked = None
        self.request()

    def end(self) -> None:
        self._looks.stop()
        self._work.end()

    def follow(self) -> None:
        """Compute what is to be seen, while it can be."""
        seen = self._page.watched
        self._playback.set_wanted(seen, self._name)
        if not seen:
            self._looks.stop()
            if self._work.busy:
                self._work.cancel()
                self._asked = None
            return
        asked, before = self._look(), self._asked
        if asked is None:
            return
        if before is not None and asked.settings == before.settings:
            if asked.policies == before.policies:
                return
            if self._playback.goes_on and (self._work.busy or time.monotonic() < self._rests_until):
                return
        self._asked, self._since = asked, time.monotonic()
        self._work.ask(asked.computing, self._found)

    def _found(self, found: Any) -> None:
        now = time.monotonic()
        self._rests_until = now + REST * (now - self._since)
        self._take(found)
