"""Episodes in which somebody else acts: what comes of them is a demonstration that leads through them again."""

from __future__ import annotations

import numpy as np
import pytest

from engine.analysis.beginnings import InState
from engine.analysis.manual_play import ManualPlay
from engine.config.environments import EnvironmentConfig
from engine.runtime.errors import RunError
from tests.engine.analysis.playing import Pictured
from tests.engine.support import register


def test_an_episode_is_kept_as_it_was_played_and_can_be_played_again() -> None:
    config = EnvironmentConfig(id="LunarLander-v3", time_limit=5, observation_noise=0.1, sticky_actions=0.5)
    play = ManualPlay(config)
    try:
        runs = []
        for _ in range(2):
            first = play.begin(7)
            assert first.step == 0
            assert first.image is not None
            assert not first.ended
            frames = [play.step(np.array(action % 4), render=False) for action in range(5)]
            assert [frame.step for frame in frames] == [1, 2, 3, 4, 5]
            assert frames[-1].truncated
            assert frames[-1].image is not None
            assert frames[0].image is None
            assert not play.under_way
            runs.append(play.demonstration())
    finally:
        play.close()
    one, again = runs
    assert one is not None
    assert again is not None
    assert np.array_equal(one.observations, again.observations)
    assert np.array_equal(one.rewards, again.rewards)
    assert one.observations.shape == (5, 8)
    assert one.observations.dtype == np.float32
    assert one.actions.tolist() == [0, 1, 2, 3, 0]
    assert one.seed == 7
    assert one.truncated
    assert one.total_return == frames[-1].reward_so_far
    assert not np.array_equal(one.final_observation, one.observations[-1])


def test_an_episode_can_begin_in_a_state_and_has_no_seed_then() -> None:
    play = ManualPlay(EnvironmentConfig(id="CartPole-v1"))
    try:
        state = np.array([0.5, -0.25, 0.05, 0.125])
        assert play.begin_in(InState(state)).step == 0
        assert np.allclose(play.observation, state)
        play.step(np.array(1), render=False)
        played = play.demonstration()
    finally:
        play.close()
    assert played is not None
    assert played.seed is None
    assert np.allclose(played.observations[0], state)


def test_what_breaks_off_is_kept_as_far_as_it_came() -> None:
    play = ManualPlay(EnvironmentConfig(id=register("Breaks-v0", Pictured, what="raises in episode 1")))
    play.begin(1)
    assert play.demonstration() is None
    play.step(np.array(1))
    broken_off = play.demonstration()
    assert broken_off is not None
    assert len(broken_off) == 1
    assert not (broken_off.terminated)
    assert not (broken_off.truncated)
    play.begin(2)
    with pytest.raises(RunError, match="division by zero"):
        play.step(np.array(1))
    assert play.demonstration() is None
    with pytest.raises(ValueError, match="No episode is under way"):
        ManualPlay(EnvironmentConfig(id="GridWorld-v0")).step(np.array(0))
    play.close()


def test_states_that_are_numbered_are_told() -> None:
    play = ManualPlay(EnvironmentConfig(id="GridWorld-v0"))
    assert play.begin(3).state == 0
    assert play.frames_per_second == 8
    play.step(np.array(1))
    kept = play.demonstration()
    play.close()
    assert kept is not None
    assert kept.observations.tolist() == [0]
    assert kept.observations.dtype == np.int64
