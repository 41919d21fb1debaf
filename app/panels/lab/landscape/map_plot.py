"""A plot whose ground is a map of heights, and on which a place can be chosen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent

from app.panels.lab.landscape.marks import Heights
from app.plotting.arrangement import Margins
from app.plotting.axes import Range
from app.plotting.legend import Entry
from app.plotting.plot import Plot
from app.plotting.readout import Pointer
from app.style.theme import Theme

_MEASURED = "J (reward)"
_STILL = 4.0  # pixels that the mouse may move between press and release of a click


class MapPlot(Plot):
    """What is done to it where it is shown large counts as done here.

    Signals:
        chosen: a place, x and y, has been clicked.
        pointed: the mouse is at this place, x and y; None where it is at none.
        seen_changed: another part of the plane is seen.
    """

    chosen = Signal(float, float)
    pointed = Signal(object)
    seen_changed = Signal()

    def __init__(self, theme: Theme, x_title: str, y_title: str, margins: Margins | None = None) -> None:
        self.heights = Heights()
        self.signs: list[Entry] = []
        """What stands for what; told where the map is shown large, as here it is told beside it."""
        self._pressed: QPointF | None = None
        super().__init__(theme, x_title, y_title, margins or Margins(left=52, tick_height=30))
        self._view.sigRangeChanged.connect(self._seen_changed)
        self.viewport().installEventFilter(self)

    def show_heights(self, heights: NDArray[np.float64], x: Range, y: Range, scale: Range) -> None:
        """As of ``Heights.show``, with what their tints mean beside them."""
        self.heights.show(heights, x, y, scale)
        self._tell_colours()

    def apply_theme(self, theme: Theme) -> None:
        self.heights.apply_theme(theme)
        super().apply_theme(theme)
        self._tell_colours()

    def _tell_colours(self) -> None:
        if (bar := self.heights.bar(_MEASURED)) is not None:
            self.arrangement.show_colours(bar)

    def pixels_of(self, place: tuple[float, float], plot: Plot | None = None) -> QPointF:
        """Where a place is, here or in this ``plot``, where the map is shown large."""
        frame = (plot or self)._frame((plot or self).area)
        return QPointF(frame.to_x(place[0]), frame.to_y(place[1]))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        plot = self if watched is self.viewport() else self.enlarged
        if plot is not None:
            if isinstance(event, QMouseEvent):
                self._follow_mouse(plot, event)
            elif event.type() == QEvent.Type.Leave:
                self.pointed.emit(None)
        return bool(super().eventFilter(watched, event))

    def _follow_mouse(self, plot: Plot, event: QMouseEvent) -> None:
        kind, left, at = event.type(), event.button() == Qt.MouseButton.LeftButton, event.position()
        if kind == QEvent.Type.MouseMove:
            self.pointed.emit(_place(plot, at))
        elif kind == QEvent.Type.MouseButtonPress:
            self._pressed = at if left else None
        elif kind == QEvent.Type.MouseButtonRelease and self._pressed is not None:
            still = (at - self._pressed).manhattanLength() <= _STILL
            place, self._pressed = _place(plot, at), None
            if still and place is not None:
                self.chosen.emit(*place)

    def _enlarge(self) -> None:
        super()._enlarge()
        assert self.enlarged is not None
        self.enlarged.viewport().installEventFilter(self)

    def _draw_copy(self, copy: Plot) -> None:
        super()._draw_copy(copy)
        copy.legend.show_entries(self.signs)

    def _seen_changed(self, *_: object) -> None:
        self.seen_changed.emit()


def _place(plot: Plot, position: QPointF) -> tuple[float, float] | None:
    """What is at these pixels of a plot."""
    frame = plot._frame(plot.area)
    if not frame.rect.contains(position) or frame.rect.isEmpty():
        return None
    share = (frame.rect.bottom() - position.y()) / frame.rect.height()
    y = frame.y[0] + share * (frame.y[1] - frame.y[0])
    return Pointer(frame, position.x(), position.y()).data_x, y
