"""The docks: one per panel, how they are laid out at first, and how that is remembered."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

from app.style.text import as_surface

LAYOUT_VERSION = 2  # raised when docks change, so that an old remembered layout is not forced on new ones
_ACROSS, _DOWN = Qt.Orientation.Horizontal, Qt.Orientation.Vertical


class Docks:
    """The docks of a window, by the titles of their panels."""

    def __init__(self, window: QMainWindow, panels: dict[str, QWidget]) -> None:
        self._window = window
        self._docks: dict[str, QDockWidget] = {}
        for number, (title, panel) in enumerate(panels.items(), start=1):
            dock = QDockWidget(title, window)
            dock.setObjectName(title.lower())
            dock.setWidget(panel)
            as_surface(panel)
            dock.toggleViewAction().setShortcut(f"Alt+{number}")
            self._docks[title] = dock
        window.setDockNestingEnabled(True)

    def __getitem__(self, title: str) -> QDockWidget:
        return self._docks[title]

    @property
    def toggles(self) -> list[QAction]:
        """What shows and hides each of them."""
        return [dock.toggleViewAction() for dock in self._docks.values()]

    def replace(self, title: str, panel: QWidget) -> None:
        """Put ``panel`` where another was."""
        self._docks[title].widget().deleteLater()
        self._docks[title].setWidget(panel)

    def arrange(self) -> None:
        """The layout a person first sees."""
        docks, window = self._docks, self._window
        for dock in docks.values():
            dock.setFloating(False)
            window.removeDockWidget(dock)
        # All in one area, which shares out a window's growth in proportion; two would give it all to one of them.
        window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, docks["Experiment"])
        window.splitDockWidget(docks["Experiment"], docks["Log"], _DOWN)
        window.splitDockWidget(docks["Experiment"], docks["Returns"], _ACROSS)
        window.splitDockWidget(docks["Returns"], docks["Episode"], _ACROSS)
        window.splitDockWidget(docks["Returns"], docks["Advantages"], _DOWN)
        window.splitDockWidget(docks["Advantages"], docks["Diagnostics"], _ACROSS)
        for dock in docks.values():
            dock.show()
        self.proportion()

    def proportion(self) -> None:
        """Give every panel its share of the window as it is now."""
        docks, resize = self._docks, self._window.resizeDocks
        width, height = self._window.width(), self._window.height()
        side, panel, log = min(max(320, round(0.25 * width)), 384), max(320, round(0.25 * width)), 84
        middle = width - side - panel
        resize([docks["Experiment"], docks["Log"]], [height - log, log], _DOWN)
        resize([docks["Experiment"], docks["Returns"], docks["Episode"]], [side, middle, panel], _ACROSS)
        resize([docks["Returns"], docks["Advantages"]], [height // 2, height // 2], _DOWN)
        resize([docks["Advantages"], docks["Diagnostics"]], [middle // 2, middle // 2], _ACROSS)

    def state(self) -> QByteArray:
        return self._window.saveState(LAYOUT_VERSION)

    def restore(self, state: object) -> bool:
        """Lay out as remembered; False where nothing useful is."""
        return isinstance(state, QByteArray) and self._window.restoreState(state, LAYOUT_VERSION)
