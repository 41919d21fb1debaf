"""The Lab: a row of pages, each an experiment with the policy that is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QDeadlineTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QButtonGroup, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from app.panels.lab.page import LabPage
from app.panels.record import PanelContext, PanelWidget
from app.style.flow import Flow
from app.style.text import as_surface
from app.style.theme import Theme
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig

if TYPE_CHECKING:  # with numpy
    from app.models.history import History
    from app.models.runs import Run


class LabPanel(PanelWidget):
    """Pages are made when they are first turned to while the panel can be seen, and told then what they missed."""

    def __init__(self, context: PanelContext, pages: Sequence[LabPage]) -> None:
        super().__init__()
        as_surface(self)
        self._context, self._pages = context, pages
        self._theme = context.theme
        self._made: dict[int, PanelWidget] = {}
        self._choice: tuple[EnvironmentInfo, RunConfig] | None = None
        self._history: History | None = None
        self._name = ""
        self._buttons = QButtonGroup(self)
        self._stack = QStackedWidget()
        self._places: list[QVBoxLayout] = []
        row = Flow(context.theme.unit // 2)
        row.setContentsMargins(context.theme.unit, context.theme.unit // 2, context.theme.unit, 0)
        for number, page in enumerate(pages):
            button = QToolButton()
            button.setText(page.title)
            button.setToolTip(page.help)
            button.setCheckable(True)
            self._buttons.addButton(button, number)
            row.addWidget(button)
            place = QWidget()
            self._places.append(QVBoxLayout(place))
            self._places[-1].setContentsMargins(0, 0, 0, 0)
            self._stack.addWidget(place)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addWidget(self._stack, 1)
        self._buttons.button(0).setChecked(True)
        self._buttons.idToggled.connect(self._turn)

    @property
    def shown(self) -> int:
        """The number of the page that is turned to."""
        return self._buttons.checkedId()

    def turn_to(self, title: str) -> PanelWidget:
        """Turn to the page of that name."""
        number = next(number for number, page in enumerate(self._pages) if page.title == title)
        self._buttons.button(number).setChecked(True)
        return self._page(number)

    # --- from the window ---

    @property
    def watched(self) -> bool:
        return super().watched or any(page.watched for page in self._made.values())

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        self._choice = environment, config
        for page in self._made.values():
            page.set_choice(environment, config)

    def refresh(self, history: History) -> None:
        self._history = history
        for page in self._made.values():
            page.refresh(history)

    def reset(self) -> None:
        self._history = None
        for page in self._made.values():
            page.reset()

    def name_run(self, name: str) -> None:
        self._name = name
        for page in self._made.values():
            page.name_run(name)

    def show_ghosts(self, ghosts: Sequence[Run]) -> None:
        for page in self._made.values():
            page.show_ghosts(ghosts)

    def end(self) -> None:
        for page in self._made.values():
            page.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return all(page.wait(deadline) for page in self._made.values())

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        for page in self._made.values():
            page.apply_theme(theme)

    # --- pages ---

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._page(self.shown)

    def _turn(self, number: int, on: bool) -> None:
        if on:
            self._stack.setCurrentIndex(number)
            if self.isVisible():
                self._page(number)

    def _page(self, number: int) -> PanelWidget:
        made = self._made.get(number)
        if made is None:
            made = self._made[number] = self._pages[number].make(self._context)
            made.setAccessibleName(self._pages[number].title)
            self._places[number].addWidget(made)
            self._catch_up(made)
        return made

    def _catch_up(self, page: PanelWidget) -> None:
        """Tell it what it missed."""
        if self._theme is not self._context.theme:
            page.apply_theme(self._theme)
        if self._choice is not None:
            page.set_choice(*self._choice)
        page.name_run(self._name)
        if self._history is not None:
            page.refresh(self._history)
