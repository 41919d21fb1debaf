"""How an episode is to begin that a person asks for: in a state, or where a seed and actions lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.analysis.state_observations import state_in
from engine.catalogue.spaces import EnvironmentInfo
from engine.config.environments import EnvironmentConfig
from engine.environments.making.known_dynamics import finite_mdp
from engine.environments.making.set_state import State, why_not_set
from engine.environments.making.state_spaces import STATE_SPACES
from engine.runtime.errors import RequestError


@dataclass(frozen=True, eq=False)
class InState:
    """In a ``state`` as ``engine.environments.making.set_state`` has it: its number, int64 [], or its numbers,
    float64 [d].

    Where several observations are seen side by side, ``earlier`` [k − 1, components] are those before it, the oldest
    first; without, they are zeros, as at any episode's beginning.
    """

    state: State
    earlier: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class AfterActions:
    """Where ``actions`` [t, …], as the environment takes them, lead from ``seed``, as ``SeedableBatch.begin`` has
    it."""

    seed: int
    actions: NDArray[Any]


Beginning = InState | AfterActions


def begins_at(observation: NDArray[Any], environment: EnvironmentConfig, info: EnvironmentInfo) -> InState:
    """The beginning in the state of ``environment`` in which that is observed, behind all changes, [...]. Of cards that
    may be a natural, or any other 21 with an ace, it is another one.

    Args:
        info: the environment as learning sees it.

    Raises:
        RequestError: it cannot be set to a state, or what is observed does not tell the state, as ``why_not`` says.
    """
    problem = why_not(environment)
    if problem:
        raise RequestError(problem)
    if np.ndim(observation) == 0:
        return InState(np.asarray(observation, np.int64))
    frames = np.asarray(observation, np.float32).reshape(environment.frame_stack, -1)
    newest, earlier = frames[-1], frames[:-1] if len(frames) > 1 else None
    number = state_in(newest, environment, info)
    if number is not None:
        return InState(np.array(number), earlier)
    space = STATE_SPACES.get(environment.id)
    if space is None:
        return InState(newest.astype(np.float64), earlier)
    assert space.state is not None
    return InState(space.state(newest[None])[0], earlier)


def why_not(environment: EnvironmentConfig) -> str:
    """Why no episode can begin in a state that an observation tells, in a sentence; empty where one can."""
    id = environment.id
    problem = why_not_set(environment)
    if problem:
        return problem
    if environment.observation_noise > 0.0 and not _numbered(environment):
        return "What is observed has noise in it, so that it does not tell the state."
    if environment.hidden and not _numbered(environment):
        return "Components are hidden, so that what is observed does not tell the state."
    if id in STATE_SPACES and STATE_SPACES[id].state is None:
        return f"{id} does not show its velocities, so that what is observed does not tell the state."
    mdp = finite_mdp(id, environment.options)
    if mdp is not None and mdp.seen is not None:
        return "Several states look alike, so that what is observed does not tell the state."
    return ""


def _numbered(environment: EnvironmentConfig) -> bool:
    """Whether its states are observed as numbers, of which nothing can be hidden and to which no noise is added."""
    return finite_mdp(environment.id, environment.options) is not None
