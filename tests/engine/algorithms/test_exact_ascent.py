"""Ascent on the exact gradient: the step is the oracle's gradient, and what is reported is the oracle's return."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.algorithms.outcome import Outcome
from engine.algorithms.planning.exact_ascent import ExactAscentRule
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.biases import biases
from engine.config import PlanningConfig
from engine.config.policies import LinearPolicy, MLPPolicy, PolicyConfig, TabularPolicy
from engine.config.validation import validated
from engine.environments.making.known_dynamics import finite_mdp
from engine.mdp import exact
from engine.policies.policy import Policy
from tests.engine.tiny_mdp import finish, parameters_of

GRID, LAKE = "GridWorld-v0", "FrozenLake-v1"


def decided(config: PolicyConfig, id: str) -> Policy:
    policy = Policy(config, ENVIRONMENTS[id], torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return policy


def table_of(policy: Policy, id: str) -> Tensor:
    mdp = finite_mdp(id)
    assert mdp is not None
    with torch.no_grad():
        return policy(torch.arange(mdp.states)).logits.double()  # type: ignore[union-attr]


def stepped(policy: Policy, id: str, gamma: float, **update: object) -> Outcome:
    config = validated(
        {
            "environment": id,
            "policy": "tabular",
            "estimator": {"gamma": gamma},
            "update": {"kind": "exact-gradient", "optimizer": "sgd", "learning_rate": 1.0} | update,
        }
    )
    assert isinstance(config, PlanningConfig)
    assert biases(config, ENVIRONMENTS[id]) == ()
    mdp = finite_mdp(id)
    assert mdp is not None
    rule = ExactAscentRule(config.update, policy, mdp)
    return finish(rule.update(torch.zeros(1, dtype=torch.int64), config, 0.0))


@pytest.mark.parametrize("id", [GRID, LAKE, "Bandit-v0", "Corridor-v0"])
@pytest.mark.parametrize("gamma", [0.97, 0.5])
def test_one_step_of_a_table_is_the_oracles_gradient_by_either_theorem(id: str, gamma: float) -> None:
    mdp, policy = finite_mdp(id), decided(TabularPolicy(), id)
    assert mdp is not None
    dynamics, logits, before = exact.dynamics_of(mdp), table_of(policy, id), parameters_of(policy)
    outcome = stepped(policy, id, gamma)
    moved = (parameters_of(policy) - before).double().view_as(logits)
    scale = moved.abs().max().item()
    for gradient in (exact.exact_gradient, exact.policy_gradient):
        expected = gradient(dynamics, exact.softmax_policy, logits, gamma)
        torch.testing.assert_close(moved, expected, atol=1e-6 + 1e-5 * scale, rtol=1e-4)
    value = exact.expected_return(dynamics, logits.softmax(-1), gamma).item()
    assert outcome.metrics["exact_return"] == pytest.approx(value)
    assert outcome.metrics["grad_norm"] == pytest.approx(moved.norm().item(), rel=1e-3)


@pytest.mark.parametrize("config", [LinearPolicy(), MLPPolicy(hidden_sizes=(4,))], ids=lambda config: config.kind)
def test_the_step_of_a_network_raises_the_return_by_its_squared_gradient_to_first_order(config: PolicyConfig) -> None:
    mdp, policy = finite_mdp(GRID), decided(config, GRID)
    assert mdp is not None
    dynamics = exact.dynamics_of(mdp)
    first = stepped(policy, GRID, 0.97, learning_rate=1e-4)
    gained = exact.expected_return(dynamics, table_of(policy, GRID).softmax(-1), 0.97).item()
    gained -= first.metrics["exact_return"] or 0.0
    assert gained == pytest.approx(1e-4 * (first.metrics["grad_norm"] or 0.0) ** 2, rel=0.02)


def test_clipping_shortens_the_step_and_not_what_is_reported() -> None:
    policy = decided(TabularPolicy(), GRID)
    before = parameters_of(policy)
    outcome = stepped(policy, GRID, 0.97, max_grad_norm=0.1)
    assert (parameters_of(policy) - before).norm().item() == pytest.approx(0.1, rel=1e-3)
    assert (outcome.metrics["grad_norm"] or 0.0) > 0.2


def test_the_reported_return_is_from_before_the_step() -> None:
    policy = decided(TabularPolicy(), GRID)
    one, two = (stepped(policy, GRID, 0.97, learning_rate=0.1).metrics["exact_return"] for _ in range(2))
    mdp = finite_mdp(GRID)
    assert mdp is not None
    after = exact.expected_return(
        exact.dynamics_of(mdp), table_of(decided(TabularPolicy(), GRID), GRID).softmax(-1), 0.97
    )
    assert one == pytest.approx(after.item())
    assert (two or 0.0) > (one or 0.0)
