"""What episodes really brought, as discounted return, beside what they were expected to bring when they began."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.experience.transitions import Transitions
from engine.runtime.state import State

_MOST = 100  # ended episodes of an iteration that are told of, the latest


class DiscountedReturns:
    """Σ_t γ^t r_t of the episodes under way in N environments, and the first observation of each. Where γ changes, they
    count as if they began then."""

    def __init__(self, environments: int) -> None:
        self._gamma: float | None = None  # of the sums so far
        self._sums, self._factors = np.zeros(environments), np.ones(environments)
        self._first: NDArray[Any] | None = None
        self._new = np.ones(environments, np.bool_)  # where the next step is an episode's first
        self._ended: deque[tuple[NDArray[Any], NDArray[np.float64]]] = deque(maxlen=_MOST)

    def begin(self) -> None:
        """An iteration begins, of which alone ``ended`` tells."""
        self._ended.clear()

    def broke_off(self, environments: NDArray[np.int64]) -> None:
        """The episodes in these environments will not go on."""
        self._restart(environments)

    def add(self, transitions: Transitions, rewards: NDArray[np.float64], gamma: float) -> None:
        """The latest steps, with the ``rewards`` [T, N] that learning sees."""
        if self._gamma is not None and gamma != self._gamma:
            self._restart(np.arange(len(self._sums)))
        self._gamma = gamma
        ends = transitions.terminated | transitions.truncated
        for t, ended in enumerate(ends):
            if np.count_nonzero(self._new):  # which takes a tenth of the time of any()
                if self._first is None:
                    self._first = transitions.observations[t].copy()
                self._first[self._new] = transitions.observations[t][self._new]
                self._new[:] = False
            self._sums += self._factors * rewards[t]
            self._factors *= gamma
            if np.count_nonzero(ended):
                assert self._first is not None
                self._ended.append((self._first[ended], self._sums[ended]))
                self._restart(np.flatnonzero(ended))

    def _restart(self, environments: NDArray[np.int64]) -> None:
        self._sums[environments], self._factors[environments], self._new[environments] = 0.0, 1.0, True

    @property
    def ended(self) -> tuple[NDArray[Any], NDArray[np.float64]] | None:
        """Of the latest episodes of the iteration the first observations [E, …] and the discounted returns [E]; None
        where none has ended."""
        if not self._ended:
            return None
        first, returns = (np.concatenate(parts)[-_MOST:] for parts in zip(*self._ended, strict=True))
        return first, returns

    def state(self) -> State:
        first = None if self._first is None else self._first.copy()
        sums = {"sums": self._sums.copy(), "factors": self._factors.copy()}
        return {**sums, "new": self._new.copy(), "first": first, "gamma": self._gamma}

    def load(self, state: Mapping[str, Any]) -> None:
        if state["sums"].shape != self._sums.shape:
            raise ValueError(f"This state is of {len(state['sums'])} environments, not of {len(self._sums)}.")
        self._sums, self._factors, self._new = (state[name].copy() for name in ("sums", "factors", "new"))
        self._first = None if state["first"] is None else state["first"].copy()
        self._gamma = state.get("gamma")  # early states do not say
