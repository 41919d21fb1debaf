"""The policy and the value function of a run, built from its configuration."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.catalogue import EnvironmentInfo, Space, distribution_of
from engine.config import PolicyConfig, ValueBaseline
from engine.policies.distributions import Categorical, DiagonalGaussian
from engine.policies.networks import MLP, Table, features


class Policy(nn.Module):
    """π_θ(a|s): maps observations ([batch, components] float32, or [batch] int64) to a distribution over actions."""

    def __init__(self, config: PolicyConfig, environment: EnvironmentInfo, generator: torch.Generator) -> None:
        super().__init__()
        inputs, outputs = environment.observation, environment.action.size
        self._observation = inputs
        self._tabular = config.kind == "tabular"
        self.network: nn.Module
        if config.kind == "tabular":
            self.network = Table(inputs.size, outputs)
        elif config.kind == "linear":
            # Starting from 0, a linear policy begins undecided everywhere.
            self.network = MLP((inputs.size, outputs), "tanh", 0.0, generator)
        else:
            sizes = (inputs.size, *config.hidden_sizes, outputs)
            self.network = MLP(sizes, config.activation, 0.01, generator)
        self.log_std: nn.Parameter | None = None
        if config.kind != "tabular" and distribution_of(config, environment) == "gaussian":
            self.log_std = nn.Parameter(torch.full((outputs,), config.initial_log_std))

    def forward(self, observations: Tensor) -> Categorical | DiagonalGaussian:
        inputs = observations if self._tabular else features(observations, self._observation)
        outputs = self.network(inputs)
        return Categorical(outputs) if self.log_std is None else DiagonalGaussian(outputs, self.log_std)


class ValueFunction(nn.Module):
    """V_φ(s), shape [batch], for observations as a policy takes them."""

    def __init__(self, config: ValueBaseline, observation: Space, generator: torch.Generator) -> None:
        super().__init__()
        self._observation = observation
        self.network = MLP((observation.size, *config.hidden_sizes, 1), "tanh", 1.0, generator)

    def forward(self, observations: Tensor) -> Tensor:
        values: Tensor = self.network(features(observations, self._observation))
        return values.squeeze(-1)
