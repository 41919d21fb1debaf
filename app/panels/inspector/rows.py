"""Samples as the rows of a table."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QHeaderView, QTableView, QWidget

from app.panels.inspector.words import done, ratio_words
from app.style.format import short_number
from app.style.theme import Theme, tabular

if TYPE_CHECKING:  # with torch
    from engine.analysis.samples import Samples

Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()
_ROW = 20  # pixels, where text has the system's size
_PAD = 10  # pixels beside the text of a cell


class Column(NamedTuple):
    """``values`` [M] are what it is sorted by, None where there are none; it has room for ``widest`` at least."""

    title: str
    tip: str
    values: Callable[[Samples], NDArray[Any] | None]
    widest: str


def _number(pick: Callable[[Samples], NDArray[Any] | None], title: str, tip: str) -> Column:
    return Column(title, tip, pick, "−0.0123")


def _small(pick: Callable[[Samples], NDArray[Any] | None], title: str, tip: str) -> Column:
    return Column(title, tip, pick, "−9.99×10⁻⁹")


COLUMNS: tuple[Column, ...] = (
    Column("t", "How many steps of its episode came before it", lambda s: s.looked.batch.elapsed, "1000"),
    Column("action", "What was done", lambda s: s.looked.batch.actions, "push right"),
    _number(lambda s: s.looked.batch.advantages, "Â", "The advantage: credit less baseline, as estimated"),
    Column(
        "ρ",
        "The ratio as learning takes it: π(a|s) after the update, divided by that before it",
        lambda s: s.ratios,
        "0.999",
    ),
    Column(
        "clip", "Which of the clip's six cases it is in, and whether its gradient flows", lambda s: s.cases, "6 flows"
    ),
    _number(lambda s: s.looked.batch.rewards, "r", "The reward, as learning gets it"),
    _number(lambda s: s.returns, "G", "The discounted sum of the rewards from here on, as far as it was seen"),
    _number(lambda s: s.looked.batch.baseline, "b", "The baseline, which is subtracted from the credit"),
    _number(lambda s: s.looked.batch.log_probs, "log π", "log π(a|s) of the policy that acted"),
    _number(lambda s: s.looked.batch.weights, "weight", "What its ∇ log π is multiplied with in the update"),
)
_AGE = Column("age", "How many steps have been taken since it was", lambda s: s.looked.batch.elapsed, "100,000")
_PLACE = Column("step", "Its place among those of the iteration", lambda s: s.looked.batch.elapsed, "100,000")
_DONE = Column("action", "What was done", lambda s: s.looked.batch.actions, "push right")
_SINGLE: tuple[Column, ...] = (
    _DONE,
    _small(lambda s: s.looked.batch.advantages, "δ", "The temporal-difference error: target less value"),
    _small(lambda s: s.looked.batch.credit, "y", "The target: rewards, and what is expected to follow them"),
    _small(lambda s: s.looked.batch.baseline, "Q(s, a)", "What the step was taken to be worth"),
    _number(lambda s: s.looked.batch.rewards, "r", "The discounted sum of the rewards in the target"),
    _number(lambda s: s.looked.batch.weights, "weight", "By how much it pulled at its value"),
)
_TWINS: tuple[Column, ...] = (
    _DONE,
    _small(lambda s: _error(s, 0), "δ₁", "The temporal-difference error of the first network: target less value"),
    _small(lambda s: _error(s, 1), "δ₂", "That of the second network, which has the same target"),
    _small(lambda s: s.looked.batch.credit, "y", "The target: rewards, and what is expected to follow them"),
    _small(lambda s: _value(s, 0), "Q₁(s, a)", "What the first network took the step to be worth"),
    _small(lambda s: _value(s, 1), "Q₂(s, a)", "What the second network took it to be worth"),
    _number(lambda s: s.looked.batch.rewards, "r", "The discounted sum of the rewards in the target"),
)
"""Of steps from which action values learn, by one network or a table, and by two."""
ACTION = 1
_OTHER_WORDS = ("t", "age", "step", "ρ", "clip")  # columns that are not written as short numbers
_LOOKED_AT = 50  # actions that are made of numbers, to know about how long they are
_MOST_LETTERS = 22  # of an action; longer ones are told whole by a tooltip
_MOST_NEEDED = 5  # columns; those behind them are given up where there is no room for all, the last first


def _error(samples: Samples, network: int) -> NDArray[Any] | None:
    return None if samples.looked.networks is None else samples.looked.networks.errors[network]


def _value(samples: Samples, network: int) -> NDArray[Any] | None:
    return None if samples.looked.networks is None else samples.looked.networks.values[network]


def columns_of(samples: Samples | None) -> tuple[Column, ...]:
    if samples is None or not samples.looked.single:
        return COLUMNS
    first = _AGE if samples.looked.replayed else _PLACE
    return (first, *(_SINGLE if samples.looked.networks is None else _TWINS))


def _widest(column: Column, samples: Samples | None) -> list[str]:
    """Texts of which one is as wide as any in the column, whichever of the samples are listed; none where it has no
    numbers."""
    values = None if samples is None else column.values(samples)
    if samples is not None and values is None:
        return []
    plain = [column.title, column.widest]
    if samples is None or values is None or column.title in _OTHER_WORDS:
        return plain
    if column is columns_of(samples)[ACTION]:
        space = samples.looked.policy.environment.action
        different = np.unique(values) if space.kind == "discrete" else values[:_LOOKED_AT]
        return [*plain, *(done(action, space)[:_MOST_LETTERS] for action in different)]
    sizes = np.abs(values[np.isfinite(values) & (values != 0)], dtype=np.float64)
    if not len(sizes):
        return plain
    sign = "−" if bool((values < 0).any()) else ""
    ends = float(sizes.min()), float(sizes.max())
    if bool((sizes == np.round(sizes)).all()):
        return [*plain, sign + short_number(ends[1])]
    return [*plain, *(sign + short_number(8.88 * 10.0 ** math.floor(math.log10(end))) for end in ends)]


class SampleRows(QAbstractTableModel):
    """``rows`` of ``samples`` are shown, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.samples: Samples | None = None
        self.rows: NDArray[np.int64] = np.zeros(0, np.int64)

    def show(self, samples: Samples | None, rows: NDArray[np.int64]) -> None:
        self.beginResetModel()
        self.samples, self.rows = samples, rows
        self.endResetModel()

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(columns_of(self.samples))

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self.samples is None:
            return None
        told = role == Qt.ItemDataRole.ToolTipRole and index.column() == ACTION
        if role == Qt.ItemDataRole.DisplayRole or told:
            return self._cell(self.samples, int(self.rows[index.row()]), index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if index.column() == ACTION else Qt.AlignmentFlag.AlignRight
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def _cell(self, samples: Samples, row: int, column: int) -> str:
        shown = columns_of(samples)[column]
        values = shown.values(samples)
        if values is None:
            return ""
        if column == ACTION:
            return done(values[row], samples.looked.policy.environment.action)
        if shown.title == "clip":
            from engine.analysis.clip_cases import CLIP_CASES

            case = CLIP_CASES[int(values[row]) - 1]
            return f"{case.number} {'flows' if case.flows else 'cut'}"
        if shown.title == "ρ":
            return ratio_words(float(values[row]))
        return f"{int(values[row]):,}" if column == 0 else short_number(float(values[row]))

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return columns_of(self.samples)[section].title
        if role == Qt.ItemDataRole.ToolTipRole:
            return columns_of(self.samples)[section].tip
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if section == ACTION else Qt.AlignmentFlag.AlignRight
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """By the numbers of a column; by −1 in the order of the batch."""
        if self.samples is None or not len(self.rows):
            return
        rows = np.sort(self.rows)
        values = columns_of(self.samples)[column].values(self.samples) if column >= 0 else None
        if values is not None:
            keys = values[rows] if values.ndim == 1 else values[rows].reshape(len(rows), -1)[:, 0]
            sorted_by = np.argsort(keys if order == Qt.SortOrder.AscendingOrder else -keys.astype(float), kind="stable")
            rows = rows[sorted_by]
        self.layoutAboutToBeChanged.emit()
        self.rows = rows
        self.layoutChanged.emit()


class SampleTable(QTableView):
    """The rows, of which one is looked at.

    Signals:
        looked_at: another row of the samples is looked at.
        played: Return was pressed.
    """

    looked_at = Signal(int)
    played = Signal()

    def __init__(self, rows: SampleRows) -> None:
        super().__init__()
        self._rows = rows
        self._scale = 1.0
        self.setModel(rows)
        self.setAccessibleName("Samples")
        self.setProperty("letters", False)
        self.setProperty("small", True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.verticalHeader().hide()
        self.setSortingEnabled(True)
        header = self.horizontalHeader()
        for each in (header, self.verticalHeader()):
            each.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            each.setAccessibleName("Columns of the samples")
        parts: list[QWidget] = [header, self.verticalHeader(), *self.findChildren(QAbstractButton)]
        for part in parts:
            part.setProperty("small", True)  # as the table is
        header.setHighlightSections(False)
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.DescendingOrder)
        header.setMinimumSectionSize(24)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.selectionModel().currentRowChanged.connect(self._tell)
        rows.modelReset.connect(self._share_out)

    @property
    def row(self) -> int | None:
        """The row of the samples that is looked at."""
        index = self.currentIndex()
        return int(self._rows.rows[index.row()]) if index.isValid() and index.row() < len(self._rows.rows) else None

    def look_at(self, row: int) -> None:
        """Look at a row of the samples, where it is among those shown."""
        there = np.flatnonzero(self._rows.rows == row)
        if len(there):
            index = self._rows.index(int(there[0]), 0)
            self.setCurrentIndex(index)
            self.scrollTo(index)

    def apply_theme(self, theme: Theme) -> None:
        self._scale = theme.text_scale
        self.setFont(tabular(self.font()))
        self.verticalHeader().setDefaultSectionSize(theme.px(_ROW))
        self.horizontalHeader().setFixedHeight(theme.px(_ROW))
        self.setMinimumHeight(3 * theme.px(_ROW))
        self._share_out()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.played.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_out()

    def _share_out(self) -> None:
        """Give each column the room that it needs, and those that come last none where there is not enough."""
        samples, columns = self._rows.samples, columns_of(self._rows.samples)
        letters = self.fontMetrics()
        wanted = {
            number: max(map(letters.horizontalAdvance, texts)) + round(_PAD * self._scale)
            for number, column in enumerate(columns)
            if (texts := _widest(column, samples))
        }
        room = self.viewport().width()
        for given_up in range(len(columns) - 1, _MOST_NEEDED - 1, -1):
            if sum(wanted.values()) > room:
                wanted.pop(given_up, None)
        spare = max(room - sum(wanted.values()), 0) // max(len(wanted), 1)
        for number in range(len(columns)):
            self.setColumnHidden(number, number not in wanted)
            if number in wanted:
                self.setColumnWidth(number, wanted[number] + spare)

    def _tell(self, current: QModelIndex, _before: QModelIndex) -> None:
        if current.isValid():
            self.looked_at.emit(int(self._rows.rows[current.row()]))
