"""What is drawn on a map of heights: the heights as tints with lines of equal ones, paths, arrows and outlines."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen, QPolygonF

from app.panels.lab.landscape.contours import contour
from app.plotting.axes import Range
from app.plotting.colour_bar import ColourBar, Pixels, image_of
from app.plotting.marks import Frame, Numbers, pen_of
from app.style.theme import Theme, blended

_NONE: Numbers = np.empty(0)
_LEVELS, _FEW = 14, 6  # steps between lines of equal height, few where blocks are drawn
_STEPS = 256  # of colours
_LEAST, _MOST = 0.03, 0.42  # of the text's colour in a tint
_HEAD = 7.0  # pixels, half of what stands at a path's end
_TIP = 9.0  # pixels, of an arrow


class Heights:
    """Numbers over a rectangle, as tints that are the stronger the higher, with lines of equal height over them.

    ``scale`` are the numbers of the weakest and of the strongest tint. Lines are drawn at even steps of the root of
    what is missing to the greatest number: around a peak they are equally far from each other, and one sees it however
    deep the valleys are.
    """

    def __init__(self) -> None:
        self.heights: NDArray[np.float64] = np.empty((0, 0))  # [rows, columns], the first row the lowest
        self.x: Range = (0.0, 1.0)
        self.y: Range = (0.0, 1.0)
        self.scale: Range = (0.0, 1.0)
        self.blocks = False  # whether each number is drawn as a rectangle of its own
        self._theme: Theme | None = None
        self._image: QImage | None = None
        self._lines: list[NDArray[np.float64]] = []

    def show(self, heights: NDArray[np.float64], x: Range, y: Range, scale: Range) -> None:
        """``heights`` whose outermost columns and rows are at the ends of ``x`` and ``y``; NaN where none is known."""
        self.heights, self.x, self.y, self.scale = heights, x, y, scale
        self._image = None
        missing = np.linspace(1.0, 0.0, (_FEW if self.blocks else _LEVELS) + 1)[1:-1] ** 2
        levels = scale[1] - (scale[1] - scale[0]) * missing if scale[1] > scale[0] else np.empty(0)
        self._lines = [contour(heights, level) for level in levels.tolist()]

    def apply_theme(self, theme: Theme) -> None:
        self._theme, self._image = theme, None

    def bar(self, symbol: str) -> ColourBar | None:
        """What the tints mean; None while there are none."""
        if self._theme is None or not np.isfinite(self.heights).any():
            return None
        return ColourBar(symbol, *self.scale, tinted(np.linspace(*self.scale, _STEPS), self.scale, self._theme))

    def paint(self, painter: QPainter, frame: Frame) -> None:
        if self.heights.size == 0 or self._theme is None:
            return
        if self._image is None:
            self._image = image_of(tinted(self.heights, self.scale, self._theme))
        rows, columns = self.heights.shape
        step_x = (self.x[1] - self.x[0]) / max(columns - 1, 1)
        step_y = (self.y[1] - self.y[0]) / max(rows - 1, 1)
        left, right = frame.to_x(self.x[0] - step_x / 2), frame.to_x(self.x[1] + step_x / 2)
        top, bottom = frame.to_y(self.y[1] + step_y / 2), frame.to_y(self.y[0] - step_y / 2)
        painter.save()
        painter.setClipRect(frame.rect)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not self.blocks)
        painter.drawImage(QRectF(QPointF(left, top), QPointF(right, bottom)), self._image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(_faint(self._theme), 1.0))
        for segments in self._lines:
            x = frame.to_x(self.x[0] + segments[:, 0::2] * step_x)
            y = frame.to_y(self.y[0] + segments[:, 1::2] * step_y)
            ends = np.stack((x, y), -1).reshape(-1, 2)
            painter.drawPath(pg.arrayToQPath(ends[:, 0], ends[:, 1], connect="pairs", finiteCheck=False))
        painter.restore()


def _faint(theme: Theme) -> QColor:
    colour = QColor(theme.text)
    colour.setAlphaF(0.35)
    return colour


def tinted(heights: NDArray[np.float64], scale: Range, theme: Theme) -> Pixels:
    """The colour of each, of the same shape; none where it is NaN."""
    span = scale[1] - scale[0]
    missing = np.clip((scale[1] - heights) / span, 0.0, 1.0) if span > 0.0 else np.full_like(heights, 0.25)
    share = 1.0 - np.sqrt(missing)
    low, high = (blended(theme.text, theme.surface, part) for part in (_LEAST, _MOST))
    ends = np.array([[c.red(), c.green(), c.blue()] for c in (low, high)], np.float64)
    known = np.isfinite(heights)
    rgb = ends[0] + np.where(known, share, 0.0)[..., None] * (ends[1] - ends[0])
    red, green, blue = np.moveaxis(rgb.round().astype(np.uint32), -1, 0)
    found: Pixels = np.uint32(0xFF000000) | red << np.uint32(16) | green << np.uint32(8) | blue
    return np.where(known, found, np.uint32(0))


class Path:
    """A line with a darker or lighter one around it, so that it is seen on every ground, and a sign at its end."""

    def __init__(self, sign: str = "") -> None:
        self.sign = sign
        self.colour, self.ground = "#000000", "#ffffff"
        self.x, self.y = _NONE, _NONE

    def paint(self, painter: QPainter, frame: Frame) -> None:
        if not len(self.x):
            return
        painter.save()
        painter.setClipRect(frame.rect)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        path = pg.arrayToQPath(frame.to_x(self.x), frame.to_y(self.y), connect="all", finiteCheck=False)
        for colour, width in ((self.ground, 4.0), (self.colour, 2.0)):
            pen = pen_of(colour, width * frame.thickness)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            painter.drawPath(path)
        painter.restore()

    def paint_head(self, painter: QPainter, frame: Frame) -> None:
        """The sign at its end, once it has left its beginning; at the edge, where that is beyond it."""
        if len(self.x) < 2:
            return
        radius = _HEAD * frame.thickness
        room = frame.rect.adjusted(radius, radius, -radius, -radius)
        x = min(max(float(frame.to_x(self.x[-1])), room.left()), room.right())
        y = min(max(float(frame.to_y(self.y[-1])), room.top()), room.bottom())
        draw_sign(painter, QPointF(x, y), radius, self.sign, (self.colour, self.ground))


def draw_sign(painter: QPainter, at: QPointF, radius: float, sign: str, colours: tuple[str, str]) -> None:
    """A disc with a letter in it; of these colours of disc and letter."""
    colour, ground = colours
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(pen_of(ground, 1.5))
    painter.setBrush(QColor(colour))
    painter.drawEllipse(at, radius, radius)
    painter.save()
    font = QFont(painter.font())
    font.setPixelSize(max(round(1.4 * radius), 1))
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(QColor(ground))
    area = QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius)
    painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter), sign)
    painter.restore()
    painter.setBrush(Qt.BrushStyle.NoBrush)


class Heads:
    """The signs of all paths, above all lines."""

    def __init__(self, paths: list[Path]) -> None:
        self._paths = paths

    def paint(self, painter: QPainter, frame: Frame) -> None:
        for path in self._paths:
            path.paint_head(painter, frame)


class Arrow:
    """From one place to another; a dot where they are nearly the same; nothing where either is unknown."""

    def __init__(self) -> None:
        self.colour, self.ground = "#000000", "#ffffff"
        self.start: tuple[float, float] | None = None
        self.end: tuple[float, float] = (0.0, 0.0)

    def paint(self, painter: QPainter, frame: Frame) -> None:
        if self.start is None:
            return
        start = QPointF(frame.to_x(self.start[0]), frame.to_y(self.start[1]))
        end = QPointF(frame.to_x(self.end[0]), frame.to_y(self.end[1]))
        painter.save()
        painter.setClipRect(frame.rect)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        line = QLineF(start, end)
        for colour, width in ((self.ground, 4.5), (self.colour, 2.5)):
            painter.setPen(pen_of(colour, width))
            painter.setBrush(QColor(colour))
            if line.length() < 3.0:
                painter.drawEllipse(start, 1.5, 1.5)
                continue
            painter.drawLine(line)
            along = QPointF(line.dx(), line.dy()) / line.length()
            aside = QPointF(-along.y(), along.x())
            tip = min(_TIP, 0.6 * line.length())
            corners = [end - along * tip + aside * (part * tip) for part in (0.45, -0.45)]
            painter.drawPolygon(QPolygonF([end, *corners]))
        painter.restore()


class Outline:
    """A closed line through points."""

    def __init__(self) -> None:
        self.colour, self.ground = "#000000", "#ffffff"
        self.points: NDArray[np.float64] = np.empty((0, 2))

    def paint(self, painter: QPainter, frame: Frame) -> None:
        if not len(self.points):
            return
        painter.save()
        painter.setClipRect(frame.rect)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        around = np.concatenate((self.points, self.points[:1]))
        path = pg.arrayToQPath(frame.to_x(around[:, 0]), frame.to_y(around[:, 1]), connect="all", finiteCheck=False)
        for colour, width in ((self.ground, 3.5), (self.colour, 1.5)):
            painter.setPen(pen_of(colour, width))
            painter.drawPath(path)
        painter.restore()


class Start:
    """A ring where all paths begin, and what is said of it."""

    def __init__(self) -> None:
        self.colour, self.ground, self.text = "#000000", "#ffffff", ""
        self.at: tuple[float, float] | None = None

    def paint(self, painter: QPainter, frame: Frame) -> None:
        if self.at is None:
            return
        place = QPointF(frame.to_x(self.at[0]), frame.to_y(self.at[1]))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((self.ground, 4.5), (self.colour, 2.0)):
            painter.setPen(pen_of(colour, width))
            painter.drawEllipse(place, 5.0, 5.0)
        if self.text:
            metrics = painter.fontMetrics()
            area = QRectF(place.x() + 9.0, place.y() - metrics.height() / 2, 0.0, metrics.height())
            area.setWidth(metrics.horizontalAdvance(self.text) + 6.0)
            painter.fillRect(area, QColor(self.ground))
            painter.setPen(QColor(self.colour))
            painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter), self.text)
