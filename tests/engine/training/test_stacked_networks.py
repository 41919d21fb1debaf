"""Networks of several seeds as one, by numpy to act and by torch to learn, against each network by itself."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from engine.config.policies import LinearPolicy, MLPPolicy, PolicyConfig
from engine.networks.dense import outputs_of, parameters_of, stacked_linear
from engine.networks.networks import MLPBody
from engine.policies.policy import Policy
from engine.training.many_seeds.actor import StackedNetworks, activation_of
from tests.engine.scripted import policy_of

POLICIES: list[PolicyConfig] = [
    MLPPolicy(hidden_sizes=(5, 6)),
    MLPPolicy(hidden_sizes=(7,), activation="silu"),
    LinearPolicy(),
    LinearPolicy(features="rbf", feature_order=2),
]


def by_themselves(policies: list[Policy], observations: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        parts = observations.chunk(len(policies))
        return torch.cat([policy.head(policy.body(part)) for policy, part in zip(policies, parts, strict=True)])


@pytest.mark.parametrize("config", POLICIES, ids=str)
def test_networks_stacked_to_act_put_out_what_each_does(config: PolicyConfig) -> None:
    policies = [policy_of(config, seed) for seed in range(3)]
    network = StackedNetworks(policies, 4, activation_of(config))
    for seed, policy in enumerate(policies):
        network.refresh(seed, policy)
    observations = torch.randn(12, 3, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        found = network.outputs(observations)
    torch.testing.assert_close(found, by_themselves(policies, observations), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("config", POLICIES[:2], ids=str)
def test_networks_stacked_to_learn_put_out_what_each_does(config: Any) -> None:
    policies = [policy_of(config, seed) for seed in range(3)]
    each = []
    for policy in policies:
        assert isinstance(policy.body, MLPBody)
        each.append(parameters_of([*policy.body.layers, policy.head]))
    layers = [tuple(torch.stack(parts) for parts in zip(*layer, strict=True)) for layer in zip(*each, strict=True)]
    observations = torch.randn(12, 3, generator=torch.Generator().manual_seed(0))
    found = outputs_of(layers, activation_of(config), observations.view(3, 4, 3), stacked_linear)
    torch.testing.assert_close(
        found.detach().flatten(0, 1), by_themselves(policies, observations), atol=1e-6, rtol=1e-5
    )
