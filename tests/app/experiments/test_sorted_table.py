"""A table that is filled as runs come in: what is selected and what is seen stay where they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.experiments.runs_table import RunsTable
from app.experiments.sorted_table import Column, SortedTable
from app.models.experiment_results import SettingResult
from app.style.theme import load_theme
from engine.runs.sweeps.records import Progress, Wish
from engine.runs.sweeps.standings import Standing


def columns(returns: Sequence[float | None]) -> list[Column]:
    return [Column("Return", "", ["–" if one is None else f"{one:g}" for one in returns], returns, is_number=True)]


def shown(table: SortedTable) -> list[str]:
    return [table.cells.index(row, 0).data() for row in range(table.cells.rowCount())]


def test_rows_are_updated_where_they_are(qtbot: QtBot) -> None:
    table = SortedTable("Runs")
    qtbot.addWidget(table)
    table.resize(200, 150)
    table.show()
    rows = list(range(100))
    returns: list[float | None] = [float(row) for row in rows]
    table.show_cells(rows, columns(returns))
    table.selectRow(60)
    table.verticalScrollBar().setValue(50)
    told: list[tuple[int, int]] = []
    resets: list[Any] = []
    table.cells.dataChanged.connect(lambda first, last: told.append((first.row(), last.row())))
    table.cells.modelReset.connect(lambda: resets.append(1))

    returns[3] = returns[4] = returns[60] = 1000.0
    table.show_cells(rows, columns(returns))
    assert told == [(3, 4), (60, 60)]  # and nothing else is painted
    table.show_cells([*rows, 100, 101], columns([*returns, 5.0, 6.0]))  # more come
    assert shown(table)[-2:] == ["5", "6"]
    assert (table.chosen, table.verticalScrollBar().value()) == ([60], 50)
    table.show_cells([row for row in [*rows, 100, 101] if row not in (2, 61)], columns([0.0] * 100))  # some go
    assert (table.chosen, table.cells.rowCount(), resets) == ([60], 100, [])

    table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    kept = [row for row in rows if row not in (2, 61)]
    table.show_cells(kept, columns([float(row == 60) for row in kept]))
    assert (table.chosen, table.selectionModel().selectedRows()[0].row(), resets) == ([60], 0, [])
    table.show_cells(["another"], columns([1.0]))
    assert (table.chosen, resets) == ([], [1])


def test_a_run_that_another_takes_the_place_of_stays_selected(qtbot: QtBot) -> None:
    table = RunsTable(load_theme("dark"))
    qtbot.addWidget(table)

    def show(first: str) -> None:
        runs = [
            Standing(0, seed, run, Progress.WAITING, Wish.RUN, 0, "", None, None, 0, 0, 0.0, None, None)
            for seed, run in ((1, first), (2, "b"))
        ]
        table.show_results([SettingResult(0, {}, tuple(runs), "as it is")], 1000)

    show("a")
    table.selectRow(0)
    assert table.chosen_runs == ["a"]
    show("taken over")
    assert table.chosen_runs == ["taken over"]
