"""How an action of several parts is drawn: bars in groups for independent choices, a bar for each switch."""

from __future__ import annotations

import math
from itertools import accumulate

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFontMetricsF, QPainter

from app.panels.episode.action_drawings import LEFT, Ink, Row, action_label, and_more, draw_rows, row_height
from engine.catalogue.spaces import Space
from engine.reports.frames import Decision, MultiSoftmaxDecision, SwitchDecision

MOST_ROWS = 16  # beyond which a part has one bar instead of one for each of its choices
MOST_SWITCHES = 24
MOST_PARTS = 24


class Groups:
    """The parts of an action, each with a bar for every choice; of many choices, only the one taken."""

    def __init__(self, space: Space) -> None:
        self._parts = space.parts[:MOST_PARTS]
        self._hidden = len(space.parts) - len(self._parts)
        self._ends = tuple(accumulate(self._parts))
        self._all = space.size <= MOST_ROWS
        self.caption = (
            "Probabilities in each part (dot: the choice taken)" if self._all else "The choice taken in each part"
        )

    def _heading(self, ink: Ink) -> int:
        return math.ceil(QFontMetricsF(ink.small).height()) + 4

    def height(self, ink: Ink) -> int:
        if not self._all:
            return (len(self._parts) + bool(self._hidden)) * row_height(ink)
        return len(self._parts) * self._heading(ink) + self._ends[-1] * row_height(ink)

    def paint(self, painter: QPainter, ink: Ink, width: float, decision: Decision | None) -> None:
        chosen = decision if isinstance(decision, MultiSoftmaxDecision) else None
        if not self._all:
            rows = [self._taken(part, chosen) for part in range(len(self._parts))]
            widest = f"part {len(self._parts)}: choice {max(self._parts)}"
            draw_rows(painter, ink, QRectF(0, 0, width, 0), rows, widest)
            _draw_more(painter, ink, QRectF(16, len(rows) * row_height(ink), width, row_height(ink)), self._hidden)
            return
        top = 0.0
        for part, size in enumerate(self._parts):
            painter.setFont(ink.small)
            painter.setPen(ink.muted)
            painter.drawText(QRectF(0, top, width, self._heading(ink)), LEFT, f"part {part + 1}")
            top += self._heading(ink)
            rows = [self._choice(part, index, chosen) for index in range(size)]
            draw_rows(painter, ink, QRectF(0, top, width, 0), rows)
            top += size * row_height(ink)

    def _choice(self, part: int, index: int, chosen: MultiSoftmaxDecision | None) -> Row:
        label = f"choice {index}"
        if chosen is None:
            return Row(label, None)
        first = self._ends[part] - self._parts[part]
        return Row(label, float(chosen.probabilities[first + index]), int(chosen.actions[part]) == index)

    def _taken(self, part: int, chosen: MultiSoftmaxDecision | None) -> Row:
        if chosen is None:
            return Row(f"part {part + 1}", None)
        choice = self._choice(part, int(chosen.actions[part]), chosen)
        return Row(f"part {part + 1}: {choice.label}", choice.share)


class Switches:
    """A bar for each switch, from surely off to surely on; a dot marks those that are on."""

    caption = "How likely each switch is on (dot: it is)"

    def __init__(self, space: Space) -> None:
        self._labels = [action_label(space, index) for index in range(min(space.size, MOST_SWITCHES))]
        self._hidden = space.size - len(self._labels)

    def height(self, ink: Ink) -> int:
        return (len(self._labels) + bool(self._hidden)) * row_height(ink)

    def paint(self, painter: QPainter, ink: Ink, width: float, decision: Decision | None) -> None:
        chosen = decision if isinstance(decision, SwitchDecision) else None
        rows = [
            Row(label, float(chosen.probabilities[index]), bool(chosen.actions[index])) if chosen else Row(label, None)
            for index, label in enumerate(self._labels)
        ]
        draw_rows(painter, ink, QRectF(0, 0, width, 0), rows)
        _draw_more(painter, ink, QRectF(16, len(rows) * row_height(ink), width, row_height(ink)), self._hidden)


def _draw_more(painter: QPainter, ink: Ink, place: QRectF, hidden: int) -> None:
    painter.setPen(ink.muted)
    for text in and_more(hidden):
        painter.drawText(place, LEFT, text)


def words(space: Space, decision: MultiSoftmaxDecision | SwitchDecision) -> str:
    """What is taken, in words."""
    if isinstance(decision, SwitchDecision):
        shares = zip(decision.probabilities[:MOST_SWITCHES], decision.actions[:MOST_SWITCHES], strict=True)
        told = [
            f"{action_label(space, index)} {'on' if taken else 'off'}, likely on {share:.2f}"
            for index, (share, taken) in enumerate(shares)
        ]
        return "; ".join([*told, *and_more(space.size - len(told))])
    starts = accumulate((0, *space.parts[: MOST_PARTS - 1]))
    told = [
        f"part {part + 1}: choice {taken}, {decision.probabilities[start + taken]:.2f}"
        for part, (start, taken) in enumerate(zip(starts, decision.actions[:MOST_PARTS].tolist(), strict=False))
    ]
    return "; ".join([*told, *and_more(len(space.parts) - len(told))])
