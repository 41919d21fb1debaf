"""What stands in for EnvPool where that is not installed: the same calls, answered by Gymnasium's own environments."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray


def list_all_envs() -> list[str]:
    return ["CartPole-v1"]


def make_spec(id: str) -> SimpleNamespace:
    made = gymnasium.make(id)
    return SimpleNamespace(gymnasium_observation_space=made.observation_space, gymnasium_action_space=made.action_space)


def make(id: str, *, env_seed: Sequence[int], max_episode_steps: int, **_: Any) -> Pool:
    return Pool([gymnasium.make(id, max_episode_steps=max_episode_steps) for _ in env_seed], env_seed)


class Pool:
    """Some environments, each of which plays the episodes that follow from its own seed."""

    def __init__(self, environments: Sequence[gymnasium.Env[Any, Any]], seeds: Sequence[int]) -> None:
        self._environments, self._seeds = environments, list(map(int, seeds))
        self.observation_space, self.action_space = environments[0].observation_space, environments[0].action_space
        self._begun = [False] * len(environments)

    def reset(self, indices: NDArray[Any]) -> tuple[NDArray[Any], dict[str, Any]]:
        observations = []
        for index in indices.tolist():
            seed = None if self._begun[index] else self._seeds[index]
            self._begun[index] = True
            observations.append(self._environments[index].reset(seed=seed)[0])
        return np.stack(observations), {}

    def step(self, actions: NDArray[Any], indices: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        found = [self._environments[i].step(action) for action, i in zip(actions, indices.tolist(), strict=True)]
        columns = [np.array([each[place] for each in found]) for place in range(4)]
        return (*columns, np.zeros(0))

    def close(self) -> None:
        for environment in self._environments:
            environment.close()
