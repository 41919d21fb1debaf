"""How a decision is drawn: bars for few discrete actions, columns for many, an axis for each continuous one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPolygonF

from app.theme import Theme
from app.widgets.format import NOTHING, minus, short_number
from app.widgets.labels import tabular
from app.widgets.marks import blended
from app.widgets.sentence import smaller
from engine.catalogue import Space
from engine.frames import Decision, GaussianDecision, SoftmaxDecision

MOST_BARS = 8
MOST_AXES = 8
_GAP = 8.0
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True)
class Ink:
    """Colours and fonts to draw with."""

    ground: QColor
    track: QColor
    fill: QColor
    band: QColor
    line: QColor
    text: QColor
    muted: QColor
    taken: QColor
    font: QFont
    small: QFont

    @classmethod
    def of(cls, theme: Theme, font: QFont) -> Ink:
        return cls(
            ground=QColor(theme.surface),
            track=QColor(theme.raised),
            fill=QColor(theme.policy),
            band=blended(theme.policy, theme.raised, 0.55),
            line=QColor(theme.line),
            text=QColor(theme.text),
            muted=QColor(theme.muted),
            taken=QColor(theme.marker),
            font=tabular(font),
            small=tabular(smaller(font)),
        )


class Drawing(Protocol):
    """``caption`` says in a few words what is drawn; ``height`` is fixed, whatever is decided."""

    caption: str

    def height(self, ink: Ink) -> int: ...

    def paint(self, painter: QPainter, ink: Ink, width: float, decision: Decision | None) -> None: ...


def drawing_of(space: Space) -> Drawing:
    if space.kind == "box":
        return Axes(space)
    return Bars(space) if space.size <= MOST_BARS else Columns(space)


def action_label(space: Space, index: int) -> str:
    return space.labels[index] if index < len(space.labels) else f"action {index}"


def _fraction(value: float) -> str:
    return f"{value:.2f}"


class Bars:
    """One horizontal bar per action, from 0 to 1; a dot marks the action taken."""

    caption = "Action probabilities; the dot marks the action taken"

    def __init__(self, space: Space) -> None:
        self._labels = [action_label(space, index) for index in range(space.size)]

    def _row(self, ink: Ink) -> int:
        return math.ceil(QFontMetricsF(ink.font).height()) + 14

    def height(self, ink: Ink) -> int:
        return len(self._labels) * self._row(ink)

    def paint(self, painter: QPainter, ink: Ink, width: float, decision: Decision | None) -> None:
        chosen = decision if isinstance(decision, SoftmaxDecision) else None
        metrics = QFontMetricsF(ink.font)
        row, dot = self._row(ink), 16.0
        longest = max(metrics.horizontalAdvance(label) for label in self._labels)
        name = min(math.ceil(longest) + 1, width * 0.4)
        number = metrics.horizontalAdvance(_fraction(0.88))
        left = dot + name + _GAP
        track = QRectF(left, 0, max(width - left - number - _GAP, 1), 14)
        painter.setFont(ink.font)
        for index, label in enumerate(self._labels):
            top = index * row
            painter.setPen(ink.text)
            shown = metrics.elidedText(label, Qt.TextElideMode.ElideRight, name)
            painter.drawText(QRectF(dot, top, name + 1, row), _LEFT, shown)
            painter.setPen(ink.text if chosen else ink.muted)
            text = _fraction(float(chosen.probabilities[index])) if chosen else NOTHING
            painter.drawText(QRectF(track.right(), top, width - track.right(), row), _RIGHT, text)
            track.moveTop(top + (row - track.height()) / 2)
            share = float(chosen.probabilities[index]) if chosen else 0.0
            _bar(painter, ink, track, share)
            if chosen and chosen.action == index:
                _dot(painter, ink, QPointF(5, top + row / 2))


def _bar(painter: QPainter, ink: Ink, track: QRectF, share: float) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink.track)
    painter.drawRoundedRect(track, 3, 3)
    if share > 0:
        painter.setBrush(ink.fill)
        painter.drawRoundedRect(QRectF(track.left(), track.top(), max(share * track.width(), 2), track.height()), 3, 3)


def _dot(painter: QPainter, ink: Ink, at: QPointF, radius: float = 4.5) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink.taken)
    painter.drawEllipse(at, radius, radius)


class Columns:
    """One thin column per action, for more actions than bars would fit; the action taken is named below."""

    caption = "Action probabilities; the dot marks the action taken"
    _scales = (0.05, 0.1, 0.2, 0.5, 1.0)

    def __init__(self, space: Space) -> None:
        self._space = space

    def height(self, ink: Ink) -> int:
        return 96 + 8 + math.ceil(QFontMetricsF(ink.font).height()) + 4

    def paint(self, painter: QPainter, ink: Ink, width: float, decision: Decision | None) -> None:
        chosen = decision if isinstance(decision, SoftmaxDecision) else None
        numbers = QFontMetricsF(ink.small).horizontalAdvance("0.05") + _GAP
        area = QRectF(numbers, 8, width - numbers, 80)
        weights = chosen.probabilities if chosen else np.zeros(self._space.size, np.float32)
        columns, each = _joined(weights, int(area.width() / 3))
        # The scale jumps between a few round values instead of following every change.
        scale = next(scale for scale in self._scales if scale >= min(float(columns.max()), 1.0) or scale == 1.0)
        painter.setFont(ink.small)
        painter.setPen(ink.muted)
        height = QFontMetricsF(ink.small).height()
        for value in (0.0, scale):
            y = area.bottom() - value / scale * area.height()
            painter.drawText(QRectF(0, y - height / 2, numbers - _GAP, height), _RIGHT, f"{value:g}")
            painter.fillRect(QRectF(area.left(), round(y), area.width(), 1), ink.line)
        pitch = area.width() / len(columns)
        gap = 2.0 if pitch >= 6 else 1.0 if pitch >= 3 else 0.0
        taken = chosen.action // each if chosen else -1
        for index, weight in enumerate(columns.tolist()):
            tall = min(weight / scale, 1.0) * area.height()
            column = QRectF(area.left() + index * pitch, area.bottom() - tall, max(pitch - gap, 1.0), tall)
            painter.fillRect(column, ink.taken if index == taken else ink.fill)
        if chosen:
            self._name_taken(painter, ink, QRectF(0, 96 + 8, width, self.height(ink) - 104), chosen)

    def _name_taken(self, painter: QPainter, ink: Ink, line: QRectF, chosen: SoftmaxDecision) -> None:
        _dot(painter, ink, QPointF(5, line.center().y()))
        painter.setFont(ink.font)
        painter.setPen(ink.text)
        painter.drawText(line.adjusted(16, 0, -48, 0), _LEFT, action_label(self._space, chosen.action))
        painter.drawText(line, _RIGHT, _fraction(float(chosen.probabilities[chosen.action])))


def _joined(weights: Any, most: int) -> tuple[Any, int]:
    """At most ``most`` columns, each the largest of ``each`` neighbours: a single likely action must stay visible."""
    each = max(1, math.ceil(len(weights) / max(most, 1)))
    padded = np.zeros(math.ceil(len(weights) / each) * each)
    padded[: len(weights)] = weights
    return padded.reshape(-1, each).max(1), each


class Axes:
    """One axis per continuous action: the mean as a line, ± σ as a band, the action as a dot, in the action's bounds."""

    caption = "Mean ± σ of each action; the dot is the action taken"

    def __init__(self, space: Space) -> None:
        self._labels = [action_label(space, index) for index in range(space.size)]
        self._shown = min(space.size, MOST_AXES)
        self._reach = np.ones(space.size)  # how far an axis without bounds has had to reach so far

    def _row(self, ink: Ink) -> int:
        return math.ceil(QFontMetricsF(ink.font).height() + QFontMetricsF(ink.small).height()) + 18

    def height(self, ink: Ink) -> int:
        hidden = len(self._labels) > self._shown
        return self._shown * self._row(ink) + (math.ceil(QFontMetricsF(ink.small).height()) if hidden else 0)

    def paint(self, painter: QPainter, ink: Ink, width: float, decision: Decision | None) -> None:
        chosen = decision if isinstance(decision, GaussianDecision) else None
        if chosen:
            needed = np.maximum(np.abs(chosen.mean) + 2 * chosen.std, np.abs(chosen.action))
            self._reach = np.maximum(self._reach, needed)
        row = self._row(ink)
        for index in range(self._shown):
            painter.translate(0, index * row)
            self._paint_axis(painter, ink, width, (index, chosen))
            painter.translate(0, -index * row)
        if len(self._labels) > self._shown:
            painter.setFont(ink.small)
            painter.setPen(ink.muted)
            more = f"and {len(self._labels) - self._shown} more"
            painter.drawText(QRectF(0, self._shown * row, width, row), Qt.AlignmentFlag.AlignTop, more)

    def _paint_axis(
        self, painter: QPainter, ink: Ink, width: float, shown: tuple[int, GaussianDecision | None]
    ) -> None:
        index, chosen = shown
        text, small = QFontMetricsF(ink.font).height(), QFontMetricsF(ink.small).height()
        track = QRectF(6, text + 5, width - 12, 10)
        painter.setFont(ink.font)
        painter.setPen(ink.text)
        painter.drawText(QRectF(0, 0, width, text), _LEFT, self._labels[index])
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink.track)
        painter.drawRoundedRect(track, 3, 3)
        if chosen is None:
            painter.setPen(ink.muted)
            painter.drawText(QRectF(0, 0, width, text), _RIGHT, NOTHING)
            return
        low, high = self._span(index, chosen)
        mean, std, action = float(chosen.mean[index]), float(chosen.std[index]), float(chosen.action[index])

        def at(value: float) -> float:
            return track.left() + (min(max(value, low), high) - low) / (high - low) * track.width()

        painter.fillRect(QRectF(at(mean - std), track.top(), at(mean + std) - at(mean - std), track.height()), ink.band)
        painter.fillRect(QRectF(at(mean) - 1.5, track.top() - 3, 3, track.height() + 6), ink.fill)
        self._paint_action(painter, ink, QPointF(at(action), track.center().y()), (action < low) - (action > high))
        self._paint_numbers(painter, ink, (width, text), f"{_signed(mean)} ± {_steady(std)}", _signed(action))
        painter.setFont(ink.small)
        painter.setPen(ink.muted)
        under = QRectF(0, track.bottom() + 3, width, small)
        painter.drawText(under, _LEFT, short_number(low))
        painter.drawText(under, _RIGHT, short_number(high))
        clipped = bool(chosen.clipped[index])
        words = "outside the bounds, so clipped" if clipped else "0" if low < 0 < high else ""
        middle = under if clipped else QRectF(at(0.0) - 20, under.top(), 40, small)
        painter.drawText(middle, Qt.AlignmentFlag.AlignCenter, words)

    def _span(self, index: int, chosen: GaussianDecision) -> tuple[float, float]:
        low, high = float(chosen.low[index]), float(chosen.high[index])
        reach = _round_up(float(self._reach[index]))
        low = low if math.isfinite(low) else min(-reach, high - reach)
        high = high if math.isfinite(high) else max(reach, low + reach)
        return (low, high) if high > low else (low - 1.0, low + 1.0)

    def _paint_numbers(
        self, painter: QPainter, ink: Ink, extent: tuple[float, float], spread: str, action: str
    ) -> None:
        width, height = extent
        metrics = QFontMetricsF(ink.font)
        column = metrics.horizontalAdvance("−88.88")
        painter.setPen(ink.text)
        painter.drawText(QRectF(0, 0, width, height), _RIGHT, action)
        _dot(painter, ink, QPointF(width - column - 10, height / 2))
        painter.setPen(ink.muted)
        painter.drawText(QRectF(0, 0, width - column - 30, height), _RIGHT, spread)

    def _paint_action(self, painter: QPainter, ink: Ink, at: QPointF, outside: int) -> None:
        """A dot, or at the axis' end an arrow that points to where the action lies: ``outside`` is 1 below, −1 above."""
        if not outside:
            _dot(painter, ink, at, 5.5)
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink.taken)
        tip, back = at.x() - 6 * outside, at.x() + 5 * outside
        painter.drawPolygon(QPolygonF([QPointF(tip, at.y()), QPointF(back, at.y() - 7), QPointF(back, at.y() + 7)]))


def _signed(value: float) -> str:
    text = minus(_steady(value))
    return text if value < 0 or text.startswith("−") else "+" + text


def _steady(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def _round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20 … times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))
