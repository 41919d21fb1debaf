"""Small painted signs: the one of each choice in its colour, and the bolt of what may change while training."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QWidget

from app.style.theme import Theme
from engine.equations import Part

_BOLT = QPolygonF([QPointF(*at) for at in ((6.5, 0.5), (1.5, 7), (4.8, 7), (3.6, 11.5), (8.6, 5), (5.3, 5))])


# Of a square with sides of 1, from its upper left corner.
_CORNERS: dict[Part, tuple[tuple[float, float], ...]] = {
    "credit": ((0, 0), (1, 0), (1, 1), (0, 1)),
    "baseline": ((0.5, 0), (1, 1), (0, 1)),
    "update": (
        *((0.33, 0), (0.67, 0), (0.67, 0.33), (1, 0.33), (1, 0.67), (0.67, 0.67)),
        *((0.67, 1), (0.33, 1), (0.33, 0.67), (0, 0.67), (0, 0.33), (0.33, 0.33)),
    ),
}


class Swatch(QWidget):
    """A sign of fixed size in one colour; without a colour it is blank but keeps its place."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__()
        self._width, self._height, self._scale = width, height, 1.0
        self.setFixedSize(width, height)
        self._colour: str | None = None

    def set_scale(self, scale: float) -> None:
        """As much larger as the text beside it."""
        self._scale = scale
        self.setFixedSize(round(self._width * scale), round(self._height * scale))

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
        painter.scale(self._scale, self._scale)
        self.draw(painter)
        painter.end()

    def draw(self, painter: QPainter) -> None:
        raise NotImplementedError


class PartSign(Swatch):
    """Stands beside what belongs to a choice: every one has a shape of its own, since colours alone are not told apart
    by everyone."""

    def __init__(self, part: Part) -> None:
        super().__init__(9, 9)
        self._part = part

    def apply_theme(self, theme: Theme) -> None:
        self.set_scale(theme.text_scale)
        self.set_colour(getattr(theme, self._part) if self._part else None)

    def draw(self, painter: QPainter) -> None:
        draw_sign(painter, self._part, QRectF(0, 0, 9, 9))


def draw_sign(painter: QPainter, part: Part, place: QRectF) -> None:
    """The shape of a choice, a ring, a square, a triangle or a cross; what is common to all has none."""
    if part == "policy":
        ring, width = QPainterPath(), 0.28 * place.width()
        ring.addEllipse(place)
        ring.addEllipse(place.adjusted(width, width, -width, -width))
        painter.drawPath(ring)
    elif part:
        corners = _CORNERS[part]
        width, height = place.width(), place.height()
        painter.drawPolygon(
            QPolygonF([QPointF(place.left() + x * width, place.top() + y * height) for x, y in corners])
        )


class Bolt(Swatch):
    """Of what may be changed while a run trains."""

    def __init__(self) -> None:
        super().__init__(10, 12)

    def apply_theme(self, theme: Theme, *, shown: bool = True) -> None:
        self.set_scale(theme.text_scale)
        self.set_colour(theme.muted if shown else None)

    def draw(self, painter: QPainter) -> None:
        painter.drawPolygon(_BOLT)
