"""What the colours of a map mean: a bar from the least to the greatest, with ticks beside it and what is measured above
it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from app.plotting.axes import nice_ticks
from app.style.format import short_number, tick_labels
from app.style.theme import Theme, tabular

Pixels = NDArray[np.uint32]
"""Colours, as 0xAARRGGBB."""

_WIDE = 12  # pixels that the bar is wide, where text has the system's size
_BEFORE, _AFTER, _END = 10.0, 4.0, 4.0  # pixels left of the bar, between it and the numbers, and beyond them
_MOST = 5  # ticks
_LEAST_LINE = 1.6  # of a label's height, between two labels
_ABOVE = 4  # pixels by which the line above is higher than its letters


@dataclass(frozen=True)
class ColourBar:
    """From ``low`` to ``high``, by even steps, what is measured has these colours [n]; ``symbol`` names it, with its
    unit."""

    symbol: str
    low: float
    high: float
    colours: Pixels = field(compare=False)

    def ticks(self, most: float = _MOST) -> tuple[list[float], list[str]]:
        """Where ticks stand, and what they say; one where all is alike."""
        if not self.high > self.low:
            return [self.low], [short_number(self.low)]
        step, values = nice_ticks(self.low, self.high, most)
        return values, tick_labels(values, step)

    def ticks_in(self, height: float, metrics: QFontMetricsF) -> tuple[list[float], list[str]]:
        """Of a bar so high: so few that no label touches another."""
        return self.ticks(min(max(height / (_LEAST_LINE * metrics.height()), 1.0), _MOST))

    def width(self, metrics: QFontMetricsF, theme: Theme) -> float:
        """Pixels that it takes beside a map, with its numbers."""
        numbers = max(map(metrics.horizontalAdvance, self.ticks()[1]), default=0.0)
        return _BEFORE + float(theme.px(_WIDE)) + _AFTER + numbers + _END

    def draw(self, painter: QPainter, map_area: QRectF, theme: Theme) -> None:
        """At the right of ``map_area``, as high as that."""
        metrics = QFontMetricsF(painter.font())
        place = QRectF(map_area.right() + _BEFORE, map_area.top(), theme.px(_WIDE), map_area.height())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        painter.drawImage(place, image_of(self.colours[:, None]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QColor(theme.edge))
        painter.drawRect(place)
        painter.setPen(QColor(theme.muted))
        highest = place.top() + metrics.ascent() / 2
        for value, text in zip(*self.ticks_in(place.height(), metrics), strict=True):
            y = place.bottom() - (value - self.low) / max(self.high - self.low, 1e-30) * place.height()
            baseline = min(max(y + metrics.ascent() / 2 - 1, highest), place.bottom())
            painter.drawText(QPointF(place.right() + _AFTER, baseline), text)

    def draw_symbol(self, painter: QPainter, line: QRectF, theme: Theme) -> None:
        """At the right end of a ``line`` above."""
        title = QFontMetricsF(painter.font()).elidedText(self.symbol, Qt.TextElideMode.ElideRight, line.width())
        painter.setPen(QColor(theme.text))
        painter.drawText(line, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), title)


def image_of(pixels: Pixels) -> QImage:
    """A picture of pixels [rows, columns], the lowest row first."""
    rows, columns = pixels.shape
    upwards = np.ascontiguousarray(pixels[::-1])
    return QImage(upwards.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_ARGB32).copy()


class _Part(pg.GraphicsWidget):
    """A part of a plot in which a colour bar is drawn, or what belongs to it."""

    def __init__(self) -> None:
        super().__init__()
        self.bar: ColourBar | None = None
        self.theme: Theme | None = None
        self.font = QFont()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self.bar is not None and self.theme is not None:
            painter.setFont(self.font)
            self.draw(painter, self.bar, self.theme)

    def draw(self, painter: QPainter, bar: ColourBar, theme: Theme) -> None:
        raise NotImplementedError


class _Scale(_Part):
    """The bar, right of the data."""

    def draw(self, painter: QPainter, bar: ColourBar, theme: Theme) -> None:
        bar.draw(painter, QRectF(0.0, 0.0, 0.0, self.size().height()), theme)


class _Symbol(_Part):
    """What it is of, in a line above the data, at whose end is room for a button as high as it."""

    def draw(self, painter: QPainter, bar: ColourBar, theme: Theme) -> None:
        height = self.size().height()
        bar.draw_symbol(painter, QRectF(0.0, 0.0, self.size().width() - height, height), theme)


class PlotColours:
    """A colour bar in a plot. Numbers that grow shorter again do not move the plot back."""

    def __init__(self) -> None:
        self.scale, self.symbol = _Scale(), _Symbol()
        self._width = 0.0

    @property
    def bar(self) -> ColourBar | None:
        return self.scale.bar

    def show(self, bar: ColourBar) -> None:
        self.scale.bar = self.symbol.bar = bar
        self._fit()

    def apply_theme(self, theme: Theme, font: QFont) -> None:
        for part in (self.scale, self.symbol):
            part.theme, part.font = theme, tabular(font)
        self.symbol.setFixedHeight(round(QFontMetricsF(self.symbol.font).height()) + _ABOVE)
        self._width = 0.0
        self._fit()

    def _fit(self) -> None:
        if self.scale.bar is not None and self.scale.theme is not None:
            needed = self.scale.bar.width(QFontMetricsF(self.scale.font), self.scale.theme)
            self._width = max(self._width, needed)
            self.scale.setFixedWidth(self._width)
        self.scale.update()
        self.symbol.update()
