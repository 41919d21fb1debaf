"""The row of the run that is shown, the chips of the runs and the pace, in a real window with a real engine thread."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from app.models.history import History
from app.models.run_state import LOCKED, RunState
from app.models.runs import Difference
from app.session.run_progress import Advance
from app.session.stops import Slow
from app.window.main_window import MainWindow
from app.window.pace import PACES, pace_text
from app.window.run_list import RUN_ROLE
from app.window.run_row import NOTHING_YET, RunRow, RunWords
from app.window.runs import Runs
from engine.catalogue.environments import ENVIRONMENTS
from engine.reports.events import Heartbeat, Solved, Updated
from engine.runs.records import Status
from tests.app.shorthands import click_eye, double_click, heard, said
from tests.each import each

Make = Callable[..., MainWindow]
Reach = Callable[..., None]
LEFT = Qt.MouseButton.LeftButton
ENDLESS = 10_000_000


def buttons(runs: Runs) -> list[str]:
    """What can be pressed in the row."""
    return [button.text() for button in runs.row.findChildren(QPushButton) if button.isVisible()]


def press(button: QPushButton) -> None:
    assert button.isVisible()
    QTest.mouseClick(button, LEFT)


def edit(window: MainWindow, path: str, value: object) -> None:
    assert window.experiment.set_value(path, value) is None


def iterate(qtbot: QtBot, window: MainWindow, more: int = 1) -> None:
    """Wait until the run that is shown has told of so many more iterations."""
    wanted = window.controller.history.iterations + more
    qtbot.waitUntil(lambda: window.controller.history.iterations >= wanted, timeout=20_000)


# --- words ------------------------------------------------------------------------------------------------------------


def test_the_first_difference_is_told_and_how_many_more_there_are() -> None:
    alpha = Difference("update.learning_rate", "Learning rate", "α", 0.001, 0.002)
    seed = Difference("seed", "Seed", "", 1, 2)
    assert RunWords("run 1").edited == ""
    assert RunWords("run 1", "stopped", (alpha,)).edited == "edited: α 0.001 → 0.002"
    assert RunWords("run 1", "stopped", (alpha, seed, seed)).edited == "edited: α 0.001 → 0.002, +2 more"


def test_in_a_narrow_window_texts_are_cut_and_buttons_are_not(qtbot: QtBot) -> None:
    row = RunRow()
    qtbot.addWidget(row)
    long = Difference("x", "Learning rate of a very long name", "", 0.001, 0.002)
    row.show_words(
        RunWords("run 2 · PPO, Lagrange multiplier · Cart pole, velocities hidden · seed 1", "stopped", (long,))
    )
    row.offer_to_go_on("run 2", "as it was")
    row.show_buttons(row.go_on_button, row.back_button)
    row.resize(row.minimumSizeHint())
    row.show()
    assert row.width() < 600
    for whole in (row.go_on_button, row.back_button, row.state):
        assert whole.width() >= whole.sizeHint().width()
    assert row.back_button.geometry().right() < row.width()
    assert row.name.width() < row.name.sizeHint().width()
    row.resize(row.width() + row.edited.sizeHint().width(), row.height())
    QApplication.sendPostedEvents()
    assert row.name.width() < row.name.sizeHint().width()  # which gives way first
    assert row.edited.width() >= row.edited.sizeHint().width()
    height = row.sizeHint().height()
    row.show_buttons()
    assert row.sizeHint().height() == height  # so that nothing beneath moves


def test_paces_go_from_a_stop_in_several_seconds_over_one_iteration_per_second_to_full_speed() -> None:
    slow = [pace for pace in PACES if isinstance(pace, Slow)]
    paces = [pace for pace in PACES if isinstance(pace, int | float)]
    assert (*slow, *paces, None) == PACES
    assert [pace_text(pace) for pace in (*slow[1:4], *paces[:2], None)] == [
        "a stop every 2 s",
        "1 stop/s",
        "2 stops/s",
        "1 iteration/s",
        "1.5 iterations/s",
        "full speed",
    ]
    steps = [after / before for before, after in pairwise(paces)]
    assert 1.3 < min(steps) <= max(steps) < 1.8  # even steps of a logarithm


# --- the run and its ghost --------------------------------------------------------------------------------------------


def test_a_run_is_named_is_told_as_edited_goes_on_and_leaves_a_ghost(
    qtbot: QtBot, make_window: Make, reach: Reach
) -> None:
    window = make_window(budget__environment_steps=ENDLESS, device="cpu")
    controller, runs, row = window.controller, window.runs, window.runs.row
    assert (row.name.text(), buttons(runs), runs.shelf.list.rowCount()) == (NOTHING_YET, [], 0)
    window.start()
    reach(window, RunState.RUNNING)
    name = f"run 1 · {controller.shown.run.name}"
    assert (row.name.text(), row.state.text(), row.edited.text()) == (name, "— training", "")
    iterate(qtbot, window)
    window.start_or_pause()
    reach(window, RunState.PAUSED)
    assert (row.state.text(), buttons(runs)) == ("— paused", ["Stop and change"])
    assert runs.shelf.list.index(0, 0).data(RUN_ROLE).record.status is Status.PAUSED  # at once, too
    assert window.toolbar.progress.word == "Paused"
    assert f"Paused after {controller.history.environment_steps:,} steps." in window.log.text
    window.step()
    reach(window, RunState.PAUSED)
    assert "Paused after" not in window.frame.shelf.notice.text()  # which it is no longer
    press(row.stop_button)
    reach(window, RunState.STOPPED)
    assert (row.state.text(), buttons(runs)) == ("— stopped", [])
    assert window.toolbar.progress.word == "Stopped"
    assert window.actions_by_name["start"].text() == "Go on"
    assert f"Stopped after {controller.history.environment_steps:,} steps; Go on continues it." in window.log.text
    # edited, and put back
    edit(window, "update.learning_rate", 0.002)
    edit(window, "policy.hidden_sizes", (8,))
    assert row.edited.text().startswith("edited: ")
    assert row.edited.text().endswith(", +1 more")
    assert "α 0.01 → 0.002" in row.edited.toolTip()
    assert buttons(runs) == ["Start as new", "Go on with run 1", "Fork", "Back to the run's choices"]
    assert window.actions_by_name["start"].text() == "Start"
    press(row.back_button)
    assert window.experiment.config == controller.config
    assert (row.edited.text(), buttons(runs)) == ("", [])
    # it goes on with what may change, and without what may not
    edit(window, "update.learning_rate", 0.002)
    edit(window, "policy.hidden_sizes", (8,))
    before = controller.history.iterations
    press(row.go_on_button)
    iterate(qtbot, window, 2)
    assert (controller.shown.run.number, controller.history.iterations > before) == (1, True)
    assert [(change.path, change.new) for change in controller.history.changes] == [("update.learning_rate", 0.002)]
    assert window.experiment.config == controller.config
    assert window.experiment.config.policy.hidden_sizes == (64, 64)
    controller.stop()
    reach(window, RunState.STOPPED)
    # another one, before which it stays as a ghost
    ghosts = heard_ghosts(window)
    edit(window, "seed", 7)
    window.start()
    reach(window, RunState.RUNNING)
    iterate(qtbot, window)
    assert (controller.shown.run.number, controller.ghost.run.number) == (2, 1)
    assert ([ghost.number for ghost in ghosts[-1]], said(window)) == (
        [1],
        ["run 2: seed 7", "run 1: REINFORCE + learned baseline · Cart pole"],
    )
    controller.stop()
    reach(window, RunState.STOPPED)
    double_click(window, 1)
    assert (controller.shown.run.number, controller.ghost.run.number) == (1, 2)
    assert window.actions_by_name["start"].text() == "Start"  # of run 1 the environments have been let go
    double_click(window, 0)
    controller.ghost.run = replace(controller.ghost.run, environment=ENVIRONMENTS["LunarLander-v3"])
    controller.runs_changed.emit()
    assert ghosts[-1] == []  # whose returns no axis of this one's could hold
    window.run_library.look()
    click_eye(window, 1)
    assert (controller.ghost, ghosts[-1]) == (None, [])
    assert window.actions_by_name["start"].text() == "Go on"


def heard_ghosts(window: MainWindow) -> list:
    """The ghosts that panels are told of from now on."""
    told: list = []
    panel = window.panels._made[1].widget
    before = panel.show_ghosts
    panel.show_ghosts = lambda ghosts: (told.append(ghosts), before(ghosts))
    return told


def test_a_reset_is_undone_with_curves_policy_and_the_possibility_to_go_on(
    qtbot: QtBot, make_window: Make, reach: Reach
) -> None:
    window = make_window(budget__environment_steps=ENDLESS, device="cpu")
    controller, row, undo = window.controller, window.runs.row, window.actions_by_name["undo"]
    assert not undo.isEnabled()
    window.start()
    iterate(qtbot, window, 2)
    controller.reset()  # while it trains
    reach(window, RunState.IDLE)
    assert (row.name.text(), buttons(window.runs)) == ("Run 1 was cleared.", ["Undo reset"])
    assert window.playback._choice.newest is None
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (controller.state, controller.shown.run.number, undo.isEnabled()) == (RunState.STOPPED, 1, False)
    assert window.playback._choice.newest is controller.shown.policy is not None
    held = controller.history.iterations
    assert held >= 2
    QTest.keyClick(window, Qt.Key.Key_F5)
    iterate(qtbot, window)
    assert (controller.shown.run.number, controller.history.iterations > held) == (1, True)
    # several, one after the other, whatever ran in between
    controller.reset()
    reach(window, RunState.IDLE)
    window.step()
    reach(window, RunState.PAUSED)
    undo.trigger()
    told = window.frame.shelf.notice.text()
    assert (controller.shown.run.number, told) == (2, "Stop the run to go back before a reset.")
    controller.reset()
    reach(window, RunState.IDLE)
    press(row.undo_button)
    assert (controller.shown.run.number, controller.state, controller.ghost) == (2, RunState.STOPPED, None)
    undo.trigger()
    assert (controller.shown.run.number, controller.ghost.run.number) == (1, 2)
    assert not controller.goes_on(window.experiment.config)  # its environments went as run 2 began
    assert controller.history.iterations > held
    assert not undo.isEnabled()


def test_a_run_that_has_finished_goes_on_where_it_is_made_longer(qtbot: QtBot, make_window: Make, reach: Reach) -> None:
    window = make_window(budget__environment_steps=500, device="cpu")
    window.start()
    reach(window, RunState.FINISHED)
    assert buttons(window.runs) == ["Go on for 500 more"]
    menu = QMenu()
    window.runs.shelf.fill_menu(menu, [window.controller.shown.run.id])
    assert [action.text() for action in menu.actions() if action.text().startswith("Go on")] == buttons(window.runs)
    edit(window, "seed", 2)
    assert buttons(window.runs) == ["Start as new", "Fork", "Back to the run's choices"]
    press(window.runs.row.back_button)
    edit(window, "budget.environment_steps", 3000)
    assert buttons(window.runs) == ["Start as new", "Go on with run 1", "Fork", "Back to the run's choices"]
    press(window.runs.row.go_on_button)
    reach(window, RunState.FINISHED)
    assert (window.controller.shown.run.number, window.controller.history.environment_steps >= 3000) == (1, True)


def test_what_is_locked_offers_to_stop_the_run_and_has_the_keyboard_then(
    qtbot: QtBot, make_window: Make, reach: Reach
) -> None:
    window = make_window(budget__environment_steps=ENDLESS, device="cpu")
    window.step()
    reach(window, RunState.PAUSED)
    combo = window.experiment_panel.pickers["algorithm"][0].combo
    QTest.mouseClick(window.windowHandle(), LEFT, pos=combo.mapTo(window, QPoint(20, 10)))
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert [(action.text(), action.isEnabled()) for action in menu.actions()] == [
        (LOCKED, False),
        ("Stop and change", True),
    ]
    QTest.keyClick(menu, Qt.Key.Key_Return)
    reach(window, RunState.STOPPED)
    assert combo.isEnabled()
    assert combo.hasFocus()
    # so do the presets and the gallery
    menu = window.preset_menu
    assert not menu.stop_action.isVisible()
    window.step()
    reach(window, RunState.PAUSED)
    assert menu.stop_action.isVisible()
    menu.stop_action.trigger()
    reach(window, RunState.STOPPED)
    window.step()
    reach(window, RunState.PAUSED)
    window.actions_by_name["environments"].trigger()
    details = window.gallery.gallery.details
    QTest.mouseClick(details.stop_button, LEFT)
    reach(window, RunState.STOPPED)
    assert not details.stop_button.isVisible()
    assert details.refusal(details._card) == ""
    assert window.controller.shown.run.number == 1  # which went on all the time


# --- pace -------------------------------------------------------------------------------------------------------------


def test_the_pace_is_set_by_keyboard_told_truthfully_and_obeys_at_once(
    qtbot: QtBot, make_window: Make, reach: Reach
) -> None:
    window = make_window(budget__environment_steps=ENDLESS, device="cpu", collection__episodes_per_update=1)
    pace = window.runs.pace
    assert (pace.pace, pace.text.text()) == (None, "full speed")
    pace.slider.setFocus()
    QTest.keyClick(pace.slider, Qt.Key.Key_Home)
    assert (window.controller.pace, pace.text.text()) == (Slow(0.2), "a stop every 5 s")
    for _ in range(PACES.index(1)):
        QTest.keyClick(pace.slider, Qt.Key.Key_Right)
    assert (window.controller.pace, pace.text.text()) == (1, "1 iteration/s")
    window.start()
    iterate(qtbot, window)
    progress = window.controller.progress()
    assert progress.seconds_left == pytest.approx((ENDLESS - progress.steps) / progress.steps_per_second)
    window.controller.set_pace(0.01)
    window.start_or_pause()
    reach(window, RunState.PAUSED)  # and not when the hundred seconds of a hold are over
    window.start_or_pause()
    QTest.keyClick(pace.slider, Qt.Key.Key_End)
    iterate(qtbot, window, 5)
    assert window.controller.pace is None


@each(
    ("seconds_each", "pace", "speed"),
    [(0.1, None, 1000.0), (0.1, 1.0, 100.0), (0.1, 4.0, 400.0), (2.0, 1.0, 50.0)],  # 100 steps in each iteration
    ids=str,
)
def test_the_speed_that_is_told_is_that_of_training_or_of_the_pace_where_that_is_less(
    seconds_each: float, pace: float | None, speed: float
) -> None:
    history, advance = History(), Advance()
    for iteration in range(1, 6):
        told = Updated(iteration, 100 * iteration, iteration, seconds_each * iteration)
        history.add(told)
        advance.add(told)
    progress = advance.progress(history, 10_500, pace)
    assert (progress.steps, progress.budget) == (500, 10_500)
    assert progress.steps_per_second == pytest.approx(speed)
    assert progress.seconds_left == pytest.approx(10_000 / speed)


def test_whoever_does_not_follow_holds_the_policy_that_plays(make_window: Make) -> None:
    window = make_window()
    follow = window.runs.pace.follow
    assert follow.isChecked()
    QTest.mouseClick(follow, LEFT, pos=QPoint(8, follow.height() // 2))
    assert not window.playback.follows
    window.playback.set_follow(True)
    assert follow.isChecked()


# --- what a run is at -------------------------------------------------------------------------------------------------


def test_solving_and_long_updates_are_told_in_the_row(
    qtbot: QtBot, make_window: Make, reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = make_window(budget__environment_steps=ENDLESS, device="cpu")
    window.step()
    reach(window, RunState.PAUSED)
    run, controller, state = window.controller.shown.run.id, window.controller, window.runs.row.state
    said = heard(controller.log)
    window.training._readers[0].put(Solved(3, 61_440, 150, 3.1, 478.2, 475.0, run=run))
    controller.collect()
    sentence = "Solved after 61,440 steps and 3.1 s: the last 100 episodes have a mean return of 478.2, at least 475."
    assert said == [("info", sentence)]
    assert state.text() == "— paused, solved"
    window.training.set_pace(0.01)
    window.start()
    iterate(qtbot, window)  # after which it holds, and tells nothing
    window.training._readers[0].put(Heartbeat("updating the policy", 700, "epoch 3 of 10", run=run))
    qtbot.waitUntil(lambda: controller.history.heartbeat is not None, timeout=20_000)
    assert controller.activity == ""  # not at once, so that short updates do not flicker
    later = SimpleNamespace(monotonic=lambda: time.monotonic() + 2.0)
    monkeypatch.setattr("app.session.run_progress.time", later)
    qtbot.waitUntil(lambda: state.text() == "— updating, epoch 3 of 10, solved", timeout=20_000)


# --- the end ----------------------------------------------------------------------------------------------------------


def test_a_window_that_is_closed_with_a_stopped_run_leaves_no_process_behind(
    qtbot: QtBot, make_window: Make, reach: Reach
) -> None:
    window = make_window(
        budget__environment_steps=ENDLESS,
        device="cpu",
        environment__stepping="processes",
        collection__episodes_per_update=2,
    )
    window.docks["Agent"].hide()
    before = set(multiprocessing.active_children())
    window.start()
    iterate(qtbot, window)
    window.controller.stop()
    reach(window, RunState.STOPPED)
    workers = set(multiprocessing.active_children()) - before
    assert len(workers) > 0  # held, so that it could go on
    window.close()
    assert window.shut_down()
    assert not workers & set(multiprocessing.active_children())
