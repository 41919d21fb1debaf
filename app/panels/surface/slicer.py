"""Policies looked up on slices, on another thread than the window's; and the few points from which returns are
played."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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
        from engine.analysis.slices import PolicyAtPoints

        if self._at is None or not self._at.use(policy):
            self._at = PolicyAtPoints(policy)
        return self._at.at(cut.states())

    def values(self, policy: PolicySnapshot, cut: Cut) -> NDArray[np.float32] | None:
        """V at these points, where it is known."""
        return self.slice(policy, cut).values


@dataclass
class Played:
    """Returns of the policy of an ``iteration`` from the points of ``cut``, and the share of their variance that its V
    explains, once that is known."""

    cut: Cut
    iteration: int
    returns: Returns
    explained: float | None = None

    def near(self, x: float, y: float) -> tuple[float, float] | None:
        """Mean and standard error from the point next to (x, y); None where that lies further away than the points lie
        apart."""
        for value, (low, high) in zip((x, y), self.cut.ranges, strict=True):
            half = (high - low) / (self.cut.points - 1) / 2
            if not low - half <= value <= high + half:
                return None
        index = self.cut.nearest(x, y)
        return float(self.returns.mean[index]), float(self.returns.error[index])


def points_to_play_from(cut: Cut) -> Cut:
    """``ASIDE`` × ``ASIDE`` points of the same slice, in the middles of as many cells."""
    from engine.analysis.slices import Cut

    (left, right), (low, high) = cut.ranges
    across, up = (right - left) / ASIDE / 2, (high - low) / ASIDE / 2
    return Cut(cut.axes, ((left + across, right - across), (low + up, high - up)), cut.held, ASIDE)
