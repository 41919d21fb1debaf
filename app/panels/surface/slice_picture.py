"""What is known of the points of a slice as a picture, with what its colours mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.panels.surface.colours import Scale, by_action, coloured, table
from app.panels.surface.quantities import Quantity, action_names, limits, numbers
from app.panels.surface.slice_drawing import Disc, Label, Picture, Ranges
from app.plotting.axes import Range, robust_bounds, settled_range
from app.plotting.colour_bar import ColourBar
from engine.catalogue.spaces import Space

if TYPE_CHECKING:  # with torch
    from engine.analysis.slices import Cut, Found

_LABELLED = 50  # a share of points as small as 1/50 has no name on it


class Drawn(NamedTuple):
    picture: Picture | None
    bar: ColourBar | None
    labels: list[Label]


class Colouring:
    """Between which numbers the colours of each quantity are: they stay as they are while the numbers fit, so that a
    colour means the same while one looks."""

    def __init__(self, action: Space) -> None:
        self.action = action
        self._ranges: dict[tuple[str, int], Range] = {}

    def of(
        self, quantity: Quantity, values: NDArray[np.floating], beside: NDArray[np.floating] | None = None
    ) -> ColourBar:
        """The colours of ``quantity``, of which these are the values; those ``beside`` are to have colours as well."""
        fixed = limits(quantity, self.action)
        scale: Scale = "diverging" if quantity.signed else "sequential"
        symbol = f"{quantity.symbol} ({quantity.unit})" if quantity.unit else quantity.symbol
        if fixed is not None:
            return ColourBar(symbol, *fixed, table(scale))
        low, high = robust_bounds(values)
        if beside is not None:
            low, high = min(low, float(beside.min())), max(high, float(beside.max()))
        if quantity.signed:
            high = max(abs(low), abs(high))
            low = -high
        key = "value" if quantity.kind == "returns" else quantity.kind, quantity.index
        self._ranges[key] = found = settled_range(self._ranges.get(key), low, high)
        return ColourBar(symbol, *found, table(scale))


def drawn(
    quantity: Quantity, found: Found, cut: Cut, colouring: Colouring, beside: NDArray[np.floating] | None = None
) -> Drawn:
    """The picture of a quantity on a slice; ``beside`` as of ``Colouring.of``."""
    values, action = numbers(quantity, found), colouring.action
    if values is None:
        return Drawn(None, None, [])
    side = cut.points
    if quantity.kind == "greedy":
        actions = values.astype(np.intp).reshape(side, side)
        certain = None
        if found.chances is not None and found.action_values is None:
            count = len(found.chances)
            certain = ((found.chances.max(0) - 1 / count) / (1 - 1 / count)).reshape(side, side)
        names = action_labels(actions, action_names(action), cut.ranges)
        return Drawn(Picture(by_action(actions, certain), cut.ranges, smooth=False), None, names)
    bar = colouring.of(quantity, values, beside)
    pixels = coloured(values.reshape(side, side), bar)
    labels = []
    if quantity.kind == "chance" and found.greedy is not None and action.size == 2:
        labels = action_labels(found.greedy.reshape(side, side), action_names(action), cut.ranges)
    return Drawn(Picture(pixels, cut.ranges), bar, labels)


def in_cells(mean: NDArray[np.floating], cut: Cut, bar: ColourBar) -> Picture:
    """Numbers of the few points of a coarse cut, each in a cell of its own."""
    pixels = coloured(mean.reshape(cut.points, cut.points), bar)
    return Picture(pixels, cut.ranges, smooth=False)


def discs(points: NDArray[np.float64], mean: NDArray[np.floating], bar: ColourBar) -> list[Disc]:
    """Numbers at points [n, 2] of the plane, in the colours of the map."""
    pixels = coloured(mean, bar)
    return [Disc(x, y, colour) for (x, y), colour in zip(points.tolist(), pixels.tolist(), strict=True)]


def action_labels(actions: NDArray[np.integer], names: list[str], ranges: Ranges) -> list[Label]:
    """A name for each action that is taken on some of the points [rows, columns]: at that of its points that is nearest
    to the middle of them."""
    rows, columns = actions.shape
    across, up = (np.linspace(*range_, count) for range_, count in zip(ranges, (columns, rows), strict=True))
    found = []
    for action, name in enumerate(names):
        row, column = np.nonzero(actions == action)
        if len(row) >= actions.size / _LABELLED:
            off = ((row - row.mean()) / rows) ** 2 + ((column - column.mean()) / columns) ** 2
            nearest = int(off.argmin())
            found.append(Label(name, float(across[column[nearest]]), float(up[row[nearest]])))
    return found
