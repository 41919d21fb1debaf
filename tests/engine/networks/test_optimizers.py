"""The flat optimisers against torch's own, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from engine.config.optimization import Optimizer
from engine.networks.optimizers import Adam, ParameterVector, add_gradient, fused_adam_works, make_optimizer

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


@pytest.mark.parametrize("kind", TORCH)
def test_an_optimiser_goes_on_from_its_state(kind: Optimizer) -> None:
    vectors = [ParameterVector(made()) for _ in range(2)]
    first, second = (make_optimizer(kind, vector) for vector in vectors)
    gradients = torch.randn(8, len(vectors[0].values), generator=torch.Generator().manual_seed(0))
    for gradient in gradients[:4]:
        vectors[0].gradient.copy_(gradient)
        first.step(0.1)
    state = first.state()
    vectors[1].values.copy_(vectors[0].values)
    second.load(state)
    for gradient in gradients[4:]:
        for vector, optimizer in zip(vectors, (first, second), strict=True):
            vector.gradient.copy_(gradient)
            optimizer.step(0.1)
        assert torch.equal(vectors[0].values, vectors[1].values)
    another = make_optimizer(kind, ParameterVector(made()))
    another.load(state)  # which the steps since have left as it was
    assert all(torch.equal(state[name], tensor) for name, tensor in another.state().items())


@pytest.mark.parametrize(("kind", "other"), [("adam", "rmsprop"), ("sgd", "momentum"), ("momentum", "sgd")])
def test_the_state_of_another_optimiser_is_refused(kind: Optimizer, other: Optimizer) -> None:
    with pytest.raises(ValueError, match="This state is of"):
        make_optimizer(kind, ParameterVector(made())).load(make_optimizer(other, ParameterVector(made())).state())


# --- the private kernel -----------------------------------------------------------------------------------------------


class Counting(TorchDispatchMode):
    """How many operations torch is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return func(*args, **kwargs or {})


def adams(fused: tuple[bool, ...]) -> list[tuple[ParameterVector, Adam]]:
    vectors = [ParameterVector(made()) for _ in fused]
    return [(vector, Adam(vector, kernel)) for vector, kernel in zip(vectors, fused, strict=True)]


def test_adam_takes_the_same_steps_with_and_without_its_kernel() -> None:
    pairs = adams((True, False))
    for gradient in torch.randn(50, 10, generator=torch.Generator().manual_seed(1)):
        for vector, adam in pairs:
            vector.gradient.copy_(gradient)
            adam.step(0.1)
        (mine, _), (theirs, _) = pairs
        torch.testing.assert_close(mine.values, theirs.values, rtol=1e-5, atol=1e-6)


def test_the_kernel_saves_operations_which_are_what_a_step_costs() -> None:
    counts = []
    for vector, adam in adams((True, False)):
        vector.gradient.fill_(1.0)
        with Counting() as counting:
            adam.step(0.1)
        counts.append(counting.count)
    assert counts[0] == 2
    assert counts[1] >= 12


@pytest.mark.parametrize("change", ["none", "missing", "other arguments", "another step"])
def test_adam_does_without_a_kernel_that_is_missing_or_another(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if change == "missing":
        monkeypatch.delattr(torch, "_fused_adam_")
    elif change == "other arguments":
        monkeypatch.setattr(torch, "_fused_adam_", lambda *, parameters, lr: None)
    elif change == "another step":
        monkeypatch.setattr(torch, "_fused_adam_", lambda *lists, **numbers: lists[0][0].add_(1.0))
    fused_adam_works.cache_clear()
    try:
        assert Adam(ParameterVector(made())).fused is (change == "none")
    finally:
        fused_adam_works.cache_clear()
