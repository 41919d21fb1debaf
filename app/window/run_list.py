"""The runs that a list shows, as Qt's views read them."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QDateTime, QMimeData, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.models.run_state import state_words
from app.models.runs import MIME
from app.session.run_library import RunLibrary
from app.style.format import short_number
from engine.runs.records import RunRecord

Index = QModelIndex | QPersistentModelIndex
RUN_ROLE = Qt.ItemDataRole.UserRole
_NONE = QModelIndex()
# Of a cell, put together once: where all is selected, all cells are asked for them.
_FLAGS = (
    Qt.ItemFlag.ItemIsSelectable
    | Qt.ItemFlag.ItemIsEnabled
    | Qt.ItemFlag.ItemNeverHasChildren
    | Qt.ItemFlag.ItemIsDragEnabled
)
_NAMED = _FLAGS | Qt.ItemFlag.ItemIsEditable  # of what a person can give a name to


@dataclass(frozen=True)
class Column:
    """What a column of the list says of a run; it is in order of its ``key``."""

    title: str
    text: Callable[[RunList, RunRecord], str]
    key: Callable[[RunRecord], Any]
    is_number: bool = False


def _number(value: float | None) -> float:
    return -math.inf if value is None or math.isnan(value) else value


def _when(record: RunRecord) -> str:
    return QDateTime.fromSecsSinceEpoch(int(record.created)).toString("yyyy-MM-dd HH:mm")


@dataclass(frozen=True)
class Chip:
    """A run and how it is on screen: ``shown`` where the plots are of it, ``drawn`` where it is drawn beside it.

    ``parent`` is the number of the run that it was forked from, where that is there. ``awaits`` says of one of
    several seeds what becomes of it before it trains: "waits for a core", "starting".
    """

    record: RunRecord
    shown: bool = False
    drawn: bool = False
    parent: int | None = None
    awaits: str = ""


def numbered(chip: Chip) -> str:
    """A run's number, and that of the run that it was forked from: "6 ← 4"."""
    return f"{chip.record.number} ← {chip.parent}" if chip.parent is not None else str(chip.record.number)


class RunList(QAbstractTableModel):
    """A run in each row; a chip shows its first column. What stays is not made anew, so that what is selected and where
    a view has come to stay as they are."""

    def __init__(self, library: RunLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._chips: list[Chip] = []

    def show(self, chips: Sequence[Chip]) -> None:
        """Hold these, in this order."""
        if not self._chips:
            self.beginResetModel()
            self._chips = list(chips)
            self.endResetModel()
            return
        wanted = {chip.record.id for chip in chips}
        for first, last in reversed(_stretches([chip.record.id not in wanted for chip in self._chips])):
            self.beginRemoveRows(_NONE, first, last)
            del self._chips[first : last + 1]
            self.endRemoveRows()
        there = {chip.record.id for chip in self._chips}
        stay = [chip for chip in chips if chip.record.id in there]
        self._order({chip.record.id: row for row, chip in enumerate(stay)})
        changed = [before != chip for before, chip in zip(self._chips, stay, strict=True)]
        self._chips = stay
        for first, last in _stretches(changed):
            self.tell_of(first, last)
        for first, last in _stretches([chip.record.id not in there for chip in chips]):
            self.beginInsertRows(_NONE, first, last)
            self._chips[first:first] = chips[first : last + 1]
            self.endInsertRows()

    def _order(self, rows: Mapping[str, int]) -> None:
        """Have all that are there in these rows, by their ids."""
        moved = [rows[chip.record.id] for chip in self._chips]
        if moved == list(range(len(moved))):
            return
        self.layoutAboutToBeChanged.emit()
        kept = self.persistentIndexList()
        self._chips.sort(key=lambda chip: rows[chip.record.id])
        self.changePersistentIndexList(kept, [self.index(moved[index.row()], index.column()) for index in kept])
        self.layoutChanged.emit()

    def tell_of(self, first: int, last: int) -> None:
        """Have views draw these rows anew."""
        self.dataChanged.emit(self.index(first, 0), self.index(last, len(COLUMNS) - 1))

    def row_of(self, run: str) -> int:
        """Where a run is; −1 where it is not."""
        return next((row for row, chip in enumerate(self._chips) if chip.record.id == run), -1)

    def chip(self, row: int) -> Chip:
        return self._chips[row]

    def name_of(self, record: RunRecord) -> str:
        return self._library.name(record)

    # --- as Qt asks ---------------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self._chips)

    def columnCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].title
        return super().headerData(section, orientation, role)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        chip = self._chips[index.row()]
        record = chip.record
        if role == RUN_ROLE:
            return chip
        if role == Qt.ItemDataRole.EditRole:
            return record.label.title
        if role == Qt.ItemDataRole.DisplayRole and index.column():
            return COLUMNS[index.column()].text(self, record)
        if role == Qt.ItemDataRole.TextAlignmentRole and COLUMNS[index.column()].is_number:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            came_to = chip.awaits or come_to(record)
            return ", ".join([f"run {record.number}: {self.name_of(record)}", came_to, *_signs(chip)])
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._told(chip)
        return None

    def _told(self, chip: Chip) -> str:
        """All that is known of it in a few lines."""
        from app.models.run_names import full_name, what_differs

        record = chip.record
        other = self._library.compared_with(record)
        lines = [full_name(record), chip.awaits or come_to(record)]
        if other is not None:
            found = what_differs(record, other)
            relation = "forked from" if record.origin is not None else "beside"
            lines += [f"{relation} run {other.number}: {', '.join(each.text for each in found) or 'the same choice'}"]
        lines += [*record.inexact, record.label.note, ", ".join(record.label.tags)]
        title = record.label.title or f"Run {record.number}"
        told = "<br>".join(escape(line) for line in lines if line)
        picture = b64encode(self._library.picture(record.id)).decode()
        shown = f'<p><img src="data:image/png;base64,{picture}"></p>' if picture else ""
        return f"{shown}<p><b>{escape(title)}</b><br>{told}</p><p>Double-click to open it, F2 to name it.</p>"

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or not index.isValid():
            return False
        record = self._chips[index.row()].record
        self._library.label(record.id, replace(record.label, title=str(value).strip()))
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return super().flags(index)
        return _NAMED if index.column() < 2 else _FLAGS

    def mimeTypes(self) -> list[str]:
        return [MIME]

    def mimeData(self, indexes: Iterable[Index]) -> QMimeData:
        data = QMimeData()
        rows = dict.fromkeys(index.row() for index in indexes)
        data.setData(MIME, "\n".join(self._chips[row].record.id for row in rows).encode())
        return data


def state_of(record: RunRecord) -> str:
    """ "finished, solved"."""
    return state_words(record.status, record.reached.solved is not None)


def _stretches(hold: Sequence[bool]) -> list[tuple[int, int]]:
    """The first and the last of the places that hold, for each stretch of them."""
    found: list[tuple[int, int]] = []
    for at, holds in enumerate(hold):
        if holds and found and found[-1][1] == at - 1:
            found[-1] = found[-1][0], at
        elif holds:
            found.append((at, at))
    return found


def come_to(record: RunRecord) -> str:
    """How far it has come: "finished, solved, 50,000 steps, mean return 475, seed 1"."""
    reached = record.reached
    words = [state_of(record), f"{reached.environment_steps:,} steps"]
    if reached.mean_return is not None:
        words.append(f"mean return {short_number(reached.mean_return, 4)}")
    return ", ".join([*words, f"seed {record.seed}"])


def _signs(chip: Chip) -> list[str]:
    signs = [("shown", chip.shown), ("drawn beside", chip.drawn), ("pinned", chip.record.label.pinned)]
    return [word for word, holds in signs if holds]


COLUMNS: tuple[Column, ...] = (
    Column("Run", lambda _, record: str(record.number), lambda record: record.number),
    Column("Name", lambda runs, record: runs.name_of(record), lambda record: record.label.title.casefold()),
    Column("Environment", lambda _, record: record.environment, lambda record: record.environment),
    Column("Seed", lambda _, record: str(record.seed), lambda record: record.seed, is_number=True),
    Column(
        "Return",
        lambda _, record: short_number(record.reached.mean_return, 4),
        lambda record: _number(record.reached.mean_return),
        is_number=True,
    ),
    Column(
        "Best",
        lambda _, record: short_number(record.reached.best, 4),
        lambda record: _number(record.reached.best),
        is_number=True,
    ),
    Column(
        "Steps",
        lambda _, record: short_number(record.reached.environment_steps),
        lambda record: record.reached.environment_steps,
        is_number=True,
    ),
    Column(
        "Status",
        lambda _, record: state_of(record),
        lambda record: record.status,
    ),
    Column("Tags", lambda _, record: ", ".join(record.label.tags), lambda record: record.label.tags),
    Column("Begun", lambda _, record: _when(record), lambda record: record.created),
)
