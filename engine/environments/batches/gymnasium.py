"""The batch that works for any environment of Gymnasium's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from engine.config.environments import EnvironmentConfig
from engine.environments.batches.interface import NONE, EnvironmentBatch, Indices, Transitions
from engine.environments.batches.recorded import RecordedEnvironment
from engine.environments.making import registry
from engine.environments.making.foreign import RENDERS_NOTHING
from engine.environments.making.pictures import as_picture
from engine.environments.making.process_settings import ProcessSettings
from engine.environments.making.results import InterfaceError
from engine.runtime.errors import RunError
from engine.runtime.state import INEXACT, State

LARGEST_REWARD = 1e30  # well inside float32, in which returns are computed
_OF_JAX = ("phys2d/", "tabular/")  # Gymnasium's environments that are written in it
_UNFIT = "from which nothing can be learned."


class GymnasiumBatch:
    """Any environment of Gymnasium's, one after the other in this process.

    Args:
        render: whether the environments are made to give pictures.
        progress: [2], where to note which environment is being worked on and how many calls of environments were begun,
            for whoever watches from outside.
        settings: of this process, to be as they are now when the environments are made and again when they are closed.

    Raises:
        RequestError: the environment cannot be made.
        RunError: from ``reset``, ``step`` and ``render``, when an environment itself raises, and from the first two,
            when it gives what nothing can be learned from.
    """

    def __init__(
        self,
        environment: EnvironmentConfig,
        seeds: Sequence[int],
        *,
        render: bool = False,
        progress: NDArray[np.int64] | None = None,
        settings: ProcessSettings | None = None,
    ) -> None:
        self.size = len(seeds)
        self._id, self._seeds = environment.id, tuple(seeds)
        self._progress = np.zeros(2, np.int64) if progress is None else progress
        self.interrupted: Indices = NONE
        self._environments: list[RecordedEnvironment] = []
        self._settings = settings
        try:
            for index, seed in enumerate(self._seeds):
                self._begin_call(index)
                made = registry.make(
                    environment.id, environment.options, time_limit=environment.time_limit, render=render, seed=seed
                )
                self._environments.append(RecordedEnvironment(made, seed))
        except BaseException:
            self.close()
            raise
        if settings is not None:
            settings.restore_what_learning_needs()
        first = self._environments[0].environment
        self.observation_space: Any = first.observation_space
        self.action_space: Any = first.action_space
        self.metadata = first.metadata

    def reset(self, indices: Indices) -> NDArray[Any]:
        try:
            return self._stacked([self._reset_one(index) for index in indices.tolist()])
        except RunError:
            raise
        except BaseException as error:
            raise registry.raised(self._id, "reset", error) from error

    def begin(self, seed: int) -> NDArray[Any]:
        """Begin an episode from ``seed`` in the one environment that there is; its first observation, [1, …]."""
        require_one(self)
        self._seeds = (seed,)
        try:
            return self._stacked([self._reset_one(0, seed)])
        except RunError:
            raise
        except BaseException as error:
            raise registry.raised(self._id, "reset", error) from error

    def begin_in(self, state: NDArray[Any], earlier: NDArray[Any] | None = None) -> NDArray[Any]:
        """As ``SeedableBatch.begin_in``; here nothing is seen of earlier."""
        require_one(self)
        self._begin_call(0)
        try:
            return self._stacked([self._environments[0].begin_in(self._id, state)])
        except RunError:
            raise
        except BaseException as error:
            raise self._raised(0, "reset", error) from error

    def _reset_one(self, index: int, seed: int | None = None) -> Any:
        self._begin_call(index)
        recorded = self._environments[index]
        try:
            return recorded.reset() if seed is None else recorded.begin(seed)
        except BaseException as error:
            raise self._raised(index, "reset", error) from error

    def step(self, actions: NDArray[Any], indices: Indices) -> Transitions:
        prepared = to_environment(actions, self.action_space)
        try:
            results = [self._step_one(index, action) for index, action in zip(indices.tolist(), prepared, strict=True)]
            observations = self._stacked([result[0] for result in results])
            rewards = np.array([result[1] for result in results], np.float64).reshape(len(indices))
            terminated = np.array([result[2] for result in results], np.bool_)
            truncated = np.array([result[3] for result in results], np.bool_)
        except RunError:
            raise
        except BaseException as error:
            raise registry.raised(self._id, "step", error) from error
        check_rewards(self._id, rewards)
        return Transitions(observations, rewards, terminated, truncated)

    def _step_one(self, index: int, action: Any) -> Any:
        self._begin_call(index)
        try:
            return self._environments[index].step(action)
        except BaseException as error:
            raise self._raised(index, "step", error) from error

    def state(self) -> State:
        """Each environment's as ``RecordedEnvironment.state``, under ``environments``."""
        sentence = _inexact(self._id)
        states = [recorded.state() for recorded in self._environments]
        return {"environments": states, **({} if sentence is None else {INEXACT: sentence})}

    def load(self, state: Mapping[str, Any]) -> None:
        each = state.get("environments", [])
        if len(each) != self.size:
            raise ValueError(f"This is not the state of {self.size} environments of {self._id} stepped one by one.")
        self.interrupted = np.flatnonzero([not self._load_one(index, one) for index, one in enumerate(each)])

    def _load_one(self, index: int, state: Mapping[str, Any]) -> bool:
        try:
            return self._environments[index].load(state, lambda: self._begin_call(index))
        except BaseException as error:
            raise self._raised(index, "reset", error) from error

    def render(self, index: int) -> NDArray[np.uint8]:
        """A picture of one environment, [height, width, 3]."""
        self._begin_call(index)
        try:
            return as_picture(self._environments[index].environment.render())
        except NotImplementedError as error:
            raise self._raised(index, "render", InterfaceError(RENDERS_NOTHING)) from error
        except BaseException as error:
            raise self._raised(index, "render", error) from error

    def close(self) -> None:
        for recorded in self._environments:
            registry.close(recorded.environment)
        if self._settings is not None:
            self._settings.restore()

    def _begin_call(self, index: int) -> None:
        self._progress[0] = index
        self._progress[1] += 1

    def _raised(self, index: int, during: str, error: BaseException) -> RunError:
        return registry.raised(f"{self._id} with the seed {self._seeds[index]}", during, error)

    def _stacked(self, observations: Sequence[Any]) -> NDArray[Any]:
        stacked = from_environment(observations, self.observation_space)
        check_observations(self._id, stacked)
        return stacked


def require_one(batch: EnvironmentBatch) -> None:
    """Raises ValueError unless the batch is of one environment, whose episodes alone are begun from a seed."""
    if batch.size != 1:
        raise ValueError(f"One environment can begin an episode from a seed, not {batch.size} together.")


def _inexact(id: str) -> str | None:
    """Why an environment may not go on exactly; None where it does."""
    if id.startswith(_OF_JAX):
        return f"{id} draws from a generator of JAX's, which is not kept: its episodes to come may be others."
    if registry.is_known(id):
        return None
    return (
        f"{id} comes from elsewhere: going on in an episode means to play it again up to there, which is exact unless "
        "it draws from a generator that no seed reaches, looks at the clock, asks the system for random bytes, depends "
        "on the order of a set, or remembers earlier episodes."
    )


def check_observations(id: str, observations: NDArray[Any]) -> None:
    """Raises RunError unless all are finite."""
    if not np.isfinite(observations).all():
        raise RunError(f"{id} observed a value that is not a finite number, {_UNFIT}")


def check_rewards(id: str, rewards: NDArray[np.float64]) -> None:
    """Raises RunError unless all are numbers that returns can be made of."""
    fit = np.abs(rewards) < LARGEST_REWARD
    if not fit.all():
        raise RunError(f"{id} gave the reward {rewards[~fit][0]:g}, {_UNFIT}")


def to_environment(actions: NDArray[Any], space: Any) -> list[Any]:
    """A policy's actions as the environment takes them: boxes clipped to their bounds, others from ``start``."""
    taken = as_taken(actions, space)
    return taken.tolist() if isinstance(space, spaces.Discrete) else list(taken)


def as_taken(actions: NDArray[Any], space: Any) -> NDArray[Any]:
    """The same, [n, …] in one array."""
    if isinstance(space, spaces.Discrete):
        return actions + int(space.start)
    taken: NDArray[Any]
    if isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
        taken = actions.reshape(len(actions), *space.shape) + getattr(space, "start", 0)
    else:
        taken = np.clip(actions, space.low.reshape(-1), space.high.reshape(-1)).reshape(len(actions), *space.shape)
    return taken.astype(space.dtype)


def from_environment(observations: Sequence[Any] | NDArray[Any], space: Any) -> NDArray[Any]:
    """An environment's observations as a policy takes them: boxes flat as float32, discrete ones counted from 0.

    Raises:
        ValueError: an observation does not belong to ``space``.
    """
    if isinstance(space, spaces.Discrete):
        states = np.array(observations, np.int64).reshape(len(observations)) - int(space.start)
        if states.min() < 0 or states.max() >= space.n:
            raise ValueError(f"an observation lies outside {space}")
        return states
    stacked = observations if isinstance(observations, np.ndarray) else np.stack(observations)
    if stacked.shape[1:] != space.shape:
        raise ValueError(f"an observation has the shape {stacked.shape[1:]} instead of {space.shape}")
    return stacked.astype(np.float32, copy=False).reshape(len(observations), -1)
