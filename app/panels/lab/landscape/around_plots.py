"""What is found around a policy, drawn: the return along a direction with its interval, or over a plane as it becomes
known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.panels.lab.landscape.map_plot import MapPlot
from app.panels.lab.landscape.marks import Arrow, Outline, Start
from app.plotting.arrangement import Margins
from app.plotting.axes import Range, settled_range
from app.plotting.export import Table
from app.plotting.labels import Moment, Moments
from app.plotting.marks import Band, Line
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading
from app.plotting.tags import Tags
from app.style.format import short_number
from app.style.theme import Theme, blended

if TYPE_CHECKING:  # with torch
    from engine.analysis.landscape.around import Begun, Taken
    from engine.analysis.landscape.directions import Kind
    from engine.analysis.landscape.scan import Spot

NAMES: dict[Kind, str] = {
    "gradient": "the gradient ĝ",
    "natural": "the natural gradient",
    "step": "the last update",
    "newest": "the way to the newest",
    "random": "a random direction",
}
_TIMES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_RATES = tuple(m * 10.0**e for e in range(-8, 4) for m in (1.0, 3.0))
_APART = 0.12  # of the axis, between two marks at least
_CORNERS = 96
_HEADROOM = 0.25  # of the range of what is drawn


def _iteration(begun: Begun, later: int = 0) -> str:
    """The policy that stands in the middle, or one so many updates later."""
    return f"iteration {begun.snapshot.iteration + later:,}"


def _title(kind: Kind, begun: Begun) -> str:
    unit = "% of ‖θ‖" if begun.scale != 1.0 else "%"
    return f"step along {NAMES[kind]} ({unit})"


class LinePlot(Plot):
    """J along a direction: at 0 the policy; marked is how far one update goes, and what learning rates places are."""

    def __init__(self, theme: Theme) -> None:
        self._band, self._line, self._moments = Band(), Line(), Moments()
        self._tags = Tags((self._moments,), (self._line,))
        self._begun: Begun | None = None
        self._spots: list[Spot] = []
        self._taken: Taken | None = None
        self._look: Theme | None = None
        super().__init__(theme, "step (% of ‖θ‖)", "mean return", Margins(left=56, tick_height=30))
        self.left.set_title("mean return of episodes J (reward)", "J (reward)", "J")
        self.title = "Return along a direction"
        self.marks = [self._band, self._moments, self._line, self._tags]
        self.probe, self.numbers = self._read_spot, self._table

    def begin(self, begun: Begun) -> None:
        """Show what is about to be found."""
        self._begun, self._spots, self._taken = begun, [], None
        self.bottom.set_title(_title(begun.scan.directions[0].kind, begun))
        self._mark()
        self._draw()

    def add(self, spots: list[Spot]) -> None:
        self._spots = sorted([*self._spots, *spots], key=lambda spot: spot.at)
        self._draw()

    def show_taken(self, taken: Taken | None) -> None:
        """Mark how far the last update went."""
        self._taken = taken
        self._mark()
        self.redraw()

    def apply_theme(self, theme: Theme) -> None:
        self._look = theme
        self._line.colour = theme.mean
        self._band.colour = blended(theme.mean, theme.surface, 0.3)
        self._moments.apply_theme(theme)
        self._tags.apply_theme(theme)
        super().apply_theme(theme)
        self._mark()

    @property
    def places(self) -> NDArray[np.float64]:
        """In % of ‖θ‖, of all that is known."""
        if self._begun is None:
            return np.empty(0)
        return 100.0 * self._begun.scan.places[[spot.at[0] for spot in self._spots]]

    def _draw(self) -> None:
        if self._begun is None:
            return
        values = np.array([spot.value for spot in self._spots]).reshape(-1, 2)
        self._line.x = self._band.x = self.places
        self._line.y = values[:, 0]
        self._band.low, self._band.high = values[:, 0] - values[:, 1], values[:, 0] + values[:, 1]
        ends = 100.0 * self._begun.scan.places[[0, -1]]
        if len(values):
            low, high = float(self._band.low.min()), float(self._band.high.max())
            wanted = settled_range(None, low, high + _HEADROOM * (high - low))  # where words stand
            self.set_ranges((float(ends[0]), float(ends[1])), wanted)
        self.redraw()

    def _mark(self) -> None:
        """The policy, the last update, and what places come to as learning rates or as so many updates."""
        begun, theme = self._begun, self._look
        if begun is None or theme is None:
            return
        direction, reach = begun.scan.directions[0], 100.0 * float(begun.scan.places[-1])
        moments = [Moment(0.0, _iteration(begun), theme.text)]
        taken = self._taken
        if direction.kind in ("step", "newest"):
            one, count = 100.0 * direction.length / begun.scale, begun.updates[0]
            if direction.kind == "newest":
                moments.append(Moment(one, _iteration(begun, count), theme.text))
                scaled = []
            else:
                moments.append(Moment(-one, _iteration(begun, -count), theme.marker, dashed=True))
                scaled = [(times * one, f"× {times}") for times in _TIMES]
        elif direction.kind == "gradient" and direction.length > 0.0:
            scale = 100.0 * direction.length / begun.scale
            scaled = [(rate * scale, f"α = {short_number(rate, 1)}") for rate in _RATES]
        else:
            scaled = []
        last = 0.0
        for place, words in scaled:
            if place <= reach and place - last >= _APART * reach:
                moments.append(Moment(place, words, theme.muted, dashed=True))
                last = place
        if direction.kind != "step" and taken is not None and taken.updates == 1 and 100.0 * taken.length <= reach:
            moments.append(Moment(100.0 * taken.length, "as far as the last update", theme.marker, dashed=True))
        self._moments.moments = tuple(moments)

    def _read_spot(self, pointer: Pointer) -> Reading | None:
        places = self.places
        at = pointer.nearest(places) if len(places) else None
        if at is None or self._begun is None:
            return None
        spot, direction = self._spots[at], self._begun.scan.directions[0]
        lines = [f"{short_number(float(places[at]), 3)} %: {told(spot)}"]
        if direction.kind == "gradient" and places[at] > 0.0:
            rate = float(places[at]) / 100.0 * self._begun.scale / direction.length
            lines.append(f"θ + α ĝ with α = {short_number(rate, 2)}")
        return Reading(float(places[at]), spot.value.value, (*lines, gained(spot)), self._line.colour)

    def _table(self) -> Table:
        return Table({"step (% of ‖θ‖)": self.places, **columns(self._spots)})


class PlanePlot(MapPlot):
    """J over a plane through the policy, in blocks that become finer; a ring is as far from it as the last update
    went."""

    def __init__(self, theme: Theme) -> None:
        self._as_far, self._arrow, self._here = Outline(), Arrow(), Start()
        self._begun: Begun | None = None
        self._spots: dict[tuple[int, ...], Spot] = {}
        self._shown = np.full((1, 1), np.nan)
        super().__init__(theme, "", "")
        self.heights.blocks = True
        self.title = "Return over a plane"
        self.marks = [self.heights, self._as_far, self._arrow, self._here]
        self.probe, self.numbers = self._read_spot, self._table

    def begin(self, begun: Begun) -> None:
        """Show what is about to be found."""
        side = len(begun.scan.places)
        self._begun, self._spots, self._shown = begun, {}, np.full((side, side), np.nan)
        for axis, direction in zip((self.bottom, self.left), begun.scan.directions, strict=True):
            short = NAMES[direction.kind].removeprefix("the ").removeprefix("a ")
            axis.set_title(_title(direction.kind, begun).removeprefix("step "), f"{short} (%)", "%")
        self._here.at, self._here.text = (0.0, 0.0), _iteration(begun)
        self.show_taken(None)
        self.follow()
        reach = 100.0 * float(begun.scan.places[-1])
        around = reach * (1.0 + 1.0 / (side - 1))
        self.set_ranges((-around, around), (-around, around))
        self._draw()

    def add(self, spots: list[Spot]) -> None:
        """A block for each, as large as the places around it are unknown."""
        for spot in spots:
            self._spots[spot.at] = spot
            column, row = spot.at
            half = _apart(len(self._shown), spot.at) // 2
            rows = slice(max(row - half, 0), row + half + 1)
            columns = slice(max(column - half, 0), column + half + 1)
            self._shown[rows, columns] = spot.value.value
        for (column, row), spot in self._spots.items():
            self._shown[row, column] = spot.value.value
        self._draw()

    def show_taken(self, taken: Taken | None) -> None:
        """Mark how far the last update went, and its part in this plane."""
        self._as_far.points, self._arrow.start = np.empty((0, 2)), None
        if taken is not None:
            turn = np.linspace(0.0, 2.0 * math.pi, _CORNERS, endpoint=False)
            self._as_far.points = 100.0 * taken.length * np.stack((np.cos(turn), np.sin(turn)), -1)
            self._arrow.start = (-100.0 * taken.at[0], -100.0 * taken.at[1])
            self._arrow.end = (0.0, 0.0)
        self.redraw()

    def apply_theme(self, theme: Theme) -> None:
        for mark, colour in ((self._as_far, theme.marker), (self._arrow, theme.marker), (self._here, theme.text)):
            mark.colour, mark.ground = colour, theme.surface
        super().apply_theme(theme)

    def _draw(self) -> None:
        if self._begun is None:
            return
        reach = 100.0 * float(self._begun.scan.places[-1])
        values = [spot.value.value for spot in self._spots.values()]
        scale: Range = (min(values), max(values)) if values else (0.0, 1.0)
        self.show_heights(self._shown, (-reach, reach), (-reach, reach), scale)
        self.redraw()

    def _read_spot(self, pointer: Pointer) -> Reading | None:
        if self._begun is None or not self._spots:
            return None
        keys = list(self._spots)
        places = 100.0 * self._begun.scan.places[np.array(keys)]
        nearest = int(pointer.distances(places[:, 0], places[:, 1]).argmin())
        spot, (x, y) = self._spots[keys[nearest]], places[nearest].tolist()
        return Reading(x, y, (told(spot), gained(spot)))

    def _table(self) -> Table:
        if self._begun is None:
            return Table({})
        places = 100.0 * self._begun.scan.places[np.array(list(self._spots)).reshape(-1, 2)]
        first, second = (NAMES[direction.kind] for direction in self._begun.scan.directions)
        spots = columns(list(self._spots.values()))
        return Table({f"{first} (% of ‖θ‖)": places[:, 0], f"then {second} (% of ‖θ‖)": places[:, 1], **spots})


def _apart(side: int, at: tuple[int, ...]) -> int:
    """How far from its neighbours a place is among those that come with it or before: the largest power of 2 that
    divides its numbers, at most a fourth of the side."""
    apart = (side - 1) // 4
    while any(number % apart for number in at):
        apart //= 2
    return apart


def told(spot: Spot) -> str:
    """The mean return at a place, with its interval."""
    return f"J = {short_number(spot.value.value, 4)} ± {short_number(spot.value.half_width, 3)}"


def gained(spot: Spot) -> str:
    """How much more that is than here."""
    difference, half = spot.gained
    sign = "+" if difference >= 0.0 else ""
    return f"{sign}{short_number(difference, 3)} ± {short_number(half, 3)} in the same episodes as here"


def columns(spots: list[Spot]) -> dict[str, NDArray[np.float64]]:
    numbers = np.array([[*spot.value, *spot.gained] for spot in spots]).reshape(-1, 4)
    names = ("J", "± 95 %", "more than here", "± 95 % of that")
    return {name: numbers[:, index] for index, name in enumerate(names)}
