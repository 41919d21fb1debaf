"""How a run is told apart from others wherever it is drawn: by its colour, its dash and its marker together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.style.theme import Theme

Marker = Literal["circle", "square", "triangle", "diamond", "cross"]

HUES = 7  # that a theme has for runs
# Dashes and the gaps between them, in widths of the line.
_DASHES: tuple[tuple[float, ...], ...] = ((), (6.0, 3.0), (1.5, 2.0), (7.0, 2.5, 1.5, 2.5))
_MARKERS: tuple[Marker, ...] = ("circle", "square", "triangle", "diamond", "cross")


@dataclass(frozen=True)
class RunStyle:
    """The look of one run. ``hue`` is an index into the theme's colours of runs; an empty ``dash`` is a whole line."""

    hue: int
    dash: tuple[float, ...]
    marker: Marker

    def colour(self, theme: Theme) -> str:
        return theme.runs[self.hue]


def style_of(index: int) -> RunStyle:
    """That of the run of this number, the same wherever it is drawn.

    The counts of colours, dashes and markers have no common divisor: one run and the next differ in all three, no two
    of 28 in a row have colour and dash alike, and no two of 140 all three.
    """
    return RunStyle(index % HUES, _DASHES[index % len(_DASHES)], _MARKERS[index % len(_MARKERS)])
