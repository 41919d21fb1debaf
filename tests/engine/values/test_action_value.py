"""Networks of action values: the gradient that is written out is autograd's, whatever the encoder."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from engine.config import ValueBasedConfig
from engine.config.parameters import with_values
from engine.environments.making.lookup import inspect
from engine.networks.normalizer import Normalizer
from engine.policies.policy import Policy
from engine.values.action_value import ActionValues

POLICIES: dict[str, dict[str, Any]] = {
    "mlp": {"policy": {"kind": "mlp", "hidden_sizes": (6, 5), "activation": "silu"}},
    "linear": {"policy": {"kind": "linear", "features": "rbf"}},
    "table": {"environment": "FrozenLake-v1", "policy": "tabular"},
    "mlp on states": {"environment": "FrozenLake-v1", "policy": {"kind": "mlp", "hidden_sizes": (5,)}},
}


CASES = [(policy, dueling) for policy in POLICIES for dueling in (False, True) if not dueling or policy != "table"]


@pytest.mark.parametrize(("policy", "dueling"), CASES)
def test_gradients(policy: str, dueling: bool) -> None:
    config: Any = with_values(ValueBasedConfig(), {"environment": "CartPole-v1"} | POLICIES[policy])
    environment, generator = inspect(config.environment.id), torch.Generator().manual_seed(1)
    seen = environment.observation
    normalizer = Normalizer(seen.size) if seen.kind == "box" else None
    made = Policy(config.policy, environment, generator, dueling, normalizer)
    network = ActionValues(made)
    with torch.no_grad():
        network.vector.values.normal_(generator=generator)
    observations = (
        torch.randint(seen.size, (7,), generator=generator)
        if seen.kind == "discrete"
        else torch.randn(7, seen.size, generator=generator)
    )
    if normalizer is not None:
        normalizer.update(observations)
    values = made.action_values(observations)
    slopes = torch.randn(values.shape, generator=generator)
    network.vector.zero()
    values.backward(slopes)
    expected = network.vector.gradient.clone()
    assert expected.abs().sum() > 0.0

    network.vector.zero()
    evaluated = network.forward(observations)
    network.backward(evaluated, slopes)
    torch.testing.assert_close(evaluated.values, values)
    torch.testing.assert_close(network.vector.gradient, expected)

    other = network.copy()
    torch.testing.assert_close(other.values(observations), values)
    with torch.no_grad():
        network.vector.values.zero_()
    torch.testing.assert_close(other.values(observations), values)  # and shares nothing
    if normalizer is not None:
        assert other.policy.normalizer is normalizer
