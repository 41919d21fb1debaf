"""The shelf and the list of all runs in a real window, by mouse and keyboard, over a library with some runs in it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.models.runs import MIME, Run
from app.session.library_room import LibraryRoom
from app.session.thumbnails import as_png
from app.window.main_window import MainWindow
from app.window.run_chips import told_whole
from app.window.run_list import RUN_ROLE
from app.window.run_search import searched
from app.window.run_table import RunTable
from engine.config.parameters import with_values
from engine.runs.library import Library
from engine.runs.records import Label, Origin, RunRecord, Status
from engine.runs.room import budget_of
from tests.app.shorthands import chip_place, click_eye, double_click, enter, heard, said
from tests.app.test_run_library import recorded

Make = Callable[..., MainWindow]
LEFT, CONTROL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(library_place: Path, make_window: Make) -> MainWindow:
    """On a library with three runs on the cart pole and one elsewhere."""
    with Library(library_place) as library:
        recorded(library)
        recorded(library, estimator__baseline={"kind": "none"})
        recorded(library, environment__id="Acrobot-v1")
        recorded(library, Status.INTERRUPTED, seed=7)
    return make_window()


def numbers(window: MainWindow) -> list[int]:
    """Of the runs on the shelf, from the left."""
    runs = window.runs.shelf.list
    return [runs.index(row, 0).data(RUN_ROLE).record.number for row in range(runs.rowCount())]


def behind(window: MainWindow) -> list[int]:
    """Of the runs that are drawn behind the one that is shown."""
    return [run.number for run in window.runs.shelf.ghosts()]


def press(window: MainWindow, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(QApplication.focusWidget() or window, key, modifiers)
    QApplication.processEvents()


def test_runs_of_the_library_open_hide_pin_and_are_named_on_the_shelf(window: MainWindow, qtbot: QtBot) -> None:
    controller, chips = window.controller, window.runs.chips
    assert numbers(window) == [4, 3, 2, 1]
    assert said(window)[2] == "run 2: baseline: none"
    # opened by a double click, with its curves and its choice
    double_click(window, 3)
    assert (controller.shown.run.number, controller.state) == (1, RunState.FINISHED)
    assert controller.history.iterations == 2
    assert window.experiment.config == controller.config
    assert window.runs.row.name.text().startswith("run 1 · ")
    # its eye draws another behind it, unless that is of another environment
    click_eye(window, 2)
    assert behind(window) == [2]
    click_eye(window, 1)
    assert "it is drawn once a run of that is shown" in window.frame.shelf.notice.text()
    click_eye(window, 1)
    assert behind(window) == [2]
    # it stays a ghost when another is opened from the keyboard
    chips.setFocus()
    chips.setCurrentIndex(chips.runs.index(2, 0))
    press(window, Qt.Key.Key_Return)
    assert (controller.shown.run.number, behind(window)) == (2, [1])
    # the name is typed upon the chip, of one that is not shown
    chips.setCurrentIndex(chips.runs.index(0, 0))
    press(window, Qt.Key.Key_F2)
    editor = QApplication.focusWidget()
    assert isinstance(editor, QLineEdit)
    QTest.keyClicks(editor, "no baseline")
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "run 4: no baseline" in said(window))
    assert (controller.shown.run.number, QApplication.focusWidget()) == (2, chips)
    # pinned, it stands first
    place = chip_place(window, 3)
    QTest.mouseClick(chips.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, chips._painter._pin(place).center())
    assert numbers(window) == [1, 4, 3, 2]
    assert chips.runs.mimeData([chips.runs.index(0, 0)]).data(MIME).data().decode() == controller.ghost.run.id


def test_what_is_deleted_comes_back_by_ctrl_z_and_nothing_asks(window: MainWindow) -> None:
    chips = window.runs.chips
    for row, modifiers in ((0, Qt.KeyboardModifier.NoModifier), (2, CONTROL)):
        QTest.mouseClick(chips.viewport(), LEFT, modifiers, chip_place(window, row).center())
    press(window, Qt.Key.Key_Delete)
    assert numbers(window) == [3, 1]
    assert window.actions_by_name["undo"].text() == "Undo delete 2 runs"
    press(window, Qt.Key.Key_Z, CONTROL)
    assert numbers(window) == [4, 3, 2, 1]
    press(window, Qt.Key.Key_Z, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert numbers(window) == [3, 1]
    double_click(window, 1)
    window.run_library._records.pop(window.controller.shown.run.id)  # as one that has begun since the last look
    window.runs.shelf.refresh()
    assert numbers(window) == [3]


def test_eye_pin_and_name_are_undone_by_ctrl_z_and_done_again(window: MainWindow, qtbot: QtBot) -> None:
    chips, again = window.runs.chips, CONTROL | Qt.KeyboardModifier.ShiftModifier
    undo = window.actions_by_name["undo"]
    double_click(window, 3)
    double_click(window, 2)  # the one before stays as a ghost
    click_eye(window, 3)
    assert (behind(window), undo.text()) == ([], "Undo hide run 1")
    click_eye(window, 0)
    assert (behind(window), undo.text()) == ([4], "Undo draw run 4 beside")
    place = chips._painter._pin(chip_place(window, 0)).center()
    QTest.mouseClick(chips.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, place)
    chips.setCurrentIndex(chips.runs.index(0, 0))
    press(window, Qt.Key.Key_F2)
    QTest.keyClicks(QApplication.focusWidget(), "the good one")
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: undo.text() == "Undo rename run 4")
    states = [(Label("the good one", pinned=True), [4]), (Label(pinned=True), [4]), (Label(), [4]), (Label(), [])]
    for label, drawn in states[1:]:
        press(window, Qt.Key.Key_Z, CONTROL)
        assert (window.run_library.records()[0].label, behind(window)) == (label, drawn)
    press(window, Qt.Key.Key_Z, CONTROL)
    assert behind(window) == [1]
    press(window, Qt.Key.Key_Z, again)
    for label, drawn in reversed(states[:-1]):
        press(window, Qt.Key.Key_Z, again)
        assert (window.run_library.records()[0].label, behind(window)) == (label, drawn)


def test_edits_are_undone_one_by_one_or_all_at_once_from_the_list_of_what_was_tried(window: MainWindow) -> None:
    experiment, undoing = window.experiment, window.runs.undoing
    first = experiment.config
    experiment.set_value("update.learning_rate", 0.1)
    experiment.set_value("update.learning_rate", 0.2)  # soon after, which is one edit
    experiment.set_value("seed", 5)
    second = experiment.config
    double_click(window, 3)
    window.controller.reset()
    tried = next(menu for menu in window.findChildren(QMenu) if menu.title() == "What was tried")
    tried.aboutToShow.emit()
    words = [action.text() for action in tried.actions()]
    assert words[0] == "Reset run 1"
    assert words[1].startswith("Edit: ")
    assert words[2:] == ["Edit: seed 1 → 5", f"Edit: α {first.update.learning_rate:g} → 0.2", "As it was at first"]
    assert [action.isChecked() for action in tried.actions()] == [True, False, False, False, False]
    press(window, Qt.Key.Key_Z, CONTROL)
    assert window.controller.shown.run.number == 1
    press(window, Qt.Key.Key_Z, CONTROL)
    assert experiment.config == second
    tried.aboutToShow.emit()
    tried.actions()[-1].trigger()
    assert (experiment.config, undoing.stack.index()) == (first, 0)
    assert "edited" not in window.toolbar.preset_button.text()
    press(window, Qt.Key.Key_Z, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert experiment.config == with_values(first, {"update.learning_rate": 0.2})
    experiment.set_value("update.learning_rate", first.update.learning_rate)
    experiment.set_value("update.learning_rate", 0.2)
    assert undoing.stack.count() <= 2  # there and back is nothing


def test_while_a_run_trains_only_what_may_change_then_is_undone(make_window: Make, reach: Callable[..., None]) -> None:
    window = make_window(budget__environment_steps=10_000_000, device="cpu")
    refused = heard(window.runs.undoing.refused)
    window.experiment.set_value("seed", 3)
    window.start()
    reach(window, RunState.RUNNING)
    old = window.experiment.config.update.learning_rate
    window.experiment.set_value("update.learning_rate", 0.5)
    window.controller.change("update.learning_rate", 0.5)
    press(window, Qt.Key.Key_Z, CONTROL)
    assert (window.experiment.config.update.learning_rate, window.controller.config.update.learning_rate) == (old, old)
    press(window, Qt.Key.Key_Z, CONTROL)
    assert window.experiment.config.seed == 3
    assert "cannot be undone while a run trains" in refused[0]


def test_a_field_that_has_nothing_to_undo_leaves_the_key_to_the_window(window: MainWindow) -> None:
    field = next(field for field in window.experiment_panel.findChildren(QLineEdit) if field.isVisible())
    before = window.experiment.config
    window.experiment.set_value("seed", 5)
    field.setFocus()
    press(window, Qt.Key.Key_Z, CONTROL)
    assert (window.experiment.config, field.hasFocus()) == (before, True)
    QTest.keyClicks(field, "7")
    typed = field.text()
    press(window, Qt.Key.Key_Z, CONTROL)
    assert (field.text() != typed, window.experiment.config) == (True, before)


def test_all_runs_are_searched_labelled_and_opened_in_their_list(window: MainWindow, qtbot: QtBot) -> None:
    press(window, Qt.Key.Key_L, CONTROL)
    table = window.frame.findChild(RunTable)
    assert table.isVisible()
    assert table.count.text() == "4 runs"
    assert table.search.hasFocus()
    QTest.keyClicks(table.search, "cart INTERRUPTED")
    assert (table.count.text(), table.found.rowCount()) == ("1 of 4 runs", 1)
    press(window, Qt.Key.Key_Return)
    assert [chip.record.number for chip in table.table.chips()] == [4]
    for field, words in ((table.details.title, "broken off"), (table.details.tags, "week 3, odd")):
        field.setFocus()
        QTest.keyClicks(field, words)
    table.details.note.setFocus()
    QTest.keyClicks(table.details.note, "what came of it")
    table.search.clear()
    QTest.keyClicks(table.search, "odd")  # which keeps what was typed
    label = Label("broken off", "what came of it", ("week 3", "odd"))
    qtbot.waitUntil(lambda: window.run_library.records()[0].label == label)
    assert table.found.rowCount() == 1
    assert "run 4: broken off" in said(window)
    table.table.selectRow(0)
    table.table.setFocus()
    press(window, Qt.Key.Key_Return)
    assert (window.controller.shown.run.number, window.controller.state) == (4, RunState.STOPPED)
    assert not table.open_button.isEnabled()
    window.frame.log_action.trigger()  # takes its place
    assert not table.isVisible()


def test_forks_stand_under_the_run_they_come_from_and_each_has_its_picture(
    window: MainWindow, library_place: Path, qtbot: QtBot
) -> None:
    runs = [record.id for record in reversed(window.run_library.records())]
    with Library(library_place) as library:
        of_this = library.run(runs[1]).configuration
        for name, parent in (("child", runs[1]), ("grandchild", "child"), ("other", runs[1])):
            library.begin(RunRecord(name, 0, of_this, Status.STOPPED, 2e9, origin=Origin(parent, 1, 100)))
        library.keep_thumbnail("child", as_png(QImage(200, 100, QImage.Format.Format_RGB32)))
    window.run_library.look()
    press(window, Qt.Key.Key_L, CONTROL)
    table = window.frame.findChild(RunTable)
    found = table.found

    def rows() -> list[tuple[int, int]]:
        """The number of each run, and how far it stands in."""
        indices = [found.index(row, 0) for row in range(found.rowCount())]
        return [(index.data(RUN_ROLE).record.number, len(found.rails(index))) for index in indices]

    newest_first = [(2, 0), (7, 1), (5, 1), (6, 2), (4, 0), (3, 0), (1, 0)]
    assert rows() == newest_first
    header = table.table.horizontalHeader()
    place = QPoint(header.sectionPosition(0) + 5, header.height() // 2)
    QTest.mouseClick(header.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, place)
    assert rows() == [(1, 0), (2, 0), (5, 1), (6, 2), (7, 1), (3, 0), (4, 0)]
    table.table.sortByColumn(6, Qt.SortOrder.DescendingOrder)
    assert all(depth == 0 for _, depth in rows())
    table.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    QTest.keyClicks(table.search, "stopped")  # which its parent is not
    assert rows() == [(7, 0), (5, 0), (6, 1)]
    table.table.selectRow(1)
    assert table.details.picture.pixmap().width() > table.details.picture.pixmap().height()
    table.table.selectRow(0)
    assert not table.details.picture.isVisible()
    window.run_library.keep_picture("other", as_png(QImage(40, 40, QImage.Format.Format_RGB32)))
    assert table.details.picture.isVisible()
    table.search.clear()
    window.run_library.delete([runs[1]])
    qtbot.waitUntil(lambda: rows() == [(7, 0), (5, 0), (6, 1), (4, 0), (3, 0), (1, 0)])
    press(window, Qt.Key.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: rows() == newest_first)


def test_a_finished_run_goes_on_from_its_chip_and_from_where_it_was(
    make_window: Make, qtbot: QtBot, reach: Callable[..., None]
) -> None:
    window = make_window(budget__environment_steps=500, device="cpu")
    controller = window.controller
    window.start()
    reach(window, RunState.FINISHED)
    done, run = controller.history.environment_steps, controller.shown.run.id
    controller.reset()
    qtbot.waitUntil(lambda: controller.shown is None and len(window.run_library.records()) == 1)
    menu = QMenu()
    window.runs.shelf.fill_menu(menu, [run])
    entries = {action.text(): action for action in menu.actions()}
    assert "Go on" not in entries  # since it is at its end
    entries["Go on for 500 more"].trigger()
    reach(window, RunState.FINISHED)
    assert (controller.shown.run.number, controller.shown.run.id) == (1, run)
    assert controller.history.environment_steps >= done + 500 - 1
    assert np.all(np.diff(controller.history.steps.values.astype(int)) > 0)


def test_a_run_is_found_by_all_that_a_person_calls_it_by(window: MainWindow) -> None:
    text = searched(window.run_library.records()[2])
    for word in ("run 2", "cart pole", "cartpole-v1", "seed 1", "finished", "reinforce", "none"):
        assert word in text
    press(window, Qt.Key.Key_L, CONTROL)
    found = window.frame.findChild(RunTable).found
    for words, count in (
        ("seed 1", 3),
        ("run 2", 1),
        ("seed", 4),
        ("cart seed 7", 1),
        ("seed 1 acro", 1),
        ("nothing", 0),
    ):
        found.search(words)
        assert (words, found.rowCount()) == (words, count)


def test_a_chip_says_its_state_whole_and_has_the_ring_that_shows_the_keyboard(window: MainWindow) -> None:
    chips = window.runs.chips
    metrics = QFontMetrics(chips.font())
    for room in range(metrics.horizontalAdvance("interrupted"), 400, 7):
        for words in (["−499.5", "interrupted", "seed 123456"], ["interrupted", "seed 1"]):
            told, beside = told_whole(words, metrics, room, 40)
            assert "interrupted" in told
            assert metrics.horizontalAdvance(told) + beside <= room
    QTest.mouseClick(chips.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, chip_place(window, 1).center())
    QApplication.processEvents()
    image, focus = chips.grab().toImage(), QColor(window.look.theme.focus)
    in_focus = {x for x in range(image.width()) for y in range(image.height()) if image.pixelColor(x, y) == focus}
    place = chips.visualRect(chips.currentIndex())
    assert chips.hasFocus()
    assert in_focus
    assert place.left() <= min(in_focus) < max(in_focus) <= place.right() + 4  # and not around the whole shelf


def test_a_chip_says_what_it_can_do_for_the_run_in_its_menu(window: MainWindow) -> None:
    menu = QMenu()
    run = window.run_library.records()[0]
    window.runs.shelf.fill_menu(menu, [run.id])
    entries = {action.text().partition("\t")[0]: action for action in menu.actions()}
    assert {"Open", "Draw beside", "Pin to the shelf", "Rename…", "Tags and note…", "Delete"} <= entries.keys()
    entries["Draw beside"].trigger()
    assert behind(window) == [4]
    entries["Tags and note…"].trigger()
    assert window.frame.findChild(RunTable).table.selected() == [run.id]
    assert isinstance(window.runs.shelf.ghosts()[0], Run)


def test_the_room_that_runs_take_is_told_and_what_was_deleted_can_go_for_good(window: MainWindow, qtbot: QtBot) -> None:
    run = window.run_library.records()[0]
    window.actions_by_name["all_runs"].trigger()
    table = window.frame.findChild(RunTable)
    room = table.room
    qtbot.waitUntil(lambda: room.budget.text() == "4 GB")
    assert not room.button.isEnabled()
    enter(room.budget, "8 TB")
    enter(room.budget, "much")
    assert "A size is a number with a unit" in window.frame.shelf.notice.text()
    qtbot.waitUntil(lambda: room.budget.text() == "8 TB")
    assert (budget_of(window.run_library.folder), room.warning.isVisible()) == (8 << 40, False)
    window.run_library.delete([run.id])
    QTest.mouseClick(table.gone_button, LEFT)
    table.table.selectRow(0)
    assert (table.count.text(), table.delete_button.text()) == ("1 run", "Bring back")
    QTest.mouseClick(table.delete_button, LEFT)
    assert (table.count.text(), len(window.run_library.records())) == ("0 runs", 4)
    window.run_library.delete([run.id])
    qtbot.waitUntil(room.button.isEnabled)
    (action,) = room.menu.actions()
    assert action.text().startswith("Remove 1 deleted run (frees ")
    action.trigger()
    qtbot.waitUntil(lambda: window.run_library.record(run.id) is None)
    window.runs.undoing.undo()
    assert len(window.run_library.records()) == 3
    qtbot.waitUntil(lambda: "takes" in window.frame.shelf.notice.text() and not window.run_library.room.busy)


def test_what_is_asked_of_the_room_while_it_is_measured_is_done_after_it(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, go_on, told = LibraryRoom(tmp_path), threading.Event(), []
    monkeypatch.setattr(
        LibraryRoom, "_measure", lambda room, _library: (go_on.wait(20.0), room.measured.emit(1, (), ""))
    )
    room.measured.connect(lambda *_: told.append(1))
    for _ in range(3):
        room.measure()
    go_on.set()
    qtbot.waitUntil(lambda: not room.busy)
    qtbot.waitUntil(lambda: len(told) == 2)
    room.close()
