"""What every batch of environments offers, whatever steps it."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.runtime.state import Stateful

Indices = NDArray[np.int64]
NONE: Indices = np.zeros(0, np.int64)


class Transitions(NamedTuple):
    """One step of n environments: observations [n, …] after it (an ended episode's true final one), rewards [n] raw,
    and whether the episode terminated or was truncated, [n] each."""

    observations: NDArray[Any]
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


class EnvironmentBatch(Stateful, Protocol):
    """``size`` independent environments, each with a generator of its own.

    ``indices`` are those of the environments that a call concerns, strictly increasing [n]. Observations are float32
    [n, components] for a box and int64 [n], counted from 0, for a discrete space; actions are likewise.

    A state may be loaded into a batch of the same environments, with the same seeds and stepped in the same way. Where
    it does not hold how far an episode had come, or does not lead there again, ``interrupted`` says so from then on.
    """

    size: int

    @property
    def interrupted(self) -> Indices:
        """The environments whose episodes broke off when a state was loaded: they have to be ``reset`` to go on."""

    def reset(self, indices: Indices) -> NDArray[Any]:
        """Begin a new episode in each environment of ``indices``; its first observations."""

    def step(self, actions: NDArray[Any], indices: Indices) -> Transitions:
        """Take one step in each environment of ``indices``."""

    def close(self) -> None:
        """Free what the environments hold."""


class SeedableBatch(EnvironmentBatch, Protocol):
    """One that can begin an episode from a seed, where it is of one environment."""

    def begin(self, seed: int) -> NDArray[Any]:
        """Begin an episode from ``seed``, 0 … 2⁶³ − 1, in the one environment that there is; its first observation,
        [1, …]. Whatever was played before, the same seed and actions lead through the same episode."""

    def begin_in(self, state: NDArray[Any], earlier: NDArray[Any] | None = None) -> NDArray[Any]:
        """Begin an episode in the one environment that there is, set to ``state`` as ``set_state`` has it; its first
        observation, [1, …]. Its time limit counts from there.

        Args:
            earlier: the observations before it, the oldest first [k − 1, components], where k are seen side by side;
                zeros, as at any episode's beginning, without.

        Raises:
            RunError: it cannot be set to this state.
        """
