"""The whole story of learning from a person, in one window and by real keys: playing, cloning what was played, and
being asked about the learner's own states."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.panels.diagnostics import DiagnosticsPanel
from app.panels.play.panel import PlayPanel
from app.panels.play.recording_dialogs import DatasetDialog
from app.panels.returns import ReturnsPanel
from app.session.game import GameState
from app.window.main_window import MainWindow
from tests.app.shorthands import click, pick

Make = Callable[..., MainWindow]
Key = Qt.Key
TO_THE_GOAL = (*(Key.Key_Right,) * 2, Key.Key_Down, *(Key.Key_Right,) * 2, *(Key.Key_Down,) * 3)


def show_page(panel: PlayPanel, number: int) -> None:
    QTest.mouseClick(panel._buttons.button(number), Qt.MouseButton.LeftButton)


def test_a_person_plays_is_cloned_and_mends_the_copy(
    qtbot: QtBot, make_window: Make, reach: Callable[..., None]
) -> None:
    window = make_window(
        environment="GridWorld-v0",
        policy="tabular",
        environment__options__slip=0.0,
        environment__time_limit=20,
        device="cpu",
    )
    window.docks["Play/Record"].raise_()
    panel = window.panels.find(PlayPanel)
    # To play from the first key on.
    page = panel.page
    page.play_button.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(page.play_button, Key.Key_Space)
    qtbot.waitUntil(lambda: page.game.state is GameState.PLAYING)
    for taken, key in enumerate(TO_THE_GOAL, start=1):
        QTest.keyClick(page.view, key)
        qtbot.waitUntil(lambda taken=taken: page.game.moment.frame.step == taken)
    qtbot.waitUntil(lambda: "Kept as recording 1." in page.status.text())
    # What was played becomes a dataset.
    show_page(panel, 1)
    recordings = panel.recordings
    qtbot.waitUntil(lambda: len(recordings.rows.records) == 1)
    place = recordings.table.visualRect(recordings.rows.index(0, 0)).center()
    QTest.mouseClick(recordings.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    recordings.fill_datasets(menu := QMenu())
    next(action for action in menu.actions() if action.text().startswith("New dataset")).trigger()
    asking = window.findChild(DatasetDialog)
    QTest.keyClick(asking.named, Key.Key_Return)
    qtbot.waitUntil(lambda: [each.episodes for each in recordings.recordings.datasets] == [1])
    (dataset,) = recordings.recordings.datasets
    # The copy does as it was shown.
    pick(window.experiment_panel, "family", "Imitation")
    for path, value in (
        ("imitation.dataset", dataset.name),
        ("imitation.held_out", 0.0),
        ("update.learning_rate", 1.0),
        ("budget.environment_steps", 400),
        ("evaluation.episodes", 1),
    ):
        assert window.experiment.set_value(path, value) is None, path
    click(qtbot, window, "start")
    reach(window, RunState.FINISHED)
    history = window.controller.history
    assert history.episode_returns.values[-1] == pytest.approx(9.3)
    returns = window.panels.find(ReturnsPanel)
    assert returns._person.text == "you 9.3 (1 episode)"
    assert returns._person in returns.plot.marks
    assert returns._y is not None
    assert returns._y[1] > 9.3
    assert page.standings.numbers["policy"].text() != "–"
    # And where it goes wrong, it asks.
    pick(window.experiment_panel, "algorithm", "DAgger")
    for path, value in (("imitation.dataset", ""), ("imitation.teacher", "person"), ("update.labels", 3)):
        assert window.experiment.set_value(path, value) is None, path
    click(qtbot, window, "start")
    teach = panel.teach  # which comes to the front by itself
    for round_ in (1, 2):
        for number in (1, 2, 3):
            wanted = f"Question {number} of 3, round {round_}"
            qtbot.waitUntil(lambda wanted=wanted: teach.words.text() == wanted, timeout=20_000)
            assert panel.pages.currentWidget() is teach
            QTest.keyClick(teach.view, Key.Key_Down if number < 3 else Key.Key_U)
    qtbot.waitUntil(lambda: teach.words.text() == "Question 1 of 3, round 3", timeout=20_000)
    told = window.controller.history.metrics
    assert told["labels_asked"].values.tolist() == [3.0, 6.0]
    assert told["labels_given"].values.tolist() == [2.0, 4.0]
    shown = set(window.panels.find(DiagnosticsPanel).shown)
    assert {"agreement", "labels_given", "labels_unknown", "labels_lost"} <= shown
    assert not {"action_error", "mixture"} & shown, "which mean nothing here"
    window.controller.stop()
    reach(window, RunState.STOPPED)
