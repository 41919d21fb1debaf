"""The list of hundreds of runs in a real window: each thing that a person does with all of them is one change of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.window.main_window import MainWindow
from app.window.run_table import RunTable
from engine.runs.library import Library
from engine.runs.records import RunRecord, Status
from tests.engine.support import configured

Make = Callable[..., MainWindow]
RUNS = 300
CONTROL, NONE = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier


class Heights(QObject):
    """Which heights a widget has been given, one after the other."""

    def __init__(self, widget: QObject) -> None:
        super().__init__(widget)
        self.seen: list[int] = []
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.seen.append(event.size().height())  # type: ignore[attr-defined]
        return False


@pytest.fixture
def window(library_place: Path, make_window: Make) -> MainWindow:
    with Library(library_place) as library, library.transaction():
        for seed in range(RUNS):
            library.begin(RunRecord("", 0, configured(seed=seed % 7).model_dump(mode="json"), Status.STOPPED, 2e9))
    return make_window()


def press(key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
    QTest.keyClick(QApplication.focusWidget(), key, modifiers)
    QApplication.processEvents()


def test_what_is_done_with_all_runs_is_one_change_of_their_list(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1280, 800)
    QApplication.processEvents()
    heights = Heights(window.frame.train)
    press(Qt.Key.Key_L, CONTROL)
    assert len(set(heights.seen)) == 1  # what is above is laid out once, however high the list is
    table = window.frame.findChild(RunTable)
    changes: list[str] = []
    for name in ("rowsInserted", "rowsRemoved", "layoutChanged", "dataChanged", "modelReset"):
        getattr(table.found, name).connect(lambda *_, name=name: changes.append(name))
    table.table.setFocus()
    press(Qt.Key.Key_A, CONTROL)
    assert table.delete_button.text() == f"Delete {RUNS}"
    press(Qt.Key.Key_Delete)
    assert (table.count.text(), changes) == ("0 runs", ["rowsRemoved"])
    changes.clear()
    press(Qt.Key.Key_Z, CONTROL)
    assert (table.count.text(), changes) == (f"{RUNS} runs", ["modelReset"])


def test_what_is_selected_and_typed_stays_with_its_run_as_the_order_changes(window: MainWindow) -> None:
    press(Qt.Key.Key_L, CONTROL)
    table = window.frame.findChild(RunTable)
    table.table.selectRow(10)
    (chosen,) = table.table.selected()
    header = table.table.horizontalHeader()
    place = QPoint(header.sectionViewportPosition(3) + 5, header.height() // 2)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, NONE, place)
    seeds = [table.found.chip(row).record.seed for row in range(RUNS)]
    assert seeds == sorted(seeds)
    assert table.table.selected() == [chosen]
    assert table.found.row_of(chosen) != 10
    QTest.keyClicks(table.search, "seed 3")
    assert {table.found.chip(row).record.seed for row in range(table.found.rowCount())} == {3}
    assert table.count.text() == f"{len([seed for seed in seeds if seed == 3])} of {RUNS} runs"
