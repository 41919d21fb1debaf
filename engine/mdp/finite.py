"""Finite Markov decision processes with known dynamics, as tables of outcomes; importable without torch or Gymnasium.

Doing action a in state s has one of K outcomes k, drawn with ``probabilities[s, a, k]``: it pays ``rewards[s, a, k]``,
leads to ``next_states[s, a, k]``, and the episode terminates where ``ends[s, a, k]``. From these tables follow the
sampled episodes (``dynamics.finite``), the watched ones (``finite_env``) and the exact answers (``engine.mdp.exact``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config.planning import MOST_TRIPLES

Outcome = tuple[float, int, float, bool]
"""Probability, next state, reward, and whether the episode terminates: one entry of Gymnasium's ``P[s][a]``."""

CORRIDOR_ACTIONS = ("left", "right")
GRID_ACTIONS = ("left", "down", "right", "up")  # in the order of FrozenLake's
_STEPS = ((0, -1), (1, 0), (0, 1), (-1, 0))  # row and column, in the order of GRID_ACTIONS

BANDIT_MEANS = (0.2, 0.5, 0.35, 0.8, 0.65)
CORRIDOR_LENGTH = 7
GRID = (
    "S..#.",
    ".#...",
    ".H.#.",
    "...#.",
    ".#..G",
)


@dataclass(frozen=True, eq=False)
class FiniteMDP:
    """A decision process with S states, A actions and at most K outcomes of each pair; unused ones have probability 0.

    Attributes:
        name: what to call it in messages.
        probabilities: float64 [S, A, K], each ``[s, a]`` summing to 1.
        next_states: int64 [S, A, K].
        rewards: float64 [S, A, K], raw.
        ends: bool [S, A, K], whether the outcome terminates the episode.
        initial: float64 [S], the distribution of an episode's first state.
        horizon: after how many steps an episode is cut off; None if never.
        seen: what is seen of each state, as a number [S], where that does not tell all of them apart; else None.

    The arrays are kept as read-only copies.

    Raises:
        ValueError: on construction, where shapes differ, a number is not finite, a next state does not exist,
            probabilities are negative or do not sum to 1, or the horizon is less than 1.
    """

    name: str
    probabilities: NDArray[np.float64]
    next_states: NDArray[np.int64]
    rewards: NDArray[np.float64]
    ends: NDArray[np.bool_]
    initial: NDArray[np.float64]
    horizon: int | None
    seen: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        kinds = {"next_states": np.int64, "ends": np.bool_}
        for field in ("probabilities", "next_states", "rewards", "ends", "initial"):
            object.__setattr__(self, field, _frozen(getattr(self, field), kinds.get(field, np.float64)))
        self._check()

    def _check(self) -> None:
        shape = self.probabilities.shape
        if len(shape) != 3 or 0 in shape:
            raise ValueError(f"{self.name}: probabilities must have the shape [S, A, K], not {list(shape)}.")
        for field in ("next_states", "rewards", "ends"):
            if getattr(self, field).shape != shape:
                raise ValueError(
                    f"{self.name}: {field} has the shape {list(getattr(self, field).shape)} "
                    f"where probabilities has {list(shape)}."
                )
        if self.initial.shape != shape[:1]:
            raise ValueError(f"{self.name}: initial must have the shape {[shape[0]]}, not {list(self.initial.shape)}.")
        if self.next_states.min() < 0 or self.next_states.max() >= shape[0]:
            raise ValueError(f"{self.name}: next states must lie between 0 and {shape[0] - 1}.")
        if not np.isfinite(self.rewards).all():
            raise ValueError(f"{self.name}: every reward must be a finite number.")
        if not _distributions(self.initial):
            raise ValueError(f"{self.name}: initial must be probabilities that sum to 1.")
        if not _distributions(self.probabilities):
            raise ValueError(f"{self.name}: each state and action needs outcomes whose probabilities sum to 1.")
        if self.horizon is not None and self.horizon < 1:
            raise ValueError(f"{self.name}: the horizon must be at least 1 step, not {self.horizon}.")

    @property
    def states(self) -> int:
        """S, the number of states."""
        return len(self.probabilities)

    @property
    def observations(self) -> int:
        """How many can be told apart by what is seen of them."""
        return self.states if self.seen is None else max(self.seen) + 1

    @property
    def actions(self) -> int:
        """A, the number of actions."""
        return len(self.probabilities[0])

    @property
    def is_large(self) -> bool:
        """Whether it is too large for what is known of all pairs of states at once to be kept beside a run."""
        return self.states * self.actions * self.states > MOST_TRIPLES

    @cached_property
    def continuing(self) -> NDArray[np.float64]:
        """P(s'|s, a) [S, A, S]: the probability that the episode goes on, in s'; sums to 1 less that of its ending."""
        table = np.zeros((self.states, self.actions, self.states))
        state, action, _ = np.indices(self.probabilities.shape)
        np.add.at(table, (state, action, self.next_states), np.where(self.ends, 0.0, self.probabilities))
        return _frozen(table, np.float64)

    @cached_property
    def expected_rewards(self) -> NDArray[np.float64]:
        """r(s, a) [S, A]: the mean reward of doing a in s."""
        return _frozen((self.probabilities * self.rewards).sum(-1), np.float64)


def from_outcomes(
    name: str, outcomes: Sequence[Sequence[Sequence[Outcome]]], initial: Any, horizon: int | None
) -> FiniteMDP:
    """The process whose ``outcomes[s][a]`` lists (probability, next state, reward, whether it terminates).

    Args:
        name, initial, horizon: as in ``FiniteMDP``.
        outcomes: S lists of A lists of 1 to K outcomes; their order is kept.

    Raises:
        ValueError: states differ in their number of actions, or ``FiniteMDP`` refuses the tables.
    """
    widths = {len(actions) for actions in outcomes}
    if len(widths) != 1:
        raise ValueError(f"{name}: every state must have the same number of actions.")
    shape = (len(outcomes), widths.pop(), max((len(listed) for actions in outcomes for listed in actions), default=0))
    probabilities, rewards = np.zeros(shape), np.zeros(shape)
    next_states, ends = np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
    for s, actions in enumerate(outcomes):
        for a, listed in enumerate(actions):
            for k, outcome in enumerate(listed):
                probabilities[s, a, k], next_states[s, a, k], rewards[s, a, k], ends[s, a, k] = outcome
    return FiniteMDP(name, probabilities, next_states, rewards, ends, initial, horizon)


def bandit(means: Sequence[float], name: str = "bandit") -> FiniteMDP:
    """Arms that pay 1 with probability ``means[a]`` and else 0; one state, and an episode is one pull.

    The pull terminates the episode, and the horizon is 1 as well.

    Raises:
        ValueError: there is no arm, or a mean lies outside [0, 1].
    """
    if not means or not all(0.0 <= mean <= 1.0 for mean in means):
        raise ValueError(f"Each arm needs a mean between 0 and 1, not {list(means)}.")
    arms = [[(mean, 0, 1.0, True), (1.0 - mean, 0, 0.0, True)] for mean in means]
    return from_outcomes(name, [arms], [1.0], 1)


def corridor(
    length: int = CORRIDOR_LENGTH,
    slip: float = 0.0,
    horizon: int | None = 50,
    step_reward: float = -1.0,
    goal_reward: float = 10.0,
) -> FiniteMDP:
    """``length`` states in a row, from the left end to a goal at the right end; actions are ``CORRIDOR_ACTIONS``.

    Every step pays ``step_reward``, but the one that reaches the goal pays ``goal_reward`` and terminates: the best
    return without slips is 10 − (length − 2), as they come. At the left end, going left stays. With probability
    ``slip`` a step goes the other way. The goal is the last state.

    Raises:
        ValueError: fewer than 2 states, or ``slip`` outside [0, 1].
    """
    if length < 2:
        raise ValueError(f"A corridor needs at least 2 states, not {length}.")
    _check_slip(slip)
    goal = length - 1

    def to(target: int) -> tuple[int, float, bool]:
        return (goal, goal_reward, True) if target == goal else (max(target, 0), step_reward, False)

    outcomes: list[list[list[Outcome]]] = [
        [[(1.0 - slip, *to(state + way)), (slip, *to(state - way))] for way in (-1, 1)] for state in range(goal)
    ]
    outcomes.append([[(1.0, goal, 0.0, True)]] * 2)
    return from_outcomes("corridor", outcomes, np.eye(length)[0], horizon)


@dataclass(frozen=True)
class GridRewards:
    """What a step pays by the cell it leads to; ``step`` for any that is neither goal nor pit."""

    step: float = -0.1
    goal: float = 10.0
    pit: float = -10.0


def gridworld(
    rows: Sequence[str], rewards: GridRewards | None = None, slip: float = 0.1, horizon: int | None = 100
) -> FiniteMDP:
    """A map of cells: S start, G goal, H pit, # wall, . free; the state is row · columns + column.

    Actions are ``GRID_ACTIONS``. With probability ``slip`` a step goes to one of the two sides instead, each half as
    likely; a step into a wall or over the edge stays. Goals and pits terminate. Several starts are equally likely.
    A wall, goal or pit, where nobody can act, ends at once and pays nothing.

    Raises:
        ValueError: the rows differ in length, hold another letter, or lack a start or a goal; or ``slip`` lies outside
            [0, 1].
    """
    cells = "".join(rows)
    height, width = len(rows), len(rows[0]) if rows else 0
    if not cells or any(len(row) != width for row in rows):
        raise ValueError("The rows of a grid must be equally long and not empty.")
    if set(cells) - set("SGH#."):
        raise ValueError(f"A grid is made of S, G, H, # and ., not of {''.join(sorted(set(cells) - set('SGH#.')))}.")
    if "S" not in cells or "G" not in cells:
        raise ValueError("A grid needs a start S and a goal G.")
    _check_slip(slip)
    paid = rewards or GridRewards()
    pays = {"G": paid.goal, "H": paid.pit}

    def to(state: int, action: int) -> tuple[int, float, bool]:
        row, column = state // width + _STEPS[action][0], state % width + _STEPS[action][1]
        inside = 0 <= row < height and 0 <= column < width
        target = row * width + column if inside and rows[row][column] != "#" else state
        return target, pays.get(cells[target], paid.step), cells[target] in "GH"

    def moves(state: int, action: int) -> list[Outcome]:
        if cells[state] in "GH#":
            return [(1.0, state, 0.0, True)]
        sides = [(slip / 2.0, *to(state, side % 4)) for side in (action - 1, action + 1)]
        return [(1.0 - slip, *to(state, action)), *sides]

    outcomes = [[moves(state, action) for action in range(4)] for state in range(len(cells))]
    starts = np.array([cell == "S" for cell in cells], np.float64)
    return from_outcomes("grid world", outcomes, starts / starts.sum(), horizon)


def _frozen(values: Any, kind: Any) -> NDArray[Any]:
    array = np.array(values, kind)
    array.setflags(write=False)
    return array


def _distributions(table: NDArray[np.float64]) -> bool:
    """Whether the last axis holds probabilities that sum to 1."""
    return bool((table >= 0.0).all() and (np.abs(table.sum(-1) - 1.0) < 1e-9).all())


def _check_slip(slip: float) -> None:
    if not 0.0 <= slip <= 1.0:
        raise ValueError(f"The probability of a slip must lie between 0 and 1, not be {slip}.")
