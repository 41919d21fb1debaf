"""Drawing from many weighted places: a tree of sums, in which both a draw and a change take O(log n)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.runtime.state import State

_FAN = 16  # children of a node: few levels, each of which is a handful of operations for a whole batch


class SumTree:
    """``size`` places with weights ≥ 0, all 0 at first.

    The lowest level holds the weights, and each number above is the sum of ``_FAN`` below it. Sums are always added up
    anew from what is below them, so rounding does not gather however often weights change.

    Source: the sum tree of Schaul et al. (2016), "Prioritized experience replay", appendix B.2.1, with wider nodes.
    """

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"a tree needs at least one place, not {size}.")
        self.size = size
        self._levels: list[NDArray[np.float64]] = []
        width = size
        while True:
            padded = -(-width // _FAN) * _FAN
            self._levels.append(np.zeros(padded))
            width = padded // _FAN
            if width == 1:
                break

    @property
    def total(self) -> float:
        """Σ w."""
        return float(self._levels[-1].sum())

    def __getitem__(self, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """The weights at ``places``."""
        weights: NDArray[np.float64] = self._levels[0][places]
        return weights

    def fill(self, start: int, stop: int, weight: float) -> None:
        """Give the places from ``start`` up to ``stop`` one weight."""
        self._levels[0][start:stop] = weight
        for below, above in zip(self._levels, self._levels[1:], strict=False):
            start, stop = start // _FAN, -(-stop // _FAN)
            above[start:stop] = below[start * _FAN : stop * _FAN].reshape(-1, _FAN).sum(1)

    def put(self, places: NDArray[np.int64], weights: NDArray[Any]) -> None:
        """Give each of ``places`` [B] its weight; of one that is there twice, the last counts.

        Raises:
            ValueError: a weight is negative or not finite.
        """
        if not (np.isfinite(weights) & (weights >= 0.0)).all():
            raise ValueError("a weight to draw by must be finite and not negative.")
        self._levels[0][places] = weights
        for below, above in zip(self._levels, self._levels[1:], strict=False):
            places = places // _FAN
            above[places] = below.reshape(-1, _FAN).take(places, 0).sum(1)

    def raise_to(self, power: float) -> None:
        """Raise every weight to a ``power`` ≥ 0; those that are 0 stay it."""
        weights = self._levels[0]
        np.power(weights, power, out=weights, where=weights > 0.0)
        for below, above in zip(self._levels, self._levels[1:], strict=False):
            above[: len(below) // _FAN] = below.reshape(-1, _FAN).sum(1)

    def find(self, shares: NDArray[np.float64]) -> NDArray[np.int64]:
        """The places at which Σ of the weights before and at them first exceeds share · total, [B].

        Args:
            shares: from 0 to 1, [B]. With uniform ones a place is found with a probability in proportion to its
                weight. One of weight 0 is never found.

        Raises:
            ValueError: all weights are 0.
        """
        total = self.total
        if not total > 0.0:
            raise ValueError("all weights are 0, so there is nothing to draw.")
        wanted = shares * total
        nodes = np.zeros(len(shares), np.int64)
        rows = np.arange(len(shares))
        for level in reversed(self._levels):
            sums = level.reshape(-1, _FAN).take(nodes, 0).cumsum(1)
            # Sums in another order are rounded otherwise: what lies beyond the last is still in it.
            wanted = np.minimum(wanted, np.nextafter(sums[:, -1], 0.0))
            within = (sums > wanted[:, None]).argmax(1)
            before = sums[rows, within - 1]
            wanted = wanted - np.where(within > 0, before, 0.0)
            nodes = nodes * _FAN + within
        return nodes

    def state(self) -> State:
        return {"levels": [level.copy() for level in self._levels]}

    def load(self, state: Mapping[str, Any]) -> None:
        levels = state["levels"]
        there, wanted = [len(level) for level in levels], [len(level) for level in self._levels]
        if there != wanted:
            raise ValueError(f"This state is of a tree of {there} sums; what it is loaded into has {wanted}.")
        for own, level in zip(self._levels, levels, strict=True):
            own[:] = level
