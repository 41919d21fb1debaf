"""How the regions of panels share the room there is: in columns, or with some of them as a drawer and as tabs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt

from app.panels.record import Region

_ACROSS, _DOWN = Qt.Orientation.Horizontal, Qt.Orientation.Vertical


@dataclass(frozen=True)
class Form:
    """``splits`` says, in this order, which region takes its place from which, and how; ``tabs`` which regions are tabs
    of others. The left region is a drawer where it is in neither."""

    first: Region
    splits: tuple[tuple[Region, Region, Qt.Orientation], ...]
    tabs: Mapping[Region, Region]
    drawer: bool = True


COLUMNS = Form(
    "left",
    (("left", "centre", _ACROSS), ("centre", "right", _ACROSS), ("centre", "lower", _DOWN)),
    {},
    drawer=False,
)
DRAWER = Form("centre", (("centre", "right", _ACROSS), ("centre", "lower", _DOWN)), {})
ROWS = Form("centre", (("centre", "lower", _DOWN),), {"right": "lower"})
HALVES = Form("centre", (("centre", "lower", _ACROSS),), {"right": "lower"})
TABS = Form("centre", (), {"lower": "centre", "right": "centre"})


def form_for(width: float, height: float) -> Form:
    """The form for so many pixels, at text of the system's size."""
    if width >= 1180 and height >= 440:
        return COLUMNS
    if width >= 900 and height >= 480:
        return DRAWER
    if height >= 560:
        return ROWS
    return HALVES if width >= 620 else TABS
