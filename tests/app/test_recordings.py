"""Recordings in the window, by real events: looked at, trimmed, named, merged, deleted, brought back and taken in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QPushButton
from pytestqt.qtbot import QtBot

from app.panels.play.panel import PlayPanel
from app.panels.play.recording_dialogs import ACCEPT, DatasetDialog, LabelDialog, RecordDialog
from app.panels.play.recording_view import SEVERAL
from app.panels.play.recordings_list import RecordingsList
from app.window.main_window import MainWindow
from engine.analysis.policy_recording import Wanted
from engine.config.environments import EnvironmentConfig
from engine.environments.batches.rendering import in_this_process
from engine.experience.demonstration_file import to_bytes
from engine.experience.demonstrations import Demonstration, Demonstrations
from engine.runs.library import Library
from engine.runs.recording_records import RecordingRecord, RecordingSource
from engine.runs.recordings import Recordings
from engine.runtime.errors import RunError
from tests.app.shorthands import heard
from tests.engine.drawn import drawn_here
from tests.engine.runs.libraries import filled, keep, policy_for

Make = Callable[..., MainWindow]
CARTPOLE = EnvironmentConfig(id="CartPole-v1")


def played(steps: int = 9) -> Demonstrations:
    made = in_this_process(CARTPOLE).stepped
    seen = [made.begin(7)]
    seen += [made.step(np.array([0]), np.array([0])).observations for _ in range(steps)]
    together = np.concatenate(seen)
    actions = np.zeros(steps, np.int64)
    episode = Demonstration(together[:-1], actions, np.ones(steps), together[-1], seed=7)
    return Demonstrations(CARTPOLE, (episode,))


@pytest.fixture
def listed(
    qtbot: QtBot, make_window: Make, library_place: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[MainWindow, RecordingsList]:
    """A window whose library has two recordings and a run, and its list of recordings in front."""
    monkeypatch.setattr("engine.analysis.replaying.rendered", drawn_here)
    with Library(library_place) as library:
        run = filled(library, {"environment.time_limit": 20})
        keep(library, run, policy_for(run.config))
        kept = Recordings(library)
        kept.add(
            replace(played(5), episodes=(replace(played(5).episodes[0], seed=None),)), RecordingSource("file", name="a")
        )
        kept.add(played(), RecordingSource("person"))
    window = make_window()
    window.docks["Play/Record"].raise_()
    panel = window.panels.find(PlayPanel)
    QTest.mouseClick(panel._buttons.button(1), Qt.MouseButton.LeftButton)
    recordings = panel.recordings
    assert recordings is not None
    qtbot.waitUntil(lambda: len(recordings.rows.records) == 2)
    return window, recordings


def test_what_the_library_holds_is_known_before_anybody_looks_at_the_list(
    qtbot: QtBot, make_window: Make, library_place: Path
) -> None:
    """So that the mean of what a person has played is shown beside runs from the start."""
    with Library(library_place) as library:
        Recordings(library).add(played(), RecordingSource("person"))
    window = make_window()
    recordings = window.panels.find(PlayPanel).recordings
    assert recordings is not None
    qtbot.waitUntil(lambda: [each.number for each in recordings.recordings.records] == [1])
    assert not recordings.isVisible()


def click(recordings: RecordingsList, row: int, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    place = recordings.table.visualRect(recordings.rows.index(row, 0)).center()
    QTest.mouseClick(recordings.table.viewport(), Qt.MouseButton.LeftButton, modifier, place)


def at(recordings: RecordingsList, step: int) -> Callable[[], bool]:
    view = recordings.view
    return lambda: view._moment is not None and view._moment.place.step == step == view.slider.value()


def chosen(menu: QMenu, words: str) -> None:
    next(action for action in menu.actions() if action.text().startswith(words)).trigger()


def test_recordings_are_looked_at_trimmed_named_merged_deleted_taken_in_and_made_and_all_of_it_is_undone(
    qtbot: QtBot, listed: tuple[MainWindow, RecordingsList], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, recordings = listed
    told = heard(window.choice_loader.notice)
    table, view, undo = recordings.table, recordings.view, window.actions_by_name["undo"]
    click(recordings, 0)
    qtbot.waitUntil(at(recordings, 0))
    assert view.picture.sentence == ""
    for step in (1, 2, 3):
        QTest.keyClick(table, Qt.Key.Key_Right)
        qtbot.waitUntil(at(recordings, step))
    assert view.words.text() == "Step 3 of 9 · push left · reward 1 · return so far 3"
    view.slider.setFocus()
    QTest.keyClicks(view.slider, "]")
    qtbot.waitUntil(lambda: recordings.rows.records[0].steps == 3)
    assert view.kept_words.text() == "Kept are the steps 0 to 2, 3 of 9."
    assert view.picture.badge == "Not kept"
    undo.trigger()
    qtbot.waitUntil(lambda: recordings.rows.records[0].steps == 9)

    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_F2)
    dialog = window.findChild(LabelDialog)
    QTest.keyClicks(dialog.title, "Falls over")
    dialog.accept()
    assert recordings.rows.index(0, 0).data() == "2 · Falls over"
    QTest.keyClicks(recordings.search, "person falls")
    assert [record.number for record in recordings.rows.records] == [2]
    recordings.search.clear()
    click(recordings, 0)

    recordings.fill_datasets(menu := QMenu())
    chosen(menu, "New dataset")
    asking = window.findChild(DatasetDialog)
    assert asking.name == "my CartPole"  # and not as the shipped one but for capitals
    button = asking.findChild(QPushButton, ACCEPT)
    asking.named.setText(" ")
    assert not button.isEnabled()
    asking.named.setText("CartPole")
    button.click()
    qtbot.waitUntil(lambda: [each.name for each in recordings.recordings.datasets] == ["CartPole"])
    click(recordings, 1, Qt.KeyboardModifier.ControlModifier)
    assert recordings.view.picture.sentence == SEVERAL
    recordings.fill_datasets(menu := QMenu())
    chosen(menu, "CartPole (1 episode)")
    qtbot.waitUntil(lambda: recordings.recordings.datasets[0].episodes == 2)

    QTest.keyClick(table, Qt.Key.Key_Delete)
    assert recordings.rows.records == []
    assert recordings.hint.isVisible()
    undo.trigger()
    assert len(recordings.rows.records) == 2
    undo.trigger()
    assert recordings.recordings.datasets[0].episodes == 1

    given = tmp_path / "given.safetensors"
    given.write_bytes(to_bytes(played(4)))
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(given.read_bytes()[:-1])
    window.files.open([given, broken])
    qtbot.waitUntil(lambda: len(recordings.rows.records) == 3)
    assert recordings.rows.index(0, 0).data() == "3 · given"
    assert [record.number for record in recordings.selected] == [3]
    assert any("no file of demonstrations, or a broken one" in str(each) for each in told)
    undo.trigger()
    assert len(recordings.rows.records) == 2

    # A policy is recorded, and what has no pictures says so.
    click(recordings, 1)
    qtbot.waitUntil(at(recordings, 0))
    assert recordings.view.picture.sentence.startswith("This episode has no seed")
    QTest.mouseClick(recordings.record_button, Qt.MouseButton.LeftButton)
    dialog = window.findChild(RecordDialog)
    number = dialog.episodes.lineEdit()
    assert number.width() > number.fontMetrics().horizontalAdvance("10000")
    dialog.episodes.setValue(4)
    QTest.mouseClick(dialog.limited, Qt.MouseButton.LeftButton, pos=QPoint(8, dialog.limited.height() // 2))
    dialog.at_least.setValue(5.0)
    dialog.accept()
    qtbot.waitUntil(lambda: len(recordings.rows.records) == 3, timeout=20_000)
    record = recordings.rows.records[0]
    assert record.source.words == "run 1, iteration 3, most likely actions"
    assert len(record.episodes) == 4
    assert not recordings.recordings.recording
    assert "Recorded 4 episodes with a return of at least 5" in str(told[-1])
    # What cannot be written is held, and written once it can be.
    recordings.recordings._again.setInterval(1)
    whole, tries = Recordings.add, []

    def full_disk(*arguments: object, **named: object) -> RecordingRecord:
        tries.append(1)
        if len(tries) < 3:
            raise RunError("The recording could not be kept: No space left on device.")
        return whole(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Recordings, "add", full_disk)
    (kept_run,) = window.run_library.records()
    told.clear()
    recordings.recordings.record_policy(kept_run.id, None, lambda: Wanted(2, greedy=True), 3)
    qtbot.waitUntil(lambda: len(recordings.rows.records) == 4, timeout=20_000)
    assert sum("are held in memory" in str(each) for each in told) == 1
    assert "Recorded 2 episodes. Recording 5 holds them." in str(told[-1])
    recordings.recordings.record_policy("no such run", None, lambda: None, 0)  # type: ignore[arg-type,return-value]
    qtbot.waitUntil(lambda: not recordings.recordings.recording)
    assert "There is no run no such run" in str(told[-1])
