"""CartPole-v1 for many carts at once, equal to Gymnasium's step by step.

Dynamics: Barto, Sutton & Anderson (1983), with the corrected equations of Florian (2007), integrated by Euler's method
as Gymnasium's ``CartPoleEnv`` does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.environments.interface import Slots, Transitions

GRAVITY = 9.8
POLE_MASS = 0.1
TOTAL_MASS = 1.1
HALF_LENGTH = 0.5
POLE_MASS_LENGTH = POLE_MASS * HALF_LENGTH
FORCE = 10.0
TIME_STEP = 0.02
ANGLE_LIMIT = 12 * 2 * math.pi / 360
POSITION_LIMIT = 2.4
TIME_LIMIT = 500
POSITIONS = (0, 2)  # of the state's components: position and angle, without their velocities


class CartPoleBatch:
    """States are held as float64 [4, size]: position, velocity, angle, angular velocity; ``seen`` are observed."""

    def __init__(self, seeds: Sequence[int], seen: tuple[int, ...] = (0, 1, 2, 3)) -> None:
        self._seen = None if len(seen) == 4 else list(seen)
        self.size = len(seeds)
        self._generators = [np.random.default_rng(seed) for seed in seeds]
        self._states = np.zeros((4, self.size))
        self._elapsed = np.zeros(self.size, np.int64)

    def reset(self, slots: Slots) -> NDArray[Any]:
        for slot in slots.tolist():
            self._states[:, slot] = self._generators[slot].uniform(-0.05, 0.05, 4)
        self._elapsed[slots] = 0
        return self._observed(self._states[:, slots])

    def step(self, actions: NDArray[Any], slots: Slots) -> Transitions:
        position, velocity, angle, angular_velocity = self._states[:, slots]
        cos, sin = np.cos(angle), np.sin(angle)
        force = np.where(actions == 1, FORCE, -FORCE)
        push = (force + POLE_MASS_LENGTH * np.square(angular_velocity) * sin) / TOTAL_MASS
        angular_acceleration = (GRAVITY * sin - cos * push) / (
            HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * np.square(cos) / TOTAL_MASS)
        )
        acceleration = push - POLE_MASS_LENGTH * angular_acceleration * cos / TOTAL_MASS
        states = np.empty((4, len(slots)))
        states[0] = position + TIME_STEP * velocity
        states[1] = velocity + TIME_STEP * acceleration
        states[2] = angle + TIME_STEP * angular_velocity
        states[3] = angular_velocity + TIME_STEP * angular_acceleration
        self._states[:, slots] = states
        elapsed = self._elapsed[slots] + 1
        self._elapsed[slots] = elapsed
        terminated = (np.abs(states[0]) > POSITION_LIMIT) | (np.abs(states[2]) > ANGLE_LIMIT)
        return Transitions(self._observed(states), np.ones(len(slots)), terminated, elapsed >= TIME_LIMIT)

    def _observed(self, states: NDArray[Any]) -> NDArray[Any]:
        return (states if self._seen is None else states[self._seen]).T.astype(np.float32)

    def close(self) -> None:
        pass
