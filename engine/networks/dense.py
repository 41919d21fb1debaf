"""Linear layers with a nonlinearity behind them, and the way back through them written out.

With z_k = h_{k−1} W_kᵀ + b_k and h_k = f(z_k) the gradient of a loss L follows from the delta rule (Rumelhart, Hinton &
Williams, 1986): with δ_k = ∂L/∂z_k, one row per sample,

    ∂L/∂W_k = δ_kᵀ h_{k−1},   ∂L/∂b_k = Σ_rows δ_k,   δ_{k−1} = (δ_k W_k) ⊙ f′(z_{k−1}).

Autograd does the same, but in networks as small as these its bookkeeping takes longer than the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import elu, gelu, linear, silu

from engine.config.policies import Activation

_W = TypeVar("_W")
MANY = 8192  # numbers, from which on it pays to find tanh in four operations


@dataclass(frozen=True)
class Nonlinearity:
    """f, and δ ⊙ f′(z) made of δ and of either f(z) or z; z and δ are given away, and may hold what comes of them."""

    apply: Callable[[Tensor], Tensor]
    back: Callable[[Tensor, Tensor], Tensor]
    from_outputs: bool = True


def _tanh(z: Tensor) -> Tensor:
    if z.requires_grad or z.numel() < MANY or not z.is_cpu:
        return z.tanh()
    # 2σ(2z) − 1 is tanh z within 2e-7, and torch's σ takes a sixth of the time of its tanh.
    return (2.0 * z).sigmoid_().mul_(2.0).sub_(1.0)


def _relu(z: Tensor) -> Tensor:
    return z.relu() if z.requires_grad else z.relu_()


_kernels = torch.ops.aten  # the derivatives that autograd itself uses
NONLINEARITIES: dict[Activation, Nonlinearity] = {
    "tanh": Nonlinearity(_tanh, _kernels.tanh_backward),
    "relu": Nonlinearity(
        _relu, lambda delta, h: _kernels.threshold_backward.grad_input(delta, h, 0.0, grad_input=delta)
    ),
    "elu": Nonlinearity(elu, lambda delta, h: _kernels.elu_backward(delta, 1.0, 1.0, 1.0, True, h)),
    "silu": Nonlinearity(silu, _kernels.silu_backward, from_outputs=False),
    "gelu": Nonlinearity(gelu, _kernels.gelu_backward, from_outputs=False),
}


LinearMap = Callable[[Tensor, _W, _W], Tensor]
"""What a layer's weight and bias make of its inputs."""


def outputs_of(
    layers: Sequence[tuple[_W, _W]],
    f: Nonlinearity,
    inputs: Tensor,
    linear_map: LinearMap[_W],
    trace: list[tuple[Tensor, Tensor]] | None = None,
) -> Tensor:
    """h W_Kᵀ + b_K, with f between any two of the ``layers``: the one way through them, whatever they are made of.

    Args:
        layers: weight and bias of each, first to last.
        inputs: [n, …], or [k, n, …] for k networks at once.
        linear_map: ``linear`` for one network, ``stacked_linear`` for k.
        trace: filled with h_k and with what f′(z_k) is made of, for every k but the last.
    """
    z = linear_map(inputs, *layers[0])
    for weight, bias in layers[1:]:
        h = f.apply(z)
        if trace is not None:
            trace.append((h, h if f.from_outputs else z))
        z = linear_map(h, weight, bias)
    return z


def stacked_linear(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """``linear`` of k layers at once: inputs [k, n, …], weight [k, outputs, inputs] and bias [k, outputs]."""
    return torch.baddbmm(bias.unsqueeze(1), inputs, weight.transpose(1, 2))


def parameters_of(layers: Iterable[nn.Module]) -> list[tuple[Tensor, Tensor]]:
    """Weight and bias of linear layers."""
    found: list[tuple[Tensor, Tensor]] = []
    for layer in layers:
        assert isinstance(layer, nn.Linear)
        found.append((layer.weight, layer.bias))
    return found


@dataclass(frozen=True)
class Pass:
    """What a batch came to on its way through layers: the outputs [n, …], the inputs, and the trace between."""

    outputs: Tensor
    inputs: Tensor
    trace: list[tuple[Tensor, Tensor]]


class Dense:
    """Layers as a chain through which a batch goes forward and its gradient backward, f between any two of them.

    Args:
        layers: linear with a bias, each taking what the one before gives.
        activation: f.
    """

    def __init__(self, layers: Iterable[nn.Module], activation: Activation) -> None:
        self._activation, self._parameters = activation, parameters_of(layers)

    @torch.no_grad()
    def forward(self, inputs: Tensor) -> Pass:
        """The outputs for inputs [n, …], without a graph of autograd's."""
        trace: list[tuple[Tensor, Tensor]] = []
        outputs = outputs_of(self._parameters, NONLINEARITIES[self._activation], inputs, linear, trace)
        return Pass(outputs, inputs, trace)

    @torch.no_grad()
    def backward(self, passed: Pass, delta: Tensor) -> None:
        """Add ∂L/∂W and ∂L/∂b to every parameter's ``grad``, which must be there; δ is ∂L/∂outputs, [n, …]."""
        f = NONLINEARITIES[self._activation]
        for k in reversed(range(len(self._parameters))):
            weight, bias = self._parameters[k]
            h, kept = passed.trace[k - 1] if k > 0 else (passed.inputs, passed.inputs)
            assert weight.grad is not None
            assert bias.grad is not None
            weight.grad.addmm_(delta.t(), h)
            bias.grad.add_(delta.sum(0))
            if k > 0:
                delta = f.back(delta @ weight, kept)
