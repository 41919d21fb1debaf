"""How a choice among discrete actions is drawn: a bar for each of a few, columns for many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from app.style.format import NOTHING, short_number
from app.style.sentence import smaller
from app.style.theme import Theme, blended, tabular
from engine.catalogue.spaces import Space
from engine.reports.frames import Decision, SoftmaxDecision

if TYPE_CHECKING:  # the window shows before numpy is loaded
    import numpy as np
    from numpy.typing import NDArray

MOST_BARS = 8
GAP = 8.0
_SIGN = 10.0  # pixels for the sign at the best value
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


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


def action_label(space: Space, index: int) -> str:
    if index < len(space.labels):
        return space.labels[index]
    return f"{'switch' if space.kind == 'multi-binary' else 'action'} {index}"


def and_more(hidden: int) -> list[str]:
    """What stands for those that are not shown, if any."""
    return [f"and {hidden:,} more"] if hidden > 0 else []


def _fraction(value: float) -> str:
    return f"{value:.2f}"


@dataclass(frozen=True)
class Row:
    """A bar: its name, the probability it shows (None before there is one), and whether a dot marks it as taken; with
    what the action is worth where that is known, and whether that is the best."""

    label: str
    share: float | None
    taken: bool = False
    value: float | None = None
    best: bool = False


def row_height(ink: Ink) -> int:
    return math.ceil(QFontMetricsF(ink.font).height()) + 14


def draw_rows(painter: QPainter, ink: Ink, area: QRectF, rows: Sequence[Row], widest: str = "") -> None:
    """Bars from 0 to 1 beneath each other, from the top of ``area`` down; ``widest`` is the longest possible name."""
    metrics = QFontMetricsF(ink.font)
    height, dot = row_height(ink), 16.0
    longest = max(metrics.horizontalAdvance(label) for label in (widest, *(row.label for row in rows)))
    name = min(math.ceil(longest) + 1, area.width() * 0.4)
    number = metrics.horizontalAdvance(_fraction(0.88))
    left = area.left() + dot + name + GAP
    worth = _room_for_values(ink, rows)
    track = QRectF(left, 0, max(area.right() - left - number - worth - GAP, 1), 14)
    painter.setFont(ink.font)
    for index, row in enumerate(rows):
        top = area.top() + index * height
        painter.setPen(ink.text)
        shown = metrics.elidedText(row.label, Qt.TextElideMode.ElideRight, name)
        painter.drawText(QRectF(area.left() + dot, top, name + 1, height), LEFT, shown)
        painter.setPen(ink.muted if row.share is None else ink.text)
        text = NOTHING if row.share is None else _fraction(row.share)
        painter.drawText(QRectF(track.right(), top, area.right() - worth - track.right(), height), RIGHT, text)
        if row.value is not None:
            _write_value(painter, ink, QRectF(area.right() - worth, top, worth, height), row)
        track.moveTop(top + (height - track.height()) / 2)
        _bar(painter, ink, track, row.share or 0.0)
        if row.taken:
            draw_dot(painter, ink, QPointF(area.left() + 5, top + height / 2))


def written(value: float) -> str:
    """An action's value, at the same width from moment to moment."""
    return short_number(value, steady=True)


def _room_for_values(ink: Ink, rows: Sequence[Row]) -> float:
    """The width of the column of values, with its sign and gaps; 0 where there are none."""
    if all(row.value is None for row in rows):
        return 0.0
    metrics = QFontMetricsF(ink.font)
    longest = max(metrics.horizontalAdvance(written(row.value)) for row in rows if row.value is not None)
    return math.ceil(GAP + _SIGN + max(longest, metrics.horizontalAdvance("−88.8")))


def _write_value(painter: QPainter, ink: Ink, place: QRectF, row: Row) -> None:
    assert row.value is not None
    painter.setPen(ink.text if row.best else ink.muted)
    painter.drawText(place, RIGHT, written(row.value))
    if row.best:  # a triangle that points at it
        x, y = place.left() + GAP, place.center().y()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink.text)
        painter.drawPolygon([QPointF(x, y - 4), QPointF(x + 6, y), QPointF(x, y + 4)])


def row_of(label: str, index: int, chosen: SoftmaxDecision) -> Row:
    """The bar of an action of a decision."""
    share, taken, values = float(chosen.probabilities[index]), chosen.action == index, chosen.values
    if values is None:
        return Row(label, share, taken)
    return Row(label, share, taken, float(values[index]), bool(values[index] == values.max()))


class Bars:
    """One horizontal bar per action, from 0 to 1, and what each is worth where that is known; a dot marks the action
    taken."""

    caption = "Action probabilities (dot: the action taken)"

    def __init__(self, space: Space) -> None:
        self._labels = [action_label(space, index) for index in range(space.size)]

    def height(self, ink: Ink) -> int:
        return len(self._labels) * row_height(ink)

    def paint(self, painter: QPainter, ink: Ink, width: float, decision: Decision | None) -> None:
        chosen = decision if isinstance(decision, SoftmaxDecision) else None
        rows = [
            row_of(label, index, chosen) if chosen else Row(label, None) for index, label in enumerate(self._labels)
        ]
        draw_rows(painter, ink, QRectF(0, 0, width, 0), rows)


def _bar(painter: QPainter, ink: Ink, track: QRectF, share: float) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink.track)
    painter.drawRoundedRect(track, 3, 3)
    if share > 0:
        painter.setBrush(ink.fill)
        painter.drawRoundedRect(QRectF(track.left(), track.top(), max(share * track.width(), 2), track.height()), 3, 3)


def draw_dot(painter: QPainter, ink: Ink, at: QPointF, radius: float = 4.5) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink.taken)
    painter.drawEllipse(at, radius, radius)


class Columns:
    """One thin column per action, for more actions than bars would fit; the action taken is named below."""

    caption = "Action probabilities (dot: the action taken)"
    _scales = (0.05, 0.1, 0.2, 0.5, 1.0)

    def __init__(self, space: Space) -> None:
        self._space = space

    def height(self, ink: Ink) -> int:
        return 96 + 8 + math.ceil(QFontMetricsF(ink.font).height()) + 4

    def paint(self, painter: QPainter, ink: Ink, width: float, decision: Decision | None) -> None:
        chosen = decision if isinstance(decision, SoftmaxDecision) else None
        numbers = QFontMetricsF(ink.small).horizontalAdvance("0.05") + GAP
        area = QRectF(numbers, 8, width - numbers, 80)
        columns, each = _joined(chosen.probabilities if chosen else None, self._space.size, int(area.width() / 3))
        # The scale jumps between a few round values instead of following every change.
        scale = next(scale for scale in self._scales if scale >= min(max(columns), 1.0) or scale == 1.0)
        painter.setFont(ink.small)
        painter.setPen(ink.muted)
        height = QFontMetricsF(ink.small).height()
        for value in (0.0, scale):
            y = area.bottom() - value / scale * area.height()
            painter.drawText(QRectF(0, y - height / 2, numbers - GAP, height), RIGHT, f"{value:g}")
            painter.fillRect(QRectF(area.left(), round(y), area.width(), 1), ink.line)
        pitch = area.width() / len(columns)
        gap = 2.0 if pitch >= 6 else 1.0 if pitch >= 3 else 0.0
        taken = chosen.action // each if chosen else -1
        for index, weight in enumerate(columns):
            tall = min(weight / scale, 1.0) * area.height()
            column = QRectF(area.left() + index * pitch, area.bottom() - tall, max(pitch - gap, 1.0), tall)
            painter.fillRect(column, ink.taken if index == taken else ink.fill)
        if chosen:
            self._name_taken(painter, ink, QRectF(0, 96 + 8, width, self.height(ink) - 104), chosen)

    def _name_taken(self, painter: QPainter, ink: Ink, line: QRectF, chosen: SoftmaxDecision) -> None:
        draw_dot(painter, ink, QPointF(5, line.center().y()))
        painter.setFont(ink.font)
        painter.setPen(ink.text)
        painter.drawText(line.adjusted(16, 0, -48, 0), LEFT, action_label(self._space, chosen.action))
        worth = "" if chosen.values is None else f"   Q {written(float(chosen.values[chosen.action]))}"
        painter.drawText(line, RIGHT, f"{chosen.probabilities[chosen.action]:.3f}{worth}")


def _joined(weights: NDArray[np.float32] | None, size: int, most: int) -> tuple[list[float], int]:
    """At most ``most`` columns, each the largest of ``each`` neighbours: a single likely action must stay visible."""
    each = max(1, math.ceil(size / max(most, 1)))
    if weights is None:
        return [0.0] * math.ceil(size / each), each
    whole = len(weights) // each * each
    columns: list[float] = weights[:whole].reshape(-1, each).max(1).tolist()
    return [*columns, float(weights[whole:].max())] if whole < len(weights) else columns, each
