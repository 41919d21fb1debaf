"""Optimisers on one flat vector of parameters: for networks as small as these, every operation saved counts.

They go downhill, as losses want it: rules that ascend hand over the gradient of the negative objective. Tested step by
step against ``torch.optim``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import torch
from torch import Tensor, nn

from engine.config.updates import Optimizer as OptimizerKind

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


class Optimizer(Protocol):
    """A rule for steps downhill."""

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """One step along what ``vector.gradient`` holds."""


class SGD:
    """θ ← θ − α v with v ← μ v + g (Polyak, 1964); without momentum, μ = 0, v is the gradient g itself."""

    def __init__(self, vector: ParameterVector, momentum: float = 0.0) -> None:
        self._vector, self._momentum = vector, momentum
        self.velocity = torch.zeros_like(vector.values) if momentum > 0.0 else vector.gradient

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        if self._momentum > 0.0:
            self.velocity.mul_(self._momentum).add_(self._vector.gradient)
        self._vector.values.add_(self.velocity, alpha=-learning_rate)


class RMSprop:
    """θ ← θ − α g/(√s + ε) with s ← ρ s + (1 − ρ) g², component by component (Tieleman & Hinton, 2012)."""

    def __init__(self, vector: ParameterVector) -> None:
        self._vector = vector
        self.squares = torch.zeros_like(vector.values)

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        gradient = self._vector.gradient
        self.squares.mul_(RMSPROP_DECAY).addcmul_(gradient, gradient, value=1.0 - RMSPROP_DECAY)
        self._vector.values.addcdiv_(gradient, self.squares.sqrt().add_(RMSPROP_EPSILON), value=-learning_rate)


class Adam:
    """θ ← θ − α m̂/(√v̂ + ε), with m ← β₁ m + (1 − β₁) g and v ← β₂ v + (1 − β₂) g², and m̂ = m/(1 − β₁ᵗ),
    v̂ = v/(1 − β₂ᵗ) at step t, component by component (Kingma & Ba, 2015)."""

    def __init__(self, vector: ParameterVector) -> None:
        self._vector = vector
        self.mean, self.squares = torch.zeros_like(vector.values), torch.zeros_like(vector.values)
        self.steps = torch.zeros((), device=vector.values.device)

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        # The kernel of torch.optim.Adam(fused=True): one operation in place of seven.
        self.steps += 1.0
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


def make_optimizer(kind: OptimizerKind, vector: ParameterVector) -> Optimizer:
    """The optimiser of that name."""
    if kind == "adam":
        return Adam(vector)
    if kind == "rmsprop":
        return RMSprop(vector)
    return SGD(vector, MOMENTUM if kind == "momentum" else 0.0)
