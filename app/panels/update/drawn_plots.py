"""The steps from which action values learn at once: their temporal-difference errors, and targets against estimates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QColor

from app.models.inspection import BatchStep
from app.panels.update.bars import Bins, bar_under, read_bar
from app.panels.update.cells import Numbers
from app.plotting.arrangement import Margins
from app.plotting.axes import Range, robust_bounds, settled_range
from app.plotting.histogram import bounds, histogram
from app.plotting.labels import Moment, Moments
from app.plotting.legend import Entry
from app.plotting.marks import Bars, Dots, Line
from app.plotting.picking import Pick
from app.plotting.plot import Plot
from app.plotting.readout import NEAR, Pointer, Reading
from app.style.format import short_number
from app.style.theme import Theme
from engine.reports.update_events import DrawnSteps, UpdateStep

_MARGINS = Margins(left=62, bottom=40, top=4)
_ERROR = "TD error  δ  (reward)"


class ErrorPlot(Plot):
    """The TD errors of the steps that are learned from at once, over the range of all of the iteration's.

    Signals:
        chosen: a bar was clicked (``Bar``), or all of the iteration is wanted (None).
    """

    chosen = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, _ERROR, "share of steps (%)", _MARGINS)
        self.bottom.set_title(_ERROR, "δ")
        self.title = "TD errors"
        self.left.set_title("share of steps (%)", "% of steps", "%")
        self._bars, self._lines = Bars(), Moments(rows=0)
        self._x: Range | None = None
        self._of: object = None  # the steps of which the range is
        self._highest = 0.0
        self._bins: Bins | None = None
        self.marks = [self._bars, self._lines]
        self.probe = lambda pointer: read_bar(self._bins, pointer, self._look)
        self.pick = Pick("Steps in this bar", self._choose)
        self._colour(theme)

    def _colour(self, theme: Theme) -> None:
        self._look = theme
        self._bars.positive = QColor(theme.positive)
        self._bars.set_negative(theme.negative, theme.surface)
        self._lines.apply_theme(theme)

    def wear(self, theme: Theme) -> None:
        self._colour(theme)
        self.apply_theme(theme)

    def begin(self) -> None:
        """Another iteration follows, whose errors may lie elsewhere."""
        self._x, self._of, self._highest, self._bins = None, None, 0.0, None

    def _choose(self, pointer: Pointer | None) -> None:
        bar = None if pointer is None else bar_under(self._bins, pointer)
        if pointer is None or bar is not None:
            self.chosen.emit(bar)

    def show_step(self, steps: Sequence[UpdateStep], shown: int) -> None:
        """The ``shown``-th of these, from 1."""
        step = steps[shown - 1]
        assert step.errors is not None
        if self._of is not steps[-1]:
            self._of = steps[-1]
            every = np.concatenate([each.errors for each in steps if each.errors is not None])
            self._x = settled_range(self._x, *bounds(every.astype(np.float64)))
        assert self._x is not None
        bars = histogram(step.errors.astype(np.float64), self._x)
        self._bins = Bins(bars, "advantage", "TD error δ", step.step)
        self._bars.edges, self._bars.width, self._bars.heights = bars.edges, bars.width, 100 * bars.shares
        self._lines.moments = [Moment(bars.mean, "mean", self._look.marker)]
        self.legend.show_entries(
            [
                Entry(f"mean {short_number(bars.mean, 2)}", self._look.marker, "line"),
                Entry(f"loss {short_number(sum(step.losses.values()), 2)}"),
            ]
        )
        self._highest = max(self._highest, float(self._bars.heights.max()) * 1.1, 5.0)
        self.set_ranges(self._x, (0.0, self._highest))
        self.redraw()


class _Pairs(NamedTuple):
    """Estimates and targets, [k·B] of k networks one after the other, which step each is of, and which are at an
    end."""

    estimates: Numbers
    targets: Numbers
    rows: np.ndarray
    over: np.ndarray


class TargetPlot(Plot):
    """The target of each of these steps against its value before: upon the diagonal nothing is left to be learned.

    Signals:
        chosen: a dot was clicked (``BatchStep``), or all of the iteration is wanted (None).
    """

    chosen = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "estimate Q(s, a)  (reward)", "target y  (reward)", _MARGINS)
        self.title = "Targets and estimates"
        self.bottom.set_title("estimate Q(s, a)  (reward)", "Q(s, a)")
        self.left.set_title("target y  (reward)", "target y", "y")
        self._even, self._going_on, self._over = Line(), Dots(6.0), Dots(6.0)
        self._pairs: _Pairs | None = None
        self._taken = 0
        self._range: Range | None = None
        self._of: object = None
        self.marks = [self._even, self._going_on, self._over]
        self.probe, self.pick = self._read_dot, Pick("This step", self._choose)
        self._colour(theme)

    def _colour(self, theme: Theme) -> None:
        self._look = theme
        self._even.colour = theme.edge
        self._going_on.set_colour(theme.update, 0.6)
        self._over.set_colour(theme.negative, 0.9)

    def wear(self, theme: Theme) -> None:
        self._colour(theme)
        self.apply_theme(theme)

    def begin(self) -> None:
        """Another iteration follows."""
        self._range, self._of, self._pairs = None, None, None

    def show_step(self, steps: Sequence[UpdateStep], shown: int) -> None:
        """The ``shown``-th of these, from 1."""
        step = steps[shown - 1]
        assert step.drawn is not None
        if self._of is not steps[-1]:
            self._of = steps[-1]
            drawn = [each.drawn for each in steps if each.drawn is not None]
            low, high = robust_bounds(np.concatenate([part for each in drawn for part in (each.targets, each.values)]))
            self._range = settled_range(self._range, low, high)
        assert self._range is not None
        pairs = self._pairs = _pairs(step.drawn)
        self._taken = step.step
        for dots, there in ((self._going_on, ~pairs.over), (self._over, pairs.over)):
            dots.x, dots.y = pairs.estimates[there], pairs.targets[there]
        self._even.x = self._even.y = np.array(self._range)
        words = [Entry("y = Q", self._look.edge, "line")]
        if pairs.over.any():
            words.append(Entry("at an end", self._look.negative, "filled"))
        self.legend.show_entries(words)
        self.set_ranges(self._range, self._range)
        self.redraw()

    def _dot_at(self, pointer: Pointer) -> int | None:
        pairs = self._pairs
        if pairs is None or not len(pairs.rows):
            return None
        distances = pointer.distances(pairs.estimates, pairs.targets)
        nearest = int(np.argmin(distances))
        return nearest if distances[nearest] <= NEAR else None

    def _read_dot(self, pointer: Pointer) -> Reading | None:
        pairs, dot = self._pairs, self._dot_at(pointer)
        if pairs is None or dot is None:
            return None
        estimate, target = float(pairs.estimates[dot]), float(pairs.targets[dot])
        told = (
            f"target y {short_number(target)}",
            f"estimate Q {short_number(estimate)}",
            f"TD error δ {short_number(target - estimate)}",
            "click: this step",
        )
        return Reading(estimate, target, told, self._look.text)

    def _choose(self, pointer: Pointer | None) -> None:
        pairs, dot = self._pairs, None if pointer is None else self._dot_at(pointer)
        if pointer is None:
            self.chosen.emit(None)
        elif pairs is not None and dot is not None:
            self.chosen.emit(BatchStep(int(pairs.rows[dot]), self._taken))


def _pairs(drawn: DrawnSteps) -> _Pairs:
    values = drawn.values[None] if drawn.networks is None else drawn.networks
    count = len(values)
    return _Pairs(
        values.reshape(-1).astype(np.float64),
        np.tile(drawn.targets, count).astype(np.float64),
        np.tile(np.arange(len(drawn.targets)), count),
        np.tile(drawn.terminated, count),
    )
