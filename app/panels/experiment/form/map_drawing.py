"""How the cells of a map are drawn, in the colours of the theme."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPixmap, QPolygonF

from app.models.form_rules import Legend
from app.style.theme import Theme, blended

Rows = tuple[str, ...]


def draw_cell(painter: QPainter, place: QRectF, sign: str, meaning: str, theme: Theme) -> None:
    """One cell: its ground, and what stands on it; a sign of which no drawing is known is written as it is."""
    side = place.width()
    gap = 1.0 if side >= 12 else 0.5
    ground = place.adjusted(gap, gap, -gap, -gap)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_ground(meaning, theme))
    painter.drawRoundedRect(ground, 0.08 * side, 0.08 * side)
    drawing = _DRAWINGS.get(meaning)
    if drawing is not None:
        drawing(painter, place, theme)
    elif meaning not in ("free", "wall"):
        font = QFont(painter.font())
        font.setPixelSize(max(round(0.5 * side), 1))
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(theme.mean if meaning == "start" else theme.text))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, sign)


def _ground(meaning: str, theme: Theme) -> QColor:
    shares = {"start": (theme.mean, 0.25), "goal": (theme.baseline, 0.25), "wall": (theme.muted, 0.8)}
    colour, share = shares.get(meaning, (theme.raised, 1.0))
    return blended(colour, theme.surface, share)


def _flag(painter: QPainter, place: QRectF, theme: Theme) -> None:
    side, x, y = place.width(), place.left(), place.top()
    painter.setPen(QPen(QColor(theme.text), max(0.05 * side, 1.0)))
    painter.drawLine(QPointF(x + 0.66 * side, y + 0.16 * side), QPointF(x + 0.66 * side, y + 0.84 * side))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.baseline))
    corners = ((0.66, 0.16), (0.22, 0.31), (0.66, 0.46))
    painter.drawPolygon(QPolygonF([QPointF(x + a * side, y + b * side) for a, b in corners]))


def _pit(painter: QPainter, place: QRectF, theme: Theme) -> None:
    side = place.width()
    painter.setPen(QPen(QColor(theme.negative), max(0.06 * side, 1.0)))
    painter.setBrush(QColor(theme.window if theme.name == "dark" else theme.text))
    painter.drawEllipse(place.adjusted(0.16 * side, 0.22 * side, -0.16 * side, -0.22 * side))


_DRAWINGS = {"goal": _flag, "pit": _pit}


def picture(rows: Rows, legend: Legend, theme: Theme, size: QSize, ratio: float = 1.0) -> QPixmap:
    """The whole map, as large as it fits into ``size``; ``ratio`` is the screen's pixels per pixel."""
    pixmap = QPixmap(size * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    place = fitted(rows, QRectF(0, 0, size.width(), size.height()))
    painter.fillRect(place, QColor(theme.surface))
    draw_map(painter, place, rows, legend, theme)
    painter.end()
    return pixmap


def fitted(rows: Rows, room: QRectF) -> QRectF:
    """Where a map is drawn in a room: in its middle, with square cells."""
    side = min(room.width() / len(rows[0]), room.height() / len(rows))
    width, height = side * len(rows[0]), side * len(rows)
    return QRectF(room.center().x() - width / 2, room.center().y() - height / 2, width, height)


def draw_map(painter: QPainter, place: QRectF, rows: Rows, legend: Legend, theme: Theme) -> None:
    """All cells within ``place``."""
    meanings, side = dict(legend), place.width() / len(rows[0])
    for row, signs in enumerate(rows):
        for column, sign in enumerate(signs):
            cell = QRectF(place.left() + column * side, place.top() + row * side, side, side)
            draw_cell(painter, cell, sign, meanings.get(sign, ""), theme)


def emptiest(legend: Legend) -> str:
    """The sign that stands for nothing."""
    return next((sign for sign, meaning in legend if meaning == "free"), legend[-1][0])


def is_map(rows: Sequence[str]) -> bool:
    """Whether it can be drawn: rows that are equally long and not empty."""
    return bool(rows) and bool(rows[0]) and all(len(row) == len(rows[0]) for row in rows)
