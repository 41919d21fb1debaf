"""Diagnostics: how the learning itself is doing, as small plots above each other over the same axis."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt
from PySide6.QtGui import QFont, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.models.axis_choice import AxisChoice, XAxis
from app.models.history import History
from app.panels.record import PanelWidget
from app.panels.returns import X_TITLES
from app.plotting.axes import Range, robust_bounds, settled_end, settled_range
from app.plotting.marks import Band, Line
from app.plotting.plot import Margins, Plot
from app.plotting.throttle import Pace
from app.plotting.traces import Trace
from app.style.format import NOTHING, minus, short_number
from app.style.sentence import smaller
from app.style.text import Stage, SteadyLabel, as_surface
from app.style.theme import Theme, blended, tabular
from engine.catalogue.methods.reported import diagnosed
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PolicyGradientConfig, RunConfig
from engine.reports.metrics import METRICS, Metric

_UNITS_IN_WORDS = ("nats", "steps/s")  # longer ones would leave the curves no room, and stand in the tooltip
_EMPTY = "Loss, entropy, gradient norm and speed will appear here after the first iteration."
_INTERVAL = 100  # ms for each plot, so that many cost training no more than few
_AXIS_HEIGHT = 40
_ROW = 38  # the height of a row from which on all is easily read
_LEAST_ROW = 34  # where that lets all rows be seen at once
_MARGINS = Margins(left=46, bottom=_AXIS_HEIGHT, top=4, below=5, tick_height=13, most_ticks=3)
_EDGE = 0.12  # of the range, so that labels at its ends do not meet the next plot's


class Small(QWidget):
    """One metric: its name and current value at the left, its course at the right; its meaning on hover."""

    def __init__(self, metric: Metric, theme: Theme) -> None:
        super().__init__()
        self._metric = metric
        self._trace = Trace()
        self._y: Range | None = None
        self._band, self._line = Band(), Line()
        self.plot = Plot(theme, X_TITLES["environment_steps"], "", _MARGINS)
        self.plot.marks = [self._band, self._line]
        self.title = QLabel(metric.title)
        self.title.setProperty("role", "muted")
        self.title.setFont(smaller(self.title.font()))
        self._value = SteadyLabel(self._written(metric.widest))
        bold = QFont(tabular(smaller(self.font())))
        bold.setWeight(QFont.Weight.DemiBold)
        self._value.setFont(bold)
        words = QVBoxLayout()
        words.setContentsMargins(theme.unit + theme.unit // 2, 0, 0, 0)
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
        values, provisional = history.metrics[self._metric.name].values, history.provisional(self._metric.name)
        self._trace.update(values, provisional)
        means = self._trace.means
        known = np.isfinite(means)
        self._line.x = history.iteration_x_at(axis, self._trace.middles[known])
        self._line.y = means[known]
        if self._trace.size > 1:
            self._band.x = self._line.x
            self._band.low, self._band.high = self._trace.lows[known], self._trace.highs[known]
        newest = provisional if len(provisional) else values[-1:]
        self._value.setText(self._written(float(newest[0])) if len(newest) else NOTHING)
        if known.any():
            self._y = self._settled()
        low, high = self._y or (0.0, 1.0)
        edge = _EDGE * (high - low)
        self.plot.set_ranges(x, (low - edge, high + edge))
        self.plot.redraw()

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
        self.plot.apply_theme(theme)

    def _settled(self) -> Range:
        low, high = robust_bounds(self._line.y, 0.01)
        if self._metric.name == "explained_variance":
            # Below −1 it says no more than at −1, and the early plunge would flatten all that follows.
            return (-1.0 if low < 0 else 0.0), 1.0
        if self._metric.from_zero:
            low = min(low, 0.0)
        return settled_range(self._y, low, high)

    def _written(self, value: float) -> str:
        number = short_number(value, 3, steady=True)
        if self._metric.name == "explained_variance" and 0 < abs(value) < 1:
            number = minus(f"{value:.3f}")  # powers of ten would say no more
        start = f"{self._metric.symbol.replace('_V', 'ᵥ')} = " if self._metric.symbol else ""
        if number == NOTHING or self._metric.unit not in _UNITS_IN_WORDS:
            return f"{start}{number}"
        return f"{start}{number} {self._metric.unit}"


class DiagnosticsPanel(PanelWidget):
    def __init__(self, theme: Theme, x_axis: AxisChoice) -> None:
        super().__init__()
        as_surface(self)
        self._theme = theme
        self._history: History | None = None
        self._drawn = 0
        self._x_axis = x_axis
        self._x_end: float | None = None
        self._made: dict[str, Small] = {}
        self._smalls: dict[str, Small] = {}
        self._columns = Columns()
        self._scroll = _Scroll(self._columns)
        self._stage = Stage(_EMPTY, self._scroll)
        self._pace = Pace(self, _INTERVAL, self._redraw)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, theme.unit, 0, 0)
        layout.addWidget(self._stage)
        x_axis.changed.connect(self._follow_axis)
        self._plot(diagnosed(PolicyGradientConfig()))

    @property
    def shown(self) -> tuple[str, ...]:
        """The metrics that are plotted."""
        return tuple(self._smalls)

    @property
    def plots(self) -> list[Plot]:
        return [small.plot for small in self._smalls.values()]

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        """Plot what a run of ``config`` defines; what is shown does not change while it trains."""
        names = diagnosed(config)
        if names != self.shown:
            self._plot(names)

    def _plot(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name not in self._made:
                self._made[name] = self._new_small(name)
        self._smalls = {name: self._made[name] for name in names}
        self._pace.set_interval(_INTERVAL * len(names))
        self._columns.hold(list(self._smalls.values()))
        self._scroll.fit()
        self._redraw()

    def _new_small(self, name: str) -> Small:
        small = Small(METRICS[name], self._theme)
        small.apply_theme(self._theme)
        small.plot.bottom.set_title(X_TITLES[self._x_axis.axis])
        small.plot.viewport().installEventFilter(self._scroll)
        return small

    def _follow_axis(self, axis: XAxis) -> None:
        self._x_end = None
        for small in self._made.values():
            small.plot.bottom.set_title(X_TITLES[axis])
            small.plot.follow()
        self._redraw()

    def refresh(self, history: History) -> None:
        if history is self._history and history.iterations == self._drawn:
            return
        if history is not self._history:
            self.reset()
            self._history = history
        self._drawn = history.iterations
        if self._drawn:
            self._pace.request()

    def reset(self) -> None:
        self._pace.cancel()
        self._history = None
        self._drawn = 0
        self._x_end = None
        self._stage.fill(False)
        for small in self._made.values():
            small.reset()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        for small in self._made.values():
            small.apply_theme(theme)

    def _redraw(self) -> None:
        history = self._history
        if history is None or not history.iterations:
            return
        self._x_end = settled_end(self._x_end, history.last_x(self._x_axis.axis))
        for small in self._smalls.values():
            small.refresh(history, self._x_axis.axis, (0.0, self._x_end))
        self._stage.fill(True)


class Columns(QWidget):
    """Lays the small plots out in as many columns as suits the shape, the lowest of each with the axis of all."""

    def __init__(self) -> None:
        super().__init__()
        self._smalls: list[Small] = []
        self._beside = 0
        self._columns = 1
        self.row_height = _ROW

    def hold(self, smalls: list[Small]) -> None:
        """Show these, in this order, and hide the others."""
        for small in self._smalls:
            small.hide()
        width = max(small.words_width for small in smalls)
        for small in smalls:
            small.set_words_width(width)
            small.setParent(self)
            small.show()
        self._smalls, self._beside = smalls, width + 58

    def fit(self, width: int, height: int) -> None:
        """Choose the columns for what can be seen at once, and grow beyond it where rows would be too low; then whole
        rows are seen, and none is cut in half."""
        count = len(self._smalls)
        self._columns = columns_for(width, height, count, self._beside)
        rows = math.ceil(count / self._columns)
        if rows * _LEAST_ROW + _AXIS_HEIGHT <= height:
            self.row_height = (height - _AXIS_HEIGHT) // rows
        else:
            self.row_height = math.ceil(height / max(height // _ROW, 1))
        self.setMinimumSize(min(self._beside + 60, width), rows * self.row_height + _AXIS_HEIGHT)
        self._lay_out()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        rects, lowest = places(self.width(), self.height(), len(self._smalls), self._columns)
        for small, rect, last in zip(self._smalls, rects, lowest, strict=True):
            small.plot.show_bottom(last)
            small.setGeometry(rect)


class _Scroll(QScrollArea):
    """Scrolls plots that are more than fit; the wheel then scrolls instead of zooming, unless Ctrl is held."""

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
        return QSize(200, 2 * _ROW + _AXIS_HEIGHT)

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
        plain = isinstance(event, QWheelEvent) and not event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if plain and bar.maximum() > 0:
            assert isinstance(event, QWheelEvent)
            bar.setValue(bar.value() - round(event.angleDelta().y() / 120 * self._columns.row_height))
            return True
        return super().eventFilter(watched, event)

    def _follow_range(self, _least: int, most: int) -> None:
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if most > 0 else Qt.FocusPolicy.NoFocus)


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
