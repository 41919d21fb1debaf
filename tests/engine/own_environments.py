"""A module such as a person might write: importing it registers its environment with Gymnasium."""

from __future__ import annotations

from typing import Any

import gymnasium
from gymnasium import spaces


class Counter(gymnasium.Env[int, int]):
    """Counts up to ``most`` − 1 and starts again; every step pays ``pay``."""

    def __init__(
        self,
        most: int = 4,
        pay: float = 1.0,
        loud: bool = False,
        names: tuple[str, ...] = ("a", "b"),
        table: Any = None,
        render_mode: str | None = None,
    ) -> None:
        self.observation_space = spaces.Discrete(most)
        self.action_space = spaces.Discrete(2)
        self._most, self._pay, self._count = most, pay, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self._count = 0
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self._count = (self._count + 1) % self._most
        return self._count, self._pay, False, False, {}


def made(size: int = 3, render_mode: str | None = None) -> Counter:
    return Counter(size, render_mode=render_mode)


if "Own/Counter-v0" not in gymnasium.registry:
    gymnasium.register("Own/Counter-v0", Counter, max_episode_steps=20, kwargs={"pay": 1.5})
    gymnasium.register("Own/Made-v0", made, max_episode_steps=20)
