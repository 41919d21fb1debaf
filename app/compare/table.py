"""What each of the runs that are compared came to, and what differs between their configurations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QGuiApplication, QIcon, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QVBoxLayout, QWidget

from app.compare.caveats import CaveatLabel, clock_caveat, of_one_clock, of_one_environment
from app.compare.columns import Column, history, numbers, threshold_among
from app.compare.compared import Compared, ComparedRun
from app.compare.group_columns import group_columns, said_of
from app.plotting.run_sign import HEIGHT, WIDTH, sign_pixmap
from app.style.format import short_number
from app.style.text import Stage, as_surface, muted
from app.style.theme import Theme, tabular
from engine.runs.comparison.curves import AXES, Axis, curve
from engine.runs.comparison.differences import Varying
from engine.runs.comparison.groups import OF_NO_SETTING
from engine.runs.comparison.scores import common_end, score

Index = QModelIndex | QPersistentModelIndex
_NONE = QModelIndex()
_HEADER, _PADDING = 24, 20  # pixels of the header's height, and beside the words of a cell
_MEASURED = 4  # the longest cells of a column, of which one is the widest
EMPTY = "Tick runs in the list to see what differs between them, and what each came to."


class ComparisonTable(QWidget):
    """A row for each run: its name, its scores, and what it has otherwise than the others."""

    def __init__(self, theme: Theme, compared: Compared) -> None:
        super().__init__()
        as_surface(self)
        self._theme, self._compared = theme, compared
        self._axis: Axis = "environment_steps"
        self._emphasised: tuple[str, ...] = ()
        self.caveat = CaveatLabel()
        self.caveat.setMargin(theme.unit)
        self.said = muted()
        self.said.setWordWrap(True)
        self.said.setMargin(theme.unit)
        self.grid = _Grid()
        self._stage = Stage(EMPTY, self.grid)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.caveat)
        layout.addWidget(self.said)
        layout.addWidget(self._stage, 1)
        compared.follow(self.refresh)
        self.apply_theme(theme)

    def show_axis(self, axis: Axis) -> None:
        """Take the mean over what the curves are aligned by."""
        self._axis = axis
        self.refresh()

    def emphasise(self, paths: tuple[str, ...]) -> None:
        """Have what differs at these paths stand out, as no equation shows it."""
        if paths != self._emphasised:
            self._emphasised = paths
            self.refresh()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.grid.setFont(tabular(self.grid.font()))
        self.grid.horizontalHeader().setMinimumHeight(theme.px(_HEADER))
        self.grid.setIconSize(QSize(theme.px(WIDTH), theme.px(HEIGHT)))
        self.refresh()

    def refresh(self) -> None:
        runs = self._compared.runs
        self._stage.fill(bool(runs))
        ratio = self.devicePixelRatioF()
        signs = [QIcon(sign_pixmap(run.style, self._theme, ratio)) for run in runs]
        seconds = not self._compared.together and threshold_among(runs) is not None
        self.caveat.tell(clock_caveat(runs) if seconds else "")
        # What they came to stands first: of two methods more differs than there is room for.
        if self._compared.together:
            self._show_groups(ratio)
            return
        self.said.hide()
        names = Column("Run", "", [run.title for run in runs])
        differing = [self._difference(one, range(len(runs))) for one in self._compared.differing]
        self.grid.show_cells(signs, [names, *_scores(runs, self._axis), *differing])

    def _show_groups(self, ratio: float) -> None:
        """A row for each setting."""
        groups, places = self._compared.groups, {run.id: at for at, run in enumerate(self._compared.runs)}
        signs = [QIcon(sign_pixmap(group.style, self._theme, ratio)) for group in groups]
        firsts = [places[group.id] for group in groups]
        varying = [one for one in self._compared.differing if one.path not in OF_NO_SETTING]
        told = [self._difference(one, firsts) for one in varying if len({str(one.values[at]) for at in firsts}) > 1]
        self.grid.show_cells(signs, [*group_columns(self._compared, self._axis), *told])
        words = said_of(self._compared)
        self.said.setText(words)
        self.said.setVisible(bool(words))

    def _difference(self, one: Varying, rows: Sequence[int]) -> Column:
        """What is not alike in all, of the runs of these ``rows``; all of it is bold where it is emphasised."""
        cells = [history(one.values[row]) for row in rows]
        column = Column(one.title, one.path, cells, [one.path in self._emphasised] * len(cells))
        column.is_number = False
        return column


def _scores(runs: Sequence[ComparedRun], axis: Axis) -> list[Column]:
    until = common_end([curve(run.series, axis=axis) for run in runs])
    threshold = threshold_among(runs)
    scores = [score(run.series, axis, until, threshold) for run in runs]
    shared = f"{short_number(until)} {AXES[axis]}"
    sign, clock = int(of_one_environment(runs)), int(of_one_clock(runs))
    columns = [
        numbers("Final return", "The mean return of the last 100 episodes", [s.final for s in scores], sign),
        numbers("Best return", "The greatest mean return of 100 episodes", [s.best for s in scores], sign),
        numbers(
            "Area",
            f"The area under the curve of mean returns over the first {shared}, as far as all runs go, divided by its "
            "width: the mean height",
            [s.area for s in scores],
            sign,
        ),
    ]
    if threshold is not None:
        level = short_number(threshold, 4)
        columns += [
            numbers(f"Steps to {level}", "Environment steps until it was solved", [s.steps for s in scores], -1),
            numbers(
                f"Seconds to {level}", "Seconds of training until it was solved", [s.seconds for s in scores], -clock
            ),
        ]
    return columns


class _Cells(QAbstractTableModel):
    """What is asked for as it is seen: of many runs there are thousands of cells."""

    def __init__(self) -> None:
        super().__init__()
        self.columns: list[Column] = []
        self._signs: list[QIcon] = []
        self._bold = QFont()
        self._bold.setBold(True)

    def show_cells(self, signs: list[QIcon], columns: list[Column]) -> None:
        alike = len(signs) == len(self._signs) and [c.title for c in columns] == [c.title for c in self.columns]
        if not alike:
            self.beginResetModel()
        self._signs, self.columns = signs, columns
        if not alike:
            self.endResetModel()
        elif signs:  # what a person has selected stays so
            self.dataChanged.emit(self.index(0, 0), self.index(len(signs) - 1, len(columns) - 1))

    @staticmethod
    def _is_right(column: Column) -> bool:
        """Whether it holds numbers, which stand at the right, and so does what they are."""
        return bool(column.bold) and column.is_number

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self._signs)

    def columnCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        column, row = self.columns[index.column()], index.row()
        if role == Qt.ItemDataRole.DisplayRole:
            return column.cells[row]
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.tips[row]
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return self._signs[row]
        if role == Qt.ItemDataRole.TextAlignmentRole and self._is_right(column):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.FontRole and column.bold and column.bold[row]:
            return self._bold
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and section < len(self.columns):
            if role == Qt.ItemDataRole.DisplayRole:
                return self.columns[section].title
            if role == Qt.ItemDataRole.ToolTipRole:
                return self.columns[section].help
            if role == Qt.ItemDataRole.TextAlignmentRole and self._is_right(self.columns[section]):
                return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            if role == Qt.ItemDataRole.FontRole and not self.columns[section].is_number:
                return self._bold if any(self.columns[section].bold) else None
        return None


class _Grid(QTableView):
    """Cells to be looked at and copied."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = _Cells()
        self.setModel(self.cells)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.setShowGrid(False)
        self.setProperty("padded", True)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setAccessibleName("What differs, and what each run came to")
        self.verticalHeader().hide()
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)

    def show_cells(self, signs: list[QIcon], columns: list[Column]) -> None:
        """A sign for each row; every column is as wide as what is in it."""
        self.cells.show_cells(signs, columns)
        bold = QFont(self.font())
        bold.setBold(True)
        plain, best, header = QFontMetrics(self.font()), QFontMetrics(bold), self.horizontalHeader()
        for place, column in enumerate(columns):
            longest = sorted(set(column.cells), key=len)[-_MEASURED:]
            metrics = best if column.bold else plain
            room = 0 if place else self.iconSize().width() + _PADDING // 2
            words = max((metrics.horizontalAdvance(cell) for cell in longest), default=0) + room + _PADDING
            header.resizeSection(place, max(words, header.sectionSizeHint(place)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.text())
            event.accept()
        else:
            super().keyPressEvent(event)

    def text(self) -> str:
        """All of it, to be pasted into a table."""
        columns = self.cells.columns
        rows = [[column.cells[row] for column in columns] for row in range(self.cells.rowCount())]
        return "\n".join("\t".join(line) for line in [[column.title for column in columns], *rows]) + "\n"
