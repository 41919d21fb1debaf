"""Two parameters: the whole of J(θ) as a map, on which a click begins a race of five rules from there."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QDeadlineTimer, QTimer
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.panels.lab.landscape.exact_map import heights_of, place_of, steepest, steps_of
from app.panels.lab.landscape.map_plot import MapPlot
from app.panels.lab.landscape.marks import Arrow, Heads, Outline, Path, Start
from app.panels.lab.landscape.race_controls import RaceControls
from app.panels.lab.landscape.racer_rows import RacerRows
from app.panels.lab.two_plots import TwoPlots
from app.panels.lab.work import LabWork
from app.plotting.arrangement import Margins
from app.plotting.axes import Range, settled_range
from app.plotting.export import Table, below
from app.plotting.legend import Entry
from app.plotting.marks import Line, Mark
from app.plotting.plot import Plot
from app.plotting.readout import Pointer, Reading
from app.session.file_work import FileWork
from app.style.format import short_number
from app.style.theme import Theme

if TYPE_CHECKING:  # with torch
    from engine.analysis.landscape.place import Place
    from engine.analysis.landscape.race import Instant, RacerName
    from engine.analysis.landscape.worlds import World

_FRAME, _SPEED = 40, 20.0  # ms between two pictures, and steps in a second
_SETTLES = 150  # ms, after which what a person changes is taken up
_SIDE = 97  # places along each side of the map
_SIGNS = {"gradient": "∇", "stochastic": "R", "natural": "N", "trpo": "T", "ppo": "P"}
_LONGEST = 0.25  # of the map's width, the arrow of the steepest gradient on it


class RaceView(QWidget):
    """Computes on threads of its own, and only while it is ``watched``; the map follows what is seen of the plane."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        from engine.analysis.landscape.race import RACERS  # with torch
        from engine.analysis.landscape.worlds import WORLDS

        self._racers, self._theme = RACERS, theme
        named: dict[str, tuple[str, str, str]] = {
            name: (_SIGNS[name], spec.title, spec.told) for name, spec in RACERS.items()
        }
        self.controls = RaceControls(theme, WORLDS, RacerRows(named, theme))
        self.instants: list[Instant] = []
        self.place: Place | None = None
        self._raced: tuple[RacerName, ...] = ()  # in the order of what is in each instant
        self._scaled: World | None = None  # whose heights the tints and arrows are scaled by
        self._scale, self._steepest = (0.0, 1.0), 1.0  # the ends of its heights, and its longest gradient
        self._at = 0.0  # the step that is shown
        self._playing = self._unfinished = False
        self._pointing: tuple[float, float] | None = None
        self._asking = False  # about a place
        self._work = LabWork(self, "landscape race", "The race could not be computed")
        self._maps = FileWork(self, "landscape map", "The map could not be computed")
        self._work.failed.connect(self._fail)
        self._maps.failed.connect(self._fail)
        self._build_plots(theme)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.controls)
        layout.addWidget(self.plots, 1)
        self.apply_theme(theme)
        self._frames = QTimer(self, interval=_FRAME)
        self._frames.timeout.connect(self._next_picture)
        self._later = QTimer(self, interval=_SETTLES, singleShot=True)
        self._later.timeout.connect(self._race)
        self._mapping = QTimer(self, interval=60, singleShot=True)
        self._mapping.timeout.connect(self._ask_map)
        self.map.chosen.connect(self.begin_at)
        self.map.pointed.connect(self._point)
        self.map.seen_changed.connect(self._mapping.start)
        self.controls.world_chosen.connect(self._begin_world)
        self.controls.changed.connect(self._later.start)
        self.controls.toggled.connect(self._toggle)
        self.controls.scrubbed.connect(self._scrub)
        self._begin_world()

    # --- what it is made of ---

    def _build_plots(self, theme: Theme) -> None:
        self.paths = {name: Path(_SIGNS[name]) for name in self._racers}
        self._ellipse, self._up, self._natural, self._begins = Outline(), Arrow(), Arrow(), Start()
        self.map = MapPlot(theme, "", "")
        self.map.title = "J over two parameters"
        paths = list(self.paths.values())
        marks: list[Mark] = [self.map.heights, *paths, self._begins, self._ellipse, self._natural, self._up]
        self.map.marks = [*marks, Heads(paths)]
        self.map.probe, self.map.numbers = self._read_map, self._numbers
        self._lines = {name: Line() for name in self._racers}
        self.returns = Plot(theme, "step", "expected return", Margins(left=52, tick_height=30))
        self.returns.left.set_title("expected return J (reward)", "J (reward)", "J")
        self.returns.title = "Expected return by step"
        self.returns.marks = list(self._lines.values())
        self.returns.probe, self.returns.numbers = self._read_returns, self._numbers
        self.plots = TwoPlots(theme, self.map, self.returns, (3, 2))

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        colours: dict[str, str] = dict(zip(self._racers, theme.runs, strict=False))
        for name, path in self.paths.items():
            path.colour, path.ground = colours[name], theme.surface
            self._lines[name].colour = colours[name]
        self._up.colour, self._natural.colour, self._ellipse.colour = theme.text, colours["natural"], colours["trpo"]
        self._begins.colour = theme.text
        for mark in (self._up, self._natural, self._ellipse, self._begins):
            mark.ground = theme.surface
        self.map.signs = [
            Entry(f"{_SIGNS[name]} {spec.title}", colours[name], "filled") for name, spec in self._racers.items()
        ]
        self.controls.rows.apply_theme(theme, colours)
        self.controls.apply_theme(theme)
        self.controls.show_playing(playing=self._playing)
        self.plots.apply_theme(theme)

    # --- what a person does ---

    @property
    def watched(self) -> bool:
        seen = self.isVisible() and not self.visibleRegion().isEmpty()
        return seen or self.map.seen_large or self.returns.seen_large

    @property
    def step(self) -> int:
        """That is shown."""
        return min(int(self._at), max(len(self.instants) - 1, 0))

    @property
    def world(self) -> World:
        return self.controls.world

    def begin_at(self, x: float, y: float) -> None:
        """Race from there."""
        self.start = (x, y)
        self._at, self._playing = 0.0, True
        self._race()

    def _begin_world(self) -> None:
        """Show the process that is chosen, from where its story begins."""
        world = self.world
        self.start, self._at, self._playing = world.start, 0.0, False
        for axis, title in zip((self.map.bottom, self.map.left), world.axes, strict=True):
            axis.set_title(title, title.partition(":")[0])
        self.map.follow()
        self.map.set_ranges(*world.region)
        self._race()
        self._ask_map()

    def _toggle(self) -> None:
        """Race, or wait."""
        if not self._playing and self.step >= self.controls.count:
            self._at = 0.0
        self._play(playing=not self._playing)

    def _play(self, *, playing: bool) -> None:
        self._playing = playing
        self.controls.show_playing(playing=playing)
        if playing:
            self._frames.start()

    def _scrub(self, step: int) -> None:
        self._at = float(step)
        self._play(playing=False)
        self._draw()

    # --- the race ---

    def _race(self) -> None:
        """Compute all steps from the start; what is played is what is known of them."""
        self._later.stop()
        self.instants = []
        self._raced = tuple(name for name in self._racers if self.controls.rows.racing(name))
        self._unfinished = True
        self._work.cancel()
        self._play(playing=self._playing)
        self._begins.at = self.start
        self.go_on()
        self._draw()

    def go_on(self) -> None:
        """Compute what is missing, if anybody looks."""
        if self._unfinished and not self._work.busy and self.watched:
            self.instants = []
            asked = partial(steps_of, self.world, self.start, self.controls.settings, self._raced, self.controls.count)
            self._work.ask(asked, self._take)
        if self._playing or self._work.busy:
            self._frames.start()

    def _take(self, instant: Instant) -> None:
        self.instants.append(instant)
        self._unfinished = len(self.instants) <= self.controls.count

    def rest(self) -> None:
        """Nobody looks."""
        self._frames.stop()
        self._work.cancel()

    def _next_picture(self) -> None:
        if not self.watched:
            self.rest()
            return
        if self._playing:
            self._at = min(self._at + _SPEED * _FRAME / 1000.0, float(max(len(self.instants) - 1, 0)))
            if self._at >= self.controls.count:
                self._play(playing=False)
        self._draw()
        if not self._playing and not self._unfinished:
            self._frames.stop()

    def _draw(self) -> None:
        """All paths up to the step that is shown."""
        step = self.step
        shown = self.instants[: step + 1]
        theta = np.array([instant.theta for instant in shown]).reshape(len(shown), len(self._raced), 2)
        returns = np.array([instant.returns for instant in shown]).reshape(len(shown), len(self._raced))
        for name, path in self.paths.items():
            line, row = self._lines[name], self.controls.rows.rows[name]
            if name not in self._raced or not len(shown):
                path.x = path.y = line.x = line.y = np.empty(0)
                row.set_value(None)
                continue
            index = self._raced.index(name)
            path.x, path.y = theta[:, index, 0], theta[:, index, 1]
            line.x, line.y = np.arange(len(shown), dtype=np.float64), returns[:, index]
            row.set_value(float(returns[-1, index]))
        known = np.array([instant.returns for instant in self.instants])
        if known.size:
            wanted = settled_range(None, float(known.min()), float(known.max()))
            self.returns.set_ranges((0.0, float(self.controls.count)), wanted)
        self.controls.show_step(step)
        self.map.redraw()
        self.returns.redraw()

    # --- the map, and what is at the mouse ---

    def _ask_map(self) -> None:
        """Of what is seen, and once of the whole region, by which tints and arrows are scaled."""
        world, seen = self.world, self.map.seen
        if self._scaled is not world:
            whole = partial(heights_of, world, *world.region, _SIDE)
            self._maps.ask(whole, partial(self._take_scale, world))
        self._maps.ask(partial(heights_of, world, *seen, _SIDE), partial(self._take_map, world, seen))

    def _take_scale(self, world: World, heights: NDArray[np.float64]) -> None:
        self._scaled, self._steepest = world, steepest(heights, *world.region)
        self._scale = float(heights.min()), float(heights.max())

    def _take_map(self, world: World, seen: tuple[Range, Range], heights: NDArray[np.float64]) -> None:
        if world is self.world:
            self.map.show_heights(heights, *seen, self._scale)
            self._draw()

    def _point(self, place: tuple[float, float] | None) -> None:
        self._pointing = place
        if place is None:
            self._show_place(None)
        elif not self._asking:
            self._ask_place(place)

    def _ask_place(self, place: tuple[float, float]) -> None:
        self._asking = True
        world = self.world
        self._maps.ask(
            partial(place_of, world, place, self.controls.dials["max_kl"].value), partial(self._take_place, world)
        )

    def _take_place(self, world: World, place: Place) -> None:
        self._asking = False
        if self._pointing is None or world is not self.world:
            return
        self._show_place(place)
        if self._pointing != place.theta:
            self._ask_place(self._pointing)

    def _show_place(self, place: Place | None) -> None:
        """The gradient as an arrow, the trust region, and the natural gradient's way to its edge."""
        self.place = place
        self._up.start = self._natural.start = None if place is None else place.theta
        self._ellipse.points = np.empty((0, 2)) if place is None else place.ellipse + np.array(place.theta)
        if place is not None:
            width = self.world.region[0][1] - self.world.region[0][0]
            units = np.array(
                [1.0, self.controls.dials["stretch"].value ** 2]
            )  # a step α ∂J/∂φ₂ moves θ₂ c times as far
            up = np.array(place.theta) + units * place.gradient * (_LONGEST * width / self._steepest)
            curvature = float(place.natural @ place.fisher @ place.natural)
            reach = math.sqrt(2.0 * self.controls.dials["max_kl"].value / curvature) if curvature > 0.0 else 0.0
            edge = np.array(place.theta) + place.natural * reach
            self._up.end, self._natural.end = (float(up[0]), float(up[1])), (float(edge[0]), float(edge[1]))
        self.map.redraw()

    def _read_map(self, pointer: Pointer) -> Reading | None:
        place = self.place
        if place is None or self._playing:  # which is to be seen
            return None
        slope = short_number(float(np.linalg.norm(place.gradient)), 3)
        lines = (f"J = {short_number(place.value, 4)} · |∇J| = {slope}",)  # no more, which would cover the map
        return Reading(*place.theta, lines)

    def _read_returns(self, pointer: Pointer) -> Reading | None:
        steps = np.arange(self.step + 1, dtype=np.float64)
        at = pointer.nearest(steps)
        if at is None or at >= len(self.instants):
            return None
        told = [
            f"{self._racers[name].title} {short_number(float(value), 4)}"
            for name, value in zip(self._raced, self.instants[at].returns, strict=True)
        ]
        return Reading(float(at), float(self.instants[at].returns.max(initial=-math.inf)), (f"step {at}", *told))

    def _numbers(self) -> Table:
        blocks = []
        for index, name in enumerate(self._raced):
            theta = np.array([instant.theta[index] for instant in self.instants]).reshape(-1, 2)
            title = self._racers[name].title
            blocks.append(
                Table(
                    {
                        "rule": [title] * len(theta),
                        "step": np.arange(len(theta)),
                        "θ₁": theta[:, 0],
                        "θ₂": theta[:, 1],
                        "J": np.array([instant.returns[index] for instant in self.instants]),
                    }
                )
            )
        return below(blocks)

    def _fail(self, sentence: str) -> None:
        self._asking, self._unfinished = False, False
        self.controls.story.setText(sentence)

    def end(self) -> None:
        self._frames.stop()
        self._later.stop()
        self._mapping.stop()
        self._work.end()
        self._maps.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self._work.wait(deadline) and self._maps.wait(deadline)
