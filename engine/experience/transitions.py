"""Transitions: steps with what was seen after them, for methods that learn from single steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Transitions:
    """T steps of N environments, time-major: ``observations`` [T, N, …] before each step, ``actions`` [T, N, …] as the
    policy has them, ``rewards`` [T, N] float64 as the environment pays them, whether the step ``terminated`` the
    episode or else ``truncated`` it [T, N], never both, and ``next_observations`` [T, N, …] after it, an ended
    episode's true final one. ``following`` [N, …] is what every environment shows after the last of them, in its next
    episode where one has ended."""

    observations: NDArray[Any]
    actions: NDArray[Any]
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    next_observations: NDArray[Any]
    following: NDArray[Any]

    @property
    def steps(self) -> int:
        """T · N."""
        return int(self.rewards.size)
