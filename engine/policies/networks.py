"""The networks behind policies and value functions, initialised from an explicit generator."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from engine.catalogue import Space

_ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu}


class MLP(nn.Module):
    """Linear layers with a nonlinearity between them; without hidden layers it is linear in its input.

    Hidden weights are orthogonal with gain √2 (Saxe et al., 2014) and the last layer's with ``output_gain``, biases 0.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Literal["tanh", "relu"],
        output_gain: float,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        layers = [nn.Linear(fan_in, fan_out) for fan_in, fan_out in pairwise(sizes)]
        self.layers = nn.ModuleList(layers)
        self._activation = _ACTIVATIONS[activation]
        last = len(layers) - 1
        for index, layer in enumerate(layers):
            gain = output_gain if index == last else 2.0**0.5
            nn.init.orthogonal_(layer.weight, gain, generator=generator)
            nn.init.zeros_(layer.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        *hidden, last = self.layers
        outputs = inputs
        for layer in hidden:
            outputs = self._activation(layer(outputs))
        result: Tensor = last(outputs)
        return result


class Table(nn.Module):
    """One learned row per discrete state, initially 0."""

    def __init__(self, states: int, outputs: int) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.zeros(states, outputs))

    def forward(self, states: Tensor) -> Tensor:
        return self.rows[states]


def features(observations: Tensor, space: Space) -> Tensor:
    """What a network sees: a box as it is, a discrete observation as a one-hot vector."""
    if space.kind == "discrete":
        return one_hot(observations, space.size).to(torch.float32)
    return observations
