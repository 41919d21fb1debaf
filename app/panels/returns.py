"""Returns: every episode as a dot, the mean of the last 100 as a line, and what was changed on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import get_args

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout

from app.models.axis_choice import AxisChoice, XAxis
from app.models.history import History
from app.models.inspection import EpisodeDot, Inspection, Wanted
from app.models.past import Past
from app.models.person import PersonReturns
from app.models.runs import Run, SeedGroup
from app.panels import timeline
from app.panels.ghosts import Ghosts
from app.panels.record import PanelWidget
from app.panels.returns_table import RETURN, returns_table
from app.panels.run_timeline import RunTimeline
from app.panels.seed_curves import SeedCurves
from app.panels.timeline import X_TITLES
from app.plotting.axes import Range, robust_bounds, settled_range
from app.plotting.export import Table, below
from app.plotting.labels import Level, Moment, Moments, Shapes, optimal_level, person_level, show_optimal
from app.plotting.marks import Dots, Line, Mark
from app.plotting.picking import Pick
from app.plotting.plot import Plot
from app.plotting.readout import NEAR, Pointer, Reading
from app.plotting.tags import Tags
from app.plotting.traces import EpisodeSample, Trace
from app.session.optimal_returns import OptimalReturns
from app.style.combo import Combo
from app.style.flow import Flow
from app.style.format import NOTHING, short_number
from app.style.text import Stage, SteadyLabel, as_surface, muted
from app.style.theme import Theme
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PolicyGradientConfig, RunConfig
from engine.reports.metrics import METRICS

_EMPTY = "Each episode will appear here as a dot once it has ended."
_COUNTED: dict[XAxis, str] = {"environment_steps": "steps", "episodes": "episodes", "seconds": "seconds"}
_UPON = 3.0  # pixels from the mouse to a dot that is meant, and nothing else
_LOW = 190  # pixels, for text of the system's size: what is lower has its room for the plot


class ReturnsPanel(PanelWidget):
    def __init__(
        self,
        theme: Theme,
        x_axis: AxisChoice,
        past: Past,
        optimal: OptimalReturns | None = None,
        person: PersonReturns | None = None,
    ) -> None:
        super().__init__()
        as_surface(self)
        self._theme, self._optimal_returns, self._person_returns = theme, optimal, person
        self._inspection: Inspection | None = None
        self._x_axis, self._past, self._finite = x_axis, past, False
        self._history: History | None = None
        self._drawn: tuple[int, int, int, bool] = (0, 0, 0, False)
        self._sample = EpisodeSample()
        self._mean = Trace()
        self._config: RunConfig = PolicyGradientConfig()
        self._x_end: float | None = None
        self._y: Range | None = None

        self._dots, self._line, self._level, self._moments = Dots(), Line(), Level(), Moments()
        self._optimal, self._person = optimal_level(), person_level()
        self._ghosts, self._tags = Ghosts("mean_return"), Tags((), ())
        self._seeds = SeedCurves("mean_return", self._redraw, self)
        self.plot = Plot(theme, X_TITLES[x_axis.axis], RETURN)
        self._set_marks()
        self.plot.title, self.plot.probe, self.plot.numbers = "Returns", self._read, self._numbers
        self._stage = Stage(_EMPTY, self.plot)
        self.timeline = RunTimeline(self, past, x_axis, self.plot, theme)
        past.changed.connect(self._redraw)
        if optimal is not None:
            optimal.changed.connect(self._take_optimal)
        if person is not None:
            person.changed.connect(self._take_person)
        self._build(theme)
        self.apply_theme(theme)

    def _build(self, theme: Theme) -> None:
        self._number = SteadyLabel("−0.0×10²⁰", "mean")
        self._number.setText(NOTHING)
        self._caption = muted("mean return,\nlast 100")
        self._caption.setToolTip(METRICS["mean_return"].meaning)
        self._number.setToolTip(METRICS["mean_return"].meaning)
        self._axis = Combo()
        self._axis.setSizeAdjustPolicy(Combo.SizeAdjustPolicy.AdjustToContents)
        self._axis.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._axis.setAccessibleName("Horizontal axis")
        self._axis.setToolTip("What the horizontal axis counts: environment steps, episodes or seconds of training")
        for axis in get_args(XAxis):
            self._axis.addItem(_COUNTED[axis], axis)
        self._axis.setCurrentIndex(self._axis.findData(self._x_axis.axis))
        self._axis.currentIndexChanged.connect(lambda _index: self._x_axis.choose(self._axis.currentData()))
        self._x_axis.changed.connect(self._follow_axis)

        header = Flow(theme.unit)
        header.setContentsMargins(2 * theme.unit, theme.unit, 2 * theme.unit, 0)
        header.addWidget(self._caption)
        header.addWidget(self._number)
        header.add_right(self._axis)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, theme.unit // 2)
        layout.setSpacing(0)
        layout.addLayout(header)
        layout.addWidget(self._stage, 1)
        layout.addWidget(self.timeline)

    def inspect(self, inspection: Inspection) -> None:
        """Ask by ``inspection`` for the steps behind what is clicked."""
        self._inspection = inspection
        self.plot.pick = Pick("Steps of this episode", self._ask)
        self.timeline.bar.offer_samples(inspection)

    # --- the panel as the window knows it ---

    @property
    def x_axis(self) -> XAxis:
        """What the horizontal axis counts."""
        return self._x_axis.axis

    @property
    def moments(self) -> Sequence[Moment]:
        """What is marked on the way."""
        return self._moments.moments

    @property
    def watched(self) -> bool:
        return super().watched or self.plot.seen_large

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        """Mark the mean return at which this environment counts as solved."""
        self._config, self._finite = config, environment.finite
        self._level.value = environment.solved_at
        self._level.text = f"solved: {short_number(self._level.value, 4)}"
        self._take_ghosts(self._ghosts.runs)
        self._take_optimal()
        self._take_person()

    def _take_person(self) -> None:
        """Mark the mean return of the person who has played this environment."""
        standing = self._person_returns.of(self._config.environment) if self._person_returns is not None else None
        self._person.value = None if standing is None else standing.mean
        self._person.text = "" if standing is None else f"you {short_number(standing.mean, 4)} ({standing.words})"
        self._y = None
        self._redraw()

    def _take_optimal(self) -> None:
        """Mark the best mean return that there is, where it is known."""
        known = self._optimal_returns
        best = known.of(self._config.environment, finite=self._finite) if known is not None else None
        show_optimal(self._optimal, best)
        self._y = None
        self._redraw()

    def name_run(self, name: str) -> None:
        self.plot.run = name

    def show_ghosts(self, ghosts: Sequence[Run]) -> None:
        self._take_ghosts(ghosts)
        self._redraw()

    def show_seeds(self, group: SeedGroup | None, shown: str, follow: Callable[[str], object]) -> None:
        self._seeds.show(group, shown, follow)
        self._redraw()

    def refresh(self, history: History) -> None:
        state = (len(history.episode_returns), history.iterations, len(history.changes), history.solved is not None)
        if history is self._history and state == self._drawn:
            return
        if history is not self._history:
            self.reset()
            self._history = history
        self._drawn = state
        self._redraw()

    def reset(self) -> None:
        self._history = None
        self._drawn = (0, 0, 0, False)
        self._sample.clear()
        self._mean.clear()
        self._line.x = self._line.y = self._dots.x = self._dots.y = np.empty(0)
        self._moments.moments = ()
        self._x_end = self._y = None
        self._number.setText(NOTHING)
        self._stage.fill(False)
        self.timeline.show_history(None)
        self.plot.follow()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        low = self.height() < self._theme.px(_LOW)
        self._caption.setVisible(not low)  # its tooltip is the number's, too
        self.timeline.setVisible(not low)
        QTimer.singleShot(0, self.timeline, self.timeline.follow)  # once the plot has its place

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._dots.set_colour(theme.episodes, 0.45 if theme.name == "dark" else 0.4)
        self._line.colour = theme.mean
        self._ghosts.apply_theme(theme)
        self._seeds.apply_theme(theme)
        for level in (self._level, self._optimal, self._person):
            level.apply_theme(theme)
        self._moments.apply_theme(theme)
        self._tags.apply_theme(theme)
        self.plot.apply_theme(theme)
        self.timeline.apply_theme(theme)
        self._redraw()

    # --- drawing ---

    def _follow_axis(self) -> None:
        self._axis.setCurrentIndex(self._axis.findData(self.x_axis))
        self._entitle()
        self._x_end = None
        self._take_ghosts(self._ghosts.runs)
        self.plot.follow()
        self._redraw()

    def _redraw(self) -> None:
        history = self._history
        if history is None or not len(history.episode_returns):
            self._show_levels_alone()
            return
        self._take_dots(history)
        self._take_mean(history)
        self._seeds.refresh(self.x_axis)
        self.plot.legend.show_entries(self._seeds.entries(self._theme))
        self._moments.moments = self._marked(history)
        self._settle(history)
        self.plot.redraw()
        self._stage.fill(True)
        self.timeline.show_history(history)

    def _show_levels_alone(self) -> None:
        """Before any episode of a run: what a person has returned already, beside what is to be reached."""
        there = self._person.value is not None
        if there:
            levels = self._levels()
            self._y = settled_range(self._y, min(levels), max(levels))
            self.plot.set_ranges((0.0, timeline.x_end(None, History(), self.x_axis, self._config)), self._y)
            self.plot.redraw()
        self._stage.fill(there)

    def _levels(self) -> list[float]:
        return [level.value for level in (self._level, self._optimal, self._person) if level.value is not None]

    def _take_dots(self, history: History) -> None:
        indices = self._sample.update(len(history.episode_returns))
        self._dots.x = history.episode_x_at(self.x_axis, indices)
        self._dots.y = history.episode_returns.values[indices].astype(np.float64)
        self._entitle()

    def _entitle(self) -> None:
        """Name the axis, and how many of the episodes are drawn."""
        one_in = self._sample.one_in
        title = X_TITLES[self.x_axis] + ("" if one_in == 1 else f" (1 in {one_in:,} episodes drawn)")
        self.plot.bottom.set_title(title, _COUNTED[self.x_axis])

    def _take_mean(self, history: History) -> None:
        values, provisional = history.metrics["mean_return"].values, history.provisional("mean_return")
        count = len(values) + len(provisional)
        if not count:
            return
        x, y = timeline.curve(self._mean, history, "mean_return", self.x_axis)
        # The line ends at the number in the corner, not at the mean of the last bin.
        newest = float(provisional[0] if len(provisional) else values[-1])
        if np.isfinite(newest):
            x = np.append(x, history.iteration_x_at(self.x_axis, np.array([count - 1])))
            y = np.append(y, newest)
        self._line.x, self._line.y = x, y
        instant = self._past.shown
        told = newest if instant is None else history.value_at("mean_return", instant.at.environment_steps)
        self._number.setText(short_number(told, 4, steady=True))

    def _take_ghosts(self, runs: Sequence[Run]) -> None:
        self._ghosts.show(runs, self.x_axis)
        self._ghosts.name_beside(self._config)
        self._ghosts.apply_theme(self._theme)
        self._set_marks()

    def _set_marks(self) -> None:
        ghosts, shapes = self._ghosts, Shapes(self._moments)
        beneath: list[Mark] = [self._dots, *self._seeds.marks, *ghosts.marks, self._moments]
        beneath += [self._level, self._optimal, self._person, self._line]
        self._tags.of = [shapes, self._moments, *ghosts.names, self._level, self._optimal, self._person]
        self._tags.clear_of = [self._dots, self._line, *ghosts.lines]
        self.plot.marks = [*beneath, self._tags, shapes]

    def _marked(self, history: History) -> list[Moment]:
        """The moments of a run; the one when it was solved is marked on the line."""
        marked = timeline.cursor(self._past.shown, history, self.x_axis, self._theme)
        marked += timeline.moments(history, self.x_axis, self._config, self._theme)
        if history.solved is not None:
            marked[-1] = replace(marked[-1], y=history.solved.mean_return)
        return marked

    def _settle(self, history: History) -> None:
        self._x_end = timeline.x_end(self._x_end, history, self.x_axis, self._config)
        low, high = robust_bounds(self._dots.y)
        wanted = np.concatenate([[low, high], self._line.y, self._ghosts.y, self._seeds.y, self._levels()])
        self._y = settled_range(self._y, float(wanted.min()), float(wanted.max()))
        self.plot.set_ranges((0.0, self._x_end), self._y)

    # --- what a person asks of it ---

    def _read(self, pointer: Pointer) -> Reading | None:
        """The episode under the mouse, or else the line that is nearest above or below it."""
        happened = pointer.moments(self._moments.moments[self._past.shown is not None :])  # without the cursor
        dot = self._read_dot(pointer)
        if dot is not None:
            return replace(dot, lines=(*dot.lines, *happened))

        def place(x: float) -> Sequence[str]:
            return timeline.x_words(self.x_axis, x), *happened

        line, index = self._line, pointer.nearest(self._line.x)
        readings = self._ghosts.nearest(pointer, place)
        if (seed := self._seeds.nearest(pointer, place)) is not None:
            readings.append(seed)
        if index is not None:
            x, y = float(line.x[index]), float(line.y[index])
            words = (f"mean return {short_number(y, 4)} (reward)", *place(x))
            readings.insert(0, Reading(x, y, words, line.colour))
        return min(readings, key=lambda told: abs(pointer.frame.to_y(told.y) - pointer.y), default=None)

    def _read_dot(self, pointer: Pointer) -> Reading | None:
        history, nearest = self._history, self._dot_at(pointer)
        if history is None or nearest is None:
            return None
        episode = int(self._sample.indices[nearest])
        words = (
            f"episode {episode + 1:,}",
            f"return {short_number(float(history.episode_returns.values[episode]), 4)} (reward)",
            f"at {int(history.episode_steps.values[episode]):,} environment steps",
            *(("click: its steps",) if self._inspection is not None else ()),
        )
        return Reading(float(self._dots.x[nearest]), float(self._dots.y[nearest]), words, self._theme.episodes)

    def _dot_at(self, pointer: Pointer) -> int | None:
        """Which of the dots that are drawn is under the mouse."""
        if not len(self._dots.x):
            return None
        distances = pointer.distances(self._dots.x, self._dots.y)
        nearest = int(np.argmin(distances))
        upon = distances[nearest] <= _UPON  # else the line of a seed that is there is meant
        return nearest if upon or (distances[nearest] <= NEAR and not self._seeds.is_at(pointer)) else None

    def _ask(self, pointer: Pointer | None) -> None:
        """Have the steps of the episode there shown, or another seed whose line is there."""
        nearest = self._dot_at(pointer) if pointer is not None else None
        if self._inspection is not None and nearest is not None:
            self._inspection.ask(Wanted(None, EpisodeDot(int(self._sample.indices[nearest]))))
        elif pointer is not None:
            self._seeds.pick(pointer)

    def _numbers(self) -> Table:
        """Every episode and every mean, those of the other runs too."""
        tables = [] if self._history is None else [returns_table(self.plot.run, self._history)]
        tables += [returns_table(other.name, other.history) for other in (*self._seeds.others, *self._ghosts.runs)]
        return below(tables)
