"""What stands in a cell: a number, the policy as arrows, or what each action is worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from app.style.format import short_number
from app.style.theme import Theme

_LEAST_TEXT = 7.0  # pixels; smaller, numbers cannot be read and are told on hover alone
NAMED = {
    "S": "start",
    "G": "goal",
    "H": "hole",
    "#": "wall",
    "C": "cliff",
    "r": "red",
    "g": "green",
    "y": "yellow",
    "b": "blue",
}
_FILLED = 0.92  # of the width that a number has
_AIR = 0.065  # of a cell at either side, so that numbers beside each other stay apart
_SMALLER = 0.8  # as far a number is made smaller before it has less digits
_CENTRE = Qt.AlignmentFlag.AlignCenter
_SEEN = 0.02  # a probability below which nothing is drawn of an action


class Cell(NamedTuple):
    """Where it is, what is behind it, and how it is written in."""

    area: QRectF
    ground: QColor
    theme: Theme
    font: QFont

    @property
    def digits(self) -> float:
        """How many pixels its number is high: even in a small cell so many that it can be read."""
        height = self.area.height()
        return max(min(0.27 * height, self.theme.px(15)), min(0.4 * height, 9.0))

    def in_pixels(self, size: float) -> QFont:
        font = QFont(self.font)
        font.setPixelSize(max(round(size), 1))
        return font


class Action(NamedTuple):
    """An action in a cell: where it leads, (right, down) or None where it does not move; what it is worth, how likely
    it is, the colour of its worth, and the letter that stands for it."""

    way: tuple[int, int] | None
    value: float
    chance: float
    colour: QColor
    letter: str


def ink_on(ground: QColor) -> QColor:
    """Black or white, whichever is seen better."""
    light = 0.299 * ground.redF() + 0.587 * ground.greenF() + 0.114 * ground.blueF()
    return QColor("#101418" if light > 0.5 else "#ffffff")


def write_value(painter: QPainter, cell: Cell, value: float) -> None:
    """The number in the upper part of the cell, as large as fits."""
    area, size = cell.area, cell.digits
    air = _AIR * area.width()
    room = QRectF(area.left() + air, area.top() + 1, area.width() - 2 * air, 1.3 * size)
    digits = 3 if area.width() >= cell.theme.px(44) else 2
    _write(painter, cell, room, _written(value, digits), size)


def _written(value: float, digits: int) -> list[str]:
    """A number, and shorter: with less digits, and without the 0 before the point."""
    texts = [short_number(value, fewer) for fewer in range(digits, 0, -1)]
    return [*texts, *(text.replace("0.", ".", 1) for text in texts[-2:] if text.lstrip("−").startswith("0."))]


def _write(
    painter: QPainter, cell: Cell, room: QRectF, texts: Sequence[str], size: float, ground: QColor | None = None
) -> None:
    """One of ``texts`` in the middle of ``room``, where one can be read there."""
    text, size = fitted(cell, room.width(), texts, size)
    if text:
        painter.setPen(ink_on(ground or cell.ground))
        painter.setFont(cell.in_pixels(size))
        painter.drawText(room, _CENTRE, text)


def fitted(cell: Cell, width: float, texts: Sequence[str], size: float) -> tuple[str, float]:
    """The first of ``texts`` that has air at both sides, and its size in pixels: smaller where that is little, and by
    more only where a shorter one cannot be had; empty where none can be read."""
    metrics = QFontMetricsF(cell.in_pixels(size))
    sizes = [min(1.0, _FILLED * width / max(metrics.horizontalAdvance(text), 1.0)) * size for text in texts]
    for least in (max(_SMALLER * size, _LEAST_TEXT), _LEAST_TEXT):
        for text, small in zip(texts, sizes, strict=True):
            if small >= least:
                return text, small
    return "", 0.0


def draw_policy(
    painter: QPainter,
    cell: Cell,
    chances: Sequence[float],
    ways: Sequence[tuple[int, int] | None],
    letters: Sequence[str],
) -> None:
    """An arrow for each action that moves, as long and dark as it is likely, beneath the number; a letter for the
    likeliest other."""
    area, ink = cell.area, ink_on(cell.ground)
    head = max(0.075 * area.height(), 2.0)
    above = 1.0 + 1.15 * cell.digits  # where the number ends
    middle = max(0.67 * area.height(), 0.5 * (above + area.height()))
    reach = min(0.22 * area.height(), area.height() - middle - head - 0.5, middle - above - head)
    centre = QPointF(area.center().x(), area.top() + middle)
    for way, share in zip(ways, chances, strict=True):
        if way is None or share < _SEEN:
            continue
        ink.setAlphaF(0.25 + 0.75 * share)
        length = reach * (0.25 + 0.75 * share)
        tip = centre + QPointF(way[0] * length, way[1] * length)
        painter.setPen(QPen(ink, max(area.height() / 26, 1.0)))
        painter.drawLine(centre, tip)
        along, across = QPointF(way[0] * head, way[1] * head), QPointF(-way[1] * head, way[0] * head)
        painter.setBrush(ink)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawPolygon([tip + along, tip - along * 0.4 + across, tip - along * 0.4 - across])
    others = [(chances[action], action) for action, way in enumerate(ways) if way is None]
    share, action = max(others, default=(0.0, 0))
    if share >= _SEEN and (len(others) == len(ways) or share >= 0.2):
        ink.setAlphaF(0.25 + 0.75 * share)
        painter.setPen(ink)
        apart = any(chance >= _SEEN for way, chance in zip(ways, chances, strict=True) if way is not None)
        painter.setFont(cell.in_pixels((0.26 if apart else 0.36) * area.height()))
        aside = 0.56 * area.width() if apart else 0.0  # where no arrow is
        painter.drawText(area.adjusted(0, 0.3 * area.height(), -aside, 0), _CENTRE, letters[action])


def draw_action_values(painter: QPainter, cell: Cell, actions: Sequence[Action]) -> None:
    """What each action is worth: in a triangle at the side to which it leads, and of others in strips, at the middle
    where there are both. Dots are at those that the policy takes."""
    moving = [action for action in actions if action.way is not None]
    still = [action for action in actions if action.way is None]
    area = cell.area.adjusted(0.5, 0.5, -0.5, -0.5)
    for action in moving:
        _draw_triangle(painter, cell, area, action, 0.44 if still else 0.26)
    if not still:
        return
    if moving:  # strips no wider than leaves the triangles to be seen
        side = 0.36 * area.width()
        area = QRectF(area.center().x() - side / 2, area.center().y() - side / 2, side, side)
    height = area.height() / len(still)
    for number, action in enumerate(still):
        strip = QRectF(area.left(), area.top() + number * height, area.width(), height)
        _fill(painter, cell, QPolygonF(strip), action)
        texts = [action.letter] if moving else [f"{action.letter} {text}" for text in _written(action.value, 2)]
        _write(painter, cell, strip, texts, min(0.6 * height, cell.theme.px(13)), action.colour)
        _draw_dot(painter, action, QPointF(strip.left() + 0.1 * strip.width(), strip.center().y()), area.height())


def _draw_triangle(painter: QPainter, cell: Cell, area: QRectF, action: Action, inner: float) -> None:
    """Its dot is so far from the middle, as a share of the way to the side."""
    assert action.way is not None
    right, down = action.way
    centre, half = area.center(), area.width() / 2
    middle = centre + QPointF(right * half, down * half)
    along = QPointF(down * half, right * half)
    _fill(painter, cell, QPolygonF([centre, middle - along, middle + along]), action)
    size = min(0.17 * area.height(), cell.theme.px(12))
    at = centre + QPointF(right * 0.64 * half, down * 0.74 * half)
    room = QRectF(at.x() - 0.36 * half, at.y() - 0.65 * size, 0.72 * half, 1.3 * size)
    if down:
        room.adjust(-0.3 * half, 0, 0.3 * half, 0)
    _write(painter, cell, room, _written(action.value, 2), size, action.colour)
    _draw_dot(painter, action, centre + QPointF(right * inner * half, down * inner * half), area.height())


def _fill(painter: QPainter, cell: Cell, shape: QPolygonF, action: Action) -> None:
    painter.setPen(QPen(QColor(cell.theme.line), 1))
    painter.setBrush(action.colour)
    painter.drawPolygon(shape)


def _draw_dot(painter: QPainter, action: Action, at: QPointF, height: float) -> None:
    if action.chance >= _SEEN:
        ink = ink_on(action.colour)
        ink.setAlphaF(0.25 + 0.75 * action.chance)
        radius = max(0.045 * height, 1.5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawEllipse(at, radius, radius)
