"""Runs of the library go on in the window, and are forked in it, from a checkpoint or from the present instant."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.models.runs import KeptRun
from app.window.main_window import MainWindow
from engine.catalogue.methods.families import FAMILIES
from engine.runs.library import ITERATIONS, Library
from engine.runs.records import RunRecord, Status
from tests.app.shorthands import heard

Make = Callable[..., MainWindow]
Reach = Callable[..., None]

PPO = {
    "collection": "fixed-length",
    "collection.environments": 2,
    "collection.steps": 32,
    "update": "ppo-clip",
    "update.learning_rate_schedule": "linear",
    "device": "cpu",
}
ENDLESS = 10_000_000


def only(library: Path) -> RunRecord:
    with Library(library) as opened:
        (record,) = opened.runs()
        return record


def record_now(library: Path, run: str) -> RunRecord:
    with Library(library) as opened:
        return opened.run(run)


def recorded(library: Path, run: str) -> list[float]:
    """The iterations that the library has of a run."""
    with Library(library) as opened:
        return opened.series(run, ITERATIONS)["iteration"].tolist()


def test_a_finished_run_goes_on_for_more_in_this_window_and_in_a_later_one(
    qtbot: QtBot, make_window: Make, reach: Reach, library_place: Path
) -> None:
    first = make_window(**PPO, budget__environment_steps=256)
    first.start()
    reach(first, RunState.FINISHED)
    record, longer = only(library_place), first.runs.row.longer_button
    logged = heard(first.training.log)
    assert longer.text() == "Go on for 256 more"
    qtbot.mouseClick(longer, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: first.controller.state is not RunState.FINISHED)
    assert not longer.isVisible()
    reach(first, RunState.FINISHED)
    assert any(sentence.startswith("Learning rate: its schedule now spans 512 steps") for _, sentence in logged)
    first.close()
    assert first.shut_down()

    window = make_window(**PPO)
    logged, longer = heard(window.training.log), window.runs.row.longer_button
    window.runs.opener.open(only(library_place))
    qtbot.waitUntil(lambda: window.controller.state is RunState.FINISHED)
    qtbot.mouseClick(longer, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.controller.state is not RunState.FINISHED)
    reach(window, RunState.FINISHED)
    window.controller.collect()
    shown = window.controller.shown
    assert shown is not None
    assert (shown.run.id, shown.run.number, shown.run.history.iterations) == (record.id, 1, 16)
    assert shown.config.budget.environment_steps == 1024
    assert window.experiment.config == shown.config
    assert recorded(library_place, record.id) == [*range(1, 17)]
    assert only(library_place).status is Status.FINISHED
    sentences = [sentence for _, sentence in logged]
    assert "Run 1 goes on after 512 steps." in sentences
    assert any(sentence.startswith("Learning rate: its schedule now spans 1,024 steps") for sentence in sentences)


def test_a_run_is_forked_as_it_is_now(qtbot: QtBot, make_window: Make, reach: Reach, library_place: Path) -> None:
    """While it trains, while it is paused, and where it was stopped, in the middle of an iteration or not."""
    window = make_window(**PPO, budget__environment_steps=ENDLESS)
    window.start()
    qtbot.waitUntil(lambda: window.controller.history.iterations >= 3, timeout=20_000)
    child = forked(qtbot, window, {"update.learning_rate": 0.5})
    assert child.config.update.learning_rate == window.experiment.config.update.learning_rate == 0.5
    iterations = window.controller.history.iterations
    qtbot.waitUntil(lambda: window.controller.history.iterations > iterations, timeout=20_000)
    window.controller.pause()
    reach(window, RunState.PAUSED)
    forked(qtbot, window, {})
    window.controller.stop()
    reach(window, RunState.STOPPED)
    forked(qtbot, window, {"update.learning_rate": 0.25})
    window.controller.stop()
    reach(window, RunState.STOPPED)
    with Library(library_place) as library:
        newest, *earlier = library.runs()
        assert [run.number for run in (newest, *earlier)] == [4, 3, 2, 1]
        for run, before in pairwise((newest, *earlier)):
            assert run.origin is not None
            assert (run.origin.parent, run.origin.iteration) == (before.id, before.reached.iteration)
    told = recorded(library_place, newest.id)
    assert told == list(range(1, len(told) + 1))
    assert newest.configuration["update"]["learning_rate"] == 0.25


def forked(qtbot: QtBot, window: MainWindow, changes: dict[str, object]) -> KeptRun:
    """Fork the run that is shown now; the one that has begun."""
    parent, controller = window.controller.shown, window.controller
    assert parent is not None
    for path, value in changes.items():
        assert window.experiment.set_value(path, value) is None
    if controller.state is RunState.STOPPED:
        qtbot.mouseClick(window.runs.row.fork_button, Qt.MouseButton.LeftButton)
    else:
        qtbot.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: controller.shown is not parent, timeout=20_000)
    assert controller.ghost is parent
    assert parent.state is RunState.STOPPED
    assert controller.shown is not None
    assert controller.shown.run.number == parent.run.number + 1
    return controller.shown


def test_what_cannot_come_back_is_told_and_what_was_shown_stays(
    qtbot: QtBot, make_window: Make, reach: Reach, library_place: Path
) -> None:
    window = make_window(**PPO, budget__environment_steps=128)
    window.start()
    reach(window, RunState.FINISHED)
    shown, record = window.controller.shown, only(library_place)
    logged = heard(window.training.log)
    window.controller.fork(record, 99, {})
    reach(window, RunState.FAILED)
    assert window.controller.shown is shown
    assert any("no checkpoint after iteration 99" in sentence for _, sentence in logged)
    refused = heard(window.controller.log)
    window.controller.fork(record, None, {"update.learning_rate": -1.0})
    assert "learning_rate" in refused[-1][1]
    assert window.controller.state is RunState.FAILED
    assert len(window.controller.history.steps) == 2
    window.controller.resume(record, 256)  # which this window still holds, and the library has as well
    reach(window, RunState.FINISHED)
    assert recorded(library_place, record.id) == [1, 2, 3, 4]


def test_a_clone_is_forked_into_a_policy_gradient(
    qtbot: QtBot, make_window: Make, reach: Reach, library_place: Path
) -> None:
    """What was copied from a teacher is where learning from rewards begins, though the copy has had all its steps."""
    window = make_window(budget__environment_steps=300)
    experiment = window.experiment
    assert experiment.pick_family(FAMILIES["imitation"]) is None
    assert experiment.set_value("evaluation.episodes", 2) is None
    window.start()
    reach(window, RunState.FINISHED)
    done = window.controller.history.environment_steps
    assert done >= 300
    logged = heard(window.runs.log)
    row = window.runs.row
    qtbot.mouseClick(row.tune_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.controller.shown.run.number == 2)
    reach(window, RunState.FINISHED)
    assert logged == [("info", f"Run 1 has taken {done:,} steps; its fork goes on to {done + 300:,}.")]
    with Library(library_place) as library:
        record, child = library.find("1"), library.find("2")
        assert child.reached.environment_steps >= done + 300
        assert child.config_now.family == "policy-gradient"
        assert child.origin is not None
        assert child.origin.parent == record.id
        (said,) = child.inexact
        assert "value function" in said
        assert "the policy " not in said
    # And compared with one that has learned nothing before, for as many steps.
    window.run_library.look()
    window.runs.refresh()
    assert not row.tune_button.isVisible()
    qtbot.mouseClick(row.nothing_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.controller.shown.run.number == 3)
    reach(window, RunState.FINISHED)
    assert window.controller.config.budget.environment_steps == 1000
    assert window.compare.action.isChecked()
    with Library(library_place) as library:
        assert window.run_library.shown == (child.id, library.find("3").id)
        assert library.find("3").origin is None
