"""Colours of numbers on a map: even steps look even, also to colour-blind people."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
import pyqtgraph
from numpy.typing import NDArray

from app.plotting.colour_bar import ColourBar, Pixels

Scale = Literal["sequential", "diverging"]

# Viridis (van der Walt & Smith, 2015), and a diverging map from blue to yellow by Kovesi (2015), made for people who
# cannot tell red from green.
_MAPS: dict[Scale, str] = {"sequential": "viridis", "diverging": "CET-CBD1"}
# Of the Okabe-Ito palette; for more actions they come again.
ACTIONS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")
_STEPS = 256
_GREY, _LEAST_COLOUR = 128.0, 0.15  # of an action that is as likely as any other


@cache
def table(scale: Scale) -> Pixels:
    """The colours from the least to the greatest, [256], as 0xffRRGGBB."""
    red, green, blue = pyqtgraph.colormap.get(_MAPS[scale]).getLookupTable(nPts=_STEPS)[:, :3].astype(np.uint32).T
    found: Pixels = np.uint32(0xFF000000) | red << np.uint32(16) | green << np.uint32(8) | blue
    return found


def coloured(values: NDArray[np.float32], bar: ColourBar) -> Pixels:
    """The colour of each value, of the same shape; what is no number has none."""
    span, last = bar.high - bar.low if bar.high > bar.low else 1.0, len(bar.colours) - 1
    with np.errstate(invalid="ignore"):
        index = np.clip((values - bar.low) * (last / span) + 0.5, 0, last)
    known = np.isfinite(values)
    found: Pixels = bar.colours[np.where(known, index, 0).astype(np.intp)]
    return np.where(known, found, np.uint32(0))


def by_action(actions: NDArray[np.integer], certain: NDArray[np.float32] | None = None) -> Pixels:
    """The colour of each action; greyer where it is less ``certain``, from 0 to 1."""
    colours = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in ACTIONS], np.float32)
    found = colours[actions % len(colours)]
    if certain is not None:
        share = (_LEAST_COLOUR + (1.0 - _LEAST_COLOUR) * certain)[..., None]
        found = share * found + (1.0 - share) * _GREY
    red, green, blue = np.moveaxis(found.astype(np.uint32), -1, 0)
    pixels: Pixels = np.uint32(0xFF000000) | red << np.uint32(16) | green << np.uint32(8) | blue
    return pixels
