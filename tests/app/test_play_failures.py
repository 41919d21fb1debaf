"""Where playing goes wrong nothing that was played is lost: environments that fail or hang, and a disk that is full."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.session.game import GameState
from app.session.play_thread import Played
from app.window.main_window import MainWindow
from engine.config.environments import EnvironmentConfig
from engine.experience.demonstrations import Demonstration
from engine.reports.frames import Frame
from engine.runs.recording_records import RecordingRecord
from engine.runtime.errors import RunError
from engine.runtime.waiting import Wait, waited
from tests.app.shorthands import heard
from tests.app.test_play import click, is_at, opened, press, recordings

Make = Callable[..., MainWindow]
Key = Qt.Key


class Scripted:
    """Plays what it is told to: steps of 1, then whatever ``then`` does."""

    frames_per_second = 100.0
    then: Callable[[], None]

    def __init__(self, environment: EnvironmentConfig) -> None:
        self.environment, self.taken, self.under_way = environment, 0, False

    def begin(self, seed: int) -> Frame:
        self.taken, self.under_way = 0, True
        return self._frame()

    def step(self, action: NDArray[np.int64], render: bool = True) -> Frame:
        if self.taken == 2:
            type(self).then()
        self.taken += 1
        return self._frame()

    def demonstration(self) -> Demonstration | None:
        if not self.taken:
            return None
        seen = np.zeros((self.taken, 4), np.float32)
        return Demonstration(seen, np.ones(self.taken, np.int64), np.ones(self.taken), seen[0])

    def close(self) -> None:
        pass

    def _frame(self) -> Frame:
        picture = np.zeros((4, 4, 3), np.uint8)
        return Frame(picture, self.taken, None, float(self.taken), False, False, 0, 1)


def raises() -> None:
    raise RunError("CartPole-v1 raised OSError: the level file is gone, in its step.")


def hangs() -> None:
    for tenth in range(36_000):
        waited(Wait("CartPole-v1", "step", tenth / 10.0, 3600.0))
        time.sleep(0.005)


@pytest.mark.parametrize("then", [raises, hangs])
def test_an_environment_that_fails_or_hangs_is_a_sentence_and_nothing_is_lost(
    qtbot: QtBot, make_window: Make, monkeypatch: pytest.MonkeyPatch, then: Callable[[], None]
) -> None:
    monkeypatch.setattr("engine.analysis.manual_play.ManualPlay", Scripted)
    monkeypatch.setattr(Scripted, "then", staticmethod(then), raising=False)
    window = make_window(environment="CartPole-v1")
    panel = opened(window)
    game = panel.game
    played, told = heard(game.thread_of_play.played), heard(game.told)
    click(panel)
    qtbot.waitUntil(is_at(panel, GameState.PLAYING))
    QTest.keyPress(panel.view, Key.Key_Right)
    if then is raises:
        qtbot.waitUntil(is_at(panel, GameState.FAILED))
        assert panel.view.sentence == "CartPole-v1 raised OSError: the level file is gone, in its step."
        assert [len(one.demonstration) for one in played] == [2]
        click(panel)
        qtbot.waitUntil(is_at(panel, GameState.PLAYING))
        return
    qtbot.waitUntil(lambda: bool(told))
    assert "has not answered its step" in told[0]
    QTest.mouseClick(panel.restart_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(is_at(panel, GameState.PLAYING))
    assert [len(one.demonstration) for one in played] == [2]


def test_a_window_closed_in_mid_episode_keeps_what_was_played_and_what_could_not_be_kept_before(
    qtbot: QtBot, make_window: Make, library_place: Path
) -> None:
    window = make_window(environment="GridWorld-v0")
    panel = opened(window)
    thread, told = panel.game.thread_of_play, heard(panel.game.told)
    keep, calls = thread._keep, list[Played]()

    def fails_once(played: Played) -> RecordingRecord:
        calls.append(played)
        if len(calls) == 1:
            raise RunError("The disk is full.")
        return keep(played)

    thread._keep = fails_once
    click(panel)
    qtbot.waitUntil(is_at(panel, GameState.PLAYING))
    press(panel, qtbot, Key.Key_Down, Key.Key_Down)
    QTest.mouseClick(panel.restart_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(is_at(panel, GameState.PLAYING))
    assert told == ["The disk is full. The episode is held in memory, and kept as soon as that can be done."]
    press(panel, qtbot, Key.Key_Down)
    window.close()
    assert window.shut_down()
    kept = recordings(library_place)
    assert [(each.environment_id, each.steps, each.source.words) for each in kept] == [
        ("GridWorld-v0", 1, "a person"),
        ("GridWorld-v0", 2, "a person"),
    ]
    assert not kept[0].episodes[0].end
