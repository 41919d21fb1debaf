"""A recorded run is opened while the learning engine is still being loaded: what a person asks for meanwhile is not
undone as the run's policy comes with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.models.inspection import BatchStep, Wanted
from app.models.run_state import RunState
from app.panels.advantages import AdvantagesPanel
from app.panels.inspector.panel import SamplesPanel
from app.panels.lab.panel import LabPanel
from app.panels.surface.panel import SurfacePanel
from app.panels.update.panel import UpdatePanel
from app.session import batch_lookup
from app.session.training_thread import TrainingThread
from app.window.main_window import MainWindow
from engine.runs import snapshot_keeper
from tests.app.shorthands import bring_up, words

Make = Callable[..., MainWindow]
Reach = Callable[..., None]
SMALL = {
    "environment": "GridWorld-v0",
    "policy": "tabular",
    "device": "cpu",
    "collection__episodes_per_update": 4,
    "budget__environment_steps": 1_000,
}


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Threads that train find the learning engine only once this is set."""
    loaded = threading.Event()
    monkeypatch.setattr("app.session.training_thread.load_engine", lambda: loaded.wait(60))
    yield loaded
    loaded.set()


@pytest.fixture
def opened(
    make_window: Make, reach: Reach, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, held: threading.Event
) -> MainWindow:
    """A window that shows a recorded run, and has no engine as yet."""
    monkeypatch.setattr(snapshot_keeper, "SHARE", 1e9)
    monkeypatch.setattr(snapshot_keeper, "STATE_SHARE", 1e9)
    held.set()
    first = make_window(**SMALL)
    first.start()
    reach(first, RunState.FINISHED)
    first.close()
    assert first.shut_down()
    held.clear()
    window = make_window(**SMALL)
    qtbot.waitUntil(lambda: bool(window.run_library.records()), timeout=20_000)
    window.runs.opener.open(window.run_library.records()[0])
    qtbot.waitUntil(lambda: window.controller.state is RunState.FINISHED)
    assert window.training.loading
    return window


@pytest.fixture
def looked_into(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Iterations are looked into once this is set."""
    let, work = threading.Event(), batch_lookup._looked

    def late(folder: Path, asked: batch_lookup._Asked) -> batch_lookup.Found | str | None:
        let.wait(60)
        return work(folder, asked)

    monkeypatch.setattr(batch_lookup, "_looked", late)
    yield let
    let.set()


def finish_loading(training: TrainingThread, held: threading.Event, qtbot: QtBot) -> None:
    with qtbot.waitSignal(training.ready, timeout=20_000):
        held.set()
    QApplication.processEvents()


def test_what_was_asked_for_while_the_engine_was_loaded_stays_as_it_comes(
    opened: MainWindow, held: threading.Event, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal = opened.panels.find(AdvantagesPanel)
    assert "once the learning engine is loaded" in words(signal)
    update = opened.panels.find(UpdatePanel)
    bring_up(update)
    qtbot.waitUntil(update.play_button.isEnabled)
    QTest.mouseClick(update.play_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: update.heading.text().startswith("iteration"), timeout=20_000)
    last, made = opened.controller.history.iterations, update.shown.made
    assert made is not None
    opened.panels.inspection.ask(Wanted(last, BatchStep(2)))
    samples = opened.panels.find(SamplesPanel)
    qtbot.waitUntil(lambda: samples.samples is not None, timeout=20_000)
    found = samples.samples
    QTest.mouseClick(samples.play_button, Qt.MouseButton.LeftButton, pos=QPoint(10, samples.play_button.height() // 2))
    assert not opened.playback.follows
    held_policy = opened.playback.policy
    for kind in (SurfacePanel, LabPanel):
        opened.panels.find(kind)
    begun_anew: list[bool] = []
    monkeypatch.setattr(opened.panels, "reset", lambda: begun_anew.append(True))
    finish_loading(opened.training, held, qtbot)
    assert not begun_anew  # of no panel is all forgotten
    newest = opened.playback._choice.newest
    assert newest is not None
    assert newest.iteration == last
    assert (opened.playback.follows, opened.playback.policy) == (False, held_policy)
    assert update.shown.made is made
    assert update.heading.text().startswith(f"iteration {last:,}")
    assert samples.samples is found
    assert opened.controller.history.advantages is not None
    bring_up(signal)
    assert "once the learning engine is loaded" not in words(signal)


def test_the_policy_of_the_run_that_was_opened_before_comes_as_well(
    opened: MainWindow, held: threading.Event, qtbot: QtBot
) -> None:
    first = opened.controller.shown
    assert first is not None
    opened.runs.opener.open(opened.run_library.records()[0])
    qtbot.waitUntil(lambda: opened.controller.shown is not first)
    assert opened.controller.ghost is first
    finish_loading(opened.training, held, qtbot)
    opened.controller.show_ghost_instead()
    assert opened.controller.shown is first
    assert first.policy is not None
    assert opened.playback.has_policy


def test_what_was_asked_for_comes_though_its_panel_is_left_and_seen_again(
    opened: MainWindow, held: threading.Event, looked_into: threading.Event, qtbot: QtBot
) -> None:
    """It comes once it is asked for, whatever is drawn meanwhile, and till then it is said that it does."""
    finish_loading(opened.training, held, qtbot)
    update = opened.panels.find(UpdatePanel)
    bring_up(update)
    qtbot.waitUntil(update.play_button.isEnabled)
    QTest.mouseClick(update.play_button, Qt.MouseButton.LeftButton)
    bring_up(opened.panels.find(AdvantagesPanel))
    update._look_again()  # as it does a few times in a second
    bring_up(update)
    update.repaint()
    QApplication.processEvents()
    opened.actions_by_name["toggle_theme"].trigger()
    QApplication.processEvents()
    assert "is made again" in words(update)
    looked_into.set()
    qtbot.waitUntil(lambda: update.heading.text().startswith("iteration"), timeout=20_000)
    assert update.shown.made is not None
