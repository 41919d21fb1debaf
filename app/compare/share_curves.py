"""The shares of a setting's seeds that come so high, or have not come there yet, as steps with their intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout

from app.compare.caveats import of_one_environment
from app.compare.columns import threshold_among
from app.compare.compared import Compared, ComparedGroup
from app.compare.group_columns import summed_up
from app.panels.record import PanelWidget
from app.plotting.export import Column, Table, below
from app.plotting.marks import Band as Shade
from app.plotting.marks import Numbers
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading, RunPoint
from app.plotting.run_lines import EndNames, RunLine, RunLines
from app.style.format import percent, short_number
from app.style.text import Stage, as_surface, muted
from app.style.theme import Theme, blended, veil
from engine.runs.comparison.profiles import profile, thresholds_of
from engine.runs.comparison.summaries import Summary
from engine.runs.comparison.survival import Survival

_TOLD = 4  # settings of which there is room to say what they came to
_BESIDE = 0.3  # of the width, for the names beside the ends of lines
_TICKED = "Tick runs in the list, several seeds of each setting, and "
_NO_THRESHOLD = "This environment has no mean return at which it counts as solved: write one above."


class Shares:
    """One setting's steps: its ``y`` [m] from each ``x`` [m] on, with the interval from ``low`` to ``high`` by a
    ``method``; and in words what it has ``come`` to, where there is something to say."""

    def __init__(self, x: Numbers, y: Numbers, low: Numbers, high: Numbers, method: str, come: str = "") -> None:
        self.x, self.y, self.low, self.high, self.method, self.come = x, y, low, high, method, come


class _ShareCurves(PanelWidget):
    """A line for each setting. What is shown is computed only where it can be seen."""

    title, empty = "", ""
    x_title, y_title, x_unit = "", "", ""

    def __init__(self, theme: Theme, compared: Compared) -> None:
        super().__init__()
        as_surface(self)
        self._theme, self._compared = theme, compared
        self._shares: dict[str, Shares] = {}
        self._shades: list[Shade] = []
        self._lines = RunLines()
        self._names = EndNames(self._lines)
        self.plot = Plot(theme, self.x_title, self.y_title)
        self.plot.title, self.plot.probe, self.plot.numbers = self.title, self._read, self._numbers
        self._stage = Stage(self.empty, self.plot)
        self.said = muted()
        self.said.setWordWrap(True)
        self.head = QHBoxLayout()
        self.head.addWidget(self.said, 1)
        self._column = QVBoxLayout(self)
        self._column.setSpacing(0)
        self._column.addLayout(self.head)
        self._column.addWidget(self._stage, 1)
        compared.follow(self.show_newest)
        self.apply_theme(theme)

    @property
    def lines(self) -> Sequence[RunLine]:
        return self._lines.lines

    def shares(self, groups: Sequence[ComparedGroup]) -> dict[str, Shares]:
        """Of each group, by its id, what there is to draw."""
        raise NotImplementedError

    def missing(self) -> str:
        """Why there is nothing to draw."""
        return self.empty

    def first_said(self) -> str:
        """What is to be said before all else of what is drawn."""
        return ""

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        unit = theme.px(theme.unit)
        self._column.setContentsMargins(unit, unit // 2, unit, 0)
        self.head.setSpacing(unit)
        self._names.apply_theme(theme)
        self._colour()
        self.plot.apply_theme(theme)
        QTimer.singleShot(0, self, self._settle)

    def show_newest(self) -> None:
        """Show what the seeds have come to by now."""
        if not self.isVisible():
            return
        groups = self._compared.groups
        self._shares = self.shares(groups) if groups else {}
        shown = [group for group in groups if group.id in self._shares]
        self._lines.lines = [self._line(group, self._shares[group.id]) for group in shown]
        self._colour()
        come = [f"{group.title}: {said}" for group in shown if (said := self._shares[group.id].come)]
        methods = dict.fromkeys(self._shares[group.id].method for group in shown)
        told = [*(come if len(come) <= _TOLD else ()), *methods]
        self.said.setText(f"{self.first_said()}{'; '.join(told)}." if told else "")
        self._stage.set_hint(self.missing())
        self._stage.fill(bool(shown))
        self._settle()
        self.plot.redraw()

    def _line(self, group: ComparedGroup, shares: Shares) -> RunLine:
        x, y = np.repeat(shares.x, 2)[1:], np.repeat(shares.y, 2)[:-1]
        return RunLine(group.id, group.runs[0].record.number, group.title, group.style, "", x, y)

    def _colour(self) -> None:
        self._shades = []
        for line in self._lines.lines:
            line.colour = line.style.colour(self._theme)
            shares, shade = self._shares[line.run], Shade()
            low, high = np.repeat(shares.low, 2)[:-1], np.repeat(shares.high, 2)[:-1]
            known = np.isfinite(low) & np.isfinite(high)
            shade.x, shade.low, shade.high = line.x[known], low[known], high[known]
            shade.colour = blended(line.colour, self._theme.surface, 1.0)
            shade.colour.setAlphaF(veil(len(self._lines.lines)))
            self._shades.append(shade)
        self.plot.marks = [*self._shades, self._lines, self._names]

    def _settle(self) -> None:
        ends = [(float(line.x[0]), float(line.x[-1])) for line in self._lines.lines if len(line.x)]
        if ends:
            low, high = min(end[0] for end in ends), max(end[1] for end in ends)
            room = min(self._names.width(self.plot.letters) / max(self.plot.area.width(), 1.0), _BESIDE)
            self.plot.set_ranges((low, low + ((high - low) or 1.0) / (1.0 - room)), (-0.02, 1.04))

    def _read(self, pointer: Pointer) -> Reading | None:
        x, found = pointer.data_x, []
        for line in self._lines.lines:
            shares = self._shares[line.run]
            at = int(np.searchsorted(shares.x, x, side="right")) - 1
            if at < 0 or x > shares.x[-1]:
                continue
            low, high = shares.low[at], shares.high[at]
            inside = f" [{percent(float(low))}, {percent(float(high))}]" if np.isfinite(low) else ""
            found.append((float(shares.y[at]), f"{percent(float(shares.y[at]))}{inside}  {line.name}", line))
        if not found:
            return None
        found.sort(key=lambda one: -one[0])
        points = tuple(RunPoint(y, line.style, line.colour) for y, _, line in found)
        where = f"at {short_number(x, 4)} {self.x_unit}".rstrip()
        return Reading(x, found[0][0], (where, *(words for _, words, _ in found)), runs=points)

    def _numbers(self) -> Table:
        tables = []
        for line in self._lines.lines:
            shares = self._shares[line.run]
            columns: dict[str, Column] = {"setting": [line.name] * len(shares.x), self.x_title: shares.x}
            columns |= {self.y_title: shares.y, "low": shares.low, "high": shares.high}
            tables.append(Table(columns))
        return below(tables)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        QTimer.singleShot(0, self, self._settle)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.show_newest()


class ProfilePage(_ShareCurves):
    """Performance profiles: which share of a setting's seeds ended above each return."""

    title = "Performance profile"
    empty = f"{_TICKED}which share of them ended above each return stands here."
    x_title, y_title, x_unit = "final mean return", "share of seeds above it", ""

    def shares(self, groups: Sequence[ComparedGroup]) -> dict[str, Shares]:
        if not of_one_environment([run for group in groups for run in group.runs]):
            return {}
        scores = [_scores(one) for one in summed_up(self._compared)]
        thresholds = thresholds_of(scores)
        found = {}
        for group, those in zip(groups, scores, strict=True):
            if len(those) and len(thresholds):
                one = profile(those, thresholds)
                method = f"{percent(one.level)} interval at each return, {one.method}"
                found[group.id] = Shares(one.thresholds, one.share, one.low, one.high, method)
        return found

    def missing(self) -> str:
        runs = self._compared.runs
        others = "These runs are of several environments, whose returns are not of one scale."
        return self.empty if of_one_environment(runs) else others


class SurvivalPage(_ShareCurves):
    """Survival curves: which share of a setting's seeds has not come to the threshold yet."""

    title = "Survival"
    empty = f"{_TICKED}which share of them has not come to a mean return yet stands here over environment steps."
    x_title, y_title, x_unit = "environment steps", "share not there yet", "environment steps"

    def __init__(self, theme: Theme, compared: Compared) -> None:
        self.threshold_field = QLineEdit()
        self.threshold_field.setAccessibleName("Mean return to come to")
        self.threshold_field.setToolTip("The mean return of 100 episodes that counts; empty: that of the environment")
        self.threshold_field.editingFinished.connect(self.show_newest)
        super().__init__(theme, compared)
        self.head.addWidget(muted("until a mean return of"))
        self.head.addWidget(self.threshold_field)

    @property
    def threshold(self) -> float | None:
        """What a person has written, or else the environment's own."""
        try:
            return float(self.threshold_field.text().strip().replace("−", "-"))
        except ValueError:
            return threshold_among(self._compared.runs)

    def apply_theme(self, theme: Theme) -> None:
        super().apply_theme(theme)
        self.threshold_field.setFixedWidth(theme.px(90))

    def shares(self, groups: Sequence[ComparedGroup]) -> dict[str, Shares]:
        own = threshold_among(self._compared.runs)
        self.threshold_field.setPlaceholderText(short_number(own, 4) if own is not None else "write one")
        if self.threshold is None:
            return {}
        found = {}
        for group, one in zip(groups, summed_up(self._compared, self.threshold), strict=True):
            if one.survival is not None and one.survival.last > 0.0:
                found[group.id] = _as_shares(one.survival)
        return found

    def first_said(self) -> str:
        level = self.threshold
        got_there = any(one.survival is not None and one.survival.reached for one in summed_up(self._compared, level))
        return "" if got_there or level is None else f"No run came to {short_number(level, 4)}: write a lower one. "

    def missing(self) -> str:
        return _NO_THRESHOLD if self._compared.runs and self.threshold is None else self.empty


def _as_shares(one: Survival) -> Shares:
    """From 1 at no step until the last that was watched."""
    x = np.concatenate([[0.0], one.steps, [max(one.last, float(one.steps[-1]) if len(one.steps) else 0.0)]])
    y, low, high = (
        np.concatenate([[start], values, values[-1:] if len(values) else [start]])
        for start, values in ((1.0, one.remaining), (np.nan, one.low), (np.nan, one.high))
    )
    method = f"{percent(one.level)} interval, {one.method}"
    return Shares(x, y, low, high, method, f"{one.reached} of {one.n} got there")


def _scores(one: Summary) -> Numbers:
    """Those of its runs; one that failed without a score is below all."""
    worst = -np.inf
    counted = [each.score for each in one.outcomes if each.score is not None or each.failed]
    return np.array([worst if score is None else score for score in counted], dtype=np.float64)
