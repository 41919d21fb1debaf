"""What a plot tells under the mouse: the nearest point, read out in a small tag above the data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.models.run_style import RunStyle
from app.plotting.labels import Moment
from app.plotting.marks import Frame, Numbers, pen_of
from app.plotting.run_sign import draw_run_sign
from app.style.theme import Theme

NEAR = 14.0  # pixels from the mouse to a dot that it is meant to read out
_NEAR_A_LINE = 5.0  # pixels from the mouse to a moment
_PAD = 6.0
_AWAY = 12.0  # pixels from the point to its tag
_RING = 4.5
_SIGN = 2.0  # heights of a line, before what is told of a run


@dataclass(frozen=True)
class RunPoint:
    """Where a run's line is at a reading's ``x``, in its look there."""

    y: float
    style: RunStyle
    colour: str


@dataclass(frozen=True)
class Reading:
    """A point at ``x`` and ``y`` of the data, and what it is, in lines of words. A ring of ``colour`` marks it; where
    that is empty, only a line does.

    Where it is of several runs, ``runs`` has for each of the last lines the point that it tells of.
    """

    x: float
    y: float
    lines: tuple[str, ...]
    colour: str = ""
    runs: tuple[RunPoint, ...] = ()


@dataclass(frozen=True)
class Pointer:
    """Where the mouse is, in pixels of ``frame``."""

    frame: Frame
    x: float
    y: float

    @property
    def data_x(self) -> float:
        frame = self.frame
        return frame.x[0] + (self.x - frame.rect.left()) * (frame.x[1] - frame.x[0]) / max(frame.rect.width(), 1.0)

    def nearest(self, x: Numbers) -> int | None:
        """The index of what is nearest in x alone, among what can be seen."""
        seen = np.flatnonzero((x >= self.frame.x[0]) & (x <= self.frame.x[1]))
        if not len(seen):
            return None
        return int(seen[np.argmin(np.abs(x[seen] - self.data_x))])

    def distances(self, x: Numbers, y: Numbers) -> Numbers:
        """How many pixels away each point is."""
        distances: Numbers = np.hypot(self.frame.to_x(x) - self.x, self.frame.to_y(y) - self.y)
        return distances

    def moments(self, moments: Sequence[Moment]) -> tuple[str, ...]:
        """The words of the moments under the mouse."""
        return tuple(m.text for m in moments if m.text and abs(self.frame.to_x(m.x) - self.x) <= _NEAR_A_LINE)


Probe = Callable[[Pointer], Reading | None]
"""What a plot has to read out at a place."""


class Readout(QGraphicsItem):
    """Paints a reading above a plot, in pixels of the whole of it.

    Args:
        read: the reading and the frame it lies in, asked for at each painting; None where there is none.
    """

    def __init__(self, read: Callable[[], tuple[Reading, Frame] | None]) -> None:
        super().__init__()
        self._read = read
        self._rect = QRectF()
        self._theme: Theme | None = None
        self._font = QFont()
        self.avoid = QRectF()  # where buttons lie
        self.setZValue(1e6)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.hide()

    def apply_theme(self, theme: Theme, font: QFont) -> None:
        self._theme, self._font = theme, font

    def cover(self, rect: QRectF) -> None:
        """Paint anywhere in ``rect``."""
        if rect != self._rect:
            self.prepareGeometryChange()
            self._rect = rect

    def boundingRect(self) -> QRectF:
        return self._rect

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        reading = self._read() if widget is not None else None  # files hold the data alone
        if reading is None or self._theme is None:
            return
        told, frame = reading
        at = QPointF(frame.to_x(told.x), frame.to_y(told.y))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        pen = pen_of(self._theme.muted)
        pen.setDashPattern([2.0, 3.0])
        painter.setPen(pen)
        painter.drawLine(QLineF(round(at.x()), frame.rect.top(), round(at.x()), frame.rect.bottom()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        if told.colour:
            painter.setPen(pen_of(self._theme.text, 1.5))
            painter.setBrush(QColor(told.colour))
            painter.drawEllipse(at, _RING, _RING)
        for point in told.runs:
            painter.setPen(pen_of(self._theme.text, 1.5))
            painter.setBrush(QColor(point.colour))
            painter.drawEllipse(QPointF(at.x(), frame.to_y(point.y)), _RING, _RING)
        # Not in the margin at the right, where a button may be.
        room = QRectF(self._rect)
        room.setRight(frame.rect.right())
        self._paint_tag(painter, told, at, room)

    def _paint_tag(self, painter: QPainter, told: Reading, at: QPointF, room: QRectF) -> None:
        assert self._theme is not None
        metrics = QFontMetricsF(self._font)
        most = max(int((room.height() - _PAD) / metrics.height()), 1)
        sign = _SIGN * metrics.height() if told.runs else 0.0
        lines: Sequence[str]
        if told.runs:  # each on a line of its own, as far as there is room
            lines = told.lines if len(told.lines) <= most else [*told.lines[: most - 1], _more(told, most - 1)]
        else:
            lines = fitted(told.lines, metrics.horizontalAdvance, room.width() - 2 * _PAD - 2, most)
        width = max(map(metrics.horizontalAdvance, lines)) + 2 * _PAD + sign
        height = len(lines) * metrics.height() + _PAD
        tag = tag_place(at, (width, height), room, self.avoid)
        painter.setPen(pen_of(self._theme.edge))
        painter.setBrush(QColor(self._theme.raised))
        painter.drawRoundedRect(tag, 4.0, 4.0)
        painter.setFont(self._font)
        painter.setPen(QColor(self._theme.text))
        for number, line in enumerate(lines):
            place = QRectF(tag.left() + _PAD, tag.top() + _PAD / 2 + number * metrics.height(), width, metrics.height())
            of_run = number - (len(told.lines) - len(told.runs))
            if told.runs and of_run >= 0:
                if line == told.lines[number]:
                    point = told.runs[of_run]
                    stretch = QRectF(place.left(), place.top() + 2, sign - _PAD, place.height() - 4)
                    draw_run_sign(painter, point.style, point.colour, stretch)
                place.setLeft(place.left() + sign)
                painter.setPen(QColor(self._theme.text))
            painter.drawText(place, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), line)


def _more(told: Reading, shown: int) -> str:
    """What stands for the runs that have no room."""
    return f"and {len(told.lines) - shown} more"


def fitted(lines: Sequence[str], width_of: Callable[[str], float], room: float, most: int) -> list[str]:
    """``lines`` as at most ``most`` that are no wider than ``room``: broken where they are too wide, put beside each
    other where they are too many, and cut only where neither helps."""
    broken = [part for line in lines for part in _broken(line, width_of, room)]
    if len(broken) > most:
        broken = _broken(" · ".join(lines), width_of, room)
    return [*broken[: most - 1], " ".join(broken[most - 1 :])] if len(broken) > most else broken


def _broken(line: str, width_of: Callable[[str], float], room: float) -> list[str]:
    parts = [""]
    for word in line.split(" "):
        longer = f"{parts[-1]} {word}".strip()
        if width_of(longer) <= room or not parts[-1]:
            parts[-1] = longer
        else:
            parts.append(word)
    return parts


def tag_place(at: QPointF, size: tuple[float, float], room: QRectF, avoid: QRectF) -> QRectF:
    """Where a tag of ``size`` stands in ``room``: at the right of its point, else at the left, wholly inside, and not
    behind what it is to ``avoid`` where there is room beneath that."""
    width, height = size
    left = at.x() + _AWAY
    if left + width > room.right() - 1:
        left = at.x() - _AWAY - width
    left = min(max(left, room.left()), max(room.right() - 1 - width, room.left()))
    lowest = max(room.bottom() - 1 - height, room.top())
    tag = QRectF(left, min(max(at.y() - height / 2, room.top()), lowest), width, height)
    if tag.intersects(avoid):
        tag.moveTop(min(avoid.bottom() + 2, lowest))
    return tag
