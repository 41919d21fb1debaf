"""Linear layers with a nonlinearity behind them, and the way back through them written out.

With z_k = h_{k−1} W_kᵀ + b_k and h_k = f(z_k) the gradient of a loss L follows from the delta rule (Rumelhart, Hinton &
Williams, 1986): with δ_k = ∂L/∂z_k, one row per sample,

    ∂L/∂W_k = δ_kᵀ h_{k−1},   ∂L/∂b_k = Σ_rows δ_k,   δ_{k−1} = (δ_k W_k) ⊙ f′(z_{k−1}).

Autograd does the same, but in networks as small as these its bookkeeping takes longer than the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import elu, gelu, linear, silu

from engine.config.policies import Activation

MANY = 8192  # numbers, from which on it pays to find tanh in four operations


@dataclass(frozen=True)
class Nonlinearity:
    """f, and δ ⊙ f′(z) made of δ and of either f(z) or z."""

    apply: Callable[[Tensor], Tensor]
    back: Callable[[Tensor, Tensor], Tensor]
    from_outputs: bool = True


def _tanh(z: Tensor) -> Tensor:
    if z.requires_grad or z.numel() < MANY or not z.is_cpu:
        return z.tanh()
    # 2σ(2z) − 1 is tanh z within 2e-7, and torch's σ takes a sixth of the time of its tanh.
    return (2.0 * z).sigmoid_().mul_(2.0).sub_(1.0)


_kernels = torch.ops.aten  # the derivatives that autograd itself uses
NONLINEARITIES: dict[Activation, Nonlinearity] = {
    "tanh": Nonlinearity(_tanh, _kernels.tanh_backward),
    "relu": Nonlinearity(torch.relu, lambda delta, h: _kernels.threshold_backward(delta, h, 0.0)),
    "elu": Nonlinearity(elu, lambda delta, h: _kernels.elu_backward(delta, 1.0, 1.0, 1.0, True, h)),
    "silu": Nonlinearity(silu, _kernels.silu_backward, from_outputs=False),
    "gelu": Nonlinearity(gelu, _kernels.gelu_backward, from_outputs=False),
}


@dataclass(frozen=True)
class Pass:
    """What a batch came to in a chain: its outputs [n, …], the inputs of each layer, and what each f′ is made of."""

    outputs: Tensor
    inputs: list[Tensor]
    kept: list[Tensor]


class Dense:
    """Layers as a chain through which a batch can be sent and its gradient brought back, f between any two of them.

    Args:
        layers: linear with a bias, each taking what the one before gives.
        activation: f.
    """

    def __init__(self, layers: Iterable[nn.Module], activation: Activation) -> None:
        self._activation = activation
        self._parameters: list[tuple[Tensor, Tensor]] = []
        for layer in layers:
            assert isinstance(layer, nn.Linear)
            self._parameters.append((layer.weight, layer.bias))

    @torch.no_grad()
    def forward(self, inputs: Tensor) -> Pass:
        """The outputs for inputs [n, …], without a graph of autograd's."""
        f, ((weight, bias), *others) = NONLINEARITIES[self._activation], self._parameters
        z = linear(inputs, weight, bias)
        seen, kept = [inputs], []
        for weight, bias in others:
            h = f.apply(z)
            kept.append(h if f.from_outputs else z)
            seen.append(h)
            z = linear(h, weight, bias)
        return Pass(z, seen, kept)

    @torch.no_grad()
    def backward(self, passed: Pass, delta: Tensor) -> None:
        """Add ∂L/∂W and ∂L/∂b to every parameter's ``grad``, which must be there; δ is ∂L/∂outputs, [n, …]."""
        f = NONLINEARITIES[self._activation]
        for k in reversed(range(len(self._parameters))):
            weight, bias = self._parameters[k]
            assert weight.grad is not None
            assert bias.grad is not None
            weight.grad.addmm_(delta.t(), passed.inputs[k])
            bias.grad.add_(delta.sum(0))
            if k > 0:
                delta = f.back(delta @ weight, passed.kept[k - 1])
