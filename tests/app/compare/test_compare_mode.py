"""The Compare mode: runs of the library on one plot, with what differs between them, on the real window."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.compare.overlay import ALONE, EMPTY, axis_end
from app.compare.page import ComparePage
from app.compare.run_picker import default_ticks
from app.models.run_names import name_beside, names_apart
from app.models.run_state import RunState
from app.models.runs import MIME
from app.panels.returns import ReturnsPanel
from app.plotting.run_lines import spread
from app.window import run_shelf
from app.window.main_window import MainWindow
from app.window.modes import ModeButton
from app.window.run_row import NOTHING_YET
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.runs.comparison.differences import flattened, varying
from engine.runs.library import Library
from engine.runs.place import library_folder
from engine.runs.records import TOGETHER, Origin, RunRecord
from engine.runs.series import Series
from tests.app.compare.ticking import only, tick
from tests.engine.runs.libraries import filled, record


def test_ticked_runs_are_drawn_and_only_what_differs_stands_in_the_table(page: ComparePage, qtbot: QtBot) -> None:
    # With nothing chosen, the run on screen stands beside the one before it.
    records = page.picker.rows.records
    numbers = {record.id: record.number for record in records}
    by_number = {number: id for id, number in numbers.items()}
    assert [numbers[id] for id in default_ticks(records, (), by_number[2])] == [2, 3]
    assert [numbers[id] for id in default_ticks(records, (by_number[4],), "")] == [4]
    assert default_ticks(records, ("a", "b"), "") is not None

    only(page, qtbot, 1, 2)
    assert [line.number for line in page.overlay.lines] == [1, 2]
    assert [line.name for line in page.overlay.lines] == ["1 · α 0.01", "2 · α 0.5"]
    grid = page.table.grid
    heads = [column.title for column in grid.cells.columns]
    assert heads == ["Run", "Final return", "Best return", "Area", "Steps to 475", "Seconds to 475", "Learning rate"]
    tick(page, qtbot, 3)
    assert "Seed" in [column.title for column in grid.cells.columns]
    qtbot.keyClick(grid, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().splitlines()[2].startswith("2 · α 0.5, seed 1\t")
    tick(page, qtbot, 2)
    assert [line.number for line in page.overlay.lines] == [1, 3]

    # Searching leaves the runs that hold all words.
    qtbot.keyClicks(page.picker.search, "acrobot")
    assert [record.number for record in page.picker.rows.records] == [4]
    qtbot.keyClicks(page.picker.search, " cartpole")
    assert page.picker.rows.records == []


def test_hovering_reads_all_curves_at_once_and_smoothing_is_said(page: ComparePage, qtbot: QtBot) -> None:
    only(page, qtbot, 1, 2)
    overlay = page.overlay
    assert overlay.plot.bottom.labelText == "environment steps"
    overlay.smoothing_box.setCurrentIndex(1)
    overlay.axis_box.setCurrentIndex(overlay.axis_box.findData("seconds"))
    assert overlay.plot.bottom.labelText == "seconds of training · smoothed: mean of 5 iterations"
    title = overlay.plot.bottom.label
    middle = title.x() + title.boundingRect().width() / 2
    assert middle == pytest.approx(overlay.plot.bottom.size().width() / 2, abs=2)
    view = overlay.plot.viewport()
    x, _ = overlay.plot.ranges
    share = float(overlay.lines[0].x[-1]) / x[1]
    frame = overlay.plot._frame(overlay.plot._view.mapRectToScene(overlay.plot._view.rect()))
    qtbot.mouseMove(view, QPoint(round(frame.rect.left() + share * frame.rect.width()) - 4, view.height() // 2))
    qtbot.waitUntil(lambda: overlay.plot.reading is not None)
    reading = overlay.plot.reading
    assert reading is not None
    assert [line.partition("  ")[2] for line in reading.lines[1:]] == ["1 · α 0.01", "2 · α 0.5"]
    assert len(reading.runs) == 2


def test_runs_dropped_on_the_page_or_on_the_name_of_the_mode_are_compared(page: ComparePage, qtbot: QtBot) -> None:
    only(page, qtbot)
    window = page.window()
    assert isinstance(window, MainWindow)
    train, compare, _ = window.findChildren(ModeButton)
    qtbot.mouseClick(train, Qt.MouseButton.LeftButton)
    assert (page.isVisible(), train.acceptDrops(), compare.acceptDrops()) == (False, False, True)
    let_go(compare, page.picker.rows.records[1:3])
    qtbot.waitUntil(lambda: page.isVisible() and len(page.compared.runs) == 2)
    let_go(page, page.picker.rows.records[3:])
    qtbot.waitUntil(lambda: len(page.compared.runs) == 3)


def let_go(target: QWidget, records: Sequence[RunRecord]) -> None:
    """Let these runs go over a widget."""
    data = QMimeData()
    data.setData(MIME, "\n".join(record.id for record in records).encode())
    actions, buttons, modifiers = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(target, QDragEnterEvent(QPoint(5, 5), actions, data, buttons, modifiers))
    QApplication.sendEvent(target, QDropEvent(QPointF(5, 5), actions, data, buttons, modifiers))


def test_presenting_shows_the_curves_alone_and_puts_them_back(page: ComparePage, qtbot: QtBot) -> None:
    window = page.window()
    assert isinstance(window, MainWindow)
    only(page, qtbot, 1, 2)
    # also from the list of runs, where letters find nothing and Space ticks
    listed = page.picker.list
    listed.setFocus()
    listed.setCurrentIndex(page.picker.rows.index(0))
    ticked = set(window.run_library.shown)
    qtbot.keyClick(listed, Qt.Key.Key_Space)
    assert len(ticked ^ set(window.run_library.shown)) == 1
    qtbot.keyClick(listed, Qt.Key.Key_Space)
    assert window.controller.state is RunState.IDLE
    qtbot.keyClick(listed, Qt.Key.Key_P)
    assert window.present.is_on
    assert window.present.isAncestorOf(page.overlay)
    assert page.overlay.plot.isVisible()
    assert window.present.run_label.text() == "run 1: α 0.01 · run 2: α 0.5"
    assert window.present.state_label.text() == ""
    overlay = page.overlay
    for box in (overlay.metric_box, overlay.axis_box, overlay.smoothing_box):
        assert box.room >= max(box.fontMetrics().horizontalAdvance(box.itemText(at)) for at in range(box.count()))
    names = max(overlay.plot.letters.horizontalAdvance(line.name) for line in overlay.lines)
    (_, seen), _ = overlay.plot.ranges
    assert (1 - overlay.lines[0].x[-1] / seen) * overlay.plot.area.width() > min(names, 0.35 * overlay.plot.width())
    qtbot.keyClick(window, Qt.Key.Key_3)
    assert window.present.run_label.text() == NOTHING_YET
    window.present.leave()
    window.run_library.show_only(())
    qtbot.waitUntil(lambda: not page.compared.runs and not page.compared.is_reading)
    assert overlay._stage._hint.text() == EMPTY
    qtbot.keyClick(window, Qt.Key.Key_P)
    assert overlay._stage._hint.text() == ALONE
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert page.isAncestorOf(page.overlay)
    assert page.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    assert not page.isVisible()


def test_runs_that_differ_in_much_are_told_apart_by_their_methods() -> None:
    ppo = {"update": "ppo-clip", "collection": "fixed-length", "estimator.credit": "gae"}
    choices = ({}, {"seed": 2}, ppo, {**ppo, "environment": "Acrobot-v1"})
    records = [record(values, id=str(number)) for number, values in enumerate(choices)]
    flat = [(flattened(each.config), each.changes) for each in records]
    assert list(names_apart(records, varying(flat)).values()) == [
        "REINFORCE + learned baseline · Cart pole · seed 1",
        "REINFORCE + learned baseline · Cart pole · seed 2",
        "PPO · Cart pole",
        "PPO · Acrobot",
    ]
    assert list(names_apart(records[:3], varying(flat[:3])).values())[2] == "PPO"
    assert name_beside(records[2], records[0]) == "PPO"
    assert name_beside(records[1], records[0]) == "seed 2"


def test_the_axis_has_room_for_a_budget_that_all_runs_come_near() -> None:
    assert axis_end([60_000.0, 100_000.0], 110_000.0) == 110_000.0
    assert axis_end([10_000.0, 100_000.0], 50_000_000.0) == axis_end([10_000.0, 100_000.0], 110_000.0) == 100_000.0


def test_names_at_the_ends_of_lines_do_not_cover_each_other() -> None:
    assert spread([10.0, 12.0, 95.0], 10.0, (0.0, 100.0)) == [10.0, 20.0, 90.0]
    places = np.array(spread([50.0] * 5, 10.0, (0.0, 100.0)))
    assert (np.diff(places) >= 10.0).all()


def test_the_terms_that_differ_are_outlined_in_both_equations(page: ComparePage, qtbot: QtBot) -> None:
    only(page, qtbot, 1, 2)
    page.tabs.setCurrentWidget(page.equations)
    views = page.equations.pair.views
    qtbot.waitUntil(lambda: all(view.lines and view.is_up_to_date for view in views))
    outlined = [{line[number].latex.strip() for line, number in view._outlined} for view in views]
    assert outlined == [{r"\alpha"}, {r"\alpha"}]
    ground = views[0].grab().toImage()  # of which the edges are free, so that no frame is cut off there
    edge = {ground.pixel(x, y) for x in (0, ground.width() - 1) for y in range(ground.height())}
    assert len(edge) == 1
    words = page.equations._sentence
    assert words.text() == "Outlined is what one has otherwise than the other."
    tick(page, qtbot, 3)
    page.equations.choice.boxes[1].setCurrentIndex(2)
    assert "The equation has no term for seed;" in words.text()
    heads = {column.title: column.bold for column in page.table.grid.cells.columns}
    assert heads["Seed"] == [True] * 3
    assert heads["Learning rate"] == [False] * 3
    bare, learned = (with_values(PolicyGradientConfig(), {"estimator.baseline": kind}) for kind in ("none", "value"))
    page.equations.pair.show_configs(bare, learned)
    outlined = [{line[number].part for line, number in view._outlined} for view in views]
    assert outlined[0] == set()
    assert "baseline" in outlined[1]
    assert outlined[1] <= {"", "baseline"}


def test_a_run_is_duplicated_with_one_thing_changed_and_compared(
    page: ComparePage, qtbot: QtBot, reach: Callable[..., None]
) -> None:
    window = page.window()
    assert isinstance(window, MainWindow)
    only(page, qtbot, 2)
    page.picker.duplicate_button.click()
    assert not page.isVisible()
    assert window.experiment.config == page.picker.rows.records[2].config
    window.experiment.set_value("estimator.baseline", "average")
    window.experiment.set_value("budget.environment_steps", 100)
    window.start()
    reach(window, RunState.FINISHED)
    qtbot.waitUntil(lambda: page.isVisible() and len(page.compared.runs) == 2)
    assert [run.record.number for run in page.compared.runs] == [2, 5]
    assert page.tabs.currentWidget() is page.equations
    qtbot.waitUntil(lambda: all(view._outlined for view in page.equations.pair.views[1:]))


def test_a_run_that_trains_is_followed_and_only_what_is_new_is_read(
    page: ComparePage, qtbot: QtBot, reach: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    window = page.window()
    assert isinstance(window, MainWindow)
    window.experiment.set_value("collection.episodes_per_update", 2)
    window.experiment.set_value("budget.environment_steps", 10_000_000)
    window.controller.set_pace(30)
    window.start()
    reach(window, RunState.RUNNING)
    shown = window.controller.shown
    assert shown is not None
    qtbot.waitUntil(lambda: page.picker.rows.records[0].id == shown.run.id)
    assert page.picker.rows.index(0).data().endswith(" · training")
    only(page, qtbot, 1, 5)
    live = page.compared.runs[1]
    read: list[tuple[str, int]] = []
    series = Library.series

    def noted(library: Library, run: str, stream: str, since: int = 0) -> Series:
        read.append((run, since))
        return series(library, run, stream, since)

    monkeypatch.setattr(Library, "series", noted)
    begun = len(live.series)
    qtbot.waitUntil(lambda: len(page.compared.runs[1].series) > begun + 5, timeout=20_000)
    told = page.compared.runs[1].series
    assert told["iteration"].tolist() == list(range(1, len(told) + 1))
    assert {run for run, _ in read} == {live.id}  # and nothing of the run at rest
    assert all(since >= begun - 1 for _, since in read)
    qtbot.waitUntil(lambda: len(page.overlay.lines[1].x) > begun)
    longest = max(line.x[-1] for line in page.overlay.lines)
    assert page.overlay.plot.ranges[0][1] < 2 * longest  # however far its budget is
    window.controller.stop()
    reach(window, RunState.STOPPED)


def test_forks_stand_under_the_run_that_they_come_from_and_a_chip_offers_to_duplicate_its_run(
    page: ComparePage, qtbot: QtBot
) -> None:
    parent = next(record for record in page.picker.rows.records if record.number == 1)
    with Library(library_folder()) as library:
        child = filled(library, {"seed": 9}, origin=Origin(parent.id, 2, 200))
    page._library.look()
    rows, listed = page.picker.rows, page.picker.list
    assert [record.number for record in rows.records] == [1, 5, 4, 3, 2]
    assert rows.index(1).data(Qt.ItemDataRole.AccessibleTextRole).endswith(", forked from run 1")
    page.picker.clear_button.click()
    moved_in = QPoint(listed.visualRect(rows.index(1)).left() + 24, listed.visualRect(rows.index(1)).center().y())
    qtbot.mouseClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=moved_in)
    assert page._library.shown == (child.id,)
    picture = listed.viewport().grab().toImage()
    beside = [picture.pixelColor(7, listed.visualRect(rows.index(row)).top() + 3) for row in (1, 2)]
    assert beside[0] != beside[1]  # the line that leads to it

    window = page.window()
    assert isinstance(window, MainWindow)
    wanted = page.picker.rows.records[-1]
    assert window.experiment.config != wanted.config
    menu = QMenu()
    window.runs.shelf.fill_menu(menu, [wanted.id])
    next(action for action in menu.actions() if action.text().startswith("Duplicate")).trigger()
    assert not page.isVisible()
    assert window.experiment.config == wanted.config


def test_no_return_is_best_among_those_of_other_environments_and_what_was_not_recorded_is_named(
    page: ComparePage, qtbot: QtBot
) -> None:
    only(page, qtbot, 1, 4)
    heads = {column.title: column.bold for column in page.table.grid.cells.columns}
    assert not any(heads["Final return"])
    assert "Environment" in heads
    assert [run.name for run in page.compared.runs] == ["Cart pole", "Acrobot"]
    caveat = page.overlay.caveat
    assert caveat.isVisibleTo(page)
    assert "2 environments (Cart pole, Acrobot), whose returns are not of one scale" in caveat.text()
    only(page, qtbot, 1, 2)
    assert not page.overlay.caveat.isVisibleTo(page)
    with Library(library_folder()) as library:
        together = filled(library, {"seed": 7}, inexact=(TOGETHER,))
    page._library.look()
    tick(page, qtbot, together.number)
    assert not caveat.isVisibleTo(page)  # of the curves all can be compared, until they are over seconds
    page.overlay.axis_box.setCurrentIndex(page.overlay.axis_box.findData("seconds"))
    assert caveat.text() == page.table.caveat.text()
    assert caveat.text() == (
        "Run 5 was trained together with other seeds: its seconds are those of all together, and cannot be compared "
        "with those of a run by itself."
    )
    heads = {column.title: column.bold for column in page.table.grid.cells.columns}
    assert not any(heads["Seconds to 475"])

    earlier = page.picker.rows.records[0]
    with Library(library_folder()) as library:
        run = library.begin(record())
        columns = ("iteration", "environment_steps", "episodes", "seconds", "mean_return")
        library.append(run.id, "iterations", columns, np.array([[1.0, 100.0, 2.0, 0.5, 20.0]]))
    page._library.look()
    overlay = page.overlay
    only(page, qtbot, run.number)
    overlay.axis_box.setCurrentIndex(overlay.axis_box.findData("gradient_steps"))
    assert not overlay._stage.filled
    assert "gradient steps recorded" in overlay._stage._hint.text()
    tick(page, qtbot, earlier.number)
    assert overlay.plot.bottom.labelText == f"gradient steps (of run {run.number} they were not recorded)"


def test_each_that_shows_compared_runs_has_a_turn_of_its_own(page: ComparePage, qtbot: QtBot) -> None:
    compared, told = page.compared, []
    for name in "ab":
        compared.follow(lambda name=name: told.append(name))
    compared.library.show_only([record.id for record in page.picker.rows.records[:3]])
    sizes = []
    while compared.is_reading:
        compared._take_turn()
        sizes.append(len(told))
    assert told == ["a", "b"]
    assert max(np.diff(sizes)) == 1


def test_what_is_drawn_beside_in_the_train_mode_is_read_once_that_is_seen_a_run_in_a_turn(
    page: ComparePage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_shelf, "_SLICE", 0.0)
    window = page.window()
    assert isinstance(window, MainWindow)
    only(page, qtbot, 1)
    shelf = window.runs.shelf
    with qtbot.assertNotEmitted(shelf.drawn_changed):
        for number in (2, 3, 4):
            tick(page, qtbot, number)
    with qtbot.waitSignal(shelf.drawn_changed):
        qtbot.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
        assert len(shelf.ghosts()) == 1
    assert [run.number for run in shelf.ghosts()] == [1, 2, 3]  # those of the environment that is shown
    assert window.panels.find(ReturnsPanel)._ghosts.runs == tuple(shelf.ghosts())
