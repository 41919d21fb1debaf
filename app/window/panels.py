"""The panels of an open window: made from their records, and brought up to date in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from PySide6.QtCore import QDeadlineTimer, Qt, QTimer, Signal
from PySide6.QtGui import QPaintEvent
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
    from app.models.runs import Run, SeedGroup

SELDOM = 600

_Kind = TypeVar("_Kind", bound=PanelWidget)


@dataclass
class _Made:
    record: Panel
    widget: PanelWidget
    stale: bool  # there is something that it does not show yet
    refreshed: float = 0.0  # when, in seconds of the monotonic clock


class _Awaited(QWidget):
    """Stands in the place of a panel that nobody has looked at yet.

    Signals:
        seen: somebody does.
    """

    seen = Signal()

    def paintEvent(self, event: QPaintEvent) -> None:  # as what is behind another tab is shown, too, beside the window
        super().paintEvent(event)
        QTimer.singleShot(0, self, self.seen.emit)


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
        self._awaited: list[Panel] = []  # which nobody has seen yet
        self._history: History | None = None
        self._choice: tuple[EnvironmentInfo, RunConfig] | None = None
        self._run_name = ""
        self._ghosts: Sequence[Run] = ()
        self._seeds: tuple[SeedGroup | None, str, Callable[[str], object]] | None = None
        self.complete = False  # whether all are there but those that are made when they are seen
        context.inspection.lead(self.titled)

    def make_first(self) -> None:
        """Make those that are there in the first picture of the window."""
        for record in self._records:
            if record.made == "first":
                self._make(record)

    def make_others(self) -> None:
        """Make those that come soon after; each of the rest once it is seen."""
        for record in self._records:
            if record.made == "soon":
                self._make(record)
            elif record.made == "seen":
                awaited = _Awaited()
                awaited.seen.connect(partial(self.titled, record.title))
                self._awaited.append(record)
                self._places.hold(record.title, awaited)
        self.complete = True

    def _make(self, record: Panel) -> PanelWidget:
        widget = record.make(self._context)
        self._made.append(_Made(record, widget, stale=bool(record.events)))
        widget.setAccessibleName(record.title)
        widget.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # which tells who was clicked, wherever that was
        self._places.hold(record.title, widget)
        return widget

    def _make_awaited(self, record: Panel) -> PanelWidget:
        """Make one later than the others, and say to it what was said to them."""
        self._awaited.remove(record)
        widget = self._make(record)
        if self._choice is not None:
            widget.set_choice(*self._choice)
        if self._history is not None:
            self._refresh(self._made[-1], self._history)
        widget.name_run(self._run_name)
        widget.show_ghosts(self._ghosts)
        if self._seeds is not None:
            widget.show_seeds(*self._seeds)
        return widget

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

    def find(self, kind: type[_Kind]) -> _Kind:
        """The first panel of a class, be it made for that."""
        title = kind.__name__.removesuffix("Panel")  # which most have: no other need be made before
        while True:
            found = next((made.widget for made in self._made if isinstance(made.widget, kind)), None)
            if found is not None:
                return found
            self._make_awaited(min(self._awaited, key=lambda record: not record.title.startswith(title)))

    def title_of(self, widget: QWidget) -> str:
        """The title of the panel that ``widget`` is, or is in; empty where it is in none."""
        there = (made.record.title for made in self._made if made.widget is widget or made.widget.isAncestorOf(widget))
        return next(there, "")

    def titled(self, title: str) -> PanelWidget | None:
        """The panel of that title, be it made for that; None where it comes later."""
        awaited = next((record for record in self._awaited if record.title == title), None)
        if awaited is not None:
            return self._make_awaited(awaited)
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
        self._choice = environment, config
        for made in self._made:
            made.widget.set_choice(environment, config)

    def reset(self) -> None:
        self._history = None
        for made in self._made:
            made.widget.reset()

    def name_run(self, name: str) -> None:
        self._run_name = name
        self._places.name_run(name)
        for made in self._made:
            made.widget.name_run(name)

    def show_ghosts(self, ghosts: Sequence[Run]) -> None:
        self._ghosts = ghosts
        for made in self._made:
            made.widget.show_ghosts(ghosts)

    def show_seeds(self, group: SeedGroup | None, shown: str, follow: Callable[[str], object]) -> None:
        self._seeds = group, shown, follow
        for made in self._made:
            made.widget.show_seeds(group, shown, follow)

    def apply_theme(self, theme: Theme) -> None:
        self._context = replace(self._context, theme=theme)
        for made in self._made:
            made.widget.apply_theme(theme)
