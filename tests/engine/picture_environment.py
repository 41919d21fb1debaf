"""A small world of pictures, for other processes to import: ``tests.engine.picture_environment:Pictures-v0``."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

ID = f"{__name__}:Pictures-v0"


class Pictures(gymnasium.Env[Any, Any]):
    """A bright square that wanders at random over a dark picture; episodes end at random, and after 8 steps."""

    observation_space = spaces.Box(0, 255, (36, 36, 1), np.uint8)
    action_space = spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._steps = 0
        return self._picture(), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._steps += 1
        over = bool(self.np_random.random() < 0.1)
        return self._picture(), float(action), over, self._steps == 8, {}

    def _picture(self) -> Any:
        picture = np.zeros((36, 36, 1), np.uint8)
        row, column = self.np_random.integers(0, 32, 2)
        picture[row : row + 4, column : column + 4] = 200
        return picture


gymnasium.register("Pictures-v0", f"{__name__}:Pictures")
