"""Any finite decision process for many environments at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.environments.finite import FiniteMDP
from engine.environments.interface import Slots, Transitions

_AHEAD = 256  # numbers drawn from a generator in one go; drawing them one by one would give the same


class FiniteBatch:
    """Episodes of ``mdp``, one environment per seed; equal to Gymnasium's toy-text environments step by step.

    Each environment draws one number u in [0, 1) to begin an episode and one for each step, from a generator of its
    own, and takes the first outcome whose cumulative probability exceeds u. At the horizon an episode is truncated even
    if it terminates there, as Gymnasium's ``TimeLimit`` does it. Observations are states, int64 [n].
    """

    def __init__(self, mdp: FiniteMDP, seeds: Sequence[int]) -> None:
        self.size = len(seeds)
        self._mdp = mdp
        self._cumulative = mdp.probabilities.cumsum(-1)
        self._first = mdp.initial.cumsum()
        self._generators = [np.random.default_rng(seed) for seed in seeds]
        self._drawn = np.empty((self.size, _AHEAD))
        self._used = np.full(self.size, _AHEAD)
        self._states = np.zeros(self.size, np.int64)
        self._elapsed = np.zeros(self.size, np.int64)

    def reset(self, slots: Slots) -> NDArray[Any]:
        states: NDArray[np.int64] = (self._first > self._draw(slots)[:, None]).argmax(-1)
        self._states[slots] = states
        self._elapsed[slots] = 0
        return states

    def step(self, actions: NDArray[Any], slots: Slots) -> Transitions:
        states = self._states[slots]
        outcomes = (self._cumulative[states, actions] > self._draw(slots)[:, None]).argmax(-1)
        index = (states, actions, outcomes)
        following = self._mdp.next_states[index]
        self._states[slots] = following
        elapsed = self._elapsed[slots] + 1
        self._elapsed[slots] = elapsed
        horizon = self._mdp.horizon
        truncated = np.zeros(len(slots), np.bool_) if horizon is None else elapsed >= horizon
        return Transitions(following, self._mdp.rewards[index], self._mdp.ends[index], truncated)

    def close(self) -> None:
        pass

    def _draw(self, slots: Slots) -> NDArray[np.float64]:
        for slot in slots[self._used[slots] == _AHEAD].tolist():
            self._drawn[slot] = self._generators[slot].random(_AHEAD)
            self._used[slot] = 0
        drawn: NDArray[np.float64] = self._drawn[slots, self._used[slots]]
        self._used[slots] += 1
        return drawn
