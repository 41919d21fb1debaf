"""What a step along either gradient does to the actions of a batch, and where both gradients point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QLineF
from PySide6.QtGui import QPainter

from app.panels.lab.paired import PairedPlot, PairedRow
from app.plotting.arrangement import Margins
from app.plotting.axes import Range, robust_bounds, settled_range
from app.plotting.export import Table
from app.plotting.legend import Entry
from app.plotting.marks import Dots, Frame, Line, Numbers, pen_of
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading
from app.style.format import short_number
from app.style.theme import Theme

if TYPE_CHECKING:  # with torch
    from engine.analysis.lab.likelihood_lab import Compared, Component

_BINS = 10  # of advantages, over each of which a line takes the mean
_MOST_DOTS = 4000
_SEEN = (0.03, 0.97)  # between which quantiles of the changes the axis reaches at least
LIKELIHOOD, GRADIENT = "maximum likelihood", "policy gradient"


class _Zero:
    """Lines where nothing is changed, and where an action is as good as expected."""

    colour = "#000000"

    def paint(self, painter: QPainter, frame: Frame) -> None:
        x, y = float(frame.to_x(0.0)), float(frame.to_y(0.0))
        painter.setPen(pen_of(self.colour, 1.0))
        painter.drawLine(QLineF(frame.rect.left(), y, frame.rect.right(), y))
        painter.drawLine(QLineF(x, frame.rect.top(), x, frame.rect.bottom()))


class PushPlot(Plot):
    """How much likelier each action becomes by either step, against its advantage."""

    def __init__(self, theme: Theme) -> None:
        self._dots, self._lines, self._zero = (Dots(3.0), Dots(3.0)), (Line(3), Line(3)), _Zero()
        self._found: Compared | None = None
        self._ranges_before: tuple[Range | None, Range | None] = None, None
        super().__init__(theme, "advantage Â of the action  (reward)", "change of log π(a|s)", Margins(left=60))
        self.bottom.set_title("advantage Â of the action  (reward)", "advantage Â (reward)", "reward")
        self.left.set_title("change of log π(a|s)", "Δ log π(a|s)", "Δ log π")
        self.title = "What a step does to the batch's actions"
        self.marks = [self._zero, *self._dots, *self._lines]
        self.probe, self.numbers = self._told_at, self._table

    def show_compared(self, found: Compared) -> None:
        self._found = found
        every = 1 + len(found.advantages) // _MOST_DOTS
        ends: list[float] = [0.0]
        for dots, line, step in zip(self._dots, self._lines, (found.likelihood, found.gradient), strict=True):
            dots.x, dots.y = found.advantages[::every].astype(np.float64), step.moved[::every].astype(np.float64)
            line.x, line.y = _means(found.advantages.astype(np.float64), step.moved.astype(np.float64))
            ends += [*np.quantile(dots.y, _SEEN).tolist(), *line.y.tolist()]
        low, high = robust_bounds(found.advantages.astype(np.float64), 0.005)
        x = settled_range(self._ranges_before[0], min(low, 0.0), max(high, 0.0))
        y = settled_range(self._ranges_before[1], min(ends), max(ends))
        self._ranges_before = x, y
        self.set_ranges(x, y)
        self._entitle()
        self.redraw()

    def apply_theme(self, theme: Theme) -> None:
        for dots, line, colour in zip(self._dots, self._lines, (theme.negative, theme.policy), strict=True):
            dots.set_colour(colour, 0.25)
            line.colour = colour
        self._zero.colour = theme.edge
        super().apply_theme(theme)
        self._entitle()

    def _entitle(self) -> None:
        if self._found is not None:
            named = zip((LIKELIHOOD, GRADIENT), self._lines, strict=True)
            self.legend.show_entries([Entry(name, line.colour, "line") for name, line in named])

    def _told_at(self, pointer: Pointer) -> Reading | None:
        found = self._found
        if found is None or not len(self._lines[0].x):
            return None
        at = pointer.nearest(self._lines[1].x)
        if at is None:
            return None
        one, other = (short_number(float(np.interp(self._lines[1].x[at], line.x, line.y))) for line in self._lines)
        lines = (
            f"actions with an advantage of about {short_number(float(self._lines[1].x[at]))}",
            f"log π changes by {one} by {LIKELIHOOD}, by {other} by the {GRADIENT}",
        )
        return Reading(float(self._lines[1].x[at]), float(self._lines[1].y[at]), lines, self._lines[1].colour)

    def _table(self) -> Table:
        found = self._found
        if found is None:
            return Table({})
        return Table(
            {
                "advantage (reward)": found.advantages,
                f"change of log π by {LIKELIHOOD}": found.likelihood.moved,
                f"change of log π by the {GRADIENT}": found.gradient.moved,
            }
        )


def _means(x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
    """The means of y over about equally many steps each, in the order of x."""
    order = np.argsort(x, kind="stable")
    parts = [part for part in np.array_split(order, min(_BINS, len(x))) if len(part)]
    return np.array([x[part].mean() for part in parts]), np.array([y[part].mean() for part in parts])


class ComponentsPlot(PairedPlot):
    """The largest components of both gradients at length 1."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "component of the unit gradient", "component")
        self._found: Compared | None = None
        self.title = "Components of both gradients"
        self.numbers = self._table

    def show_compared(self, found: Compared) -> None:
        self._found = found
        between = short_number(found.cosine, 2, steady=True)
        self.legend.show_entries([Entry(f"cosine between both: {between}", shorter=f"cosine {between}")])
        self.show_rows([_row(component) for component in found.components])

    def _table(self) -> Table:
        found = () if self._found is None else self._found.components
        return Table(
            {
                "parameter": [each.name for each in found],
                f"{LIKELIHOOD}, of length 1": [each.likelihood for each in found],
                f"{GRADIENT}, of length 1": [each.gradient for each in found],
            }
        )


def _row(component: Component) -> PairedRow:
    one, other = short_number(component.likelihood), short_number(component.gradient)
    told = f"{LIKELIHOOD} {one}", f"{GRADIENT} {other}"
    return PairedRow(component.name, component.likelihood, component.gradient, told)
