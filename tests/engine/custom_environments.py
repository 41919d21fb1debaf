"""A module such as a person might write: importing it registers its environment with Gymnasium."""

from __future__ import annotations

import os
import time
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


class Stuck(gymnasium.Env[int, int]):
    """Episodes of 5 steps; in its 20th step altogether it hangs or dies."""

    observation_space = spaces.Discrete(1)
    action_space = spaces.Discrete(2)

    def __init__(self, dies: bool = False, render_mode: str | None = None) -> None:
        self._dies, self._steps = dies, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self._steps += 1
        if self._steps == 20 and self._dies:
            os._exit(3)
        while self._steps == 20:
            time.sleep(1.0)
        return 0, 1.0, self._steps % 5 == 0, False, {}


if "Own/Stuck-v0" not in gymnasium.registry:
    gymnasium.register("Own/Stuck-v0", f"{__name__}:Stuck")
if "Own/Counter-v0" not in gymnasium.registry:
    gymnasium.register("Own/Counter-v0", Counter, max_episode_steps=20, kwargs={"pay": 1.5})
    gymnasium.register("Own/Made-v0", made, max_episode_steps=20)
