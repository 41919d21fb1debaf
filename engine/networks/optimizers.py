"""Optimisers on one flat vector of parameters: for networks as small as these, every operation saved counts.

They go downhill, as losses want it: rules that ascend hand over the gradient of the negative objective. Tested step by
step against ``torch.optim``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from engine.config.optimization import Optimizer as OptimizerKind
from engine.runtime.state import State, Stateful, TensorState

MOMENTUM = 0.9
RMSPROP_DECAY, RMSPROP_EPSILON = 0.99, 1e-8
ADAM_DECAYS, ADAM_EPSILON = (0.9, 0.999), 1e-8


class ParameterVector:
    """All parameters of some modules as one vector θ [P], of which each becomes a view, and room for their gradient.

    The modules are to be on their device before. Each parameter's ``grad`` is a view of the gradient.
    """

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        self.parameters = list(parameters)
        self.values = torch.cat([parameter.detach().reshape(-1) for parameter in self.parameters])
        self.gradient = torch.zeros_like(self.values)
        sizes = [parameter.numel() for parameter in self.parameters]
        parts = zip(self.parameters, torch.split(self.values, sizes), torch.split(self.gradient, sizes), strict=True)
        for parameter, values, gradient in parts:
            parameter.data, parameter.grad = values.view_as(parameter), gradient.view_as(parameter)

    def zero(self) -> None:
        """Forget the gradient."""
        self.gradient.zero_()

    def clip(self, most: float) -> Tensor:
        """Scale the gradient down to the length ``most`` where it is longer, unless that is 0.

        Returns:
            Its length before, a scalar tensor.
        """
        norm: Tensor = torch.linalg.vector_norm(self.gradient)
        if most > 0.0:
            self.gradient.mul_((most / (norm + 1e-6)).clamp_(max=1.0))
        return norm


def add_gradient(loss: Tensor, *vectors: ParameterVector) -> None:
    """Add ∇loss to the gradients of all ``vectors``; parameters that it does not depend on have gradient 0."""
    torch.autograd.backward(loss, inputs=[parameter for vector in vectors for parameter in vector.parameters])


class Optimizer(Stateful, Protocol):
    """A rule for steps downhill. Its state is what it has gathered from earlier steps, not the parameters."""

    @property
    def gathered(self) -> list[Tensor]:
        """What it has gathered, which a step changes in place."""

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """One step along what ``vector.gradient`` holds."""


class _Gathered:
    """Tensors that an optimiser gathers from step to step, as its state."""

    def __init__(self, vector: ParameterVector, **gathered: Tensor) -> None:
        self._vector, self._gathered = vector, TensorState(gathered)

    @property
    def gathered(self) -> list[Tensor]:
        return list(self._gathered.tensors.values())

    def state(self) -> State:
        return self._gathered.state()

    def load(self, state: Mapping[str, Any]) -> None:
        self._gathered.load(state)


class SGD(_Gathered):
    """θ ← θ − α v with v ← μ v + g (Polyak, 1964); without momentum, μ = 0, v is the gradient g itself."""

    def __init__(self, vector: ParameterVector, momentum: float = 0.0) -> None:
        self._momentum = momentum
        self.velocity = torch.zeros_like(vector.values) if momentum > 0.0 else vector.gradient
        super().__init__(vector, **({"velocity": self.velocity} if momentum > 0.0 else {}))

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        if self._momentum > 0.0:
            self.velocity.mul_(self._momentum).add_(self._vector.gradient)
        self._vector.values.add_(self.velocity, alpha=-learning_rate)


class RMSprop(_Gathered):
    """θ ← θ − α g/(√s + ε) with s ← ρ s + (1 − ρ) g², component by component (Tieleman & Hinton, 2012)."""

    def __init__(self, vector: ParameterVector) -> None:
        self.squares = torch.zeros_like(vector.values)
        super().__init__(vector, squares=self.squares)

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        gradient = self._vector.gradient
        self.squares.mul_(RMSPROP_DECAY).addcmul_(gradient, gradient, value=1.0 - RMSPROP_DECAY)
        self._vector.values.addcdiv_(gradient, self.squares.sqrt().add_(RMSPROP_EPSILON), value=-learning_rate)


class Adam(_Gathered):
    """θ ← θ − α m̂/(√v̂ + ε), with m ← β₁ m + (1 − β₁) g and v ← β₂ v + (1 − β₂) g², and m̂ = m/(1 − β₁ᵗ),
    v̂ = v/(1 − β₂ᵗ) at step t, component by component (Kingma & Ba, 2015).

    Where torch has it, one kernel does all of this; it is not public, so where it is missing, or is called in another
    way by then, public operations do the same. ``fused`` decides which.
    """

    def __init__(self, vector: ParameterVector, fused: bool | None = None) -> None:
        self.mean, self.squares = torch.zeros_like(vector.values), torch.zeros_like(vector.values)
        self.steps = torch.zeros((), device=vector.values.device)
        self.fused = fused_adam_works(vector.values.device) if fused is None else fused
        super().__init__(vector, mean=self.mean, squares=self.squares, steps=self.steps)

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        self.steps += 1.0
        if self.fused:
            self._step_fused(learning_rate)
            return
        gradient, (first, second) = self._vector.gradient, ADAM_DECAYS
        self.mean.lerp_(gradient, 1.0 - first)
        self.squares.mul_(second).addcmul_(gradient, gradient, value=1.0 - second)
        mean, squares = (
            # 1 − βᵗ in a form that keeps its digits at the first steps
            moment / -torch.expm1(self.steps * math.log(decay))
            for moment, decay in ((self.mean, first), (self.squares, second))
        )
        self._vector.values.addcdiv_(mean, squares.sqrt_().add_(ADAM_EPSILON), value=-learning_rate)

    def _step_fused(self, learning_rate: float) -> None:
        """By the kernel of torch.optim.Adam(fused=True)."""
        torch._fused_adam_(
            [self._vector.values],
            [self._vector.gradient],
            [self.mean],
            [self.squares],
            [],
            [self.steps],
            lr=learning_rate,
            beta1=ADAM_DECAYS[0],
            beta2=ADAM_DECAYS[1],
            weight_decay=0.0,
            eps=ADAM_EPSILON,
            amsgrad=False,
            maximize=False,
        )


@lru_cache(maxsize=8)
def fused_adam_works(device: torch.device) -> bool:
    """Whether the kernel is there for ``device`` and takes a first step as it should: α against the gradient's sign."""
    vector = ParameterVector([nn.Parameter(torch.zeros(1, device=device))])
    vector.gradient.fill_(1.0)
    try:
        Adam(vector, fused=True).step(0.5)
    except (AttributeError, TypeError, RuntimeError):  # no such kernel, other arguments, not for this device
        return False
    return abs(vector.values.item() + 0.5) < 1e-3


def make_optimizer(kind: OptimizerKind, vector: ParameterVector) -> Optimizer:
    """The optimiser of that name."""
    if kind == "adam":
        return Adam(vector)
    if kind == "rmsprop":
        return RMSprop(vector)
    return SGD(vector, MOMENTUM if kind == "momentum" else 0.0)
