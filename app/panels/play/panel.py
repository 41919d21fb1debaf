"""Playing it oneself, what was recorded, what is made of it, and teaching: the pages of one tab."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QDeadlineTimer, Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.models.experiment import Experiment
from app.models.history import History
from app.models.inspection import Start
from app.models.person import PersonReturns
from app.panels.play.datasets_page import DatasetsPage
from app.panels.play.page import GamePage
from app.panels.play.recordings_list import RecordingsList
from app.panels.play.teach_page import TeachPage
from app.panels.record import PanelWidget
from app.session.game import Game
from app.style.text import as_surface
from app.style.theme import Theme
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig

ELSEWHERE = (
    "That state is of another environment than the one that is chosen now; choose the run's, and you can play from "
    "there."
)


class OtherPages(NamedTuple):
    """Those behind the one on which a person plays."""

    recordings: RecordingsList
    datasets: DatasetsPage
    teach: TeachPage


class PlayPanel(PanelWidget):
    """``page`` is where a person plays; another page is there once it has been added."""

    def __init__(
        self,
        theme: Theme,
        experiment: Experiment,
        game: Game,
        person: PersonReturns,
        pages: OtherPages,
    ) -> None:
        super().__init__()
        self.recordings, self.datasets, self.teach = pages
        as_surface(self)
        self.page = GamePage(theme, experiment, game, person)
        self.pages = QStackedWidget()
        self._pages: list[QWidget] = []
        self._buttons = QButtonGroup(self)
        self._segments = QFrame()
        self._segments.setProperty("role", "segments")
        self._row = QHBoxLayout(self._segments)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._row.addStretch(1)
        unit = theme.unit
        column = QVBoxLayout(self)
        column.setContentsMargins(unit, unit, unit, unit)
        column.setSpacing(unit)
        column.addWidget(self._segments)
        column.addWidget(self.pages, 1)
        self.add_page("Play", "Act in the environment yourself", self.page)
        self.add_page("Recordings", "What was played and kept, to be looked at and put together", pages.recordings)
        self.add_page("Datasets", "Recordings put together, to be learned from", pages.datasets)
        self.add_page("Teach", "Say what is to be done in states that a learner came to", pages.teach)
        self._show_page(0)
        self._buttons.idClicked.connect(self._show_page)

    def add_page(self, title: str, tip: str, page: QWidget) -> QToolButton:
        """Add a page behind the others; the button that shows it."""
        button = QToolButton()
        button.setText(title)
        button.setToolTip(tip)
        button.setCheckable(True)
        button.setChecked(self.pages.count() == 0)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setProperty("role", "segment")
        self._buttons.addButton(button, self.pages.count())
        self._row.insertWidget(self._row.count() - 1, button)
        self._pages.append(page)
        self.pages.addWidget(page)
        self._segments.setVisible(self.pages.count() > 1)
        return button

    def _show_page(self, index: int) -> None:
        """A page that is not shown takes no room."""
        for place, page in enumerate(self._pages):
            policy = page.sizePolicy()
            here, nowhere = QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored
            policy.setVerticalPolicy(here if place == index else nowhere)
            page.setSizePolicy(policy)
        self._buttons.button(index).setChecked(True)
        self.pages.setCurrentIndex(index)

    def play_from(self, start: Start) -> None:
        """Have a person play on from a state; of the environment that is chosen, whose keys there are."""
        self._show_page(0)
        if self.page.game.environment == start.environment:
            self.page.play_from(start.beginning)
        else:
            self.page.game.told.emit(ELSEWHERE)

    # --- from the window ----------------------------------------------------------------------------------------------

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        self.page.set_choice(environment, config)
        self.teach.set_choice(environment, config)

    def refresh(self, history: History) -> None:
        self.page.refresh(history)
        before = self.teach.teaching.question
        self.teach.refresh(history)
        waits = before is None and self.teach.teaching.question is not None
        if waits and not self.page.game.is_busy:  # else a game is not to be taken away
            self._show_page(self._pages.index(self.teach))

    def reset(self) -> None:
        self.page.reset()
        self.teach.reset()

    def end(self) -> None:
        self.page.game.end()
        self.recordings.end()
        self.teach.teaching.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        waited = [each.wait(deadline) for each in (self.recordings, self.teach.teaching, self.page.game)]
        return all(waited)

    def apply_theme(self, theme: Theme) -> None:
        for page in (self.page, self.recordings, self.datasets, self.teach):
            page.apply_theme(theme)
        # At once, and from within, since the panel may be put elsewhere in this size.
        for widget in (*reversed(self.findChildren(QWidget)), self):
            layout = widget.layout()
            if layout is not None:
                layout.activate()
                widget.updateGeometry()
