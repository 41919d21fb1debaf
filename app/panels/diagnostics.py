"""Diagnostics: how the learning itself is doing, as small plots above each other over the same axis."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from functools import partial

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout

from app.models.axis_choice import AxisChoice, XAxis
from app.models.history import History
from app.models.past import Past
from app.models.runs import Run
from app.panels import timeline
from app.panels.columns import Columns, Scroll
from app.panels.record import PanelWidget
from app.panels.small_plot import SmallPlot
from app.panels.timeline import X_TITLES
from app.plotting.axes import Range
from app.plotting.plot import Plot
from app.plotting.throttle import Pace
from app.style.flash import Flash
from app.style.text import Stage, as_surface
from app.style.theme import Theme
from engine.catalogue.methods.reported import diagnosed
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PolicyGradientConfig, RunConfig
from engine.reports.metrics import METRICS

_SLICE = 0.03  # seconds of drawing other runs, after which the window has its turn
_INTERVAL = 100  # ms for each plot, so that many cost training no more than few


class DiagnosticsPanel(PanelWidget):
    def __init__(self, theme: Theme, x_axis: AxisChoice, past: Past) -> None:
        super().__init__()
        as_surface(self)
        self._theme = theme
        self._config: RunConfig = PolicyGradientConfig()
        self._defined: tuple[str, ...] = ()
        self._pointed: tuple[str, ...] = ()  # what is plotted besides, since a finding goes by it
        self._history: History | None = None
        self._ghosts: Sequence[Run] = ()
        self._lacking: list[SmallPlot] = []  # which do not show them yet
        self._later = QTimer(self, interval=0)
        self._later.timeout.connect(self._draw_ghosts)
        self._run = ""
        self._drawn: tuple[int, bool] = (0, False)
        self._x_axis, self._past = x_axis, past
        self._x_end: float | None = None
        self._made: dict[str, SmallPlot] = {}
        self._smalls: dict[str, SmallPlot] = {}
        self._columns = Columns(theme)
        self._scroll = Scroll(self._columns)
        self._stage = Stage("", self._scroll)
        self._pace = Pace(self, _INTERVAL, self._redraw)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, theme.unit, 0, 0)
        layout.addWidget(self._stage)
        x_axis.changed.connect(self._follow_axis)
        past.changed.connect(self._redraw)
        self._plot(diagnosed(PolicyGradientConfig()))

    @property
    def shown(self) -> tuple[str, ...]:
        """The metrics that are plotted."""
        return tuple(self._smalls)

    @property
    def smalls(self) -> list[SmallPlot]:
        return list(self._smalls.values())

    @property
    def plots(self) -> list[Plot]:
        return [small.plot for small in self._smalls.values()]

    @property
    def watched(self) -> bool:
        return super().watched or any(plot.seen_large for plot in self.plots)

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        """Plot what a run of ``config`` defines; what is shown does not change while it trains."""
        self._config = config
        defined = diagnosed(config, environment)
        if defined != self._defined:
            self._pointed = ()
            self._plot(defined)

    def name_run(self, name: str) -> None:
        if self._pointed and name != self._run:
            self._pointed = ()
            self._plot(self._defined)
        self._run = name
        for small in self._made.values():
            small.plot.run = name

    def point_at(self, curves: Collection[str]) -> None:
        more = tuple(name for name in METRICS if name in curves and name not in self._smalls and self._is_told(name))
        if more:
            self._pointed += more
            self._plot(self._defined)
        found = [small for name, small in self._smalls.items() if name in curves]
        if found:
            self._scroll.ensureWidgetVisible(found[0])
        for small in found or self.smalls:
            Flash(small)

    def _is_told(self, name: str) -> bool:
        history = self._history
        return history is not None and bool(np.isfinite(history.metrics[name].values).any())

    def show_ghosts(self, ghosts: Sequence[Run]) -> None:
        self._ghosts, self._lacking = ghosts, list(self._made.values())
        self._draw_ghosts()

    def _draw_ghosts(self) -> None:
        """Draw the other runs in the plots that lack them, as far as the time of one turn goes."""
        began = time.monotonic()
        while self._lacking:
            self._lacking.pop(0).show_ghosts(self._ghosts)
            if self._lacking and time.monotonic() - began > _SLICE:
                self._later.start()
                return
        self._later.stop()
        self._redraw()

    def _plot(self, defined: tuple[str, ...]) -> None:
        self._defined = defined
        beside = {METRICS[name].against[0] for name in defined}
        names = tuple(name for name in (*defined, *self._pointed) if name not in beside)
        for name in names:
            if name not in self._made:
                self._made[name] = self._new_small(name)
        for name, small in self._smalls.items():
            if name not in names:
                small.plot.shrink()
        self._smalls = {name: self._made[name] for name in names}
        self._pace.set_interval(_INTERVAL * len(names))
        self._columns.hold(self.smalls)
        self._scroll.fit()
        self._stage.set_hint(_to_come(names))
        self._redraw()

    def _new_small(self, name: str) -> SmallPlot:
        small = SmallPlot(METRICS[name], self._theme)
        small.apply_theme(self._theme)
        small.plot.run = self._run
        small.plot.bottom.set_title(X_TITLES[self._x_axis.axis])
        small.plot.viewport().installEventFilter(self._scroll)
        small.plot.x_moved.connect(partial(self._share_x, small))
        small.show_ghosts(self._ghosts)
        return small

    def _share_x(self, moved: SmallPlot, x: Range | None) -> None:
        """All plots share an axis, wherever a person has moved it."""
        for small in self._made.values():
            if small is not moved:
                small.plot.take_x(x)

    def _follow_axis(self, axis: XAxis) -> None:
        self._x_end = None
        for small in self._made.values():
            small.plot.bottom.set_title(X_TITLES[axis])
            small.plot.follow()
        self._redraw()

    def refresh(self, history: History) -> None:
        state = history.iterations, history.solved is not None
        if history is self._history and state == self._drawn:
            return
        if history is not self._history:
            self.reset()
            self._history = history
        self._drawn = state
        if history.iterations:
            self._pace.request()

    def reset(self) -> None:
        self._pace.cancel()
        self._history = None
        self._drawn = (0, False)
        self._x_end = None
        self._stage.fill(False)
        for small in self._made.values():
            small.reset()

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        for small in self._made.values():
            small.apply_theme(theme)
        self._columns.apply_theme(theme)
        self._scroll.fit()
        self._redraw()

    def _redraw(self) -> None:
        history = self._history
        if history is None or not history.iterations:
            return
        axis = self._x_axis.axis
        self._x_end = timeline.x_end(self._x_end, history, axis, self._config)
        instant = self._past.shown
        moments = timeline.cursor(instant, history, axis, self._theme)
        moments += timeline.moments(history, axis, self._config, self._theme)
        for small in self._smalls.values():
            small.refresh(history, axis, (0.0, self._x_end), moments)
            if instant is not None:
                small.show_value_at(instant.at.environment_steps)
        self._stage.fill(True)


def _to_come(names: Sequence[str]) -> str:
    """What will appear: the first of the metrics, by name."""
    first = " · ".join(METRICS[name].title for name in names[:3])
    return f"{first} and more will appear here after the first iteration."
