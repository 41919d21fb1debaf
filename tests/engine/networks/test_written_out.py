"""Gradients that are written out, against those of autograd."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from engine.config.policies import Activation
from engine.experience import batch
from engine.maths.losses import (
    clipped_surrogate,
    clipped_surrogate_gradient,
    clipped_value_loss,
    value_gradient,
    value_loss,
)
from engine.networks.dense import MANY
from engine.networks.networks import MLP, MLPBody, head
from engine.networks.optimizers import ParameterVector
from engine.policies.distributions import Categorical, DiagonalGaussian
from engine.reports.events import Updated
from engine.training.training import Training
from tests.engine import support

activations = pytest.mark.parametrize("activation", get_args(Activation))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 0, dtype: Any = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=generator(seed), dtype=dtype)


# --- dense layers -----------------------------------------------------------------------------------------------------


@activations
@pytest.mark.parametrize("sizes", [(3, 2), (3, 16, 2), (3, 16, 8, 2)])
def test_a_chain_of_layers_gives_what_the_network_gives_and_its_gradient(
    activation: Any, sizes: tuple[int, ...]
) -> None:
    network = MLP(sizes, activation, 1.0, generator(), "default")
    vector = ParameterVector(network.parameters())
    inputs, by_outputs = noise(20, 3), noise(20, 2, seed=1)
    outputs = network(inputs)
    expected = torch.autograd.grad(outputs, vector.parameters, by_outputs)
    chain = network.dense()
    passed = chain.forward(inputs)
    torch.testing.assert_close(passed.outputs, outputs.detach())
    for times in (1.0, 2.0):  # it adds to what is there
        chain.backward(passed, by_outputs)
        for parameter, gradient in zip(vector.parameters, expected, strict=True):
            torch.testing.assert_close(parameter.grad, times * gradient)
    assert vector.gradient.any()


@activations
def test_a_body_makes_a_chain_with_its_head(activation: Any) -> None:
    body = MLPBody((3, 8, 5), activation, generator())
    output = head(5, 2, 1.0, generator(1))
    inputs = noise(6, 3)
    torch.testing.assert_close(body.dense(output).forward(inputs).outputs, output(body(inputs)).detach())


def test_tanh_in_four_operations_is_tanh() -> None:
    body = MLPBody((1, 1), "tanh", generator())
    inputs = torch.linspace(-30.0, 30.0, MANY).unsqueeze(-1)
    with_graph = body(inputs)
    with torch.no_grad():
        without = body(inputs)
    assert not torch.equal(without, with_graph)
    torch.testing.assert_close(without, with_graph.detach(), atol=2e-7, rtol=0.0)


# --- distributions and losses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_entropy", [0.0, -0.3])
@pytest.mark.parametrize("family", ["softmax", "normal"])
def test_the_gradient_of_a_distribution(family: str, by_entropy: float) -> None:
    first = noise(7, 3, dtype=torch.float64).requires_grad_()
    second = noise(3, seed=1, dtype=torch.float64).requires_grad_()
    by_log_prob = noise(7, seed=2, dtype=torch.float64)
    distribution: Any = Categorical(first) if family == "softmax" else DiagonalGaussian(first, second)
    actions = distribution.sample(generator()).detach()
    loss = (by_log_prob * distribution.log_prob(actions)).sum() + by_entropy * distribution.entropy().sum()
    expected = torch.autograd.grad(loss, (first, second), materialize_grads=True)
    mine = distribution.detach().gradients(actions, by_log_prob, by_entropy)
    torch.testing.assert_close(mine[0], expected[0])
    if family == "normal":
        torch.testing.assert_close(mine[1].sum(0), expected[1])


@pytest.mark.parametrize("clip_range", [0.1, 0.5])
def test_the_gradient_of_the_clipped_surrogate(clip_range: float) -> None:
    log_ratios = (0.5 * noise(200, dtype=torch.float64)).requires_grad_()
    advantages = noise(200, seed=1, dtype=torch.float64)
    (expected,) = torch.autograd.grad(clipped_surrogate(log_ratios, advantages, clip_range), log_ratios)
    gradient = clipped_surrogate_gradient(log_ratios.detach(), advantages, clip_range)
    assert 20 < int((gradient == 0.0).sum()) < 180
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("clip_range", [0.0, 0.3])
def test_the_gradient_of_the_value_loss(clip_range: float) -> None:
    values = noise(200, dtype=torch.float64).requires_grad_()
    targets, old = noise(200, seed=1, dtype=torch.float64), noise(200, seed=2, dtype=torch.float64)
    loss = clipped_value_loss(values, targets, old, clip_range) if clip_range else value_loss(values, targets)
    (expected,) = torch.autograd.grad(loss, values)
    gradient = value_gradient(values.detach(), targets, old, clip_range)
    assert bool((gradient == 0.0).any()) is (clip_range > 0.0)
    torch.testing.assert_close(gradient, expected)


# --- whole updates ----------------------------------------------------------------------------------------------------


def learned(environment: str, values: dict[str, Any], by_autograd: bool) -> tuple[Tensor, dict[str, float | None]]:
    """The parameters of policy and V after two iterations of PPO, and what was reported."""
    training = Training(
        support.configured(
            **{
                "environment": environment,
                "policy": {"kind": "mlp", "hidden_sizes": [8, 8]},
                "collection": {"kind": "fixed-length", "environments": 4, "steps": 16},
                "estimator.credit": {"kind": "gae"},
                "estimator.baseline": {"kind": "value", "hidden_sizes": [8], "fit_steps": 0, "optimizer": "sgd"},
                "update": {
                    "kind": "ppo-clip",
                    "optimizer": "sgd",
                    "epochs": 3,
                    "minibatch_size": 20,
                    "clip_range": 0.01,
                }
                | {"learning_rate": 0.1, "entropy_coefficient": 0.01},
                "budget.environment_steps": 128,
            }
            | values
        )
    )
    policy, fitting = training.policy, training.learner._fitting
    assert fitting is not None
    assert policy.written_out
    if by_autograd:
        policy._dense = fitting.value.dense = None
        assert not policy.written_out
    *_, last = (event for event in training if isinstance(event, Updated))
    training.close()
    return torch.cat([part.detach().flatten() for part in (*policy.parameters(), fitting.vector.values)]), last.metrics


@pytest.mark.parametrize("environment", ["CartPole-v1", "Pendulum-v1"])
@pytest.mark.parametrize("values", [{}, {"estimator.baseline.clip_range": 0.1}], ids=["", "clipped values"])
def test_an_update_is_that_of_autograd(
    environment: str, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, expected = learned(environment, values, by_autograd=True)
    monkeypatch.setattr(batch, "ROWS", 8)  # in chunks it is the same
    mine, reported = learned(environment, values, by_autograd=False)
    torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)
    for name in ("loss", "value_loss", "entropy", "grad_norm", "clip_fraction"):
        assert reported[name] == pytest.approx(expected[name], rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(
    ("values", "written_out"),
    [
        ({"environment": "CartPole-v1"}, True),
        ({"environment": "CartPole-v1", "exploration.temperature": 2.0}, False),
        ({"environment": "CartPole-v1", "policy": {"kind": "linear"}}, False),
        ({"environment": "CartPole-v1", "policy": {"kind": "gru"}}, False),
        ({"environment": "CartPole-v1", "estimator.baseline": {"kind": "shared-value"}}, False),
        ({"environment": "Pendulum-v1"}, True),
        ({"environment": "Pendulum-v1", "policy.spread": "per-state"}, False),
        ({"environment": "Pendulum-v1", "policy.distribution": "beta"}, False),
    ],
    ids=lambda value: str(value).replace("environment", ""),
)
def test_all_other_policies_are_left_to_autograd(values: dict[str, Any], written_out: bool) -> None:
    training = Training(support.configured(**values))
    training.policy.temperature = training.config.exploration.temperature
    assert training.policy.written_out is written_out
    training.close()
