"""A person plays in the window, by real keys: countdown, keys, pause, restart, and what becomes of the episodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPoint, QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFrame
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.panels.play.page import GamePage
from app.panels.play.panel import PlayPanel
from app.panels.returns import ReturnsPanel
from app.session.game import EACH_KEY, Game, GameState
from app.session.gamepad import GamepadPlayer
from app.style.text import set_role
from app.window.main_window import MainWindow
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.spaces import Space
from engine.config.environments import EnvironmentConfig
from engine.runs.library import Library
from engine.runs.recording_records import RecordingRecord
from engine.runs.recordings import Recordings
from tests.app.shorthands import heard, pick_environment
from tests.app.virtual_gamepad import FIRST_BUTTON, LEFT_DOWN, START_BUTTON, virtual_gamepad

Make = Callable[..., MainWindow]
Key = Qt.Key
TO_THE_GOAL = (*(Key.Key_Right,) * 2, Key.Key_Down, *(Key.Key_Right,) * 2, *(Key.Key_Down,) * 3)


def opened(window: MainWindow) -> GamePage:
    """The tab, in front, whose countdown takes no time."""
    window.docks["Play/Record"].raise_()
    panel = window.panels.find(PlayPanel).page
    panel.game.timer.setInterval(1)
    return panel


def click(panel: GamePage) -> None:
    QTest.mouseClick(panel.play_button, Qt.MouseButton.LeftButton)


def is_at(panel: GamePage, state: GameState) -> Callable[[], bool]:
    return lambda: panel.game.state is state


def steps(panel: GamePage) -> int:
    return panel.game.moment.frame.step if panel.game.moment is not None else -1


def press(panel: GamePage, qtbot: QtBot, *keys: Qt.Key) -> None:
    """A step each."""
    for key in keys:
        before = steps(panel)
        QTest.keyClick(panel.view, key)
        qtbot.waitUntil(lambda before=before: steps(panel) == before + 1)


def recordings(folder: Path) -> list[RecordingRecord]:
    library = Library(folder)
    try:
        return Recordings(library).list()
    finally:
        library.close()


def test_an_episode_is_played_by_keys_and_its_return_stands_beside_the_curve(
    qtbot: QtBot, make_window: Make, library_place: Path
) -> None:
    window = make_window(environment="GridWorld-v0", policy="tabular", environment__options__slip=0.0)
    panel, returns = opened(window), window.panels.find(ReturnsPanel)
    game = panel.game
    assert game.pace == EACH_KEY
    assert panel.caps.text_of("left") == "←  left"
    assert "yours to play" in panel.view.sentence
    click(panel)
    qtbot.waitUntil(is_at(panel, GameState.PLAYING))
    assert panel.view.hasFocus()
    assert panel._frame.property("role") == "game on"
    # Keys are the game's, be they shortcuts of the window's or not; one that means nothing is told of once.
    told = heard(game.told)
    for key in (Key.Key_Space, Key.Key_F5, Key.Key_P, Key.Key_Tab, Key.Key_Space):
        QTest.keyClick(panel.view, key)
    assert window.controller.state is RunState.IDLE
    assert panel.view.hasFocus()
    assert told[0] == "Space does nothing here; the keys that do are shown with the picture."
    assert len(told) == 4
    assert steps(panel) == 0
    press(panel, qtbot, *TO_THE_GOAL[:-1])
    assert panel.standings.numbers["episode"].text() == "−0.7"
    # Escape gives the keys back; a click on the picture takes them again.
    QTest.keyClick(panel.view, Key.Key_Escape)
    assert game.state is GameState.PAUSED
    assert panel._frame.property("role") == "game"
    QTest.keyClick(window.focusWidget(), Key.Key_Space)
    assert window.controller.state is RunState.IDLE, "nothing is trained by surprise"
    qtbot.waitUntil(is_at(panel, GameState.PLAYING))
    QTest.keyClick(panel.view, Key.Key_Escape)
    QTest.mouseClick(panel.view, Qt.MouseButton.LeftButton)
    assert game.state is GameState.PLAYING
    # The mouse goes to a cell beside the agent, and says so where there is none.
    for down in (0.5, 4.5):
        place = panel.view.picture_rect
        cell = QPoint(
            *(
                round(start + (10 + 92 * share) / 480 * size)
                for start, share, size in ((place.left(), 4.5, place.width()), (place.top(), down, place.height()))
            )
        )
        QTest.mouseClick(panel.view, Qt.MouseButton.LeftButton, pos=cell)
    assert told[-1].startswith("Nothing leads there at once")
    qtbot.waitUntil(is_at(panel, GameState.ENDED))
    qtbot.waitUntil(lambda: "Over after 8 steps. Kept as recording 1." in panel.status.text())
    assert panel.standings.numbers["episode"].text() == "9.3"
    assert panel.standings.titles["you"].text() == "You, mean of 1 episode"
    assert [(kept.mean_return, kept.episodes[0].end) for kept in recordings(library_place)] == [(9.3, "terminated")]
    assert returns._person.text == "you 9.3 (1 episode)"
    assert returns._stage.filled, "though no run is there yet"
    assert returns._y is not None
    assert returns._y[0] < 9.3 < returns._y[1]
    pick_environment(window.experiment, ENVIRONMENTS["FrozenLake-v1"])
    assert game.state is GameState.IDLE
    assert panel.standings.numbers["you"].text() == "–"
    assert not returns._stage.filled


def test_time_runs_after_a_countdown_and_stands_still_when_the_keyboard_goes_elsewhere(
    qtbot: QtBot, make_window: Make
) -> None:
    window = make_window(environment="CartPole-v1")
    panel = opened(window)
    game, view = panel.game, panel.view
    game.set_pace(1.0)
    counted: list[str] = []
    game.changed.connect(lambda: counted.append(view.counted))
    click(panel)
    qtbot.waitUntil(is_at(panel, GameState.PLAYING))
    assert list(dict.fromkeys(filter(None, counted))) == ["3", "2", "1"]
    assert not view.counted
    assert panel.status.text().startswith("Time runs from your first key on")
    assert steps(panel) == 0, "nobody has said what to do yet"
    QTest.keyPress(view, Key.Key_Right)
    assert panel.caps.cap("push right").isChecked()
    qtbot.waitUntil(lambda: steps(panel) >= 2)
    window.experiment_panel.setFocus(Qt.FocusReason.OtherFocusReason)
    assert game.state is GameState.PAUSED
    assert "since the keyboard went elsewhere" in panel.status.text()
    assert not panel.caps.cap("push right").isChecked()
    before = steps(panel)
    assert view.badge == "Paused"
    click(panel)
    qtbot.waitUntil(is_at(panel, GameState.PLAYING))
    played = heard(game.thread_of_play.played)
    QTest.mouseClick(panel.restart_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(played) == 1)
    broken_off = played[0].demonstration
    assert not broken_off.terminated
    assert len(broken_off) >= before
    assert set(broken_off.actions.tolist()) == {1}
    qtbot.waitUntil(is_at(panel, GameState.PLAYING))
    QTest.keyPress(view, Key.Key_Left)
    qtbot.waitUntil(is_at(panel, GameState.ENDED), timeout=10_000)
    qtbot.waitUntil(lambda: len(played) == 2)
    assert played[1].demonstration.terminated
    assert panel.status.text().startswith("Over after ")
    QTest.keyClick(view, Key.Key_Return)
    qtbot.waitUntil(is_at(panel, GameState.PLAYING))
    QTest.keyPress(view, Key.Key_Left)
    window.docks["Agent"].raise_()
    qtbot.waitUntil(is_at(panel, GameState.PAUSED))


def test_keys_can_be_others_and_are_remembered(qtbot: QtBot, make_window: Make) -> None:
    window = make_window(environment="Taxi-v4")
    panel = opened(window)
    QTest.mouseClick(panel.caps.cap("pick up"), Qt.MouseButton.LeftButton)
    assert panel.caps.text_of("pick up") == "press a key  pick up"
    QTest.keyClick(panel.view, Key.Key_Space)
    assert panel.caps.text_of("pick up") == "Space  pick up"
    QTest.mouseClick(panel.caps.cap("left"), Qt.MouseButton.LeftButton)
    QTest.keyClick(panel.view, Key.Key_Escape)
    assert panel.caps.text_of("left") == "←  left"
    QTest.mouseClick(panel.caps.cap("left"), Qt.MouseButton.LeftButton)
    QTest.keyClick(panel.view, Key.Key_Right)
    assert panel.caps.text_of("right") == "←  right", "it has the key that was free"
    pick_environment(window.experiment, ENVIRONMENTS["CliffWalking-v1"])
    pick_environment(window.experiment, ENVIRONMENTS["Taxi-v4"])
    assert panel.caps.text_of("pick up") == "Space  pick up"
    panel.game.use_usual_keys()
    assert panel.caps.text_of("pick up") == "P  pick up"
    pick_environment(window.experiment, ENVIRONMENTS["Pendulum-v1"])
    assert panel.caps.text_of("torque +") == "←  torque + ↺"
    pick_environment(window.experiment, ENVIRONMENTS["Ant-v5"])
    assert "more than a person has fingers for" in panel.view.sentence
    assert not panel.play_button.isEnabled()


def test_a_gamepad_plays_until_it_is_pulled_out(qtbot: QtBot, make_window: Make) -> None:
    window = make_window(environment="Taxi-v4")
    panel = opened(window)
    watch = panel.game.findChild(GamepadPlayer).watch
    assert not watch.timer.isActive()
    told = heard(panel.game.told)
    with virtual_gamepad() as pad:
        click(panel)
        qtbot.waitUntil(is_at(panel, GameState.PLAYING))
        assert told[-1].endswith(" plays, too: sticks for pairs of keys, buttons for the others.")
        pad.tilt(LEFT_DOWN, -0.9)
        qtbot.waitUntil(lambda: steps(panel) == 1)
        assert panel.caps.cap("up").isChecked()
        pad.tilt(LEFT_DOWN, 0.9)
        qtbot.waitUntil(lambda: steps(panel) == 2)
        pad.press(FIRST_BUTTON)
        qtbot.waitUntil(lambda: steps(panel) == 3)
    qtbot.waitUntil(is_at(panel, GameState.PAUSED))
    assert "the gamepad is gone" in panel.status.text()
    assert not watch.timer.isActive()
    played = heard(panel.game.thread_of_play.played)
    with virtual_gamepad() as pad:
        click(panel)
        assert panel.game.state is GameState.PLAYING
        pad.press(START_BUTTON)
        qtbot.waitUntil(is_at(panel, GameState.PAUSED))
    QTest.mouseClick(panel.restart_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(played) == 1)
    assert played[0].demonstration.actions.tolist() == [1, 0, 4]


class Steps:
    """In place of the thread of play: the actions that it was to take."""

    frame_ready = failed = held_up = not_kept = property(lambda self: self)

    def __init__(self) -> None:
        self.taken: list[list[int]] = []

    def connect(self, _slot: object) -> None:
        pass

    def set_pace(self, _pace: float) -> None:
        pass

    def begin(self, *_: object) -> None:
        pass

    def step(self, action: NDArray[np.int64]) -> None:
        self.taken.append(action.tolist())


@pytest.mark.parametrize(
    ("space", "keys", "taken"),
    [
        (Space("multi-discrete", 5, parts=(2, 3)), ["W", "2", "Space", "Q", "Space"], [[1, 1], [1, 0]]),
        (Space("multi-binary", 3), ["1", "3", "Space", "1", "Space"], [[1, 0, 1], [0, 0, 1]]),
    ],
)
def test_what_stays_chosen_is_a_step_once_the_key_for_steps_is_pressed(
    settings: QSettings, space: Space, keys: list[str], taken: list[list[int]]
) -> None:
    thread = Steps()
    game = Game(settings, thread)
    game.choose(replace(ENVIRONMENTS["CartPole-v1"], action=space), EnvironmentConfig(id="Parts-v0"))
    game.set_pace(EACH_KEY)
    game.restart()
    game.state = GameState.PLAYING
    for key in keys:
        game.press(key)
        game.release(key)
    assert thread.taken == taken
    assert len(game.held) == sum(taken[-1]) if space.kind == "multi-binary" else len(game.held) == len(space.parts)


def test_another_look_is_painted(qtbot: QtBot) -> None:
    frame = QFrame()
    qtbot.addWidget(frame)
    frame.show()
    painted: list[int] = []
    seen = Filter(painted)
    frame.installEventFilter(seen)
    qtbot.waitUntil(lambda: bool(painted))
    painted.clear()
    set_role(frame, "game on")
    qtbot.waitUntil(lambda: bool(painted))


class Filter(QObject):
    def __init__(self, painted: list[int]) -> None:
        super().__init__()
        self._painted = painted

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self._painted.append(1)
        return False
