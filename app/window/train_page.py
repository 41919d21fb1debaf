"""The page of the Train mode: a window within the window, whose docks hold the panels."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from app.panels.record import Panel
from app.style.theme import Theme
from app.window.docks import Docks


class TrainPage(QWidget):
    """Panels are laid out once its size is known, as they were when the window was last closed."""

    def __init__(self, panels: Sequence[Panel]) -> None:
        super().__init__()
        self.inner = QMainWindow()
        self.inner.setParent(self)  # which makes it a widget like any other
        self.docks = Docks(self.inner, panels)
        self._remembered: tuple[object, Collection[str]] = None, ()
        self._laid_out = False

    def remember(self, state: object, titles: Collection[str]) -> None:
        """Lay out as ``state`` says, as soon as there is room; ``titles`` are those of the panels that it knows."""
        self._remembered = state, titles

    @property
    def to_remember(self) -> tuple[object, Collection[str]]:
        """The layout, and the titles of the panels that it knows."""
        return (self.docks.state(), self.docks.titles) if self._laid_out else self._remembered

    def arrange(self) -> None:
        """The layout a person first sees."""
        self.docks.arrange()

    def minimumSizeHint(self) -> QSize:
        return QSize(320, 200)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.inner.setGeometry(self.rect())
        if not self._laid_out:
            self._laid_out = True
            if not self.docks.restore(*self._remembered):
                self.docks.arrange()

    def apply_theme(self, theme: Theme) -> None:
        pass
