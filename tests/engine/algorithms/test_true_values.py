"""The values that a table is held against."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.algorithms.value_based.true_values import TrueValues
from engine.config.environments import EnvironmentConfig
from engine.environments.making.known_dynamics import finite_mdp
from engine.maths.exploration import epsilon_greedy_probabilities
from engine.mdp.exact import action_values, dynamics_of, policy_iteration

LAKE = EnvironmentConfig(id="FrozenLake-v1", reward_scale=2.0)


def test_best_values_are_those_of_policy_iteration_without_a_time_limit_in_the_rewards_that_learning_sees() -> None:
    """Twice the reward is twice the value; a difference counts as often as what differs has been visited."""
    mdp = finite_mdp("FrozenLake-v1")
    assert mdp is not None
    best = 2.0 * policy_iteration(dynamics_of(replace(mdp, horizon=None)), 0.9).action_values.numpy()
    values, visits = best.astype(np.float32), np.ones(best.shape, np.int64)
    true = TrueValues(LAKE, "q*")
    assert true.error(values, visits, 0.9, 0.1, 1) == pytest.approx(0.0, abs=1e-6)
    values[3, 1] += 0.5
    visits[3, 1] = 10
    assert true.error(values, visits, 0.9, 0.1, 1) == pytest.approx(0.5 * 10 / visits.sum(), abs=1e-6)
    assert true.error(values, visits * 0, 0.9, 0.1, 1) is None


def test_values_of_the_policy_that_acts_are_computed_when_they_cost_little_beside_learning() -> None:
    mdp = finite_mdp("FrozenLake-v1")
    assert mdp is not None
    values = np.random.default_rng(0).normal(size=(16, 4)).astype(np.float32)
    policy = epsilon_greedy_probabilities(torch.from_numpy(values).double(), 0.2)
    acting = 2.0 * action_values(dynamics_of(replace(mdp, horizon=None)), policy, 0.9).numpy()
    true, visits = TrueValues(LAKE, "q_π"), np.ones((16, 4), np.int64)
    assert [true.error(values, visits, 0.9, 0.2, 25) for _ in range(2)] == [None, None]
    going_on = TrueValues(LAKE, "q_π")
    going_on.load(true.state())
    assert going_on.error(values, visits, 0.9, 0.2, 1) == pytest.approx(np.abs(values - acting).mean(), rel=1e-5)


def test_undiscounted_a_policy_that_would_hardly_ever_end_has_no_true_values() -> None:
    """On the cliff, one that keeps to the left; discounted it has some, and where episodes may be that long."""
    left, right = np.zeros((48, 4), np.float32), np.zeros((48, 4), np.float32)
    left[:, 3] = 1.0
    right[:, 1] = right[11::12, 2] = 1.0
    right[11::12, 1], right[36, 0] = 0.0, 2.0
    visits = np.ones((48, 4), np.int64)
    cliff = TrueValues(EnvironmentConfig(id="CliffWalking-v1"), "q_π")
    assert cliff.error(left, visits, 1.0, 0.1, 10_000) is None
    assert cliff.error(left, visits, 0.99, 0.1, 10_000) is not None
    assert 0.0 < (cliff.error(right, visits, 1.0, 0.1, 10_000) or 0.0) < 200.0
    long = TrueValues(EnvironmentConfig(id="CliffWalking-v1", time_limit=1_000_000), "q_π")
    assert cliff.error(left, visits, 1.0, 0.8, 10_000) is None
    assert (long.error(left, visits, 1.0, 0.8, 10_000) or 0.0) > 10_000.0


def test_where_there_is_no_true_value_there_is_no_error() -> None:
    """In a corridor, one that walks to and fro never arrives; nobody knows how CartPole goes on."""
    values, visits = np.zeros((7, 2), np.float32), np.ones((7, 2), np.int64)
    values[:3, 1] = values[3:, 0] = 1.0
    corridor = TrueValues(EnvironmentConfig(id="Corridor-v0"), "q_π")
    assert corridor.error(values, visits, 1.0, 0.0, 1_000) is None
    assert corridor.error(values, visits, 0.9, 0.0, 1_000) is not None
    assert TrueValues(EnvironmentConfig(id="CartPole-v1"), "q*").error(values, visits, 0.9, 0.1, 1) is None
