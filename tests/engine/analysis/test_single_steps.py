"""The steps that action values learn from, looked into: each against what can be computed without the rule."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine.analysis.inspecting import LookedInto, remade
from engine.analysis.samples import samples_of
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.parameters import with_values
from engine.reports.events import Estimated, Updated
from engine.training.training import Training

GAMMA = 0.9
SMALL = {"device": "cpu", "seed": 3, "estimator.gamma": GAMMA, "budget.environment_steps": 10_000}
DRAWS = {
    "policy.hidden_sizes": [8],
    "update.replay.learning_starts": 24,
    "update.replay.minibatch_size": 16,
    "collection.steps": 1,
    "collection.environments": 1,
    "collection.train_frequency": 1,
}


def of(algorithm: str, environment: str, policy: str, values: dict[str, Any]) -> RunConfig:
    start = with_values(PolicyGradientConfig(), {"environment": environment, "policy": policy})
    return with_values(choose(start, ALGORITHMS[algorithm]), {**SMALL, **values})


def before(config: RunConfig, iterations: int) -> Training:
    training = Training(config)
    for event in training:
        if isinstance(event, Updated) and event.iteration == iterations:
            break
    return training


def pendulum(observations: NDArray[Any], actions: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The reward and the next observation, by the equations of Gymnasium's Pendulum; actions are in units of 2 Nm."""
    cosine, sine, speed = observations.astype(np.float64).T
    angle, torque = np.arctan2(sine, cosine), 2.0 * actions[:, 0].astype(np.float64)
    reward = -(angle**2 + 0.1 * speed**2 + 0.001 * torque**2)
    speed = np.clip(speed + (15.0 * np.sin(angle) + 3.0 * torque) * 0.05, -8.0, 8.0)
    angle = angle + speed * 0.05
    return reward, np.stack([np.cos(angle), np.sin(angle), speed], 1)


@pytest.mark.parametrize("algorithm", ["ddpg", "td3", "sac"])
def test_what_is_drawn_has_the_reward_of_physics_the_values_of_the_networks_and_the_target_of_their_copies(
    algorithm: str,
) -> None:
    training = before(of(algorithm, "Pendulum-v1", "mlp", {**DRAWS, "estimator.n": 1}), 40)
    rule = training.learner._rule  # type: ignore[attr-defined]
    online, target, improvement = copy.deepcopy((rule._online, rule._target, rule._policy))
    looked = remade(training.state(), 41)
    errors = next(event for event in training if isinstance(event, Estimated)).advantages
    training.close()
    assert looked is not None
    assert looked.exact
    assert looked.replayed
    batch, networks = looked.batch, looked.networks
    reward, following = pendulum(batch.observations, batch.actions)
    assert batch.rewards == pytest.approx(reward, abs=1e-4)
    seen, done = (torch.from_numpy(np.asarray(rows, np.float32)) for rows in (batch.observations, batch.actions))
    judged = online.judge(seen, done).values.numpy()
    told = batch.baseline[None] if networks is None else networks.values
    assert len(judged) == (1 if algorithm == "ddpg" else 2)
    assert told == pytest.approx(judged, abs=1e-4)
    assert (batch.credit - judged).reshape(-1) == pytest.approx(errors, abs=1e-3)
    if algorithm == "ddpg":  # whose target draws no random numbers
        after = torch.from_numpy(following.astype(np.float32))
        worth = target.judge(after, improvement._target.values(after).tanh()).values[0].detach().numpy()
        assert batch.credit == pytest.approx(reward + GAMMA * worth, abs=1e-3)
    samples = samples_of(looked)
    assert len(samples.learned_in(looked.steps[-1].step)) == 16
    if networks is not None:  # in a bar are the steps of which either network's error lies there
        middle = float(np.median(networks.errors[1]))
        wanted = [row for row in range(16) if (networks.errors[:, row] >= middle).any()]
        assert samples.within("advantage", middle, np.inf).tolist() == wanted


@pytest.mark.parametrize("algorithm", ["q-learning", "sarsa"])
def test_the_steps_that_a_table_learns_from_lead_from_its_values_before_to_those_after(algorithm: str) -> None:
    values = {"collection.steps": 60, "collection.environments": 1, "environment.time_limit": 1000, "estimator.n": 1}
    training = before(of(algorithm, "Corridor-v0", "tabular", {**values, "update.learning_rate": 0.5}), 3)
    table = training.policy.state_dict()["head.rows"].double().numpy().copy()
    looked = remade(training.state(), 4)
    told = next(event for event in training if isinstance(event, Estimated)).advantages
    after = training.policy.state_dict()["head.rows"].double().numpy().copy()
    training.close()
    assert isinstance(looked, LookedInto)
    batch = looked.batch
    assert np.array_equal(batch.advantages, told)
    assert not looked.replayed
    states, actions = (rows.reshape(-1).astype(int) for rows in (batch.observations, batch.actions))
    for row in range(len(batch.rewards) - 1):
        following = states[row + 1]
        worth = table[following, actions[row + 1]] if algorithm == "sarsa" else table[following].max()
        target = batch.rewards[row] + (0.0 if batch.terminated[row] else GAMMA * worth)
        error = target - table[states[row], actions[row]]
        assert (batch.credit[row], batch.advantages[row]) == pytest.approx((target, error), abs=1e-5)
        table[states[row], actions[row]] += 0.5 * error
    table[states[-1], actions[-1]] += 0.5 * batch.advantages[-1]
    assert table == pytest.approx(after, abs=1e-5)
    assert sum(step.parameter_change for step in looked.steps) == pytest.approx(
        (after - training_start(looked)).reshape(-1), abs=1e-5
    )


def training_start(looked: LookedInto) -> NDArray[np.float64]:
    found: NDArray[np.float64] = looked.policy.state["head.rows"].double().numpy()
    return found
