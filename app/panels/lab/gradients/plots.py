"""How far finite differences are off by the length of their step, and in how many digits each way agrees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QLineF
from PySide6.QtGui import QPainter

from app.panels.lab.dragging import Dragging
from app.panels.lab.paired import PairedPlot, PairedRow
from app.plotting.arrangement import Margins
from app.plotting.export import Column, Table
from app.plotting.legend import Entry
from app.plotting.marks import Frame, Line, Numbers, pen_of
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading
from app.style.format import power_of_ten
from app.style.theme import Theme

if TYPE_CHECKING:  # with torch
    from engine.analysis.lab.three_ways import Errors, ThreeWays

DIGITS = 16.0  # that a float64 has, and as many as are told apart
_LEAST = 1e-17  # errors that are smaller, 0 among them, are drawn there
_DASH = (4, 3)
_TOP, _FLOOR = 1.5, -17.0  # powers of ten that the axis of errors holds


class _Here:
    """The step that is looked at."""

    def __init__(self) -> None:
        self.at = -6.0
        self.colour = "#000000"

    def paint(self, painter: QPainter, frame: Frame) -> None:
        x = float(frame.to_x(self.at))
        painter.setPen(pen_of(self.colour, 2.0))
        painter.drawLine(QLineF(x, frame.rect.top(), x, frame.rect.bottom()))


class ErrorsPlot(Plot):
    """A V for each kind of difference and each precision; ``dragging`` tells which step is looked at."""

    def __init__(self, theme: Theme) -> None:
        self._lines = {
            ("float64", "one"): Line(),
            ("float64", "two"): Line(),
            ("float32", "one"): Line(1, dash=_DASH),
            ("float32", "two"): Line(1, dash=_DASH),
        }
        self._here = _Here()
        self._found: ThreeWays | None = None
        super().__init__(theme, "step  log₁₀ h", "relative error, log₁₀", Margins(left=60))
        self.left.set_title("relative error, log₁₀", "error, log₁₀", "log error")
        self.bottom.set_title("step  log₁₀ h", "log₁₀ h")
        self.title = "Error of finite differences by step"
        self.marks = [self._here, *self._lines.values()]
        self.probe, self.numbers = self._told_at, self._table
        self.dragging = Dragging(self)

    def show_ways(self, found: ThreeWays, steps: Numbers) -> None:
        self._found = found
        x = np.log10(steps)
        for errors in found.errors:
            for kind, values in (("one", errors.one_sided), ("two", errors.two_sided)):
                line = self._lines[errors.precision, kind]
                line.x, line.y = x, _powers(values)
        self.set_ranges((float(x[0]), float(x[-1])), (_FLOOR, _TOP))
        self._entitle()
        self.redraw()

    def show_step(self, power: float) -> None:
        self._here.at = power
        self.redraw()

    def apply_theme(self, theme: Theme) -> None:
        for (_, kind), line in self._lines.items():
            line.colour = theme.negative if kind == "one" else theme.policy
        self._here.colour = theme.marker
        super().apply_theme(theme)
        if hasattr(self, "_found"):
            self._entitle()

    def _entitle(self) -> None:
        if self._found is None or self._theme is None:
            return
        theme = self._theme
        self.legend.show_entries(
            [
                Entry("one side", theme.negative, "line"),
                Entry("two sides", theme.policy, "line"),
                Entry("float32", theme.text, "dashed"),
            ]
        )

    def _told_at(self, pointer: Pointer) -> Reading | None:
        line = self._lines["float64", "two"]
        at = pointer.nearest(line.x)
        if self._found is None or at is None or self.dragging.held:
            return None
        lines = [f"h = {power_of_ten(float(line.x[at]))}"]
        for errors in self._found.errors:
            one, two = (power_of_ten(float(_powers(each)[at])) for each in (errors.one_sided, errors.two_sided))
            lines.append(f"{errors.precision}: off by {one} on one side, {two} on two; automatic {_share(errors)}")
        return Reading(float(line.x[at]), float(line.y[at]), tuple(lines), line.colour)

    def _table(self) -> Table:
        columns: dict[str, Column] = {}
        if self._found is not None:
            columns["h"] = 10.0 ** self._lines["float64", "one"].x
            for errors in self._found.errors:
                columns[f"relative error on one side, {errors.precision}"] = errors.one_sided
                columns[f"relative error on two sides, {errors.precision}"] = errors.two_sided
        return Table(columns)


class DigitsPlot(PairedPlot):
    """For each component the digits in which symbols, and differences with the step that is looked at, agree with
    automatic differentiation."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "digits that agree", "digits")
        self.title = "Agreement, component by component"
        self.numbers = self._table
        self._found: ThreeWays | None = None
        self._row = 0

    def show_ways(self, found: ThreeWays) -> None:
        self._found = found

    def show_step(self, row: int, step: float) -> None:
        """Differences on two sides with this step, which stands in that row."""
        found = self._found
        if found is None:
            return
        self._row = row
        symbolic = found.symbolic_components
        rows = []
        for at, name in enumerate(found.names):
            automatic, two = float(found.automatic[at]), float(found.two_sided[row, at])
            written = None if symbolic is None else float(symbolic[at])
            told = (
                f"automatic {automatic:.15g}",
                f"two sides, h = {power_of_ten(float(np.log10(step)))}: {two:.15g}",
                *(() if written is None else (f"symbols {written:.15g}",)),
            )
            by_symbols = np.nan if written is None else digits(written, automatic)
            rows.append(PairedRow(name, by_symbols, digits(two, automatic), told))
        self._entitle()
        self.show_rows(rows, (0.0, DIGITS + 0.5))

    def apply_theme(self, theme: Theme) -> None:
        super().apply_theme(theme)
        if hasattr(self, "_found"):
            self._entitle()

    def _entitle(self) -> None:
        found, theme = self._found, self._theme
        if found is None or theme is None:
            return
        entries = [Entry("differences", theme.policy, "filled")]
        if found.symbolic_components is not None:
            entries.insert(0, Entry("symbols", theme.negative, "hatched"))
        self.legend.show_entries(entries)

    def _table(self) -> Table:
        found = self._found
        if found is None:
            return Table({})
        columns: dict[str, Column] = {
            "parameter": found.names,
            "automatic": found.automatic,
            "difference on one side": found.one_sided[self._row],
            "difference on two sides": found.two_sided[self._row],
        }
        if found.symbolic_components is not None:
            columns["symbols"] = found.symbolic_components
        return Table(columns)


def digits(value: float, true: float) -> float:
    """In how many digits both agree, at most 16."""
    off, scale = abs(value - true), max(abs(true), 1e-300)
    if off == 0.0:
        return DIGITS
    return float(np.clip(-np.log10(off / scale), 0.0, DIGITS)) if np.isfinite(off) else 0.0


def _powers(errors: Numbers) -> Numbers:
    found: Numbers = np.log10(np.maximum(np.nan_to_num(errors, nan=1e30, posinf=1e30), _LEAST))
    return found


def _share(errors: Errors) -> str:
    return "exact" if errors.automatic == 0.0 else power_of_ten(float(np.log10(errors.automatic)))
