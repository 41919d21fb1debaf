"""CartPole: a cart to be pushed left or right so that the pole on it stays up.

Barto, Sutton & Anderson (1983), "Neuronlike adaptive elements that can solve difficult learning control problems", with
the equations as corrected by Florian (2007), integrated by Euler's method as Gymnasium's ``CartPoleEnv`` does.
"""

from __future__ import annotations

import math

from engine.environments.dynamics.interface import Array, Backend

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
POSITIONS = slice(0, None, 2)  # of the state's components: position and angle, without their velocities


class CartPole:
    """States are position, velocity, angle and angular velocity, [4, n]; equal to Gymnasium's to the last bit.

    Args:
        seen: which components are observed.
        sutton_barto_reward: −1 for falling and else 0, in place of 1 for each step.
    """

    to_begin, to_step = 4, 0

    def __init__(self, backend: Backend, seen: slice | None = None, sutton_barto_reward: bool = False) -> None:
        self.backend = backend
        self._seen = seen
        self._sutton_barto = sutton_barto_reward
        self._forces = backend.array([-FORCE, FORCE])
        # Arrays, as numpy multiplies by them twice as fast as by Python's numbers.
        self._gravity, self._mass, self._time_step = (
            backend.array(GRAVITY),
            backend.array(TOTAL_MASS),
            backend.array(TIME_STEP),
        )
        self._pole, self._inertia = backend.array(POLE_MASS_LENGTH), backend.array(4.0 / 3.0 * HALF_LENGTH)
        self._position_limit, self._angle_limit = backend.array(POSITION_LIMIT), backend.array(ANGLE_LIMIT)

    def begin(self, uniforms: Array) -> Array:
        return uniforms * 0.1 - 0.05

    def step(self, states: Array, actions: Array, uniforms: Array) -> tuple[Array, Array, Array]:
        xp = self.backend.xp
        velocity, angle, angular_velocity = states[1], states[2], states[3]
        cos, sin = xp.cos(angle), xp.sin(angle)
        push = angular_velocity * angular_velocity * self._pole * sin
        push += self.backend.take(self._forces, actions)
        push /= self._mass
        # The half length is multiplied into the bracket of the denominator: as it is a power of two, no digit changes.
        inertia = self._inertia - cos * cos * self._pole / self._mass
        angular_acceleration = (sin * self._gravity - cos * push) / inertia
        change = xp.empty_like(states)
        change[0] = velocity
        change[1] = push - angular_acceleration * self._pole * cos / self._mass
        change[2] = angular_velocity
        change[3] = angular_acceleration
        change *= self._time_step
        change += states
        terminated = (xp.abs(change[0]) > self._position_limit) | (xp.abs(change[2]) > self._angle_limit)
        if self._sutton_barto:
            return change, -self.backend.as_real(terminated), terminated
        return change, self.backend.full(states.shape[1], 1.0), terminated

    def observe(self, states: Array) -> Array:
        return self.backend.as_single((states if self._seen is None else states[self._seen]).T)
