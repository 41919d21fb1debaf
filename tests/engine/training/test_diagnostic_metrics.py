"""The numbers that are reported for the doctor, against their formulas."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.environments.making.known_dynamics import finite_mdp
from engine.experience.batch import Batch, LearnedValue
from engine.experience.rollouts import Rollout
from engine.reports.events import Collected, Updated
from engine.reports.update_events import UpdateStep
from engine.training.learners.summary import beginnings, summary
from engine.training.training import Training
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


# --- values that are learned from old experience ----------------------------------------------------------------------


VALUES = {
    "device": "cpu",
    "collection.steps": 16,
    "update.replay.learning_starts": 40,
    "update.replay.minibatch_size": 8,
}
LEARNING = [
    ("dqn", "CartPole-v1", {"estimator.n": 3}),
    ("dqn", "CartPole-v1", {"update.replay.sampling": "prioritized", "update.loss": "squared"}),
    ("sac", "Pendulum-v1", {}),
    ("td3", "Pendulum-v1", {"environment.time_limit": 9}),
    ("q-actor-critic", "CartPole-v1", {}),
]


def until_updated(training: Training) -> tuple[list[UpdateStep], Updated]:
    """The gradient steps of the next iteration where it is watched, and what it reports."""
    steps = []
    for event in training:
        if isinstance(event, UpdateStep):
            steps.append(event)
        if isinstance(event, Updated):
            return steps, event
    raise AssertionError("the run has ended")


@pytest.mark.parametrize(("algorithm", "environment", "values"), LEARNING)
def test_targets_estimates_errors_and_ages_are_those_of_the_steps_that_were_drawn(
    algorithm: str, environment: str, values: dict[str, Any]
) -> None:
    config = with_values(choose(PolicyGradientConfig(), ALGORITHMS[algorithm]), {"environment": environment})
    training = Training(with_values(config, VALUES | values))
    for _ in range(4):
        until_updated(training)
    training.watched = True
    steps, update = until_updated(training)
    training.close()
    told, drawn = update.metrics, [step.drawn for step in steps if step.drawn is not None]
    assert len(drawn) == told["gradient_steps"] == 16
    columns = ("targets", "values", "rewards", "ages")
    targets, estimates, rewards, ages = (np.stack([getattr(each, name) for each in drawn]) for name in columns)
    assert told["target_mean"] == pytest.approx(targets.mean(), rel=1e-4)
    assert told["estimate_mean"] == pytest.approx(estimates.mean(), rel=1e-4, abs=1e-6)
    assert told["td_error_mean"] == pytest.approx((targets - estimates).mean(), rel=1e-3, abs=1e-6)
    assert told["final_targets"] == pytest.approx((targets == rewards).mean())
    assert told["replay_age"] == pytest.approx(ages.mean())
    assert 0.0 < ages.mean() < 80.0
    of_all = np.stack([each.networks if each.networks is not None else each.values[None] for each in drawn])
    size = np.abs(targets[:, None] - of_all).mean()
    assert told["td_error_size"] == pytest.approx(size, rel=1e-4)
    assert abs(targets.mean() - estimates.mean()) > 1e-4  # so that one cannot be taken for the other


@pytest.mark.parametrize("algorithm", ["q-learning", "sarsa", "dqn"])
def test_the_value_at_the_start_and_the_largest_are_those_of_the_best_actions(algorithm: str) -> None:
    """In a corridor every episode begins in the same state."""
    corridor = finite_mdp("Corridor-v0")
    assert corridor is not None
    start = int(corridor.initial.argmax())
    config = with_values(choose(PolicyGradientConfig(), ALGORITHMS[algorithm]), {"environment": "Corridor-v0"})
    changes: dict[str, Any] = {"policy": "tabular", "environment.time_limit": 8}
    if algorithm == "dqn":
        changes |= {"update.replay.learning_starts": 8, "update.learning_rate": 0.1}
    training = Training(with_values(config, {"device": "cpu", "collection.steps": 64} | changes))
    told = [until_updated(training)[1].metrics for _ in range(3)][-1]
    table = training.policy.action_values(torch.arange(training.environment.observation.size)).detach()
    rule: Any = training.learner._rule  # type: ignore[attr-defined]
    seen = np.concatenate(rule._seen if algorithm == "dqn" else rule._acted_in)
    training.close()
    assert table.amax(-1)[start] > table.mean(-1)[start] + 1e-3
    assert told["first_value"] == pytest.approx(float(table.amax(-1)[start]), rel=1e-5)
    assert told["largest_value"] == pytest.approx(float(table.amax(-1)[seen.reshape(-1)].mean()), rel=1e-4)
