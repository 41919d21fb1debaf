"""The parts of a plot that pyqtgraph provides, as they are wanted here: an axis, a view a person can move, a canvas."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QKeyEvent, QPainter, QPixmap, QResizeEvent
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.plotting.axes import Range, nice_ticks, view_limits
from app.plotting.marks import pen_of
from app.style.format import tick_labels
from app.style.theme import Theme, tabular

HALF_LABEL = 24  # pixels to the right of a plot; a label that stands out further is not drawn
_BESIDE_LABELS = 14  # pixels from a unit to the beginning of the axis, where half a label may stand
BESIDE_NAMES = 12  # pixels that the name of a row leaves
_GAP = 6.0  # the least pixels between two labels beside each other
_LEAST_LINE = 0.85  # of a label's height, between two labels above each other


class Axis(pg.AxisItem):
    """An axis of fixed size with one level of round ticks, short labels and no SI prefix in its title.

    Where the title has no room, its unit alone stands there: no axis is without. Over it the wheel zooms, and dragging
    moves, what it measures alone.
    """

    # pyqtgraph asks for these while it makes an axis
    _scale = 1.0  # of the text
    _said = ""  # of the title
    _written = ""  # of it, for the label
    _beside = 0  # pixels left of it in which the unit stands instead of the title beneath
    shorter: tuple[str, ...] = ("",)  # what it says where there is no room for the title

    def __init__(self, side: str, title: str, tick_pixels: int, most_ticks: int = 8) -> None:
        super().__init__(side, maxTickLength=0)
        self._tick_pixels = tick_pixels
        self._most_ticks = most_ticks
        self._metrics = QFontMetricsF(QFont())
        self._asked = (math.nan, math.nan, math.nan)
        self._answer: tuple[float, list[float]] = (1.0, [])
        self.highest = math.inf  # no tick is beyond, where what is measured has an end
        self.names: Sequence[str] | None = None  # of rows one under the other, at 0, −1, −2 …, instead of numbers
        self.enableAutoSIPrefix(False)
        self.setStyle(autoExpandTextSpace=False, autoReduceTextSpace=False, tickTextOffset=6)
        self.set_title(title)

    @property
    def title(self) -> str:
        """What it says that it measures, as plain text."""
        return str(self.label.toPlainText()).strip()

    def set_title(self, title: str, *shorter: str) -> None:
        """Name what it measures.

        Args:
            shorter: what it says where there is no room for the title, the unit last; without any, what the title has
                in brackets at its end.
        """
        shorter = tuple(filter(None, shorter)) or (title[title.rfind("(") + 1 : -1] if title.endswith(")") else title,)
        if (title, shorter) == (self.labelText, self.shorter):
            return
        self.shorter, self._said = shorter, title
        self.setLabel(title or None)
        self.showLabel(bool(title))
        if not self.size().isEmpty():  # else it is placed once there is room
            self.resizeEvent()

    def stand_beside(self, room: int) -> None:
        """Have the unit stand left of the labels, in so many pixels, instead of the title beneath them; 0 puts that
        back."""
        if room != self._beside:
            self._beside = room
            self.resizeEvent()

    def labelString(self) -> str:
        return f"<span>{self._said}</span>"

    def _updateLabel(self) -> None:
        if self._written != self.labelString():  # pyqtgraph writes it anew with whatever is set of an axis
            self._written = self.labelString()
            super()._updateLabel()

    def _say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._written = self.labelString()
            self.label.setHtml(self._written)

    def apply_theme(self, theme: Theme, font: QFont) -> None:
        self._scale = theme.text_scale
        self._asked = (math.nan, math.nan, math.nan)
        figures = tabular(font)
        self._metrics = QFontMetricsF(figures)
        self.setStyle(hideOverlappingLabels=theme.px(HALF_LABEL))
        self.setPen(pen_of(theme.line))
        self.setTextPen(pen_of(theme.muted))
        self.setTickFont(figures)
        self.label.setFont(font)
        self.label.setDefaultTextColor(QColor(theme.muted))
        self.resizeEvent()

    def resizeEvent(self, event: QResizeEvent | None = None) -> None:
        if not self.labelText:
            super().resizeEvent(event)
            return
        self._say(self.shorter[-1] if self._beside else self.labelText)
        for words in self.shorter:
            if self.label.boundingRect().width() > self._title_room:
                self._say(words)
        super().resizeEvent(event)
        width, label = self.label.boundingRect().width(), self.label
        if self._beside:
            gap = min(_BESIDE_LABELS * self._scale, max(self._beside - width, 0.0))
            label.setPos(-width - gap, (self.size().height() - label.boundingRect().height()) / 2 + 1)
        elif self.orientation == "bottom":
            # A long title stands out at the left rather than being cut at the right.
            label.setX(min(label.x(), self.size().width() + HALF_LABEL * self._scale - width))

    @property
    def _title_room(self) -> float:
        """Pixels for the title; beneath the data it may stand out at both ends."""
        if self.orientation == "left":
            return float(self.size().height()) + 4
        return float(self.pos().x() + self.size().width()) + HALF_LABEL * self._scale

    def ticks(self, low: float, high: float, size: float) -> tuple[float, list[float]]:
        """The spacing and the values of the ticks, so few that no label touches another."""
        if self.names is not None:
            return 1.0, [float(-row) for row in range(len(self.names)) if low <= -row <= high]
        # The axis and the grid ask with sizes a pixel apart, which must not give one of them another spacing.
        if self._asked[:2] != (low, high) or abs(self._asked[2] - size) > 4:
            self._asked = low, high, size
            wanted = size / (self._tick_pixels * self._scale)
            step, values = nice_ticks(low, high, min(max(1.0, wanted), self._most_ticks))
            # Those that stay are multiples of the step as it was, from which their decimals follow: 2.5 and 7.5, not 2
            # and 8.
            apart, least = step, self._room(values, step) * (high - low) / max(size, 1.0)
            while len(values) > 1 and apart < least:
                apart, values = 2 * apart, values[::2]
            self._answer = step, [value for value in values if value <= self.highest]
        return self._answer

    def _room(self, values: list[float], step: float) -> float:
        """How many pixels lie between the middles of two labels at least."""
        if self.orientation == "left":
            return _LEAST_LINE * self._metrics.height()
        return _GAP + max(map(self._metrics.horizontalAdvance, tick_labels(values, step)), default=0.0)

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N803
        return [self.ticks(minVal, maxVal, size)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        if self.names is not None:
            room = self.size().width() - BESIDE_NAMES
            return [self._metrics.elidedText(self.names[-round(v)], Qt.TextElideMode.ElideMiddle, room) for v in values]
        return [
            label * self._stands_clear(at, label)
            for at, label in zip(values, tick_labels(values, spacing), strict=True)
        ]

    def _stands_clear(self, value: float, label: str) -> bool:
        """Whether the label of a tick does not stand on the unit that is left of it."""
        low, high = self.range
        if not self._beside or not high > low:
            return True
        left = (value - low) / (high - low) * self.size().width() - self._metrics.horizontalAdvance(label) / 2
        return bool(left >= self.label.pos().x() + self.label.boundingRect().width() + _GAP / 2)


class View(pg.ViewBox):
    """Moves by dragging and zooms by the wheel, with Ctrl in x alone and with Shift in y alone; not endlessly.

    Signals:
        moved: a person has moved it; whether in x, and whether in y.
        everything_asked: by a double click.
        clicked: once, at this place of the scene.
    """

    moved = Signal(bool, bool)
    everything_asked = Signal()
    clicked = Signal(QPointF)

    def __init__(self) -> None:
        super().__init__(enableMenu=False, defaultPadding=0.0)
        self.disableAutoRange()

    def limit(self, x: Range, y: Range) -> None:
        """Keep what can be seen within reach of these ranges, which are those of the data."""
        (x_least, x_most, x_depth), (y_least, y_most, y_depth) = view_limits(*x), view_limits(*y)
        self.setLimits(xMin=x_least, xMax=x_most, minXRange=x_depth, yMin=y_least, yMax=y_most, minYRange=y_depth)

    def wheelEvent(self, event: Any, axis: int | None = None) -> None:
        if axis is None and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            axis = 0
        elif axis is None and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            axis = 1
        super().wheelEvent(event, axis)
        self.moved.emit(axis != 1, axis != 0)

    def mouseClickEvent(self, event: Any) -> None:
        if event.double() and event.button() == Qt.MouseButton.LeftButton:
            event.accept()
            self.everything_asked.emit()
        elif event.button() == Qt.MouseButton.LeftButton:
            event.accept()
            self.clicked.emit(QPointF(event.scenePos()))

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        if event.button() == Qt.MouseButton.RightButton:
            event.ignore()  # would zoom, which nobody expects
        else:
            super().mouseDragEvent(event, axis)
            self.moved.emit(axis != 1, axis != 0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()  # pyqtgraph's own keys step through a zoom history that is not kept here


class Canvas(QGraphicsItem):
    """Paints all marks of a plot, in pixels of the view, by ``paint_marks``, which is told whether as shapes.

    While ``kept`` it paints a picture that it makes only when the marks have changed, so that what moves above them
    costs little.
    """

    def __init__(self, view: View, paint_marks: Callable[[QPainter, QRectF, bool], None]) -> None:
        super().__init__(view)
        self._view = view
        self._paint_marks = paint_marks
        self._picture: QPixmap | None = None
        self.kept = False
        self.ground = "#000000"
        view.sigResized.connect(self._resized)
        view.sigRangeChanged.connect(self.redraw)

    def redraw(self, *_: object) -> None:
        """The marks have changed."""
        self._picture = None
        self.update()

    def _resized(self, _: object) -> None:
        self._picture = None
        self.prepareGeometryChange()

    def boundingRect(self) -> QRectF:
        rect: QRectF = self._view.rect()
        return rect

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        rect = self._view.rect()
        if rect.isEmpty():
            return
        if not self.kept or widget is None:
            # Without a widget it is painted elsewhere than on the screen, as into a file.
            self._paint_marks(painter, rect, widget is None and isinstance(painter.device(), QSvgGenerator))
            return
        if self._picture is None:
            ratio = widget.devicePixelRatioF()
            picture = QPixmap(math.ceil(rect.width() * ratio), math.ceil(rect.height() * ratio))
            picture.setDevicePixelRatio(ratio)
            picture.fill(QColor(self.ground))
            onto = QPainter(picture)
            self._paint_marks(onto, rect, False)
            onto.end()
            self._picture = picture
        painter.drawPixmap(QPointF(0.0, 0.0), self._picture)
