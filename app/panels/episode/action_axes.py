"""How a choice of continuous actions is drawn: an axis for each, with the distribution on it and the action taken."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen, QPolygonF

from app.panels.episode.action_drawings import GAP, LEFT, RIGHT, Ink, action_label, and_more, draw_dot, written
from app.style.format import NOTHING, minus, short_number
from engine.catalogue.spaces import Space
from engine.reports.frames import BoundedDecision, Decision, GaussianDecision

if TYPE_CHECKING:  # the window shows before numpy is loaded
    import numpy as np
    from numpy.typing import NDArray

ROOMY = 3  # as many axes get a line for their numbers and one for their bounds
MOST_AXES = 24


Numbers = GaussianDecision | BoundedDecision
_TRACK = 16.0  # pixels
_MOST_DECIMALS = 5


class Axes:
    """Within the action's bounds, a Gaussian's mean as a line and ± σ as a band, or a density that knows the bounds as
    the area under its curve; the action as a dot.

    An axis without bounds grows as far as it has had to reach so far, in round steps.
    """

    def __init__(self, space: Space) -> None:
        self.caption = "Spread of each action (dot: the action taken)"
        self._shown = min(space.size, MOST_AXES)
        self._labels = [action_label(space, index) for index in range(self._shown)]
        self._hidden = space.size - self._shown
        self._roomy = space.size <= ROOMY
        self._reach = [1.0] * self._shown
        self._spans: list[tuple[float, float]] = []  # from where to where each axis goes; empty before a decision
        self._rooms: list[float] = []  # pixels for each action's number, the same while its axis is

    def _row(self, ink: Ink) -> int:
        text, small = QFontMetricsF(ink.font).height(), QFontMetricsF(ink.small).height()
        return math.ceil(text + small + _TRACK) + 12 if self._roomy else math.ceil(text) + 12

    def height(self, ink: Ink) -> int:
        return (self._shown + bool(self._hidden)) * self._row(ink)

    def paint(self, painter: QPainter, ink: Ink, width: float, decision: Decision | None) -> None:
        chosen = decision if isinstance(decision, Numbers) else None
        if isinstance(chosen, GaussianDecision):
            spread, taken = abs(chosen.mean) + 2 * chosen.std, abs(chosen.action)
            shown = slice(self._shown)
            needed = zip(self._reach, spread[shown].tolist(), taken[shown].tolist(), strict=True)
            self._reach = [max(each) for each in needed]
        self._settle(QFontMetricsF(ink.font), chosen)
        row = self._row(ink)
        for index in range(self._shown):
            place = QRectF(0, index * row, width, row)
            if self._roomy:
                self._paint_roomy(painter, ink, place, (index, chosen))
            else:
                self._paint_tight(painter, ink, place, (index, chosen))
        if self._hidden:
            painter.setPen(ink.muted)
            painter.drawText(QRectF(0, self._shown * row, width, row), LEFT, f"and {self._hidden:,} more")

    def _paint_roomy(self, painter: QPainter, ink: Ink, place: QRectF, shown: tuple[int, Numbers | None]) -> None:
        """The name and the numbers above the axis, its bounds below."""
        index, chosen = shown
        text = QFontMetricsF(ink.font).height()
        head = QRectF(place.left(), place.top(), place.width(), text)
        track = QRectF(place.left() + 6, head.bottom() + 5, place.width() - 12, _TRACK)
        painter.setFont(ink.font)
        painter.setPen(ink.text)
        painter.drawText(head, LEFT, self._labels[index])
        painter.setPen(ink.text if chosen else ink.muted)
        painter.drawText(head, RIGHT, self._taken(index, chosen))
        if chosen:
            number = self._rooms[index] + 10
            draw_dot(painter, ink, QPointF(head.right() - number, head.center().y()))
            painter.setPen(ink.muted)
            spread = _spread(index, chosen, self._width(index))
            painter.drawText(head.adjusted(0, 0, -number - 20, 0), RIGHT, spread)
            self._paint_value(painter, head, number + 20 + QFontMetricsF(ink.font).horizontalAdvance(spread), shown)
        self._paint_track(painter, ink, track, shown)
        if chosen:
            self._paint_bounds(painter, ink, track, (index, chosen))

    def _paint_value(self, painter: QPainter, head: QRectF, taken: float, shown: tuple[int, Numbers | None]) -> None:
        """How high the line of values is where the action stands, beside the name, where there is room."""
        index, chosen = shown
        value = None if chosen is None else _value(index, chosen)
        if value is None:
            return
        metrics, text = painter.fontMetrics(), f"Q {written(value)}"
        left = metrics.horizontalAdvance(self._labels[index]) + GAP
        if left + metrics.horizontalAdvance(text) + GAP <= head.width() - taken:
            painter.drawText(head.adjusted(left, 0, 0, 0), LEFT, text)

    def _paint_bounds(self, painter: QPainter, ink: Ink, track: QRectF, shown: tuple[int, Numbers]) -> None:
        index, chosen = shown
        low, high = self._spans[index]
        under = QRectF(track.left() - 6, track.bottom() + 3, track.width() + 12, QFontMetricsF(ink.small).height())
        painter.setFont(ink.small)
        painter.setPen(ink.muted)
        painter.drawText(under, LEFT, short_number(low))
        painter.drawText(under, RIGHT, short_number(high))
        if isinstance(chosen, GaussianDecision) and chosen.clipped[index]:
            painter.drawText(under, Qt.AlignmentFlag.AlignCenter, "clipped to the bounds")
        elif low < 0 < high:
            zero = track.left() - low / (high - low) * track.width()
            painter.drawText(QRectF(zero - 20, under.top(), 40, under.height()), Qt.AlignmentFlag.AlignCenter, "0")

    def _paint_tight(self, painter: QPainter, ink: Ink, place: QRectF, shown: tuple[int, Numbers | None]) -> None:
        """Name, axis and action in one line."""
        index, chosen = shown
        metrics = QFontMetricsF(ink.font)
        name = min(math.ceil(max(map(metrics.horizontalAdvance, self._labels))) + 1, place.width() * 0.4)
        number = max(self._rooms)
        painter.setFont(ink.font)
        painter.setPen(ink.text)
        label = metrics.elidedText(self._labels[index], Qt.TextElideMode.ElideRight, name)
        painter.drawText(place, LEFT, label)
        painter.setPen(ink.text if chosen else ink.muted)
        painter.drawText(place, RIGHT, self._taken(index, chosen))
        left, height = name + GAP, 14.0
        track = QRectF(left, place.center().y() - height / 2, place.width() - left - number - GAP, height)
        self._paint_track(painter, ink, track, shown)

    def _paint_track(self, painter: QPainter, ink: Ink, track: QRectF, shown: tuple[int, Numbers | None]) -> None:
        index, chosen = shown
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink.track)
        painter.drawRoundedRect(track, 3, 3)
        if chosen is None:
            return
        low, high = self._spans[index]

        def at(value: float) -> float:
            return track.left() + (min(max(value, low), high) - low) / (high - low) * track.width()

        action = float(chosen.action[index])
        if isinstance(chosen, BoundedDecision):
            _paint_density(painter, ink, track, chosen.densities[index])
            peak = at(float(chosen.middle[index]))
        else:
            mean, std = float(chosen.mean[index]), float(chosen.std[index])
            left, right = at(mean - std), at(mean + std)
            painter.fillRect(QRectF(left, track.top(), max(right - left, 1.0), track.height()), ink.band)
            peak = at(mean)
        if chosen.worth is not None:
            _paint_worth(painter, ink, track, chosen.worth[index])
        painter.fillRect(QRectF(peak - 1.5, track.top() - 3, 3, track.height() + 6), ink.fill)
        outside = (action < low) - (action > high)
        _draw_action(painter, ink, QPointF(at(action), track.center().y()), outside)

    def _taken(self, index: int, chosen: Numbers | None) -> str:
        return NOTHING if chosen is None else _signed(chosen.action[index], self._width(index))

    def _width(self, index: int) -> float:
        low, high = self._spans[index]
        return high - low

    def _settle(self, metrics: QFontMetricsF, chosen: Numbers | None) -> None:
        """Find where the axes end, and how much room the numbers on them take."""
        spans = [self._span(index, chosen) for index in range(self._shown)] if chosen else []
        if spans != self._spans or not self._rooms:
            self._spans = spans
            usual = metrics.horizontalAdvance("−88.88")
            ends = [[_signed(end, high - low) for end in (low, high)] for low, high in spans]
            wide = [max(usual, *map(metrics.horizontalAdvance, texts)) for texts in ends]
            self._rooms = wide or [usual] * self._shown

    def _span(self, index: int, chosen: Numbers) -> tuple[float, float]:
        low, high = float(chosen.low[index]), float(chosen.high[index])
        reach = _round_up(self._reach[index])
        low = low if math.isfinite(low) else min(-reach, high - reach)
        high = high if math.isfinite(high) else max(reach, low + reach)
        return (low, high) if high > low else (low - 1.0, low + 1.0)


def _paint_density(painter: QPainter, ink: Ink, track: QRectF, densities: NDArray[np.float32]) -> None:
    """The area under the curve, which spans the track from bound to bound."""
    pitch = track.width() / len(densities)
    ys = (track.bottom() - densities * track.height()).tolist()
    curve = [QPointF(track.left() + (index + 0.5) * pitch, y) for index, y in enumerate(ys)]
    ends = [QPointF(track.left(), curve[0].y()), *curve, QPointF(track.right(), curve[-1].y())]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink.band)
    painter.drawPolygon(QPolygonF([track.bottomLeft(), *ends, track.bottomRight()]))


def _paint_worth(painter: QPainter, ink: Ink, track: QRectF, worth: NDArray[np.float32]) -> None:
    """What an action at each place would be worth, as a line from the least at the bottom to the most at the top."""
    least, most = float(worth.min()), float(worth.max())
    height = track.height() - 4
    shares = ((worth - least) / (most - least) if most > least else 0.0 * worth + 0.5).tolist()
    pitch = track.width() / (len(shares) - 1)
    points = [QPointF(track.left() + i * pitch, track.bottom() - 2 - share * height) for i, share in enumerate(shares)]
    painter.setPen(QPen(ink.text, 1.5))
    painter.drawPolyline(points)
    painter.setPen(Qt.PenStyle.NoPen)


def _value(index: int, chosen: Numbers) -> float | None:
    """What the line of values has for the action taken; None where there is no line."""
    if chosen.worth is None:
        return None
    low, high, worth = float(chosen.low[index]), float(chosen.high[index]), chosen.worth[index].tolist()
    place = (min(max(float(chosen.action[index]), low), high) - low) / (high - low) * (len(worth) - 1)
    left = min(int(place), len(worth) - 2)
    value: float = worth[left] + (place - left) * (worth[left + 1] - worth[left])
    return value


def _spread(index: int, chosen: Numbers, width: float) -> str:
    if isinstance(chosen, BoundedDecision):
        return f"greedy {_signed(chosen.middle[index], width)}"
    return f"{_signed(chosen.mean[index], width)} ± {_steady(chosen.std[index], width)}"


def words_of_numbers(space: Space, decision: Numbers) -> str:
    """The distributions and the actions taken, in words."""
    parts = []
    for index, action in enumerate(decision.action[:MOST_AXES].tolist()):
        bounded = float(decision.high[index]) - float(decision.low[index])
        width = bounded if math.isfinite(bounded) else 1.0
        if isinstance(decision, BoundedDecision):
            about = f"greedy {_steady(decision.middle[index], width)}"
        else:
            about = f"mean {_steady(decision.mean[index], width)}, σ {_steady(decision.std[index], width)}"
        value = _value(index, decision)
        about += "" if value is None else f", worth {written(value)}"
        parts.append(minus(f"{action_label(space, index)}: {about}, taken {_steady(action, width)}"))
    return "; ".join([*parts, *and_more(space.size - len(parts))])


def _draw_action(painter: QPainter, ink: Ink, at: QPointF, outside: int) -> None:
    """A dot, or at the axis' end an arrow that points to where the action lies: ``outside`` is 1 below, −1 above."""
    if not outside:
        draw_dot(painter, ink, at, 5.5)
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink.taken)
    tip, back = at.x() - 6 * outside, at.x() + 5 * outside
    painter.drawPolygon(QPolygonF([QPointF(tip, at.y()), QPointF(back, at.y() - 7), QPointF(back, at.y() + 7)]))


def _signed(value: float, width: float) -> str:
    text = minus(_steady(value, width))
    return text if text.startswith("−") else "+" + text


def _steady(value: float, width: float) -> str:
    """``value`` with as many decimals as it takes to tell places apart on an axis of this ``width``."""
    decimals = 0 if width >= 100 else max(2, 1 - math.floor(math.log10(max(width, 1e-300))))
    return f"{value:.{decimals}f}" if abs(value) < 10_000 and decimals <= _MOST_DECIMALS else short_number(value)


def _round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20 … times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))
