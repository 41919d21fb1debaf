"""The docks: one per panel, how they are laid out at first, and how that is remembered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabWidget, QWidget

from app.panels.record import Panel, Region
from app.style.text import as_surface
from app.window.dock import Dock
from app.window.forms import COLUMNS, HALVES, Form

LAYOUT_VERSION = 3  # raised when regions change, so that an old remembered layout is not forced on new ones
WIDE = 1600  # pixels from which the tabs beneath start side by side
_ACROSS, _DOWN = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
_SHORTCUTS = 9
Widths = tuple[int, Mapping[str, int]]


def shortcut(number: int) -> str:
    """The keys that show or hide the panel with this number; the first nine have some."""
    return f"Alt+{number}" if number <= _SHORTCUTS else ""


def first_in(region: Region, panels: Sequence[Panel]) -> tuple[int, Panel]:
    """The first panel of a region, with its number."""
    return next((number, panel) for number, panel in enumerate(panels, start=1) if panel.region == region)


class Docks:
    """The docks of a window, by the titles of their panels; every region has at least one."""

    def __init__(self, window: QMainWindow, panels: Sequence[Panel]) -> None:
        self._window = window
        self._docks: dict[str, Dock] = {}
        self._regions: dict[Region, list[Dock]] = {}
        self._naming: list[Dock] = []  # those whose panels show a run's data
        for number, panel in enumerate(panels, start=1):
            if panel.region == "foot":
                continue
            dock = Dock(panel.title, window)
            dock.setWhatsThis(panel.help)
            toggle = dock.toggleViewAction()
            toggle.setToolTip(panel.help)
            toggle.setShortcut(shortcut(number))
            self._docks[panel.title] = dock
            self._regions.setdefault(panel.region, []).append(dock)
            if panel.names_run:
                self._naming.append(dock)
            self.hold(panel.title, QWidget())
        window.setDockNestingEnabled(True)
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)

    def __getitem__(self, title: str) -> Dock:
        return self._docks[title]

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

    def bring_forward(self, title: str) -> None:
        """Let one be seen, where it is behind another or closed."""
        if title in self._docks:
            self._docks[title].show()
            self._docks[title].raise_()

    def take(self, title: str) -> QWidget:
        """Take the widget out of a dock, which stays in its place and is empty."""
        dock = self._docks[title]
        widget, empty = dock.widget(), QWidget()
        as_surface(empty)
        dock.setWidget(empty)
        widget.setParent(None)
        return widget

    def name_run(self, name: str) -> None:
        """Say in the titles of those that show a run's data which run that is."""
        for dock in self._naming:
            dock.name_run(name)

    def arrange(self, form: Form, *, keep: bool = False) -> None:
        """Lay out in a form.

        Args:
            keep: leave hidden what is hidden and floating what floats, instead of the layout a person first sees.
        """
        window = self._window
        docks = [dock for dock in self._docks.values() if not (keep and dock.isFloating())]
        hidden = [dock for dock in docks if keep and dock.isHidden()]
        looked_at = [dock for dock in docks if keep and not dock.visibleRegion().isEmpty()]
        for dock in docks:
            dock.setFloating(False)
            window.removeDockWidget(dock)
        regions = self._grouped(form, docks)
        placed: list[Region] = []
        # All in one area, which shares out a window's growth in proportion; two would give it all to one of them.
        for there, new, orientation in ((None, form.first, None), *form.splits):
            if new not in regions:
                continue
            if there is None or orientation is None or not placed:
                window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, regions[new][0])
            else:
                beside = there if there in placed else placed[-1]
                window.splitDockWidget(regions[beside][0], regions[new][0], orientation)
            placed.append(new)
        in_front = [group[0] for group in regions.values()]
        halves: list[Dock] = []  # that stand side by side
        for region, (first, *others) in regions.items():
            if region == "lower" and form is COLUMNS and others and window.width() >= WIDE:
                window.splitDockWidget(first, others[0], _ACROSS)
                halves = [first, others[0]]
                first, *others = others
                in_front.append(first)
            for other in others:
                window.tabifyDockWidget(first, other)
        for group in regions.values():
            for dock in group:
                dock.setVisible(dock not in hidden)
        for group in regions.values():  # what a person has turned to stays in front
            in_front += [dock for dock in group if dock in looked_at][:1]
        for dock in in_front:
            dock.raise_()
        self._proportion(regions, form)
        window.resizeDocks(halves, [window.width() // 3] * len(halves), _ACROSS)  # whatever is in them

    def _grouped(self, form: Form, docks: Collection[Dock]) -> dict[Region, list[Dock]]:
        """Those of ``docks`` that have a place in a form, by the regions that it has."""
        groups: dict[Region, list[Dock]] = {}
        for region, members in self._regions.items():
            wanted = [dock for dock in members if dock in docks]
            if wanted and not (form.drawer and region == "left"):
                groups.setdefault(form.tabs.get(region, region), []).extend(wanted)
        return groups

    def _proportion(self, regions: Mapping[Region, Sequence[Dock]], form: Form) -> None:
        """Give every region its share of the window."""
        width, height = self._window.width(), self._window.height()
        side, panel = min(max(320, round(0.25 * width)), 384), max(320, round(0.25 * width))
        across: dict[Region, int] = {"left": side, "centre": width, "right": panel}
        if form is HALVES:
            across = {"centre": width // 2, "lower": width // 2}
        else:
            across["centre"] -= sum(across[region] for region in regions if region in ("left", "right"))
            half = [docks[0] for region, docks in regions.items() if region in ("centre", "lower")]
            self._window.resizeDocks(half, [height // 2] * len(half), _DOWN)
        found = [region for region in across if region in regions]
        self._window.resizeDocks([regions[r][0] for r in found], [across[r] for r in found], _ACROSS)

    @property
    def widths(self) -> Widths:
        """The width of the window, and those of the docks in it that can be seen."""
        shown = {title: dock for title, dock in self._docks.items() if not (dock.isHidden() or dock.isFloating())}
        inside = self._window.rect()  # which docks behind other tabs are not
        return self._window.width(), {
            title: dock.width() for title, dock in shown.items() if inside.contains(dock.geometry())
        }

    def share(self, widths: Widths) -> None:
        """Share out the width as it was shared out when the docks had these."""
        then, found = widths
        by = self._window.width() / max(then, 1)
        docks = [self._docks[title] for title in found]
        self._window.resizeDocks(docks, [round(width * by) for width in found.values()], _ACROSS)

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
        return restored

    def _join(self, dock: QDockWidget, region: Sequence[QDockWidget]) -> None:
        """Make ``dock`` a tab behind one of ``region``, wherever a person has moved that, and rather one that is shown;
        put it at the right of all else where every one of them floats."""
        docked = [other for other in region if not other.isFloating()]
        host = min(docked, key=lambda other: other.isHidden(), default=None)
        if host is None:
            self._window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        else:
            self._window.tabifyDockWidget(host, dock)
        dock.show()
        if host is not None:
            host.raise_()
