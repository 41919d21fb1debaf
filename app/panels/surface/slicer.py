"""Policies looked up on slices, on another thread than the window's; and the few points from which returns are
played."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.environments.making.state_spaces import States

if TYPE_CHECKING:  # with torch
    from engine.analysis.playback import PolicySnapshot
    from engine.analysis.rolled_out import Returns
    from engine.analysis.slices import Cut, Found, PolicyAtPoints

ASIDE = 12  # points a side, from which returns are played


class Slicer:
    """Belongs to one thread."""

    def __init__(self) -> None:
        self._at: PolicyAtPoints | None = None

    def slice(self, policy: PolicySnapshot, cut: Cut) -> Found:
        """What is known of the points of ``cut``."""
        return self._of(policy).at(cut.states())

    def values(self, policy: PolicySnapshot, states: States) -> NDArray[np.float32] | None:
        """V in these states [n, d], where it is known."""
        return self._of(policy).at(states).values

    def _of(self, policy: PolicySnapshot) -> PolicyAtPoints:
        from engine.analysis.slices import PolicyAtPoints

        if self._at is None or not self._at.use(policy):
            self._at = PolicyAtPoints(policy)
        return self._at


@dataclass
class Played:
    """Returns of the policy of an ``iteration`` from the points of ``cut``, or from states that were visited, where
    there is none; and the share of their variance that its V explains, once that is known."""

    cut: Cut | None
    iteration: int
    returns: Returns
    explained: float | None = None

    def near(self, x: float, y: float) -> tuple[float, float] | None:
        """Mean and standard error from the point next to (x, y); None where that lies further away than the points lie
        apart."""
        if self.cut is None:
            return None
        for value, (low, high) in zip((x, y), self.cut.ranges, strict=True):
            half = (high - low) / (self.cut.points - 1) / 2
            if not low - half <= value <= high + half:
                return None
        index = self.cut.nearest(x, y)
        return float(self.returns.mean[index]), float(self.returns.error[index])


def some_of(episodes: Sequence[States]) -> States:
    """As many as there are points of a slice, evenly spread over the states [steps, d] of episodes but for the last of
    each, in which it may be over."""
    states = np.concatenate([states[:-1] for states in episodes])
    return states[np.linspace(0, len(states) - 1, min(len(states), ASIDE**2)).astype(np.intp)]


def points_to_play_from(cut: Cut) -> Cut:
    """``ASIDE`` × ``ASIDE`` points of the same slice, in the middles of as many cells."""
    from engine.analysis.slices import Cut

    (left, right), (low, high) = cut.ranges
    across, up = (right - left) / ASIDE / 2, (high - low) / ASIDE / 2
    return Cut(cut.axes, ((left + across, right - across), (low + up, high - up)), cut.held, ASIDE)
