"""Who is ahead: a bar for each agent as long as its return, the longest at the top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.models.run_style import RunStyle
from app.plotting.run_sign import HEIGHT, WIDTH, draw_run_sign
from app.style.format import NOTHING, short_number
from app.style.text import as_surface
from app.style.theme import SMALL, Theme, blended, tabular

_MOVES = 40  # ms from one picture of a row that moves to the next
_EASE = 0.25  # of what is left of its way, that it then goes
_TALLEST, _GAP = 46, 4  # pixels of a row, and between two
_TINT = 0.35  # of a run's colour in its bar


@dataclass(frozen=True)
class Standing:
    """Where an agent is: its ``rank``, None where nobody is ahead of anybody; its return in this round, None before
    there is one, and what ``rounds`` have come to, in words."""

    run: str
    title: str
    style: RunStyle
    rank: int | None = None
    value: float | None = None
    rounds: str = ""


class Standings(QWidget):
    """Rows go to their places slowly enough to be followed; those that are alike stay as they are."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        as_surface(self)
        self._theme = theme
        self._rows: tuple[Standing, ...] = ()
        self._places: dict[str, float] = {}  # where each row is, 0 for the uppermost
        self._targets: dict[str, int] = {}  # and where it goes
        self._timer = QTimer(self, interval=_MOVES)
        self._timer.timeout.connect(self._move)
        self.setAccessibleName("Standings")

    @property
    def order(self) -> list[str]:
        """The runs as they stand, or will in a moment."""
        return sorted(self._targets, key=lambda run: self._targets[run])

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(240), self._theme.px(160))

    def minimumSizeHint(self) -> QSize:
        return QSize(1, 1)

    def show_rows(self, rows: Sequence[Standing]) -> None:
        """Show these, those of higher rank above the others."""
        runs = [row.run for row in rows]
        if set(runs) != set(self._targets):  # others: they stand where they are listed
            self._targets = {run: at for at, run in enumerate(runs)}
            self._places = {run: float(at) for run, at in self._targets.items()}
        ranked = sorted(rows, key=lambda row: (row.rank or 0, self._targets[row.run]))
        self._targets = {row.run: at for at, row in enumerate(ranked)}
        self._rows = tuple(rows)
        self.setAccessibleDescription("; ".join(_spoken(row) for row in ranked))
        if any(self._places[run] != at for run, at in self._targets.items()):
            self._timer.start()
        self.update()

    def _move(self) -> None:
        for run, at in self._targets.items():
            left = at - self._places[run]
            self._places[run] = (
                float(at) if abs(left) < 0.02 or not self.isVisible() else self._places[run] + _EASE * left
            )
        if all(self._places[run] == at for run, at in self._targets.items()):
            self._timer.stop()
        self.update()

    # --- drawing ------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._rows:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        height = min(self.height() / len(self._rows), self._theme.px(_TALLEST))
        gap = min(self._theme.px(_GAP), height / 8)
        low, high = self._span()
        for row in self._rows:
            place = QRectF(0.0, self._places[row.run] * height, self.width(), height - gap)
            self._paint_bar(painter, row, place, low, high)
            self._paint_words(painter, row, place)
        painter.end()

    def _span(self) -> tuple[float, float]:
        """From the least return to the greatest, and to 0, from which bars begin."""
        values = [row.value for row in self._rows if row.value is not None and row.rank is not None]
        return min([0.0, *values]), max([0.0, *values])

    def _paint_bar(self, painter: QPainter, row: Standing, place: QRectF, low: float, high: float) -> None:
        if row.value is None or row.rank is None or high == low:
            return
        zero, end = (place.width() * (each - low) / (high - low) for each in (0.0, row.value))
        bar = QRectF(min(zero, end), place.top(), abs(end - zero), place.height())
        painter.fillRect(bar, blended(row.style.colour(self._theme), self._theme.surface, _TINT))

    def _paint_words(self, painter: QPainter, row: Standing, place: QRectF) -> None:
        theme, unit = self._theme, self._theme.unit
        bold = tabular(QFont(self.font()))
        bold.setBold(True)
        small = QFont(self.font())
        small.setPointSizeF(SMALL * small.pointSizeF())
        metrics, beneath = QFontMetricsF(bold), QFontMetricsF(small)
        two = bool(row.rounds) and place.height() >= metrics.height() + beneath.height()
        line = QRectF(place.left() + unit / 2, place.top(), place.width() - unit, place.height())
        if two:
            top = place.top() + (place.height() - metrics.height() - beneath.height()) / 2
            line = QRectF(line.left(), top, line.width(), metrics.height())
        rank = "" if row.rank is None else str(row.rank)
        left = line.left()
        painter.setFont(bold)
        painter.setPen(theme.text)
        if rank:
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, rank)
            left += metrics.horizontalAdvance("0") + unit
        value = short_number(row.value, 4) if row.value is not None else NOTHING
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, value)
        right = line.right() - metrics.horizontalAdvance(value) - unit
        sign = QRectF(left, line.center().y() - theme.px(HEIGHT) / 2, theme.px(WIDTH), theme.px(HEIGHT))
        draw_run_sign(painter, row.style, row.style.colour(theme), sign)
        name = QRectF(sign.right() + unit, line.top(), max(right - sign.right() - unit, 0.0), line.height())
        painter.setFont(self.font())
        painter.setPen(theme.text)
        title = QFontMetricsF(self.font()).elidedText(row.title, Qt.TextElideMode.ElideMiddle, name.width())
        painter.drawText(name, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)
        if two:
            under = QRectF(left, line.bottom(), line.right() - left, beneath.height())
            painter.setFont(small)
            painter.setPen(theme.muted if row.rank is None else theme.text)
            text = beneath.elidedText(row.rounds, Qt.TextElideMode.ElideRight, under.width())
            painter.drawText(under, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)


def _spoken(row: Standing) -> str:
    place = "" if row.rank is None else f"{row.rank}: "
    return f"{place}run {row.title}, return {short_number(row.value, 4)}"
