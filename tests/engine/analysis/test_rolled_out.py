"""Returns played out from chosen states: their means are the exact values where these are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from engine.analysis.playback import frozen
from engine.analysis.rolled_out import horizon, rolled_out, why_not_rolled_out
from engine.analysis.surfaces import surface_of
from engine.config.environments import EnvironmentConfig
from engine.runtime.errors import RequestError
from engine.training.training import Training
from tests.engine.support import configured


def test_on_a_finite_process_they_lie_around_its_exact_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 10 states, with 400 episodes each, in which the largest of 10 deviations is rarely 3.5 standard errors."""
    config = configured(
        environment="Corridor-v0",
        environment__options={"slip": 0.2},
        environment__reward_scale=2.0,
        environment__reward_offset=0.5,
        estimator__gamma=0.9,
        policy="tabular",
    )
    training = Training(config)
    with torch.no_grad():
        for table in training.policy.head.parameters():
            table += torch.randn(table.shape, generator=torch.Generator().manual_seed(3))
    snapshot = frozen(training)
    exact = surface_of(snapshot)
    assert exact is not None
    states = np.arange(len(exact.values) - 1)  # the last one is the goal
    *_, last = rolled_out(snapshot, states, 400, 0)
    off = (last.mean - exact.values[:-1]) / last.error
    assert (last.episodes, bool((last.error > 0.0).all())) == (400, True)
    assert np.abs(off).max() < 3.5
    monkeypatch.setattr("engine.analysis.rolled_out._TOGETHER", 1)
    twice = list(rolled_out(snapshot, states, 2, 1))
    first = twice[0].mean
    second = 2.0 * twice[1].mean - first
    assert twice[1].error == pytest.approx(np.abs(first - second) / 2.0)
    assert np.isnan(twice[0].error).all()


def test_a_policy_of_which_nothing_is_drawn_has_no_spread_and_the_return_of_its_equations() -> None:
    """A car that drives on to the goal, and one that is there already but for a step; greedy, as DQN's values are."""
    config = configured(environment="MountainCar-v0", update="dqn", estimator__gamma=0.5)
    snapshot = frozen(Training(config))
    *_, last = rolled_out(snapshot, np.array([[0.49, 0.07], [-0.5, 0.0]]), 3, 0)
    steps = horizon(config, 200)
    assert steps == math.ceil(math.log(1e-3) / math.log(0.5))
    assert last.mean == pytest.approx([-1.0, -2.0 * (1.0 - 0.5**steps)])
    assert (last.error == 0.0).all()


def test_changes_and_memories_are_played_with_and_it_ends_when_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.analysis.rolled_out._TOGETHER", 1)
    config = configured(
        environment="CartPolePositions-v0",
        environment__observation_noise=0.01,
        environment__sticky_actions=0.2,
        policy="gru",
        estimator__gamma=0.9,
    )
    snapshot = frozen(Training(config))
    states = np.array([[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.5, 0.0]])
    shares: list[float] = []

    def going_on(share: float) -> bool:
        shares.append(share)
        return len(shares) < 6

    found = list(rolled_out(snapshot, states, 9, 0, going_on))
    assert 1 <= len(found) < 9
    assert shares == sorted(shares)
    assert found[-1].mean[1] == 1.0  # it has fallen: the first step ends it, and pays once more
    assert 1.0 < found[-1].mean[0] < 10.0


def test_without_discounting_it_is_an_episode_that_is_played_to_its_time_limit() -> None:
    assert horizon(configured(environment="CartPole-v1", estimator__gamma=1.0), 500) == 500
    assert horizon(configured(environment="CartPole-v1", estimator__gamma=0.99), 500) == 688


def test_what_is_stepped_by_others_says_that_it_cannot() -> None:
    environment = EnvironmentConfig(id="LunarLander-v3")
    assert "equations are the program's own" in why_not_rolled_out(environment)
    with pytest.raises(RequestError, match="program's own"):
        list(rolled_out(frozen(Training(configured(environment="LunarLander-v3"))), np.zeros((1, 8)), 1, 0))
