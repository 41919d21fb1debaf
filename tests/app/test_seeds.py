"""× seeds beside Start: several seeds of one choice, trained together, as one run is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.models.runs import SeedGroup
from app.panels.returns import ReturnsPanel
from app.session.seed_workers import SeedWorkers
from app.style.format import spans
from app.window.main_window import MainWindow
from engine.runs.executors.interface import Order
from engine.runs.library import Library
from engine.runs.place import library_folder
from engine.runs.records import Status

Make = Callable[..., MainWindow]
Reach = Callable[..., None]

PPO = {
    "collection": "fixed-length",
    "collection.environments": 2,
    "collection.steps": 32,
    "update": "ppo-clip",
    "device": "cpu",
    "budget.environment_steps": 10_000_000,
}


def press(window: QWidget, key: Qt.Key) -> None:
    QTest.keyClick(window.windowHandle(), key)
    QApplication.processEvents()


def group_of(window: MainWindow) -> SeedGroup:
    group = window.controller.group
    assert group is not None
    return group


def iterations(window: MainWindow) -> list[int]:
    return [run.history.iterations for run in group_of(window).runs]


def choose(qtbot: QtBot, window: MainWindow, times: int) -> None:
    """Choose by the keyboard: X, so many times ↓ from what is chosen, Return."""
    press(window, Qt.Key.Key_X)
    menu = window.toolbar.seeds.choices
    qtbot.waitUntil(menu.isVisible)
    for _ in range(times):
        QTest.keyClick(menu, Qt.Key.Key_Down)
    QTest.keyClick(menu, Qt.Key.Key_Return)
    QApplication.processEvents()


def click_on_a_line(qtbot: QtBot, panel: ReturnsPanel, seed: int, group: SeedGroup) -> None:
    """Click in the plot on the thin line of a seed where all others are furthest, where the plot shows no more."""
    seeds = panel._seeds
    qtbot.waitUntil(lambda: not seeds._late.isActive())  # then the lines are all that has been told, and stay
    curves = {run.config.seed: seeds._curves[run.id] for run in group.runs}
    curve = curves.pop(seed)
    panel.plot.take_x((0.0, float(curve.x[-1])))
    (left, right), (low, high) = panel.plot.seen
    inside = np.linspace(curve.x[0], curve.x[-1], 21)[1:-1]
    apart = [
        np.abs(np.interp(inside, each.x, each.y) - np.interp(inside, curve.x, curve.y)) for each in curves.values()
    ]
    along = inside[np.min(apart, axis=0).argmax()]
    area = panel.plot.area
    x = area.left() + (along - left) / (right - left) * area.width()
    y = area.bottom() - (np.interp(along, curve.x, curve.y) - low) / (high - low) * area.height()
    panel._dots.x = panel._dots.y = np.empty(0)  # which are meant where a click is upon one
    QTest.mouseClick(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))


def test_three_seeds_are_trained_together_and_paused_stepped_stopped_and_gone_on_with_as_one(
    qtbot: QtBot, make_window: Make, reach: Reach, settings: QSettings
) -> None:
    window = make_window(**PPO)
    picker, controller = window.toolbar.seeds, window.controller
    assert picker.text() == "× 1"
    choose(qtbot, window, 1)
    assert (picker.text(), settings.value("seeds", type=int)) == ("× 3", 3)
    press(window, Qt.Key.Key_Space)
    reach(window, RunState.RUNNING)
    assert not picker.isEnabled()
    assert window.runs.row.words.name == "runs 1–3 · PPO, clipped · Cart pole · seeds 1–3 · seed 1 shown"
    qtbot.waitUntil(lambda: min(iterations(window)) >= 3, timeout=20_000)

    press(window, Qt.Key.Key_Space)
    reach(window, RunState.PAUSED)
    before = iterations(window)
    press(window, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: controller.state is RunState.PAUSED and iterations(window) != before)
    assert iterations(window) == [count + 1 for count in before]
    assert window.runs.row.words.state == "paused, 0 of 3 solved"
    assert controller.progress().steps == sum(run.history.environment_steps for run in group_of(window).runs)

    panel = window.panels.find(ReturnsPanel)
    runs, seeds = group_of(window).runs, panel._seeds
    scores = [float(run.history.metrics["mean_return"].values[-1]) for run in runs]
    middle = runs[scores.index(sorted(scores)[1])]
    beside = [] if middle is runs[0] else [f"seed {middle.config.seed}: median run of 3"]
    shown = "seed 1, shown" + ("" if beside else ": median run of 3")
    named = [*beside, "each seed", "lowest to highest of 3", shown]
    qtbot.waitUntil(lambda: [entry.text for entry in panel.plot.legend.entries] == named)
    assert seeds.median_run == middle.id
    assert len(seeds._middle.x) == (len(seeds._curves[middle.id]) if beside else 0)
    assert np.isnan(panel._seeds._lines.x).sum() == 3  # one path for all
    third = group_of(window).runs[2]
    click_on_a_line(qtbot, panel, 2, group_of(window))
    assert controller.shown.run.config.seed == 2
    window.runs.chips.setFocus()
    window.runs.chips.setCurrentIndex(window.runs.chips.runs.index(window.runs.chips.runs.row_of(third.id), 0))
    press(window, Qt.Key.Key_Return)
    assert (controller.shown.run.id, panel.plot.run[-6:]) == (third.id, "seed 3")
    qtbot.waitUntil(lambda: window.training.policy.config.seed == 3)
    assert not controller.seeds.edited
    assert controller.config == window.experiment.config  # what was chosen has not changed with what is looked at

    press(window, Qt.Key.Key_Space)
    reach(window, RunState.RUNNING)
    window.controller.stop()
    reach(window, RunState.STOPPED)
    at_rest = iterations(window)
    assert window.toolbar.start_button.text() == "Go on"
    with Library(library_folder()) as library:
        kept = {record.id: record for record in library.runs()}
    assert [kept[run.id].status for run in group_of(window).runs] == [Status.STOPPED] * 3
    choose(qtbot, window, 1)  # from × 3 on
    assert (window.toolbar.start_button.text(), window.runs.row.words.edited) == ("Start", "edited: seeds 3 → 5")
    controller.seeds.choose(3)
    press(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: min(iterations(window)) > max(at_rest))
    assert controller.shown.run.id == third.id
    window.controller.stop()
    reach(window, RunState.STOPPED)


def test_consecutive_numbers_are_written_short() -> None:
    assert [spans([3]), spans([1, 2, 3]), spans([1, 2, 4, 7, 8])] == ["3", "1–3", "1–2, 4, 7–8"]


def test_seeds_that_cannot_be_trained_together_go_on_in_processes_and_heed_what_the_window_is_asked(
    qtbot: QtBot, make_window: Make, reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SeedWorkers, "_work", lambda _self: None)
    window = make_window(**(PPO | {"policy": "gru"}))
    controller, workers = window.controller, window.runs.workers
    controller.seeds.choose(3)
    press(window, Qt.Key.Key_Space)
    reach(window, RunState.RUNNING)
    asked = workers._asked.get(timeout=5)
    assert [job.seeds for job in asked.jobs] == [(2,), (3,)]
    assert [job.runs[0] for job in asked.jobs] == group_of(window).ids[1:]
    assert [job.configuration["seed"] for job in asked.jobs] == [2, 3]
    assert asked.others == dict(zip(group_of(window).ids[1:], (2, 3), strict=True))
    assert " at a time, since a GRU policy does not act for several seeds at once" in controller.seed_words
    assert window.training.recording.records.keys() == {group_of(window).ids[0]}
    press(window, Qt.Key.Key_Space)
    reach(window, RunState.PAUSED)
    press(window, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: controller.state is RunState.PAUSED and workers._asked.qsize() >= 4)
    controller.stop()
    reach(window, RunState.STOPPED)
    orders = [workers._asked.get(timeout=5)[1] for _ in range(6)]
    assert orders == [Order.PAUSE] * 2 + [Order.STEP] * 2 + [Order.STOP] * 2


def test_a_group_is_opened_offered_named_and_gone_on_with_as_one(qtbot: QtBot, make_window: Make, reach: Reach) -> None:
    first = make_window(**PPO)
    first.controller.seeds.choose(3)
    first.start()
    reach(first, RunState.RUNNING)
    qtbot.waitUntil(lambda: min(iterations(first)) >= 2, timeout=20_000)
    first.close()
    assert first.shut_down()
    named = "3 seeds of PPO, clipped · Cart pole were being trained"
    assert first.controller.saved.startswith(f"{named}; runs 1–3 are saved after ")

    second = make_window(**PPO)
    runs, controller = second.runs, second.controller
    qtbot.waitUntil(runs.row.go_on_button.isVisible, timeout=20_000)
    assert runs.row.go_on_button.text() == "Go on with runs 1–3"
    assert runs.row.words.name.startswith("runs 1–3 · ")
    assert runs.row.words.name.endswith(" · seeds 1–3")
    assert runs.row.words.state.endswith(" of 30,000,000 steps")
    before = {record.seed: record.reached.iteration for record in second.run_library.records()}
    QTest.mouseClick(runs.row.go_on_button, Qt.MouseButton.LeftButton)
    reach(second, RunState.RUNNING)
    assert [run.config.seed for run in group_of(second).runs] == [1, 2, 3]
    assert controller.seeds.count == 3
    qtbot.waitUntil(lambda: all(i > before[seed] for seed, i in enumerate(iterations(second), 1)), timeout=20_000)
    controller.stop()
    reach(second, RunState.STOPPED)
    second.close()
    assert second.shut_down()

    third = make_window(**PPO)
    controller, runs = third.controller, third.runs
    qtbot.waitUntil(lambda: not third.training.loading and len(third.run_library.records()) == 3, timeout=20_000)
    (record,) = (record for record in third.run_library.records() if record.seed == 2)
    runs.shelf.open(record.id)
    qtbot.waitUntil(lambda: controller.group is not None)
    assert runs.row.words.name == "runs 1–3 · PPO, clipped · Cart pole · seeds 1–3 · seed 2 shown"
    assert (controller.state, controller.seeds.count, controller.seeds.edited) == (RunState.STOPPED, 3, False)
    assert third.experiment.config.seed == 1  # of the choice that all of them are seeds of
    assert third.playback.policy.config.seed == 2
    panel = third.panels.find(ReturnsPanel)
    qtbot.waitUntil(lambda: len(panel.plot.legend.entries) == 4, timeout=20_000)
    other = group_of(third).runs[2]
    runs.shelf.open(other.id)  # whose policy is the one that was kept
    assert controller.shown.run.id == other.id
    assert third.playback.policy.config.seed == 3
    assert third.panels.past.kept  # its course, which the timeline shows
    controller.seeds.choose(5)
    assert "edited: seeds 3 → 5" in runs.row.words.edited
    runs.back()
    assert (controller.seeds.count, runs.row.words.edited) == (3, "")
    at_rest = iterations(third)
    third.start()
    qtbot.waitUntil(lambda: min(iterations(third)) > max(at_rest), timeout=20_000)
    controller.stop()
    reach(third, RunState.STOPPED)
