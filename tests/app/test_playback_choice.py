"""Which policy is watched, and when a newer one takes over: the episode must not contradict the curve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.session import playback_choice
from app.session.playback_choice import SHORTEST_SHOW, SNAPSHOT_EVERY, PlaybackChoice
from engine.analysis.beginnings import InState
from engine.analysis.playback import PolicySnapshot
from tests.app.films import Film, Open, film, plays, show, some_frame

LONG = 100.0  # seconds
UNTRAINED, FIRST, SECOND, THIRD = (film(iteration=iteration) for iteration in range(4))


def playing(policy: PolicySnapshot) -> PlaybackChoice:
    """One that has played ``policy`` since 0."""
    choice = PlaybackChoice()
    choice.offer(policy, 0.0, final=False)
    assert choice.next(0.0) == (policy, False)
    choice.began(policy, 0.0)
    return choice


# --- the decision -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "overtakes"), [(UNTRAINED, FIRST, True), (FIRST, SECOND, False), (FIRST, THIRD, True)]
)
def test_a_much_newer_policy_takes_over_once_the_older_one_has_been_seen(
    old: PolicySnapshot, new: PolicySnapshot, overtakes: bool
) -> None:
    choice = playing(old)
    choice.offer(new, 0.1, final=False)
    choice.began(old, 1.0)  # another episode of it makes it no younger
    assert choice.next(SHORTEST_SHOW - 0.01) == (new, False)
    assert choice.next(SHORTEST_SHOW + 0.01) == (new, overtakes)


def test_a_final_policy_takes_over_at_once_unless_it_plays_already() -> None:
    choice = playing(FIRST)
    choice.offer(SECOND, 0.1, final=True)
    assert [choice.next(0.2), choice.next(0.3)] == [(SECOND, True), (SECOND, False)]
    choice = playing(FIRST)
    choice.offer(replace(FIRST), 0.1, final=True)
    assert not choice.next(LONG)[1]


def test_a_policy_that_is_held_plays_until_the_newest_is_followed_again() -> None:
    choice = playing(FIRST)
    choice.hold()
    for time, final in ((1.0, False), (2.0, True)):
        choice.offer(THIRD, time, final=final)
        assert choice.next(LONG) == (FIRST, False)
    choice.follow()
    assert choice.next(2.1) == (THIRD, True)


def test_an_episode_asked_for_begins_once_of_what_is_watched_or_of_what_is_held_from_then_on() -> None:
    beginning = InState(np.array([0.1, 0.0]))
    choice = playing(FIRST)
    choice.play_from(FIRST, beginning)
    assert (choice.follows, choice.jumps) == (True, True)
    assert [choice.take_beginning(), choice.take_beginning()] == [beginning, None]
    assert not choice.jumps
    choice.play_from(UNTRAINED, beginning)
    assert (choice.follows, choice.take_beginning(), choice.next(1.0)) == (False, beginning, (UNTRAINED, True))
    choice.play_from(UNTRAINED, beginning)
    choice.follow()
    assert choice.take_beginning() is None


def test_a_new_run_is_followed_from_its_first_policy_on() -> None:
    choice = playing(THIRD)
    choice.hold()
    choice.forget()
    assert choice.follows
    choice.offer(UNTRAINED, 1.0, final=False)
    assert choice.next(1.0) == (UNTRAINED, False)


def test_policies_are_wanted_a_few_times_in_a_second_and_once_much_newer() -> None:
    choice = PlaybackChoice()
    assert choice.wants(5, 0.0)
    choice.offer(FIRST, 0.0, final=False)
    assert not choice.wants(2, LONG)  # the last one has not been looked at
    assert choice.wants(3, 0.0)
    choice.next(0.0)
    assert not choice.wants(2, SNAPSHOT_EVERY - 0.01)
    assert choice.wants(2, SNAPSHOT_EVERY)


# --- the thread and the panel -----------------------------------------------------------------------------------------


def test_an_untrained_policy_vanishes_in_the_midst_of_its_episode(
    qtbot: QtBot, open_panel: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playback_choice, "SHORTEST_SHOW", 0.3)
    panel = open_panel(film(iteration=0))
    qtbot.waitUntil(lambda: plays(panel) and panel.policy_label.text() == "untrained policy")
    panel.playback.offer(replace(film(iteration=1), mean_return=22.25))
    qtbot.waitUntil(lambda: panel.policy_label.text() == "policy of iteration 1", timeout=1000)
    assert panel.training_label.text() == "training mean 22.25"
    assert float(panel.return_label.text()) < 20  # from its beginning: a step earns 1


def test_the_last_policy_of_a_run_plays_at_once_from_its_beginning_even_while_an_end_is_shown(
    qtbot: QtBot, open_panel: Open
) -> None:
    panel = open_panel(film(length=3, iteration=4))
    qtbot.waitUntil(lambda: panel.step_label.text() == "ended at step 3")
    panel.playback.offer(film(length=3, iteration=5), final=True)
    qtbot.waitUntil(lambda: panel.policy_label.text() == "policy of iteration 5", timeout=500)


def test_a_policy_is_held_episode_after_episode(
    qtbot: QtBot, open_panel: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.session.playback_thread.HOLD", 0.0)
    monkeypatch.setattr("app.session.playback_thread.SHORTEST_HOLD", 0.0)
    told: list[bool] = []
    panel = open_panel(film(length=20, iteration=12))
    panel.playback.follow_changed.connect(told.append)
    qtbot.waitUntil(lambda: plays(panel))
    panel.playback.set_follow(False)
    panel.playback.offer(film(length=20, iteration=75), final=True)
    before = Film.steps
    qtbot.waitUntil(lambda: Film.steps > before + 50)
    assert (panel.policy_label.text(), panel.newest_label.text()) == (
        "policy of iteration 12, held",
        "iteration 75 is newest",
    )
    panel.playback.set_follow(True)
    qtbot.waitUntil(lambda: panel.policy_label.text() == "policy of iteration 75", timeout=1000)
    assert panel.newest_label.text() == ""
    panel.playback.set_follow(False)
    panel.playback.offer(film(), new_run=True)
    qtbot.waitUntil(lambda: told == [False, True, False, True])


def test_what_an_episode_came_to_is_told_as_that_and_beside_the_curve(
    open_panel: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = open_panel()
    show(panel, monkeypatch, some_frame(), newest=42, training_mean=None)
    assert (panel.return_title.text(), panel.training_label.text()) == ("Return so far", "")
    show(panel, monkeypatch, some_frame(truncated=True, reward_so_far=500.0), newest=43, training_mean=-1482.5)
    assert (panel.return_title.text(), panel.return_label.text()) == ("Return", "500")
    assert (panel.training_label.text(), panel.newest_label.text()) == ("training mean −1482", "iteration 43 is newest")
