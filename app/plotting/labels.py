"""Marks that carry words: a level, moments in time, captions in the corners; and where their labels go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from app.plotting.marks import Frame, pen_of

_DASHES = [5.0, 4.0]
_PAD = 4.0


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

    def paint(self, painter: QPainter, frame: Frame) -> None:
        if self.value is None or not frame.y[0] <= self.value <= frame.y[1]:
            return
        y = round(frame.to_y(self.value))
        pen = pen_of(self.colour)
        pen.setDashPattern(_DASHES)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(pen)
        painter.drawLine(QLineF(frame.rect.left(), y, frame.rect.right(), y))
        height = painter.fontMetrics().height()
        below = y + 3 if y - height - 3 < frame.rect.top() else y - height - 3
        draw_tag(painter, self.text, (frame.rect.left() + _PAD, below), self.colour, self.ground)


@dataclass(frozen=True)
class Moment:
    """A vertical line at ``x`` with a short label; without a label only the line.

    The label stands at the left (−1) or the right (1) ``side`` of the line, or across it (0); without a side at the
    right, or at the left where it would leave the plot.
    """

    x: float
    text: str = ""
    colour: str = "#000000"
    dashed: bool = False
    side: int | None = None


class Moments:
    """Vertical lines whose labels stand in ``rows`` at the top, from ``first_row`` on, where none covers another.

    Where there is no room for all, the last have their labels.
    """

    def __init__(self, rows: int = 3, *, first_row: int = 0) -> None:
        self.rows = rows
        self.first_row = first_row
        self.ground = "#000000"
        self.moments: Sequence[Moment] = ()

    def paint(self, painter: QPainter, frame: Frame) -> None:
        rect = frame.rect
        shown = [m for m in self.moments if frame.x[0] <= m.x <= frame.x[1]]
        if not shown:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for moment in shown:
            pen = pen_of(moment.colour)
            if moment.dashed:
                pen.setDashPattern(_DASHES)
            painter.setPen(pen)
            x = round(frame.to_x(moment.x))
            painter.drawLine(QLineF(x, rect.top(), x, rect.bottom()))
        metrics = QFontMetricsF(painter.font())
        labelled = [m for m in shown if m.text][-40:]
        anchors = [frame.to_x(m.x) for m in labelled]
        widths = [metrics.horizontalAdvance(m.text) + 2 * _PAD for m in labelled]
        sides = [m.side for m in labelled]
        places = place_labels(anchors, widths, (rect.left(), rect.right()), self.rows, sides)
        for moment, place in zip(labelled, places, strict=True):
            if place is not None:
                row, left = place
                top = rect.top() + 2 + (self.first_row + row) * (metrics.height() + 1)
                draw_tag(painter, moment.text, (left, top), moment.colour, self.ground)


def place_labels(
    anchors: Sequence[float],
    widths: Sequence[float],
    span: tuple[float, float],
    rows: int,
    sides: Sequence[int | None] = (),
) -> list[tuple[int, float] | None]:
    """The row and the left edge of each label, or None where there is no room for it.

    A label without a side stands to the right of its anchor, or to the left where it would leave ``span``; the others
    are shifted into ``span``. Later labels choose first, and each takes the topmost row in which it is free.
    """
    taken: list[list[tuple[float, float]]] = [[] for _ in range(rows)]
    places: list[tuple[int, float] | None] = [None] * len(anchors)
    for index in reversed(range(len(anchors))):
        anchor, width = anchors[index], widths[index]
        side = sides[index] if sides else None
        if side is None:
            left = anchor + 2 if anchor + 2 + width <= span[1] else anchor - 1 - width
        else:
            left = anchor + (side - 1) * width / 2 + 2 * side
            left = min(max(left, span[0]), span[1] - width)
        if left < span[0]:
            continue
        for row, others in enumerate(taken):
            if all(left >= end or left + width <= start for start, end in others):
                others.append((left, left + width))
                places[index] = (row, left)
                break
    return places


@dataclass
class Captions:
    """Words in the upper corners."""

    left: str = ""
    right: str = ""
    left_colour: str = "#000000"
    right_colour: str = "#000000"
    ground: str = "#000000"

    def paint(self, painter: QPainter, frame: Frame) -> None:
        top = frame.rect.top() + 2
        if self.left:
            draw_tag(painter, self.left, (frame.rect.left() + _PAD, top), self.left_colour, self.ground)
        if self.right:
            width = painter.fontMetrics().horizontalAdvance(self.right) + 2 * _PAD
            draw_tag(painter, self.right, (frame.rect.right() - width - _PAD, top), self.right_colour, self.ground)
