"""Several networks of the same make side by side, each with weights of its own, computed in one operation a layer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from engine.config.policies import Activation
from engine.networks.dense import NONLINEARITIES, Pass, outputs_of, stacked_linear
from engine.networks.networks import initialize


class StackedMLP(nn.Module):
    """k chains of linear layers with a nonlinearity between them, as ``MLP`` each, and the way back written out as in
    ``Dense``: weights [k, outputs, inputs] and biases [k, outputs], rows [k, n, …].

    Args:
        count: k.
        sizes: the inputs, the units of each hidden layer, the outputs.
        generator: for the weights, orthogonal with gain √2 and with 1 in the last layer; biases are 0.
    """

    def __init__(self, count: int, sizes: Sequence[int], activation: Activation, generator: torch.Generator) -> None:
        super().__init__()
        self.count = count
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        last = len(sizes) - 2
        for index, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            layers = [nn.Linear(fan_in, fan_out) for _ in range(count)]
            for layer in layers:
                initialize(layer, generator, output_gain=1.0 if index == last else None)
            self.weights.append(nn.Parameter(torch.stack([layer.weight.detach() for layer in layers])))
            self.biases.append(nn.Parameter(torch.stack([layer.bias.detach() for layer in layers])))
        self._nonlinearity = NONLINEARITIES[activation]
        self._layers: list[tuple[Tensor, Tensor]] = list(zip(self.weights, self.biases, strict=True))

    @torch.no_grad()
    def forward_pass(self, inputs: Tensor) -> Pass:
        """The outputs [k, n, outputs] for inputs [n, …], which all networks are given."""
        trace: list[tuple[Tensor, Tensor]] = []
        rows = inputs.expand(self.count, *inputs.shape)
        return Pass(outputs_of(self._layers, self._nonlinearity, rows, stacked_linear, trace), rows, trace)

    @torch.no_grad()
    def backward(self, passed: Pass, delta: Tensor) -> None:
        """Add ∂L/∂W and ∂L/∂b to every parameter's ``grad``, which must be there; δ is ∂L/∂outputs, [k, n, outputs]."""
        for k, (weight, bias) in reversed(list(enumerate(self._layers))):
            h, kept = passed.trace[k - 1] if k > 0 else (passed.inputs, passed.inputs)
            assert weight.grad is not None
            assert bias.grad is not None
            weight.grad.baddbmm_(delta.transpose(1, 2), h)
            bias.grad.add_(delta.sum(1))
            if k > 0:
                delta = self._nonlinearity.back(torch.bmm(delta, weight), kept)

    @torch.no_grad()
    def input_gradient(self, passed: Pass, delta: Tensor) -> Tensor:
        """∂L/∂inputs [n, …], summed over the networks, for the same δ; the parameters' ``grad`` stays as it is."""
        for k, (weight, _) in reversed(list(enumerate(self._layers))):
            delta = torch.bmm(delta, weight)
            if k > 0:
                delta = self._nonlinearity.back(delta, passed.trace[k - 1][1])
        return delta.sum(0)
