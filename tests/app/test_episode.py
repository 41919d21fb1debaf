"""The Episode panel and the thread that plays for it, used as a person would."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from app.panels.episode.panel import EMPTY, EpisodePanel
from app.session.playback_thread import PlaybackThread, PlayedFrame, _picture
from app.style import theme
from engine.analysis.playback import PolicySnapshot, snapshot
from engine.catalogue.environments import ENVIRONMENTS
from engine.config import PolicyGradientConfig
from engine.environments.making.lookup import inspect
from engine.policies.policy import Policy
from engine.reports.frames import Frame, SoftmaxDecision
from engine.runtime.waiting import Wait, waited
from tests.engine.support import configured, register

Open = Callable[..., EpisodePanel]


class Film(gymnasium.Env[Any, Any]):
    """Counts its steps, of which there are 100 per second, and its pictures."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 100}  # noqa: RUF012 - as Gymnasium wants it
    observation_space = spaces.Box(-1.0, 1.0, (2,))
    action_space = spaces.Discrete(2)
    steps = 0
    pictures = 0
    failures = 0

    def __init__(self, length: int = 10_000, slow: float = 0.0, what: str = "", render_mode: str | None = None) -> None:
        self._length, self._slow, self._what, self.render_mode = length, slow, what, render_mode

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        if self._what == "raises once" and self.render_mode:  # and not when it is only looked at
            Film.failures += 1
            if Film.failures == 1:
                raise OSError("not yet")
        self._left = self._length
        return np.zeros(2, np.float32), {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        if self._what == "raises":
            raise OSError("the level file is gone")
        Film.steps += 1
        self._left -= 1
        return np.zeros(2, np.float32), 1.0, self._left == 0, False, {}

    def render(self) -> Any:
        Film.pictures += 1
        time.sleep(self._slow)
        return np.full((40, 60, 3), 90, np.uint8)


def film(id: str = "Film-v0", iteration: int = 1, **kwargs: Any) -> PolicySnapshot:
    Film.failures = 0
    config = configured(environment=register(id, Film, **kwargs))
    environment = inspect(id)
    policy = Policy(config.policy, environment, torch.Generator().manual_seed(0))
    return snapshot(policy, config, environment, iteration)


@pytest.fixture
def open_panel(qtbot: QtBot) -> Iterator[Open]:
    """Opens a panel with a running thread of its own; each must end when asked to."""
    threads: list[PlaybackThread] = []

    def make(shown: PolicySnapshot | None = None) -> EpisodePanel:
        thread = PlaybackThread()
        threads.append(thread)
        panel = EpisodePanel(theme.load_theme("dark"), thread)
        qtbot.addWidget(panel)
        panel.resize(360, 640)
        panel.show()
        thread.start()
        if shown is not None:
            thread.offer(shown)
        return panel

    yield make
    for thread in threads:
        thread.end()
        assert thread.wait(1000)


def plays(panel: EpisodePanel) -> bool:
    return panel.return_label.text() != "–"


def steps_within(qtbot: QtBot, milliseconds: int) -> int:
    before = Film.steps
    qtbot.wait(milliseconds)
    return Film.steps - before


def speed_within(qtbot: QtBot, milliseconds: int) -> float:
    """Steps per second, whatever the wait really took."""
    started = time.monotonic()
    return steps_within(qtbot, milliseconds) / (time.monotonic() - started)


def click(qtbot: QtBot, button: Any) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def some_frame(**changes: Any) -> Frame:
    decision = SoftmaxDecision(np.array([0.25, 0.75], np.float32), 1)
    return replace(Frame(None, 7, decision, 7.0, False, False, 42, 1), **changes)


def show(panel: EpisodePanel, monkeypatch: pytest.MonkeyPatch, frame: Frame, size: tuple[int, int] = (60, 40)) -> None:
    """Hand the panel a frame as its thread would."""
    shown = PlayedFrame(frame, QImage(*size, QImage.Format.Format_RGB32), ENVIRONMENTS["CartPole-v1"])
    monkeypatch.setattr(panel.playback, "take", lambda: shown)
    panel._detailed = 0.0
    panel.playback.frame_ready.emit()


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_an_empty_panel_says_what_will_appear(open_panel: Open) -> None:
    assert open_panel().view.sentence == EMPTY


def test_an_offered_policy_plays(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film())
    qtbot.waitUntil(lambda: panel.view.sentence == "" and int(panel.return_label.text()) > 5)


def test_the_panel_says_which_policy_plays(open_panel: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = open_panel()
    show(panel, monkeypatch, some_frame())
    assert panel.policy_label.text() == "policy of iteration 42"


def test_the_bars_show_the_decision(open_panel: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = open_panel()
    frame = some_frame()
    show(panel, monkeypatch, frame)
    assert panel.bars.decision is frame.decision


def test_the_final_state_keeps_the_last_decision(open_panel: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = open_panel()
    frame = some_frame()
    show(panel, monkeypatch, frame)
    show(panel, monkeypatch, some_frame(decision=None, terminated=True))
    assert panel.bars.decision is frame.decision


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ({}, "step 7 of 500"),
        ({"terminated": True}, "ended at step 7"),
        ({"truncated": True}, "time limit at step 7"),
    ],
)
def test_how_an_episode_ended_is_said(
    open_panel: Open, monkeypatch: pytest.MonkeyPatch, end: dict[str, bool], words: str
) -> None:
    panel = open_panel()
    show(panel, monkeypatch, some_frame(**end))
    assert panel.step_label.text() == words


def test_a_return_keeps_its_decimals_once_it_has_them(open_panel: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = open_panel()
    texts = []
    for reward in (-3.0, -3.5, -4.0):
        show(panel, monkeypatch, some_frame(reward_so_far=reward))
        texts.append(panel.return_label.text())
    assert texts == ["−3", "−3.5", "−4.0"]


@pytest.mark.parametrize("reward", [float("nan"), float("inf"), -1e30])
def test_no_return_breaks_or_widens_the_panel(open_panel: Open, monkeypatch: pytest.MonkeyPatch, reward: float) -> None:
    panel = open_panel()
    before = panel.minimumSizeHint().width()
    show(panel, monkeypatch, some_frame(step=1, reward_so_far=reward))
    assert panel.minimumSizeHint().width() <= before


def test_the_panel_fits_a_narrow_dock(open_panel: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = open_panel()
    show(panel, monkeypatch, some_frame(step=499, iteration=123_456, reward_so_far=-12_345.6))
    assert panel.minimumSizeHint().width() <= 320


@pytest.mark.parametrize("size", [(600, 400), (500, 500), (160, 210)])
def test_the_picture_keeps_its_aspect(open_panel: Open, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    panel = open_panel()
    show(panel, monkeypatch, some_frame(), size)
    rect = panel.view.picture_rect
    assert rect.width() / rect.height() == pytest.approx(size[0] / size[1], rel=0.02)


def test_choosing_an_environment_makes_room_for_its_actions(open_panel: Open) -> None:
    panel = open_panel()
    panel.set_choice(ENVIRONMENTS["LunarLander-v3"], PolicyGradientConfig())
    assert panel.bars.space == ENVIRONMENTS["LunarLander-v3"].action


def test_what_plays_keeps_its_actions_while_another_environment_is_chosen(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film())
    qtbot.waitUntil(lambda: plays(panel))
    panel.set_choice(ENVIRONMENTS["LunarLander-v3"], PolicyGradientConfig())
    qtbot.wait(150)
    assert panel.bars.space.size == 2


def test_reset_empties_the_panel(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film())
    qtbot.waitUntil(lambda: plays(panel))
    panel.playback.reset()
    panel.reset()
    qtbot.wait(100)
    assert (panel.view.sentence, panel.return_label.text(), panel.bars.decision) == (EMPTY, "–", None)


# --- how it is played -------------------------------------------------------------------------------------------------


def test_an_episode_plays_in_the_environments_own_time(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film())
    qtbot.waitUntil(lambda: plays(panel))
    assert speed_within(qtbot, 500) == pytest.approx(100, rel=0.3)


def test_costly_pictures_are_dropped_rather_than_the_episode_slowed(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film(slow=0.08))
    qtbot.waitUntil(lambda: plays(panel))
    assert speed_within(qtbot, 800) == pytest.approx(100, rel=0.3)


def test_speed_makes_more_steps_but_hardly_more_pictures(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film())
    panel.speed_box.setCurrentText("4×")
    qtbot.waitUntil(lambda: plays(panel))
    pictures = Film.pictures
    steps = steps_within(qtbot, 500)
    assert steps > 5 * (Film.pictures - pictures)


@pytest.mark.parametrize("pace", [float("inf"), 1e300, 1e-300])
def test_an_impossible_pace_neither_breaks_nor_ends_the_playing(
    qtbot: QtBot, open_panel: Open, monkeypatch: pytest.MonkeyPatch, pace: float
) -> None:
    monkeypatch.setitem(Film.metadata, "render_fps", pace)
    panel = open_panel(film())
    qtbot.waitUntil(lambda: plays(panel))
    assert panel.view.sentence == ""
    panel.playback.set_speed(2.0)
    monkeypatch.setitem(Film.metadata, "render_fps", 100)
    held = Film.steps
    qtbot.waitUntil(lambda: Film.steps > held)


def test_pause_holds_the_episode_and_play_goes_on(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film())
    qtbot.waitUntil(lambda: plays(panel))
    click(qtbot, panel.play_button)
    qtbot.wait(60)
    assert (steps_within(qtbot, 150), panel.view.badge) == (0, "Paused")
    click(qtbot, panel.play_button)
    held = Film.steps
    qtbot.waitUntil(lambda: Film.steps > held)


def test_the_space_bar_works_the_play_button(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel()
    qtbot.keyClick(panel.play_button, Qt.Key.Key_Space)
    assert panel.playback.paused


def test_greedy_takes_the_most_likely_action(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel()
    click(qtbot, panel.greedy_button)
    panel.playback.offer(film())
    chosen = []

    def collect() -> None:
        if isinstance(panel.bars.decision, SoftmaxDecision):
            chosen.append(panel.bars.decision.action == panel.bars.decision.probabilities.argmax())

    for _ in range(15):
        qtbot.wait(30)
        collect()
    assert chosen
    assert all(chosen)


def test_an_episodes_end_is_held_before_the_next_begins(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film(length=3))
    qtbot.waitUntil(lambda: panel.step_label.text() == "ended at step 3")
    assert steps_within(qtbot, 150) == 0


def test_the_next_episode_plays_the_newest_policy(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film(length=20, iteration=1))
    qtbot.waitUntil(lambda: plays(panel))
    for iteration in (2, 3):
        panel.playback.offer(replace(film(length=20), iteration=iteration))
    qtbot.waitUntil(lambda: panel.policy_label.text() == "policy of iteration 3")


def test_hidden_it_neither_plays_nor_asks_for_policies(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film())
    qtbot.waitUntil(lambda: plays(panel))
    panel.hide()
    qtbot.wait(60)
    assert (steps_within(qtbot, 150), panel.playback.wants_snapshot) == (0, False)


def test_shown_again_it_goes_on(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film())
    qtbot.waitUntil(lambda: plays(panel))
    panel.hide()
    qtbot.wait(60)
    panel.show()
    held = Film.steps
    qtbot.waitUntil(lambda: Film.steps > held)


def test_a_slow_window_gets_the_newest_picture_and_no_queue(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel()
    told = []
    panel.playback.frame_ready.connect(lambda: told.append(1), Qt.ConnectionType.DirectConnection)
    panel.playback.frame_ready.disconnect(panel._show_newest)
    panel.playback.offer(film())
    qtbot.wait(300)
    assert len(told) == 1


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_failing_environment_is_one_sentence_in_the_panel(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film(what="raises"))
    qtbot.waitUntil(lambda: "raised OSError: the level file is gone, in its step" in panel.view.sentence)


def test_after_a_failure_the_play_button_tries_again(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film(what="raises once"))
    qtbot.waitUntil(lambda: "not yet" in panel.view.sentence)
    click(qtbot, panel.play_button)
    qtbot.waitUntil(lambda: plays(panel))


def test_broken_parameters_are_one_sentence_in_the_panel(qtbot: QtBot, open_panel: Open) -> None:
    shown = film()
    for value in shown.state.values():
        value.fill_(float("nan"))
    panel = open_panel(shown)
    qtbot.waitUntil(lambda: "not finite" in panel.view.sentence)


def test_the_next_run_plays_after_a_failed_one(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film(what="raises"))
    qtbot.waitUntil(lambda: "raised" in panel.view.sentence)
    panel.playback.reset()
    panel.reset()
    panel.playback.offer(film())
    qtbot.waitUntil(lambda: plays(panel))


class _Hangs:
    """A playback whose worker process does not answer when asked for a picture, for an hour at the most."""

    frames_per_second = 30.0
    made: list[_Hangs] = []  # noqa: RUF012

    def __init__(self, snapshot: PolicySnapshot, seed: int) -> None:
        self.environment = snapshot.environment
        self.closed, self._pictures = False, 0
        self.made.append(self)

    def use(self, snapshot: PolicySnapshot) -> None:
        pass

    def advance(self, greedy: bool, render: bool = True) -> Frame:
        self._pictures += 1
        for tenth in range(36_000 if self._pictures == 3 else 0):
            waited(Wait("Film-v0", "render", tenth / 10.0, 3600.0))
            time.sleep(0.005)
        return replace(some_frame(), image=np.zeros((4, 4, 3), np.uint8))

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def hung(qtbot: QtBot, open_panel: Open, monkeypatch: pytest.MonkeyPatch) -> EpisodePanel:
    """A panel whose environment does not answer, which it has been told."""
    monkeypatch.setattr(_Hangs, "made", [])
    with monkeypatch.context() as patch:
        patch.setattr("engine.analysis.playback.Playback", _Hangs)
        panel = open_panel(film())
        qtbot.waitUntil(lambda: panel.view.badge == "No answer")
    return panel


def test_a_new_run_plays_though_the_last_one_does_not_answer(qtbot: QtBot, hung: EpisodePanel) -> None:
    hung.playback.offer(film(), new_run=True)
    hung.reset()
    qtbot.waitUntil(lambda: plays(hung) and hung.view.badge == "", timeout=1000)
    assert _Hangs.made[0].closed


def test_hidden_what_does_not_answer_is_given_up_and_plays_anew_when_shown(qtbot: QtBot, hung: EpisodePanel) -> None:
    hung.hide()
    qtbot.waitUntil(lambda: _Hangs.made[0].closed, timeout=1000)
    hung.show()
    qtbot.waitUntil(lambda: hung.view.badge == "" and hung.step_label.text() != "step 7 of 500")
    assert not hung.view.sentence


def test_the_thread_ends_at_once_though_the_environment_does_not_answer(hung: EpisodePanel) -> None:
    hung.playback.end()
    assert hung.playback.wait(500)


@pytest.mark.parametrize("error", [asyncio.CancelledError(), GeneratorExit(), SystemExit("bye")])
def test_what_is_no_exception_is_one_sentence_and_the_next_run_plays(
    qtbot: QtBot, open_panel: Open, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def raises(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr("engine.analysis.playback.Playback", raises)
        panel = open_panel(film())
        qtbot.waitUntil(lambda: f"The episode cannot be shown: {type(error).__name__}" in panel.view.sentence)
    panel.playback.offer(film(), new_run=True)
    panel.reset()
    qtbot.waitUntil(lambda: plays(panel))


def test_an_environment_too_slow_for_its_speed_says_so(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film(slow=0.3))
    panel.speed_box.setCurrentText("8×")
    qtbot.waitUntil(lambda: panel.rate_label.text() != "")
    assert panel.rate_label.text().endswith(" of 800 steps/s")
    assert "8× would be 800" in panel.rate_label.toolTip()
    panel.reset()
    assert panel.rate_label.text() == ""


@pytest.mark.parametrize("sizes", [[(1, 1), (600, 400), (400, 600)], [(1, 4000), (4000, 1)], [(3, 2), (2, 3), (3, 2)]])
def test_pictures_of_changing_sizes_are_shown_in_room_that_stays(
    open_panel: Open, monkeypatch: pytest.MonkeyPatch, sizes: list[tuple[int, int]]
) -> None:
    panel = open_panel()
    for size in sizes:
        show(panel, monkeypatch, some_frame(), size)
    limit = panel.view.maximumHeight()
    for width, height in sizes:
        show(panel, monkeypatch, some_frame(), (width, height))
        rect = panel.view.picture_rect
        assert panel.view.rect().contains(rect)
        assert rect.width() >= 1 <= rect.height()
        assert (rect.width() > rect.height()) is (width > height)
    assert panel.view.maximumHeight() == limit


@pytest.mark.parametrize(("shape", "size"), [((1, 1), (1, 1)), ((5000, 3000), (1000, 1667)), ((2048, 10), (10, 2048))])
def test_a_picture_is_handed_over_no_larger_than_can_be_seen(shape: tuple[int, int], size: tuple[int, int]) -> None:
    image = np.zeros((*shape, 3), np.uint8)
    image[0, 0] = 9, 8, 7
    picture = _picture(image)
    assert (picture.width(), picture.height()) == size
    assert picture.pixelColor(0, 0).getRgb()[:3] == (9, 8, 7)


def test_the_thread_ends_within_a_second_whatever_it_does(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel(film(length=1))
    qtbot.waitUntil(lambda: plays(panel))
    panel.playback.end()
    assert panel.playback.wait(1000)
