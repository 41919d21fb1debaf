"""Any finite decision process with known tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.environments.dynamics.interface import Array, Backend
from engine.mdp.finite import FiniteMDP


class FiniteDynamics:
    """Episodes of ``mdp``; states are int64 [n], and so are observations: what is seen of them.

    The first state, and the outcome of each step, is the first whose cumulative probability exceeds the random number,
    as in Gymnasium's toy-text environments.
    """

    to_begin, to_step = 1, 1

    def __init__(self, backend: Backend, mdp: FiniteMDP) -> None:
        def whole(table: NDArray[Any]) -> Array:
            return backend.xp.asarray(table.reshape(-1).tolist(), device=backend.device)

        self.backend = backend
        self._actions, self._outcomes = mdp.actions, mdp.probabilities.shape[2]
        self._first = backend.array(_thresholds(mdp.initial).tolist())
        thresholds = _thresholds(mdp.probabilities).reshape(-1, self._outcomes).T
        self._thresholds = [backend.array(column.tolist()) for column in thresholds if np.isfinite(column).any()]
        self._next_states, self._ends = whole(mdp.next_states), whole(mdp.ends)
        self._seen = None if mdp.seen is None else backend.xp.asarray(list(mdp.seen), device=backend.device)
        self._rewards = backend.array(mdp.rewards.reshape(-1).tolist())

    def begin(self, uniforms: Array) -> Array:
        return self.backend.xp.searchsorted(self._first, uniforms[0], side="right")

    def step(self, states: Array, actions: Array, uniforms: Array) -> tuple[Array, Array, Array]:
        pair = states * self._actions + actions
        index = pair * self._outcomes
        numbers, take = uniforms[0], self.backend.take
        for threshold in self._thresholds:
            index += take(threshold, pair) <= numbers
        return take(self._next_states, index), take(self._rewards, index), take(self._ends, index)

    def observe(self, states: Array) -> Array:
        if self._seen is not None:
            return self.backend.take(self._seen, states)
        return self.backend.xp.asarray(states, copy=True)


def _thresholds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cumulative probabilities along the last axis: the outcome is how many of them do not exceed the random number.

    They are infinite from the last possible outcome on, so that none follows it where rounding has left a sum below 1.
    """
    possible = probabilities > 0.0
    later = possible[..., ::-1].cumsum(-1)[..., ::-1] - possible
    return np.where(later > 0, probabilities.cumsum(-1), np.inf)
