"""The Episode panel and the thread that plays for it, used as a person would."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.panels.episode.panel import BEGINNING, EMPTY, PAUSED
from engine.catalogue.environments import ENVIRONMENTS
from engine.config import PolicyGradientConfig
from engine.reports.frames import SoftmaxDecision
from tests.app.films import Film, Open, click, film, plays, show, some_frame, speed_within, steps_within

# --- what is shown ----------------------------------------------------------------------------------------------------


def test_an_empty_panel_says_what_will_appear(open_panel: Open) -> None:
    assert open_panel().view.sentence == EMPTY


def test_an_offered_policy_plays(qtbot: QtBot, open_panel: Open) -> None:
    panel = open_panel()
    panel.playback.set_paused(True)
    panel.playback.offer(film())
    assert panel.view.sentence == PAUSED
    click(qtbot, panel.play_button)
    assert panel.view.sentence == BEGINNING  # which may take seconds, and is no training
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
    assert (steps_within(qtbot, 150), panel.playback.wants(1000)) == (0, False)


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
