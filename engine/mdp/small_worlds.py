"""Our own small environments: their processes, made with a person's options; importable without Gymnasium."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from engine.config.problems import OPTIONS, ParameterError, Problem
from engine.mdp.finite import (
    BANDIT_MEANS,
    CORRIDOR_LENGTH,
    GRID,
    FiniteMDP,
    GridRewards,
    bandit,
    corridor,
    from_outcomes,
    gridworld,
)
from engine.mdp.probes import WORLDS


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
    block: int = 1,
) -> FiniteMDP:
    made = gridworld(tuple(map), GridRewards(step_reward, goal_reward, pit_reward), slip)
    return made if block == 1 else replace(made, seen=in_blocks(tuple(map), block))


def in_blocks(rows: Sequence[str], side: int) -> tuple[int, ...]:
    """What is seen of each cell where squares of ``side`` × ``side`` cells look alike, numbered as cells are.

    Raises:
        ValueError: ``side`` is less than 1.
    """
    if side < 1:
        raise ValueError(f"Squares of cells that look alike need at least 1 cell a side, not {side}.")
    across = -(-len(rows[0]) // side)
    return tuple(row // side * across + column // side for row in range(len(rows)) for column in range(len(rows[0])))


class Fall(NamedTuple):
    """A process in which greedy improvement falls: ``groups`` says which states share their values and actions, as a
    state's number [S], and ``policy`` [S, A] is one to begin with."""

    mdp: FiniteMDP
    groups: tuple[int, ...]
    policy: tuple[tuple[float, ...], ...]


def ledge() -> Fall:
    """Two squares that look the same, with the actions stop and go on; the episode begins on the first.

    Stopping ends it and pays nothing. Going on pays 1 on the first square; on the second it falls off the ledge, which
    ends it and pays −3. Whoever goes on with probability p on both has the return J(p) = p − 3 p², γ = 1, at best 1/12
    at p = 1/6. At p = 1/10 the values that the squares share, fitted over the states that are visited, are those of the
    first square above all: Q̄(go on) = (1 − 6 p) / (1 + p) > 0. So the greedy policy always goes on and J falls to −2,
    and from there to 0 and back again for ever, while the gradient 1 − 6 p climbs to the best. With both squares
    weighed alike, whatever is visited, Q̄(go on) = −1 − 3 p / 2 < 0: the greedy policy stops, and rests there.
    """
    stop = [(1.0, 0, 0.0, True)]
    outcomes = [[stop, [(1.0, 1, 1.0, False)]], [stop, [(1.0, 1, -3.0, True)]]]
    return Fall(from_outcomes("ledge", outcomes, [1.0, 0.0], None), (0, 0), ((0.9, 0.1), (0.9, 0.1)))


def _ledge() -> FiniteMDP:
    fall = ledge()
    return replace(fall.mdp, seen=fall.groups)


OURS: dict[str, Callable[..., FiniteMDP]] = {
    "Bandit-v0": _bandit,
    "Corridor-v0": _corridor,
    "GridWorld-v0": _gridworld,
    "Ledge-v0": _ledge,
}


def our_process(id: str, options: Mapping[str, Any]) -> FiniteMDP:
    """The process of one of ``OURS``, or of a probe.

    Raises:
        ParameterError: there is no such option, or its value does not fit.
    """
    try:
        return (WORLDS[id] if id in WORLDS else OURS[id])(**options)
    except (TypeError, ValueError) as error:
        raise ParameterError(Problem(OPTIONS, "other", limit=str(error).rstrip("."), option_of=id)) from None
