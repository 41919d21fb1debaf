"""Small plots above each other in columns, which scroll where they are more than fit."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt
from PySide6.QtGui import QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from app.panels.small_plot import AXIS_HEIGHT, BESIDE, SmallPlot
from app.style.theme import Theme

_ROW = 38  # pixels, the height of a row from which on all is easily read, for text of the system's size
_LEAST_ROW = 32  # where that lets all rows be seen at once
_LEAST_WIDTH = 180  # of a curve, where there is more than one column
_NARROWEST = 110  # of a curve beside its words
_ZOOMING = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


class Columns(QWidget):
    """Lays the small plots out in as many columns as suits the shape, the lowest of each with the axis of all."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._smalls: list[SmallPlot] = []
        self._words = self._beside = 0
        self._columns = 1
        self.row_height = _ROW

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        if self._smalls:
            self.hold(self._smalls)

    def hold(self, smalls: list[SmallPlot]) -> None:
        """Show these, in this order, and hide the others."""
        for small in self._smalls:
            small.setVisible(small in smalls)
        self._words = max(small.words_width for small in smalls)
        for small in smalls:
            if small.parent() is not self:
                small.setParent(self)
            small.show()
        self._smalls, self._beside = smalls, self._words + self._theme.px(BESIDE)

    def fit(self, width: int, height: int) -> None:
        """Choose the columns for what can be seen at once, and grow beyond it where rows would be too low; then whole
        rows are seen, and none is cut in half."""
        count, axis = len(self._smalls), self._theme.px(AXIS_HEIGHT)
        self._columns = columns_for(width, height - axis, count, self._beside)
        rows = math.ceil(count / self._columns)
        # Where words would leave the curves next to nothing, they stand above them.
        above = width - self._beside < _NARROWEST
        words = max(small.height_above(width) for small in self._smalls) if above else 0
        for small in self._smalls:
            small.place_words(width if above else self._words, above=above)
        least, good = (self._theme.px(row) + words for row in (_LEAST_ROW, _ROW))
        if rows * least + axis <= height:
            self.row_height = (height - axis) // rows
        else:
            self.row_height = math.ceil(height / max(height // good, 1))
        self.setMinimumSize(min(self._beside + 60, width), rows * self.row_height + axis)
        self._lay_out()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        axis = self._theme.px(AXIS_HEIGHT)
        rects, lowest = places(QSize(self.width(), self.height()), len(self._smalls), self._columns, axis)
        for small, rect, last in zip(self._smalls, rects, lowest, strict=True):
            small.plot.show_bottom(last)
            small.setGeometry(rect)


class Scroll(QScrollArea):
    """Scrolls plots that are more than fit; the wheel then scrolls instead of zooming, unless Ctrl or Shift is held."""

    def __init__(self, columns: Columns) -> None:
        super().__init__()
        self._columns = columns
        self.setProperty("role", "scrolled")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Diagnostics")
        self.setWidget(columns)
        self.verticalScrollBar().rangeChanged.connect(self._follow_range)
        self._follow_range(0, 0)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 2 * _ROW + AXIS_HEIGHT)

    def fit(self) -> None:
        width, height = self.viewport().width(), self.viewport().height()
        self._columns.fit(width, height)
        # By itself it would keep the size that other plots needed, while it is hidden.
        self._columns.resize(width, max(height, self._columns.minimumHeight()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        bar = self.verticalScrollBar()
        if isinstance(event, QWheelEvent) and not event.modifiers() & _ZOOMING and bar.maximum() > 0:
            bar.setValue(bar.value() - round(event.angleDelta().y() / 120 * self._columns.row_height))
            return True
        return super().eventFilter(watched, event)

    def _follow_range(self, _least: int, most: int) -> None:
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if most > 0 else Qt.FocusPolicy.NoFocus)


def columns_for(width: int, height: int, count: int, beside: int) -> int:
    """How many columns make plots, ``beside`` pixels narrower than their cells, about five times as wide as high, and
    none narrower than a curve can be read in."""

    def distance(columns: int) -> float:
        plot_width = max(width / columns - beside, 1.0)
        plot_height = max(height / math.ceil(count / columns), 1.0)
        return abs(math.log(plot_width / plot_height / 5.0))

    wide = [columns for columns in range(2, 4) if width / columns - beside >= _LEAST_WIDTH]
    return min((1, *wide), key=distance)


def places(size: QSize, count: int, columns: int, axis: int) -> tuple[list[QRect], list[bool]]:
    """Where each of ``count`` plots goes, column by column, and whether it is its column's lowest, ``axis`` pixels
    higher than the others."""
    rects, lowest = [], []
    rows = math.ceil(count / columns)
    for index in range(count):
        column, row = divmod(index, rows)
        here = min(rows, count - column * rows)
        left, right = round(column * size.width() / columns), round((column + 1) * size.width() / columns)
        top, bottom = (round(r * (size.height() - axis) / here) for r in (row, row + 1))
        last = row == here - 1
        rects.append(QRect(left, top, right - left, bottom - top + (axis if last else 0)))
        lowest.append(last)
    return rects, lowest
