"""How estimates are drawn: a row for each estimator, in it how its estimates are spread along ∇J, or a bar for what one
number comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from app.plotting.marks import Frame, hatched, pen_of
from app.style.theme import Theme, blended

if TYPE_CHECKING:  # with torch
    from engine.analysis.lab.comparison import Estimates

BINS = 96  # of a distribution, over what is seen of the axis
_HALF = 0.46  # of a row's height, as far as a distribution reaches up and down
_FEW = 12  # estimates; so few are drawn as dots
_SMOOTH = (0.06, 0.24, 0.4, 0.24, 0.06)  # over neighbouring bins
_TINT = 0.45


@dataclass(frozen=True)
class Row:
    """An estimator's estimates as they are drawn: all ``values`` [B] of what is shown, or their ``mean`` alone, within
    the ``interval`` in which the truth is with 95 % confidence; hatched where it is ``biased``."""

    title: str
    values: NDArray[np.float64] | None
    mean: float
    interval: tuple[float, float]
    biased: bool
    estimates: Estimates


class Rows:
    """The rows, the first at 0, the next at −1 and so on, and the ``truth``, a line through all of them."""

    def __init__(self) -> None:
        self.rows: Sequence[Row] = ()
        self.truth: float | None = None
        self.truth_name = ""
        self._theme: Theme | None = None

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme

    def paint(self, painter: QPainter, frame: Frame) -> None:
        theme = self._theme
        if theme is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        if self.rows:
            self._line(painter, frame, 0.0, pen_of(theme.edge))
        for number, row in enumerate(self.rows):
            middle = float(frame.to_y(-number))
            height = abs(float(frame.to_y(-number - 1)) - middle)
            colour, tint = theme.negative if row.biased else theme.policy, _TINT
            painter.setPen(Qt.PenStyle.NoPen)
            fill = blended(colour, theme.surface, tint)
            stripes = hatched(colour, theme.surface)[1] if row.biased else None
            if row.values is None:
                shape = _bar(frame, row.mean, middle, height)
            elif len(row.values) <= _FEW:
                shape = dots(frame, row.values, middle, height, theme)
            else:
                shape = _violin(frame, row.values, middle, height)
            painter.fillPath(shape, fill)
            if stripes is not None:
                painter.fillPath(shape, stripes)
            painter.setPen(pen_of(colour))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(shape)
            self._draw_mean(painter, frame, row, QRectF(0.0, middle - height / 2, 1.0, height), theme)
        if self.truth is not None and self.rows:
            pen = pen_of(theme.text, 1.5, Qt.PenStyle.DashLine)
            self._line(painter, frame, self.truth, pen)

    def _line(self, painter: QPainter, frame: Frame, x: float, pen: QPen) -> None:
        at = float(frame.to_x(x))
        if frame.rect.left() <= at <= frame.rect.right():
            painter.setPen(pen)
            painter.drawLine(QLineF(at, frame.rect.top(), at, frame.rect.bottom()))

    def _draw_mean(self, painter: QPainter, frame: Frame, row: Row, place: QRectF, theme: Theme) -> None:
        """The mean as a dot on the interval around it."""
        if not np.isfinite(row.mean):
            return
        at = QPointF(float(frame.to_x(row.mean)), place.center().y())
        low, high = (float(frame.to_x(end)) for end in row.interval)
        painter.setPen(pen_of(theme.text, max(2.0 * frame.thickness, 2.0)))
        if np.isfinite(low) and np.isfinite(high):
            painter.drawLine(QLineF(low, at.y(), high, at.y()))
        painter.setPen(pen_of(theme.surface))
        painter.setBrush(QColor(theme.text))
        radius = min(max(0.2 * place.height(), 2.5), 5.0)
        painter.drawEllipse(at, radius, radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)


def _bar(frame: Frame, value: float, middle: float, height: float) -> QPainterPath:
    path = QPainterPath()
    if np.isfinite(value):
        ends = sorted((float(frame.to_x(0.0)), float(frame.to_x(value))))
        path.addRect(QRectF(ends[0], middle - 0.32 * height, ends[1] - ends[0], 0.64 * height))
    return path


def dots(frame: Frame, values: NDArray[np.float64], middle: float, height: float, theme: Theme) -> QPainterPath:
    path, radius = QPainterPath(), min(0.3 * height, theme.px(4))
    path.setFillRule(Qt.FillRule.WindingFill)  # what lies over each other is filled as well
    for value in values.tolist():
        path.addEllipse(QPointF(float(frame.to_x(value)), middle), radius, radius)
    return path


def _violin(frame: Frame, values: NDArray[np.float64], middle: float, height: float) -> QPainterPath:
    """How often estimates lie where, as wide at its widest as the row is high."""
    shares, _ = np.histogram(values, BINS, frame.x)
    density = np.convolve(shares, _SMOOTH, "same")
    path = QPainterPath()
    most = float(density.max())
    if most <= 0.0:
        return path
    seen = np.flatnonzero(density > 0.002 * most)
    first, last = int(seen[0]), int(seen[-1]) + 1
    step = (frame.x[1] - frame.x[0]) / BINS
    x = frame.to_x(frame.x[0] + (np.arange(first, last) + 0.5) * step)
    half = density[first:last] * (_HALF * height / most)
    points = [
        *(QPointF(a, middle - b) for a, b in zip(x, half, strict=True)),
        *(QPointF(a, middle + b) for a, b in zip(x[::-1], half[::-1], strict=True)),
    ]
    path.moveTo(points[0])
    for point in points[1:]:
        path.lineTo(point)
    path.closeSubpath()
    return path
