"""MountainCar: a car too weak for the hill has to rock to and fro to get up it, by one of three forces or by any.

Moore (1990), "Efficient memory-based learning for robot control", as Gymnasium's ``MountainCarEnv`` and
``Continuous_MountainCarEnv`` compute it.
"""

from __future__ import annotations

from engine.environments.dynamics.interface import Array, Backend

FORCE = 0.001
GRAVITY = 0.0025
POWER = 0.0015  # of the continuous car
SPEED_LIMIT = 0.07
LEFT, RIGHT = -1.2, 0.6
GOAL, CONTINUOUS_GOAL = 0.5, 0.45


class MountainCar:
    """States are position and velocity, [2, n]; actions push left, not at all, or right. Every step pays −1.

    Args:
        goal_velocity: how fast the car has to be at the goal at least.
    """

    to_begin, to_step = 1, 0

    def __init__(self, backend: Backend, goal_velocity: float = 0.0) -> None:
        self.backend = backend
        self._goal_velocity = goal_velocity
        self._forces = backend.array([-FORCE, 0.0, FORCE])
        self._slowest, self._fastest = backend.array(-SPEED_LIMIT), backend.array(SPEED_LIMIT)
        self._left, self._right, self._rest = backend.array(LEFT), backend.array(RIGHT), backend.array(0.0)

    def begin(self, uniforms: Array) -> Array:
        return _resting(self.backend, uniforms)

    def step(self, states: Array, actions: Array, uniforms: Array) -> tuple[Array, Array, Array]:
        xp = self.backend.xp
        position, velocity = states
        velocity = velocity + (self.backend.take(self._forces, actions) - xp.cos(position * 3) * GRAVITY)
        velocity = xp.minimum(xp.maximum(velocity, self._slowest), self._fastest)
        position = xp.minimum(xp.maximum(position + velocity, self._left), self._right)
        following = xp.empty_like(states)
        following[0] = position
        following[1] = xp.where((position == LEFT) & (velocity < 0.0), self._rest, velocity)
        terminated = (position >= GOAL) & (following[1] >= self._goal_velocity)
        return following, self.backend.full(states.shape[1], -1.0), terminated

    def observe(self, states: Array) -> Array:
        return self.backend.as_single(states.T)


class MountainCarContinuous:
    """States are position and velocity, [2, n]; the action is the force, in [−1, 1]. Reaching the goal pays 100, and
    each step costs a tenth of the force squared.

    Gymnasium's car is held in float32 from its first step on, and computes in it; so does this one.

    Args:
        goal_velocity: how fast the car has to be at the goal at least.
    """

    to_begin, to_step = 1, 0

    def __init__(self, backend: Backend, goal_velocity: float = 0.0) -> None:
        self.backend = backend
        self._goal_velocity = goal_velocity
        bounds = (-SPEED_LIMIT, SPEED_LIMIT, LEFT, RIGHT, -1.0, 1.0, 0.0)
        self._slowest, self._fastest, self._left, self._right, self._weakest, self._strongest, self._rest = (
            backend.as_single(backend.array(bound)) for bound in bounds
        )

    def begin(self, uniforms: Array) -> Array:
        return _resting(self.backend, uniforms)

    def step(self, states: Array, actions: Array, uniforms: Array) -> tuple[Array, Array, Array]:
        xp, single, real = self.backend.xp, self.backend.as_single, self.backend.as_real
        position, velocity = states
        force = xp.minimum(xp.maximum(actions[:, 0], self._weakest), self._strongest)
        tripled = position * 3
        held = position == single(position)  # all but an episode's first position, which Gymnasium keeps as it is drawn
        slope = xp.cos(xp.where(held, real(single(tripled)), tripled)) * GRAVITY
        velocity = single(velocity) + (force * POWER - single(slope))
        velocity = xp.minimum(xp.maximum(velocity, self._slowest), self._fastest)
        position = single(position + velocity)
        position = xp.minimum(xp.maximum(position, self._left), self._right)
        velocity = xp.where((position == self._left) & (velocity < 0.0), self._rest, velocity)
        following = xp.empty_like(states)
        following[0] = position
        following[1] = velocity
        terminated = (position >= CONTINUOUS_GOAL) & (velocity >= self._goal_velocity)
        effort = real(force)
        return following, real(terminated) * 100.0 - effort * effort * 0.1, terminated

    def observe(self, states: Array) -> Array:
        return self.backend.as_single(states.T)


def _resting(backend: Backend, uniforms: Array) -> Array:
    """Somewhere near the bottom of the valley, without velocity."""
    states = backend.xp.zeros((2, uniforms.shape[1]), dtype=backend.real, device=backend.device)
    states[:1] = uniforms * 0.2 - 0.6
    return states
