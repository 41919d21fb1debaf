"""What stands beneath the menus: the toolbar, a row about the run, the chosen mode, the log while it is open, and the
shelf."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from app.models.remembered import flag, whole_number
from app.panels.record import Panel
from app.style.theme import Theme
from app.window.docks import first_in, shortcut
from app.window.notice import Notice
from app.window.train_page import TrainPage

if TYPE_CHECKING:  # with numpy, which the window's first picture does not wait for
    from app.compare.page import ComparePage
    from app.experiments.page import ExperimentsPage

SETTINGS = "Settings"  # the title of what the Experiment mode has to present
COMPARED = ("Comparison", "Race", "Profile", "Survival")  # the titles of what the Compare mode has to present
_LOG_HEIGHT = 132  # pixels that the log has at first
_LIST_HEIGHT = 212  # and the list of runs
_SHARE = 0.45  # of the height, which neither takes more of when it opens


class Frame(QWidget):
    """The middle of the window. The log has no dock: it opens above the shelf, and what it tells is not told twice."""

    def __init__(self, toolbar: QWidget, panels: Sequence[Panel], settings: QSettings) -> None:
        super().__init__()
        self._settings = settings
        self._restored = False
        self.comparison: ComparePage | None = None
        self.experiments: ExperimentsPage | None = None
        self.theme: Theme | None = None
        self._pages: list[ComparePage | ExperimentsPage] = []
        self.train = TrainPage(panels)
        self.modes = QStackedWidget()
        self.modes.addWidget(self.train)
        self._log = QWidget()
        self._log_place = QVBoxLayout(self._log)
        self._log_place.setContentsMargins(0, 0, 0, 0)
        self._log.hide()
        self._list: QWidget | None = None
        number, log = first_in("foot", panels)
        self._log_title = log.title
        self.log_action = self._make_log_action(number, log)
        self.shelf = Shelf(self.log_action)
        self._split = QSplitter(Qt.Orientation.Vertical)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self.modes)
        self._split.addWidget(self._log)
        self._split.setStretchFactor(0, 1)
        self._split.setStretchFactor(1, 0)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addWidget(toolbar)
        self._layout.addWidget(self._split, 1)
        self._layout.addWidget(self.shelf)
        self._log_height = whole_number(settings, "log_height", _LOG_HEIGHT)
        self._split.splitterMoved.connect(self._note_height)
        self.log_action.toggled.connect(self._open_log)

    def _make_log_action(self, number: int, log: Panel) -> QAction:
        action = QAction(log.title, self)
        action.setCheckable(True)
        action.setShortcut(shortcut(number))
        action.setToolTip(log.help)
        return action

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if not self._restored:  # only now is it known how high the log may be
            self._restored = True
            self.log_action.setChecked(flag(self._settings, "log_open"))

    def add_run_row(self, row: QWidget) -> None:
        """Put ``row`` between the toolbar and the modes."""
        self._layout.insertWidget(1, row)

    def add_list(self, action: QAction, make: Callable[[], QWidget]) -> None:
        """Have ``action`` open above the shelf what ``make`` makes when it is first wanted, in place of the log."""

        def open_list(opened: bool) -> None:
            if opened and self._list is None:
                self._list = make()
                self._list.hide()  # until it is known how high it is: what is above is laid out once
                self._split.addWidget(self._list)
            if opened:
                self.log_action.setChecked(False)
                self._give(_LIST_HEIGHT)
            if self._list is not None:
                self._list.setVisible(opened)

        action.toggled.connect(open_list)
        self.log_action.toggled.connect(lambda opened: action.setChecked(action.isChecked() and not opened))

    def _give(self, height: int) -> None:
        """Give what is open beneath the modes so many pixels, or as many as it may take."""
        height = min(height, round(_SHARE * self._split.height()))
        self._split.setSizes([max(self._split.height() - height, 1), *([height] * (self._split.count() - 1))])

    def add_experiments(self, page: ExperimentsPage) -> None:
        """Take in the page of the Experiment mode."""
        self.experiments = page
        self.add_page(page)

    def add_comparison(self, page: ComparePage) -> None:
        """Take in the page of the Compare mode."""
        self.comparison = page
        self.add_page(page)

    def add_page(self, page: ComparePage | ExperimentsPage) -> None:
        """Take in the page of a mode."""
        self._pages.append(page)
        self.modes.addWidget(page)

    @property
    def compares(self) -> bool:
        """Whether the Compare mode is chosen."""
        return self.comparison is not None and self.modes.currentWidget() is self.comparison

    @property
    def presented(self) -> str:
        """What is to be presented of the mode that is chosen, by its title; empty where that is the Train mode."""
        if self.experiments is not None and self.modes.currentWidget() is self.experiments:
            return SETTINGS
        if self.comparison is None or not self.compares:
            return ""
        return self.comparison.presented

    @property
    def compared(self) -> str:
        """What the mode that is chosen compares, in a few words."""
        if self.presented == SETTINGS and self.experiments is not None:
            return self.experiments.words
        return self.comparison.compared.words if self.comparison is not None else ""

    def hold(self, title: str, widget: QWidget) -> None:
        """Put a panel's widget into its place."""
        if title == SETTINGS and self.experiments is not None:
            self.experiments.results.hold(widget)
            return
        if title in COMPARED and self.comparison is not None:
            self.comparison.hold(title, widget)
            return
        if title != self._log_title:
            self.train.hold(title, widget)
            return
        self._log_place.addWidget(widget)

    def take(self, title: str) -> QWidget:
        """Take a panel's widget out of its place, into which ``hold`` puts it back."""
        if title == SETTINGS and self.experiments is not None:
            return self.experiments.results.take()
        if title in COMPARED and self.comparison is not None:
            return self.comparison.take(title)
        if title != self._log_title:
            return self.train.take(title)
        item = self._log_place.takeAt(0)
        widget = item.widget() if item else None
        assert widget is not None
        widget.setParent(None)
        return widget

    def name_run(self, name: str) -> None:
        self.train.docks.name_run(name)

    def apply_theme(self, theme: Theme) -> None:
        self.theme = theme
        for page in self._pages:
            page.apply_theme(theme)
        self.train.apply_theme(theme)
        self.shelf.apply_theme(theme)

    @property
    def toggles(self) -> list[QAction]:
        """What shows and hides each panel, in the order of their numbers."""
        return sorted([*self.train.toggles, self.log_action], key=lambda action: action.shortcut().toString())

    def _open_log(self, opened: bool) -> None:
        self._log.setVisible(opened)
        self.shelf.show_log(opened)
        self._settings.setValue("log_open", opened)
        if opened:
            self._give(self._log_height)

    def _note_height(self) -> None:
        if not self.log_action.isChecked():
            return
        self._log_height = self._split.sizes()[1]
        self._settings.setValue("log_height", self._log_height)


class Shelf(QWidget):
    """One row at the foot: what is added at its left, the runs, the newest sentence, and what opens the log."""

    def __init__(self, log: QAction) -> None:
        super().__init__()
        self.notice = Notice()
        self._added = QHBoxLayout()
        self._added.setContentsMargins(0, 0, 0, 0)
        self._room = QWidget()  # keeps the button at the right while the sentence is not shown
        self._log = log
        self._button = QToolButton()
        self._button.setProperty("role", "line")
        self._button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._button.setToolTip(log.toolTip())
        self._button.setCheckable(True)
        self._button.clicked.connect(log.trigger)
        self._layout = QHBoxLayout(self)
        self._layout.addLayout(self._added, 5)
        self._layout.addWidget(self.notice, 3)
        self._layout.addWidget(self._room, 3)
        self._layout.addWidget(self._button)
        self.show_log(False)

    def add(self, widget: QWidget, stretch: int = 0) -> None:
        """Put ``widget`` at the left, after what is there already."""
        self._added.addWidget(widget, stretch)

    def show_log(self, opened: bool) -> None:
        """Say whether the log is open, in which the newest sentence then stands."""
        self.notice.setVisible(not opened)
        self._room.setVisible(opened)
        self._button.setText(f"{'▾' if opened else '▸'} {self._log.text()}")
        self._button.setChecked(opened)

    def apply_theme(self, theme: Theme) -> None:
        half = theme.unit // 2
        self._layout.setContentsMargins(theme.unit, half // 2, theme.unit, half // 2)
        self._added.setSpacing(theme.unit)
