"""Runs of the library go on in the window, and are forked in it, from a checkpoint or from the present instant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.window.main_window import MainWindow
from engine.runs.library import ITERATIONS, Library
from engine.runs.records import RunRecord, Status
from tests.app.shorthands import double_click, heard

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


def recorded(library: Path, run: str) -> list[float]:
    """The iterations that the library has of a run."""
    with Library(library) as opened:
        return opened.series(run, ITERATIONS)["iteration"].tolist()


def test_a_run_of_an_earlier_window_goes_on_with_what_it_has_told(
    qtbot: QtBot, make_window: Make, reach: Reach, library_place: Path
) -> None:
    first = make_window(**PPO, budget__environment_steps=256)
    first.start()
    reach(first, RunState.FINISHED)
    first.close()
    assert first.shut_down()
    record = only(library_place)
    window = make_window()
    told = heard(window.controller.log)
    logged = heard(window.training.log)
    window.controller.resume(record, 512)
    reach(window, RunState.FINISHED)
    shown = window.controller.shown
    assert shown is not None
    assert (shown.run.id, shown.run.number, shown.config.budget.environment_steps) == (record.id, 1, 512)
    window.controller.collect()
    assert shown.run.history.iterations == 8
    assert window.experiment.config == shown.config
    assert recorded(library_place, record.id) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert only(library_place).status is Status.FINISHED
    sentences = [sentence for _, sentence in logged]
    assert "Run 1 goes on after 256 steps." in sentences
    assert any(sentence.startswith("Learning rate: its schedule now spans 512 steps") for sentence in sentences)
    assert any("512" in sentence for _, sentence in told)
    # and so does one that was opened, by the button that starts
    double_click(window, 0)
    window.experiment.set_value("budget.environment_steps", 640)
    window.go_on()
    reach(window, RunState.FINISHED)
    assert recorded(library_place, record.id)[-1] == 10


@pytest.mark.parametrize("paused", [False, True], ids=["training", "paused"])
def test_a_run_is_forked_as_it_is_now(
    qtbot: QtBot, make_window: Make, reach: Reach, library_place: Path, paused: bool
) -> None:
    window = make_window(**PPO, budget__environment_steps=ENDLESS)
    window.start()
    qtbot.waitUntil(lambda: window.controller.history.iterations >= 3, timeout=20_000)
    if paused:
        window.controller.pause()
        reach(window, RunState.PAUSED)
    parent = window.training.record
    assert parent is not None
    window.controller.fork(parent, None, {"update.learning_rate": 0.5})
    qtbot.waitUntil(lambda: window.controller.shown.run.number == 2, timeout=20_000)
    shown, ghost = window.controller.shown, window.controller.ghost
    assert shown is not None
    assert ghost is not None
    assert (ghost.run.id, ghost.state) == (parent.id, RunState.STOPPED)
    assert shown.config.update.learning_rate == window.experiment.config.update.learning_rate == 0.5
    told = ghost.run.history.iterations
    qtbot.waitUntil(lambda: shown.run.history.iterations > told, timeout=20_000)
    window.controller.stop()
    reach(window, RunState.STOPPED)
    with Library(library_place) as library:
        child = library.run(shown.run.id)
    assert child.origin is not None
    assert (child.origin.parent, child.origin.iteration) == (parent.id, told)
    assert recorded(library_place, parent.id)[-1] == told
    iterations = recorded(library_place, child.id)
    assert iterations == list(range(1, len(iterations) + 1))
    # a stopped one as well, which is brought to the end of its iteration, and goes on as one more
    window.controller.fork(child, None, {})
    qtbot.waitUntil(lambda: window.controller.shown.run.number == 3, timeout=20_000)
    window.controller.stop()
    reach(window, RunState.STOPPED)


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
