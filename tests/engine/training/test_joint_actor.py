"""Seeds that act together: each as its own policy would by itself, whatever that has learned since the start."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config.policies import LinearPolicy, MLPPolicy, PolicyConfig, TabularPolicy
from engine.networks.normalizer import Normalizer
from engine.policies.policy import Policy
from engine.training.many_seeds.actor import JointActor, activation_of

EACH = 10_000  # rows of a seed, in one and the same state
BOX = Space("box", 3, bounds=((-1.0, 1.0),) * 3)
KINDS: dict[str, tuple[PolicyConfig, Space, Space]] = {
    "softmax": (MLPPolicy(hidden_sizes=(5,)), BOX, Space("discrete", 4)),
    "softmax of a linear policy": (LinearPolicy(features="rbf", feature_order=3), BOX, Space("discrete", 3)),
    "softmax of a table": (TabularPolicy(), Space("discrete", 6), Space("discrete", 3)),
    "several choices": (MLPPolicy(hidden_sizes=(5,)), BOX, Space("multi-discrete", 5, parts=(2, 3))),
    "switches": (MLPPolicy(hidden_sizes=(5, 4), activation="relu"), BOX, Space("multi-binary", 3)),
    "normal": (MLPPolicy(hidden_sizes=(5,)), BOX, Space("box", 2)),
    "normal of a table": (TabularPolicy(), Space("discrete", 6), Space("box", 2)),
    "normal, a spread per state": (MLPPolicy(hidden_sizes=(5,), spread="per-state"), BOX, Space("box", 2)),
    "tanh": (
        MLPPolicy(hidden_sizes=(5,), distribution="tanh-gaussian"),
        BOX,
        Space("box", 2, bounds=((-1.0, 1.0), (-2.0, 2.0))),
    ),
    "beta": (MLPPolicy(hidden_sizes=(5,), distribution="beta"), BOX, Space("box", 1, bounds=((0.0, 3.0),))),
}


def made(kind: str, seed: int, normalised: bool) -> Policy:
    config, observation, action = KINDS[kind]
    normalizer = Normalizer(observation.size) if normalised and observation.kind == "box" else None
    environment = EnvironmentInfo("Test", "Test", "", observation, action)
    return Policy(config, environment, torch.Generator().manual_seed(seed), normalizer=normalizer)


@torch.no_grad()
def learn(policy: Policy, seed: int) -> None:
    """Move all weights, spreads among them, and the normaliser's moments, as iterations do: in place."""
    generator = torch.Generator().manual_seed(100 + seed)
    for parameter in policy.parameters():
        parameter.add_(1.5 * torch.randn(parameter.shape, generator=generator))
    if policy.normalizer is not None:
        policy.normalizer.update(torch.randn(50, 3, generator=generator) * (1.0 + seed) + seed)


def components(actions: Tensor) -> Tensor:
    """[rows, …] as numbers of which a mean and a spread tell: one column for every choice, or for every dimension."""
    if actions.is_floating_point():
        return actions.double()
    columns = actions.view(len(actions), -1)
    return torch.cat([(columns == choice).double() for choice in range(4)], 1)


def moments(actions: Tensor) -> Tensor:
    numbers = components(actions)
    return torch.cat((numbers.mean(0), numbers.std(0)))


def observations_of(kind: str) -> Any:
    if KINDS[kind][1].kind == "discrete":
        return np.full(EACH, 4)
    return np.tile(np.array([[0.4, -0.9, 0.2]], np.float32), (EACH, 1))


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_after_a_refresh_every_seed_acts_as_its_policy_would(kind: str, normalised: bool) -> None:
    """At temperatures of their own; and a seed that was not refreshed, as it did before."""
    policies = [made(kind, seed, normalised) for seed in range(3)]
    actor = JointActor(policies, EACH, activation_of(KINDS[kind][0]), torch.Generator().manual_seed(5))
    observations = observations_of(kind)
    expected, other = [], []
    for seed, (policy, temperature) in enumerate(zip(policies, (1.0, 0.4, 2.5), strict=True)):
        actor.refresh(seed, 0.0)
        with torch.no_grad():
            other.append(moments(policy(torch.from_numpy(observations)).sample(torch.Generator().manual_seed(seed))))
        learn(policy, seed)
        policy.temperature = temperature
        actor.refresh(seed, 0.0)
        with torch.no_grad():
            drawn = policy(torch.from_numpy(observations)).sample(torch.Generator().manual_seed(seed))
        expected.append(moments(drawn))
    actions, greedy, _ = actor.act(np.concatenate([observations] * 3), None)
    assert greedy is None
    apart = []
    for seed, drawn in enumerate(torch.from_numpy(actions).chunk(3)):
        # Of two samples of 10,000, means and spreads differ by 0.014 standard deviations or so.
        allowed = 0.07 * components(drawn).std(0).repeat(2) + 0.015
        found = moments(drawn)
        assert ((found - expected[seed]).abs() < allowed).all()
        apart.append(((found - other[seed]).abs() > 2.0 * allowed).any())
    assert sum(apart) >= 2


def test_every_seed_is_as_greedy_as_it_was_told_last() -> None:
    policies = [made("normal", seed, False) for seed in range(3)]
    actor = JointActor(policies, EACH, activation_of(KINDS["normal"][0]), torch.Generator().manual_seed(5))
    observations = observations_of("normal")
    for shares in ((0.0, 0.0, 0.0), (0.3, 0.6, 0.0), (0.0, 0.1, 1.0), (0.0, 0.0, 0.0)):
        for seed, share in enumerate(shares):
            actor.refresh(seed, share)
        actions, greedy, _ = actor.act(np.concatenate([observations] * 3), None)
        if not any(shares):
            assert greedy is None
            continue
        assert greedy is not None
        with torch.no_grad():
            modes = torch.cat([policy(torch.from_numpy(observations)).mode() for policy in policies]).numpy()
        assert np.allclose(actions[greedy], modes[greedy], atol=1e-6)
        assert not np.allclose(actions[~greedy], modes[~greedy], atol=1e-3) or shares[2] == 1.0
        assert greedy.reshape(3, EACH).mean(1) == pytest.approx(shares, abs=4.5 * (0.25 / EACH) ** 0.5)
