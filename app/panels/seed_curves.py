"""Seeds that were begun at once: a thin line for each, their median and the band in which the middle of them lies."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QColor

from app.models.axis_choice import XAxis
from app.models.runs import Run, SeedGroup
from app.panels import timeline
from app.plotting.legend import Entry
from app.plotting.marks import Band, Line, Lines, Mark, Numbers
from app.plotting.readout import Pointer, Reading
from app.plotting.traces import Trace
from app.style.format import short_number
from app.style.theme import Theme, blended
from engine.runs.comparison.curves import Curve
from engine.runs.comparison.spread import spread

EVERY = 0.25  # seconds from one look at all seeds to the next: of so many, each is read off again
_NEAR = 6.0  # pixels from the mouse to the line of a seed


class SeedCurves(QObject):
    """The courses of a metric in all seeds of a group, drawn beneath that of the one that is shown.

    Args:
        redraw: is called where they have gone on though the run that is shown has told nothing since.
    """

    def __init__(self, metric: str, redraw: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        self._metric = metric
        self._group: SeedGroup | None = None
        self._shown = ""
        self._follow: Callable[[str], object] = lambda _run: None
        self._traces: dict[str, Trace] = {}
        self._curves: dict[str, Curve] = {}
        self._axis: XAxis | None = None
        self._looked = 0.0
        self._band, self._lines, self._median = Band(), Lines(), Line(dash=(5.0, 3.0))
        self._n, self._band_name = 0, ""
        self._late = QTimer(self, singleShot=True, interval=round(1000 * EVERY))
        self._late.timeout.connect(redraw)

    def show(self, group: SeedGroup | None, shown: str, follow: Callable[[str], object]) -> None:
        """Draw these, of which the run ``shown`` is one; ``follow`` shows another."""
        self._shown, self._follow = shown, follow
        if group is not self._group:
            known = {run.id for run in group.runs} if group is not None else set()
            kept = self._group is not None and known == set(self._group.ids)
            self._group, self._looked = group, 0.0
            if not kept:
                self._traces = {run: Trace() for run in known}
                self._clear()

    def _clear(self) -> None:
        self._curves = {}
        self._late.stop()
        nothing = np.empty(0)
        for line in (self._lines, self._median):
            line.x = line.y = nothing
        self._band.x = self._band.low = self._band.high = nothing

    def refresh(self, axis: XAxis) -> None:
        """Take in what they have told, unless that was done just now: then it is done once it is due."""
        if self._group is None:
            return
        now = time.monotonic()
        if axis == self._axis and now - self._looked < EVERY:
            if not self._late.isActive():
                self._late.start()
            return
        self._axis, self._looked = axis, now
        self._late.stop()
        for run in self._group.runs:
            x, y = timeline.curve(self._traces[run.id], run.history, self._metric, axis)
            self._curves[run.id] = Curve(x, y)
        told = [curve for curve in self._curves.values() if len(curve)]
        gap = np.array([np.nan])
        self._lines.x = np.concatenate([np.empty(0), *(part for curve in told for part in (curve.x, gap))])
        self._lines.y = np.concatenate([np.empty(0), *(part for curve in told for part in (curve.y, gap))])
        found = spread(told)
        self._median.x, self._median.y = found.x, found.median
        self._band.x, self._band.low, self._band.high = found.x, found.low, found.high
        self._n, self._band_name = found.n, found.band

    @property
    def others(self) -> list[Run]:
        """All but the one that is shown."""
        return [run for run in self._group.runs if run.id != self._shown] if self._group is not None else []

    def entries(self, theme: Theme) -> Sequence[Entry]:
        """What the lines are, in words, with of how many seeds."""
        if self._group is None or not len(self._median.x):
            return ()
        shown = self._group.run(self._shown)
        seed = f"seed {shown.config.seed}, shown" if shown is not None else "shown"
        return (
            Entry(f"median of {self._n} seeds", self._median.colour, "dashed"),
            Entry(f"{self._band_name} of {self._n}", self._lines.colour, "filled"),
            Entry("each seed", self._lines.colour, "line"),
            Entry(seed, theme.mean, "line"),
        )

    def apply_theme(self, theme: Theme) -> None:
        self._lines.colour = blended(theme.mean, theme.surface, 0.55).name()
        self._median.colour = theme.text
        colour = QColor(theme.mean)
        colour.setAlphaF(0.18)
        self._band.colour = colour

    @property
    def marks(self) -> list[Mark]:
        return [self._band, self._lines, self._median]

    @property
    def y(self) -> Numbers:
        """All that they reach."""
        return self._lines.y[np.isfinite(self._lines.y)]

    def nearest(self, pointer: Pointer, place: Callable[[float], Sequence[str]]) -> Reading | None:
        """The seed at the pointer, or the median; ``place`` says where that is in words."""
        x = pointer.data_x
        found = self._at(pointer)
        if found is not None:
            run, y = found
            told = (f"seed {run.config.seed}: mean return {short_number(y, 4)} (reward)", *place(x))
            told += ("click: show it",) if self._group is not None and self._group.together else ()
            return Reading(x, y, told, self._lines.colour)
        if not len(self._median.x) or not self._median.x[0] <= x <= self._median.x[-1]:
            return None
        middle, low, high = (
            float(np.interp(x, self._median.x, of)) for of in (self._median.y, self._band.low, self._band.high)
        )
        words = f"median of {self._n} seeds: {short_number(middle, 4)} (reward)"
        band = f"{self._band_name}: {short_number(low, 4)} to {short_number(high, 4)}"
        return Reading(x, middle, (words, band, *place(x)), self._median.colour)

    def is_at(self, pointer: Pointer) -> bool:
        """Whether the line of a seed is there."""
        return self._at(pointer) is not None

    def pick(self, pointer: Pointer) -> None:
        """Show the seed whose line is there."""
        found = self._at(pointer)
        if found is not None:
            self._follow(found[0].id)

    def _at(self, pointer: Pointer) -> tuple[Run, float] | None:
        x, nearest = pointer.data_x, _NEAR
        found: tuple[Run, float] | None = None
        for run in self._group.runs if self._group is not None else ():
            curve = self._curves.get(run.id)
            if curve is not None and len(curve) and curve.x[0] <= x <= curve.x[-1]:
                y = float(np.interp(x, curve.x, curve.y))
                away = abs(pointer.frame.to_y(y) - pointer.y)
                if away < nearest:
                    nearest, found = away, (run, y)
        return found
