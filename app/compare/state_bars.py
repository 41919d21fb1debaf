"""For each state two bars: what it adds to the surrogate, and what it adds to the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.plotting.marks import pen_of
from app.style.format import short_number
from app.style.theme import Theme

if TYPE_CHECKING:  # with torch
    from engine.analysis.policy_difference import StateShare

_ROW = 22  # pixels, for text of the system's size
_BAR, _GAP = 7, 2  # of it, a bar's height and what lies between the two
_NAME = 0.36  # of the width, at most
_PAD = 6.0
_LEGEND = "d(s) · Ā(s):", "old policy's states: surrogate", "new one's: truth"


class Shown(NamedTuple):
    """What stands in a row: a state, or how many ``others`` together."""

    name: str
    old_visits: float
    new_visits: float
    old_share: float
    new_share: float
    others: int = 0


def rows_of(states: Sequence[StateShare], room: int) -> list[Shown]:
    """The states that add most to either sum, as many as there are rows, the last for all others together."""
    ordered = sorted(states, key=lambda each: -max(abs(each.old_share), abs(each.new_share)))
    count = len(ordered) if len(ordered) <= room else max(room - 1, 1)
    rows = [
        Shown(each.name, each.old_visits, each.new_visits, each.old_share, each.new_share) for each in ordered[:count]
    ]
    left = ordered[count:]
    if left:
        columns = ((s.old_visits, s.new_visits, s.old_share, s.new_share) for s in left)
        old_visits, new_visits, old_share, new_share = map(sum, zip(*columns, strict=True))
        rows.append(Shown(f"{len(left):,} other states", old_visits, new_visits, old_share, new_share, len(left)))
    return rows


class StateBars(QWidget):
    """Hollow bars are by how often the old policy visits a state, filled ones by how often the new one does."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._states: tuple[StateShare, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("What each state adds to the surrogate and to the difference")

    def show_states(self, states: Sequence[StateShare]) -> None:
        self._states = tuple(states)
        told = [
            f"{row.name}: {short_number(row.old_share)} and {short_number(row.new_share)}"
            for row in rows_of(self._states, 6)
        ]
        self.setAccessibleDescription("; ".join(told))
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    @property
    def rows(self) -> list[Shown]:
        """Those that have room."""
        return rows_of(self._states, max((self.height() - self._head) // self._row, 1))

    @property
    def _row(self) -> int:
        return self._theme.px(_ROW)

    @property
    def _head(self) -> int:
        return self.fontMetrics().height() + self._theme.unit // 2

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(260), self._head + self._row)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            at, rows = (event.pos().y() - self._head) // self._row, self.rows
            QToolTip.showText(event.globalPos(), told_of(rows[at]) if 0 <= at < len(rows) else "", self)
            return True
        return bool(super().event(event))

    # --- painting -----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        rows = self.rows
        painter = QPainter(self)
        metrics = QFontMetricsF(painter.font())
        self._paint_legend(painter, metrics)
        if rows:
            names = min(max(metrics.horizontalAdvance(row.name) for row in rows) + 2 * _PAD, _NAME * self.width())
            aside = max(metrics.horizontalAdvance(_numbers(row)) for row in rows) + 2 * _PAD
            room = QRectF(names, self._head, max(self.width() - names - aside, 1.0), self._row)
            ends = [share for row in rows for share in (row.old_share, row.new_share, 0.0)]
            low, high = min(ends), max(ends)
            scale = room.width() / max(high - low, 1e-12)
            zero = room.left() - low * scale
            painter.setPen(pen_of(self._theme.edge))
            painter.drawLine(round(zero), self._head, round(zero), self._head + len(rows) * self._row)
            for number, row in enumerate(rows):
                room.moveTop(self._head + float(number * self._row))
                self._paint_row(painter, row, room, (zero, scale))
        painter.end()

    def _paint_legend(self, painter: QPainter, metrics: QFontMetricsF) -> None:
        x, height = 0.0, metrics.height()
        for number, words in enumerate(_LEGEND):
            if number:
                box = QRectF(x, (height - self._theme.px(_BAR)) / 2, 2.0 * self._theme.px(_BAR), self._theme.px(_BAR))
                self._paint_bar(painter, box, filled=number == 2)
                x = box.right() + _PAD
            painter.setPen(QColor(self._theme.muted))
            words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, max(self.width() - x, 0.0))
            painter.drawText(QRectF(x, 0.0, self.width() - x, height), int(Qt.AlignmentFlag.AlignLeft), words)
            x += metrics.horizontalAdvance(words) + 2 * _PAD

    def _paint_row(self, painter: QPainter, row: Shown, room: QRectF, axis: tuple[float, float]) -> None:
        """A row whose bars have ``room``, on an ``axis`` with its zero there and so many pixels to 1."""
        (zero, scale), theme, top = axis, self._theme, room.top()
        metrics, bar, middle = QFontMetricsF(painter.font()), theme.px(_BAR), int(Qt.AlignmentFlag.AlignVCenter)
        painter.setPen(QColor(theme.muted if row.others else theme.text))
        name = metrics.elidedText(row.name, Qt.TextElideMode.ElideRight, room.left() - _PAD)
        painter.drawText(QRectF(0.0, top, room.left(), self._row), middle, name)
        aside = QRectF(room.right() + _PAD, top, self.width() - room.right() - _PAD, self._row)
        painter.drawText(aside, middle, _numbers(row))
        first = top + (self._row - 2 * bar - _GAP) / 2
        for number, share in enumerate((row.old_share, row.new_share)):
            box = QRectF(min(zero, zero + share * scale), first + number * (bar + _GAP), abs(share) * scale, bar)
            self._paint_bar(painter, box, filled=number == 1)

    def _paint_bar(self, painter: QPainter, box: QRectF, *, filled: bool) -> None:
        colour = QColor(self._theme.positive)
        if box.width() < 1.0:
            return
        if filled:
            painter.fillRect(box, colour)
        else:
            painter.setPen(pen_of(self._theme.positive, 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box.adjusted(0.75, 0.75, -0.75, -0.75))


def _numbers(row: Shown) -> str:
    return f"{short_number(row.old_share)}  |  {short_number(row.new_share)}"


def told_of(row: Shown | StateShare) -> str:
    """All that is known of a state, or of several."""
    visits = (
        f"visited {short_number(row.old_visits)} times by the old policy, {short_number(row.new_visits)} by the new"
    )
    adds = f"adds {short_number(row.old_share)} to the surrogate and {short_number(row.new_share)} to the difference"
    return f"{row.name}: {visits} (discounted); {adds} (reward)"
