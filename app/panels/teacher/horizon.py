"""What errors cost over longer and longer episodes, on a process where that is exact: ε T² of a copy that does not know
its way back, ε T of one that was corrected where it came to."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from app.panels.teacher.measured import MeasuredCost
from app.plotting.arrangement import Margins
from app.plotting.axes import settled_end
from app.plotting.export import Table
from app.plotting.legend import Entry
from app.plotting.marks import Line
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading
from app.session.file_work import FileWork
from app.style.combo import Combo
from app.style.format import percent, short_number
from app.style.text import Stage
from app.style.theme import Theme

if TYPE_CHECKING:  # with torch
    from engine.analysis.parting import Parting

_ERRORS = (0.001, 0.003, 0.01, 0.03, 0.1)
_HORIZONS = (10, 30, 100, 300, 1000)
_POINTS = 60
_STORY = (
    "A tightrope: a wrong step, of probability ε, falls off it, and every step beside it costs 1. The clone errs only "
    "where its teacher was, on the rope, and never finds back; whoever was corrected beside it is back after a step."
)


class Costs(NamedTuple):
    """By horizon T, all [n]: of a clone, of one that was corrected, and the bounds ½ ε T² and ε T for small ε T."""

    horizons: NDArray[np.int64]
    clone: NDArray[np.float64]
    corrected: NDArray[np.float64]
    square: NDArray[np.float64]


class HorizonPage(QWidget):
    """Where errors are made, ε and the longest horizon are a person's to choose, in ``choices``, which stand where the
    panel puts them.

    Signals:
        turned: whether what is shown is measured has changed.
    """

    turned = Signal()

    def __init__(self, theme: Theme, work: FileWork) -> None:
        super().__init__()
        self._work = work
        self.costs: Costs | None = None
        self.choices = self.where, self.errors, self.horizons = Combo(), Combo(), Combo()
        self.where.addItems(["on a tightrope, exact", "in this run, measured"])
        self.where.setAccessibleName("Where errors are made")
        self.where.setToolTip("On a process where the cost is known exactly, or in the environment of this run")
        self.where.setSizeAdjustPolicy(Combo.SizeAdjustPolicy.AdjustToContents)
        self.where.activated.connect(self._turn)
        self.errors.addItems([f"ε = {error:g}" for error in _ERRORS])
        self.errors.setAccessibleName("Probability of an error")
        self.errors.setToolTip("How likely each step is a wrong one")
        self.horizons.addItems([f"T up to {horizon:,}" for horizon in _HORIZONS])
        self.horizons.setAccessibleName("Longest horizon")
        self.horizons.setToolTip("How many steps the longest episode has")
        for combo, first in ((self.errors, 2), (self.horizons, 2)):
            combo.setSizeAdjustPolicy(Combo.SizeAdjustPolicy.AdjustToContents)
            combo.setCurrentIndex(first)
            combo.activated.connect(self._choose)
        story = QLabel(_STORY)
        story.setWordWrap(True)
        story.setProperty("role", "muted")
        story.setProperty("small", True)
        story.setContentsMargins(theme.unit, 0, theme.unit, 0)
        story.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._clone, self._corrected, self._square = Line(), Line(), Line(1, dash=(4, 3))
        self.plot = Plot(theme, "horizon  T  (steps)", "cost of an episode more than the teacher's", Margins(left=64))
        self.plot.left.set_title("cost of an episode", "cost")
        self.plot.title = "Cost against horizon"
        self.plot.marks = [self._square, self._corrected, self._clone]
        self.plot.probe, self.plot.numbers = self._read, self._numbers
        exact = QWidget()
        column = QVBoxLayout(exact)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(story)
        column.addWidget(self.plot, 1)
        self.measured = MeasuredCost(theme)
        self.stage = Stage("", self.measured)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(exact)
        self._pages.addWidget(self.stage)
        self._theme = theme
        self.apply_theme(theme)

    @property
    def error(self) -> float:
        return _ERRORS[self.errors.currentIndex()]

    @property
    def measures(self) -> bool:
        """Whether episodes of the run are what is shown."""
        return self.where.currentIndex() == 1

    def show_choices(self, shown: bool) -> None:
        """Show what can be chosen, or nothing of it."""
        self.where.setVisible(shown)
        for combo in (self.errors, self.horizons):
            combo.setVisible(shown and not self.measures)

    def show_costs(self) -> None:
        """Compute what is chosen, where it is not there yet."""
        if self.costs is None and not self.measures:
            self._choose()

    def show_parting(self, parting: Parting | None) -> None:
        """What the policy of the run and its teacher have played, or nothing."""
        self.measured.show_parting(parting)
        self.stage.fill(parting is not None)

    def _turn(self) -> None:
        self._pages.setCurrentIndex(int(self.measures))
        self.show_choices(True)
        self.show_costs()
        self.turned.emit()

    def _choose(self) -> None:
        self._work.ask(partial(costs_of, self.error, _HORIZONS[self.horizons.currentIndex()]), self._take)

    def _take(self, costs: Costs) -> None:
        self.costs = costs
        x = costs.horizons.astype(np.float64)
        for line, y in ((self._clone, costs.clone), (self._corrected, costs.corrected), (self._square, costs.square)):
            line.x, line.y = x, y
        self.plot.set_ranges((0.0, float(x[-1])), (0.0, settled_end(None, float(costs.clone.max()))))
        self._entitle()
        self.plot.redraw()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._clone.colour, self._corrected.colour, self._square.colour = theme.negative, theme.policy, theme.muted
        self.plot.apply_theme(theme)
        self.measured.apply_theme(theme)
        self._entitle()

    def _entitle(self) -> None:
        self.plot.legend.show_entries(
            [
                Entry("clone", self._clone.colour, "line"),
                Entry("corrected, as DAgger: ε (T − 1)", self._corrected.colour, "line"),
                Entry("½ ε T (T − 1)", self._square.colour, "dashed"),
            ]
        )

    def _read(self, pointer: Pointer) -> Reading | None:
        at = pointer.nearest(self._clone.x)
        if at is None or self.costs is None:
            return None
        clone, corrected = float(self.costs.clone[at]), float(self.costs.corrected[at])
        lines = (
            f"T = {int(self.costs.horizons[at]):,}",
            f"clone: {short_number(clone)}, {percent(clone / float(self.costs.horizons[at]))} of the steps",
            f"corrected: {short_number(corrected)}",
        )
        return Reading(float(self._clone.x[at]), clone, lines, self._clone.colour)

    def _numbers(self) -> Table:
        costs = self.costs
        if costs is None:
            return Table({})
        return Table({"horizon": costs.horizons, "clone": costs.clone, "corrected": costs.corrected})


def costs_of(error: float, longest: int) -> Costs:
    """Up to ``longest`` steps, at about as many horizons as can be told apart."""
    from engine.mdp.compounding import cost_of_clone, cost_of_corrected  # with torch

    horizons = np.unique(np.linspace(1, longest, _POINTS).round().astype(np.int64))
    steps = horizons.tolist()
    return Costs(
        horizons,
        np.array([cost_of_clone(error, horizon) for horizon in steps]),
        np.array([cost_of_corrected(error, horizon) for horizon in steps]),
        0.5 * error * horizons * (horizons - 1.0),
    )
