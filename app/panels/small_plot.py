"""One metric of a run: its name and current value at the left, its course at the right."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtWidgets import QBoxLayout, QLabel, QWidget

from app.models.axis_choice import XAxis
from app.models.history import History
from app.models.runs import Run
from app.panels import timeline
from app.panels.ghosts import Ghosts
from app.plotting.arrangement import Margins
from app.plotting.axes import Range, robust_bounds, settled_range, without_plunge
from app.plotting.export import Table, below
from app.plotting.labels import Moment, Moments, Shapes
from app.plotting.marks import Band, Line
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading
from app.plotting.traces import Trace
from app.style.format import NOTHING, minus, short_number
from app.style.text import SteadyLabel
from app.style.theme import Theme, blended
from engine.reports.diagnostic_metrics import DIAGNOSTIC
from engine.reports.metric import Metric
from engine.reports.metrics import METRICS

AXIS_HEIGHT = 40  # pixels, for text of the system's size
BESIDE = 76  # pixels beside a plot's data
_DOWN, _ACROSS = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
_UNITS_IN_WORDS = ("nats", "steps/s")  # longer ones would leave the curves no room, and stand in the tooltip
_MARGINS = Margins(left=64, bottom=AXIS_HEIGHT, top=4, below=5, tick_height=13, most_ticks=3)
_DASHES = (4, 3)  # in widths of the line
_SELDOM = frozenset(metric.name for metric in DIAGNOSTIC)  # of which the newest iteration need not tell anything
_EDGE = 0.12  # of the range, so that labels at its ends do not meet the next plot's


class SmallPlot(QWidget):
    """Its meaning is told on hover of its name, its values on hover of the curve."""

    def __init__(self, metric: Metric, theme: Theme) -> None:
        super().__init__()
        self._metric = metric
        self._other = METRICS.get(metric.against[0])
        self._theme = theme
        self._trace, self._other_trace = Trace(), Trace()
        self._y: Range | None = None
        self._history: History | None = None
        self._axis: XAxis = "environment_steps"
        self._band, self._line, self._moments = Band(), Line(), Moments(rows=0)
        self._other_line = Line(1, dash=_DASHES)
        self._ghosts = Ghosts(metric.name)
        self.plot = Plot(theme, timeline.X_TITLES[self._axis], "", _MARGINS)
        self._set_marks()
        self.plot.title, self.plot.measured = metric.title, heading(metric)
        self.plot.probe, self.plot.numbers = self._read, self._numbers
        self.title = QLabel(metric.title + (f", dashed: {metric.against[1]}" if self._other else ""))
        self.title.setProperty("role", "muted")
        self._value = SteadyLabel(self._written(metric.widest), "heading")
        self._beside = QBoxLayout(_DOWN)
        self._beside.setContentsMargins(theme.unit + theme.unit // 2, 0, 0, 0)
        self._beside.setSpacing(0)
        for label in (self.title, self._value):
            label.setProperty("small", True)
            self._beside.addWidget(label)
        self._beside.addStretch(1)
        self._words = QWidget()
        self._words.setLayout(self._beside)
        self._words.setToolTip(explanation(metric))
        self._layout = QBoxLayout(_ACROSS)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addWidget(self._words)
        self._layout.addWidget(self.plot, 1)
        self.setLayout(self._layout)
        self.reset()

    @property
    def explanation(self) -> str:
        """What is told on hover."""
        return self._words.toolTip()

    @property
    def words_width(self) -> int:
        """How wide name and value are above each other."""
        return (
            max(self.title.sizeHint().width(), self._value.sizeHint().width()) + self._beside.contentsMargins().left()
        )

    def height_above(self, width: int) -> int:
        """How high they are above a curve of this width: in one line, or in two where that is too narrow for it."""
        title, value = self.title.sizeHint(), self._value.sizeHint()
        if self._in_one_line(width):
            return max(title.height(), value.height())
        return title.height() + value.height()

    def _in_one_line(self, width: int) -> bool:
        needed = self.title.sizeHint().width() + self._value.sizeHint().width() + self._theme.unit
        return needed + self._beside.contentsMargins().left() <= width

    def place_words(self, width: int, *, above: bool) -> None:
        """Name and value stand ``above`` the curve or beside it, ``width`` pixels wide."""
        in_line = above and self._in_one_line(width)
        self._words.setFixedWidth(width)
        self._beside.setDirection(_ACROSS if in_line else _DOWN)
        self._beside.setSpacing(self._theme.unit if in_line else 0)
        self._layout.setDirection(_DOWN if above else _ACROSS)

    @property
    def moments(self) -> list[Moment]:
        """What is marked on the way."""
        return list(self._moments.moments)

    def refresh(self, history: History, axis: XAxis, x: Range, moments: list[Moment]) -> None:
        """Show what the run has told so far, over ``x``, with what happened on the way."""
        self._history = history
        values, provisional = history.metrics[self._metric.name].values, history.provisional(self._metric.name)
        self._line.x, self._line.y = timeline.curve(self._trace, history, self._metric.name, axis)
        if self._other is not None:
            line = self._other_line
            line.x, line.y = timeline.curve(self._other_trace, history, self._other.name, axis)
        if self._trace.size > 1:
            lows = self._trace.lows
            known = np.isfinite(lows)
            self._band.x = self._line.x
            self._band.low, self._band.high = lows[known], self._trace.highs[known]
        newest = provisional if len(provisional) else values[-1:]
        if self._metric.name in _SELDOM:
            newest = self._line.y[-1:]
        self._value.setText(self._written(float(newest[0])) if len(newest) else NOTHING)
        if axis != self._axis:
            self._axis = axis
            self.show_ghosts(self._ghosts.runs)
        self._moments.moments = moments
        if len(self._line.y):
            self._y = self._settled()
        low, high = self._y or (0.0, 1.0)
        edge = _EDGE * (high - low)
        self.plot.set_ranges(x, (low - edge, high + edge))
        self.plot.redraw()

    def show_ghosts(self, ghosts: Sequence[Run]) -> None:
        """Draw the courses of other runs behind this one's."""
        self._ghosts.show(ghosts, self._axis)
        self._ghosts.apply_theme(self._theme)
        self._set_marks()
        self.plot.redraw()

    def _set_marks(self) -> None:
        lines = [self._line] if self._other is None else [self._line, self._other_line]
        self.plot.marks = [self._band, *self._ghosts.marks, self._moments, *lines, Shapes(self._moments)]

    def show_value_at(self, environment_steps: int) -> None:
        """Write beside the curve what it came to there, until it is refreshed."""
        if self._history is not None:
            self._value.setText(self._written(self._history.value_at(self._metric.name, environment_steps)))

    def reset(self) -> None:
        self._trace.clear()
        self._other_trace.clear()
        self._y = None
        self._history = None
        self._moments.moments = ()
        for mark in (self._band, self._line, self._other_line):
            mark.x = np.empty(0)
        self._line.y = self._other_line.y = np.empty(0)
        self._value.setText(self._written(math.nan))
        self.plot.follow()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._line.colour, self._other_line.colour = theme.mean, theme.text
        self._ghosts.apply_theme(theme)
        self._band.colour = blended(theme.mean, theme.surface, 0.25)
        self._moments.apply_theme(theme)
        self.plot.apply_theme(theme)

    def _settled(self) -> Range:
        low, high = robust_bounds(self._line.y, 0.01)
        if self._metric.name == "value_error":
            high = without_plunge(self._line.y, high)
        if len(self._other_line.y):
            below, above = robust_bounds(self._other_line.y, 0.01)
            low, high = min(low, below), max(high, above)
        if self._metric.name == "explained_variance":
            # Below −1 it says no more than at −1, and the early plunge would flatten all that follows.
            return (-1.0 if low < 0 else 0.0), 1.0
        if self._metric.from_zero:
            low = min(low, 0.0)
        if len(others := self._ghosts.y):
            low, high = beside_ghost(low, high, robust_bounds(others, 0.01))
        return settled_range(self._y, low, high)

    def _written(self, value: float) -> str:
        number = short_number(value, 3, steady=True)
        if self._metric.name == "explained_variance" and 0 < abs(value) < 1:
            number = minus(f"{value:.3f}")  # powers of ten would say no more
        start = f"{self._metric.symbol.replace('_V', 'ᵥ')} = " if self._metric.symbol else ""
        if number == NOTHING or self._metric.unit not in _UNITS_IN_WORDS:
            return f"{start}{number}"
        return f"{start}{number} {self._metric.unit}"

    def _read(self, pointer: Pointer) -> Reading | None:
        """The point of the run that is nearest in x, with the other runs' at the same place."""
        index = pointer.nearest(self._line.x)
        if index is None:
            return None
        x, y = float(self._line.x[index]), float(self._line.y[index])
        unit = f" {self._metric.unit}" if self._metric.unit else ""
        words = [f"{self._metric.title} {short_number(y, 4)}{unit}", timeline.x_words(self._axis, x)]
        there = pointer.nearest(self._other_line.x)
        if self._other is not None and there is not None:
            words.insert(1, f"{self._other.title} {short_number(float(self._other_line.y[there]), 4)}{unit}")
        words += [f"run {run.number}: {short_number(there, 4)}{unit}" for run, there in self._ghosts.at(x)]
        return Reading(x, y, (*words, *pointer.moments(self._moments.moments)), self._line.colour)

    def _numbers(self) -> Table:
        """Every value that was reported, those of the other runs too."""
        told = [] if self._history is None else [(self.plot.run, self._history)]
        told += [(run.name, run.history) for run in self._ghosts.runs]
        metrics = [self._metric] if self._other is None else [self._metric, self._other]
        return below(
            [
                Table(
                    timeline.iterations_table(run, history)
                    | {heading(metric): history.metrics[metric.name].values for metric in metrics}
                )
                for run, history in told
            ]
        )


def beside_ghost(low: float, high: float, ghost: Range) -> Range:
    """A range that holds [low, high] and an earlier run's, of which no more than is as wide as the former on either
    side: one that went astray must not flatten what is going on now."""
    if not math.isfinite(ghost[0]):
        return low, high
    span = high - low if high > low else max(abs(high), 1.0)
    return min(low, max(ghost[0], low - span)), max(high, min(ghost[1], high + span))


def heading(metric: Metric) -> str:
    """A metric's name and unit."""
    return f"{metric.title} ({metric.unit})" if metric.unit else metric.title


def explanation(metric: Metric) -> str:
    """What a tooltip says about a metric."""
    extras = " · ".join(part for part in (metric.symbol, metric.unit) if part)
    name = f"<b>{metric.title}</b>" + (f" &nbsp;{extras}" if extras else "")
    told = f"<p>{name}</p><p>{metric.meaning}</p>"
    other = METRICS.get(metric.against[0])
    return told if other is None else f"{told}<p>Dashed:</p>{explanation(other)}"
