"""What stands on a slice: its colours, the agent, numbers that were found, and axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from app.panels.surface.trail import Trail
from app.plotting.axes import nice_ticks
from app.plotting.colour_bar import Pixels, image_of
from app.style.format import tick_labels
from app.style.theme import Theme

Range = tuple[float, float]
Ranges = tuple[Range, Range]
_TAIL = 40  # steps of the episode that plays, which are joined by a line
_DARK, _LIGHT = QColor(16, 20, 24), QColor(255, 255, 255)


@dataclass(frozen=True)
class Plane:
    """How the ``ranges`` of a slice lie in the pixels of ``area``."""

    area: QRectF
    ranges: Ranges

    def x(self, x: float) -> float:
        (low, high), area = self.ranges[0], self.area
        return area.left() + (x - low) / (high - low) * area.width()

    def y(self, y: float) -> float:
        (low, high), area = self.ranges[1], self.area
        return area.bottom() - (y - low) / (high - low) * area.height()

    def at(self, x: float, y: float) -> QPointF:
        return QPointF(self.x(x), self.y(y))

    def point(self, place: QPointF) -> tuple[float, float]:
        """What a place shows."""
        area, (across, up) = self.area, self.ranges
        right, down = (place.x() - area.left()) / area.width(), (place.y() - area.top()) / area.height()
        return across[0] + right * (across[1] - across[0]), up[1] - down * (up[1] - up[0])


@dataclass(frozen=True)
class Picture:
    """Pixels [rows, columns] of a slice, the lowest row first, whose outermost points lie at the ends of ``ranges``."""

    pixels: Pixels
    ranges: Ranges
    smooth: bool = True


@dataclass(frozen=True)
class Label:
    """A word in the middle of where it holds."""

    text: str
    x: float
    y: float


@dataclass(frozen=True)
class Disc:
    """A number that was found at a point, in the colour that it would have on the map."""

    x: float
    y: float
    colour: int


def ticks(range_: Range, most: float = 4) -> tuple[list[float], list[str]]:
    """Where ticks stand in a range, and what they say."""
    step, values = nice_ticks(*range_, most)
    return values, tick_labels(values, step)


class Ground:
    """A picture, ready to be drawn in any plane."""

    def __init__(self, picture: Picture) -> None:
        rows, columns = picture.pixels.shape
        self._image = image_of(picture.pixels)
        self._ranges, self._smooth = _with_edges(picture.ranges, columns, rows), picture.smooth

    def draw(self, painter: QPainter, plane: Plane) -> None:
        across, up = self._ranges
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._smooth)
        painter.drawImage(QRectF(plane.at(across[0], up[1]), plane.at(across[1], up[0])), self._image)


def draw_agent(painter: QPainter, plane: Plane, trail: Trail, theme: Theme) -> None:
    """Where it is, and the way that it has come."""
    first = len(trail.x) - min(trail.playing, _TAIL)
    way = [plane.at(x, y) for x, y in zip(trail.x[first:].tolist(), trail.y[first:].tolist(), strict=True)]
    jump = 0.5 * min(plane.area.width(), plane.area.height())  # an angle that has come around
    for width, colour in ((4.0, _DARK), (2.0, _LIGHT)):
        for number, (begin, end) in enumerate(pairwise(way), start=1):
            if abs(end.x() - begin.x()) + abs(end.y() - begin.y()) < jump:
                ink = QColor(colour)
                ink.setAlphaF(0.85 * number / len(way) * max(float(trail.seen[first + number]), 0.3))
                painter.setPen(QPen(ink, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
                painter.drawLine(begin, end)
    radius = theme.px(6)
    painter.setBrush(QColor(theme.marker))
    for width, colour in ((5.0, _DARK), (2.5, _LIGHT)):
        painter.setPen(QPen(colour, width))
        painter.drawEllipse(way[-1], radius, radius)


def draw_discs(painter: QPainter, plane: Plane, discs: Sequence[Disc]) -> None:
    """Without an edge, so that those vanish that are as the map has it."""
    radius = max(min(plane.area.width(), plane.area.height()) / 48, 2.5)
    painter.setPen(Qt.PenStyle.NoPen)
    for disc in discs:
        painter.setBrush(QColor(disc.colour))
        painter.drawEllipse(plane.at(disc.x, disc.y), radius, radius)


def draw_cross(painter: QPainter, plane: Plane, at: tuple[float, float]) -> None:
    place, area = plane.at(*at), plane.area
    for width, colour in ((3.0, _DARK), (1.0, _LIGHT)):
        painter.setPen(QPen(colour, width))
        painter.drawLine(QPointF(place.x(), area.top()), QPointF(place.x(), area.bottom()))
        painter.drawLine(QPointF(area.left(), place.y()), QPointF(area.right(), place.y()))


def label_rooms(metrics: QFontMetricsF, plane: Plane, labels: Sequence[Label]) -> list[QRectF]:
    """Where each word stands: where it holds, or right above or below another one that stands there."""
    area = plane.area
    rooms: list[QRectF] = []
    for label in labels:
        room = QRectF(0, 0, metrics.horizontalAdvance(label.text) + 10, metrics.height() + 2)
        room.moveCenter(plane.at(label.x, label.y))
        room.moveLeft(min(max(room.left(), area.left() + 2), max(area.right() - room.width() - 2, area.left())))
        room.moveTop(min(max(room.top(), area.top() + 2), area.bottom() - room.height() - 2))
        down = 1 if room.center().y() < area.center().y() else -1
        for _ in range(len(rooms)):
            if (met := next((each for each in rooms if each.intersects(room)), None)) is not None:
                room.moveTop(met.bottom() + 1 if down > 0 else met.top() - room.height() - 1)
        rooms.append(room)
    return rooms


def draw_labels(painter: QPainter, plane: Plane, labels: Sequence[Label]) -> None:
    """Words that can be read on any ground."""
    ground = QColor(_DARK)
    ground.setAlphaF(0.72)
    rooms = label_rooms(QFontMetricsF(painter.font()), plane, labels)
    for label, room in zip(labels, rooms, strict=True):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(room, 4, 4)
        painter.setPen(_LIGHT)
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, label.text)


def draw_axes(painter: QPainter, plane: Plane, edge: QColor, ink: QColor, width: float) -> None:
    """A frame of ``edge`` with ticks; ``width`` is that of the whole widget."""
    metrics, area = QFontMetricsF(painter.font()), plane.area
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(edge, 1))
    painter.drawRect(area)
    painter.setPen(ink)
    for value, text in zip(*ticks(plane.ranges[0]), strict=True):
        x, wide = plane.x(value), metrics.horizontalAdvance(text)
        painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 3))
        left = min(max(x - wide / 2, 0.0), width - wide)
        painter.drawText(QPointF(left, area.bottom() + 4 + metrics.ascent()), text)
    for value, text in zip(*ticks(plane.ranges[1]), strict=True):
        y = plane.y(value)
        painter.drawLine(QPointF(area.left() - 3, y), QPointF(area.left(), y))
        baseline = max(y + metrics.ascent() / 2 - 1, metrics.ascent())
        painter.drawText(QPointF(area.left() - 6 - metrics.horizontalAdvance(text), baseline), text)


def _with_edges(ranges: Ranges, columns: int, rows: int) -> Ranges:
    """With half a point more on all sides, so that each stands in the middle of its pixel."""
    found = []
    for (low, high), count in zip(ranges, (columns, rows), strict=True):
        half = (high - low) / max(count - 1, 1) / 2
        found.append((low - half, high + half))
    return found[0], found[1]
