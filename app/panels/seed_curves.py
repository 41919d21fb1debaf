"""Seeds that were begun at once: a thin line for each, the median run among them, and the band in which the middle of
them lies."""

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
from engine.runs.comparison.scores import median_run
from engine.runs.comparison.spread import Spread, spread

EVERY = 0.25  # seconds from one look at all seeds to the next: of so many, each is read off again
_CALM = 2.0  # seconds for which the median run is another at the soonest, since seeds overtake each other as they train
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
        self._band, self._lines, self._middle = Band(), Lines(), Line()
        self._spread: Spread = spread(())
        self.median_run = ""
        """The run whose score is the median of the seeds'; empty where too few have one."""
        self._since = 0.0  # when it became that
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
        for line in (self._lines, self._middle):
            line.x = line.y = nothing
        self._band.x = self._band.low = self._band.high = nothing
        self._spread, self.median_run, self._since = spread(()), "", 0.0

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
        self._spread = found = spread(told)
        self._band.x, self._band.low, self._band.high = found.x, found.low, found.high
        self._choose_median_run(now)

    def _choose_median_run(self, now: float) -> None:
        """Find the run in the middle, and draw it above the others, unless it is drawn as the one that is shown."""
        assert self._group is not None
        place = median_run([_score(run, self._metric) for run in self._group.runs])
        found = self._group.runs[place].id if place is not None else ""
        if found != self.median_run:
            if now - self._since >= _CALM:
                self.median_run, self._since = found, now
            else:
                self._late.start()
        curve = self._curves.get(self.median_run)
        drawn = curve if curve is not None and self.median_run != self._shown else Curve(np.empty(0), np.empty(0))
        self._middle.x, self._middle.y = drawn.x, drawn.y

    @property
    def others(self) -> list[Run]:
        """All but the one that is shown."""
        return [run for run in self._group.runs if run.id != self._shown] if self._group is not None else []

    def entries(self, theme: Theme) -> Sequence[Entry]:
        """What the lines are, in words, with of how many seeds."""
        if self._group is None or not len(self._spread):
            return ()
        shown, middle = self._group.run(self._shown), self._group.run(self.median_run)
        of = f"of {self._spread.n}"
        seed = f"seed {shown.config.seed}, shown" if shown is not None else "shown"
        entries = [
            Entry("each seed", self._lines.colour, "thin curve"),
            Entry(f"{self._spread.band} {of}", self._lines.colour, "filled"),
            Entry(f"{seed}: median run {of}" if middle is shown and middle else seed, theme.mean, "curve"),
        ]
        if middle is not None and middle is not shown:
            entries.insert(0, Entry(f"seed {middle.config.seed}: median run {of}", self._middle.colour, "curve"))
        return entries

    def apply_theme(self, theme: Theme) -> None:
        self._lines.colour = blended(theme.mean, theme.surface, 0.55).name()
        self._middle.colour = theme.text
        colour = QColor(theme.mean)
        colour.setAlphaF(0.18)
        self._band.colour = colour

    @property
    def marks(self) -> list[Mark]:
        return [self._band, self._lines, self._middle]

    @property
    def y(self) -> Numbers:
        """All that they reach."""
        return self._lines.y[np.isfinite(self._lines.y)]

    def nearest(self, pointer: Pointer, place: Callable[[float], Sequence[str]]) -> Reading | None:
        """The seed at the pointer, or what all come to there; ``place`` says where that is in words."""
        x = pointer.data_x
        found, among = self._at(pointer), self._spread
        if found is not None:
            run, y = found
            told = (f"seed {run.config.seed}: mean return {short_number(y, 4)} (reward)", *place(x))
            if run.id == self.median_run:
                told += (f"the median run: by its mean return at the end, in the middle of {among.n}",)
            told += ("click: show it",)
            return Reading(x, y, told, self._middle.colour if run.id == self.median_run else self._lines.colour)
        if not len(among) or not among.x[0] <= x <= among.x[-1]:
            return None
        middle, low, high = (float(np.interp(x, among.x, of)) for of in (among.median, among.low, among.high))
        words = f"here, {among.n} seeds have a median of {short_number(middle, 4)} (reward)"
        band = f"{among.band}: {short_number(low, 4)} to {short_number(high, 4)}"
        return Reading(x, middle, (words, band, *place(x)), self._lines.colour)

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


def _score(run: Run, metric: str) -> float | None:
    """What a run has come to: the number that it told last; None where it has told none."""
    values = run.history.metrics[metric].values
    known = values[np.isfinite(values)] if len(values) and not np.isfinite(values[-1]) else values
    return float(known[-1]) if len(known) else None
