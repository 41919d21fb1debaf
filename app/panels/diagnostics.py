"""Diagnostics: how the learning itself is doing, as small plots above each other over the same axis."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.models.axes import Range, robust_bounds, settled_end, settled_range
from app.models.history import History, XAxis
from app.models.traces import Trace
from app.panels.returns import X_TITLES
from app.theme import Theme, blended, tabular
from app.widgets.format import NOTHING, short_number
from app.widgets.labels import Note
from app.widgets.marks import Band, Line
from app.widgets.pace import Pace
from app.widgets.plot import Margins, Plot
from app.widgets.text import Stage, SteadyLabel, as_surface
from engine.metrics import METRICS, Metric

SHOWN = ("loss", "entropy", "grad_norm", "explained_variance", "steps_per_second")
_FROM_ZERO = {"entropy", "grad_norm", "steps_per_second"}
_EMPTY = "Loss, entropy, gradient norm and speed will appear here after the first iteration."
_NO_VALUE = "needs a learned value baseline"
_INTERVAL = 420  # ms
_AXIS_HEIGHT = 40
_LEAST_ROW = 40
_MARGINS = Margins(left=58, bottom=_AXIS_HEIGHT, top=4, below=5, tick_height=13, most_ticks=3)
_EDGE = 0.12  # of the range, so that labels at its ends do not meet the next plot's


class Small(QWidget):
    """One metric: its name and current value at the left, its course at the right; its meaning on hover."""

    def __init__(self, metric: Metric, theme: Theme) -> None:
        super().__init__()
        self._metric = metric
        self._trace = Trace()
        self._y: Range | None = None
        self._band, self._line, self._note = Band(), Line(), Note()
        self.plot = Plot(theme, X_TITLES["environment_steps"], "", _MARGINS)
        self.plot.marks = [self._band, self._line, self._note]
        self.title = QLabel(metric.title)
        self.title.setProperty("role", "muted")
        self._value = SteadyLabel(self._written(88_800.0 if metric.name == "steps_per_second" else -8.8e-8))
        bold = QFont(tabular(self.font()))
        bold.setWeight(QFont.Weight.DemiBold)
        self._value.setFont(bold)
        words = QVBoxLayout()
        words.setContentsMargins(2 * theme.unit, 0, 0, 0)
        words.setSpacing(0)
        words.addWidget(self.title)
        words.addWidget(self._value)
        words.addStretch(1)
        self._words = QWidget()
        self._words.setLayout(words)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._words)
        layout.addWidget(self.plot, 1)
        self.setToolTip(explanation(metric))
        self.reset()

    @property
    def words_width(self) -> int:
        return self._words.sizeHint().width()

    def set_words_width(self, width: int) -> None:
        self._words.setFixedWidth(width)

    def refresh(self, history: History, axis: XAxis, x: Range) -> None:
        values = history.metrics[self._metric.name].values
        self._trace.update(values)
        means = self._trace.means
        known = np.isfinite(means)
        places = history.iteration_x(axis)[self._trace.middles[known]]
        self._line.x, self._line.y = places.astype(np.float64), means[known]
        if self._trace.size > 1:
            self._band.x = self._line.x
            self._band.low, self._band.high = self._trace.lows[known], self._trace.highs[known]
        self._value.setText(self._written(float(values[-1])) if len(values) else NOTHING)
        if known.any():
            self._y = self._settled()
        low, high = self._y or (0.0, 1.0)
        edge = _EDGE * (high - low)
        self.plot.set_ranges(x, (low - edge, high + edge))
        self.plot.redraw()

    @property
    def note(self) -> str:
        return self._note.text

    @note.setter
    def note(self, text: str) -> None:
        self._note.text = text

    @property
    def defined(self) -> bool:
        """Whether there is anything but null so far."""
        return bool(len(self._line.x))

    def reset(self) -> None:
        self._trace.clear()
        self._y = None
        for mark in (self._band, self._line):
            mark.x = np.empty(0)
        self._value.setText(self._written(math.nan))
        self.plot.follow()

    def apply_theme(self, theme: Theme) -> None:
        self._line.colour = theme.mean
        self._band.colour = blended(theme.mean, theme.surface, 0.25)
        self._note.colour, self._note.ground = theme.muted, theme.surface
        self.plot.apply_theme(theme)

    def _settled(self) -> Range:
        low, high = robust_bounds(self._line.y, 0.01)
        if self._metric.name == "explained_variance":
            # Below −1 it says no more than at −1, and the early plunge would flatten all that follows.
            return (-1.0 if low < 0 else 0.0), 1.0
        if self._metric.name in _FROM_ZERO:
            low = min(low, 0.0)
        return settled_range(self._y, low, high)

    def _written(self, value: float) -> str:
        number = short_number(value, 3, steady=True)
        if number == NOTHING or not self._metric.unit:
            return f"{self._metric.symbol} = {number}" if self._metric.symbol else number
        start = f"{self._metric.symbol} = " if self._metric.symbol else ""
        return f"{start}{number} {self._metric.unit}"


class DiagnosticsPanel(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        as_surface(self)
        self._history: History | None = None
        self._drawn = 0
        self._axis: XAxis = "environment_steps"
        self._x_end: float | None = None
        self._learned_value: bool | None = None
        self._smalls = {name: Small(METRICS[name], theme) for name in SHOWN}
        width = max(small.words_width for small in self._smalls.values())
        for small in self._smalls.values():
            small.set_words_width(width)
        self._columns = Columns(list(self._smalls.values()), width + 70)
        self._stage = Stage(_EMPTY, self._columns)
        self._pace = Pace(self, _INTERVAL, self._redraw)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, theme.unit, 0, 0)
        layout.addWidget(self._stage)
        self.apply_theme(theme)

    @property
    def plots(self) -> list[Plot]:
        return [small.plot for small in self._smalls.values()]

    @property
    def notes(self) -> dict[str, str]:
        """What is written over each plot."""
        return {name: small.note for name, small in self._smalls.items()}

    def set_x_axis(self, axis: XAxis) -> None:
        """What the horizontal axes count, as in the plot of returns."""
        if axis != self._axis:
            self._axis = axis
            self._x_end = None
            for plot in self.plots:
                plot.bottom.set_title(X_TITLES[axis])
                plot.follow()
            self._redraw()

    def set_learned_value(self, learned: bool | None) -> None:
        """Whether the run has a learned value function; None goes by whether its metrics have ever been defined."""
        self._learned_value = learned
        self._redraw()

    def refresh(self, history: History) -> None:
        if history is self._history and len(history.steps) == self._drawn:
            return
        if history is not self._history:
            self.reset()
            self._history = history
        self._drawn = len(history.steps)
        if self._drawn:
            self._pace.request()

    def reset(self) -> None:
        self._pace.cancel()
        self._history = None
        self._drawn = 0
        self._x_end = None
        self._stage.fill(False)
        for small in self._smalls.values():
            small.reset()

    def apply_theme(self, theme: Theme) -> None:
        for small in self._smalls.values():
            small.apply_theme(theme)

    def _redraw(self) -> None:
        history = self._history
        if history is None or not len(history.steps):
            return
        self._x_end = settled_end(self._x_end, history.last_x(self._axis))
        for small in self._smalls.values():
            small.refresh(history, self._axis, (0.0, self._x_end))
        value = self._smalls["explained_variance"]
        learned = value.defined if self._learned_value is None else self._learned_value
        value.note = "" if learned else _NO_VALUE
        self._stage.fill(True)


class Columns(QWidget):
    """Lays the small plots out in as many columns as suits the shape, the lowest of each with the axis of all."""

    def __init__(self, smalls: list[Small], beside: int) -> None:
        super().__init__()
        self._smalls = smalls
        self._beside = beside
        for small in smalls:
            small.setParent(self)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._beside + 100, len(self._smalls) * _LEAST_ROW + _AXIS_HEIGHT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        columns = columns_for(self.width(), self.height(), len(self._smalls), self._beside)
        for small, rect, lowest in zip(
            self._smalls, *places(self.width(), self.height(), len(self._smalls), columns), strict=True
        ):
            small.plot.show_bottom(lowest)
            small.setGeometry(rect)


def columns_for(width: int, height: int, count: int, beside: int) -> int:
    """How many columns make plots, ``beside`` pixels narrower than their cells, about five times as wide as high."""

    def distance(columns: int) -> float:
        plot_width = max(width / columns - beside, 1.0)
        plot_height = max((height - _AXIS_HEIGHT) / math.ceil(count / columns), 1.0)
        return abs(math.log(plot_width / plot_height / 5.0))

    return min(range(1, 4), key=distance)


def places(width: int, height: int, count: int, columns: int) -> tuple[list[QRect], list[bool]]:
    """Where each of ``count`` plots goes, column by column, and whether it is its column's lowest."""
    rects, lowest = [], []
    rows = math.ceil(count / columns)
    for index in range(count):
        column, row = divmod(index, rows)
        here = min(rows, count - column * rows)
        left, right = round(column * width / columns), round((column + 1) * width / columns)
        top, bottom = (round(r * (height - _AXIS_HEIGHT) / here) for r in (row, row + 1))
        last = row == here - 1
        rects.append(QRect(left, top, right - left, bottom - top + (_AXIS_HEIGHT if last else 0)))
        lowest.append(last)
    return rects, lowest


def explanation(metric: Metric) -> str:
    """What a tooltip says about a metric."""
    extras = " · ".join(part for part in (metric.symbol, metric.unit) if part)
    heading = f"<b>{metric.title}</b>" + (f" &nbsp;{extras}" if extras else "")
    return f"<p>{heading}</p><p>{metric.meaning}</p>"
