"""What update rules and the fitting of V remember: from it a fresh one goes on, bit for bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from engine.algorithms.policy_gradient.rule import UpdateInput
from engine.algorithms.policy_gradient.rules import make_rule
from engine.config.estimators import ValueBaseline
from engine.experience.batch import LearnedValue
from engine.policies.policy import Policy
from engine.values.fitting import ValueFitting
from engine.values.value_function import ValueFunction
from tests.engine.step_batches import INFO, configured, expected_batch, policy
from tests.engine.tiny_mdp import finish, parameters_of

UPDATES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "gradient ascent": ({"kind": "gradient-ascent", "optimizer": "momentum"}, {"optimizer"}),
    "natural gradient": ({"kind": "natural-gradient"}, set()),
    "trpo": ({"kind": "trpo"}, set()),
    "clip": ({"kind": "ppo-clip", "minibatch_size": 5}, {"optimizer", "minibatches"}),
    "penalty": ({"kind": "ppo-penalty", "minibatch_size": 5, "optimizer": "rmsprop"}, {"optimizer", "minibatches"}),
    "lagrangian": ({"kind": "ppo-lagrangian", "target_kl": 1e-5}, {"optimizer", "minibatches", "multiplier"}),
    "off-policy": ({"kind": "off-policy"}, {"optimizer"}),
}


@pytest.mark.parametrize("name", UPDATES)
def test_a_rule_goes_on_from_its_state(name: str) -> None:
    update, parts = UPDATES[name]
    config, found = configured(update), []
    first, second = policy(), policy()
    rule = make_rule(config, first, torch.Generator().manual_seed(3), None)

    def updates(rule: Any, learner: Policy) -> None:
        for _ in range(2):
            outcome = finish(rule.update(UpdateInput(expected_batch(), config, 0.0)))
            found.append((parameters_of(learner), outcome.metrics))

    updates(rule, first)
    policy_state, state = first.state(), rule.parts.state()
    assert set(state) == parts
    updates(rule, first)
    another = make_rule(config, second, torch.Generator().manual_seed(4), None)
    second.load(policy_state)
    another.parts.load(state)
    updates(another, second)
    for (before, expected), (after, reported) in zip(found[2:4], found[4:], strict=True):
        assert torch.equal(before, after)
        assert reported == expected


def test_fitting_goes_on_from_its_state() -> None:
    config = ValueBaseline(hidden_sizes=(4,), minibatch_size=5, fit_steps=4, optimizer="adam")
    batch = expected_batch()
    targets = torch.randn(batch.size, generator=torch.Generator().manual_seed(0))
    batch = replace(batch, baseline=LearnedValue(torch.zeros_like(targets), targets, targets))

    def made(seed: int) -> ValueFitting:
        generator = torch.Generator().manual_seed(seed)
        return ValueFitting(config, ValueFunction(config, INFO.observation, generator), generator)

    first, second = made(0), made(1)
    finish(first.fit(batch, config))
    value, state = first.value.state(), first.parts.state()
    loss = finish(first.fit(batch, config))
    second.value.load(value)
    second.parts.load(state)
    assert finish(second.fit(batch, config)) == loss
    assert torch.equal(first.vector.values, second.vector.values)
