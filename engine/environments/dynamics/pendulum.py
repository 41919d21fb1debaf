"""Pendulum: a pendulum is to be swung up and held by a torque at its pivot, as in Gymnasium's ``PendulumEnv``."""

from __future__ import annotations

import math

from engine.environments.dynamics.interface import Array, Backend

TIME_STEP = 0.05
SPEED_LIMIT = 8.0
TORQUE_LIMIT = 2.0
TURN = 2.0 * math.pi


class Pendulum:
    """States are the angle, 0 where it stands up, and the angular velocity, [2, n]; the action is the torque, in
    [−2, 2]. Mass and length are 1. A step pays −(angle² + 0.1 velocity² + 0.001 torque²); no episode terminates.

    Args:
        g: the acceleration of gravity.
    """

    to_begin, to_step = 2, 0

    def __init__(self, backend: Backend, g: float = 10.0) -> None:
        self.backend = backend
        self._pull = 3 * g / 2.0
        self._slowest, self._fastest = backend.array(-SPEED_LIMIT), backend.array(SPEED_LIMIT)
        self._weakest, self._strongest = (
            backend.as_single(backend.array(bound)) for bound in (-TORQUE_LIMIT, TORQUE_LIMIT)
        )
        self._low = backend.array([[-math.pi], [-1.0]])
        self._range = backend.array([[TURN], [2.0]])

    def begin(self, uniforms: Array) -> Array:
        return uniforms * self._range + self._low

    def step(self, states: Array, actions: Array, uniforms: Array) -> tuple[Array, Array, Array]:
        xp = self.backend.xp
        angle, velocity = states
        torque = xp.minimum(xp.maximum(actions[:, 0], self._weakest), self._strongest)
        off = (angle + math.pi) % TURN - math.pi
        cost = off * off + velocity * velocity * 0.1 + torque * torque * 0.001
        following = xp.empty_like(states)
        velocity = velocity + (xp.sin(angle) * self._pull + torque * 3.0) * TIME_STEP
        velocity = xp.minimum(xp.maximum(velocity, self._slowest), self._fastest)
        following[0] = angle + velocity * TIME_STEP
        following[1] = velocity
        return following, -cost, xp.zeros_like(velocity, dtype=xp.bool)

    def observe(self, states: Array) -> Array:
        xp = self.backend.xp
        seen = xp.empty((3, states.shape[1]), dtype=xp.float32, device=self.backend.device)
        seen[0] = xp.cos(states[0])
        seen[1] = xp.sin(states[0])
        seen[2] = states[1]
        return seen.T
