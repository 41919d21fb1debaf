"""Environments that EnvPool has written again in C++, where it is installed (Weng et al., 2022, "EnvPool: a highly
parallel reinforcement learning environment execution engine")."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from engine.config.environments import EnvironmentConfig
from engine.environments.batches.gymnasium import as_taken, check_observations, check_rewards, from_environment
from engine.environments.batches.interface import NONE, Indices, Transitions
from engine.environments.making import registry
from engine.runtime.cores import cores
from engine.runtime.errors import RequestError, RunError, describe
from engine.runtime.state import INEXACT, State

_NO_LIMIT = np.iinfo(np.int32).max  # EnvPool's word for none, and what it takes as seeds ends there
HIDDEN = "What EnvPool's environments are in the middle of cannot be read: going on means to begin new episodes there."


class EnvPoolBatch:
    """An environment that EnvPool has, stepped in EnvPool's own threads.

    The rules are Gymnasium's, the chance is not: from the same seed come other episodes than there. Each environment's
    episodes depend on its own seed alone, however many threads there are.

    EnvPool lets the next episode begin in the step after an episode's last one; ``reset`` comes before that, so the
    last observation is the episode's own. Whatever ends in the very step in which its time is up counts as truncated.

    Raises:
        RequestError: EnvPool is not installed, or does not have the environment as it is wished.
        RunError: from ``reset`` and ``step``, when EnvPool raises, or gives what nothing can be learned from.
    """

    def __init__(self, environment: EnvironmentConfig, seeds: Sequence[int]) -> None:
        self.size = len(seeds)
        self._id, self._seeds = environment.id, tuple(map(int, seeds))
        self._episodes = np.zeros(self.size, np.int64)  # begun so far
        self.interrupted: Indices = NONE
        self._envpool = _envpool(environment)
        with _unwarned():
            spec = self._envpool.make_spec(self._id)
            self.observation_space, self.action_space, self._limit = _checked(spec, environment)
        self._pool = self._made(self._seeds)

    def _made(self, seeds: Sequence[int]) -> Any:
        with _unwarned():
            pool = self._envpool.make(
                self._id,
                env_type="gymnasium",
                num_envs=self.size,
                num_threads=min(self.size, cores()),
                env_seed=[seed % _NO_LIMIT for seed in seeds],
                max_episode_steps=self._limit or _NO_LIMIT,
            )
            _ = pool.observation_space, pool.action_space  # which would be made, and warn, when needed
        return pool

    def reset(self, indices: Indices) -> NDArray[Any]:
        self._episodes[indices] += 1
        try:
            observations, _ = self._pool.reset(indices)
            return self._seen(observations)
        except RunError:
            raise
        except BaseException as error:
            raise registry.raised(self._id, "reset", error) from error

    def step(self, actions: NDArray[Any], indices: Indices) -> Transitions:
        try:
            observations, rewards, terminated, truncated, _ = self._pool.step(
                as_taken(actions, self.action_space), indices
            )
            seen = self._seen(observations)
        except RunError:
            raise
        except BaseException as error:
            raise registry.raised(self._id, "step", error) from error
        rewards = rewards.astype(np.float64)
        check_rewards(self._id, rewards)
        return Transitions(seen, rewards, terminated, truncated)

    def state(self) -> State:
        return {"episodes": self._episodes.copy(), INEXACT: HIDDEN}

    def load(self, state: Mapping[str, Any]) -> None:
        """Make the environments anew, with seeds that no episode so far came from."""
        if len(state.get("episodes", ())) != self.size:
            raise ValueError(f"This is not the state of {self.size} environments of {self._id} in EnvPool.")
        self._episodes[:] = state["episodes"]
        if not self._episodes.any():
            return
        self.close()
        pairs = zip(self._seeds, self._episodes.tolist(), strict=True)
        self._pool = self._made([int(np.random.SeedSequence(pair).generate_state(1)[0]) for pair in pairs])
        self.interrupted = np.arange(self.size)

    def close(self) -> None:
        with suppress(Exception):  # nothing is left to be done with it
            self._pool.close()
        self._pool = None  # which ends its threads

    def _seen(self, observations: NDArray[Any]) -> NDArray[Any]:
        seen = from_environment(observations, self.observation_space)
        check_observations(self._id, seen)
        return seen


@contextmanager
def _unwarned() -> Iterator[None]:
    """Without warnings about the precision of bounds, which are not used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _envpool(environment: EnvironmentConfig) -> Any:
    """The package, if it has the environment."""
    if find_spec("envpool") is None:
        raise RequestError("EnvPool is not installed; install it with: pip install envpool")
    try:
        envpool = importlib.import_module("envpool")
    except Exception as error:
        raise RequestError(f"EnvPool could not be loaded: {describe(error)}.") from error
    if environment.id not in envpool.list_all_envs():
        raise RequestError(f"EnvPool does not have {environment.id}; choose another way of stepping, or auto.")
    if environment.options:
        raise RequestError(f"EnvPool steps {environment.id} without options only; choose another way of stepping.")
    return envpool


def _checked(spec: Any, environment: EnvironmentConfig) -> tuple[Any, Any, int | None]:
    """Gymnasium's spaces and time limit, once EnvPool's are seen to be the same.

    The bounds of observations may differ: EnvPool leaves many of them unstated.
    """
    made = registry.make(environment.id, time_limit=environment.time_limit)
    observation, action, limit = made.observation_space, made.action_space, registry.time_limit(made)
    registry.close(made)
    theirs = spec.gymnasium_observation_space
    if isinstance(observation, spaces.Box) and isinstance(theirs, spaces.Box):
        same = (observation.shape, observation.dtype) == (theirs.shape, theirs.dtype)
    else:
        same = observation == theirs
    if not same or action != spec.gymnasium_action_space:
        raise RequestError(f"EnvPool's {environment.id} is not Gymnasium's; choose another way of stepping, or auto.")
    return observation, action, limit
