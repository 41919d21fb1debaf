"""The episode that a sample is from, step by step as a strip of its advantages, with the sample marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.plotting.marks import pen_of
from app.style.format import short_number
from app.style.theme import Theme

if TYPE_CHECKING:  # with torch
    from engine.analysis.samples import Samples

_HEIGHT = 40  # pixels, as all lengths here
_MARK = 5
_SHOWN = "Â "


class EpisodeStrip(QWidget):
    """Bars of Â of the steps that were taken in a row, above and below a line; dim where they are not among those that
    are listed. A click looks at a step, signalled with its row by ``chosen``."""

    chosen = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._samples: Samples | None = None
        self._steps: NDArray[np.int64] = np.zeros(0, np.int64)  # rows of the samples
        self._listed: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._row = -1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("The episode that the sample is from")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return QSize(100, self._theme.px(_HEIGHT))

    def minimumSizeHint(self) -> QSize:
        return QSize(60, self._theme.px(_HEIGHT))

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    @property
    def steps(self) -> NDArray[np.int64]:
        """The rows of the steps that are drawn, in the order of time."""
        return self._steps

    def show_step(self, samples: Samples | None, row: int, listed: NDArray[np.int64]) -> None:
        """Draw the steps around ``row``, which is marked; ``listed`` are those among which one walks."""
        self._samples, self._row = samples, row
        self._steps = np.zeros(0, np.int64) if samples is None else samples.sequence_of(row)
        self._listed = np.isin(self._steps, listed)
        if samples is not None:
            batch = samples.looked.batch
            first, last = int(batch.elapsed[self._steps[0]]), int(batch.elapsed[self._steps[-1]])
            at = int(batch.elapsed[row])
            self.setAccessibleDescription(f"Steps {first:,} to {last:,} of an episode; looked at is {at:,}.")
        self.update()

    # --- what a person does -------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self.row_at(event.position().x())
        if row is not None and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(row)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row = self.row_at(event.position().x())
        if row is not None and event.buttons() & Qt.MouseButton.LeftButton and row != self._row:
            self.chosen.emit(row)

    def row_at(self, x: float) -> int | None:
        """The row of the step there."""
        count = len(self._steps)
        if not count:
            return None
        left, width = self._ends
        return int(self._steps[min(max(int((x - left) / width * count), 0), count - 1)])

    def x_of(self, row: int) -> float:
        """The middle of a step, in pixels."""
        left, width = self._ends
        place = int(np.searchsorted(self._steps, row))
        return left + (place + 0.5) * width / max(len(self._steps), 1)

    @property
    def _ends(self) -> tuple[float, float]:
        margin = float(self._theme.px(_MARK))
        left = self.fontMetrics().horizontalAdvance(_SHOWN) + margin
        return left, max(self.width() - left - margin, 1.0)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self._samples is not None:
            row = self.row_at(event.pos().x())
            if row is not None:
                batch = self._samples.looked.batch
                words = f"step {int(batch.elapsed[row]):,}: Â {short_number(float(batch.advantages[row]))}"
                QToolTip.showText(event.globalPos(), f"{words}\nThe bars are the advantages of its episode", self)
            return True
        return bool(super().event(event))

    # --- painting -----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        samples, count = self._samples, len(self._steps)
        if samples is None or not count:
            return
        theme = self._theme
        painter = QPainter(self)
        left, width = self._ends
        mark = theme.px(_MARK)
        top, room = float(mark), float(self.height() - 2 * mark)
        values = samples.looked.batch.advantages[self._steps].astype(float)
        reach = max(float(np.abs(values).max()), 1e-12)
        least, most = min(values.min() / reach, 0.0), max(values.max() / reach, 0.0)
        scale = room / max(most - least, 1e-12) / reach
        zero = top + room * most / max(most - least, 1e-12)
        bars = min(count, int(width))  # where steps are narrower than pixels, each stands for several
        firsts = np.arange(bars) * count // bars
        highest, lowest = np.maximum.reduceat(values, firsts), np.minimum.reduceat(values, firsts)
        listed = np.logical_or.reduceat(self._listed, firsts)
        each = width / bars
        wide = max(each - (1.0 if each > 3 else 0.0), 1.0)
        for place in range(bars):
            for value, colour in ((float(highest[place]), theme.positive), (float(lowest[place]), theme.negative)):
                if (value > 0) == (colour == theme.positive) and value != 0:
                    shown = QColor(colour)
                    shown.setAlphaF(1.0 if listed[place] else 0.35)
                    height = value * scale
                    bar = QRectF(left + place * each, zero - max(height, 0.0), wide, max(abs(height), 1.0))
                    painter.fillRect(bar, shown)
        painter.setPen(QColor(theme.muted))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, _SHOWN)
        painter.setPen(pen_of(theme.edge))
        painter.drawLine(round(left), round(zero), round(left + width), round(zero))
        x = self.x_of(self._row)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(pen_of(theme.text, 1.0))
        painter.drawLine(round(x), mark, round(x), self.height() - mark)
        painter.setBrush(QColor(theme.text))
        corners = [(x - mark, 0.0), (x + mark, 0.0), (x, float(mark))]
        painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))
        painter.end()
