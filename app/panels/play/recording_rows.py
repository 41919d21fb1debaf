"""Recordings as the rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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


class RecordingRows(QAbstractTableModel):
    """``records`` are shown, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[RecordingRecord] = []
        self._datasets: tuple[DatasetRecord, ...] = ()

    def show(self, records: Sequence[RecordingRecord], datasets: tuple[DatasetRecord, ...]) -> None:
        """Show these; rows of the same recordings stay where they are."""
        same = [record.id for record in records] == [record.id for record in self.records]
        if not same:
            self.beginResetModel()
        self.records, self._datasets = list(records), datasets
        if not same:
            self.endResetModel()
        elif records:
            self.dataChanged.emit(self.index(0, 0), self.index(len(records) - 1, len(COLUMNS) - 1))

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self.records)

    def columnCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        record = self.records[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cells(record)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(about(record, self._datasets))
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column():
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None


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

    def __init__(self, rows: RecordingRows) -> None:
        super().__init__()
        self.setModel(rows)
        self.setAccessibleName("Recordings")
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
            each.setAccessibleName("Columns of the recordings")
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setMinimumSectionSize(32)
        for column in range(1, len(COLUMNS)):
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
