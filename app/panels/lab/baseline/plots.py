"""A baseline that is dragged: how the same estimates lie with it, and how their noise depends on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter

from app.panels.lab.dragging import Dragging
from app.plotting.arrangement import Margins
from app.plotting.axes import Range, nice_step, robust_bounds, settled_end, settled_range
from app.plotting.export import Table
from app.plotting.legend import Entry
from app.plotting.marks import Frame, Line, Numbers, pen_of
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading
from app.style.format import percent, short_number
from app.style.theme import Theme, blended

if TYPE_CHECKING:  # with torch
    from engine.analysis.lab.comparison import ByHand, Truth

_BINS = 48
_POINTS = 121
_FAR = 0.005  # share of estimates that may be out of sight at either end
_HANDLE = 6.0
_SAMPLES = 12  # of a curve, beneath a name


class Named(NamedTuple):
    """A baseline that has a name."""

    name: str
    at: float


class _Bars:
    """A histogram filled, behind it another as steps, and lines at the mean and the truth."""

    def __init__(self) -> None:
        self.edges = self.shares = self.before = np.empty(0)
        self.mean, self.truth = 0.0, 0.0
        self.theme: Theme | None = None

    def paint(self, painter: QPainter, frame: Frame) -> None:
        theme = self.theme
        if theme is None or len(self.edges) < 2:
            return
        left, right = np.round(frame.to_x(self.edges[:-1])), np.round(frame.to_x(self.edges[1:]))
        bottom, tops = float(frame.to_y(0.0)), frame.to_y(self.shares)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        fill = blended(theme.baseline, theme.surface, 0.55)
        for a, b, top in zip(left.tolist(), right.tolist(), tops.tolist(), strict=True):
            if bottom - top > 0.5:
                painter.fillRect(QRectF(a, top, max(b - a, 1.0), bottom - top), fill)
        painter.setPen(pen_of(theme.muted, 1.5))
        heights = frame.to_y(self.before).tolist()
        for a, b, height, after in zip(left, right, heights, [*heights[1:], bottom], strict=True):
            painter.drawLine(QLineF(a, height, b, height))
            painter.drawLine(QLineF(b, height, b, after))
        for at, pen in (
            (self.truth, pen_of(theme.text, 1.5, Qt.PenStyle.DashLine)),
            (self.mean, pen_of(theme.baseline, 2.5)),
        ):
            x = float(frame.to_x(at))
            painter.setPen(pen)
            painter.drawLine(QLineF(x, frame.rect.top(), x, frame.rect.bottom()))


class SpreadPlot(Plot):
    """All estimates with the baseline b, along ∇J, before those without one."""

    def __init__(self, theme: Theme) -> None:
        self._bars = _Bars()
        self._x: Range | None = None
        self._end: float | None = None
        super().__init__(theme, "ĝ along ∇J  (reward)", "share of batches (%)", Margins(left=60))
        self.left.set_title("share of batches (%)", "%")
        self.title = "Estimates with a baseline by hand"
        self.marks = [self._bars]
        self.probe, self.numbers = self._told_at, self._table
        self._shown: tuple[ByHand, float] | None = None

    def show_hand(self, hand: ByHand, truth: Truth) -> None:
        """Have the axes hold what any baseline around the best one makes of it."""
        ends = [0.0, truth.length]
        for baseline in (0.0, hand.best, hand.average):
            ends += robust_bounds(hand.at(baseline), _FAR)
        self._x = settled_range(self._x, min(ends), max(ends))
        step = nice_step(self._x[1] - self._x[0], _BINS)
        first, last = np.floor(self._x[0] / step), np.ceil(self._x[1] / step)
        self._bars.edges = np.arange(first, last + 1) * step
        self._bars.before, self._bars.truth = self._shares(hand, 0.0), truth.length
        highest = max(float(self._shares(hand, b).max()) for b in (0.0, hand.best, hand.average))
        self._end = settled_end(self._end, highest, least=0.4)
        self.set_ranges(self._x, (0.0, self._end))

    def show_at(self, hand: ByHand, baseline: float) -> None:
        self._shown = hand, baseline
        self._bars.shares = self._shares(hand, baseline)
        along = hand.at(baseline)
        self._bars.mean = float(along.mean())
        self._entitle()
        self.redraw()

    def apply_theme(self, theme: Theme) -> None:
        self._bars.theme = theme
        super().apply_theme(theme)
        if hasattr(self, "_shown"):
            self._entitle()

    def _shares(self, hand: ByHand, baseline: float) -> Numbers:
        counts, _ = np.histogram(hand.at(baseline), self._bars.edges)
        found: Numbers = 100.0 * counts / len(hand.along)
        return found

    def _entitle(self) -> None:
        if self._shown is None or self._theme is None:
            return
        (hand, baseline), theme = self._shown, self._theme
        along = hand.at(baseline)
        spread = short_number(float(along.std()), 3, steady=True)
        self.legend.show_entries(
            [
                Entry(f"mean {short_number(self._bars.mean, 3, steady=True)}", theme.baseline, "line"),
                Entry(f"spread {spread}"),
                Entry(f"∇J {short_number(self._bars.truth, 3, steady=True)}", theme.text, "dashed"),
                Entry("without b", theme.muted, "line"),
            ]
        )

    def _told_at(self, pointer: Pointer) -> Reading | None:
        edges = self._bars.edges
        at = int(np.searchsorted(edges, pointer.data_x)) - 1
        if self._shown is None or not 0 <= at < len(self._bars.shares):
            return None
        share, before = float(self._bars.shares[at]), float(self._bars.before[at])
        lines = (
            f"{short_number(float(edges[at]))} to {short_number(float(edges[at + 1]))}",
            f"{short_number(share)} % of the batches, without a baseline {short_number(before)} %",
        )
        return Reading(float(edges[at : at + 2].mean()), share, lines)

    def _table(self) -> Table:
        if self._shown is None:
            return Table({})
        hand, baseline = self._shown
        return Table({"without a baseline (reward)": hand.along, f"with b = {baseline:g} (reward)": hand.at(baseline)})


class _Handle:
    """Where b is, and the baselines that have a name, which cover none of the ``lines``."""

    def __init__(self, *lines: Line) -> None:
        self.lines = lines
        self.at, self.height = 0.0, 0.0
        self.named: tuple[Named, ...] = ()
        self.theme: Theme | None = None

    def paint(self, painter: QPainter, frame: Frame) -> None:
        theme = self.theme
        if theme is None or not self.named:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(pen_of(theme.muted, 1.0, Qt.PenStyle.DashLine))
        for named in self.named:
            x = float(frame.to_x(named.at))
            painter.drawLine(QLineF(x, frame.rect.top(), x, frame.rect.bottom()))
        x, y = float(frame.to_x(self.at)), float(frame.to_y(self.height))
        painter.setPen(pen_of(theme.baseline, 2.0))
        painter.drawLine(QLineF(x, frame.rect.top(), x, frame.rect.bottom()))
        painter.setPen(pen_of(theme.surface, 1.5))
        painter.setBrush(QColor(theme.baseline))
        painter.drawEllipse(QPointF(x, y), _HANDLE * frame.thickness, _HANDLE * frame.thickness)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        self._write_names(painter, frame, theme)

    def _write_names(self, painter: QPainter, frame: Frame, theme: Theme) -> None:
        painter.setPen(QColor(theme.text))
        for named, place in self.places(frame, painter.fontMetrics()):
            painter.fillRect(place.adjusted(-1, 1, 0, -1), QColor(theme.surface))
            painter.drawText(place, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), named.name)

    def places(self, frame: Frame, metrics: QFontMetrics) -> list[tuple[Named, QRectF]]:
        """Where the names stand: beside their lines as far down as they cover neither a curve nor each other, or at
        the foot where there is no such room."""
        found: list[tuple[Named, QRectF]] = []
        for named in sorted(self.named, key=lambda each: each.at):
            width, height = float(metrics.horizontalAdvance(named.name)), float(metrics.height())
            left = min(float(frame.to_x(named.at)) + 4, frame.rect.right() - width)
            foot = QRectF(left, frame.rect.bottom() - height - 1, width + 4, height)
            rows = [foot.translated(0, -height * row) for row in range(max(int(frame.rect.height() / height), 1))]
            free = [row for row in rows if not any(row.intersects(other) for _, other in found)]
            clear = (row for row in free if not any(self._crosses(line, row, frame) for line in self.lines))
            found.append((named, next(clear, free[0] if free else foot)))
        return found

    def _crosses(self, line: Line, place: QRectF, frame: Frame) -> bool:
        """Whether the line goes through there."""
        if not len(line.x):
            return False
        x = np.linspace(place.left(), place.right(), _SAMPLES)
        y = np.interp(x, frame.to_x(line.x), frame.to_y(line.y))
        return bool(((y > place.top() - 2) & (y < place.bottom() + 2)).any())


class NoisePlot(Plot):
    """The noise against b, as a share of that without a baseline; ``dragging`` tells where b is taken by the mouse."""

    def __init__(self, theme: Theme) -> None:
        self._all, self._along = Line(), Line(1, dash=(4, 3))
        self._handle = _Handle(self._all, self._along)
        super().__init__(theme, "baseline b  (reward)", "noise, % of that without a baseline", Margins(left=60))
        self.left.set_title("noise, % of that without a baseline", "noise (% of b = 0)", "noise (%)", "%")
        self.title = "Noise against the baseline"
        self.marks = [self._all, self._along, self._handle]
        self.probe, self.numbers = self._told_at, self._table
        self._hand: ByHand | None = None
        self.dragging = Dragging(self, lambda: [named.at for named in self.named])

    @property
    def named(self) -> tuple[Named, ...]:
        return self._handle.named

    def show_hand(self, hand: ByHand, x: Range) -> None:
        self._hand = hand
        grid = np.linspace(*x, _POINTS)
        self._all.x = self._along.x = grid
        self._all.y = self._share(np.sqrt(np.maximum(hand.variance(grid), 0.0)), float(np.sqrt(hand.variances[0])))
        spreads = np.array([float(hand.at(b).std()) for b in grid.tolist()])
        self._along.y = self._share(spreads, float(hand.along.std()))
        self._handle.named = (Named("none", 0.0), Named("average", hand.average), Named("b*", hand.best))
        highest = min(float(max(self._all.y.max(), self._along.y.max())), 250.0)
        self.set_ranges(x, (0.0, 1.12 * highest))
        self._entitle()

    def show_at(self, baseline: float) -> None:
        self._handle.at = baseline
        self._handle.height = float(np.interp(baseline, self._all.x, self._all.y)) if len(self._all.x) else 0.0
        self.redraw()

    def apply_theme(self, theme: Theme) -> None:
        self._handle.theme = theme
        self._all.colour, self._along.colour = theme.baseline, theme.text
        super().apply_theme(theme)
        if hasattr(self, "_hand"):
            self._entitle()

    def _share(self, noise: Numbers, of: float) -> Numbers:
        found: Numbers = 100.0 * noise / of if of > 0.0 else noise
        return found

    def _entitle(self) -> None:
        self.legend.show_entries(
            [
                Entry("in all parameters", self._all.colour, "line"),
                Entry("along ∇J", self._along.colour, "dashed"),
            ]
        )

    def _told_at(self, pointer: Pointer) -> Reading | None:
        at = pointer.nearest(self._all.x)
        if at is None or self.dragging.held:
            return None
        lines = (
            f"b = {short_number(float(self._all.x[at]))}",
            f"noise {percent(float(self._all.y[at]) / 100)} of that without a baseline, "
            f"along ∇J {percent(float(self._along.y[at]) / 100)}",
        )
        return Reading(float(self._all.x[at]), float(self._all.y[at]), lines, self._all.colour)

    def _table(self) -> Table:
        columns = {"b (reward)": self._all.x, "noise (%)": self._all.y, "noise along the gradient (%)": self._along.y}
        return Table(columns)
