"""The panels of an open window: made from their records, and brought up to date in turn."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from PySide6.QtCore import QDeadlineTimer, Qt
from PySide6.QtWidgets import QWidget

from app.models.inspection import Inspection
from app.models.past import Past
from app.panels.record import Panel, PanelContext, PanelWidget
from app.session.optimal_returns import OptimalReturns
from app.style.theme import Theme
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.reports.events import Event

if TYPE_CHECKING:
    from app.models.history import History
    from app.models.runs import Run

SELDOM = 600

_Kind = TypeVar("_Kind", bound=PanelWidget)


@dataclass
class _Made:
    record: Panel
    widget: PanelWidget
    stale: bool  # there is something that it does not show yet
    refreshed: float = 0.0  # when, in seconds of the monotonic clock


class Places(Protocol):
    """Where panels stand."""

    def hold(self, title: str, widget: QWidget) -> None: ...

    def name_run(self, name: str) -> None: ...


class Panels:
    """All that the window says to its panels goes through here.

    Args:
        slack: seconds by which a panel may be refreshed too early, because its turn would else come much too late.
    """

    def __init__(self, records: Sequence[Panel], context: PanelContext, places: Places, slack: float) -> None:
        self._records, self._context, self._places, self._slack = records, context, places, slack
        self._made: list[_Made] = []
        self._history: History | None = None

    def make(self, *, at_once: bool) -> None:
        """Make those that are there at once, or those that come later."""
        for record in self._records:
            if record.at_once is at_once:
                widget = record.make(self._context)
                self._made.append(_Made(record, widget, stale=bool(record.events)))
                widget.setAccessibleName(record.title)
                widget.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # which tells who was clicked, wherever that was
                self._places.hold(record.title, widget)

    def __len__(self) -> int:
        return len(self._records)

    @property
    def past(self) -> Past:
        """Which instant of the run they show."""
        return self._context.past

    @property
    def inspection(self) -> Inspection:
        """By which they ask for the steps behind what they show."""
        return self._context.inspection

    @property
    def optimal(self) -> OptimalReturns | None:
        """What the best policies return."""
        return self._context.optimal

    @property
    def complete(self) -> bool:
        """Whether all have been made."""
        return len(self._made) == len(self._records)

    def find(self, kind: type[_Kind]) -> _Kind:
        """The first panel of a class."""
        return next(made.widget for made in self._made if isinstance(made.widget, kind))

    def title_of(self, widget: QWidget) -> str:
        """The title of the panel that ``widget`` is, or is in; empty where it is in none."""
        there = (made.record.title for made in self._made if made.widget is widget or made.widget.isAncestorOf(widget))
        return next(there, "")

    def titled(self, title: str) -> PanelWidget | None:
        """The panel of that title, once it has been made."""
        return next((made.widget for made in self._made if made.record.title == title), None)

    def refresh_next(self, history: History, news: Collection[type[Event]], *, seldom: bool = False) -> None:
        """Bring one panel up to date, if any can be seen that lacks something and is due.

        One at a time, so that no single moment is long; the one that has waited longest.

        Args:
            news: the kinds of events that ``history`` has taken in since the last call.
            seldom: whether each has to wait for ``SELDOM`` ms, as drawing takes more than it may.
        """
        self._note(history, news)
        now = time.monotonic() + self._slack
        least = SELDOM if seldom else 0
        due = [
            made
            for made in self._made
            if made.stale and 1000 * (now - made.refreshed) >= max(made.record.interval, least)
        ]
        due = [made for made in due if made.widget.watched]
        if due:
            self._refresh(min(due, key=lambda made: made.refreshed), history)

    def refresh(self, history: History) -> None:
        """Bring all up to date."""
        self._history = history
        for made in self._made:
            self._refresh(made, history)

    def _note(self, history: History, news: Collection[type[Event]]) -> None:
        for made in self._made:
            wanted = made.record.events
            if wanted and (history is not self._history or not wanted.isdisjoint(news)):
                made.stale = True
        self._history = history

    def _refresh(self, made: _Made, history: History) -> None:
        made.stale, made.refreshed = False, time.monotonic()
        made.widget.refresh(history)

    def end(self) -> None:
        """Have all work end that they do on other threads."""
        for made in self._made:
            made.widget.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        """Wait until it has; whether it has."""
        return all(made.widget.wait(deadline) for made in self._made)

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        for made in self._made:
            made.widget.set_choice(environment, config)

    def reset(self) -> None:
        for made in self._made:
            made.widget.reset()

    def name_run(self, name: str) -> None:
        self._places.name_run(name)
        for made in self._made:
            made.widget.name_run(name)

    def show_ghosts(self, ghosts: Sequence[Run]) -> None:
        for made in self._made:
            made.widget.show_ghosts(ghosts)

    def apply_theme(self, theme: Theme) -> None:
        self._context = replace(self._context, theme=theme)
        for made in self._made:
            made.widget.apply_theme(theme)
