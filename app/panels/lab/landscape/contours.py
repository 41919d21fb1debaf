"""Lines of equal height across a grid of numbers, as segments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Segments = NDArray[np.float64]
"""x and y of both ends, in columns and rows of the grid, [n, 4]."""

# Which two sides of a square a line joins, by which of its corners lie above it: corner 1 at row 0, column 0, then 2, 4
# and 8 on around; sides 0 … 3 follow the corners. The two squares whose corners alternate are told apart by their mean.
_SIDES = {1: (3, 0), 2: (0, 1), 3: (3, 1), 4: (1, 2), 6: (0, 2), 7: (3, 2), 8: (2, 3), 9: (2, 0), 11: (2, 1)}
_SIDES |= {12: (1, 3), 13: (1, 0), 14: (0, 3)}
_CORNERS = ((0, 0), (0, 1), (1, 1), (1, 0))  # row and column, in the order of their numbers


def contour(heights: NDArray[np.float64], level: float) -> Segments:
    """Where ``heights`` [rows, columns] cross ``level``, straight from side to side of each square between four of
    them (marching squares; Lorensen & Cline, 1987, in two dimensions). Squares with NaN are left out."""
    corners = [heights[r : heights.shape[0] - 1 + r, c : heights.shape[1] - 1 + c] for r, c in _CORNERS]
    above = [corner > level for corner in corners]
    kinds = sum(side.astype(np.int64) << number for number, side in enumerate(above))
    whole = np.isfinite(sum(corners))
    middle = sum(corners) / 4.0 > level
    found = [_across(corners, level, np.nonzero((kinds == kind) & whole), sides) for kind, sides in _SIDES.items()]
    for kind, kept, parted in ((5, ((3, 2), (1, 0)), ((3, 0), (1, 2))), (10, ((0, 3), (2, 1)), ((0, 1), (2, 3)))):
        for is_joined, pairs in ((True, kept), (False, parted)):
            at = np.nonzero((kinds == kind) & whole & (middle == is_joined))
            found += [_across(corners, level, at, sides) for sides in pairs]
    return np.concatenate(found) if found else np.empty((0, 4))


def _across(
    corners: list[NDArray[np.float64]], level: float, at: tuple[NDArray[np.int64], ...], sides: tuple[int, int]
) -> Segments:
    """The segments from one side to the other in the squares at these rows and columns."""
    ends = []
    for side in sides:
        first, second = side, (side + 1) % 4
        low, high = corners[first][at], corners[second][at]
        share = (level - low) / (high - low)
        (r1, c1), (r2, c2) = _CORNERS[first], _CORNERS[second]
        ends += [at[1] + c1 + share * (c2 - c1), at[0] + r1 + share * (r2 - r1)]
    return np.stack(ends, -1) if len(at[0]) else np.empty((0, 4))
