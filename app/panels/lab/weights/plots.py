"""Importance weights as they are spread at one horizon, and what becomes of them over all horizons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QPainter

from app.panels.lab.dragging import Dragging
from app.plotting.arrangement import Margins
from app.plotting.axes import Range, nice_step, robust_bounds, settled_end
from app.plotting.export import Column, Table
from app.plotting.legend import Entry
from app.plotting.marks import Band, Frame, Line, Mark, Numbers, pen_of
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading
from app.style.format import percent, power_of_ten, short_number
from app.style.theme import Theme, blended

if TYPE_CHECKING:  # with torch
    from engine.analysis.lab.weights_lab import Estimate, Weights

Course = Literal["variance", "effective", "estimates"]
_BINS = 40
_LN10 = float(np.log(10.0))
_LEAST_REACH = 0.05  # around a weight of 1, in powers of ten
_EXACT_DASH = (4, 3)
_TITLES: dict[Course, tuple[str, ...]] = {
    "variance": ("log₁₀ of the variance of ρ", "log₁₀ Var ρ"),
    "effective": ("effective sample size (% of the episodes)", "ESS (%)", "%"),
    "estimates": ("estimate of J(π)  (reward)", "J(π)  (reward)", "reward"),
}


class _Bars:
    """How many episodes have such a weight, filled, and how much of all weight they have, as steps."""

    def __init__(self) -> None:
        self.edges = self.episodes = self.weights = np.empty(0)
        self.theme: Theme | None = None

    def paint(self, painter: QPainter, frame: Frame) -> None:
        theme = self.theme
        if theme is None or len(self.edges) < 2:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        left, right = np.round(frame.to_x(self.edges[:-1])), np.round(frame.to_x(self.edges[1:]))
        bottom = float(frame.to_y(0.0))
        fill = blended(theme.policy, theme.surface, 0.6)
        for a, b, top in zip(left.tolist(), right.tolist(), frame.to_y(self.episodes).tolist(), strict=True):
            if bottom - top > 0.5:
                painter.fillRect(QRectF(a, top, max(b - a - 1, 1.0), bottom - top), fill)
        painter.setPen(pen_of(theme.negative, 2.0))
        heights = frame.to_y(self.weights).tolist()
        for a, b, height, after in zip(left, right, heights, [*heights[1:], bottom], strict=True):
            painter.drawLine(QLineF(a, height, b, height))
            painter.drawLine(QLineF(b, height, b, after))
        one = float(frame.to_x(0.0))
        painter.setPen(pen_of(theme.text, 1.0, Qt.PenStyle.DashLine))
        painter.drawLine(QLineF(one, frame.rect.top(), one, frame.rect.bottom()))


class WeightsPlot(Plot):
    """The weights of all episodes at one horizon, as powers of ten."""

    def __init__(self, theme: Theme) -> None:
        self._bars = _Bars()
        self._found: Weights | None = None
        self._horizon = 1
        self._end: float | None = None
        super().__init__(theme, "weight of an episode  log₁₀ ρ", "share (%)", Margins(left=56))
        self.bottom.set_title("weight of an episode  log₁₀ ρ", "log₁₀ ρ")
        self.title = "Importance weights"
        self.marks = [self._bars]
        self.probe, self.numbers = self._told_at, self._table

    def show_weights(self, found: Weights) -> None:
        self._found = found
        self._end = None

    def show_horizon(self, horizon: int) -> None:
        assert self._found is not None
        self._horizon = horizon
        logs = self._found.logs[horizon - 1] / _LN10
        span = self._span(self._found)
        step = nice_step(span[1] - span[0], _BINS)
        first, last = np.floor(span[0] / step), np.ceil(span[1] / step)
        self._bars.edges = np.arange(first, last + 1) * step
        inside = np.clip(logs, self._bars.edges[0], self._bars.edges[-1] - 1e-9)
        counts, _ = np.histogram(inside, self._bars.edges)
        relative = np.exp((logs - logs.max()) * _LN10)
        masses, _ = np.histogram(inside, self._bars.edges, weights=relative)
        self._bars.episodes, self._bars.weights = 100.0 * counts / counts.sum(), 100.0 * masses / masses.sum()
        self._end = settled_end(self._end, float(max(self._bars.episodes.max(), self._bars.weights.max())), least=0.3)
        self.set_ranges((float(self._bars.edges[0]), float(self._bars.edges[-1])), (0.0, min(self._end, 105.0)))
        self._entitle()
        self.redraw()

    def _span(self, found: Weights) -> Range:
        """The same at every horizon, so that weights are seen to part."""
        logs = found.logs[-1] / _LN10
        low, high = robust_bounds(logs, 0.005)[0], float(logs.max())  # the heaviest are what counts
        reach = max(_LEAST_REACH, 0.05 * (high - low))
        return min(low, 0.0) - reach, max(high, 0.0) + reach

    def apply_theme(self, theme: Theme) -> None:
        self._bars.theme = theme
        super().apply_theme(theme)
        self._entitle()

    def _entitle(self) -> None:
        if self._found is None or self._theme is None:
            return
        size = float(self._found.effective[self._horizon - 1])
        self.legend.show_entries(
            [
                Entry("episodes", self._theme.policy, "filled"),
                Entry("their weight", self._theme.negative, "line"),
                Entry(f"ESS {short_number(size)} of {self._found.episodes:,}"),
            ]
        )

    def _told_at(self, pointer: Pointer) -> Reading | None:
        edges = self._bars.edges
        at = int(np.searchsorted(edges, pointer.data_x)) - 1
        if not 0 <= at < len(self._bars.episodes):
            return None
        share, weight = float(self._bars.episodes[at]), float(self._bars.weights[at])
        lines = (
            f"ρ from {power_of_ten(float(edges[at]))} to {power_of_ten(float(edges[at + 1]))}",
            f"{short_number(share)} % of the episodes have {short_number(weight)} % of all weight",
        )
        return Reading(float(edges[at : at + 2].mean()), max(share, weight), lines)

    def _table(self) -> Table:
        if self._found is None:
            return Table({})
        return Table({f"log10 of the weight after {self._horizon} steps": self._found.logs[self._horizon - 1] / _LN10})


class _Here:
    """Where the horizon is that is looked at."""

    def __init__(self) -> None:
        self.at = 1.0
        self.colour = "#000000"

    def paint(self, painter: QPainter, frame: Frame) -> None:
        x = float(frame.to_x(self.at))
        painter.setPen(pen_of(self.colour, 2.0))
        painter.drawLine(QLineF(x, frame.rect.top(), x, frame.rect.bottom()))


class CoursePlot(Plot):
    """One thing over all horizons; ``dragging`` tells which horizon is looked at."""

    def __init__(self, theme: Theme) -> None:
        self._first, self._second, self._exact, self._here = Line(), Line(), Line(1, dash=_EXACT_DASH), _Here()
        self._bands = Band(), Band()
        self._found: Weights | None = None
        self._course: Course = "variance"
        super().__init__(theme, "horizon h  (steps)", "", Margins(left=64))
        self.title = "Weights by horizon"
        self.probe, self.numbers = self._told_at, self._table
        self.dragging = Dragging(self)

    def show_weights(self, found: Weights, course: Course) -> None:
        self._found, self._course = found, course
        x = np.arange(1, found.horizons + 1, dtype=np.float64)
        lines = [self._first, self._second, self._exact]
        for line in lines:
            line.x = line.y = np.empty(0)
        for band in self._bands:
            band.x = np.empty(0)
        if course == "variance":
            y = self._show_variance(found, x)
        elif course == "effective":
            self._first.x, self._first.y = x, 100.0 * found.effective / found.episodes
            y = (0.0, 105.0)
        else:
            y = self._show_estimates(found, x)
        self.left.set_title(*_TITLES[course])
        marks: list[Mark] = [*self._bands, self._here, self._exact, self._second, self._first]
        self.marks = marks
        self.set_ranges((1.0, float(max(found.horizons, 2))), y)
        self._entitle()
        self.redraw()

    def _show_variance(self, found: Weights, x: Numbers) -> Range:
        for line, values in ((self._first, found.variance), (self._exact, found.exact_variance)):
            if values is not None:
                known = np.isfinite(values) & (values > 1e-12)
                line.x, line.y = x[known], np.log10(values[known])
        ends = [
            float(end) for line in (self._first, self._exact) if len(line.y) for end in (line.y.min(), line.y.max())
        ]
        low, high = min(ends, default=-1.0), max(ends, default=1.0)
        edge = max(0.08 * (high - low), 0.1)
        return low - edge, high + edge

    def _show_estimates(self, found: Weights, x: Numbers) -> Range:
        ends: list[float] = []
        for line, band, estimate in (
            (self._first, self._bands[0], found.per_decision),
            (self._second, self._bands[1], found.whole),
        ):
            line.x, line.y = x, estimate.values
            reach = 1.96 * np.nan_to_num(estimate.errors)
            band.x, band.low, band.high = x, estimate.values - reach, estimate.values + reach
            ends += [*robust_bounds(band.low, 0.1), *robust_bounds(band.high, 0.1)]
        if found.exact is not None:
            self._exact.x, self._exact.y = x, found.exact
            ends += [float(found.exact.min()), float(found.exact.max())]
        low, high = min(ends), max(ends)
        edge = max(0.08 * (high - low), 1e-3)
        return low - edge, high + edge

    def show_horizon(self, horizon: int) -> None:
        self._here.at = float(horizon)
        self.redraw()

    def apply_theme(self, theme: Theme) -> None:
        self._first.colour, self._second.colour = theme.policy, theme.negative
        self._exact.colour, self._here.colour = theme.text, theme.marker
        for band, colour in zip(self._bands, (theme.policy, theme.negative), strict=True):
            band.colour = blended(colour, theme.surface, 0.25)
        super().apply_theme(theme)
        self._entitle()

    def _entitle(self) -> None:
        if self._found is None or self._theme is None:
            return
        entries = {
            "variance": [Entry("these episodes", self._first.colour, "line")],
            "effective": [Entry(f"of {self._found.episodes:,} episodes", self._first.colour, "line")],
            "estimates": [
                Entry("per decision", self._first.colour, "line"),
                Entry("per trajectory", self._second.colour, "line"),
            ],
        }[self._course]
        if len(self._exact.y):
            entries.append(Entry("exact", self._exact.colour, "dashed"))
        self.legend.show_entries(entries)

    def _told_at(self, pointer: Pointer) -> Reading | None:
        found = self._found
        if found is None or self.dragging.held:
            return None
        row = min(max(round(pointer.data_x), 1), found.horizons) - 1
        lines = [f"horizon {row + 1}"]
        if self._course == "estimates":
            named = (("per decision", found.per_decision), ("per trajectory", found.whole))
            lines += [_told(name, estimate, row) for name, estimate in (*named, ("self-normalised", found.normalized))]
            lines += [] if found.exact is None else [f"exact {short_number(float(found.exact[row]))}"]
            return Reading(row + 1.0, float(found.per_decision.values[row]), tuple(lines), self._first.colour)
        size = float(found.effective[row])
        lines.append(f"ESS {short_number(size)} of {found.episodes:,}, {percent(size / found.episodes)}")
        lines.append(f"Var ρ {short_number(float(found.variance[row]))} in these episodes")
        if found.exact_variance is not None:
            lines.append(f"Var ρ {short_number(float(found.exact_variance[row]))} exactly")
        at = int(np.searchsorted(self._first.x, row + 1.0))
        y = float(self._first.y[min(at, len(self._first.y) - 1)]) if len(self._first.y) else self.seen[1][0]
        return Reading(row + 1.0, y, tuple(lines), self._first.colour)

    def _table(self) -> Table:
        found = self._found
        if found is None:
            return Table({})
        columns: dict[str, Column] = {
            "horizon (steps)": np.arange(1, found.horizons + 1),
            "effective sample size": found.effective,
            "variance": found.variance,
        }
        if found.exact_variance is not None:
            columns["variance, exact"] = found.exact_variance
        for name, each in (
            ("per trajectory", found.whole),
            ("per decision", found.per_decision),
            ("self-normalised", found.normalized),
        ):
            columns |= {f"J {name} (reward)": each.values, f"J {name}, standard error (reward)": each.errors}
        if found.exact is not None:
            columns["J exact (reward)"] = found.exact
        return Table(columns)


def _told(name: str, estimate: Estimate, row: int) -> str:
    value, error = float(estimate.values[row]), float(estimate.errors[row])
    return f"{name} {short_number(value)} ± {short_number(1.96 * error, 2)}"
