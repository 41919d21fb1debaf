"""A value on a plot's horizontal axis that a person takes along with the mouse, instead of moving the view."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QMouseEvent

from app.plotting.plot import Plot

_NEAR = 6.0  # pixels from a place of note, within which it is drawn there


class Dragging(QObject):
    """``notable`` are the places that what is dragged is drawn to where it is near.

    Signals:
        dragged: it has been taken there.
    """

    dragged = Signal(float)

    def __init__(self, plot: Plot, notable: Callable[[], Sequence[float]] = lambda: ()) -> None:
        super().__init__(plot)
        self._plot, self._notable = plot, notable
        self.held = False
        plot.viewport().setCursor(Qt.CursorShape.SizeHorCursor)
        plot.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QMouseEvent):
            return False
        kind = event.type()
        if kind == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            self.held = self._plot.area.contains(event.position())
            if self.held:
                self._plot.setFocus(Qt.FocusReason.MouseFocusReason)
        elif kind == QEvent.Type.MouseButtonRelease and self.held:
            self.held = False
            return True
        if self.held and kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove):
            self._take(event.position().x())
            return True
        return False

    def _take(self, x: float) -> None:
        area, (low, high) = self._plot.area, self._plot.seen[0]
        per_pixel = (high - low) / max(area.width(), 1.0)
        at = low + (min(max(x, area.left()), area.right()) - area.left()) * per_pixel
        near = min(self._notable(), key=lambda place: abs(place - at), default=at)
        self.dragged.emit(near if abs(near - at) <= _NEAR * per_pixel else at)
