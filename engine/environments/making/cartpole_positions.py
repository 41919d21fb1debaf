"""CartPole with its velocities hidden, as an environment of Gymnasium's: one look does not tell where it is going."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.classic_control import CartPoleEnv
from numpy.typing import NDArray

from engine.environments.dynamics.cartpole import POSITIONS, TIME_LIMIT

ID = "CartPolePositions-v0"


def register() -> None:
    """Make ``ID`` known to Gymnasium; calling it again changes nothing."""
    if ID not in gymnasium.registry:
        gymnasium.register(ID, f"{__name__}:make", max_episode_steps=TIME_LIMIT, reward_threshold=475.0)


def make(render_mode: str | None = None) -> Positions:
    """CartPole-v1 without its time limit, which Gymnasium puts around it again."""
    return Positions(CartPoleEnv(render_mode=render_mode))


class Positions(gymnasium.ObservationWrapper[NDArray[Any], int, NDArray[Any]]):
    """Shows position and angle of the state alone."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        space = environment.observation_space
        self.observation_space = spaces.Box(space.low[POSITIONS], space.high[POSITIONS], dtype=np.float32)

    def observation(self, observation: NDArray[Any]) -> NDArray[Any]:
        return observation[POSITIONS]
