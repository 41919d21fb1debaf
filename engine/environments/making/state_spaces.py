"""What the states of continuous environments are made of, where what is observed follows from it by a known formula."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.environments.dynamics.acrobot import SPEED_LIMITS, Acrobot
from engine.environments.dynamics.cartpole import ANGLE_LIMIT, POSITION_LIMIT, POSITIONS, CartPole
from engine.environments.dynamics.interface import NUMPY
from engine.environments.dynamics.mountain_car import LEFT, RIGHT, SPEED_LIMIT, MountainCar
from engine.environments.dynamics.pendulum import SPEED_LIMIT as TURNING_LIMIT
from engine.environments.dynamics.pendulum import Pendulum

States = NDArray[np.float64]


class Component(NamedTuple):
    """One number of a state, and the range in which it is usually looked at, in ``unit``, empty where it has none."""

    name: str
    low: float
    high: float
    unit: str = ""


class StateSpace(NamedTuple):
    """The d numbers that a state is made of, in the order of ``engine.environments.dynamics``.

    Attributes:
        observe: what is seen, float32 [n, k], of states [n, d].
        state: the states [n, d] in which that is seen [n, k]; None where what is seen does not tell them.
    """

    components: tuple[Component, ...]
    observe: Callable[[States], NDArray[np.float32]]
    state: Callable[[NDArray[np.float32]], States] | None


def _plain(seen: NDArray[np.float32]) -> States:
    return seen.astype(np.float64)


def _of_acrobot(seen: NDArray[np.float32]) -> States:
    cos, sin = _plain(seen[:, 0:4:2]), _plain(seen[:, 1:4:2])
    return np.concatenate((np.arctan2(sin, cos), _plain(seen[:, 4:])), 1)


def _of_pendulum(seen: NDArray[np.float32]) -> States:
    cos, sin, velocity = _plain(seen).T
    return np.stack((np.arctan2(sin, cos), velocity), 1)


_CART = (
    Component("position", -POSITION_LIMIT, POSITION_LIMIT, "m"),
    Component("velocity", -3.0, 3.0, "m/s"),
    Component("angle", -ANGLE_LIMIT, ANGLE_LIMIT, "rad"),
    Component("angular velocity", -3.0, 3.0, "rad/s"),
)
_CAR = (Component("position", LEFT, RIGHT), Component("velocity", -SPEED_LIMIT, SPEED_LIMIT))
_TURN = (-math.pi, math.pi, "rad")

STATE_SPACES: dict[str, StateSpace] = {
    "CartPole-v1": StateSpace(_CART, lambda states: CartPole(NUMPY).observe(states.T), _plain),
    "CartPolePositions-v0": StateSpace(_CART, lambda states: CartPole(NUMPY, POSITIONS).observe(states.T), None),
    "MountainCar-v0": StateSpace(_CAR, lambda states: MountainCar(NUMPY).observe(states.T), _plain),
    "MountainCarContinuous-v0": StateSpace(_CAR, lambda states: MountainCar(NUMPY).observe(states.T), _plain),
    "Pendulum-v1": StateSpace(
        (Component("angle", *_TURN), Component("angular velocity", -TURNING_LIMIT, TURNING_LIMIT, "rad/s")),
        lambda states: Pendulum(NUMPY).observe(states.T),
        _of_pendulum,
    ),
    "Acrobot-v1": StateSpace(
        (
            Component("angle 1", *_TURN),
            Component("angle 2", *_TURN),
            Component("angular velocity 1", -SPEED_LIMITS[0], SPEED_LIMITS[0], "rad/s"),
            Component("angular velocity 2", -SPEED_LIMITS[1], SPEED_LIMITS[1], "rad/s"),
        ),
        lambda states: Acrobot(NUMPY).observe(states.T),
        _of_acrobot,
    ),
}
