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
    cut_off,
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


def single(*numbers: float) -> tuple[Tensor, ...]:
    """Each as a batch of one step, float32."""
    return tuple(torch.tensor([number]) for number in numbers)


CLOSE = [0.0, 1e-7, -1e-7, 3e-4, -3e-4, 0.05, 1.0, -2.0]  # how far numbers lie apart, next to their own size


@pytest.mark.parametrize("size", [0.1, 3.0, 250.0, 1e6])
@pytest.mark.parametrize("clip_range", [0.05, 0.2, 1e9])
def test_value_slopes_are_those_of_exact_arithmetic_however_near_the_numbers(size: float, clip_range: float) -> None:
    """Of all float32 values near old values and targets: the formula in float64, in which nothing is rounded."""
    grid = [[size * (1.0 + a), size * (1.0 + b), size * (1.0 + c)] for a in CLOSE for b in CLOSE for c in CLOSE]
    values, targets, old = torch.tensor(grid).unbind(1)
    v, g, o = (each.double() for each in (values, targets, old))
    reach = torch.tensor(clip_range).double()  # as float32 has it
    inside = (v - o).abs() <= reach
    cut = ~inside & ((o + (v - o).clamp(-reach, reach) - g).abs() > (v - g).abs())
    expected = torch.where(cut, 0.0, 2.0 * (v - g) / len(v))
    mine = value_gradient(values, targets, old, clip_range)
    # Where the range's edge lies between V and what rounding makes of its way, either is right.
    edge = ((v - o).abs() / reach - 1.0).abs() < 1e-6
    assert int(edge.sum()) < len(v) // 5
    torch.testing.assert_close(mine[~edge].double(), expected[~edge], rtol=1e-5, atol=0.0)
    leaf = values.clone().requires_grad_()
    (theirs,) = torch.autograd.grad(clipped_value_loss(leaf, targets, old, clip_range), leaf)
    torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=0.0)


@pytest.mark.parametrize(
    ("value", "target", "old", "clip_range", "slope"),
    [
        (0.1, 1.0, 3.0, 1e9, -1.8),  # V_old + (V − V_old) is not V
        (0.1, 1.0, 3e8, 1e9, -1.8),  # and here it is 0
        (0.5, 1.0, 0.0, 0.5, -1.0),  # at the edge
        (0.75, 1.0, 0.0, 0.5, 0.0),
        (1.5, 1.0, 0.0, 0.5, 1.0),  # as far beyond the target as the clipped one is before it
        (1.625, 1.0, 0.0, 0.5, 1.25),
        (1.0, 1.0, 0.0, 0.5, 0.0),
        (-0.75, 1.0, 0.0, 0.5, -3.5),  # moved away
        (2e-30, 1e-30, 0.0, 1e-31, 2e-30),  # squares of which are 0
        (2e25, 1e25, 0.0, 1.0, 2e25),  # and infinite
    ],
)
def test_value_slopes_by_hand(value: float, target: float, old: float, clip_range: float, slope: float) -> None:
    values, targets, before = single(value, target, old)
    expected = torch.tensor([slope])
    torch.testing.assert_close(value_gradient(values, targets, before, clip_range), expected, rtol=1e-6, atol=0.0)
    values.requires_grad_()
    (theirs,) = torch.autograd.grad(clipped_value_loss(values, targets, before, clip_range), values)
    torch.testing.assert_close(theirs, expected, rtol=1e-6, atol=0.0)


def test_surrogate_slopes_near_1_at_the_edges_and_without_an_advantage() -> None:
    """Where both terms are equal the clipped one is not the smaller, so nothing is cut off."""
    edges = [1.0, 1.0 + 2.0**-23, 1.0 - 2.0**-24, 1.5, 0.5, 1.5 + 2.0**-18, 0.5 - 2.0**-18, 1e-30, 1e30]
    ratios, advantages = torch.cartesian_prod(torch.tensor(edges), torch.tensor([0.0, 1.0, -1.0, 1e-6, -3e4])).unbind(1)
    log_ratios = ratios.double().log().float().requires_grad_()
    (theirs,) = torch.autograd.grad(clipped_surrogate(log_ratios, advantages, 0.5), log_ratios)
    mine = clipped_surrogate_gradient(log_ratios.detach(), advantages, 0.5)
    torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=0.0)
    exact = log_ratios.detach().double().exp()
    kept = torch.where(advantages > 0.0, exact <= 1.5, exact >= 0.5) | (advantages == 0.0)
    edge = ((exact - 1.0).abs() - 0.5).abs() < 1e-6
    expected = torch.where(kept, exact * advantages.double(), 0.0) / len(exact)
    torch.testing.assert_close(mine[~edge].double(), expected[~edge], rtol=1e-6, atol=0.0)
    assert torch.equal(cut_off(log_ratios.detach(), advantages, 0.5), (mine == 0.0) & (advantages != 0.0))


def test_no_slope_hides_that_a_number_is_none() -> None:
    nan, one = single(torch.nan, 1.0)
    assert clipped_surrogate_gradient(nan, one, 0.2).isnan().all()
    assert value_gradient(nan, one, one, 0.2).isnan().all()
    assert value_gradient(one, one, nan, 0.2).isfinite().all()


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
