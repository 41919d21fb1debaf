"""Noise that lasts: what pushes one way for a while explores further than pushes that cancel each other out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from engine.runtime.state import State, TensorState


class PersistentNoise:
    """ε_t = ϱ ε_{t−1} + √(1 − ϱ²) ξ_t with ξ_t standard normal and ε = 0 before the first step, one for each component
    of an action in each environment.

    After some 1/(1 − ϱ) steps each ε_t is standard normal whatever ϱ is, so that single actions are distributed as they
    would be without, and ϱ^k is the correlation of two that lie k steps apart. It goes on from one episode to the next.
    It is the Ornstein–Uhlenbeck process of Lillicrap et al. in steps of 1, whose θ = 0.15 is ϱ = 0.85 here.

    Source: Lillicrap et al. (2016), "Continuous control with deep reinforcement learning"; in the place of a squashed
        Gaussian's own noise, Eberhard et al. (2023), "Pink noise is all you need: Colored noise exploration in deep
        reinforcement learning".
    """

    def __init__(self, persistence: float, environments: int, size: int, device: torch.device) -> None:
        """
        Args:
            persistence: ϱ, from 0 to below 1.
            size: the components of an action.
        """
        self._persistence, self._fresh = persistence, math.sqrt(1.0 - persistence**2)
        self._noise = torch.zeros(environments, size, device=device)
        self._state = TensorState({"noise": self._noise})

    def next(self, generator: torch.Generator) -> Tensor:
        """ε of the next step, [N, size], which later ones leave as it is."""
        fresh = torch.empty_like(self._noise).normal_(generator=generator)
        self._noise.mul_(self._persistence).add_(fresh, alpha=self._fresh)
        return self._noise.clone()

    def state(self) -> State:
        return self._state.state()

    def load(self, state: Mapping[str, Any]) -> None:
        self._state.load(state)
