"""What is told of the state that a policy's network is in, against units that are made so by hand."""

from __future__ import annotations

import torch

from engine.catalogue.environments import ENVIRONMENTS
from engine.config.policies import MLPPolicy
from engine.policies.policy import Policy
from engine.training.learners.condition import condition, ends_are_looked_at, is_looked_at

OBSERVATIONS = torch.linspace(-1.0, 1.0, 400).reshape(100, 4)


def policy(activation: str) -> Policy:
    config = MLPPolicy(hidden_sizes=(8, 4), activation=activation)
    return Policy(config, ENVIRONMENTS["CartPole-v1"], torch.Generator().manual_seed(1))


def test_dead_and_saturated_units_are_counted() -> None:
    for activation, name, bias in (("relu", "dead_units", -100.0), ("tanh", "saturated_units", 100.0)):
        made = policy(activation)
        before = condition(made, OBSERVATIONS)[name]
        assert before is not None
        assert before < 0.3
        with torch.no_grad():
            made.body.layers[0].bias[:6] += bias
        assert condition(made, OBSERVATIONS)[name] == 0.75


def test_the_largest_component_is_told() -> None:
    scaled = OBSERVATIONS * torch.tensor([1.0, 1.0, 300.0, 1.0])
    assert condition(policy("tanh"), scaled)["observation_scale"] == scaled[:, 2].square().mean().sqrt()
    assert condition(policy("tanh"), torch.zeros(5, dtype=torch.int64)) == {}


def test_looks_become_rarer() -> None:
    looks = [iteration for iteration in range(1, 5000) if is_looked_at(iteration)]
    assert looks[:12] == [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16]
    assert len(looks) < 60


def test_ends_are_looked_at_by_their_own_number() -> None:
    for before in range(300):
        for more in range(20):
            passed = any(is_looked_at(number) for number in range(before + 1, before + more + 1))
            assert ends_are_looked_at(before, more) == passed
