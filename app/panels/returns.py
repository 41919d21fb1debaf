"""Returns: every episode as a dot, the mean of the last 100 as a line, and what was changed on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout

from app.models.axis_choice import AxisChoice, XAxis
from app.models.history import History
from app.models.runs import difference_made
from app.panels.record import PanelWidget
from app.plotting.axes import Range, robust_bounds, settled_end, settled_range
from app.plotting.labels import Level, Moment, Moments
from app.plotting.marks import Dots, Line
from app.plotting.plot import Plot
from app.plotting.traces import EpisodeSample, Trace
from app.style.combo import Combo
from app.style.format import NOTHING, short_number
from app.style.text import Stage, SteadyLabel, as_surface, muted
from app.style.theme import Theme
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PolicyGradientConfig, RunConfig
from engine.reports.events import Change
from engine.reports.metrics import METRICS

X_TITLES: dict[XAxis, str] = {
    "environment_steps": "environment steps",
    "episodes": "episodes",
    "seconds": "seconds of training",
}
_EMPTY = "Each episode will appear here as a dot once it has ended."


class ReturnsPanel(PanelWidget):
    def __init__(self, theme: Theme, x_axis: AxisChoice) -> None:
        super().__init__()
        as_surface(self)
        self._theme = theme
        self._x_axis = x_axis
        self._history: History | None = None
        self._drawn: tuple[int, int, int] = (0, 0, 0)
        self._sample = EpisodeSample()
        self._mean = Trace()
        self._config: RunConfig = PolicyGradientConfig()
        self._x_end: float | None = None
        self._y: Range | None = None

        self._dots, self._line, self._level, self._moments = Dots(), Line(), Level(), Moments()
        self.plot = Plot(theme, X_TITLES[x_axis.axis], "return (reward)")
        self.plot.marks = [self._dots, self._moments, self._level, self._line]
        self._stage = Stage(_EMPTY, self.plot)
        self._build(theme)
        self.apply_theme(theme)

    def _build(self, theme: Theme) -> None:
        self._number = SteadyLabel("−0.0×10²⁰", "mean")
        self._number.setText(NOTHING)
        caption = muted("mean return\nlast 100 episodes")
        caption.setMinimumWidth(1)  # a narrow panel cuts the caption, not the control
        caption.setToolTip(METRICS["mean_return"].meaning)
        self._number.setToolTip(METRICS["mean_return"].meaning)
        self._note = muted()
        self._note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._axis = Combo()
        self._axis.setSizeAdjustPolicy(Combo.SizeAdjustPolicy.AdjustToContents)
        self._axis.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._axis.setAccessibleName("Horizontal axis")
        self._axis.setToolTip("What the horizontal axis counts")
        for axis in get_args(XAxis):
            self._axis.addItem(X_TITLES[axis].split(" of ")[0], axis)
        self._axis.setCurrentIndex(self._axis.findData(self._x_axis.axis))
        self._axis.currentIndexChanged.connect(lambda _index: self._x_axis.choose(self._axis.currentData()))
        self._x_axis.changed.connect(self._follow_axis)

        header = QHBoxLayout()
        header.setContentsMargins(2 * theme.unit, theme.unit, 2 * theme.unit, 0)
        header.setSpacing(theme.unit)
        header.addWidget(self._number)
        header.addWidget(caption)
        header.addWidget(self._note, 1)
        header.addWidget(self._axis)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, theme.unit // 2)
        layout.setSpacing(0)
        layout.addLayout(header)
        layout.addWidget(self._stage, 1)

    # --- the panel as the window knows it ---

    @property
    def x_axis(self) -> XAxis:
        """What the horizontal axis counts."""
        return self._x_axis.axis

    @property
    def moments(self) -> Sequence[Moment]:
        """The changes that are marked."""
        return self._moments.moments

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        """Mark the mean return at which this environment counts as solved."""
        self._config = config
        self._level.value = environment.solved_at
        self._level.text = f"solved: {short_number(self._level.value, 4)}"
        self._y = None
        self._redraw()

    def refresh(self, history: History) -> None:
        state = (len(history.episode_returns), history.iterations, len(history.changes))
        if history is self._history and state == self._drawn:
            return
        if history is not self._history:
            self.reset()
            self._history = history
        self._drawn = state
        self._redraw()

    def reset(self) -> None:
        self._history = None
        self._drawn = (0, 0, 0)
        self._sample.clear()
        self._mean.clear()
        self._line.x = self._line.y = np.empty(0)
        self._x_end = self._y = None
        self._number.setText(NOTHING)
        self._note.clear()
        self._stage.fill(False)
        self.plot.follow()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._dots.set_colour(theme.episodes, 0.45 if theme.name == "dark" else 0.4)
        self._line.colour = theme.mean
        self._level.colour, self._level.ground = theme.threshold, theme.surface
        self._moments.ground = theme.surface
        self._moments.moments = [Moment(m.x, m.text, theme.marker) for m in self._moments.moments]
        self.plot.apply_theme(theme)

    # --- drawing ---

    def _follow_axis(self) -> None:
        self._axis.setCurrentIndex(self._axis.findData(self.x_axis))
        self.plot.bottom.set_title(X_TITLES[self.x_axis])
        self._x_end = None
        self.plot.follow()
        self._redraw()

    def _redraw(self) -> None:
        history = self._history
        if history is None or not len(history.episode_returns):
            return
        self._take_dots(history)
        self._take_mean(history)
        self._moments.moments = self._marked(history.changes)
        self._settle(history)
        self.plot.redraw()
        self._stage.fill(True)

    def _take_dots(self, history: History) -> None:
        indices = self._sample.update(len(history.episode_returns))
        self._dots.x = history.episode_x_at(self.x_axis, indices)
        self._dots.y = history.episode_returns.values[indices].astype(np.float64)
        self._note.setText(_note(self._sample.one_in))

    def _take_mean(self, history: History) -> None:
        values, provisional = history.metrics["mean_return"].values, history.provisional("mean_return")
        count = len(values) + len(provisional)
        if not count:
            return
        self._mean.update(values, provisional)
        # The line ends at the number in the corner, not at the mean of the last bin.
        newest = float(provisional[0] if len(provisional) else values[-1])
        x = history.iteration_x_at(self.x_axis, np.append(self._mean.middles, count - 1))
        y = np.append(self._mean.means, newest)
        known = np.isfinite(y)
        self._line.x, self._line.y = x[known], y[known]
        self._number.setText(short_number(newest, 4, steady=True))

    def _marked(self, changes: list[Change]) -> list[Moment]:
        if len(changes) == 0:
            return []
        texts: dict[float, list[str]] = {}
        for change in changes:
            texts.setdefault(float(getattr(change, self.x_axis)), []).append(difference_made(change, self._config).text)
        return [Moment(x, ", ".join(words), self._theme.marker) for x, words in texts.items()]

    def _settle(self, history: History) -> None:
        last = max(history.last_x(self.x_axis), self._dots.x[-1])
        self._x_end = settled_end(self._x_end, float(last))
        low, high = robust_bounds(self._dots.y)
        level = [] if self._level.value is None else [self._level.value]
        wanted = np.concatenate([[low, high], self._line.y, level])
        self._y = settled_range(self._y, float(wanted.min()), float(wanted.max()))
        self.plot.set_ranges((0.0, self._x_end), self._y)


def _note(one_in: int) -> str:
    return "" if one_in == 1 else f"1 in {one_in:,} episodes drawn"
