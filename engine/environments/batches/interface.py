"""What every batch of environments offers, whatever steps it."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


class Transitions(NamedTuple):
    """One step of n environments: observations [n, …] after it (an ended episode's true final one), rewards [n] raw,
    and whether the episode terminated or was truncated, [n] each."""

    observations: NDArray[Any]
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


class EnvironmentBatch(Protocol):
    """``size`` independent environments, each with a generator of its own.

    ``indices`` are those of the environments that a call concerns, strictly increasing [n]. Observations are float32
    [n, components] for a box and int64 [n], counted from 0, for a discrete space; actions are likewise.
    """

    size: int

    def reset(self, indices: Indices) -> NDArray[Any]:
        """Begin a new episode in each environment of ``indices``; its first observations."""

    def step(self, actions: NDArray[Any], indices: Indices) -> Transitions:
        """Take one step in each environment of ``indices``."""

    def close(self) -> None:
        """Free what the environments hold."""
