"""What is drawn in a plot: small objects that paint data in pixels.

They are not pyqtgraph items because painting time is taken from training: dots as fragments of one pixmap cost an
eighth of a scatter plot, and a smooth line two pixels wide an eighth of a curve item's when it is drawn as hairlines
side by side, for which Qt has a fast path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen, QPixmap
from shiboken6 import wrapInstance

from app.plotting.axes import Range
from app.style.theme import blended

Numbers = NDArray[np.float64]
_NONE: Numbers = np.empty(0)
DASHES = [5.0, 4.0]
_UNSEEN = -4000.0  # pixels, where nobody sees what has no place
HAIRLINES = ((-0.35, -0.35), (0.35, -0.35), (-0.35, 0.35), (0.35, 0.35))


@dataclass(frozen=True)
class Frame:
    """How data lies in pixels: ``x`` and ``y`` are the visible ranges, ``rect`` is where they are shown.

    ``vector`` where it is not painted in pixels but written down as shapes. Lines and dots are ``thickness`` times as
    thick as on a screen of one's own.
    """

    rect: QRectF
    x: Range
    y: Range
    pixel_ratio: float = 1.0
    vector: bool = False
    thickness: float = 1.0

    def to_x(self, value: Any) -> Any:
        """Pixels of a number or an array; far outside is as good as just outside, and spares Qt large coordinates."""
        pixels = (value - self.x[0]) * (self.rect.width() / (self.x[1] - self.x[0]))
        return self.rect.left() + np.clip(pixels, -4000.0, 12000.0)

    def to_y(self, value: Any) -> Any:
        pixels = (value - self.y[0]) * (self.rect.height() / (self.y[1] - self.y[0]))
        return self.rect.bottom() - np.clip(pixels, -4000.0, 12000.0)


class Mark(Protocol):
    def paint(self, painter: QPainter, frame: Frame) -> None: ...


def pen_of(colour: str, width: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    return QPen(QColor(colour), width, style)


class Grid:
    """Lines at the axes' ticks; ``ticks`` are set by the plot before it paints."""

    def __init__(self) -> None:
        self.pen = QPen()
        self.x_ticks: Sequence[float] = ()
        self.y_ticks: Sequence[float] = ()

    def paint(self, painter: QPainter, frame: Frame) -> None:
        rect = frame.rect
        lines = []
        for x in self.x_ticks:
            at = round(frame.to_x(x))
            lines.append(QLineF(at, rect.top(), at, rect.bottom()))
        for y in self.y_ticks:
            at = round(frame.to_y(y))
            lines.append(QLineF(rect.left(), at, rect.right(), at))
        painter.setPen(self.pen)
        painter.drawLines(lines)


class Line:
    """A smooth opaque line through points without NaN, whole or with dashes and gaps in widths of it."""

    def __init__(self, width: int = 2, *, dash: Sequence[float] = ()) -> None:
        self.width = width
        self.dash = dash
        self.colour = "#000000"
        self.x, self.y = _NONE, _NONE

    def paint(self, painter: QPainter, frame: Frame) -> None:
        if len(self.x) == 0:
            return
        x, y = frame.to_x(self.x), frame.to_y(self.y)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        if len(x) == 1:
            painter.setPen(pen_of(self.colour, self.width * frame.thickness + 2))
            painter.drawPoint(QPointF(x[0], y[0]))
            return
        path = pg.arrayToQPath(x, y, connect="all", finiteCheck=False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self.width == 2 and frame.pixel_ratio == frame.thickness == 1 and not frame.vector:
            painter.setPen(pen_of(self.colour))
            for dx, dy in HAIRLINES:
                painter.translate(dx, dy)
                painter.drawPath(path)
                painter.translate(-dx, -dy)
        else:
            pen = pen_of(self.colour, self.width * frame.thickness)
            if self.dash:
                pen.setDashPattern(self.dash)
            painter.setPen(pen)
            painter.drawPath(path)


class Lines:
    """Many thin lines at once, as one path with a NaN behind each."""

    def __init__(self) -> None:
        self.colour = "#000000"
        self.x, self.y = _NONE, _NONE

    def paint(self, painter: QPainter, frame: Frame) -> None:
        if len(self.x) == 0:
            return
        path = pg.arrayToQPath(frame.to_x(self.x), frame.to_y(self.y), connect="finite")
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen_of(self.colour, frame.thickness))
        painter.drawPath(path)


class Band:
    """The area between two curves over the same x, without NaN."""

    def __init__(self) -> None:
        self.colour = QColor()
        self.x, self.low, self.high = _NONE, _NONE, _NONE

    def paint(self, painter: QPainter, frame: Frame) -> None:
        if len(self.x) < 2:
            return
        x = frame.to_x(np.concatenate([self.x, self.x[::-1]]))
        # At least a hairline wide, so that a calm stretch between two restless ones does not look like a gap.
        y = np.concatenate([frame.to_y(self.high) - 0.5, frame.to_y(self.low[::-1]) + 0.5])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.fillPath(pg.arrayToQPath(x, y, connect="all", finiteCheck=False), self.colour)


class Dots:
    """Faint round dots that darken where they overlap; one at NaN is not drawn."""

    def __init__(self, diameter: float = 4.0) -> None:
        self._diameter = diameter
        self._colour = QColor()
        self._pixmap: QPixmap | None = None
        self._fragments = np.empty((0, 10))
        self.x, self.y = _NONE, _NONE

    def set_colour(self, colour: str, opacity: float) -> None:
        self._colour = QColor(colour)
        self._colour.setAlphaF(opacity)
        self._pixmap = None

    def paint(self, painter: QPainter, frame: Frame) -> None:
        count = len(self.x)
        if not count:
            return
        if frame.vector:
            self._paint_shapes(painter, frame)
            return
        scale = frame.pixel_ratio * frame.thickness
        if self._pixmap is None or self._pixmap.width() != self._side(scale):
            self._pixmap = self._drawn(scale)
        if len(self._fragments) < count:
            self._fragments = np.zeros((count + count // 2, 10))
            self._fragments[:, 9] = 1.0
        # QPainter::PixmapFragment: x, y, sourceLeft, sourceTop, width, height, scaleX, scaleY, rotation, opacity.
        self._fragments[:count, 0], self._fragments[:count, 1] = self._places(frame)
        self._fragments[:count, 4:6] = self._pixmap.width()
        self._fragments[:count, 6:8] = 1.0 / frame.pixel_ratio
        wrapped = wrapInstance(self._fragments.ctypes.data, QPainter.PixmapFragment)
        fragments = cast(QPainter.PixmapFragment, wrapped)
        painter.drawPixmapFragments(fragments, count, self._pixmap)

    def _places(self, frame: Frame) -> tuple[Numbers, Numbers]:
        """In pixels; at NaN, Qt would write anywhere in memory."""
        x, y = frame.to_x(self.x), frame.to_y(self.y)
        return np.nan_to_num(x, nan=_UNSEEN), np.nan_to_num(y, nan=_UNSEEN)

    def _paint_shapes(self, painter: QPainter, frame: Frame) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._colour)
        radius = self._diameter / 2 * frame.thickness
        for x, y in zip(*(pixels.tolist() for pixels in self._places(frame)), strict=True):
            if frame.rect.contains(x, y):
                painter.drawEllipse(QPointF(x, y), radius, radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _side(self, scale: float) -> int:
        return 2 * round((self._diameter / 2 + 1) * scale)

    def _drawn(self, scale: float) -> QPixmap:
        side = self._side(scale)
        pixmap = QPixmap(side, side)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._colour)
        radius = self._diameter / 2 * scale
        painter.drawEllipse(QPointF(side / 2, side / 2), radius, radius)
        painter.end()
        return pixmap


class Bars:
    """Bars of equal width from 0 up: those left of ``centre`` are hatched, the others filled."""

    def __init__(self) -> None:
        self.positive = QColor()
        self.edges, self.heights, self.width = _NONE, _NONE, 1.0
        self.centre = 0.0
        self._negative: tuple[QColor, QBrush] = QColor(), QBrush()

    def set_negative(self, colour: str, ground: str) -> None:
        """The colour of the stripes; between them is a tint of it."""
        self._negative = hatched(colour, ground)

    def paint(self, painter: QPainter, frame: Frame) -> None:
        bottom = frame.to_y(0.0)
        lefts = np.round(frame.to_x(self.edges))
        rights = np.round(frame.to_x(self.edges + self.width))
        tops = frame.to_y(self.heights)
        tint, stripes = self._negative
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for edge, left, right, top, height in zip(self.edges, lefts, rights, tops, self.heights, strict=True):
            if height > 0:
                # A gap between bars, and at least a pixel of height: a rare value must not vanish.
                rect = QRectF(left, min(top, bottom - 1), max(right - left - 1, 1), max(bottom - top, 1))
                if edge < self.centre - self.width / 2:
                    painter.fillRect(rect, tint)
                    painter.fillRect(rect, stripes)
                else:
                    painter.fillRect(rect, self.positive)


def hatched(colour: str, ground: str) -> tuple[QColor, QBrush]:
    """A tint of ``colour`` over ``ground``, and stripes of it to lay over that."""
    return blended(colour, ground, 0.45), QBrush(QColor(colour), Qt.BrushStyle.BDiagPattern)
