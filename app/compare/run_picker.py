"""The list in which runs are ticked that are to be compared: a tree of forks, the newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QHideEvent, QPainter, QPixmap, QShowEvent
from PySide6.QtWidgets import (
    QListView,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.models.run_names import environment_title, full_name
from app.models.run_style import RunStyle, style_of
from app.models.run_tree import Branch, as_tree
from app.plotting.run_branches import draw_branches, indent
from app.plotting.run_sign import HEIGHT, WIDTH, sign_pixmap
from app.session.run_library import RunLibrary
from app.style.format import short_number
from app.style.text import as_surface, muted, search_field
from app.style.theme import Theme
from engine.runs.records import RunRecord, Status

Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()
BRANCH_ROLE = Qt.ItemDataRole.UserRole
EMPTY = "Every run is recorded here as it trains. Start one, then change one thing and start another."


class RunRows(QAbstractListModel):
    """The library's runs that hold what is searched for; those that are ticked are shown."""

    def __init__(self, library: RunLibrary) -> None:
        super().__init__()
        self._library = library
        self._theme: Theme | None = None
        self._search = ""
        self.watched = False  # whether anyone can see them
        self.branches: list[Branch] = []
        self.records: list[RunRecord] = []  # of these
        self._signs: dict[RunStyle, QPixmap] = {}
        self._looks: Mapping[str, RunStyle] = {}
        self._ratio = 1.0
        library.changed.connect(lambda: self.look() if self.watched else None)
        library.shown_changed.connect(self._tell)

    def look(self) -> None:
        """Take in what the library holds."""
        branches = as_tree([record for record in self._library.records() if self._holds(record)])
        records = [branch.record for branch in branches]
        if [record.id for record in records] == [record.id for record in self.records]:
            self.branches, self.records = branches, records
            self._tell()
            return
        self.beginResetModel()
        self.branches, self.records = branches, records
        self.endResetModel()

    def search(self, words: str) -> None:
        """Show the runs in whose number, name, environment, tags or note all ``words`` are."""
        self._search = words
        self.look()

    def _holds(self, record: RunRecord) -> bool:
        words = self._search.lower().split()
        if not words:
            return True
        label = record.label
        where = (record.environment, environment_title(record.environment))
        text = " ".join((f"run {record.number}", label.title, label.note, *label.tags, *where)).lower()
        return all(word in text or word in self._library.name(record).lower() for word in words)

    def show_looks(self, looks: Mapping[str, RunStyle]) -> None:
        """Show by which look runs are drawn that have not their own, by their ids."""
        if looks != self._looks:
            self._looks = looks
            self._tell()

    def apply_theme(self, theme: Theme, ratio: float) -> None:
        self._theme, self._ratio = theme, ratio
        self._signs.clear()
        self._tell()

    def _tell(self) -> None:
        if self.records:
            self.dataChanged.emit(self.index(0), self.index(len(self.records) - 1))

    # --- as Qt asks ---------------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self.records)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.records):
            return None
        record = self.records[index.row()]
        if role == BRANCH_ROLE:
            return self.branches[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            at_work = " · training" if record.status is Status.RUNNING else ""
            return f"{record.number} · {self._library.name(record)}{at_work}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"run {record.number}: {self._library.name(record)}{self._forked(record)}"
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if record.id in self._library.shown else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.DecorationRole:
            return self._sign(self._looks.get(record.id) or style_of(record.number))
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{full_name(record)}{self._forked(record)}\n{come_to(record)}"
        return None

    def _forked(self, record: RunRecord) -> str:
        parent = self._library.record(record.origin.parent) if record.origin is not None else None
        return f", forked from run {parent.number}" if parent is not None else ""

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole or not index.isValid():
            return False
        self._library.show(self.records[index.row()].id, Qt.CheckState(value) == Qt.CheckState.Checked)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsUserCheckable

    def _sign(self, style: RunStyle) -> QPixmap | None:
        if self._theme is None:
            return None
        if style not in self._signs:
            self._signs[style] = sign_pixmap(style, self._theme, self._ratio)
        return self._signs[style]


class _Branches(QStyledItemDelegate):
    """A fork stands in, with a line to the run that it was made from."""

    theme: Theme | None = None

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        branch = index.data(BRANCH_ROLE)
        if self.theme is not None and isinstance(branch, Branch) and branch.depth:
            whole = QRectF(option.rect)
            whole.setWidth(indent(self.theme, branch.depth))
            draw_branches(painter, branch.rails, whole, self.theme, self.theme.muted)
        super().paint(painter, self._moved_in(option, index), index)

    def editorEvent(self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index) -> bool:
        return super().editorEvent(event, model, self._moved_in(option, index), index)

    def _moved_in(self, option: QStyleOptionViewItem, index: Index) -> QStyleOptionViewItem:
        branch = index.data(BRANCH_ROLE)
        moved = QStyleOptionViewItem(option)
        if self.theme is not None and isinstance(branch, Branch):
            moved.rect = option.rect.adjusted(indent(self.theme, branch.depth), 0, 0, 0)
        return moved


class RunPicker(QWidget):
    """Signals:
    duplicate_asked: the RunRecord of a run that is to be had again with one thing changed.
    """

    duplicate_asked = Signal(object)

    def __init__(self, theme: Theme, library: RunLibrary) -> None:
        super().__init__()
        as_surface(self)
        self._library = library
        self.rows = RunRows(library)
        self.search = search_field("Search runs", "Search runs")
        self.list = QListView()
        self.list.setModel(self.rows)
        self._branches = _Branches(self.list)
        self.list.setItemDelegate(self._branches)
        self.list.setUniformItemSizes(True)
        self.list.setFrameShape(QListView.Shape.NoFrame)
        self.list.setAccessibleName("Runs")
        self.list.setProperty("letters", False)  # they are the window's; runs are found by the search
        self.list.setProperty("ticks", True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._hint = muted(EMPTY)
        self._hint.setWordWrap(True)
        self.clear_button = QPushButton("Untick all")
        self.clear_button.clicked.connect(lambda: library.draw(library.shown, False))
        self.duplicate_button = QPushButton("Duplicate and change one thing…")
        self.duplicate_button.setToolTip(
            "Choose again what this run has: change one thing, press Start, and compare the two"
        )
        self.duplicate_button.clicked.connect(self._duplicate)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.unit, theme.unit, theme.unit, theme.unit)
        layout.setSpacing(theme.unit)
        for widget in (self.search, self._hint, self.list, self.duplicate_button, self.clear_button):
            layout.addWidget(widget)
        layout.setStretchFactor(self.list, 1)
        self.search.textChanged.connect(self.rows.search)
        self.list.selectionModel().currentChanged.connect(self._follow)
        self.rows.modelReset.connect(self._follow)
        library.shown_changed.connect(self._follow)
        self.rows.look()
        self.apply_theme(theme)
        self._follow()

    def come_to_ticked(self) -> None:
        """Have one of the runs that are ticked in view, where none is."""
        ticked = [at for at, record in enumerate(self.rows.records) if record.id in self._library.shown]
        seen = self.list.viewport().rect()
        if ticked and not any(seen.intersects(self.list.visualRect(self.rows.index(at))) for at in ticked):
            self.list.scrollTo(self.rows.index(ticked[0]), QListView.ScrollHint.PositionAtTop)

    @property
    def chosen(self) -> RunRecord | None:
        """The run that has been clicked, or else the newest that is ticked."""
        row = self.list.currentIndex().row()
        if 0 <= row < len(self.rows.records):
            return self.rows.records[row]
        shown = self._library.shown
        return next((record for record in self.rows.records if record.id in shown), None)

    def _duplicate(self) -> None:
        chosen = self.chosen
        if chosen is not None:
            self.duplicate_asked.emit(chosen)

    def _follow(self, *_: object) -> None:
        self._hint.setVisible(not self.rows.records and not self.search.text())
        self.list.setVisible(not self._hint.isVisibleTo(self))
        self.duplicate_button.setEnabled(self.chosen is not None)
        self.clear_button.setEnabled(bool(self._library.shown))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.rows.watched = True
        self.rows.look()
        QTimer.singleShot(0, self, self.come_to_ticked)  # once the rows have their places

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.rows.watched = False

    def apply_theme(self, theme: Theme) -> None:
        self._branches.theme = theme
        self.list.setIconSize(QSize(theme.px(WIDTH), theme.px(HEIGHT)))
        self.rows.apply_theme(theme, self.devicePixelRatioF())


def come_to(record: RunRecord) -> str:
    """How far a run has come: "50,000 steps, mean return 475"."""
    mean = record.reached.mean_return
    words = [f"{record.reached.environment_steps:,} environment steps"]
    return ", ".join([*words, *([f"mean return {short_number(mean, 4)}"] if mean is not None else [])])


def default_ticks(records: Sequence[RunRecord], shown: Sequence[str], newest: str = "") -> list[str]:
    """What is ticked where a person has not chosen enough to compare: the run on screen, or else the newest, with the
    one before it in the same environment."""
    ticked = [record for record in records if record.id in shown]
    if len(ticked) >= 2 or not records:
        return list(shown)
    first = ticked[0] if ticked else next((record for record in records if record.id == newest), records[0])
    beside = (each for each in records if each.environment == first.environment and each.id != first.id)
    other = next(beside, None)
    return [first.id, *([other.id] if other is not None else [])]
