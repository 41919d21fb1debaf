"""Where in state space learner and teacher part: both clouds of states, in two components that a person chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.plotting.arrangement import Margins
from app.plotting.axes import Range, settled_range
from app.plotting.export import Table, below
from app.plotting.legend import Entry
from app.plotting.marks import Dots
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading
from app.style.format import short_number
from app.style.theme import Theme
from engine.experience.demonstrations import Demonstrations

if TYPE_CHECKING:  # with torch
    from engine.analysis.parting import Parting

_MOST = 1_500  # states of each that are drawn; more of them would only be painted over each other
_NEAR = 12.0  # pixels
_OPACITY = 0.45


class CloudsPlot(Plot):
    """The teacher's states lie over the learner's, so that what is seen of the learner's is where he never was."""

    def __init__(self, theme: Theme) -> None:
        self._dots = Dots(5.0), Dots(4.0)  # the learner's and the teacher's
        self._steps: tuple[NDArray[np.int64], NDArray[np.int64]] = (np.zeros(0, np.int64),) * 2
        self._colours = "", ""
        self._parting: Parting | None = None
        self._names, self._components = ("", ""), (0, 1)
        self._ranges_now: tuple[Range | None, Range | None] = None, None
        super().__init__(theme, "", "", Margins(left=64))
        self.title = "States of policy and teacher"
        self.marks = list(self._dots)
        self.probe, self.numbers = self._told_at, self._table

    def show_parting(self, parting: Parting, components: tuple[int, int], names: tuple[str, str]) -> None:
        """Show the states in these components, which have these names."""
        if components != self._components or self._parting is None:
            self._ranges_now = None, None
            self.follow()
        self._parting, self._components, self._names = parting, components, names
        self._steps = _few(parting.learner), _few(parting.reference.episodes)
        shown = parting.learner, parting.reference.episodes
        for dots, steps, each in zip(self._dots, self._steps, shown, strict=True):
            dots.x, dots.y = (each.observations[steps, component].astype(np.float64) for component in components)
        x, y = (
            settled_range(before, *_ends([each.observations[:, component] for each in shown]))
            for before, component in zip(self._ranges_now, components, strict=True)
        )
        self._ranges_now = x, y
        self.bottom.set_title(names[0])
        self.left.set_title(names[1])
        self.set_ranges(x, y)
        self._entitle()
        self.redraw()

    def forget(self) -> None:
        """Show the next as the first."""
        self._parting = None

    def apply_theme(self, theme: Theme) -> None:
        self._colours = theme.policy, theme.marker
        for dots, colour in zip(self._dots, self._colours, strict=True):
            dots.set_colour(colour, _OPACITY)
        super().apply_theme(theme)
        if self._parting is not None:
            self._entitle()

    def _entitle(self) -> None:
        learner, teacher = self._colours
        self.legend.show_entries(
            [Entry("policy's states", learner, "filled"), Entry("teacher's states", teacher, "filled")]
        )

    def _told_at(self, pointer: Pointer) -> Reading | None:
        if self._parting is None:
            return None
        found = []
        for index, dots in enumerate(self._dots):
            away = pointer.distances(dots.x, dots.y)
            nearest = int(away.argmin())
            found.append((float(away[nearest]), index, nearest))
        pixels, index, point = min(found)
        if pixels > _NEAR:
            return None
        shown = (self._parting.learner, self._parting.reference.episodes)[index]
        step = int(self._steps[index][point])
        episode = int(np.searchsorted(shown.starts, step, side="right")) - 1
        dots = self._dots[index]
        x, y = float(dots.x[point]), float(dots.y[point])
        told = f"{('policy', 'teacher')[index]}, episode {episode + 1}, time step {step - int(shown.starts[episode]):,}"
        values = (f"{name} {short_number(value)}" for name, value in zip(self._names, (x, y), strict=True))
        return Reading(x, y, (told, *values), self._colours[index])

    def _table(self) -> Table:
        blocks: list[dict[str, Any]] = []
        for name, dots in zip(("policy", "teacher"), self._dots, strict=True):
            blocks.append({"whose": [name] * len(dots.x), self._names[0]: dots.x, self._names[1]: dots.y})
        return below([Table(block) for block in blocks])


def _few(shown: Demonstrations) -> NDArray[np.int64]:
    """Steps that are drawn, evenly spread."""
    return np.linspace(0, len(shown) - 1, min(len(shown), _MOST)).astype(np.int64)


def _ends(values: list[NDArray[Any]]) -> Range:
    return min(float(each.min()) for each in values), max(float(each.max()) for each in values)
