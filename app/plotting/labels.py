"""Marks that carry words: a level, moments in time, the name at a line; and where their labels go."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPolygonF

from app.models.run_style import RunStyle
from app.plotting.marks import DASHES, Frame, Line, pen_of
from app.plotting.run_sign import WIDTH
from app.plotting.tags import DASHED, PAD, Sign, Tag, width_of
from app.style.format import short_number
from app.style.theme import Theme

Shape = Literal["diamond", "star"]

_MOST_LABELLED = 16  # moments
_ALONG = (0.0, 1.0, 0.5, 0.25, 0.75, 0.12, 0.37, 0.62, 0.87)  # a level, where its name may stand
_SIGN = 0.8  # of the width of the sign of a run elsewhere
_WIDEST_NAME = 0.45  # of the plot's width
_ROWS = (0, 1, 2, 3)  # of names between a line's end and its name, above and beneath
_REACH = 5.0  # pixels from the middle of a shape to its furthest corner
_SHAPES: dict[Shape, list[tuple[float, float]]] = {  # corners, as turns from the top and shares of the reach
    "diamond": [(quarter * math.pi / 2, 1.0) for quarter in range(4)],
    "star": [(tenth * math.pi / 5, 1.6 if tenth % 2 == 0 else 0.65) for tenth in range(10)],
}


@dataclass
class Level:
    """A dashed horizontal line at ``value`` with a name; None draws nothing. ``role`` names its colour of the theme."""

    value: float | None = None
    text: str = ""
    colour: str = "#000000"
    role: str = "threshold"

    def apply_theme(self, theme: Theme) -> None:
        self.colour = getattr(theme, self.role)

    def _is_seen(self, frame: Frame) -> bool:
        return self.value is not None and frame.y[0] <= self.value <= frame.y[1]

    def paint(self, painter: QPainter, frame: Frame) -> None:
        if not self._is_seen(frame):
            return
        y = round(frame.to_y(self.value))
        pen = pen_of(self.colour, frame.thickness)
        pen.setDashPattern(DASHES)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(pen)
        painter.drawLine(QLineF(frame.rect.left(), y, frame.rect.right(), y))

    def tags(self, metrics: QFontMetricsF, frame: Frame) -> Sequence[Tag]:
        """Its name, right above or beneath it at the left, else at the right, else between; or at the top."""
        width, height, rect = width_of(metrics, self.text, DASHED), metrics.height(), frame.rect
        room = rect.width() - width - 2 * PAD
        if not self._is_seen(frame) or room < 0:
            return ()
        y = round(frame.to_y(self.value))
        best = level_top(y, height, (rect.top(), rect.bottom()))
        beside = dict.fromkeys((best, y + 3, y - height - 3))
        tops = [(share, top) for share in _ALONG for top in beside] + [(share, rect.top() + 2) for share in _ALONG]
        places = [QRectF(rect.left() + PAD + share * room, top, width, height) for share, top in tops]
        inside = [place for place in places if rect.contains(place)] or places[:1]
        return (Tag(self.text, inside, dashed=self.colour),)


def optimal_level() -> Level:
    """Of the largest mean return that any policy can have."""
    return Level(role="muted")


def show_optimal(level: Level, best: float | None) -> None:
    level.value, level.text = best, f"optimal {short_number(best, 4)}"


def person_level() -> Level:
    """Of the mean return of the person who plays."""
    return Level(role="person")


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
    """Vertical lines whose labels stand in ``rows`` at the top, or where they would cover data there, further down;
    without rows, none has one.

    Where there is no room for all, the last have their labels.
    """

    def __init__(self, rows: int = 3) -> None:
        self.rows = rows
        self.ground = "#000000"
        self.moments: Sequence[Moment] = ()

    def apply_theme(self, theme: Theme) -> None:
        self.ground = theme.surface

    def paint(self, painter: QPainter, frame: Frame) -> None:
        for moment in self._shown(frame):
            pen = pen_of(moment.colour, frame.thickness)
            if moment.dashed:
                pen.setDashPattern(DASHES)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(pen)
            x = round(frame.to_x(moment.x))
            painter.drawLine(QLineF(x, frame.rect.top(), x, frame.rect.bottom()))

    def _shown(self, frame: Frame) -> list[Moment]:
        return [m for m in self.moments if frame.x[0] <= m.x <= frame.x[1]]

    def tags(self, metrics: QFontMetricsF, frame: Frame) -> Sequence[Tag]:
        """The labels, that of the last first."""
        labelled = [m for m in self._shown(frame) if m.text][-_MOST_LABELLED:]
        return [Tag(m.text, self._places(m, metrics, frame)) for m in reversed(labelled)] if self.rows else ()

    def _places(self, moment: Moment, metrics: QFontMetricsF, frame: Frame) -> list[QRectF]:
        """At the right of the line, else at its left, in each row, as far as they are within the plot; then beneath."""
        rect, x, width, height = frame.rect, frame.to_x(moment.x), width_of(metrics, moment.text), metrics.height()
        lefts = [left for left in (x + 2, x - 1 - width) if rect.left() <= left and left + width <= rect.right()]
        whole = range(int((rect.height() - 2) // (height + 1)))
        groups = range(self.rows), [row for row in whole if row >= self.rows]
        rows = [(left, row) for group in groups for left in lefts for row in group]
        return [QRectF(left, rect.top() + 2 + row * (height + 1), width, height) for left, row in rows]


@dataclass(frozen=True)
class Shapes:
    """What stands upon the lines of moments, apart from them, so that it can lie above what lies above the lines."""

    of: Moments

    def paint(self, painter: QPainter, frame: Frame) -> None:
        for corners, moment in self._outlines(frame):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
            painter.setPen(pen_of(self.of.ground))
            painter.setBrush(QColor(moment.colour))
            painter.drawPolygon(corners)
            painter.setBrush(Qt.BrushStyle.NoBrush)

    def tags(self, metrics: QFontMetricsF, frame: Frame) -> Sequence[Tag]:
        """The room that each takes, which words leave free."""
        return [Tag("", [corners.boundingRect()]) for corners, _ in self._outlines(frame)]

    def _outlines(self, frame: Frame) -> Iterator[tuple[QPolygonF, Moment]]:
        for moment in self.of.moments:
            if moment.shape is None or not frame.x[0] <= moment.x <= frame.x[1]:
                continue
            reach = _REACH * frame.thickness
            x, y = frame.to_x(moment.x), frame.rect.bottom() - reach if moment.y is None else frame.to_y(moment.y)
            yield (
                QPolygonF(
                    [
                        QPointF(x + reach * length * math.sin(turn), y - reach * length * math.cos(turn))
                        for turn, length in _SHAPES[moment.shape]
                    ]
                ),
                moment,
            )


def level_top(y: float, height: float, span: tuple[float, float]) -> float:
    """Where the label of a level at ``y`` begins: above the line, but not in the two rows in which labels of moments
    stand, as long as there is room for it below."""
    crowded = y - 3 * height - 6 < span[0] and y + height + 3 <= span[1]
    return y + 3 if crowded else y - height - 3


@dataclass
class Name:
    """Which run a line is of, with the sign of the run, written near its last visible point."""

    line: Line
    style: RunStyle
    text: str = ""

    def tags(self, metrics: QFontMetricsF, frame: Frame) -> Sequence[Tag]:
        x, y = self.line.x, self.line.y
        seen = np.flatnonzero((x >= frame.x[0]) & (x <= frame.x[1]) & (y >= frame.y[0]) & (y <= frame.y[1]))
        if not self.text or not len(seen):
            return ()
        rect, height = frame.rect, metrics.height()
        sign = Sign(self.style, self.line.colour, _SIGN * WIDTH * height / 18.0)
        text = metrics.elidedText(self.text, Qt.TextElideMode.ElideRight, _WIDEST_NAME * rect.width() - sign.width)
        width = width_of(metrics, text, sign.width)
        at_x, at_y = frame.to_x(float(x[seen[-1]])), frame.to_y(float(y[seen[-1]]))
        lefts = dict.fromkeys((min(at_x + PAD, rect.right() - width), at_x - PAD - width, at_x - PAD - 2 * width))
        apart = [3 + row * (height + 1) for row in _ROWS]
        tops = [top for there in apart for top in (at_y - there - height, at_y + there)]
        places = [QRectF(left, top, width, height) for top in tops for left in lefts]
        return (Tag(text, [place for place in places if rect.contains(place)], sign),)
