"""The latest steps of several environments in states that are numbered, whose targets are not known yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.runtime.state import State

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """Steps whose rewards have all been counted: ``states`` and ``actions`` int64 [m], and the discounted sums of the
    ``rewards`` since [m], of h steps each, h = ``length``."""

    states: Indices
    actions: Indices
    rewards: Floats
    length: int


class Window:
    """The last n steps of each of N environments, as far as they are of the episode that goes on.

    Of each it has the state, the action and Σ_{l<h} γ^l r_{t+l}, the rewards of the h steps since it began, itself
    counted; [n, N]. ``ages`` count the steps that came after it: 0 is the latest, n − 1 the oldest.
    """

    def __init__(self, n: int, environments: int) -> None:
        self._n, self._latest = n, 0
        self._states = np.zeros((n, environments), np.int64)
        self._actions = np.zeros((n, environments), np.int64)
        self._sums = np.zeros((n, environments))
        self.lengths = np.zeros(environments, np.int64)

    def add(self, states: Indices, actions: Indices, rewards: Floats, gamma: float) -> None:
        """The next step of every environment, [N] each; where there are n, the oldest is left."""
        self._latest = (self._latest + 1) % self._n
        if self._n == 1:
            self._sums[0] = rewards
        else:
            ages = (self._latest - np.arange(self._n)) % self._n
            self._sums[self._latest] = 0.0
            self._sums += gamma ** ages[:, None] * rewards
        self._states[self._latest], self._actions[self._latest] = states, actions
        np.minimum(self.lengths + 1, self._n, out=self.lengths)

    def at(self, age: int, environments: Indices) -> Step:
        """The steps of an age, of some environments."""
        row = (self._latest - age) % self._n
        return Step(
            self._states[row, environments],
            self._actions[row, environments],
            self._sums[row, environments],
            age + 1,
        )

    def leave_oldest(self, environments: Indices) -> None:
        """Forget the oldest step of some environments."""
        self.lengths[environments] -= 1

    def leave(self, environments: Indices) -> None:
        """Forget the steps of some environments."""
        self.lengths[environments] = 0

    def state(self) -> State:
        return {
            "latest": self._latest,
            "states": self._states.copy(),
            "actions": self._actions.copy(),
            "sums": self._sums.copy(),
            "lengths": self.lengths.copy(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Raises ValueError where it is that of another number of steps or environments."""
        if state["states"].shape != self._states.shape:
            raise ValueError(f"This window is {list(state['states'].shape)}, not {list(self._states.shape)}.")
        self._latest = state["latest"]
        self._states[...], self._actions[...] = state["states"], state["actions"]
        self._sums[...], self.lengths[...] = state["sums"], state["lengths"]


class Tables:
    """The tables that learn and how often each entry has been learned from, [S, A] each; one of both, or two of both.
    ``gamma`` is the discount of the returns that have been averaged in them, None before there are any.

    A single table is the one that is acted by, and kept with the policy. What goes on from the other number of tables
    has what these had learned: two begin as the one, and one counts what both had been learned from.
    """

    def __init__(self, acting: NDArray[np.float32], count: int) -> None:
        self._acting = acting
        self.gamma: float | None = None
        self.values = [acting.copy() for _ in range(count)] if count > 1 else [acting]
        self.visits = [np.zeros(acting.shape, np.int64) for _ in range(count)]

    def average(self, gamma: float) -> bool:
        """Average returns of this discount from now on, without what has been averaged of others; whether there was
        any."""
        others = self.gamma not in (None, gamma)
        self.gamma = gamma
        if others:
            for counts in self.visits:
                counts[...] = 0
        return others

    def state(self) -> State:
        values = [table.copy() for table in self.values] if len(self.values) > 1 else []
        return {"values": values, "visits": [counts.copy() for counts in self.visits], "gamma": self.gamma}

    def load(self, state: Mapping[str, Any]) -> None:
        """Raises ValueError where it is that of other states or actions."""
        values, visits = state["values"], state["visits"]
        if visits[0].shape != self._acting.shape:
            raise ValueError(f"These tables are {list(visits[0].shape)}, not {list(self._acting.shape)}.")
        self.gamma = state.get("gamma")  # early states do not say
        if len(visits) > len(self.visits):
            visits = [sum(visits)]
        for index, counts in enumerate(self.visits):
            counts[...] = visits[min(index, len(visits) - 1)]
        for index, table in enumerate(self.values if len(self.values) > 1 else ()):
            table[...] = values[index] if values else self._acting
