"""How far the learner's states are from its teacher's along the episode, with the spread over episodes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from app.plotting.arrangement import Margins
from app.plotting.axes import settled_end
from app.plotting.export import Column, Table
from app.plotting.legend import Entry
from app.plotting.marks import Band, Line, Numbers
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading
from app.style.format import percent, short_number
from app.style.theme import Theme, blended

if TYPE_CHECKING:  # with torch
    from engine.analysis.parting import Parting
    from engine.analysis.state_distance import Apart

_BAND = 0.28
_DASH = (4, 3)
_STATES = "distance from the teacher's states  (standard deviations)"
_NUMBERED = "episodes in states that the teacher never was in  (%)"


class DistancePlot(Plot):
    """The median and the quartiles over episodes by time step, and the same of each episode of the teacher's own from
    his others. Of numbered states it is the share of episodes that are where he never was."""

    def __init__(self, theme: Theme) -> None:
        self._bands, self._lines = (Band(), Band()), (Line(1, dash=_DASH), Line())
        self._parting: Parting | None = None
        self._end: float | None = None
        super().__init__(theme, "time step  t", _STATES, Margins(left=64))
        self.title = "Distance from the teacher"
        self.marks = [*self._bands, *self._lines]
        self.probe, self.numbers = self._told_at, self._table

    def show_parting(self, parting: Parting | None) -> None:
        self._parting = parting
        if parting is None:
            self._end = None
            self.follow()
            return
        shown = [self._of_teacher, parting.apart]
        for apart, band, line in zip(shown, self._bands, self._lines, strict=True):
            steps = np.arange(0 if apart is None else len(apart.mean), dtype=np.float64)
            line.x = band.x = steps
            line.y, band.low, band.high = (np.empty(0),) * 3 if apart is None else self._curves(apart)
        self.left.set_title(
            *((_NUMBERED, "never shown (%)", "%") if self._numbered else (_STATES, "distance (std)", "std"))
        )
        self.left.highest = 100.0 if self._numbered else math.inf
        highest = max(
            float(curve.max())
            for band, line in zip(self._bands, self._lines, strict=True)
            for curve in (band.high, line.y)
            if len(curve)
        )
        self._end = settled_end(self._end, max(highest, 1.0 if self._numbered else 0.1), least=0.4)
        longest = max(len(line.x) for line in self._lines)
        self.set_ranges(
            (0.0, float(max(longest - 1, 1))), (0.0, min(self._end, 105.0) if self._numbered else self._end)
        )
        self._entitle()
        self.redraw()

    def apply_theme(self, theme: Theme) -> None:
        for band, line, colour in zip(self._bands, self._lines, (theme.marker, theme.policy), strict=True):
            band.colour, line.colour = blended(colour, theme.surface, _BAND), colour
        super().apply_theme(theme)
        if self._parting is not None:
            self._entitle()

    @property
    def _numbered(self) -> bool:
        return self._parting is not None and self._parting.learner.observations.ndim == 1

    @property
    def _of_teacher(self) -> Apart | None:
        return None if self._parting is None else self._parting.reference.own

    def _curves(self, apart: Apart) -> tuple[Numbers, Numbers, Numbers]:
        """The line, and between what the band is."""
        if self._numbered:
            return (100.0 * apart.mean,) * 3
        return apart.median, apart.low, apart.high

    def _entitle(self) -> None:
        assert self._parting is not None
        teacher, learner = self._lines
        played, what = len(self._parting.learner.episodes), "mean" if self._numbered else "median and quartiles"
        entries = [Entry(f"policy: {what} of {played} episodes", learner.colour, "line")]
        if self._of_teacher is not None:
            shown = len(self._parting.reference.episodes.episodes)
            entries.append(Entry(f"teacher: each of {shown} from the others", teacher.colour, "dashed"))
        self.legend.show_entries(entries)

    def _told_at(self, pointer: Pointer) -> Reading | None:
        line = max(self._lines[::-1], key=lambda each: len(each.x))
        step = pointer.nearest(line.x)
        if self._parting is None or step is None:
            return None
        lines = [f"time step {step:,}"]
        for name, apart in (("policy", self._parting.apart), ("teacher", self._of_teacher)):
            if apart is not None and step < len(apart.mean):
                count = int(apart.episodes[step])
                lasting = f"of {count} episode{'' if count == 1 else 's'} that last so long"
                lines.append(f"{name}: {self._told(apart, step)}, {lasting}")
        return Reading(float(step), float(line.y[step]), tuple(lines), line.colour)

    def _told(self, apart: Apart, step: int) -> str:
        if self._numbered:
            return percent(float(apart.mean[step]))
        low, median, high = (short_number(float(each[step])) for each in (apart.low, apart.median, apart.high))
        return f"{median} ({low} to {high})"

    def _table(self) -> Table:
        columns: dict[str, Column] = {}
        length = max(len(line.x) for line in self._lines)
        columns["time step"] = np.arange(length)
        shown = (("policy", self._parting.apart if self._parting else None), ("teacher", self._of_teacher))
        for name, apart in shown:
            if apart is not None:
                for column in apart._fields:
                    values = np.full(length, np.nan)
                    values[: len(apart.mean)] = getattr(apart, column)
                    columns[f"{name}, {column}"] = values
        return Table(columns)
