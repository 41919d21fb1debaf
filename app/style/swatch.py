"""Small painted signs: the dot in the colour of a choice, and the bolt of what may change while training."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QWidget

_BOLT = QPolygonF([QPointF(*at) for at in ((6.5, 0.5), (1.5, 7), (4.8, 7), (3.6, 11.5), (8.6, 5), (5.3, 5))])


class Swatch(QWidget):
    """A sign of fixed size in one colour; without a colour it is blank but keeps its place."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__()
        self.setFixedSize(width, height)
        self._colour: str | None = None

    def set_colour(self, colour: str | None) -> None:
        self._colour = colour
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._colour is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._colour))
        self.draw(painter)
        painter.end()

    def draw(self, painter: QPainter) -> None:
        raise NotImplementedError


class Dot(Swatch):
    def __init__(self) -> None:
        super().__init__(8, 8)

    def draw(self, painter: QPainter) -> None:
        painter.drawEllipse(QRectF(0, 0, 8, 8))


class Bolt(Swatch):
    def __init__(self) -> None:
        super().__init__(10, 12)

    def draw(self, painter: QPainter) -> None:
        painter.drawPolygon(_BOLT)
