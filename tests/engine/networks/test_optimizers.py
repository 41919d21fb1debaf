"""The flat optimisers against torch's own, step by step."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from engine.config.updates import Optimizer
from engine.networks.optimizers import ParameterVector, add_gradient, make_optimizer

TORCH: dict[Optimizer, Callable[[list[nn.Parameter]], torch.optim.Optimizer]] = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.1),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9),
    "rmsprop": lambda parameters: torch.optim.RMSprop(parameters, lr=0.1),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.1),
}


def made() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(3)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((2, 3), (3,), ())]


def loss(parameters: list[nn.Parameter]) -> torch.Tensor:
    matrix, vector, scalar = parameters
    return ((matrix @ vector).square().sum() + (scalar - 2.0).square() * vector.exp().sum()) / 4.0


@pytest.mark.parametrize("kind", TORCH)
def test_every_optimiser_takes_the_steps_of_torchs_own(kind: Optimizer) -> None:
    ours, theirs = made(), made()
    vector, reference = ParameterVector(ours), TORCH[kind](theirs)
    optimizer = make_optimizer(kind, vector)
    for _ in range(20):
        vector.zero()
        add_gradient(loss(ours), vector)
        optimizer.step(0.1)
        reference.zero_grad()
        loss(theirs).backward()
        reference.step()
        for mine, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)


def test_the_learning_rate_may_change_between_steps() -> None:
    parameters = made()
    vector = ParameterVector(parameters)
    before = vector.values.clone()
    vector.gradient.fill_(1.0)
    optimizer = make_optimizer("sgd", vector)
    optimizer.step(0.5)
    optimizer.step(0.25)
    torch.testing.assert_close(vector.values, before - 0.75)


def test_parameters_are_views_of_the_flat_vector() -> None:
    parameters = made()
    values = [parameter.detach().clone() for parameter in parameters]
    vector = ParameterVector(parameters)
    for parameter, value in zip(parameters, values, strict=True):
        assert torch.equal(parameter, value)
    vector.values.fill_(7.0)
    assert all(bool((parameter == 7.0).all()) for parameter in parameters)


def test_gradients_add_up_over_losses_and_are_split_between_vectors() -> None:
    first, second = ParameterVector(made()), ParameterVector([nn.Parameter(torch.ones(2))])
    (other,) = second.parameters
    for _ in range(2):
        add_gradient(first.parameters[1].sum() + 3.0 * other.sum(), first, second)
    assert first.gradient.tolist() == [0.0] * 6 + [2.0] * 3 + [0.0]
    assert second.gradient.tolist() == [6.0, 6.0]
    first.zero()
    assert not first.gradient.any()


@pytest.mark.parametrize(("most", "length"), [(0.0, 5.0), (10.0, 5.0), (2.0, 2.0)])
def test_a_gradient_is_clipped_only_where_it_is_longer(most: float, length: float) -> None:
    vector = ParameterVector([nn.Parameter(torch.zeros(2))])
    vector.gradient.copy_(torch.tensor([3.0, 4.0]))
    assert vector.clip(most).item() == pytest.approx(5.0)
    assert vector.gradient.norm().item() == pytest.approx(length, rel=1e-5)
