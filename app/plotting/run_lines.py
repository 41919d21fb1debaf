"""Lines of several runs in one plot: each in its own style, with its markers upon it and its name at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from app.models.run_style import RunStyle
from app.plotting.marks import HAIRLINES, Frame, Numbers
from app.plotting.run_sign import draw_marker, pen_for
from app.plotting.tags import Tag
from app.style.theme import Theme

MANY = 12  # lines, from which on all are thin and none is named at its end
_EVERY = 96.0  # pixels from one marker of a line to the next
_SHIFT = 37.0  # pixels by which the markers of a run stand further right than those of the one before
_MARKER, _PAD = 4.0, 6.0
_OF_LETTERS = 0.27  # of their height: how far the marker beside a name reaches
_LEAST = 40.0  # pixels that a name needs
_SLACK = 3.0  # pixels, since a place on an axis falls upon no whole one


@dataclass
class RunLine:
    """One run's line through points without NaN, ``x`` ascending."""

    run: str
    number: int
    name: str
    style: RunStyle
    colour: str = "#000000"
    x: Numbers = field(default_factory=lambda: np.empty(0))
    y: Numbers = field(default_factory=lambda: np.empty(0))


class RunLines:
    """Paints the lines, the first on top."""

    def __init__(self) -> None:
        self.lines: Sequence[RunLine] = ()

    def paint(self, painter: QPainter, frame: Frame) -> None:
        thin = len(self.lines) > MANY
        for line in reversed(self.lines):
            if len(line.x):
                self._paint_line(painter, frame, line, thin)
        for line in reversed(self.lines):
            if len(line.x):
                _paint_markers(painter, frame, line, 0.7 if thin else 1.0)

    def _paint_line(self, painter: QPainter, frame: Frame, line: RunLine, thin: bool) -> None:
        if len(line.x) == 1:
            return
        path = pg.arrayToQPath(frame.to_x(line.x), frame.to_y(line.y), connect="all", finiteCheck=False)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if frame.pixel_ratio != 1 or frame.thickness != 1 or frame.vector:
            painter.setPen(pen_for(line.style, line.colour, (1.0 if thin else 2.0) * frame.thickness))
            painter.drawPath(path)
            return
        # Hairlines, for which Qt has a fast path, with dashes as long as those of a line two pixels wide.
        pen = QPen(QColor(line.colour), 1.0)
        if line.style.dash:
            pen.setDashPattern([2.0 * length for length in line.style.dash])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        for dx, dy in ((0.0, 0.0),) if thin else HAIRLINES:
            painter.translate(dx, dy)
            painter.drawPath(path)
            painter.translate(-dx, -dy)


def _paint_markers(painter: QPainter, frame: Frame, line: RunLine, scale: float) -> None:
    """Markers at even distances, so that those of one run are never all hidden behind another's."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    left, right = frame.to_x(float(line.x[0])), frame.to_x(float(line.x[-1]))
    left, right = max(left, frame.rect.left()), min(right, frame.rect.right())
    reach = _MARKER * scale * frame.thickness
    first = frame.rect.left() + (_SHIFT * line.number) % _EVERY
    places = np.arange(first, right, _EVERY)
    places = places[places >= left]
    if len(line.x) == 1:
        places = np.array([left])
    width = frame.rect.width() / (frame.x[1] - frame.x[0])
    data = frame.x[0] + (places - frame.rect.left()) / width
    heights = frame.to_y(np.interp(data, line.x, line.y))
    for x, y in zip(places.tolist(), heights.tolist(), strict=True):
        if frame.rect.top() <= y <= frame.rect.bottom():
            draw_marker(painter, line.style.marker, QPointF(x, y), line.colour, reach)


class EndNames:
    """The name of each run beside the last visible point of its line, none over another; none where they are many."""

    def __init__(self, of: RunLines) -> None:
        self._of = of
        self.ink, self.ground = "#000000", "#000000"

    def apply_theme(self, theme: Theme) -> None:
        self.ink, self.ground = theme.text, theme.surface

    def width(self, letters: QFontMetricsF) -> float:
        """The pixels that the longest name needs beside its line."""
        named = self._of.lines if len(self._of.lines) <= MANY else ()
        return max((letters.horizontalAdvance(line.name) + _around(letters) + _SLACK for line in named), default=0.0)

    def paint(self, painter: QPainter, frame: Frame) -> None:
        metrics = QFontMetricsF(painter.font())
        reach = _reach(metrics)
        for line, text, place in self._placed(metrics, frame):
            painter.fillRect(place, QColor(self.ground))
            marker = QPointF(place.left() + reach + 1, place.center().y())
            draw_marker(painter, line.style.marker, marker, line.colour, reach)
            painter.setPen(QColor(self.ink))
            words = place.adjusted(2 * reach + _PAD, 0, 2, 0)
            painter.drawText(words, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), text)

    def tags(self, metrics: QFontMetricsF, frame: Frame) -> Sequence[Tag]:
        """The room that each takes, which other words leave free."""
        return [Tag("", [place]) for _, _, place in self._placed(metrics, frame)]

    def _placed(self, metrics: QFontMetricsF, frame: Frame) -> Iterator[tuple[RunLine, str, QRectF]]:
        """What is written of which line, and where."""
        if len(self._of.lines) > MANY:
            return
        rect = frame.rect
        ends = [(line, at) for line in self._of.lines if (at := _end(line, frame)) is not None]
        ends.sort(key=lambda found: found[1].y())
        tops = spread([at.y() - metrics.height() / 2 for _, at in ends], metrics.height(), (rect.top(), rect.bottom()))
        for (line, at), top in zip(ends, tops, strict=True):
            left = at.x() + _PAD
            room = rect.right() - at.x() - _around(metrics)
            if room < _LEAST:
                continue
            text = metrics.elidedText(line.name, Qt.TextElideMode.ElideMiddle, room)  # what differs stands at its end
            width = metrics.horizontalAdvance(text) + 2 * _PAD + 2 * _reach(metrics)
            yield line, text, QRectF(left, top, width, metrics.height())


def _reach(letters: QFontMetricsF) -> float:
    """How far the marker beside a name reaches from its middle: as suits the letters, in front of a room as well."""
    return _OF_LETTERS * letters.height()


def _around(letters: QFontMetricsF) -> float:
    """What a name needs besides its letters."""
    return 3 * _PAD + 2 * _reach(letters)


def _end(line: RunLine, frame: Frame) -> QPointF | None:
    """The last point of a line that can be seen, in pixels."""
    seen = np.flatnonzero(
        (line.x >= frame.x[0]) & (line.x <= frame.x[1]) & (line.y >= frame.y[0]) & (line.y <= frame.y[1])
    )
    if not len(seen):
        return None
    return QPointF(frame.to_x(float(line.x[seen[-1]])), frame.to_y(float(line.y[seen[-1]])))


def spread(tops: Sequence[float], height: float, within: tuple[float, float]) -> list[float]:
    """Ascending places as near to ``tops`` as keeps them ``height`` apart and within, where there is room for all."""
    placed: list[float] = []
    for top in tops:
        placed.append(max(top, placed[-1] + height if placed else within[0]))
    lowest = within[1] - height
    for index in reversed(range(len(placed))):
        placed[index] = min(placed[index], lowest)
        lowest = placed[index] - height
    return placed
