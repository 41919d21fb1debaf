"""What outlives the window: the run that was broken off when it was left, and the last picture of each."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.session.thumbnails import SIZE
from app.window.main_window import MainWindow
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.environments.batches import envpool as envpool_batch
from engine.reports.events import Updated
from engine.runs.host import recorded
from engine.runs.library import DATABASE, ITERATIONS, Library
from engine.runs.liveness import hold
from engine.runs.recorder import Recorder
from engine.runs.records import Reached, RunRecord, Status
from engine.training.training import Training
from tests.app.shorthands import heard
from tests.engine.environments import envpool_stand_in


def interrupted(folder: Path, name: str = "broken", **values: object) -> Training:
    """A run that is broken off after two iterations."""
    own = {path.replace("__", "."): value for path, value in values.items()}
    values = {"budget.environment_steps": 2_000, "device": "cpu", "seed": 3, **own}
    training = Training(with_values(PolicyGradientConfig(), values), name)
    with recorded(training, folder, print) as recorder:
        for event in training:
            recorder.put(event)
            if isinstance(event, Updated) and event.iteration == 2:
                break
    with Library(folder) as library:
        library.update(name, status=str(Status.RUNNING))  # as a process leaves it that dies
    return training


def test_the_next_start_offers_to_go_on_with_what_was_broken_off(
    make_window: Callable[..., MainWindow],
    reach: Callable[..., None],
    library_place: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(envpool_batch, "_envpool", lambda _environment: envpool_stand_in)
    interrupted(library_place, "earlier")
    training = interrupted(library_place, environment__stepping="envpool")
    window = make_window()
    row, said = window.runs.row, heard(window.training.log)
    qtbot.waitUntil(lambda: row.go_on_button.isVisible())
    assert row.go_on_button.text() == "Go on with run 2"
    assert row.words.state == f"interrupted after {training.environment_steps:,} of 2,000 steps, as was run 1"
    QTest.mouseClick(row.go_on_button, Qt.MouseButton.LeftButton)
    reach(window, RunState.FINISHED)
    assert ("info", envpool_batch.HIDDEN) in said  # what is not exact
    with Library(library_place) as library:
        assert [record.id for record in library.runs()] == ["broken", "earlier"]
        assert library.run("broken").status is Status.FINISHED
        iterations = list(library.series("broken", ITERATIONS)["iteration"])
    assert iterations == list(range(1, len(iterations) + 1))
    assert window.experiment.config.seed == 3


def test_nothing_is_offered_once_another_run_was_begun(
    make_window: Callable[..., MainWindow], library_place: Path, qtbot: QtBot
) -> None:
    interrupted(library_place)
    with Library(library_place) as library:
        of_this = PolicyGradientConfig().model_dump(mode="json")
        library.begin(RunRecord("later", 0, of_this, Status.STOPPED, time.time() + 1.0))
        window = make_window()
        qtbot.waitUntil(lambda: library.run("broken").status is Status.INTERRUPTED)
    assert not window.runs.row.go_on_button.isVisible()


def test_what_is_held_here_stays_while_the_run_is_trained_elsewhere(
    make_window: Callable[..., MainWindow], reach: Callable[..., None], library_place: Path
) -> None:
    window = make_window(budget__environment_steps=3_000, device="cpu")
    controller, button = window.controller, window.runs.row.go_on_button
    window.step()
    reach(window, RunState.PAUSED)
    controller.stop()
    reach(window, RunState.STOPPED)
    run, before = controller.shown.run, controller.config
    window.experiment.set_value("update.learning_rate", 0.5)
    with Library(library_place) as library, hold(library, run.id):  # as another process does
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert controller.state is RunState.RUNNING
        reach(window, RunState.STOPPED)
        assert "is being trained by another window or command" in window.frame.shelf.notice.text()
        assert (window.training.holds(run.id), controller.config, button.isVisible()) == (True, before, True)
        library.reach(run.id, Reached(iteration=9), ())  # where the other has come to
        QTest.mouseClick(window.runs.row.fork_button, Qt.MouseButton.LeftButton)  # goes on from what is held
        reach(window, RunState.FINISHED)
        child = library.run(controller.shown.run.id)
        assert (child.origin.parent, child.origin.iteration) == (run.id, 1)
        assert child.config_now.update.learning_rate == 0.5
    assert list(controller.history.steps.values) == sorted(set(controller.history.steps.values))


def test_a_run_that_was_watched_leaves_its_last_picture(
    make_window: Callable[..., MainWindow], reach: Callable[..., None], library_place: Path, qtbot: QtBot
) -> None:
    window = make_window(budget__environment_steps=100_000)
    window.start()
    qtbot.waitUntil(lambda: window.playback.picture is not None, timeout=20_000)
    window.close()
    assert window.shut_down()
    with Library(library_place) as library:
        (record,) = library.runs()
        picture = QImage.fromData(library.thumbnail(record.id))
    assert record.status is Status.INTERRUPTED
    assert picture.size().boundedTo(SIZE) == picture.size()
    assert SIZE.width() in (picture.width(), picture.height() * SIZE.width() / SIZE.height())


@contextmanager
def written_by_another(library: Path) -> Iterator[None]:
    """While the block lasts, somebody else writes to the library."""
    other = sqlite3.connect(library / DATABASE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_a_pause_is_heard_at_once_whoever_writes_to_the_library_and_whatever_is_to_be_saved(
    qtbot: QtBot,
    make_window: Callable[..., MainWindow],
    reach: Callable[..., None],
    library_place: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    window = make_window(budget__environment_steps=10_000_000, device="cpu")
    window.start()
    qtbot.waitUntil(lambda: window.controller.history.iterations > 1, timeout=20_000)
    saving, save = threading.Event(), Recorder.save

    def save_late(recorder: Recorder, training: Training) -> None:
        assert saving.wait(60)
        save(recorder, training)

    monkeypatch.setattr(Recorder, "save", save_late)  # as where a state is large
    window.controller.pause()
    reach(window, RunState.PAUSED)
    saving.set()
    window.controller.stop()
    reach(window, RunState.STOPPED)
    with written_by_another(library_place):
        window.start()  # which cannot be noted as yet
        window.controller.pause()
        reach(window, RunState.PAUSED, timeout=8_000)  # and not after the ten seconds for which a library is waited for
        picture = QImage(SIZE, QImage.Format.Format_RGB32)
        window.playback.picture = picture
        began = time.monotonic()
        window.runs.thumbnails.keep()
        assert time.monotonic() - began < 5.0
    before = window.controller.history.iterations
    window.start()
    qtbot.waitUntil(lambda: window.controller.history.iterations > before, timeout=20_000)
    run = window.controller.shown.run.id
    qtbot.waitUntil(lambda: bool(window.run_library.picture(run)), timeout=20_000)
    assert window.controller.state is RunState.RUNNING
