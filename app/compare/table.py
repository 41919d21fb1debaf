"""What differs between the configurations of the runs that are compared, and what each came to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QGuiApplication, QIcon, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from app.compare.compared import Compared, ComparedRun
from app.plotting.run_sign import HEIGHT, WIDTH, sign_pixmap
from app.style.format import NOTHING, setting, short_number
from app.style.text import Stage, as_surface
from app.style.theme import Theme, tabular
from engine.runs.comparison import AXES, Axis, common_end, curve, score, threshold_of, varying
from engine.runtime.errors import RequestError

_HEADER = 24  # pixels
EMPTY = "Tick runs in the list to see what differs between them, and what each came to."


class ComparisonTable(QWidget):
    """A row for each run: its name, what it has otherwise than the others, and its scores."""

    def __init__(self, theme: Theme, compared: Compared) -> None:
        super().__init__()
        as_surface(self)
        self._theme, self._compared = theme, compared
        self._axis: Axis = "environment_steps"
        self.grid = _Grid()
        self._stage = Stage(EMPTY, self.grid)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stage)
        compared.changed.connect(self.refresh)
        self.apply_theme(theme)

    def show_axis(self, axis: Axis) -> None:
        """Take the mean over what the curves are aligned by."""
        self._axis = axis
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
        columns = [*_differences(runs), *_scores(runs, self._axis)]
        grid = self.grid
        grid.setRowCount(len(runs))
        grid.setColumnCount(1 + len(columns))
        grid.setHorizontalHeaderLabels(["Run", *(column.title for column in columns)])
        for place, column in enumerate(columns, start=1):
            header = grid.horizontalHeaderItem(place)
            if header is not None:
                header.setToolTip(column.help)
        for row, run in enumerate(runs):
            sign = sign_pixmap(run.style, self._theme, self.devicePixelRatioF())
            grid.setItem(row, 0, QTableWidgetItem(QIcon(sign), run.title))
            for place, column in enumerate(columns, start=1):
                grid.setItem(row, place, column.item(row))
        grid.resizeColumnsToContents()


class _Column:
    """Cells of one column, as words; the ``best`` ones are bold."""

    def __init__(self, title: str, help: str, cells: Sequence[str], best: Sequence[bool] = ()) -> None:
        self.title, self.help, self._cells, self._best = title, help, cells, best

    def item(self, row: int) -> QTableWidgetItem:
        item = QTableWidgetItem(self._cells[row])
        item.setToolTip(self._cells[row])
        if self._best:
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            if self._best[row]:
                font = QFont()
                font.setBold(True)
                item.setFont(font)
        return item


def _differences(runs: Sequence[ComparedRun]) -> list[_Column]:
    """What is not alike in all, and nothing else."""
    try:
        found = varying([(run.record.config, run.record.changes) for run in runs])
    except RequestError as error:
        return [_Column("Configuration", str(error), [NOTHING] * len(runs))]
    return [_Column(one.title, one.path, [_history(values) for values in one.values]) for one in found]


def _history(values: Sequence[Any]) -> str:
    return " → ".join(NOTHING if value is None else _cell(value) for value in values) or NOTHING


def _cell(value: Any) -> str:
    """A value in a few characters; a map of many rows is only known to differ."""
    drawn = isinstance(value, tuple | list) and bool(value) and isinstance(value[0], str)
    return f"map of {len(value)} rows" if drawn else setting(value)


def _scores(runs: Sequence[ComparedRun], axis: Axis) -> list[_Column]:
    until = common_end([curve(run.series, axis=axis) for run in runs])
    threshold = _threshold(runs)
    scores = [score(run.series, axis, until, threshold) for run in runs]
    shared = f"{short_number(until)} {AXES[axis]}"
    columns = [
        _numbers("Final return", "The mean return of the last 100 episodes at the end", [s.final for s in scores], 1),
        _numbers("Best return", "The greatest mean return of 100 episodes", [s.best for s in scores], 1),
        _numbers(
            "Area",
            f"The area under the curve of mean returns over the first {shared}, as far as all runs go, divided by its "
            "width: the mean height",
            [s.area for s in scores],
            1,
        ),
    ]
    if threshold is not None:
        level = short_number(threshold, 4)
        columns += [
            _numbers(f"Steps to {level}", "Environment steps until it was solved", [s.steps for s in scores], -1),
            _numbers(f"Seconds to {level}", "Seconds of training until it was solved", [s.seconds for s in scores], -1),
        ]
    return columns


def _numbers(title: str, help: str, values: Sequence[float | None], sign: int) -> _Column:
    """Numbers of which the greatest is best, or the least where ``sign`` is −1."""
    known = [sign * value for value in values if value is not None]
    best = max(known, default=None)
    told = [value is not None and len(known) > 1 and sign * value == best for value in values]
    return _Column(title, help, [short_number(value, 4) for value in values], told)


def _threshold(runs: Sequence[ComparedRun]) -> float | None:
    try:
        return threshold_of([run.record.config for run in runs])
    except RequestError:
        return None


class _Grid(QTableWidget):
    """Cells to be looked at and copied."""

    def __init__(self) -> None:
        super().__init__()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.setShowGrid(False)
        self.setFrameShape(QTableWidget.Shape.NoFrame)
        self.setAccessibleName("What differs, and what each run came to")
        self.verticalHeader().hide()
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.text())
            event.accept()
        else:
            super().keyPressEvent(event)

    def text(self) -> str:
        """All of it, to be pasted into a table."""
        columns = range(self.columnCount())
        heads = [header.text() if (header := self.horizontalHeaderItem(at)) else "" for at in columns]
        rows = [
            [item.text() if (item := self.item(row, at)) else "" for at in columns] for row in range(self.rowCount())
        ]
        return "\n".join("\t".join(line) for line in [heads, *rows]) + "\n"
