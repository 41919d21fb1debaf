"""Words in a plot, and where they go: where they cover as little of the data as they can, and never each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from app.models.run_style import RunStyle
from app.plotting.marks import DASHES, Dots, Frame, Numbers, pen_of
from app.plotting.run_sign import HEIGHT, draw_run_sign
from app.style.theme import Theme

PAD = 4.0  # pixels at either side of the words
DASHED = 23.0  # pixels of a dashed line before the words that are its name
_SIGN_PAD = 4.0  # between a sign and the words beside it
_MOST_DOTS = 400  # that are looked at: a share of very many says as well where they lie
_EVERY = 4.0  # pixels from one point of a line that is looked at to the next
_SHAPE = 50.0  # points that a small shape counts for
_CLOSE = 8.0  # pixels


@dataclass(frozen=True)
class Sign:
    """The look of the run that the words are of, ``width`` pixels wide."""

    style: RunStyle
    colour: str
    width: float


@dataclass(frozen=True)
class Tag:
    """Words and where they may stand, the best first. Without words it is kept free for a shape that stands there.
    ``dashed`` is the colour of the dashed line that they name, where they name one, from which they may stand apart."""

    text: str
    places: Sequence[QRectF]
    sign: Sign | None = None
    dashed: str = ""


class Worded(Protocol):
    """A mark with words to it."""

    def tags(self, metrics: QFontMetricsF, frame: Frame) -> Sequence[Tag]: ...


class Curve(Protocol):
    """A line through points, ``x`` ascending."""

    x: Numbers
    y: Numbers


def width_of(metrics: QFontMetricsF, text: str, before: float = 0.0) -> float:
    """How wide a tag is that has something so wide before its words."""
    return metrics.horizontalAdvance(text) + 2 * PAD + (before + _SIGN_PAD if before else 0.0)


class Tags:
    """Paints the words of several marks, of the first first, over what lies beneath. ``clear_of`` is what they are to
    leave uncovered as far as there is such a place."""

    def __init__(self, of: Sequence[Worded], clear_of: Sequence[Dots | Curve]) -> None:
        self.of, self.clear_of = of, clear_of
        self.ink, self.ground = "#000000", "#000000"

    def apply_theme(self, theme: Theme) -> None:
        self.ink, self.ground = theme.text, theme.surface

    def paint(self, painter: QPainter, frame: Frame) -> None:
        for tag, place in self.placed(QFontMetricsF(painter.font()), frame):
            _paint(painter, tag, place, (self.ink, self.ground))

    def placed(self, metrics: QFontMetricsF, frame: Frame) -> list[tuple[Tag, QRectF]]:
        """All that have a place, with it."""
        told = [tag for mark in self.of for tag in mark.tags(metrics, frame)]
        if not told:
            return []
        points = _points(self.clear_of, frame)
        shapes = [_grid(tag.places[0]) for tag in told if not tag.text]
        points = np.concatenate([points, *shapes])
        found: list[tuple[Tag, QRectF]] = []
        for tag in told:
            place = freest(tag.places, points, [there for _, there in found]) if tag.text else None
            if place is not None:
                found.append((tag, place))
        return found


def freest(places: Sequence[QRectF], points: Numbers, taken: Sequence[QRectF]) -> QRectF | None:
    """The place that covers the least, the first of those that cover equally little; None where each would lie over
    something ``taken``.

    Args:
        points: [n, 3], where each lies in pixels and what it counts for.
    """
    allowed = [place for place in places if not any(place.intersects(there) for there in taken)]
    if not allowed:
        return None
    edges = np.array([[place.left(), place.top(), place.right(), place.bottom()] for place in allowed])
    left, top, right, bottom = (edges[:, [side]] for side in range(4))
    x, y, counts = points.T
    covered = ((x >= left) & (x <= right) & (y >= top) & (y <= bottom)) @ counts
    return allowed[int(np.argmin(covered))]


def _points(of: Sequence[Dots | Curve], frame: Frame) -> Numbers:
    """Where data lies, [n, 3]: in pixels, each counting for 1."""
    found = [np.empty((0, 2))]
    for mark in of:
        if not len(mark.x):
            continue
        if isinstance(mark, Dots):
            some = slice(None, None, max(len(mark.x) // _MOST_DOTS, 1))
            x, y = frame.to_x(mark.x[some]), frame.to_y(mark.y[some])
        else:
            ends = frame.to_x(mark.x)
            x = np.arange(max(ends[0], frame.rect.left()), min(ends[-1], frame.rect.right()) + 1.0, _EVERY)
            y = np.interp(x, ends, frame.to_y(mark.y))
        found.append(np.column_stack([x, y]))
    points = np.concatenate(found)
    return np.column_stack([points, np.ones(len(points))])


def _grid(place: QRectF) -> Numbers:
    """Points all over a shape, so close that no words fit between them, which together count for much."""
    columns, rows = (max(3, round(length / _CLOSE)) for length in (place.width(), place.height()))
    x, y = np.meshgrid(
        np.linspace(place.left(), place.right(), columns), np.linspace(place.top(), place.bottom(), rows)
    )
    return np.column_stack([x.ravel(), y.ravel(), np.full(x.size, _SHAPE / 9)])


def _paint(painter: QPainter, tag: Tag, place: QRectF, colours: tuple[str, str]) -> None:
    """On a patch of the ground, so that data does not cross it."""
    ink, ground = colours
    painter.fillRect(place, QColor(ground))
    words, alignment = place, Qt.AlignmentFlag.AlignCenter
    if tag.sign is not None:
        height = HEIGHT * place.height() / 18.0
        sign = QRectF(place.left() + PAD, place.center().y() - height / 2, tag.sign.width, height)
        draw_run_sign(painter, tag.sign.style, tag.sign.colour, sign)
        words = place.adjusted(PAD + tag.sign.width + _SIGN_PAD, 0.0, 0.0, 0.0)
        alignment = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    if tag.dashed:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        pen = pen_of(tag.dashed, DASHED / (3 * DASHES[0] + 2 * DASHES[1]))  # three dashes of it
        pen.setDashPattern(DASHES)
        painter.setPen(pen)
        left, middle = place.left() + PAD, round(place.center().y())
        painter.drawLine(QLineF(left, middle, left + DASHED, middle))
        words = place.adjusted(PAD + DASHED + _SIGN_PAD, 0.0, 0.0, 0.0)
        alignment = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    painter.setPen(QColor(ink))
    painter.drawText(words, int(alignment), tag.text)
