"""The docks: one per panel, how they are laid out at first, and how that is remembered."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

from app.panels.record import Panel, Region
from app.style.text import as_surface

LAYOUT_VERSION = 2  # raised when regions change, so that an old remembered layout is not forced on new ones
_ACROSS, _DOWN = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
# In this order, each region takes its place from one that is there already.
_SPLITS: tuple[tuple[Region, Region, Qt.Orientation], ...] = (
    ("left", "foot", _DOWN),
    ("left", "centre", _ACROSS),
    ("centre", "right", _ACROSS),
    ("centre", "lower left", _DOWN),
    ("lower left", "lower right", _ACROSS),
)
_SHORTCUTS = 9


class Docks:
    """The docks of a window, by the titles of their panels; every region has at least one."""

    def __init__(self, window: QMainWindow, panels: Sequence[Panel]) -> None:
        self._window = window
        self._docks: dict[str, QDockWidget] = {}
        self._regions: dict[Region, list[QDockWidget]] = {}
        for number, panel in enumerate(panels, start=1):
            dock = QDockWidget(panel.title, window)
            dock.setObjectName(panel.title.lower())
            dock.setWhatsThis(panel.help)
            toggle = dock.toggleViewAction()
            toggle.setToolTip(panel.help)
            if number <= _SHORTCUTS:
                toggle.setShortcut(f"Alt+{number}")
            self._docks[panel.title] = dock
            self._regions.setdefault(panel.region, []).append(dock)
            self.hold(panel.title, QWidget())
        window.setDockNestingEnabled(True)

    def __getitem__(self, title: str) -> QDockWidget:
        return self._docks[title]

    def __len__(self) -> int:
        return len(self._docks)

    @property
    def titles(self) -> list[str]:
        return list(self._docks)

    @property
    def toggles(self) -> list[QAction]:
        """What shows and hides each of them."""
        return [dock.toggleViewAction() for dock in self._docks.values()]

    def hold(self, title: str, widget: QWidget) -> None:
        """Put ``widget`` into a dock, in place of what is in it."""
        dock, before = self._docks[title], self._docks[title].widget()
        if before is not None:
            before.deleteLater()
        as_surface(widget)
        dock.setWidget(widget)

    def arrange(self) -> None:
        """The layout a person first sees."""
        window = self._window
        for dock in self._docks.values():
            dock.setFloating(False)
            window.removeDockWidget(dock)
        # All in one area, which shares out a window's growth in proportion; two would give it all to one of them.
        window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, self._first("left"))
        for there, new, orientation in _SPLITS:
            window.splitDockWidget(self._first(there), self._first(new), orientation)
        for first, *others in self._regions.values():
            for other in others:
                window.tabifyDockWidget(first, other)
        for dock in self._docks.values():
            dock.show()
        for docks in self._regions.values():
            docks[0].raise_()
        self.proportion()

    def proportion(self) -> None:
        """Give every panel its share of the window as it is now."""
        first, resize = self._first, self._window.resizeDocks
        width, height = self._window.width(), self._window.height()
        side, panel, log = min(max(320, round(0.25 * width)), 384), max(320, round(0.25 * width)), 84
        middle = width - side - panel
        resize([first("left"), first("foot")], [height - log, log], _DOWN)
        resize([first("left"), first("centre"), first("right")], [side, middle, panel], _ACROSS)
        resize([first("centre"), first("lower left")], [height // 2, height // 2], _DOWN)
        resize([first("lower left"), first("lower right")], [middle // 2, middle // 2], _ACROSS)

    def _first(self, region: Region) -> QDockWidget:
        return self._regions[region][0]

    def state(self) -> QByteArray:
        return self._window.saveState(LAYOUT_VERSION)

    def restore(self, state: object, titles: Collection[str]) -> bool:
        """Lay out as remembered; False where nothing useful is.

        Args:
            titles: of the panels that ``state`` knows. Others become tabs of their regions.
        """
        if not isinstance(state, QByteArray):
            return False
        new = {title: dock for title, dock in self._docks.items() if title not in titles}
        for dock in new.values():
            self._window.removeDockWidget(dock)
        restored = self._window.restoreState(state, LAYOUT_VERSION)
        if restored:
            for docks in self._regions.values():
                known = [dock for dock in docks if dock.windowTitle() in titles]
                for dock in docks:
                    if dock not in known:
                        self._join(dock, known)
        else:
            self.arrange()
        return restored

    def _join(self, dock: QDockWidget, region: Sequence[QDockWidget]) -> None:
        """Make ``dock`` a tab behind one of ``region``, wherever a person has moved that; put it at the right of all
        else where every one of them floats."""
        host = next((other for other in region if not other.isFloating()), None)
        if host is None:
            self._window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        else:
            self._window.tabifyDockWidget(host, dock)
        dock.show()
        if host is not None:
            host.raise_()
