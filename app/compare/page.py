"""The page of the Compare mode: the runs, their curves on one plot, and beneath them what else sets them apart."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QTabWidget, QWidget

from app.compare.compared import Compared
from app.compare.difference import Difference
from app.compare.equations import Equations
from app.compare.overlay import Overlay
from app.compare.race.view import RaceView
from app.compare.run_picker import RunPicker, default_ticks
from app.compare.share_curves import ProfilePage, SurvivalPage
from app.compare.table import ComparisonTable
from app.compare.verdict import VerdictPage
from app.models.runs import MIME
from app.session.run_library import RunLibrary
from app.session.side_by_side import Known, known_in_the_catalogue
from app.style.theme import Theme

_LEFT, _SHARE, _WIDEST = 264, 0.18, 348  # pixels of the runs at first, at least, and of a wide window, up to so many
COMPARISON = "Comparison"  # the title of the curves
_LOWER = 0.4  # the share of the height that what is beneath has
_LOWEST = 120  # pixels of it at least


class ComparePage(QWidget):
    """Signals:
    duplicate_asked: the RunRecord of a run that is to be had again with one thing changed.
    """

    duplicate_asked = Signal(object)

    def __init__(self, theme: Theme, library: RunLibrary, known: Known = known_in_the_catalogue) -> None:
        super().__init__()
        self._library = library
        self.compared = Compared(library, self)
        self.picker = RunPicker(theme, library)
        self.overlay = Overlay(theme, self.compared)
        self.table = ComparisonTable(theme, self.compared)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.verdict = VerdictPage(theme, self.compared)
        self.profile, self.survival = ProfilePage(theme, self.compared), SurvivalPage(theme, self.compared)
        self.race = RaceView(theme, self.compared, known)
        self.equations = Equations(theme, self.compared)
        self.difference = Difference(theme, self.compared)
        presentable = {COMPARISON: self.overlay, "Race": self.race, "Profile": self.profile, "Survival": self.survival}
        self._places = {title: _Place(widget) for title, widget in presentable.items()}
        shown = {
            "Table": self.table,
            "Race": self._places["Race"],
            "Verdict": self.verdict,
            "Profile": self._places["Profile"],
            "Survival": self._places["Survival"],
            "Equations": self.equations,
            "Difference": self.difference,
        }
        for title, widget in shown.items():
            self.tabs.addTab(widget, title)
        self.tabs.setMinimumHeight(theme.px(_LOWEST))  # whatever its pages would like: the curves stand above all
        self._right = QSplitter(Qt.Orientation.Vertical)
        self._right.addWidget(self._places[COMPARISON])
        self._right.addWidget(self.tabs)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.addWidget(self.picker)
        self._split.addWidget(self._right)
        for split in (self._right, self._split):
            split.setChildrenCollapsible(False)
        self._split.setStretchFactor(0, 0)
        self._split.setStretchFactor(1, 1)
        self._shared_out = self._taken = False
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._split)
        self.setAcceptDrops(True)
        self.picker.duplicate_asked.connect(self.duplicate_asked)
        self.compared.follow(lambda: self.picker.rows.show_looks(self.compared.looks))
        self.overlay.axis_changed.connect(self.table.show_axis)
        self.equations.beside_changed.connect(self.table.emphasise)
        self.race.filled.connect(self._fill)
        self.equations.refresh()

    def minimumSizeHint(self) -> QSize:
        return QSize(320, 200)

    def tick_some(self, on_screen: str) -> None:
        """Tick the run that is ``on_screen`` and the one before it, where too few are ticked to compare."""
        self._library.show_only(default_ticks(self._library.records(), self._library.shown, on_screen))

    def show_equations(self) -> None:
        """Show in which terms two runs differ."""
        self.tabs.setCurrentWidget(self.equations)

    # --- one of its widgets elsewhere, as in front of a room ----------------------------------------------------------

    @property
    def presented(self) -> str:
        """What is to be seen in front of a room first: what is open beneath the curves, where it can be, or else
        these."""
        open_below = self.tabs.tabText(self.tabs.currentIndex())
        return open_below if open_below in self._places else COMPARISON

    def take(self, title: str) -> QWidget:
        """Take what has that title out of its place, into which ``hold`` puts it back."""
        self._taken = True
        widget = self._places[title].give()
        self.overlay.set_alone(title == COMPARISON)
        self.race.set_alone(title == "Race")
        return widget

    def hold(self, title: str, widget: QWidget) -> None:
        self._places[title].hold(widget)
        self._taken = False
        self.overlay.set_alone(False)
        self.race.set_alone(False)

    def _fill(self, filled: bool) -> None:
        """Give the race all the room, or only its share."""
        for widget in (self.picker, self._places[COMPARISON], self.tabs.tabBar()):
            widget.setVisible(not filled)

    # --- what Qt calls ------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._shared_out:
            self._shared_out = True
            left = max(_LEFT, min(round(_SHARE * self.width()), _WIDEST))
            self._split.setSizes([left, max(self.width() - left, 1)])
            lower = round(_LOWER * self.height())
            self._right.setSizes([max(self.height() - lower, 1), lower])
        self.compared.set_watched(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.compared.set_watched(self._taken)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(MIME):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        ids = bytes(event.mimeData().data(MIME).data()).decode().split()
        self._library.draw(ids, True)
        event.acceptProposedAction()

    def apply_theme(self, theme: Theme) -> None:
        self.picker.apply_theme(theme)
        self.overlay.apply_theme(theme)
        self.table.apply_theme(theme)
        self.verdict.apply_theme(theme)
        self.profile.apply_theme(theme)
        self.survival.apply_theme(theme)
        self.race.apply_theme(theme)
        self.equations.apply_theme(theme)
        self.difference.apply_theme(theme)


class _Place(QWidget):
    """Where a widget is that may be shown elsewhere."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addWidget(widget)

    def give(self) -> QWidget:
        item = self._layout.takeAt(0)
        widget = item.widget() if item else None
        assert widget is not None
        widget.setParent(None)
        return widget

    def hold(self, widget: QWidget) -> None:
        self._layout.addWidget(widget)
        widget.show()
