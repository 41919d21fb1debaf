"""Playing it oneself, and what was recorded: two pages of one tab."""

from __future__ import annotations

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
from app.models.person import PersonReturns
from app.panels.play.page import GamePage
from app.panels.play.recordings_list import RecordingsList
from app.panels.play.teach_page import TeachPage
from app.panels.record import PanelWidget
from app.session.game import Game
from app.style.text import as_surface
from app.style.theme import Theme
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig


class PlayPanel(PanelWidget):
    """``page`` is where a person plays; another page is there once it has been added."""

    def __init__(
        self,
        theme: Theme,
        experiment: Experiment,
        game: Game,
        person: PersonReturns,
        recordings: RecordingsList | None = None,
        teach: TeachPage | None = None,
    ) -> None:
        super().__init__()
        self.recordings, self.teach = recordings, teach
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
        if recordings is not None:
            self.add_page("Recordings", "What was played and kept, to be looked at and learned from", recordings)
        if teach is not None:
            self.add_page("Teach", "Say what is to be done in states that a learner came to", teach)
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

    # --- from the window ----------------------------------------------------------------------------------------------

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        self.page.set_choice(environment, config)
        if self.teach is not None:
            self.teach.set_choice(environment, config)

    def refresh(self, history: History) -> None:
        self.page.refresh(history)
        if self.teach is not None:
            before = self.teach.teaching.question
            self.teach.refresh(history)
            waits = before is None and self.teach.teaching.question is not None
            if waits and not self.page.game.is_busy:  # else a game is not to be taken away
                self._show_page(self._pages.index(self.teach))

    def reset(self) -> None:
        self.page.reset()
        if self.teach is not None:
            self.teach.reset()

    def end(self) -> None:
        self.page.game.end()
        if self.recordings is not None:
            self.recordings.end()
        if self.teach is not None:
            self.teach.teaching.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        there = self.recordings is None or self.recordings.wait(deadline)
        there &= self.teach is None or self.teach.teaching.wait(deadline)
        return self.page.game.wait(deadline) and there

    def apply_theme(self, theme: Theme) -> None:
        self.page.apply_theme(theme)
        if self.recordings is not None:
            self.recordings.apply_theme(theme)
        if self.teach is not None:
            self.teach.apply_theme(theme)
        # At once, and from within, since the panel may be put elsewhere in this size.
        for widget in (*reversed(self.findChildren(QWidget)), self):
            layout = widget.layout()
            if layout is not None:
                layout.activate()
                widget.updateGeometry()
