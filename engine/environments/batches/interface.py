"""What every batch of environments offers, whatever steps it."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Slots = NDArray[np.int64]


class Transitions(NamedTuple):
    """One step of n environments: observations [n, …] after it (an ended episode's true final one), rewards [n] raw,
    and whether the episode terminated or was truncated, [n] each."""

    observations: NDArray[Any]
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


class EnvironmentBatch(Protocol):
    """``size`` independent environments, each with a generator of its own.

    ``slots`` picks the environments that a call concerns, as strictly increasing indices [n]. Observations are float32
    [n, components] for a box and int64 [n], counted from 0, for a discrete space; actions are likewise.
    """

    size: int

    def reset(self, slots: Slots) -> NDArray[Any]:
        """Begin a new episode in each of ``slots``; its first observations."""

    def step(self, actions: NDArray[Any], slots: Slots) -> Transitions:
        """Take one step in each of ``slots``."""

    def close(self) -> None:
        """Free what the environments hold."""
