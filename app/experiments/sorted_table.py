"""A table of cells that are sorted by a click on a column, and in which what is selected and what is seen stay so while
more comes."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QFontMetrics, QGuiApplication, QIcon, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from app.style.text import plain_tip

Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()
_PADDING = 20  # pixels beside the words of a cell
_MEASURED = 4  # the longest cells of a column, of which one is the widest
_FEW = 500  # rows, of which all are measured whenever they are shown
_WIDEST = 320  # pixels of a column at first


@dataclass(frozen=True)
class Column:
    """Cells as words, and the ``keys`` that they are sorted by; those of numbers stand at the right."""

    title: str
    help: str
    cells: Sequence[str]
    keys: Sequence[Any]
    is_number: bool = False
    tips: Sequence[str] = field(default=())


class Cells(QAbstractTableModel):
    """Rows of columns, each known by what it is of."""

    def __init__(self) -> None:
        super().__init__()
        self.columns: list[Column] = []
        self.rows: list[Hashable] = []
        self._icons: Sequence[QIcon] = ()
        self._order: list[int] = []  # which row stands where
        self._by: tuple[int, Qt.SortOrder] = -1, Qt.SortOrder.AscendingOrder

    def show_cells(self, rows: Sequence[Hashable], columns: Sequence[Column], icons: Sequence[QIcon] = ()) -> None:
        """Show these. Rows that were there stay where they are and what they are to a view, those that are new come
        behind them, and only what is another is told."""
        alike = [one.title for one in columns] == [one.title for one in self.columns]
        if not alike or not set(rows) & set(self.rows):
            self.beginResetModel()
            self.rows, self.columns, self._icons = list(rows), list(columns), icons
            self._order = self._sorted()
            self.endResetModel()
            return
        self._remove(set(self.rows) - set(rows))
        before = dict(zip(self.rows, zip(*(self._told(column) for column in self.columns), strict=True), strict=True))
        standing, icons_before = [self.rows[row] for row in self._order], self._icons
        places = {row: at for at, row in enumerate(rows)}
        more = len(rows) - len(standing)
        if more:
            self.beginInsertRows(_NONE, len(standing), len(rows) - 1)
        self.rows, self.columns, self._icons = list(rows), list(columns), icons
        self._order = [places[row] for row in standing] + [at for row, at in places.items() if row not in before]
        if more:
            self.endInsertRows()
        now = dict(zip(self.rows, zip(*(self._told(column) for column in self.columns), strict=True), strict=True))
        other = [at for at, row in enumerate(standing) if before[row] != now[row] or icons is not icons_before]
        for first, last in _stretches(other):
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(columns) - 1))
        self._put_in_order()

    @staticmethod
    def _told(column: Column) -> Sequence[tuple[str, str]]:
        """What is told of each row: the words, and the tip."""
        return list(zip(column.cells, column.tips or column.cells, strict=True))

    def _remove(self, gone: set[Hashable]) -> None:
        for place in reversed(range(len(self._order))):
            row = self._order[place]
            if self.rows[row] in gone:
                self.beginRemoveRows(_NONE, place, place)
                del self._order[place], self.rows[row]
                self._order = [at - (at > row) for at in self._order]
                self.columns = [_without(column, row) for column in self.columns]
                self._icons = [icon for at, icon in enumerate(self._icons) if at != row]
                self.endRemoveRows()

    def row_at(self, place: int) -> Hashable:
        """What the row is of that stands there."""
        return self.rows[self._order[place]]

    def place_of(self, row: Hashable) -> int:
        """Where the row of something stands; -1 where it has none."""
        return self._order.index(self.rows.index(row)) if row in self.rows else -1

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._by = column, order
        self._put_in_order()

    def _put_in_order(self) -> None:
        order = self._sorted()
        if order == self._order:
            return
        self.layoutAboutToBeChanged.emit()
        kept = self.persistentIndexList()
        moved = [self.index(order.index(self._order[index.row()]), index.column()) for index in kept]
        self._order = order
        self.changePersistentIndexList(kept, moved)
        self.layoutChanged.emit()

    def _sorted(self) -> list[int]:
        """By the column that was chosen; what is not known comes last, either way."""
        column, order = self._by
        places = range(len(self.rows))
        if not 0 <= column < len(self.columns):
            return list(places)
        keys = self.columns[column].keys
        known = [place for place in places if keys[place] is not None]
        as_words = len({isinstance(keys[place], str) for place in known}) > 1
        known.sort(
            key=lambda place: str(keys[place]) if as_words else keys[place],
            reverse=order is Qt.SortOrder.DescendingOrder,
        )
        return [*known, *(place for place in places if keys[place] is None)]

    # --- as Qt asks ---------------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._order):
            return None
        column, row = self.columns[index.column()], self._order[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.cells[row]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(column.tips[row] if column.tips else column.cells[row])
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0 and self._icons:
            return self._icons[row]
        if role == Qt.ItemDataRole.TextAlignmentRole and column.is_number:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and section < len(self.columns):
            if role == Qt.ItemDataRole.TextAlignmentRole and self.columns[section].is_number:
                return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            if role == Qt.ItemDataRole.DisplayRole:
                return self.columns[section].title
            if role == Qt.ItemDataRole.ToolTipRole:
                return self.columns[section].help
        return None


def _without(column: Column, row: int) -> Column:
    """A column that lacks a row."""
    cells, keys, tips = ([*of[:row], *of[row + 1 :]] for of in (column.cells, column.keys, column.tips))
    return replace(column, cells=cells, keys=keys, tips=tips)


def _stretches(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The first and the last of each stretch of ascending places without a gap."""
    for _, stretch in groupby(enumerate(places), lambda each: each[1] - each[0]):
        found = [place for _, place in stretch]
        yield found[0], found[-1]


class SortedTable(QTableView):
    """Signals:
    opened: rows that a person wants to see more of, by Return or a double click.
    """

    opened = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.cells = Cells()
        self.setModel(self.cells)
        self.setAccessibleName(name)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setShowGrid(False)
        self.setProperty("padded", True)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setProperty("letters", False)  # they are the window's
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setAccessibleName("Rows")
        self.horizontalHeader().setAccessibleName("Columns, by which the rows are sorted")
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        self.doubleClicked.connect(lambda _index: self.opened.emit())
        self._titles: list[str] = []

    def show_cells(self, rows: Sequence[Hashable], columns: Sequence[Column], icons: Sequence[QIcon] = ()) -> None:
        """Show these; columns that are new are as wide as what is in them, and others grow with it."""
        titles = [column.title for column in columns]
        fresh = titles != self._titles or (not self.cells.rows and bool(rows))
        self._titles = titles
        self.cells.show_cells(rows, columns, icons)
        if fresh or len(rows) <= _FEW:
            self.fit(grow=not fresh)

    def fit(self, grow: bool = False) -> None:
        """Make columns as wide as what is in them; where they are to ``grow``, none becomes narrower."""
        metrics, header = QFontMetrics(self.font()), self.horizontalHeader()
        for place, column in enumerate(self.cells.columns):
            longest = sorted(set(column.cells), key=len)[-_MEASURED:]
            room = self.iconSize().width() + _PADDING // 2 if place == 0 and self.cells._icons else 0
            words = max((metrics.horizontalAdvance(cell) for cell in longest), default=0) + room + _PADDING
            wanted = min(max(words, header.sectionSizeHint(place)), _WIDEST)
            if not grow or wanted > header.sectionSize(place):
                header.resizeSection(place, wanted)
        line = metrics.height() + 6
        self.verticalHeader().setDefaultSectionSize(line)
        header.setMinimumHeight(line + 4)

    @property
    def chosen(self) -> list[Hashable]:
        """What the selected rows are of, from above."""
        return [
            self.cells.row_at(place) for place in sorted(index.row() for index in self.selectionModel().selectedRows())
        ]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.text())
            event.accept()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
            event.accept()
        else:
            super().keyPressEvent(event)

    def text(self) -> str:
        """All of it as it stands, to be pasted into a table."""
        columns, order = self.cells.columns, self.cells._order
        rows = [[column.cells[row] for column in columns] for row in order]
        return "\n".join("\t".join(line) for line in [[column.title for column in columns], *rows]) + "\n"
