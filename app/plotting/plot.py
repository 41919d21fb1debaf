"""The one themed plot that every panel uses: quiet axes, a grid, marks painted in one go, and a view a person can move.

Each plot is its own graphics view, so that new data repaints nothing else, and it is assembled from pyqtgraph's parts
without its ``PlotItem``, whose menus take longer to make than the rest of the window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QToolButton, QWidget

from app.plotting.axes import Range, nice_ticks
from app.plotting.marks import Frame, Grid, Mark, pen_of
from app.style.format import tick_labels
from app.style.theme import Theme, blended, tabular

_TICK_PIXELS = 80, 38  # the least distance between labels beside and above each other
_HALF_LABEL = 24  # pixels to the right of a plot; a label that stands out further is not drawn


class Axis(pg.AxisItem):
    """An axis of fixed size with one level of round ticks, short labels and no SI prefix in its title."""

    def __init__(self, side: str, title: str, tick_pixels: int, most_ticks: int = 8) -> None:
        super().__init__(side, maxTickLength=0)
        self._tick_pixels = tick_pixels
        self._most_ticks = most_ticks
        self._asked = (math.nan, math.nan, math.nan)
        self._answer: tuple[float, list[float]] = (1.0, [])
        self.highest = math.inf  # no tick is beyond, where what is measured has an end
        self.enableAutoSIPrefix(False)
        self.setStyle(
            autoExpandTextSpace=False, autoReduceTextSpace=False, tickTextOffset=6, hideOverlappingLabels=_HALF_LABEL
        )
        self.set_title(title)

    def set_title(self, title: str) -> None:
        self.setLabel(title or None)
        self.showLabel(bool(title))

    def resizeEvent(self, event: QResizeEvent | None = None) -> None:
        super().resizeEvent(event)
        # A title that is longer than its axis would be cut.
        if self.orientation == "left" and self.label.toPlainText():
            self.label.setVisible(self.label.boundingRect().width() <= self.size().height() + 12)

    def ticks(self, low: float, high: float, size: float) -> tuple[float, list[float]]:
        # The axis and the grid ask with sizes a pixel apart, which must not give one of them another spacing.
        if self._asked[:2] != (low, high) or abs(self._asked[2] - size) > 4:
            self._asked = low, high, size
            step, values = nice_ticks(low, high, min(max(1.0, size / self._tick_pixels), self._most_ticks))
            # So near to each other that they would touch, only every second one is labelled. Those that stay are
            # multiples of the step as it was, from which their decimals follow: 2.5 and 7.5, not 2 and 8.
            apart = step
            while len(values) > 2 and apart * size < 0.9 * self._tick_pixels * (high - low):
                apart, values = 2 * apart, values[::2]
            self._answer = step, [value for value in values if value <= self.highest]
        return self._answer

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N803
        return [self.ticks(minVal, maxVal, size)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return tick_labels(values, spacing)


class View(pg.ViewBox):
    """Moves by dragging and zooms by the wheel; a double click asks for everything again."""

    everything_asked = Signal()

    def __init__(self) -> None:
        super().__init__(enableMenu=False, defaultPadding=0.0)
        self.disableAutoRange()

    def mouseClickEvent(self, event: Any) -> None:
        if event.double() and event.button() == Qt.MouseButton.LeftButton:
            event.accept()
            self.everything_asked.emit()

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        if event.button() == Qt.MouseButton.RightButton:
            event.ignore()  # would zoom, which nobody expects
        else:
            super().mouseDragEvent(event, axis)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()  # pyqtgraph's own keys step through a zoom history that is not kept here


class Canvas(QGraphicsItem):
    """Paints all marks of a plot, in pixels of the view."""

    def __init__(self, view: View, plot: Plot) -> None:
        super().__init__(view)
        self._view = view
        self._plot = plot
        view.sigResized.connect(self._resized)
        view.sigRangeChanged.connect(self._moved)

    def _resized(self, _: object) -> None:
        self.prepareGeometryChange()

    def _moved(self, *_: object) -> None:
        self.update()

    def boundingRect(self) -> QRectF:
        rect: QRectF = self._view.rect()
        return rect

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if not self._view.rect().isEmpty():
            self._plot.paint_marks(painter, self._view.rect())


@dataclass(frozen=True)
class Margins:
    """Pixels around the data: what is fixed does not jump. ``top`` and ``right`` leave room for half a label.

    ``tick_height`` is the least distance between two labels above each other, ``most_ticks`` how many there may be.
    """

    left: int = 62
    bottom: int = 42
    top: int = 8
    right: int = _HALF_LABEL
    below: int = 6
    tick_height: int = _TICK_PIXELS[1]
    most_ticks: int = 8


class Plot(pg.GraphicsView):
    """A plot of marks. Ranges are set by the panel, and left alone once a person has moved the view.

    Signals:
        following_changed: whether the ranges follow the panel; false from the first zoom or drag on.
    """

    following_changed = Signal(bool)

    def __init__(self, theme: Theme, x_title: str, y_title: str, margins: Margins | None = None) -> None:
        super().__init__(background=None)
        margins = margins or Margins()
        self._theme: Theme | None = None
        self.marks: list[Mark] = []
        self._grid = Grid()
        self._ranges: tuple[Range, Range] = (0.0, 1.0), (0.0, 1.0)
        self._following = True
        # Tab skips a plot, which would show no focus; after a click the key A works.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setMinimumSize(1, 1)

        self._view = View()
        self.bottom = Axis("bottom", x_title, _TICK_PIXELS[0])
        self.left = Axis("left", y_title, margins.tick_height, margins.most_ticks)
        self._assemble(margins)
        self._canvas = Canvas(self._view, self)
        self._view.everything_asked.connect(self.follow)
        self._view.sigRangeChangedManually.connect(self._moved_by_hand)

        self._all = QToolButton(self)
        self._all.setText("Show all")
        self._all.setToolTip("Back to the view that follows the data (A, or double-click the plot)")
        self._all.clicked.connect(self.follow)
        self._all.hide()
        self.apply_theme(theme)

    def _assemble(self, margins: Margins) -> None:
        layout = pg.GraphicsLayout()
        layout.setContentsMargins(6, margins.top, margins.right, margins.below)  # pyqtgraph's titles stick out by 5
        layout.setSpacing(0)
        self.setCentralItem(layout)
        layout.addItem(self._view, 0, 1)
        layout.addItem(self.left, 0, 0)
        layout.addItem(self.bottom, 1, 1)
        self.left.linkToView(self._view)
        self.bottom.linkToView(self._view)
        self.left.setWidth(margins.left)
        self.bottom.setHeight(margins.bottom)

    # --- what the panel does ---

    @property
    def following(self) -> bool:
        return self._following

    @property
    def ranges(self) -> tuple[Range, Range]:
        """The ranges in x and y that the panel wants; what is seen differs once a person has moved the view."""
        return self._ranges

    @property
    def seen(self) -> tuple[Range, Range]:
        """The ranges in x and y that are on screen."""
        x, y = self._view.viewRange()
        return (x[0], x[1]), (y[0], y[1])

    def set_ranges(self, x: Range, y: Range) -> None:
        """What the view shows while it follows, and returns to when it is asked for everything."""
        if (x, y) != self._ranges:
            self._ranges = x, y
            self._show_ranges()

    def follow(self) -> None:
        """Show everything again, and from now on."""
        if not self._following:
            self._following = True
            self._all.hide()
            self.following_changed.emit(True)
        self._show_ranges()

    def show_bottom(self, shown: bool) -> None:
        """Whether the horizontal axis is drawn; plots above each other share the lowest one's."""
        if shown != self.bottom.isVisible():
            self.bottom.show() if shown else self.bottom.hide()

    def redraw(self) -> None:
        """The marks have changed."""
        self._canvas.update()

    def apply_theme(self, theme: Theme) -> None:
        if theme is self._theme:
            return
        self._theme = theme
        self.setBackground(theme.surface)
        self._grid.pen = QPen(blended(theme.line, theme.surface, 0.6), 1.0)
        font = tabular(self.font())
        for axis in (self.left, self.bottom):
            axis.setPen(pen_of(theme.line))
            axis.setTextPen(pen_of(theme.muted))
            axis.setTickFont(font)
            axis.label.setFont(QFont(self.font()))
        self.redraw()

    # --- what Qt and pyqtgraph call ---

    def paint_marks(self, painter: QPainter, rect: QRectF) -> None:
        x, y = self.seen
        frame = Frame(rect, x, y, self.devicePixelRatioF())
        _, self._grid.x_ticks = self.bottom.ticks(*x, rect.width())
        _, self._grid.y_ticks = self.left.ticks(*y, rect.height())
        painter.setFont(self.font())
        self._grid.paint(painter, frame)
        for mark in self.marks:
            mark.paint(painter, frame)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if hasattr(self, "_all"):  # pyqtgraph calls this while it is being made
            self._all.move(self.width() - self._all.sizeHint().width() - 16, 12)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_A and not event.modifiers():
            self.follow()
            event.accept()
        else:
            event.ignore()

    def _show_ranges(self) -> None:
        if self._following:
            x, y = self._ranges
            self._view.setRange(xRange=x, yRange=y, padding=0.0, disableAutoRange=False)

    def _moved_by_hand(self, *_: object) -> None:
        if self._following:
            self._following = False
            self._all.adjustSize()
            self._all.move(self.width() - self._all.width() - 16, 12)
            self._all.show()
            self._all.raise_()
            self.following_changed.emit(False)
