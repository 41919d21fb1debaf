"""Curves of seeds of one setting drawn as one: what they come to at each place, with the interval over the seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtGui import QPainter

from app.compare.compared import ComparedGroup, ComparedRun
from app.plotting.export import Column, Table, below
from app.plotting.marks import Band as Shade
from app.plotting.marks import Frame, Line, Numbers
from app.plotting.run_lines import RunLine
from app.style.format import percent, short_number
from app.style.theme import Theme, blended, veil
from engine.runs.comparison.aggregates import Statistic
from engine.runs.comparison.bands import Band, band
from engine.runs.comparison.curves import Curve
from engine.runs.comparison.groups import least_of
from engine.runs.comparison.scores import median_run
from engine.runs.comparison.summaries import outcome
from engine.runs.comparison.verdicts import FEW

_POINTS: dict[Statistic, int] = {
    "median": 400,
    "iqm": 160,
    "mean": 400,
}  # a bootstrap takes its time
_THIN = 0.55  # of a group's colour in the curves of its seeds

Drawn = Callable[[ComparedRun], Curve]
"""The curve of a run, as a person has chosen to see it."""


class GroupCurves:
    """A mark of a plot that stands behind the lines of the groups: their bands, and where wanted each seed's curve,
    that of the median run, whose final return is in the middle, thicker than the others."""

    def __init__(self) -> None:
        self.bands: dict[str, Band] = {}
        """By the id of the group, of those with two runs at least."""
        self.singles = False
        self.median_runs: dict[str, ComparedRun] = {}
        """By the id of the group, of those of three runs at least."""
        self._groups: Sequence[ComparedGroup] = ()
        self._curves: dict[str, Curve] = {}
        self._made_of: dict[str, tuple[object, ...]] = {}
        self._shades: list[Shade] = []
        self._thin: list[Line] = []

    def take(self, groups: Sequence[ComparedGroup], statistic: Statistic, drawn: Drawn, chosen: object) -> None:
        """Show these; what is ``chosen`` besides says when curves are other ones."""
        several = [group for group in groups if len(group.runs) > 1]
        bands: dict[str, Band] = {}
        made: dict[str, tuple[object, ...]] = {}
        curves: dict[str, Curve] = {}
        middle: dict[str, ComparedRun] = {}
        for group in several:
            made_of = (tuple(run.id for run in group.runs), tuple(run.reading for run in group.runs), statistic, chosen)
            if self._made_of.get(group.id) == made_of:
                those = {run.id: self._curves[run.id] for run in group.runs}
                bands[group.id] = self.bands[group.id]
                found = self.median_runs.get(group.id)
            else:
                those = {run.id: drawn(run) for run in group.runs}
                known = list(those.values())
                bands[group.id] = band(known, statistic, points=_POINTS[statistic], least=least_of(known))
                found = _median_run(group)
            middle |= {} if found is None else {group.id: found}
            curves |= those
            made[group.id] = made_of
        self.bands, self._curves, self._made_of, self._groups = bands, curves, made, several
        self.median_runs = middle

    def colour(self, theme: Theme) -> None:
        """Make what is painted, in the colours of this look."""
        self._shades, self._thin = [], []
        for group in self._groups:
            found, colour = self.bands[group.id], group.style.colour(theme)
            known = np.isfinite(found.low)
            shade = Shade()
            shade.x, shade.low, shade.high = found.x[known], found.low[known], found.high[known]
            shade.colour = blended(colour, theme.surface, 1.0)
            shade.colour.setAlphaF(veil(len(self._groups)))
            self._shades.append(shade)
            middle = self.median_runs.get(group.id)
            for run in sorted(group.runs, key=lambda run: run is middle) if self.singles else ():  # that one on top
                line = Line(2 if run is middle else 1)
                line.x, line.y = self._curves[run.id].x, self._curves[run.id].y
                line.colour = colour if run is middle else blended(colour, theme.surface, _THIN).name()
                self._thin.append(line)

    def paint(self, painter: QPainter, frame: Frame) -> None:
        for shade in self._shades:
            shade.paint(painter, frame)
        for line in self._thin:
            line.paint(painter, frame)

    def line(self, group: ComparedGroup, theme: Theme) -> RunLine:
        """What the seeds of a group come to."""
        found, first = self.bands[group.id], group.runs[0]
        colour = group.style.colour(theme)
        return RunLine(group.id, first.record.number, group.title, group.style, colour, found.x, found.value)

    def heights(self) -> list[Numbers]:
        """All that is to be seen of bands and seeds."""
        bounds = [edge[np.isfinite(edge)] for found in self.bands.values() for edge in (found.low, found.high)]
        return [*bounds, *(curve.y for curve in self._curves.values())] if self.singles else bounds

    def read(self, group: str, x: float) -> str:
        """What a band is at a place: " [150, 197] of 5"; nothing of a group without one."""
        found = self.bands.get(group)
        if found is None or not len(found):
            return ""
        at = int(np.abs(found.x - x).argmin())
        low, high = short_number(found.low[at], 3), short_number(found.high[at], 3)
        return f" [{low}, {high}] of {found.n[at]}" if np.isfinite(found.low[at]) else f" of {found.n[at]}"

    def read_median_run(self, group: str, x: float) -> str:
        """What the median run of a group is at a place, where it is drawn: " · median run: seed 3, 182"."""
        run = self.median_runs.get(group) if self.singles else None
        if run is None or not (len(one := self._curves[run.id]) and one.x[0] <= x <= one.x[-1]):
            return ""
        return f" · median run: seed {run.record.seed}, {short_number(float(np.interp(x, one.x, one.y)), 4)}"

    @property
    def words(self) -> str:
        """By what number and which intervals the seeds are shown: "median, with its 94 % interval at each place by
        order statistics"; nothing where none is."""
        found = [one for one in self.bands.values() if len(one)]
        reached = [np.unique(one.level[np.isfinite(one.level)]) for one in found]
        levels = [percent(float(level)) for level in np.unique(np.concatenate([*reached, []]))]
        if not found:
            return ""
        if not levels:
            return f"{found[0].of}; of a single seed there is no interval"
        level = levels[0] if len(levels) == 1 else f"{levels[0]} to {levels[-1]}"
        fewest = min(int(one.n.max()) for one in found)
        little = f"; of {fewest} seeds it means little" if fewest < FEW else ""
        return f"{found[0].of}, with its {level} interval at each place by {found[0].method}{little}"

    @property
    def singles_words(self) -> str:
        """What the lines of single seeds are; nothing where none is drawn."""
        if not self.singles or not self._groups:
            return ""
        middle = "; the thicker whole one is the median run, the seed whose final return is in the middle"
        return f"Thin: each seed{middle if self.median_runs else ''}."

    def table(self, axis: str, title: str) -> Table:
        """The bands as numbers."""
        tables = []
        for group in self._groups:
            found = self.bands[group.id]
            columns: dict[str, Column] = {
                "setting": [group.title] * len(found),
                axis: found.x,
                f"{title} ({found.of})": found.value,
                "low": found.low,
                "high": found.high,
                "level": found.level,
                "seeds": found.n,
            }
            tables.append(Table(columns))
        return below(tables)


def _median_run(group: ComparedGroup) -> ComparedRun | None:
    """The one whose final return is the median of the seeds'."""
    place = median_run([outcome(run.record, run.series, None).score for run in group.runs])
    return None if place is None else group.runs[place]
