"""The surface: what every state is worth and what the policy does in it, in the cells of the environment."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QDeadlineTimer, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLabel, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from app.models.past import Past
from app.panels.looks import Looks
from app.panels.record import PanelWidget
from app.panels.surface.beside import SHARES, Beside
from app.panels.surface.cell_words import Shows, heading_of
from app.panels.surface.cells import Cells
from app.panels.surface.slice_page import SlicePage
from app.session.file_work import FileWork
from app.session.playback_thread import PlaybackThread
from app.session.run_library import RunLibrary
from app.style.combo import Combo
from app.style.text import Stage, as_surface
from app.style.theme import Theme
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig

if TYPE_CHECKING:  # with numpy, and torch
    from app.models.history import History
    from app.models.runs import Run
    from engine.analysis.playback import PolicySnapshot
    from engine.analysis.state_grids import StateGrid
    from engine.analysis.surfaces import Surface
    from engine.reports.events import Planned

EVERY = 250  # ms between two surfaces of cells
EVERY_SLICE = 70  # and between two slices, as the policy changes or the agent goes on
_EMPTY = "What each state is worth, and what the policy does in it, will appear here once training starts."
_HOW = "Click a cell to play from there."
_FOLLOW = "as in the episode"
_LINES = 3  # that the heading has, whatever it says, so that nothing beneath moves
_SHOWS: dict[Shows, str] = {
    "values": "V of each state",
    "critic": "V as the critic has learned it",
    "best": "V* of the best policy",
    "actions": "Q of each action",
}


class SurfacePanel(PanelWidget):
    """Computes on a thread of its own, seldom, and only while it can be seen."""

    def __init__(self, theme: Theme, playback: PlaybackThread, past: Past, library: RunLibrary | None = None) -> None:
        super().__init__()
        as_surface(self)
        self._playback, self._past, self._library = playback, past, library
        self._config: RunConfig | None = None
        self._ghosts: Sequence[Run] = ()
        self._grid: StateGrid | None = None
        self._history: History | None = None
        self._environment: EnvironmentInfo | None = None
        self._shown: tuple[PolicySnapshot, Planned | None] | None = None
        self._surface: Surface | None = None
        self._asked = False
        self._work = FileWork(self, "surface", "The surface could not be computed")
        self._work.failed.connect(self._fail)
        self._looks = Looks(self, EVERY, self._follow, lambda: self._grid is not None or self._sliced)
        self.cells, self.beside = Cells(theme), Beside(theme)
        self.cells.setSizePolicy(*SHARES)
        self.slice = SlicePage(theme, playback)
        self._sliced = False  # whether states are points of a continuous space, and not cells
        self.heading, self.cell_label = QLabel(), QLabel()
        for label in (self.heading, self.cell_label):
            label.setWordWrap(True)
            label.setProperty("role", "muted")
            label.setProperty("small", True)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            label.setMinimumHeight(_LINES * label.fontMetrics().lineSpacing())
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.shows = Combo()
        self.shows.setAccessibleName("What the colours are of")
        self.shows.activated.connect(self._show_as)
        self._wanted: Shows = "values"
        self.pages: list[Combo] = []
        self._choices = QWidget()
        self._choosing = QVBoxLayout(self._choices)
        self._choosing.setContentsMargins(0, 0, 0, 0)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(theme.unit, theme.unit, theme.unit, theme.unit)
        column.setSpacing(theme.unit)
        for widget in (self.heading, self.shows, self._choices, self.beside.choice):
            column.addWidget(widget)
        self._cells = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._cells.setSpacing(theme.unit)
        self._cells.addWidget(self.cells, 1)
        self._cells.addWidget(self.beside, 1)
        column.addLayout(self._cells, 1)
        column.addWidget(self.cell_label)
        self._contents = QStackedWidget()
        self._contents.addWidget(content)
        self._contents.addWidget(self.slice)
        self._stage = Stage(_EMPTY, self._contents)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._stage)
        self.cells.told.connect(self._say_of_cell)
        self.cells.pointed.connect(self.beside.cells.point_at)
        self.beside.cells.pointed.connect(self.cells.point_at)
        self.beside.changed.connect(self._scale)
        self.cells.chosen.connect(self._play_from)
        self.slice.filled.connect(lambda: self._stage.fill(True))
        self.slice.failed.connect(self._fail)
        playback.frame_ready.connect(self._show_agent)
        past.changed.connect(self._look_again)

    # --- from the window ---

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        from engine.analysis.coordinates import coordinates_of  # with numpy
        from engine.analysis.state_grids import state_grid

        grid = state_grid(config.environment)
        self._config = config
        coordinates = coordinates_of(config, environment) if grid is None else ""
        if not isinstance(coordinates, str):
            self.slice.set_choice(coordinates, environment)
        if (environment, grid) == (self._environment, self._grid):
            self._offer_beside()
            return
        self._environment, self._grid = environment, grid
        self._sliced = not isinstance(coordinates, str)
        self._stage.set_hint(coordinates if isinstance(coordinates, str) and coordinates else _EMPTY)
        self._shown = None
        self._stage.fill(False)
        self._contents.setCurrentIndex(int(self._sliced))
        self._looks.setInterval(EVERY_SLICE if self._sliced else EVERY)
        if self._grid is not None:
            for cells in (self.cells, self.beside.cells):
                cells.show_grid(self._grid, environment.action)
            self._offer_pages(self._grid)
        self._offer_beside()
        self.cell_label.setText(_HOW if grid is not None and not grid.arms else "")
        self._follow()
        self._looks.request()

    def _offer_pages(self, grid: StateGrid) -> None:
        for combo in self.pages:
            combo.deleteLater()
        self.pages = []
        for name, options in grid.choices:
            combo = Combo()
            combo.setAccessibleName(name)
            combo.setToolTip(name)
            combo.addItems([f"{name}: {option}" for option in (_FOLLOW, *options)])
            combo.currentIndexChanged.connect(self._turn_page)
            self._choosing.addWidget(combo)
            self.pages.append(combo)
        self._choices.setVisible(bool(self.pages))

    def refresh(self, history: History) -> None:
        self._history = history
        if self._sliced:
            self.slice.show_batch(history.watched.batch if self._past.shown is None else None)
        self._looks.request()

    def show_ghosts(self, ghosts: Sequence[Run]) -> None:
        self._ghosts = ghosts
        self._offer_beside()

    def _offer_beside(self) -> None:
        """Offer what is of the same process as the run that is shown, or is chosen where there is none."""
        config = self._shown[0].config if self._shown is not None else self._config
        folder = self._library.folder if self._library is not None else None
        self.beside.offer(self._ghosts, config if self._grid is not None else None, folder)

    def reset(self) -> None:
        self._history, self._shown = None, None
        self.slice.forget()
        self._stage.fill(False)

    def apply_theme(self, theme: Theme) -> None:
        self.cells.apply_theme(theme)
        self.beside.apply_theme(theme)
        self.slice.apply_theme(theme)

    def end(self) -> None:
        self._looks.stop()
        self._work.end()
        self.beside.end()
        self.slice.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self._work.wait(deadline) and self.beside.wait(deadline) and self.slice.wait(deadline)

    # --- what is shown ---

    def _look_again(self) -> None:
        """Another instant is shown: at once where slices are, so that they move with the timeline."""
        if self._sliced and self.watched:
            self.slice.follow()
        self._looks.request()

    def _follow(self) -> None:
        """Have an episode played, whose states are lit, and show what is known by now."""
        seen = self.watched and (self._grid is not None or self._sliced)
        self._playback.set_wanted(seen, "surface", often=self._sliced)
        if not seen:
            self._looks.stop()
            self.slice.played.cancel()
        elif self._sliced:
            self.slice.follow()
        else:
            self._compute()

    def _compute(self) -> None:
        policy = self._playback.policy
        if policy is None or policy.environment != self._environment or self._asked:
            return
        planned = self._plan()
        if self._shown is not None and self._shown[0] is policy and self._shown[1] is planned:
            return
        self._shown, self._asked = (policy, planned), True
        self._work.ask(partial(_surface, policy, planned), self._take)

    def _plan(self) -> Planned | None:
        """What was told last of a plan; looking back, what is known of it is kept with the policy."""
        if self._history is None:
            return None
        return self._history.planned if self._past.shown is None else None

    def _take(self, surface: Surface | None) -> None:
        self._asked = False
        if surface is not None and self._shown is not None:
            self._surface = surface
            self._offer_shows(surface)
            self._tell()
            self.cells.show_surface(surface)
            self._offer_beside()
            self._scale()
            self._show_agent()
            self._stage.fill(True)
        self._looks.request()

    def _offer_shows(self, surface: Surface) -> None:
        """Offer what there is to be shown; what a person has chosen comes back once there is such a thing."""
        there: list[Shows] = ["values"]
        if surface.critic is not None:
            there.append("critic")
        if surface.best is not None:
            there.append("best")
        if surface.source != "unknown":
            there.append("actions")
        if there != [self.shows.itemData(index) for index in range(self.shows.count())]:
            self.shows.clear()
            for each in there:
                self.shows.addItem(_SHOWS[each], each)
        shown = self._wanted if self._wanted in there else "values"
        self.shows.setCurrentIndex(there.index(shown))
        self.shows.setVisible(len(there) > 1 and not (self._grid is not None and self._grid.arms))
        self.cells.show_as(shown)

    def _tell(self) -> None:
        """What is shown, above it."""
        if self._surface is None or self._shown is None:
            return
        shown: Shows = self.shows.currentData() or "values"
        told = heading_of(self._surface, self._shown[0].config, self.cells.letters, shown)
        self.heading.setText(told.replace("arrows", "bars") if self._grid and self._grid.arms else told)

    def _show_as(self) -> None:
        self._wanted = self.shows.currentData()
        self.cells.show_as(self._wanted)
        self._scale()
        self._tell()

    def _scale(self) -> None:
        """Show the same of both runs, in the same colours."""
        beside = self.beside.cells if self.beside.run is not None else None
        if beside is not None:
            beside.show_as(self.shows.currentData() or "values")
        self.cells.scale_with(beside)

    def _say_of_cell(self, sentence: str) -> None:
        """What is known of a cell, and what the run that is beside says of it."""
        other = self.beside.words(*self.cells.pointed_at) if self.cells.pointed_at is not None else ""
        self.cell_label.setText(f"{sentence} · {other}" if other else sentence)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        across = self.width() > 1.2 * self.height()
        directions = QBoxLayout.Direction
        self._cells.setDirection(directions.LeftToRight if across else directions.TopToBottom)

    def _fail(self, sentence: str) -> None:
        self._asked = False
        self._stage.set_hint(sentence)
        self._stage.fill(False)

    def _show_agent(self) -> None:
        """Light the agent's cell, and turn to its page where nobody has chosen another."""
        if self._sliced and self.watched:
            self.slice.show_episode()
        elif self.watched and self._grid is not None:
            state = self._playback.state
            self.cells.show_agent(() if state is None else self._grid.looking_like(state))
            self._turn_page()

    def _play_from(self, state: int) -> None:
        """Have an episode of the policy that is watched begin in this state."""
        policy = self._playback.policy
        if policy is None or policy.environment != self._environment:
            return
        import numpy as np

        from engine.analysis.beginnings import InState  # with torch, which is loaded by now
        from engine.environments.making.set_state import why_not_set

        problem = why_not_set(policy.config.environment)
        if problem:
            self.cell_label.setText(problem)
        else:
            self._playback.play_from(policy, InState(np.array(state)))

    def _turn_page(self) -> None:
        grid = self._grid
        if grid is None or not self.pages:
            return
        state = self._playback.state
        place = grid.place(state) if state is not None else None
        here, page, rest = place[0] if place is not None else 0, 0, len(grid.pages)
        for combo, (_, options) in zip(self.pages, grid.choices, strict=True):
            rest //= len(options)
            index = combo.currentIndex() - 1
            page = page * len(options) + (here // rest % len(options) if index < 0 else index)
        for cells in (self.cells, self.beside.cells):
            cells.show_page(page)


def _surface(policy: PolicySnapshot, planned: Planned | None) -> Surface | None:
    from engine.analysis.surfaces import surface_of  # with torch, which is loaded by now, since there is a policy

    return surface_of(policy, planned)
