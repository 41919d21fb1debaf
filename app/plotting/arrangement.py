"""How the parts of a plot share its room: the axes' is fixed so that nothing jumps, the data has what is left."""

from __future__ import annotations

from dataclasses import dataclass

import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont

from app.plotting.colour_bar import ColourBar, PlotColours
from app.plotting.legend import Legend
from app.plotting.view import HALF_LABEL, Axis, View
from app.style.theme import Theme

TICK_PIXELS = 80, 38  # the least distance between labels beside and above each other
_LOW = 140  # pixels, for text of the system's size: what is lower has its room for the data
_TITLE = 18
_LEGEND_SHARE = 0.4  # of the height, which a legend takes at most


@dataclass(frozen=True)
class Margins:
    """Pixels around the data, for text of the system's size: what is fixed does not jump. ``top`` and ``right`` leave
    room for half a label.

    ``tick_height`` is the least distance between two labels above each other, ``most_ticks`` how many there may be.
    """

    left: int = 70
    bottom: int = 42
    top: int = 8
    right: int = HALF_LABEL
    below: int = 6
    tick_height: int = TICK_PIXELS[1]
    most_ticks: int = 8


@dataclass(frozen=True)
class Parts:
    """What is arranged."""

    view: View
    left: Axis
    bottom: Axis
    legend: Legend


class Arrangement(pg.GraphicsLayout):
    """The legend above the data, an axis at the left and one beneath; where colours mean numbers, their bar at the
    right."""

    def __init__(self, parts: Parts, margins: Margins) -> None:
        super().__init__()
        self._parts, self._margins = parts, margins
        self._theme: Theme | None = None
        self._font = QFont()
        self._colours: PlotColours | None = None
        self._room = QRectF()
        self.setSpacing(0)
        self.addItem(parts.legend, 0, 0, 1, 3)
        self.addItem(parts.view, 2, 1)
        self.addItem(parts.left, 2, 0)
        self.addItem(parts.bottom, 3, 1)
        parts.left.linkToView(parts.view)
        parts.bottom.linkToView(parts.view)
        # Not at once, as that is told while room is being shared.
        parts.legend.height_changed.connect(self._share, Qt.ConnectionType.QueuedConnection)

    @property
    def left(self) -> int:
        """Pixels for the vertical axis, for text of the system's size."""
        return self._margins.left

    @property
    def colour_bar(self) -> ColourBar | None:
        return None if self._colours is None else self._colours.bar

    def show_colours(self, bar: ColourBar) -> None:
        """Say what the colours mean, from now on."""
        if self._colours is None:
            self._colours = PlotColours()
            self.addItem(self._colours.symbol, 1, 0, 1, 3)
            self.addItem(self._colours.scale, 2, 2)
            if self._theme is not None:
                self.apply_theme(self._theme, self._font)
        self._colours.show(bar)

    def button_beside(self, width: float) -> QRectF:
        """Where a button has room at the right of the data, or above its colour bar, in a plot so wide."""
        if self._colours is not None:
            line = self._colours.symbol.geometry()
            return QRectF(line.right() - line.height() + 1, line.top(), line.height() - 1, line.height() - 1)
        data = self._parts.view.geometry()
        side = width - data.right() - 2  # of the margin
        return QRectF(data.right() + 1, data.top(), side, side)

    def apply_theme(self, theme: Theme, font: QFont) -> None:
        self._theme, self._font = theme, font
        px, margins = theme.px, self._margins
        right = px(margins.right) if self._colours is None else 0
        # pyqtgraph's titles stick out by 5
        self.setContentsMargins(6, px(margins.top), right, margins.below)
        if self._colours is not None:
            self._colours.apply_theme(theme, font)
        self._parts.left.setWidth(px(margins.left))
        self.fit(self._room)

    def fit(self, room: QRectF) -> None:
        """Have all parts share ``room``, which is the whole plot."""
        self._room = room
        if self._theme is None:
            return
        px, parts = self._theme.px, self._parts
        parts.legend.limit(_LEGEND_SHARE * room.height())
        # Where both axes have titles and the plot is low, the data has the room of one; its unit stands in the corner.
        low = bool(parts.left.labelText or parts.left.names is not None) and room.height() < px(_LOW)
        parts.bottom.stand_beside(px(self._margins.left) if low else 0)
        parts.bottom.setHeight(px(self._margins.bottom - _TITLE if low else self._margins.bottom))
        self._share()

    def _share(self) -> None:
        self.setGeometry(self._room)  # by itself a layout only grows
