"""What the policy of a run costs more than its teacher over longer and longer episodes, as it was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app.plotting.arrangement import Margins
from app.plotting.axes import Range, settled_range
from app.plotting.export import Table
from app.plotting.legend import Entry
from app.plotting.marks import Band, Line
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading
from app.style.format import short_number
from app.style.theme import Theme, blended

if TYPE_CHECKING:  # with torch
    from engine.analysis.horizon_cost import HorizonCost
    from engine.analysis.parting import Parting

_BAND = 0.28


class MeasuredCost(Plot):
    """The mean, and two standard errors of it on either side."""

    def __init__(self, theme: Theme) -> None:
        self._band, self._line = Band(), Line()
        self.cost: HorizonCost | None = None
        self._played = 0, 0  # episodes, of the policy and of its teacher
        self._y: Range | None = None
        super().__init__(theme, "horizon  T  (steps)", "reward of T steps less than the teacher's", Margins(left=64))
        self.left.set_title("cost  (reward)", "cost")
        self.title = "Cost against horizon, measured"
        self.marks = [self._band, self._line]
        self.probe, self.numbers = self._told_at, self._table
        self.apply_theme(theme)

    def show_parting(self, parting: Parting | None) -> None:
        if parting is None:
            self.cost = self._y = None
            self.follow()
            return
        from engine.analysis.horizon_cost import cost_by_horizon  # with numpy, as the episodes are

        found = self.cost = cost_by_horizon(parting.reference.episodes, parting.learner)
        self._played = len(parting.learner.episodes), len(parting.reference.episodes.episodes)
        margin = 2.0 * np.nan_to_num(found.error)
        x = found.horizons.astype(np.float64)
        self._line.x = self._band.x = x
        self._line.y, self._band.low, self._band.high = found.cost, found.cost - margin, found.cost + margin
        low, high = min(float(self._band.low.min()), 0.0), max(float(self._band.high.max()), 0.0)
        self._y = settled_range(self._y, low, high)
        self.set_ranges((0.0, max(float(x[-1]), 1.0)), self._y)
        self._entitle()
        self.redraw()

    def apply_theme(self, theme: Theme) -> None:
        self._line.colour, self._band.colour = theme.policy, blended(theme.policy, theme.surface, _BAND)
        super().apply_theme(theme)
        self._entitle()

    def _entitle(self) -> None:
        policy, teacher = self._played
        if self.cost is not None:
            words = f"mean of {policy} episodes, less than {teacher} of the teacher's, ± 2 standard errors"
            self.legend.show_entries([Entry(words, self._line.colour, "line")])

    def _told_at(self, pointer: Pointer) -> Reading | None:
        at = pointer.nearest(self._line.x)
        if at is None or self.cost is None:
            return None
        cost, error = float(self.cost.cost[at]), float(self.cost.error[at])
        told = short_number(cost) if np.isnan(error) else f"{short_number(cost)} ± {short_number(2.0 * error)}"
        horizon = int(self.cost.horizons[at])
        return Reading(float(horizon), cost, (f"T = {horizon:,}", f"costs {told} (reward)"), self._line.colour)

    def _table(self) -> Table:
        found = self.cost
        if found is None:
            return Table({})
        return Table({"horizon": found.horizons, "cost": found.cost, "standard error": found.error})
