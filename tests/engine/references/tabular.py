"""Tabular control as Sutton & Barto (2018) write it in chapters 6 and 7, one step after the other: what ours is held
against.

``wrong`` names a mistake that is easily made: what learns with it must be told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MISTAKES = ("bootstraps over terminations", "takes truncations for ends", "another policy's values", "one step too few")
MISTAKES_OF_TWO = ("judges what it has chosen itself", "the other chooses, it judges", "both learn from every step")


class Taken(NamedTuple):
    """A step, and how the episode stands after it."""

    state: int
    action: int
    reward: float
    terminated: bool
    truncated: bool
    next_state: int


class Rule(NamedTuple):
    """What is learned: ``kind`` is q-learning, sarsa or expected-sarsa, over n steps, with the step size
    ``rate`` · n(s, a)^(−``power``)."""

    kind: str
    n: int
    gamma: float
    rate: float
    power: float
    epsilon: float


def learned(rule: Rule, steps: Sequence[Taken], values: NDArray[np.float64], wrong: str = "") -> NDArray[np.float64]:
    """Q [S, A] after ``steps``, of episodes one behind the other, from ``values``; the last steps of an episode that is
    under way are left where their targets are not known."""
    table, visits = values.copy(), np.zeros_like(values)
    n = rule.n - 1 if wrong == "one step too few" else rule.n
    for first, step in enumerate(steps):
        target, discount = 0.0, 1.0
        for last in range(first, first + n):
            if last == len(steps):
                return table
            target, discount = target + discount * steps[last].reward, discount * rule.gamma
            if steps[last].terminated or steps[last].truncated:
                break
        end = steps[last]
        no_end = end.terminated and wrong == "bootstraps over terminations"
        an_end = end.terminated or (end.truncated and wrong == "takes truncations for ends")
        following = 0.0
        if rule.kind == "sarsa" and not (end.terminated or end.truncated):
            if last + 1 == len(steps):
                return table
            following = float(table[end.next_state, steps[last + 1].action])
        elif no_end or not an_end:
            following = _worth(rule.kind, table[end.next_state], rule.epsilon)
        if wrong == "another policy's values" and not (end.terminated or end.truncated):
            following = _worth("sarsa" if rule.kind == "q-learning" else "q-learning", table[end.next_state], 0.5)
        where = step.state, step.action
        visits[where] += 1
        share = rule.rate * visits[where] ** -rule.power
        table[where] += share * (target + discount * following - table[where])
    return table


def learned_by_two(
    rule: Rule, steps: Sequence[Taken], values: NDArray[np.float64], coins: Sequence[int], wrong: str = ""
) -> NDArray[np.float64]:
    """Two tables [2, S, A] that learn by double Q-learning, as ``learned``: of each step the one of its ``coins`` does,
    which chooses the next action, and the other says what that is worth.

    Source: van Hasselt (2010), "Double Q-learning", algorithm 1.
    """
    tables, visits = values.copy(), np.zeros_like(values)
    for first, step in enumerate(steps[: len(coins)]):
        target, discount = 0.0, 1.0
        for end in steps[first : first + rule.n]:
            target, discount = target + discount * end.reward, discount * rule.gamma
            if end.terminated or end.truncated:
                break
        learning = [0, 1] if wrong == "both learn from every step" else [coins[first]]
        for which in learning:
            chooser, judge = tables[which][end.next_state], tables[1 - which][end.next_state]
            if wrong == "the other chooses, it judges":
                chooser, judge = judge, chooser
            if wrong == "judges what it has chosen itself":
                judge = chooser
            following = 0.0 if end.terminated else float(judge[chooser.argmax()])
            where = which, step.state, step.action
            visits[where] += 1
            tables[where] += rule.rate * visits[where] ** -rule.power * (target + discount * following - tables[where])
    return tables


def _worth(kind: str, row: NDArray[np.float64], epsilon: float) -> float:
    """What a state is worth: its best action's value, or on average over an ε-greedy policy."""
    if kind == "q-learning":
        return float(row.max())
    greedy = np.flatnonzero(row == row.max())
    return float(epsilon * row.mean() + (1.0 - epsilon) * row[greedy].mean())
