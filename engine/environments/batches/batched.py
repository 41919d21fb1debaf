"""Many environments at once, by dynamics of our own, on the CPU with numpy or on a device with torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.config.environments import EnvironmentConfig
from engine.environments.batches.interface import NONE, Indices, Transitions
from engine.environments.batches.streams import Counters, Generators, Streams, as_numpy
from engine.environments.dynamics.acrobot import Acrobot
from engine.environments.dynamics.cartpole import POSITIONS, TIME_LIMIT, CartPole
from engine.environments.dynamics.finite import FiniteDynamics
from engine.environments.dynamics.interface import NUMPY, Array, Backend, Dynamics, torch_backend
from engine.environments.dynamics.mountain_car import MountainCar, MountainCarContinuous
from engine.environments.dynamics.pendulum import Pendulum
from engine.environments.making.known_dynamics import finite_mdp
from engine.mdp.finite import FiniteMDP
from engine.runtime.state import State

if TYPE_CHECKING:
    import torch


class BatchedEnvironments:
    """Environments of one kind, one per seed, each with random numbers of its own.

    With numpy they are an ``EnvironmentBatch``, and their episodes are those of Gymnasium's environments of the same
    seeds. On a device they are tensors that ``advance`` and ``restart`` work on: with the same shapes whatever happens,
    in the same memory, and without waiting for the device, so that a CUDA graph can replay both.

    Args:
        dynamics: how they begin and go on, and where.
        seeds: of each environment's random numbers.
        time_limit: after how many steps an episode is truncated, also where it terminates then; None if never.
    """

    def __init__(self, dynamics: Dynamics, seeds: Sequence[int], time_limit: int | None) -> None:
        backend, self.size = dynamics.backend, len(seeds)
        self.interrupted: Indices = NONE
        self.dynamics, self._time_limit, self._xp = dynamics, time_limit, backend.xp
        self._in_place = backend is not NUMPY  # a CUDA graph finds its tensors where they were
        self._streams: Streams = Generators(seeds) if backend is NUMPY else Counters(seeds, backend)
        shape = (dynamics.to_begin, self.size)
        self._states = dynamics.begin(backend.xp.zeros(shape, dtype=backend.real, device=backend.device))
        self._whole = (slice(None),) * (self._states.ndim - 1)  # numpy assigns far faster by it than by an ellipsis
        self._elapsed = backend.xp.zeros((self.size,), dtype=backend.xp.int64, device=backend.device)

    def reset(self, indices: Array) -> Array:
        """Begin a new episode in each environment of ``indices``; its first observations."""
        states = self.dynamics.begin(self._streams.draw_for(self.dynamics.to_begin, indices))
        self._states[(*self._whole, indices)] = states
        self._elapsed[indices] = 0
        return self.dynamics.observe(states)

    def begin_all_in(self, states: Array) -> Array:
        """Begin a new episode in every environment, in ``states`` [..., size] as the dynamics have them; their first
        observations."""
        self._states[...] = states
        self._elapsed[...] = 0
        return self.dynamics.observe(self._states)

    def step(self, actions: Array, indices: Array) -> Transitions:
        """Take one step in each environment of ``indices``."""
        if len(indices) == self.size:
            return self.advance(actions)
        dynamics, take = self.dynamics, self.dynamics.backend.take
        uniforms = self._streams.draw_for(dynamics.to_step, indices) if dynamics.to_step else None
        states, rewards, terminated = dynamics.step(take(self._states, indices), actions, uniforms)
        self._states[(*self._whole, indices)] = states
        elapsed = self._elapsed[indices] + 1
        self._elapsed[indices] = elapsed
        return Transitions(dynamics.observe(states), rewards, terminated, self._truncated(elapsed))

    def advance(self, actions: Array) -> Transitions:
        """Take one step in all environments."""
        dynamics = self.dynamics
        uniforms = self._streams.draw(dynamics.to_step) if dynamics.to_step else None
        states, rewards, terminated = dynamics.step(self._states, actions, uniforms)
        if self._in_place:
            self._states[...] = states
        else:
            self._states = states
        self._elapsed += 1
        return Transitions(dynamics.observe(states), rewards, terminated, self._truncated(self._elapsed))

    def restart(self, ended: Array | None = None) -> Array:
        """Begin a new episode in each environment that has ``ended``, bool [size], or in all; what all show now."""
        dynamics = self.dynamics
        if ended is None:
            self._states[...] = dynamics.begin(self._streams.draw(dynamics.to_begin))
            self._elapsed[...] = 0
        else:
            fresh = dynamics.begin(self._streams.draw_where(dynamics.to_begin, ended))
            self._states[...] = self._xp.where(ended, fresh, self._states)
            self._elapsed *= ~ended
        return dynamics.observe(self._states)

    def observe(self) -> Array:
        """What all show now, in memory of its own."""
        return self.dynamics.observe(self._states)

    def _truncated(self, elapsed: Array) -> Array:
        if self._time_limit is None:
            return elapsed < 0
        return elapsed >= self._time_limit

    def state(self) -> State:
        """As arrays of numpy: states [..., size], elapsed steps [size], and where the random numbers are, one row for
        each environment."""
        return {
            "states": as_numpy(self._states),
            "elapsed": as_numpy(self._elapsed),
            "streams": self._streams.state(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        backend = self.dynamics.backend
        for kept, name in ((self._states, "states"), (self._elapsed, "elapsed")):
            if state[name].shape != tuple(kept.shape):
                raise ValueError(f"{name} must have the shape {list(kept.shape)}, not {list(state[name].shape)}.")
            kept[...] = backend.xp.asarray(state[name], dtype=kept.dtype, device=backend.device)
        self._streams.load(state["streams"])

    def close(self) -> None:
        """Nothing is held that would have to be freed."""


class _Known(NamedTuple):
    """Dynamics of ours, the environment's own time limit, and which options it takes, of which type."""

    dynamics: Callable[..., Dynamics]
    time_limit: int
    options: dict[str, type]


_KNOWN = {
    "CartPole-v1": _Known(CartPole, TIME_LIMIT, {"sutton_barto_reward": bool}),
    "CartPolePositions-v0": _Known(partial(CartPole, seen=POSITIONS), TIME_LIMIT, {}),
    "MountainCar-v0": _Known(MountainCar, 200, {"goal_velocity": float}),
    "MountainCarContinuous-v0": _Known(MountainCarContinuous, 999, {"goal_velocity": float}),
    "Pendulum-v1": _Known(Pendulum, 200, {"g": float}),
    "Acrobot-v1": _Known(Acrobot, 500, {}),
}


def batched(
    environment: EnvironmentConfig, seeds: Sequence[int], device: torch.device | None = None
) -> BatchedEnvironments | None:
    """A batch of ``environment`` with numpy, or with tensors on ``device``; None where its dynamics are not our own.

    What the configuration changes in observations, actions and rewards is left to others.
    """
    backend = NUMPY if device is None else torch_backend(device)
    known = _KNOWN.get(environment.id)
    if known is not None:
        options = {name: _fitting(value, known.options.get(name)) for name, value in environment.options.items()}
        if None in options.values():
            return None
        return BatchedEnvironments(
            known.dynamics(backend, **options), seeds, environment.time_limit or known.time_limit
        )
    mdp = finite_mdp(environment.id, environment.options)
    if mdp is None:
        return None
    return finite_environments(mdp, seeds, backend, environment.time_limit)


def finite_environments(
    mdp: FiniteMDP, seeds: Sequence[int], backend: Backend = NUMPY, time_limit: int = 0
) -> BatchedEnvironments:
    """A batch of ``mdp``, cut off after ``time_limit`` steps, or at its horizon where that is 0."""
    return BatchedEnvironments(FiniteDynamics(backend, mdp), seeds, time_limit or mdp.horizon)


def _fitting(value: Any, kind: type | None) -> Any:
    """An option as the dynamics take it, None where it is not of their kind; a whole number counts as a float."""
    if kind is float and type(value) is int:
        return float(value)
    return value if kind is type(value) else None
