"""The sign of a run: a stretch of its line, in its colour and with its dash, and its marker upon it."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QWidget

from app.models.run_style import Marker, RunStyle
from app.style.theme import Theme

WIDTH, HEIGHT = 26, 12  # pixels of a sign where text has the system's size
_REACH = 4.0  # pixels from the middle of a marker to its edge
_CORNERS: dict[Marker, tuple[tuple[float, float], ...]] = {  # from the middle, in shares of the reach
    "square": ((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)),
    "triangle": ((0.0, -1.1), (1.1, 0.9), (-1.1, 0.9)),
    "diamond": ((0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)),
}


def pen_for(style: RunStyle, colour: str, width: float) -> QPen:
    """What the line of a run is drawn with."""
    pen = QPen(QColor(colour), width)
    if style.dash:
        pen.setDashPattern(style.dash)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen


def draw_marker(painter: QPainter, marker: Marker, at: QPointF, colour: str, reach: float = _REACH) -> None:
    """The shape of a run at a place."""
    if marker == "cross":
        painter.setPen(QPen(QColor(colour), 0.55 * reach))
        painter.drawLine(at + QPointF(-reach, -reach), at + QPointF(reach, reach))
        painter.drawLine(at + QPointF(-reach, reach), at + QPointF(reach, -reach))
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    if marker == "circle":
        painter.drawEllipse(at, reach, reach)
    else:
        painter.drawPolygon(QPolygonF([at + QPointF(x * reach, y * reach) for x, y in _CORNERS[marker]]))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def draw_run_sign(painter: QPainter, style: RunStyle, colour: str, place: QRectF) -> None:
    """The sign of a run, as wide as ``place`` and in the middle of its height."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    middle = place.center()
    painter.setPen(pen_for(style, colour, 2.0 * place.height() / HEIGHT))
    painter.drawLine(QPointF(place.left(), middle.y()), QPointF(place.right(), middle.y()))
    draw_marker(painter, style.marker, middle, colour, math.floor(place.height() / 2) * _REACH / 6.0)


def sign_pixmap(style: RunStyle, theme: Theme, ratio: float) -> QPixmap:
    """The sign of a run for a list, on a screen with ``ratio`` pixels for each of ours."""
    width, height = theme.px(WIDTH), theme.px(HEIGHT)
    pixmap = QPixmap(round(width * ratio), round(height * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    draw_run_sign(painter, style, style.colour(theme), QRectF(0, 0, width, height))
    painter.end()
    return pixmap


class RunSign(QWidget):
    """The sign of a run beside its name; without a style it is blank but keeps its place."""

    def __init__(self, style: RunStyle | None = None) -> None:
        super().__init__()
        self._style, self._colour = style, ""
        self.setFixedSize(WIDTH, HEIGHT)

    def show_style(self, style: RunStyle | None, theme: Theme) -> None:
        self._style = style
        self.apply_theme(theme)

    def apply_theme(self, theme: Theme) -> None:
        self._colour = self._style.colour(theme) if self._style is not None else ""
        self.setFixedSize(theme.px(WIDTH), theme.px(HEIGHT))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._style is not None and self._colour:
            painter = QPainter(self)
            draw_run_sign(painter, self._style, self._colour, QRectF(self.rect()))
            painter.end()
