"""A plot whose ground is a map of heights, and on which a place can be chosen."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent

from app.panels.lab.landscape.marks import Heights
from app.plotting.arrangement import Margins
from app.plotting.plot import Plot
from app.plotting.readout import Pointer
from app.style.theme import Theme

_STILL = 4.0  # pixels that the mouse may move between press and release of a click


class MapPlot(Plot):
    """
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
        self._pressed: QPointF | None = None
        super().__init__(theme, x_title, y_title, margins or Margins(left=52, tick_height=30))
        self._view.sigRangeChanged.connect(self._seen_changed)

    def apply_theme(self, theme: Theme) -> None:
        self.heights.apply_theme(theme)
        super().apply_theme(theme)

    def place_of(self, position: QPointF) -> tuple[float, float] | None:
        """What is at these pixels."""
        frame = self._frame(self.area)
        if not frame.rect.contains(position) or frame.rect.isEmpty():
            return None
        share = (frame.rect.bottom() - position.y()) / frame.rect.height()
        y = frame.y[0] + share * (frame.y[1] - frame.y[0])
        return Pointer(frame, position.x(), position.y()).data_x, y

    def pixels_of(self, place: tuple[float, float]) -> QPointF:
        """Where a place is."""
        frame = self._frame(self.area)
        return QPointF(frame.to_x(place[0]), frame.to_y(place[1]))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        self._pressed = event.position() if event.button() == Qt.MouseButton.LeftButton else None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        pressed, self._pressed = self._pressed, None
        if pressed is None or (event.position() - pressed).manhattanLength() > _STILL:
            return
        place = self.place_of(event.position())
        if place is not None:
            self.chosen.emit(*place)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self.pointed.emit(self.place_of(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit(None)

    def _seen_changed(self, *_: object) -> None:
        self.seen_changed.emit()
