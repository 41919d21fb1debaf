"""What a nat of entropy is worth to a soft actor-critic."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from engine.config.actor_critic import SAC
from engine.networks.optimizers import ParameterVector, make_optimizer
from engine.runtime.state import Parts, State, TensorState


class Temperature:
    """α > 0, as configured, or so that the policy's entropy stays near its target H̄:

    log α ← log α − η (H − H̄), H = −E[log π(a|s)]

    It stays where it is exactly where H = H̄.

    Source: Haarnoja et al. (2018), "Soft actor-critic algorithms and applications", section 5; the step is on log α,
        without the factor α, as their program has it.
    """

    def __init__(self, config: SAC, device: torch.device) -> None:
        self.parts = Parts()
        self._config, self._begun_at = config, config.temperature
        log_alpha = nn.Parameter(torch.full((1,), math.log(config.temperature), device=device))
        self._vector = ParameterVector([log_alpha])
        self.parts.add("log_alpha", self)
        self._optimizer = self.parts.add("optimizer", make_optimizer(config.optimizer, self._vector))

    def begin(self, config: SAC) -> None:
        """An iteration begins with these settings. A temperature that has been changed is taken up, from where an
        automatic one goes on."""
        changed = config.temperature != self._begun_at
        self._config, self._begun_at = config, config.temperature
        if changed or not config.automatic_temperature:
            self._vector.values.fill_(math.log(config.temperature))

    def state(self) -> State:
        """log α, and what it was set to last; beside it, ``parts`` hold what its optimiser has gathered."""
        return {"log_alpha": self._vector.values.clone(), "begun_at": self._begun_at}

    def load(self, state: Mapping[str, Any]) -> None:
        TensorState({"log_alpha": self._vector.values}).load({"log_alpha": state["log_alpha"]})
        self._begun_at = state.get("begun_at", self._begun_at)

    @property
    def value(self) -> Tensor:
        """α, [1]."""
        return self._vector.values.exp()

    def step(self, entropy: Tensor, target: float, rate: float) -> None:
        """A step, where it is automatic, given H, a scalar."""
        if self._config.automatic_temperature:
            self._vector.gradient.copy_(entropy - target)
            self._optimizer.step(rate)
