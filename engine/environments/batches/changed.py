"""A batch of environments seen and steered through the changes a person has made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from engine.catalogue.configured import channel_axis
from engine.catalogue.spaces import Space
from engine.config.environments import EnvironmentConfig
from engine.environments.batches.batched import BatchedEnvironments
from engine.environments.batches.interface import EnvironmentBatch, Indices, SeedableBatch, Transitions
from engine.runtime.state import State

_Batch = TypeVar("_Batch", bound=EnvironmentBatch)


def with_changes(
    batch: _Batch, environment: EnvironmentConfig, space: Space, seeds: Sequence[int]
) -> _Batch | ChangedBatch:
    """``batch`` itself, or behind the changes to observations and actions that ``environment`` asks for.

    ``space`` is the observation before them. Rewards are left as they are: what learning sees of them is another
    matter (``engine.collection.reward_scaling``).
    """
    seen = environment.hidden or environment.observation_noise > 0.0 or environment.frame_stack > 1
    return ChangedBatch(batch, environment, space, seeds) if seen or environment.sticky_actions > 0.0 else batch


class ChangedBatch:
    """Hides components, adds noise, stacks the latest observations (oldest first), and repeats actions.

    With sticky actions the environment repeats its previous action with a fixed probability whatever is chosen, never
    at an episode's first step (Machado et al., 2018, "Revisiting the arcade learning environment").
    """

    def __init__(
        self, batch: EnvironmentBatch, environment: EnvironmentConfig, space: Space, seeds: Sequence[int]
    ) -> None:
        self.size = batch.size
        self.batch, self._changes = batch, environment
        hidden = set(environment.hidden)
        self._kept = [component for component in range(space.size) if component not in hidden] if hidden else None
        self._shape = () if hidden else space.shape
        self._generator = _generator(seeds)
        earlier = environment.frame_stack - 1  # of the frames seen side by side
        self._frames = np.zeros((self.size, earlier, space.size - len(hidden) if earlier else 0), np.float32)
        self._previous: NDArray[Any] | None = None  # [size, …]
        self._fresh = np.ones(self.size, np.bool_)  # whether no action has been taken yet

    def reset(self, indices: Indices) -> NDArray[Any]:
        self._frames[indices] = 0.0
        self._fresh[indices] = True
        return self._seen(self.batch.reset(indices), indices)

    def begin(self, seed: int) -> NDArray[Any]:
        """As ``SeedableBatch.begin``, where the batch behind the changes is one."""
        first = cast(SeedableBatch, self.batch).begin(seed)
        self._generator = _generator([seed])
        self._frames[:], self._fresh[:] = 0.0, True
        return self._seen(first, np.array([0]))

    def begin_in(self, state: NDArray[Any], earlier: NDArray[Any] | None = None) -> NDArray[Any]:
        """As ``SeedableBatch.begin_in``, where the batch behind the changes is one; with noise, that is seen of it."""
        first = cast(SeedableBatch, self.batch).begin_in(state)
        self._frames[:], self._fresh[:] = 0.0 if earlier is None else earlier, True
        return self._seen(first, np.array([0]))

    def begin_all_in(self, states: NDArray[Any]) -> NDArray[Any]:
        """As ``BatchedEnvironments.begin_all_in``, which the batch behind the changes has to be."""
        first = cast(BatchedEnvironments, self.batch).begin_all_in(states)
        self._frames[:], self._fresh[:] = 0.0, True
        return self._seen(first, np.arange(self.size))

    def step(self, actions: NDArray[Any], indices: Indices) -> Transitions:
        if self._changes.sticky_actions > 0.0:
            actions = self._stuck(actions, indices)
        moved = self.batch.step(actions, indices)
        return moved._replace(observations=self._seen(moved.observations, indices))

    @property
    def interrupted(self) -> Indices:
        return self.batch.interrupted

    def state(self) -> State:
        return {
            "batch": self.batch.state(),
            "generator": self._generator.bit_generator.state,
            "frames": self._frames.copy(),
            "previous": None if self._previous is None else self._previous.copy(),
            "fresh": self._fresh.copy(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        self.batch.load(state["batch"])
        self._generator.bit_generator.state = state["generator"]
        self._frames[:] = state["frames"]
        self._previous = None if state["previous"] is None else state["previous"].copy()
        self._fresh[:] = state["fresh"]

    def close(self) -> None:
        self.batch.close()

    def _stuck(self, actions: NDArray[Any], indices: Indices) -> NDArray[Any]:
        if self._previous is None:
            self._previous = np.zeros((self.size, *actions.shape[1:]), actions.dtype)
        sticks = (self._generator.random(len(indices)) < self._changes.sticky_actions) & ~self._fresh[indices]
        taken = np.where(sticks.reshape(-1, *[1] * (actions.ndim - 1)), self._previous[indices], actions)
        self._previous[indices] = taken
        self._fresh[indices] = False
        return taken

    def _seen(self, observations: NDArray[Any], indices: Indices) -> NDArray[Any]:
        if observations.ndim == 1:  # discrete states, of which nothing can be changed
            return observations
        if self._kept is not None:
            observations = observations[:, self._kept]
        noise = self._changes.observation_noise
        if noise > 0.0:
            drawn = self._generator.standard_normal(observations.shape, np.float32)
            observations = observations + np.float32(noise) * drawn
        if self._changes.frame_stack == 1:
            return observations
        frames = np.concatenate((self._frames[indices], observations[:, None]), 1)
        self._frames[indices] = frames[:, 1:]
        return self._side_by_side(frames)

    def _side_by_side(self, frames: NDArray[np.float32]) -> NDArray[Any]:
        """[n, k, size] to [n, k·size]; images by their channels, where these come last."""
        count, stacked, _ = frames.shape
        if len(self._shape) != 3 or channel_axis(self._shape) == 0:
            return frames.reshape(count, -1)
        height, width, channels = self._shape
        images = frames.reshape(count, stacked, height, width, channels)
        return images.transpose(0, 2, 3, 1, 4).reshape(count, -1)


def _generator(seeds: Sequence[int]) -> np.random.Generator:
    # The key sets it apart from a single environment's own generator, which has the same seed.
    return np.random.default_rng(np.random.SeedSequence(list(seeds), spawn_key=(1,)))
