"""States that were visited, as dots over a map, fainter the further they are from the slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from engine.analysis.coordinates import Coordinates
from engine.environments.making.state_spaces import Component

NEAR = 0.15  # of the range of a component: so far from the slice, a state is seen a third as well
FAINT = 0.45  # how well states of earlier episodes are seen beside those of the one that plays
_LEAST = 0.06  # how well a state is seen at least, so that it is known where states are at all
_DARK, _LIGHT = 4, 2  # pixels of a dot with its edge, and without
_EDGE = 0.55  # how dark the edge is beside its dot

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Trail:
    """n states on a plane: where they are, [n] each, and how well they are to be seen, 0 to 1; the last ``playing`` of
    them are the episode that plays, in order."""

    x: Numbers
    y: Numbers
    seen: Numbers
    playing: int = 0

    @classmethod
    def of(cls, episodes: Sequence[Numbers], axes: tuple[int, int], held: Numbers, widths: Numbers) -> Trail | None:
        """Of the points [steps, d] of each episode, the last of which plays; None where they do not tell where on the
        plane they are."""
        points, playing = np.concatenate(episodes), len(episodes[-1])
        x, y = points[:, axes[0]], points[:, axes[1]]
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            return None
        seen = seen_from(points, axes, held, widths)
        seen[: len(seen) - playing] *= FAINT
        return cls(x, y, seen, playing)


class Visited:
    """The points of what was observed in episodes, computed once for those that are over."""

    def __init__(self, coordinates: Coordinates) -> None:
        self._coordinates = coordinates
        self._over: list[tuple[NDArray[np.float32], Numbers]] = []  # what was observed, and the points

    def points(self, episodes: Sequence[NDArray[np.float32]], *, keep: bool = True) -> list[Numbers]:
        """The points [steps, d] of each episode, of which the last one plays; those of another kind are left out. Those
        of the others are kept, unless they do not come again."""
        size = self._coordinates.size
        fitting = [seen for seen in episodes if seen.shape[1:] == (size,)]
        known = {id(seen): (seen, points) for seen, points in self._over}
        over = [known.get(id(seen)) or (seen, self._coordinates.points(seen)) for seen in fitting[:-1]]
        self._over = over if keep else self._over
        return [*(points for _, points in over), *map(self._coordinates.points, fitting[-1:])]


def fitted(components: Sequence[Component], points: Numbers) -> list[Component]:
    """The same with ranges that hold the points [n, d] that are known, and an eighth of these ranges more on either
    side."""
    found = []
    for component, values in zip(components, points.T, strict=True):
        low, high = float(values.min()), float(values.max())
        aside = (high - low) / 8
        found.append(component._replace(low=low - aside, high=high + aside) if high > low else component)
    return found


def seen_from(points: Numbers, axes: tuple[int, int], held: Numbers, widths: Numbers) -> Numbers:
    """How well points [n, d] are seen from the slice through ``held`` [d] along ``axes``, 0 to 1:
    exp(−(d/``NEAR``)²), where d is the distance in all other coordinates in units of their ``widths`` [d]; what is not
    known of a point does not count."""
    others = [index for index in range(points.shape[1]) if index not in axes]
    if not others:
        return np.ones(len(points))
    apart = np.nan_to_num((points[:, others] - held[others]) / widths[others])
    seen: Numbers = np.maximum(np.exp(-(apart**2).sum(1) / NEAR**2), _LEAST)
    return seen


def dots(x: Numbers, y: Numbers, seen: Numbers, size: tuple[int, int], ratio: float) -> QImage:
    """Light dots with a dark edge at ``x`` and ``y``, in pixels of a picture of ``size``, (width, height), which any
    ground can be seen behind."""
    width, height = size
    light, dark = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    order = np.argsort(seen)  # so that the best seen is on top
    x, y, seen = x[order], y[order], seen[order].astype(np.float32)
    for layer, side in ((dark, _DARK), (light, _LIGHT)):
        side = max(round(side * ratio), 1)
        left, top = np.rint(x - side / 2).astype(np.intp), np.rint(y - side / 2).astype(np.intp)
        inside = (left >= 0) & (top >= 0) & (left <= width - side) & (top <= height - side)
        left, top, alpha = left[inside], top[inside], seen[inside]
        for right in range(side):
            for down in range(side):
                layer[top + down, left + right] = alpha
    dark *= _EDGE
    whole = ((light + dark * (1.0 - light)) * 255.0).astype(np.uint32)
    grey = (light * 255.0).astype(np.uint32)
    pixels = whole << np.uint32(24) | grey << np.uint32(16) | grey << np.uint32(8) | grey
    return QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()
