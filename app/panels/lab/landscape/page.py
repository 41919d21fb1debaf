"""Landscape: the expected return over the two parameters of a policy, all of it, and races across it."""

from __future__ import annotations

from PySide6.QtCore import QDeadlineTimer
from PySide6.QtGui import QHideEvent, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.panels.lab.landscape.race_view import RaceView
from app.panels.record import PanelContext, PanelWidget
from app.session.file_work import FileWork
from app.style.text import Stage
from app.style.theme import Theme

_LOADING = "What computes the map is being loaded; it appears here once that is there."


class LandscapePage(PanelWidget):
    """Works only while it can be seen, from when the learning engine is loaded, for which the window does not wait."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        self._theme = context.theme
        self.race: RaceView | None = None
        self._content = QVBoxLayout()
        self._content.setContentsMargins(0, 0, 0, 0)
        inner = QWidget()
        inner.setLayout(self._content)
        self._stage = Stage(_LOADING, inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stage)
        self._loading = FileWork(self, "landscape", "The landscape could not be made")
        self._loading.failed.connect(self._stage.set_hint)
        self._loading.ask(_load, self._make)

    def _make(self, _loaded: None) -> None:
        self.race = RaceView(self._theme)
        self._content.addWidget(self.race)
        self._stage.fill(True)
        self.race.go_on()

    @property
    def watched(self) -> bool:
        return self.race is not None and self.race.watched

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        if self.race is not None:
            self.race.apply_theme(theme)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._go_on()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self._go_on()  # it may have been behind another tab, of which nothing else tells

    def _go_on(self) -> None:
        if self.race is not None:
            self.race.go_on()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self.race is not None:
            self.race.rest()

    def end(self) -> None:
        self._loading.end()
        if self.race is not None:
            self.race.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self._loading.wait(deadline) and (self.race is None or self.race.wait(deadline))


def _load() -> None:
    """All that is needed, and used once: the first derivative of all loads more."""
    import engine.analysis.landscape.race
    from engine.analysis.landscape.place import place_at
    from engine.analysis.landscape.worlds import WORLDS

    assert engine.analysis.landscape.race.RACERS
    world = next(iter(WORLDS.values()))
    place_at(world, world.start, 0.01)
