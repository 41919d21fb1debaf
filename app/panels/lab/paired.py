"""A plot of rows with two bars each, one of either kind: as many rows as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPainter, QResizeEvent

from app.plotting.arrangement import Margins
from app.plotting.axes import Range
from app.plotting.marks import Frame, hatched, pen_of
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading
from app.style.environment_text import cells_in_short
from app.style.theme import Theme, blended

_NAMES = 104  # pixels for the rows' names
_LEAST_ROW = 1.15  # heights of a line of text


@dataclass(frozen=True)
class PairedRow:
    """``hatched`` is the length of the upper bar, ``filled`` that of the lower one; NaN where there is none. ``told``
    are lines on both."""

    name: str
    hatched: float
    filled: float
    told: tuple[str, ...]


class _PairedBars:
    def __init__(self) -> None:
        self.rows: Sequence[PairedRow] = ()
        self.theme: Theme | None = None

    def paint(self, painter: QPainter, frame: Frame) -> None:
        theme = self.theme
        if theme is None:
            return
        zero = float(frame.to_x(0.0))
        for number, row in enumerate(self.rows):
            middle = float(frame.to_y(-number))
            height = 0.4 * abs(float(frame.to_y(-number - 1)) - middle)
            for value, colour, top in (
                (row.hatched, theme.negative, middle - height),
                (row.filled, theme.policy, middle),
            ):
                if not np.isfinite(value):
                    continue
                end = float(frame.to_x(value))
                bar = QRectF(min(zero, end), top, max(abs(end - zero), 1.0), max(height, 1.0))
                painter.fillRect(bar, blended(colour, theme.surface, 0.7))
                if colour == theme.negative:
                    painter.fillRect(bar, hatched(colour, theme.surface)[1])
        painter.setPen(pen_of(theme.edge))
        painter.drawLine(QLineF(zero, frame.rect.top(), zero, frame.rect.bottom()))


class PairedPlot(Plot):
    """All rows where it is shown large."""

    def __init__(self, theme: Theme, axis: str, unit: str) -> None:
        self._bars = _PairedBars()
        self._rows: Sequence[PairedRow] = ()
        self._x: Range | None = None
        super().__init__(theme, axis, "", Margins(left=_NAMES, top=4))
        self.bottom.set_title(axis, unit)
        self.marks = [self._bars]
        self.left.names = ()
        self.probe = self._told_at

    @property
    def shown(self) -> list[str]:
        """The names of the rows that are drawn, from the top."""
        return [row.name for row in self._bars.rows]

    def show_rows(self, rows: Sequence[PairedRow], x: Range | None = None) -> None:
        """Draw these over ``x``, or over what they reach on either side of 0."""
        self._rows, self._x = rows, x
        self._fit_rows()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if hasattr(self, "_bars") and self._rows:
            self._fit_rows()

    def toggle_enlarged(self) -> None:
        super().toggle_enlarged()
        self._fit_rows()

    def apply_theme(self, theme: Theme) -> None:
        self._bars.theme = theme
        super().apply_theme(theme)

    def _fit_rows(self) -> None:
        drawn = self.enlarged or self
        room = max(int(drawn.area.height() / (_LEAST_ROW * drawn.letters.height())), 1)
        rows = self._bars.rows = self._rows[:room]
        self.left.names = [cells_in_short(row.name) for row in rows]
        ends = [abs(end) for row in rows for end in (row.hatched, row.filled) if np.isfinite(end)]
        reach = 1.08 * (max(ends, default=1.0) or 1.0)
        self.set_ranges(self._x or (-reach, reach), (0.5 - max(len(rows), 1), 0.5))
        self.left.picture = None  # the names are others where the range is the same
        self.left.update()
        self.redraw()

    def _told_at(self, pointer: Pointer) -> Reading | None:
        rows = self._bars.rows
        if not rows:
            return None
        places = [abs(float(pointer.frame.to_y(-number)) - pointer.y) for number in range(len(rows))]
        number = int(np.argmin(places))
        row = rows[number]
        end = row.filled if np.isfinite(row.filled) else 0.0
        return Reading(end, float(-number), (row.name, *row.told))
