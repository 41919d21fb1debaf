"""Demonstrations: what somebody did who can do it already, a person or a policy, to be learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config.environments import EnvironmentConfig

_PICTURE = 64  # numbers in an observation, from which on they may be a picture's


@dataclass(frozen=True)
class Demonstration:
    """One episode, or states for which somebody has said what is to be done in them.

    Attributes:
        observations: [T, …] before each step, as ``EnvironmentBatch`` gives them: float32 of a box, int64 else.
        actions: [T, …] as ``EnvironmentBatch`` takes them, in the environment's own units.
        rewards: [T] float64, raw; None of states that are no episode.
        final_observation: […] after the last step; None where it is not known, or there is none.
        terminated, truncated: how the episode ended, never both; neither where it was broken off, or there is none.
        seed: with which the episode was begun, so that the same actions lead through it again; None where not known.
        source: by whom, in a few words, such as "a person" or "run 5, iteration 120"; empty where not known.
    """

    observations: NDArray[Any]
    actions: NDArray[Any]
    rewards: NDArray[np.float64] | None = None
    final_observation: NDArray[Any] | None = None
    terminated: bool = False
    truncated: bool = False
    seed: int | None = None
    source: str = ""

    def __post_init__(self) -> None:
        rewards = len(self.actions) if self.rewards is None else len(self.rewards)
        if not len(self.observations) == len(self.actions) == rewards:
            counts = f"{len(self.observations)} observations, {len(self.actions)} actions and {rewards} rewards"
            raise ValueError(f"An episode has one of each for every step, not {counts}.")
        if self.terminated and self.truncated:
            raise ValueError("An episode ends by the environment or is cut off, never both.")

    def __len__(self) -> int:
        """The number of steps, T."""
        return len(self.actions)

    @property
    def total_return(self) -> float | None:
        """Σ_t r_t, undiscounted; None where no rewards are known."""
        return None if self.rewards is None else float(self.rewards.sum())


@dataclass(frozen=True)
class Demonstrations:
    """A dataset: episodes and answers in one environment, of steps N in all."""

    environment: EnvironmentConfig
    episodes: tuple[Demonstration, ...]

    def __len__(self) -> int:
        return sum(map(len, self.episodes))

    @cached_property
    def observations(self) -> NDArray[Any]:
        """[N, …], episode after episode."""
        return _joined([episode.observations for episode in self.episodes])

    @cached_property
    def compact(self) -> NDArray[Any]:
        """``observations`` as they are kept."""
        return compact(self.observations)

    @cached_property
    def actions(self) -> NDArray[Any]:
        """[N, …], as ``observations``."""
        return _joined([episode.actions for episode in self.episodes])

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The first step of every episode among all, [episodes]."""
        lengths = [len(episode) for episode in self.episodes]
        return np.cumsum([0, *lengths[:-1]]).astype(np.int64) if lengths else np.zeros(0, np.int64)


def compact(observations: NDArray[Any]) -> NDArray[Any]:
    """``observations`` [N, …] as they are kept: as uint8, in a fourth of the room, where there are many numbers in each
    and all are whole ones from 0 to 255, such as pixels."""
    if observations.dtype != np.float32 or observations.ndim < 2 or observations.shape[1] < _PICTURE:
        return observations
    small = np.clip(observations, 0.0, 255.0).astype(np.uint8)
    return small if np.array_equal(small, observations) else observations


def whole(kept: NDArray[Any]) -> NDArray[Any]:
    """What ``compact`` was given."""
    return kept.astype(np.float32) if kept.dtype == np.uint8 else kept


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Raises ValueError where there is nothing to join."""
    if not parts:
        raise ValueError("A dataset without episodes has no steps.")
    return np.concatenate(parts)
