"""A halo around the mouse, for showing where to look in front of a room.

It is the mouse's own picture: the system moves that without anything beneath being painted again, and clicks go where
they would go.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QCursor, QGuiApplication, QPainter, QPixmap, QPolygonF, QRadialGradient

from app.style.theme import Theme

SIZE = 128  # pixels across
_RING = 46.0  # pixels from the tip of the arrow
# The arrow, from its tip.
_ARROW = ((0, 0), (0, 17), (4, 13.2), (6.8, 19.4), (9.6, 18.2), (6.9, 12.2), (12, 12.2))


class Spotlight:
    """On or off, for every window of the application."""

    def __init__(self) -> None:
        self._on = False

    @property
    def is_on(self) -> bool:
        return self._on

    def turn_on(self, theme: Theme, ratio: float) -> None:
        """Put a halo in the theme's colours around the mouse; ``ratio`` is the screen's pixels per pixel."""
        cursor = QCursor(_picture(theme, ratio), SIZE // 2, SIZE // 2)
        if self._on:
            QGuiApplication.changeOverrideCursor(cursor)
        else:
            QGuiApplication.setOverrideCursor(cursor)
        self._on = True

    def turn_off(self) -> None:
        if self._on:
            QGuiApplication.restoreOverrideCursor()
        self._on = False


def _picture(theme: Theme, ratio: float) -> QPixmap:
    pixmap = QPixmap(round(SIZE * ratio), round(SIZE * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    middle = QPointF(SIZE / 2, SIZE / 2)
    halo = QRadialGradient(middle, SIZE / 2)
    for at, opacity in ((0.0, 0.12), (0.6, 0.2), (_RING / (SIZE / 2), 0.75), (0.85, 0.2), (1.0, 0.0)):
        colour = QColor(theme.marker)
        colour.setAlphaF(opacity)
        halo.setColorAt(at, colour)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(halo)
    painter.drawEllipse(middle, SIZE / 2, SIZE / 2)
    painter.translate(middle)
    painter.setPen(QColor("#000000"))
    painter.setBrush(QColor("#ffffff"))
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in _ARROW]))
    painter.end()
    return pixmap
