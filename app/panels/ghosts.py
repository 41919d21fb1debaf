"""Earlier runs behind the present one: a line for each, in the look that the run has everywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from app.models.axis_choice import XAxis
from app.models.run_style import style_of
from app.models.runs import Run
from app.panels import timeline
from app.plotting.labels import Name
from app.plotting.marks import Line, Mark, Numbers
from app.plotting.readout import Pointer, Reading
from app.plotting.traces import Trace
from app.style.format import short_number
from app.style.theme import Theme
from engine.config import RunConfig

_MOST_NAMED = 3  # at their lines; the names of more would lie upon each other


class Ghosts:
    """The courses of a metric in earlier runs; they stay as they are until the axis counts something else."""

    def __init__(self, metric: str) -> None:
        self._metric = metric
        self.runs: tuple[Run, ...] = ()
        self.lines: tuple[Line, ...] = ()
        self.names: tuple[Name, ...] = ()

    def show(self, runs: Sequence[Run], axis: XAxis) -> None:
        """Draw these over ``axis``."""
        self.runs = tuple(runs)
        self.lines = tuple(self._line_of(run, axis) for run in runs)
        named = zip(self.lines[:_MOST_NAMED], self.runs, strict=False)
        self.names = tuple(Name(line, style_of(run.number)) for line, run in named)

    def _line_of(self, run: Run, axis: XAxis) -> Line:
        line = Line(width=1, dash=style_of(run.number).dash)
        line.x, line.y = timeline.curve(Trace(), run.history, self._metric, axis)
        return line

    def name_beside(self, config: RunConfig) -> None:
        """Say at the lines what each had otherwise than ``config``."""
        for run, name in zip(self.runs, self.names, strict=False):
            name.text = timeline.ghost_name(run, config)

    def apply_theme(self, theme: Theme) -> None:
        for run, line in zip(self.runs, self.lines, strict=True):
            line.colour = style_of(run.number).colour(theme)

    @property
    def marks(self) -> list[Mark]:
        return list(self.lines)

    @property
    def y(self) -> Numbers:
        """All that they reach."""
        return np.concatenate([np.empty(0), *(line.y for line in self.lines)])

    def nearest(self, pointer: Pointer, words: Callable[[float], Sequence[str]]) -> list[Reading]:
        """What each comes to at the pointer; ``words`` say where that is."""
        found = []
        for run, line in zip(self.runs, self.lines, strict=True):
            index = pointer.nearest(line.x)
            if index is not None:
                x, y = float(line.x[index]), float(line.y[index])
                told = (f"run {run.number}: mean return {short_number(y, 4)} (reward)", *words(x))
                found.append(Reading(x, y, told, line.colour))
        return found

    def at(self, x: float) -> list[tuple[Run, float]]:
        """What each that reaches so far has come to at ``x``."""
        pairs = zip(self.runs, self.lines, strict=True)
        return [
            (run, float(np.interp(x, line.x, line.y)))
            for run, line in pairs
            if len(line.x) and line.x[0] <= x <= line.x[-1]
        ]
