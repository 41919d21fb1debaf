"""Our own small environments: their processes, made with a person's options; importable without Gymnasium."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.config.problems import OPTIONS, ParameterError, Problem
from engine.mdp.finite import (
    BANDIT_MEANS,
    CORRIDOR_LENGTH,
    GRID,
    FiniteMDP,
    GridRewards,
    bandit,
    corridor,
    gridworld,
)


def _bandit(means: Sequence[float] = BANDIT_MEANS) -> FiniteMDP:
    return bandit(tuple(map(float, means)))


def _corridor(
    length: int = CORRIDOR_LENGTH, slip: float = 0.0, step_reward: float = -1.0, goal_reward: float = 10.0
) -> FiniteMDP:
    return corridor(length, slip, step_reward=step_reward, goal_reward=goal_reward)


def _gridworld(
    map: Sequence[str] = GRID,
    slip: float = 0.1,
    step_reward: float = -0.1,
    goal_reward: float = 10.0,
    pit_reward: float = -10.0,
) -> FiniteMDP:
    return gridworld(tuple(map), GridRewards(step_reward, goal_reward, pit_reward), slip)


OURS: dict[str, Callable[..., FiniteMDP]] = {"Bandit-v0": _bandit, "Corridor-v0": _corridor, "GridWorld-v0": _gridworld}


def our_process(id: str, options: Mapping[str, Any]) -> FiniteMDP:
    """The process of one of ``OURS``.

    Raises:
        ParameterError: there is no such option, or its value does not fit.
    """
    try:
        return OURS[id](**options)
    except (TypeError, ValueError) as error:
        raise ParameterError(Problem(OPTIONS, "other", limit=str(error).rstrip("."), option_of=id)) from None
