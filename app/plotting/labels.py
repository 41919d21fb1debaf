"""Marks that carry words: a level, moments in time, the name at a line; and where their labels go."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPolygonF

from app.plotting.marks import DASHES, Frame, Line, pen_of
from app.style.theme import Theme

Shape = Literal["diamond", "star"]

_PAD = 4.0
_REACH = 5.0  # pixels from the middle of a shape to its furthest corner
_SHAPES: dict[Shape, list[tuple[float, float]]] = {  # corners, as turns from the top and shares of the reach
    "diamond": [(quarter * math.pi / 2, 1.0) for quarter in range(4)],
    "star": [(tenth * math.pi / 5, 1.6 if tenth % 2 == 0 else 0.65) for tenth in range(10)],
}


def draw_tag(painter: QPainter, text: str, corner: tuple[float, float], colour: str, ground: str) -> None:
    """``text`` with its upper left corner at ``corner``, on a patch of ``ground`` so that data does not cross it."""
    metrics = painter.fontMetrics()
    rect = QRectF(corner[0], corner[1], metrics.horizontalAdvance(text) + 2 * _PAD, metrics.height())
    painter.fillRect(rect, QColor(ground))
    painter.setPen(QColor(colour))
    painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), text)


@dataclass
class Level:
    """A dashed horizontal line at ``value`` with its name at the left; None draws nothing."""

    value: float | None = None
    text: str = ""
    colour: str = "#000000"
    ground: str = "#000000"
    ink: str = "#000000"

    def apply_theme(self, theme: Theme) -> None:
        self.colour, self.ground, self.ink = theme.threshold, theme.surface, theme.text

    def paint(self, painter: QPainter, frame: Frame) -> None:
        if self.value is None or not frame.y[0] <= self.value <= frame.y[1]:
            return
        y = round(frame.to_y(self.value))
        pen = pen_of(self.colour, frame.thickness)
        pen.setDashPattern(DASHES)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(pen)
        painter.drawLine(QLineF(frame.rect.left(), y, frame.rect.right(), y))
        height = painter.fontMetrics().height()
        if painter.fontMetrics().horizontalAdvance(self.text) + 3 * _PAD > frame.rect.width():
            return
        top = level_top(y, height, (frame.rect.top(), frame.rect.bottom()))
        draw_tag(painter, self.text, (frame.rect.left() + _PAD, top), self.ink, self.ground)


@dataclass(frozen=True)
class Moment:
    """A vertical line at ``x`` with a short label and a ``shape`` upon it: at the height ``y`` or, where that is None,
    at its foot.

    The label stands at the right of the line, or at the left where it would leave the plot.
    """

    x: float
    text: str = ""
    colour: str = "#000000"
    dashed: bool = False
    shape: Shape | None = None
    y: float | None = None


class Moments:
    """Vertical lines whose labels stand in ``rows`` at the top, where none covers another.

    Where there is no room for all, the last have their labels; without rows, none has.
    """

    def __init__(self, rows: int = 3) -> None:
        self.rows = rows
        self.ground = "#000000"
        self.ink = "#000000"
        self.moments: Sequence[Moment] = ()

    def apply_theme(self, theme: Theme) -> None:
        self.ground, self.ink = theme.surface, theme.text

    def paint(self, painter: QPainter, frame: Frame) -> None:
        shown = [m for m in self.moments if frame.x[0] <= m.x <= frame.x[1]]
        if not shown:
            return
        for moment in shown:
            pen = pen_of(moment.colour, frame.thickness)
            if moment.dashed:
                pen.setDashPattern(DASHES)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(pen)
            x = round(frame.to_x(moment.x))
            painter.drawLine(QLineF(x, frame.rect.top(), x, frame.rect.bottom()))
        if not self.rows:
            return
        rect, metrics = frame.rect, QFontMetricsF(painter.font())
        labelled = [m for m in shown if m.text][-40:]
        anchors = [frame.to_x(m.x) for m in labelled]
        widths = [metrics.horizontalAdvance(m.text) + 2 * _PAD for m in labelled]
        places = place_labels(anchors, widths, (rect.left(), rect.right()), self.rows)
        for moment, place in zip(labelled, places, strict=True):
            if place is not None:
                row, left = place
                top = rect.top() + 2 + row * (metrics.height() + 1)
                draw_tag(painter, moment.text, (left, top), self.ink, self.ground)


@dataclass(frozen=True)
class Shapes:
    """What stands upon the lines of moments, apart from them, so that it can lie above what lies above the lines."""

    of: Moments

    def paint(self, painter: QPainter, frame: Frame) -> None:
        for moment in self.of.moments:
            if moment.shape is not None and frame.x[0] <= moment.x <= frame.x[1]:
                reach = _REACH * frame.thickness
                y = frame.rect.bottom() - reach if moment.y is None else frame.to_y(moment.y)
                corners = [
                    QPointF(frame.to_x(moment.x) + reach * length * math.sin(turn), y - reach * length * math.cos(turn))
                    for turn, length in _SHAPES[moment.shape]
                ]
                painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
                painter.setPen(pen_of(self.of.ground))
                painter.setBrush(QColor(moment.colour))
                painter.drawPolygon(QPolygonF(corners))
                painter.setBrush(Qt.BrushStyle.NoBrush)


def place_labels(
    anchors: Sequence[float], widths: Sequence[float], span: tuple[float, float], rows: int
) -> list[tuple[int, float] | None]:
    """The row and the left edge of each label, or None where there is no room for it.

    A label stands to the right of its anchor, or to the left where it would leave ``span``. Later labels choose first,
    and each takes the topmost row in which it is free.
    """
    taken: list[list[tuple[float, float]]] = [[] for _ in range(rows)]
    places: list[tuple[int, float] | None] = [None] * len(anchors)
    for index in reversed(range(len(anchors))):
        anchor, width = anchors[index], widths[index]
        left = anchor + 2 if anchor + 2 + width <= span[1] else anchor - 1 - width
        if left < span[0]:
            continue
        for row, others in enumerate(taken):
            if all(left >= end or left + width <= start for start, end in others):
                others.append((left, left + width))
                places[index] = (row, left)
                break
    return places


def level_top(y: float, height: float, span: tuple[float, float]) -> float:
    """Where the label of a level at ``y`` begins: above the line, but not in the two rows in which labels of moments
    stand, as long as there is room for it below."""
    crowded = y - 3 * height - 6 < span[0] and y + height + 3 <= span[1]
    return y + 3 if crowded else y - height - 3


@dataclass
class Name:
    """What a line is, written beside its last visible point, on the side on which ``other`` is not."""

    line: Line
    other: Line
    text: str = ""
    ground: str = "#000000"

    def paint(self, painter: QPainter, frame: Frame) -> None:
        x, y = self.line.x, self.line.y
        seen = np.flatnonzero((x >= frame.x[0]) & (x <= frame.x[1]) & (y >= frame.y[0]) & (y <= frame.y[1]))
        if not self.text or not len(seen):
            return
        metrics, rect = QFontMetricsF(painter.font()), frame.rect
        width = metrics.horizontalAdvance(self.text) + 2 * _PAD
        if width > rect.width():
            return
        at_x, at_y = frame.to_x(float(x[seen[-1]])), frame.to_y(float(y[seen[-1]]))
        left = min(at_x + _PAD, rect.right() - width)
        above = at_y - metrics.height() - 3
        crossed = len(self.other.x) and np.interp(x[seen[-1]], self.other.x, self.other.y) > y[seen[-1]]
        room = at_y + metrics.height() + 3 <= rect.bottom()
        top = at_y + 3 if above < rect.top() or (crossed and room) else above
        draw_tag(painter, self.text, (left, top), self.line.colour, self.ground)
