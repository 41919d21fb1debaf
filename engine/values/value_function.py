"""The learned value function of states."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.catalogue.spaces import Space
from engine.config.estimators import ValueBaseline
from engine.networks.networks import MLP, cnn_body, features, head
from engine.networks.normalizer import Normalizer
from engine.networks.stateful import StatefulModule


class ValueFunction(StatefulModule):
    """V_φ(s), shape [batch], for observations as a policy takes them; seen through convolutions if asked, and through
    the policy's ``normalizer`` where it has one."""

    def __init__(
        self,
        config: ValueBaseline,
        observation: Space,
        generator: torch.Generator,
        convolutional: bool = False,
        normalizer: Normalizer | None = None,
    ) -> None:
        super().__init__()
        self._observation = observation
        self.normalizer = normalizer
        self.network: nn.Module
        if convolutional:
            body = cnn_body(observation, config.hidden_sizes[0] if config.hidden_sizes else 64, generator)
            self.network = nn.Sequential(body, head(body.outputs, 1, 1.0, generator))
        else:
            self.network = MLP((observation.size, *config.hidden_sizes, 1), "tanh", 1.0, generator)
        self.dense = self.network.dense() if isinstance(self.network, MLP) else None

    def inputs(self, observations: Tensor) -> Tensor:
        """What the network sees."""
        if self.normalizer is not None:
            observations = self.normalizer(observations)
        return features(observations, self._observation)

    def forward(self, observations: Tensor) -> Tensor:
        values: Tensor = self.network(self.inputs(observations))
        return values.squeeze(-1)
