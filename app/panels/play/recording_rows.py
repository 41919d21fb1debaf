"""Recordings and datasets as the rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from app.models.recordings import COLUMNS, about, cells
from app.style.text import plain_tip
from app.style.theme import Theme, tabular
from engine.runs.recording_records import DatasetRecord, RecordingRecord

Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()
_ROW = 24  # pixels, where text has the system's size


class Shown(NamedTuple):
    """A row: whose it is, what the columns say, and all that a person may want to know, in lines."""

    id: str
    cells: tuple[str, ...]
    about: str


class TableRows(QAbstractTableModel):
    """Rows of text under ``columns``, the first of which is a name and the others numbers."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        super().__init__()
        self.columns = columns
        self.shown: list[Shown] = []

    def put(self, rows: Sequence[Shown]) -> None:
        """Show these; rows of the same ids stay where they are."""
        same = [row.id for row in rows] == [row.id for row in self.shown]
        if not same:
            self.beginResetModel()
        self.shown = list(rows)
        if not same:
            self.endResetModel()
        elif rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(self.columns) - 1))

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self.shown)

    def columnCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.shown[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.cells[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(row.about)
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column():
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None


class RecordingRows(TableRows):
    """``records`` are shown, in their order."""

    def __init__(self) -> None:
        super().__init__(COLUMNS)
        self.records: list[RecordingRecord] = []

    def show(self, records: Sequence[RecordingRecord], datasets: tuple[DatasetRecord, ...]) -> None:
        self.records = list(records)
        self.put([Shown(record.id, cells(record), about(record, datasets)) for record in records])


class RecordingTable(QTableView):
    """The rows; several may be selected.

    Signals:
        stepped: Left or Right was pressed, by so many steps.
        deleted: Delete was pressed.
        renamed: F2 was pressed.
    """

    stepped = Signal(int)
    deleted = Signal()
    renamed = Signal()

    def __init__(self, rows: TableRows, name: str = "Recordings") -> None:
        super().__init__()
        self.setModel(rows)
        self.setAccessibleName(name)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        for each in (header, self.verticalHeader()):
            each.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            each.setAccessibleName(f"Columns of the {name.lower()}")
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(32)
        for column in range(1, len(rows.columns)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def apply_theme(self, theme: Theme) -> None:
        self.setFont(tabular(self.font()))
        self.verticalHeader().setDefaultSectionSize(theme.px(_ROW))
        self.horizontalHeader().setFixedHeight(theme.px(_ROW))
        self.setMinimumHeight(3 * theme.px(_ROW))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.stepped.emit(-1 if key == Qt.Key.Key_Left else 1)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.deleted.emit()
        elif key == Qt.Key.Key_F2:
            self.renamed.emit()
        else:
            super().keyPressEvent(event)
