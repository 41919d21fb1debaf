"""How far an update moves the policy: ratios and divergence step by step, the push against the change, the ellipse."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QColor

from app.models.inspection import BatchStep
from app.panels.update.bars import Bins, bar_under, read_bar
from app.panels.update.cells import reach_of
from app.plotting.arrangement import Margins
from app.plotting.axes import Range, settled_range
from app.plotting.histogram import histogram
from app.plotting.labels import Level, Moment, Moments
from app.plotting.legend import Entry
from app.plotting.marks import Bars, Dots, Line
from app.plotting.picking import Pick
from app.plotting.plot import Plot
from app.plotting.readout import NEAR, Pointer, Reading
from app.style.format import percent, short_number
from app.style.theme import Theme
from engine.analysis.pushes import Moved
from engine.reports.update_events import PolicyChange, TrustRegion, UpdateStep

_MARGINS, _WIDER = (Margins(left=left, bottom=40, top=4) for left in (62, 76))
_MOST_RATIO = 1e3
_CORNERS = 181
_THOUSAND = 1000.0
_PAST_END = 1.04  # of an update's steps: room for the dot of the last one


class RatioPlot(Plot):
    """The ratios π/π_old of the batch's steps; those that the clip has cut off are hatched.

    Signals:
        chosen: a bar was clicked (``Bar``), or all of the batch is wanted (None).
    """

    chosen = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "ratio  ρ = π/π<sub>old</sub>", "share of steps (%)", _MARGINS)
        self.title = "Probability ratios"
        self._counted, self._cut, self._lines = Bars(), Bars(), Moments(rows=0)
        self._counted.centre, self._cut.centre = -np.inf, np.inf
        self._x: Range | None = None
        self._bins: Bins | None = None
        self.bottom.set_title("ratio  ρ = π/π<sub>old</sub>", "ρ")
        self.left.set_title("share of steps (%)", "% of steps", "%")
        self.marks = [self._counted, self._cut, self._lines]
        self._colour(theme)
        self.probe = lambda pointer: read_bar(self._bins, pointer, self._look)
        self.pick = Pick("Steps in this bar", self._choose)

    def _colour(self, theme: Theme) -> None:
        self._look = theme
        self._counted.positive = QColor(theme.positive)
        self._cut.set_negative(theme.negative, theme.surface)
        self._lines.apply_theme(theme)

    def wear(self, theme: Theme) -> None:
        self._colour(theme)
        self.apply_theme(theme)

    def begin(self) -> None:
        """Another update follows, whose ratios may lie elsewhere."""
        self._x = self._bins = None

    def _choose(self, pointer: Pointer | None) -> None:
        bar = None if pointer is None else bar_under(self._bins, pointer)
        if pointer is None or bar is not None:
            self.chosen.emit(bar)

    def show_change(self, change: PolicyChange, taken: int) -> None:
        """As it was after so many steps of the update."""
        ratios = np.exp(np.minimum(change.rule_log_ratios.astype(np.float64), np.log(_MOST_RATIO)))
        reach = change.clip_range
        low, high = float(np.quantile(ratios, 0.005)), float(np.quantile(ratios, 0.995))
        least = 0.05 if reach is None else 1.6 * reach
        self._x = settled_range(self._x, min(low, 1 - least), max(high, 1 + least))
        bars = histogram(ratios, self._x, centre=1.0)
        self._bins = Bins(bars, "ratio", "ratio ρ", taken)
        self._counted.edges = self._cut.edges = bars.edges
        self._counted.width = self._cut.width = bars.width
        self._counted.heights = 100 * bars.shares
        words: list[Entry] = []  # bars are what the axis says
        self._cut.heights = np.zeros(len(bars.edges))
        if change.cut_off is not None:
            inside = np.floor((ratios[change.cut_off] - bars.edges[0]) / bars.width)
            inside = inside[(inside >= 0) & (inside < len(bars.edges))].astype(np.int64)
            self._cut.heights = 100 * np.bincount(inside, minlength=len(bars.edges)) / len(ratios)
            dropped = percent(float(np.mean(change.cut_off)))
            words.append(Entry(f"{dropped} dropped out", self._look.negative, "hatched", f"{dropped} out"))
        ends = [] if reach is None else [1 - reach, 1 + reach]
        self._lines.moments = [Moment(x, "clip: 1 ± ε", self._look.marker, dashed=True) for x in ends]
        if ends:
            words.append(Entry("1 ± ε", self._look.marker, "dashed"))
        self.legend.show_entries(words)
        self.set_ranges(self._x, (0.0, max(float(self._counted.heights.max()) * 1.1, 5.0)))
        self.redraw()


class KLPlot(Plot):
    """How the divergence from the policy before has grown over the update's steps, against its limit."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "step of the update", "mean KL  (10⁻³ nats)", _MARGINS)
        self.left.set_title("mean KL  (10⁻³ nats)", "KL (10⁻³)", "10⁻³")
        self.title = "Divergence"
        self.bottom.set_title("step of the update", "step")
        self._line, self._limit = Line(), Level(role="error")
        self._now = Dots(9.0)
        self.marks = [self._limit, self._line, self._now]
        self._colour(theme)

    def _colour(self, theme: Theme) -> None:
        self._look = theme
        self._line.colour = theme.update
        self._now.set_colour(theme.text, 1.0)
        self._limit.apply_theme(theme)

    def wear(self, theme: Theme) -> None:
        self._colour(theme)
        self.apply_theme(theme)

    def show_steps(self, changes: Sequence[PolicyChange], shown: int, expected: int) -> None:
        """Those up to the ``shown``-th, of about so many."""
        values = np.array([0.0, *(change.kl for change in changes)]) * _THOUSAND  # whose labels have room
        self._line.x, self._line.y = np.arange(shown + 1.0), values[: shown + 1]
        self._now.x, self._now.y = self._line.x[-1:], self._line.y[-1:]
        limit = changes[0].kl_limit if changes else None
        self._limit.value = None if limit is None else _THOUSAND * limit
        highest = max(float(values.max()), self._limit.value or 0.0, 1e-5)
        now = short_number(float(values[shown]) / _THOUSAND, steady=True)
        words = [Entry(f"mean KL {now}", self._look.update, "line")]
        if limit is not None:
            words.append(Entry(f"limit {short_number(limit)}", self._look.error, "dashed"))
        self.legend.show_entries(words)
        self.set_ranges((0.0, _PAST_END * max(expected, 1)), (0.0, 1.12 * highest))
        self.redraw()


class PushPlot(Plot):
    """What each step asked of its action's probability, against what the update made of it.

    Signals:
        chosen: a dot was clicked (``BatchStep``), or all of the batch is wanted (None).
    """

    chosen = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "push asked for", "", _WIDER)
        self.title = "Push and change"
        self.bottom.set_title("push asked for", "push")
        self._as_asked, self._against = Dots(5.0), Dots(5.0)
        self._zero = Moments(rows=0)
        self._moved: Moved | None = None
        self.probe, self.pick = self._read_dot, Pick("This step", self._choose)
        self._level = Level(0.0, role="edge")
        self._name_change(discrete=True)
        self.marks = [self._zero, self._level, self._against, self._as_asked]
        self._colour(theme)

    def _colour(self, theme: Theme) -> None:
        self._look = theme
        self._as_asked.set_colour(theme.positive, 0.6)
        self._against.set_colour(theme.negative, 0.7)
        self._zero.apply_theme(theme)
        self._level.apply_theme(theme)
        self._zero.moments = [Moment(0.0, "", theme.edge, dashed=True)]

    def wear(self, theme: Theme) -> None:
        self._colour(theme)
        self.apply_theme(theme)

    def _name_change(self, discrete: bool) -> None:
        of = "π" if discrete else "log π"
        self.left.set_title(f"change of {of}(a|s)", f"Δ {of}(a|s)", f"Δ {of}")

    def _dot_at(self, pointer: Pointer) -> int | None:
        """Which of the dots is under the mouse."""
        moved = self._moved
        if moved is None or not len(moved.rows):
            return None
        distances = pointer.distances(moved.push, moved.change)
        nearest = int(np.argmin(distances))
        return nearest if distances[nearest] <= NEAR else None

    def _read_dot(self, pointer: Pointer) -> Reading | None:
        moved, dot = self._moved, self._dot_at(pointer)
        if moved is None or dot is None:
            return None
        push, change = float(moved.push[dot]), float(moved.change[dot])
        told = f"push {short_number(push)}", f"{self.left.labelText} {short_number(change)}", "click: this step"
        return Reading(push, change, told, self._look.text)

    def _choose(self, pointer: Pointer | None) -> None:
        moved, dot = self._moved, None if pointer is None else self._dot_at(pointer)
        if pointer is None:
            self.chosen.emit(None)
        elif moved is not None and dot is not None:
            self.chosen.emit(BatchStep(int(moved.rows[dot])))

    def show_moved(self, moved: Moved) -> None:
        self._moved = moved
        push, change = moved.push, moved.change
        agrees = np.sign(push) == np.sign(change)
        self._as_asked.x, self._as_asked.y = push[agrees], change[agrees]
        self._against.x, self._against.y = push[~agrees], change[~agrees]
        x, y = 1.15 * reach_of(push), 1.15 * reach_of(change)
        share = moved.as_asked
        if share is not None:
            against = Entry(f"{percent(1 - share)} against", self._look.negative, "filled")
            self.legend.show_entries([Entry(f"{percent(share)} as asked", self._look.positive, "filled"), against])
        self._name_change(moved.discrete)
        self.set_ranges((-x, x), (-y, y))
        self.redraw()


class EllipsePlot(Plot):
    """The plane of ĝ and F⁻¹ĝ: all steps whose divergence is the same by its quadratic model lie on an ellipse."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "step along ĝ", "step across ĝ", _MARGINS)
        self.title = "Trust region"
        self.bottom.set_title("step along ĝ", "along ĝ")
        self.left.set_title("step across ĝ", "across ĝ")
        self._contour, self._gradient, self._natural = Line(2), Line(3), Line(3)
        self._most, self._taken = Moments(rows=0), Dots(11.0)
        self.marks = [self._most, self._contour, self._gradient, self._natural, self._taken]
        self._colour(theme)

    def _colour(self, theme: Theme) -> None:
        self._look = theme
        self._contour.colour, self._gradient.colour, self._natural.colour = theme.error, theme.credit, theme.update
        self._taken.set_colour(theme.text, 1.0)
        self._most.apply_theme(theme)

    def wear(self, theme: Theme) -> None:
        self._colour(theme)
        self.apply_theme(theme)

    def show_region(self, region: TrustRegion, fraction: float = 1.0) -> None:
        """The ellipse, and the step or the share of it that was tried last."""
        level = region.predicted if region.limit is None else region.limit
        contour = contour_of(region, level)
        self._contour.x, self._contour.y = contour
        for line, direction in ((self._gradient, region.gradient), (self._natural, region.natural)):
            end = direction * np.sqrt(2 * level / max(float(direction @ region.fisher @ direction), 1e-300))
            line.x, line.y = np.array([0.0, end[0]]), np.array([0.0, end[1]])
        taken = fraction * region.step
        self._taken.x, self._taken.y = taken[:1], taken[1:]
        most = float(contour[0].max())
        self._most.moments = [Moment(most, "most gain on the ellipse", self._look.muted, dashed=True)]
        name, size = "δ" if region.limit is not None else "KL", short_number(level)
        self.legend.show_entries(
            [
                Entry(f"½ dᵀFd = {name} = {size}", self._look.error, "line", f"{name} = {size}"),
                Entry("ĝ", self._look.credit, "line"),
                Entry("F⁻¹ĝ", self._look.update, "line"),
                Entry("step", self._look.text, "filled"),
            ]
        )
        x, y = (1.12 * max(float(np.abs(side).max()), 1e-12) for side in contour)
        self.set_ranges((-x, x), (-y, y))
        self.redraw()


def contour_of(region: TrustRegion, level: float) -> tuple[np.ndarray, np.ndarray]:
    """All d in the plane with ½ dᵀFd = ``level``, by the eigenvectors of F."""
    values, vectors = np.linalg.eigh(region.fisher)
    turns = np.linspace(0.0, 2 * np.pi, _CORNERS)
    circle = np.stack([np.cos(turns), np.sin(turns)])
    points = vectors @ (np.sqrt(2 * level / np.maximum(values, 1e-300))[:, None] * circle)
    return points[0], points[1]


class LossPlot(Plot):
    """The loss of each minibatch of an update, before its step."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "step of the update", "loss", _WIDER)
        self.title = "Loss"
        self.bottom.set_title("step of the update", "step")
        self._line, self._now = Line(), Dots(9.0)
        self.marks = [self._line, self._now]
        self._colour(theme)

    def _colour(self, theme: Theme) -> None:
        self._line.colour = theme.update
        self._now.set_colour(theme.text, 1.0)

    def wear(self, theme: Theme) -> None:
        self._colour(theme)
        self.apply_theme(theme)

    def show_losses(self, steps: Sequence[UpdateStep], shown: int) -> None:
        losses = np.array([sum(step.losses.values()) for step in steps])
        self._line.x, self._line.y = np.arange(1.0, shown + 1), losses[:shown]
        self._now.x, self._now.y = self._line.x[-1:], self._line.y[-1:]
        low, high = float(losses.min()), float(losses.max())
        edge = 0.1 * (high - low or abs(high) or 1.0)
        self.legend.show_entries([Entry("loss of the minibatch", self._line.colour, "line")])
        self.set_ranges((0.0, _PAST_END * max(len(steps), 1)), (low - edge, high + edge))
        self.redraw()
