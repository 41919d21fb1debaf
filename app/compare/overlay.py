"""The curves of all runs that are compared on one plot, over what a person chooses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout

from app.compare.caveats import CaveatLabel, caveats, clock_caveat, repeated_caveat
from app.compare.compared import Compared, ComparedGroup, ComparedRun, offered
from app.compare.group_curves import GroupCurves
from app.panels.record import PanelWidget
from app.plotting.axes import Range, robust_bounds, settled_range
from app.plotting.export import Column, Table, below
from app.plotting.labels import Level, optimal_level, show_optimal
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading, RunPoint
from app.plotting.run_lines import MANY, EndNames, RunLine, RunLines
from app.plotting.tags import Tags
from app.plotting.traces import Trace
from app.session.optimal_returns import OptimalReturns, process_of
from app.style.combo import Combo
from app.style.flow import Flow
from app.style.format import short_number
from app.style.text import Stage, as_surface, muted
from app.style.theme import Theme
from engine.catalogue.configured import described
from engine.reports.metrics import METRICS
from engine.runs.comparison.aggregates import STATISTICS, Statistic
from engine.runs.comparison.curves import AXES, RETURN, SMOOTHINGS, Axis, Curve, curve
from engine.runs.comparison.scores import MEAN_OVER, threshold_of
from engine.runs.records import ALIVE
from engine.runtime.errors import RequestError

ALONE = "No run is ticked. Press Esc, tick runs in the list, and their curves appear here."
EMPTY = "Tick runs in the list, and their curves appear here on one axis. Every run is listed once it has begun."
_NO_CURVES = "None of the ticked runs has told anything of this yet."
_NOT_COUNTED = (
    "None of the ticked runs has its gradient steps recorded, as those trained earlier; align them otherwise."
)
_BESIDE = 0.2, 0.4  # of the width, at least and at most, for the names beside the ends of lines
_MARGIN = 0.03  # of it, where there are none
_NEAR = 0.5  # of a budget, from where on the axis has room for all of it
_NAMED = 3  # runs that the title of an axis has room for
_SHORT = {
    "environment_steps": "steps",
    "episodes": "episodes",
    "seconds": "seconds",
    "gradient_steps": "gradient steps",
    "iteration": "iterations",
}


class Overlay(PanelWidget):
    """Signals:
    axis_changed: what the horizontal axis counts is another.
    """

    axis_changed = Signal(str)

    def __init__(self, theme: Theme, compared: Compared) -> None:
        super().__init__()
        as_surface(self)
        self._theme, self._compared = theme, compared
        self._drawn: dict[str, tuple[object, ...]] = {}  # of what each line was made
        self._binned: dict[str, int] = {}  # how many iterations a drawn point is the mean of
        self._y: Range | None = None
        self._empty = EMPTY
        self._groups = GroupCurves()
        self._lines, self._level, self._optimal = RunLines(), Level(), optimal_level()
        self._best: OptimalReturns | None = None
        self._names = EndNames(self._lines)
        self.plot = Plot(theme, AXES["environment_steps"], "")
        self._tags = Tags((self._names, self._level, self._optimal), ())
        self.plot.marks = [self._level, self._optimal, self._groups, self._lines, self._names, self._tags]
        self.plot.title, self.plot.probe, self.plot.numbers = "Runs compared", self._read, self._numbers
        self._stage = Stage(EMPTY, self.plot)
        self.caveat, self.said = CaveatLabel(), muted()
        self.said.setWordWrap(True)
        self._build(theme)
        compared.follow(self.redraw)
        self.apply_theme(theme)
        self.redraw()

    def _build(self, theme: Theme) -> None:
        self.metric_box = _combo("What is compared", "Which number is drawn over the axis")
        self.axis_box = _combo("Aligned by", "What the horizontal axis counts, by which the runs are aligned")
        self.smoothing_box = _combo("Smoothing", "How many iterations each drawn point is the mean of")
        self.together_box = _combo("Seeds", "Whether runs that differ in their seed alone are drawn as one curve")
        self.statistic_box = _combo("What seeds come to", "By which number the seeds of a setting are told together")
        self.together_box.addItems(["seeds together", "each run by itself"])
        for statistic, title in STATISTICS.items():
            self.statistic_box.addItem(title, statistic)
        self.singles_button = QToolButton()
        self.singles_button.setText("Each seed, too")
        self.singles_button.setToolTip(
            "Draw the curve of each seed as a thin line, too, and that of the median run as a thicker one"
        )
        self.singles_button.setAccessibleName("Curves of single seeds")
        self.singles_button.setCheckable(True)
        self.singles_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for axis, title in _SHORT.items():
            self.axis_box.addItem(f"by {title}", axis)
        for count in SMOOTHINGS:
            self.smoothing_box.addItem("not smoothed" if count == 1 else f"mean of {count} iterations", count)
        self._offer()
        self.metric_box.currentIndexChanged.connect(self._choose_metric)
        self.axis_box.currentIndexChanged.connect(self._choose_axis)
        self.smoothing_box.currentIndexChanged.connect(lambda _index: self.redraw())
        self.together_box.currentIndexChanged.connect(lambda index: self._compared.put_together(index == 0))
        self.statistic_box.currentIndexChanged.connect(self._choose_statistic)
        self.singles_button.toggled.connect(lambda _on: self.redraw())
        header = Flow(theme.unit)
        header.setContentsMargins(2 * theme.unit, theme.unit, 2 * theme.unit, 0)
        boxes = (self.metric_box, self.axis_box, self.smoothing_box, self.together_box, self.statistic_box)
        for widget in (*boxes, self.singles_button):
            header.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, theme.unit // 2)
        layout.setSpacing(0)
        layout.addLayout(header)
        self.caveat.setContentsMargins(2 * theme.unit, theme.unit // 2, 2 * theme.unit, 0)
        layout.addWidget(self.caveat)
        self.said.setContentsMargins(2 * theme.unit, theme.unit // 2, 2 * theme.unit, 0)
        layout.addWidget(self.said)
        layout.addWidget(self._stage, 1)

    def mark_optimal(self, best: OptimalReturns) -> None:
        """Mark what the best policy returns in the environment of all, where that is known."""
        self._best = best
        best.changed.connect(self._take_best)
        self.redraw()

    def _take_best(self) -> None:
        """Mark it anew where it is another, since much that becomes known is of other environments."""
        if self._compared.metric == RETURN and self._best_return() != self._optimal.value:
            self.redraw()

    # --- what is chosen -----------------------------------------------------------------------------------------------

    @property
    def axis(self) -> Axis:
        return cast(Axis, self.axis_box.currentData())

    @property
    def smoothing(self) -> int:
        return int(self.smoothing_box.currentData())

    @property
    def lines(self) -> Sequence[RunLine]:
        """What is drawn, the first on top."""
        return self._lines.lines

    def _offer(self) -> None:
        """Offer the metrics that the runs may have."""
        names = offered(self._compared.runs)
        chosen = self._compared.metric
        names = names if chosen in names else [*names, chosen]
        if [self.metric_box.itemData(index) for index in range(self.metric_box.count())] == names:
            return
        self.metric_box.blockSignals(True)
        self.metric_box.clear()
        for name in names:
            self.metric_box.addItem(METRICS[name].title, name)
        self.metric_box.setCurrentIndex(names.index(chosen))
        self.metric_box.blockSignals(False)

    def _choose_metric(self) -> None:
        self._y = None
        self.plot.follow()
        self._compared.choose(self.metric_box.currentData())

    def _choose_statistic(self) -> None:
        self._compared.choose_statistic(cast(Statistic, self.statistic_box.currentData()))

    def _choose_axis(self) -> None:
        self.plot.follow()
        self.redraw()
        self.axis_changed.emit(self.axis)

    # --- drawing ------------------------------------------------------------------------------------------------------

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        for level in (self._level, self._optimal):
            level.apply_theme(theme)
        self._names.apply_theme(theme)
        self._tags.apply_theme(theme)
        for line in self._lines.lines:
            line.colour = line.style.colour(theme)
        self._groups.colour(theme)
        self.plot.apply_theme(theme)
        QTimer.singleShot(0, self, self._settle)  # once all have the room that they need now

    def set_alone(self, alone: bool) -> None:
        """Whether nothing else can be seen of what it belongs to, as in front of a room."""
        self._empty = ALONE if alone else EMPTY
        self.redraw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        QTimer.singleShot(0, self, self._settle)

    def redraw(self) -> None:
        """Draw what the runs have told by now."""
        self._offer()
        runs = self._compared.runs
        before = {line.run: line for line in self._lines.lines}
        together = self._together()
        named = {run.id: run.title for run in runs}
        if together:
            named = {group.id: group.title for group in self._compared.groups}
        several = {group.id: group for group in together}
        alone = [run for run in runs if run.id in named and run.id not in several]
        lines = {run.id: self._line(run, named[run.id], before.get(run.id)) for run in alone}
        lines |= {group.id: self._groups.line(group, self._theme) for group in together}
        self._lines.lines = [lines[id] for id in named]
        self._tags.clear_of = self._lines.lines
        self._drawn = {run.id: self._drawn[run.id] for run in alone}
        seconds = clock_caveat(runs) if self.axis == "seconds" else ""
        self.caveat.tell(" ".join(filter(None, (caveats(runs), seconds))))
        self._entitle()
        self._settle()
        drawn = any(len(line.x) for line in self._lines.lines)
        self._stage.set_hint(self._why_empty() if runs else self._empty)
        if drawn and not self._stage.filled:
            QTimer.singleShot(0, self, self._settle)  # once the plot has its place, and the names as much as they need
        self._stage.fill(drawn)
        self.plot.redraw()

    def _together(self) -> list[ComparedGroup]:
        """The groups that are drawn as one curve each, readied; none where each run is drawn by itself."""
        groups, together = self._compared.groups, self._compared.together
        several = [group for group in groups if len(group.runs) > 1]
        self.together_box.blockSignals(True)
        self.together_box.setCurrentIndex(int(not together))
        self.together_box.blockSignals(False)
        self.together_box.setVisible(bool(several))
        those = several if together else []
        self.statistic_box.setVisible(bool(those))
        self.singles_button.setVisible(bool(those))
        self._groups.singles = self.singles_button.isChecked()
        chosen = self._compared.metric, self.axis, self.smoothing
        self._groups.take(those, self._compared.statistic, lambda run: curve(run.series, *chosen), chosen)
        self._groups.colour(self._theme)
        words = self._groups.words
        said = [
            *([f"{words[:1].upper()}{words[1:]}."] if words else []),
            self._groups.singles_words,
            *([repeated_caveat(groups)] if together else []),
        ]
        self.said.setText(" ".join(filter(None, said)))
        self.said.setVisible(bool(self.said.text()))
        return those

    def _why_empty(self) -> str:
        told = [run for run in self._compared.runs if len(run.series)]
        uncounted = self.axis == "gradient_steps" and not any(run.counts_gradient_steps for run in told)
        return _NOT_COUNTED if told and uncounted else _NO_CURVES

    def _line(self, run: ComparedRun, name: str, before: RunLine | None) -> RunLine:
        made_of = (run.reading, self._compared.metric, self.axis, self.smoothing)
        if before is None or self._drawn.get(run.id) != made_of:
            whole = curve(run.series, self._compared.metric, self.axis, self.smoothing)
            thin, self._binned[run.id] = _thinned(whole)
            before = RunLine(run.id, run.record.number, "", run.style, "", thin.x, thin.y)
        self._drawn[run.id] = made_of
        before.name, before.colour = name, run.style.colour(self._theme)
        return before

    def _entitle(self) -> None:
        """Name the axes; how smooth the lines are is always said, along the axis that has more room."""
        metric = METRICS[self._compared.metric]
        unit = f" ({metric.unit})" if metric.unit else ""
        last = f", last {MEAN_OVER}" if metric.name == RETURN else ""
        smooth = "" if self.smoothing == 1 else f" · smoothed: mean of {self.smoothing} iterations"
        binned = max((self._binned[run] for run in self._drawn), default=1)
        smooth += f" · 1 point for {binned} iterations" if binned > 1 else ""
        self.plot.left.set_title(f"{metric.title.lower()}{last}{unit}", metric.unit)
        self.plot.bottom.set_title(f"{AXES[self.axis]}{self._left_out()}{smooth}", _SHORT[self.axis])
        self._level.value = self._threshold() if metric.name == RETURN else None
        self._level.text = f"solved: {short_number(self._level.value, 4)}"
        show_optimal(self._optimal, self._best_return() if metric.name == RETURN else None)

    def _left_out(self) -> str:
        """Which of the runs have no place on the axis, where others do."""
        if self.axis != "gradient_steps":
            return ""
        uncounted = (run for run in self._compared.runs if len(run.series) and not run.counts_gradient_steps)
        lacking = [str(run.record.number) for run in uncounted]
        if len(lacking) > _NAMED:
            return f" (of {len(lacking)} runs they were not recorded)"
        which = "run" if len(lacking) == 1 else "runs"
        return f" (of {which} {', '.join(lacking)} they were not recorded)" if lacking else ""

    def _threshold(self) -> float | None:
        try:
            return threshold_of([run.record.config for run in self._compared.runs])
        except RequestError:
            return None

    def _best_return(self) -> float | None:
        """That of the one process in which all runs are; None where they are in several, or it is not known."""
        if self._best is None:
            return None
        try:
            processes = {process_of(one): one for one in (run.record.config.environment for run in self._compared.runs)}
            if len(processes) != 1:
                return None
            (environment,) = processes.values()
            known = described(environment)
        except RequestError:
            return None
        return self._best.of(environment, finite=known is not None and known.finite)

    def _settle(self) -> None:
        lines = [line for line in self._lines.lines if len(line.x)]
        if not lines:
            return
        at_work = [run.record for run in self._compared.runs if run.record.status in ALIVE]
        budgets = (float(record.budget) for record in at_work if self.axis == "environment_steps")
        end = axis_end([float(line.x[-1]) for line in lines], max(budgets, default=0.0))
        named = len(self._lines.lines) <= MANY
        # Of each by itself, since one has many more points than another.
        bounds = [
            robust_bounds(heights) for heights in (*(line.y for line in lines), *self._groups.heights()) if len(heights)
        ]
        low, high = min(bound[0] for bound in bounds), max(bound[1] for bound in bounds)
        for value in (self._level.value, self._optimal.value):
            low, high = (low, high) if value is None else (min(low, value), max(high, value))
        self._y = settled_range(self._y, low, high)
        self.plot.set_ranges((0.0, end / (1.0 - (self._beside() if named else _MARGIN))), self._y)

    def _beside(self) -> float:
        """The share of the width in which the names have room."""
        least, most = _BESIDE
        return min(max(self._names.width(self.plot.letters) / max(self.plot.area.width(), 1.0), least), most)

    # --- what a person asks of it -------------------------------------------------------------------------------------

    def _read(self, pointer: Pointer) -> Reading | None:
        """All curves at once, where the mouse is, the highest first."""
        x = pointer.data_x
        found = [(float(np.interp(x, line.x, line.y)), line) for line in self._lines.lines if _reaches(line, x)]
        if not found:
            return None
        found.sort(key=lambda one: -one[0])
        where = f"after {x:.1f} s of training" if self.axis == "seconds" else f"at {x:,.0f} {AXES[self.axis]}"
        words = [
            f"{short_number(y, 4)}{self._groups.read(line.run, x)}  {line.name}"
            f"{self._groups.read_median_run(line.run, x)}"
            for y, line in found
        ]
        points = tuple(RunPoint(y, line.style, line.colour) for y, line in found)
        return Reading(x, found[0][0], (where, *words), runs=points)

    def _numbers(self) -> Table:
        """Every point of every run, as it was reported; of seeds together what they come to."""
        if self._groups.bands:
            return self._groups.table(AXES[self.axis], METRICS[self._compared.metric].title)
        tables = []
        for run in self._compared.runs:
            one = curve(run.series, self._compared.metric, self.axis)
            title = METRICS[self._compared.metric].title
            columns: dict[str, Column] = {"run": [run.title] * len(one), AXES[self.axis]: one.x, title: one.y}
            tables.append(Table(columns))
        return below(tables)


def axis_end(ends: Sequence[float], budget: float) -> float:
    """Where an axis ends that shows lines up to these ``ends``: with the longest, or where all have come near the
    ``budget`` of one at work with that, where it then stands still."""
    return max(*ends, budget) if min(ends) >= _NEAR * budget else max(ends)


def _combo(name: str, tip: str) -> Combo:
    box = Combo()
    box.setSizeAdjustPolicy(Combo.SizeAdjustPolicy.AdjustToContents)
    box.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
    box.setAccessibleName(name)
    box.setToolTip(tip)
    return box


def _thinned(one: Curve) -> tuple[Curve, int]:
    """At most as many points as can be seen apart, each the mean of so many; the last is as it was."""
    trace = Trace()
    trace.update(one.y)
    if trace.size == 1:
        return one, 1
    x, y = one.x[trace.middles], trace.means
    return Curve(np.append(x, one.x[-1]), np.append(y, one.y[-1])), trace.size


def _reaches(line: RunLine, x: float) -> bool:
    return bool(len(line.x)) and float(line.x[0]) <= x <= float(line.x[-1])
