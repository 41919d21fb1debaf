"""Value and policy iteration against known optima, each other, and the bounds they promise."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from engine.environments.batches.batched import finite_environments
from engine.environments.making.known_dynamics import finite_mdp
from engine.mdp.exact import (
    action_values,
    backup,
    dynamics_of,
    expected_return,
    policy_iteration,
    state_values,
    value_iteration,
)
from engine.mdp.finite import corridor, from_outcomes
from engine.mdp.greedy import greedy_policy
from tests.engine.processes import CASES, close, known, policy_of, random_dynamics, uniform


@pytest.mark.parametrize(
    ("id", "horizon", "gamma", "best"),
    [
        ("Bandit-v0", 1, 1.0, 0.8),
        ("Corridor-v0", 50, 1.0, 5.0),
        ("Corridor-v0", None, 0.9, 10 * 0.9**5 - (1 - 0.9**5) / 0.1),
        ("CliffWalking-v1", None, 1.0, -13.0),
        ("CliffWalking-v1", 12, 1.0, -12.0),
        ("FrozenLake-v1", None, 1.0, 14 / 17),
    ],
)
def test_known_optima(id: str, horizon: int | None, gamma: float, best: float) -> None:
    dynamics = known(id, horizon=horizon)
    for solution in (value_iteration(dynamics, gamma), policy_iteration(dynamics, gamma)):
        first = solution.values if horizon is None else solution.values[0]
        assert (dynamics.initial @ first).item() == pytest.approx(best, abs=1e-7)
        assert expected_return(dynamics, solution.policy, gamma).item() == pytest.approx(best, abs=1e-7)


@pytest.mark.parametrize(("horizon", "gamma"), CASES)
@pytest.mark.parametrize("seed", [0, 1])
def test_both_ways_of_planning_agree_and_solve_bellmans_equation(horizon: int | None, gamma: float, seed: int) -> None:
    dynamics = random_dynamics(horizon, seed)
    by_values, by_policies = value_iteration(dynamics, gamma), policy_iteration(dynamics, gamma)
    close(by_values.values, by_policies.values, 1e-8)
    close(by_values.action_values, by_policies.action_values, 1e-8)
    assert torch.equal(by_values.policy, by_policies.policy)
    assert tuple(by_values.policy.shape) == tuple(by_values.action_values.shape) == dynamics.shape
    close(by_policies.action_values.amax(-1), by_policies.values)
    close(action_values(dynamics, by_policies.policy, gamma), by_policies.action_values)
    if horizon is not None:
        assert by_values.sweeps == horizon


@pytest.mark.parametrize(
    ("id", "options"),
    [
        ("FrozenLake-v1", {}),
        ("CliffWalking-v1", {}),
        ("BlackjackHands-v0", {}),
        ("GridWorld-v0", {"map": ["S...H", "##.##", ".#...", "..#.G"], "slip": 0.3}),
    ],
)
def test_the_optimum_is_that_of_the_linear_program(id: str, options: dict[str, object]) -> None:
    """The least Σ_s V(s) with V(s) ≥ r(s, a) + γ Σ_s' P(s'|s, a) V(s') for all s and a (Puterman, 1994), which shares
    nothing with dynamic programming but the tables."""
    mdp, gamma = finite_mdp(id, options), 0.95
    assert mdp is not None
    unit = np.eye(mdp.states)
    sides = np.concatenate([gamma * mdp.continuing[:, action] - unit for action in range(mdp.actions)])
    found = linprog(np.ones(mdp.states), sides, -mdp.expected_rewards.T.flatten(), bounds=(None, None))
    values = policy_iteration(dataclasses.replace(dynamics_of(mdp), horizon=None), gamma).values
    np.testing.assert_allclose(values.numpy(), found.x, atol=1e-7)


def test_no_policy_beats_the_optimum() -> None:
    dynamics = random_dynamics(None)
    best = policy_iteration(dynamics, 0.9).values
    for seed in range(20):
        assert (state_values(dynamics, policy_of(seed), 0.9) <= best + 1e-12).all()


def test_value_iteration_is_as_close_as_it_says() -> None:
    dynamics = known("FrozenLake-v1", horizon=None)
    exact = policy_iteration(dynamics, 0.99).values
    rough, fine = value_iteration(dynamics, 0.99, 1e-2), value_iteration(dynamics, 0.99, 1e-6)
    assert 1e-6 < (rough.values - exact).abs().max().item() <= 1e-2
    assert (fine.values - exact).abs().max().item() <= 1e-6
    assert rough.sweeps < fine.sweeps


def test_each_greedy_policy_is_at_least_as_good_as_the_last() -> None:
    dynamics = known("FrozenLake-v1", horizon=None)
    policy = uniform(dynamics)
    values = state_values(dynamics, policy, 0.95)
    for _ in range(4):
        policy = greedy_policy(action_values(dynamics, policy, 0.95), policy)
        improved = state_values(dynamics, policy, 0.95)
        assert (improved >= values - 1e-12).all()
        values = improved
    close(values, policy_iteration(dynamics, 0.95).values)


def test_the_best_of_100_steps_on_the_frozen_lake_agrees_with_sampled_episodes() -> None:
    mdp, size = finite_mdp("FrozenLake-v1"), 4000
    assert mdp is not None
    solution = value_iteration(dynamics_of(mdp), 1.0)
    best, actions = solution.values[0, 0].item(), solution.policy.argmax(-1).numpy()
    batch, indices = finite_environments(mdp, range(size)), np.arange(size)
    states, won = batch.reset(indices), 0.0
    for t in range(100):
        moved = batch.step(actions[t, states], indices)
        won += moved.rewards.sum()
        goes_on = ~(moved.terminated | moved.truncated)
        indices, states = indices[goes_on], moved.observations[goes_on]
    assert best == pytest.approx(0.7442, abs=1e-4)
    assert abs(won / size - best) < 4.0 * math.sqrt(best * (1.0 - best) / size)


def test_of_equal_actions_the_kept_one_or_the_first_is_greedy() -> None:
    table = torch.tensor([[1.0, 2.0, 2.0 + 1e-14], [3.0, 0.0, 3.0]], dtype=torch.float64)
    assert greedy_policy(table).argmax(-1).tolist() == [1, 0]
    kept = torch.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]], dtype=torch.float64)
    assert greedy_policy(table, kept).argmax(-1).tolist() == [2, 0]


def test_a_backup_looks_one_step_ahead() -> None:
    dynamics = dynamics_of(corridor(4, horizon=None))
    table = backup(dynamics, torch.tensor([1.0, 2.0, 3.0, 99.0]).double(), 0.5)
    assert table.tolist() == [[-0.5, 0.0], [-0.5, 0.5], [0.0, 10.0], [0.0, 0.0]]


def test_values_that_do_not_settle_are_refused() -> None:
    forever = dynamics_of(from_outcomes("forever", [[[(1.0, 0, 1.0, False)]]], [1.0], None))
    with pytest.raises(ValueError, match="still change by 1 after 50 sweeps"):
        value_iteration(forever, 1.0, max_sweeps=50)
    assert value_iteration(forever, 0.999).values.item() == pytest.approx(1000.0)
