"""Acrobot: two links hang from a pivot, and a torque at the joint between them has to swing the free end up.

Sutton (1996), "Generalization in reinforcement learning: successful examples using sparse coarse coding", with the
equations of Sutton & Barto (2018), integrated by the method of Runge and Kutta as Gymnasium's ``AcrobotEnv`` does. The
motion is chaotic: what is a difference in the last bit at first grows to a different episode after some hundred steps.
"""

from __future__ import annotations

import math

from engine.environments.dynamics.interface import Array, Backend

TIME_STEP = 0.2
SPEED_LIMITS = (4.0 * math.pi, 9.0 * math.pi)
TURN = 2.0 * math.pi
GRAVITY = 9.8


class Acrobot:
    """States are the angle of the first link, 0 where it hangs down, that of the second to it, and their velocities,
    [4, n]; actions apply the torques −1, 0 and 1. Links have mass, length and moment of inertia 1, and their centres
    of mass in the middle. Every step pays −1 but the one that ends the episode, which pays 0.
    """

    to_begin, to_step = 4, 0

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._torques = backend.array([-1.0, 0.0, 1.0])
        self._fastest = backend.array([[limit] for limit in SPEED_LIMITS])
        self._slowest = -self._fastest
        # Arrays, as numpy multiplies by them twice as fast as by Python's numbers.
        self._half, self._five_quarters, self._seven_halves, self._upper_pull, self._lower_pull = (
            backend.array(number) for number in (0.5, 1.25, 3.5, 1.5 * GRAVITY, 0.5 * GRAVITY)
        )
        self._half_step, self._time_step, self._sixth = (
            backend.array(number) for number in (TIME_STEP / 2.0, TIME_STEP, TIME_STEP / 6.0)
        )
        self._turn = backend.array(TURN)

    def begin(self, uniforms: Array) -> Array:
        return self.backend.as_real(self.backend.as_single(uniforms * 0.2 - 0.1))  # rounded, as Gymnasium has it

    def step(self, states: Array, actions: Array, uniforms: Array) -> tuple[Array, Array, Array]:
        xp = self.backend.xp
        torque = self.backend.take(self._torques, actions)
        first = self._derivatives(states, torque)
        second = self._derivatives(states + first * self._half_step, torque)
        third = self._derivatives(states + second * self._half_step, torque)
        fourth = self._derivatives(states + third * self._time_step, torque)
        second += third
        second += second
        first += second
        first += fourth
        first *= self._sixth
        first += states
        angles, velocities = first[:2], first[2:]
        angles -= xp.round(angles / self._turn) * self._turn
        first[2:] = xp.minimum(xp.maximum(velocities, self._slowest), self._fastest)
        terminated = -xp.cos(angles[0]) - xp.cos(angles[1] + angles[0]) > 1.0
        return first, self.backend.as_real(terminated) - 1.0, terminated

    def _derivatives(self, states: Array, torque: Array) -> Array:
        """The derivative of ``states`` by time, [4, n]; d and φ as in Sutton & Barto, with the constants put in."""
        xp = self.backend.xp
        velocity, bent_velocity = states[2], states[3]
        sin, bent_sin = xp.sin(states[:2])
        bent_cos = xp.cos(states[1])
        d1 = bent_cos + self._seven_halves
        d2 = bent_cos * self._half + self._five_quarters
        phi2 = xp.sin(states[0] + states[1]) * self._lower_pull
        phi1 = sin * self._upper_pull + phi2 - (bent_velocity * self._half + velocity) * bent_velocity * bent_sin
        ratio = d2 / d1
        numerator = torque + ratio * phi1 - velocity * velocity * bent_sin * self._half - phi2
        derivatives = xp.empty_like(states)
        derivatives[:2] = states[2:]
        bent_acceleration = derivatives[3]
        xp.divide(numerator, self._five_quarters - ratio * d2, out=bent_acceleration)
        xp.negative((d2 * bent_acceleration + phi1) / d1, out=derivatives[2])
        return derivatives

    def observe(self, states: Array) -> Array:
        xp = self.backend.xp
        seen = xp.empty((6, states.shape[1]), dtype=xp.float32, device=self.backend.device)
        seen[0:4:2] = xp.cos(states[:2])
        seen[1:4:2] = xp.sin(states[:2])
        seen[4:] = states[2:]
        return seen.T
