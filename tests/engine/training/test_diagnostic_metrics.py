"""The numbers that are reported for the doctor, against their formulas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.catalogue.environments import ENVIRONMENTS
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.experience.batch import Batch, LearnedValue
from engine.experience.rollouts import Rollout
from engine.reports.events import Collected
from engine.training.learners.summary import beginnings, summary
from tests.engine.support import updates_of

STEPS, ENVIRONMENTS_BESIDE = 4, 2
NOTHING = Collected(0, 0, np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))


def batch(errors: torch.Tensor, advantages: torch.Tensor) -> Batch:
    """Two episodes of four steps with these temporal-difference errors [4, 2]."""
    shape = STEPS, ENVIRONMENTS_BESIDE
    no, steps = torch.zeros(shape, dtype=torch.bool), torch.arange(STEPS).unsqueeze(1).expand(shape)
    truncated = steps == STEPS - 1
    rollout = Rollout(
        observations=torch.zeros(*shape, 4),
        actions=torch.zeros(shape, dtype=torch.int64),
        rewards=torch.ones(shape),
        terminated=no,
        truncated=truncated,
        mask=~no,
        elapsed=steps,
        final_observations=torch.zeros(2, 4),
    )
    values = torch.arange(8.0)
    return Batch(rollout, advantages, torch.ones(8), LearnedValue(values, values + 1.0, errors))


def test_the_surprise_at_the_limit_is_that_of_the_last_steps_alone() -> None:
    errors = torch.tensor([[1.0, -1.0], [2.0, 0.0], [0.0, 1.0], [-9.0, -7.0]])
    limited = replace(ENVIRONMENTS["CartPole-v1"], time_limit=STEPS)
    told = summary(NOTHING, batch(errors, torch.arange(8.0)), limited)
    elsewhere = errors[:3]
    wanted = (-8.0 - elsewhere.mean()) / elsewhere.std(correction=0)
    assert told["surprise_at_limit"] == pytest.approx(wanted.item())
    for limit in (None, STEPS + 1):  # no time, or not up yet
        assert (
            summary(NOTHING, batch(errors, torch.arange(8.0)), replace(limited, time_limit=limit))["surprise_at_limit"]
            is None
        )


def test_episodes_are_held_against_what_was_predicted_of_them() -> None:
    made = batch(torch.zeros(4, 2), torch.arange(8.0))
    ended = replace(made.rollout, truncated=torch.zeros(4, 2, dtype=torch.bool), whole_episodes=True)
    told = beginnings(ended, made, 0.5)
    assert told == {"first_value": (0.0 + 4.0) / 2, "discounted_return": 1.0 + 0.5 + 0.25 + 0.125}
    assert beginnings(ended, made, 1.0)["discounted_return"] == 4.0
    assert beginnings(made.rollout, made, 0.5) == {}  # an eighth of what counts was cut off
    assert beginnings(replace(ended, whole_episodes=False), made, 0.5) == {}


def test_the_largest_advantage_is_told_in_standard_deviations() -> None:
    advantages = torch.tensor([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -8.0])
    told = summary(NOTHING, batch(torch.zeros(4, 2), advantages), ENVIRONMENTS["CartPole-v1"])
    assert told["largest_advantage"] == pytest.approx(7.0**0.5)  # (8 − 1) / √7
    told = summary(NOTHING, batch(torch.zeros(4, 2), torch.ones(8)), ENVIRONMENTS["CartPole-v1"])
    assert told["largest_advantage"] is None


@pytest.mark.parametrize("policy", ["mlp", "gru"])
def test_ratios_are_1_before_the_first_step_and_move_after_it(policy: str) -> None:
    values = {"update": "ppo-clip", "policy": policy, "collection": "fixed-length", "budget.environment_steps": 300}
    small = {"collection.environments": 4, "collection.steps": 32, "update.minibatch_size": 32, "device": "cpu"}
    for update in updates_of(with_values(PolicyGradientConfig(), values | small)):
        first, largest = update.metrics["first_ratio"], update.metrics["largest_ratio"]
        assert first is not None
        assert first < 1e-4
        assert largest is not None
        assert largest > 10.0 * first
