"""The page of estimators: the same batches through all of them, and how they lie around the true gradient."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QDeadlineTimer, QTimer
from PySide6.QtGui import QHideEvent, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from app.panels.lab.choices import combo
from app.panels.lab.estimators.asking import UNTRAINED, Asking, PairsMenu
from app.panels.lab.estimators.measures import MEASURES
from app.panels.lab.estimators.plot import RowsPlot
from app.panels.lab.progress import Busy
from app.panels.lab.work import LabWork
from app.panels.record import PanelContext, PanelWidget
from app.style.flow import Flow
from app.style.text import Stage, SteadyLabel
from app.style.theme import Theme
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig

if TYPE_CHECKING:  # with torch
    from app.models.history import History
    from engine.analysis.lab.estimator_lab import Comparison, EstimatorLab
    from engine.analysis.lab.settings import Pair, Settings
    from engine.analysis.playback import PolicySnapshot

EVERY = 250  # ms between two looks at which policy there is
REST = 4.0  # times as long as it took nothing is computed while a run goes on, which it would slow down
_EMPTY = (
    "How every estimator's gradient is spread around the true one appears here once training starts, or at once of the "
    "untrained policy, which can be chosen at the left."
)


class EstimatorsPage(PanelWidget):
    """Computes on a thread of its own, and only while it can be seen."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        theme = context.theme
        self._theme, self._playback = theme, context.playback
        self._choice: tuple[EnvironmentInfo, RunConfig] | None = None
        self._asked: tuple[Any, ...] | None = None  # what is shown, or computed to be
        self._rests_until = self._since = 0.0
        self.comparison: Comparison | None = None
        self._lab: EstimatorLab | None = None
        self._work = LabWork(self, "estimators", "The estimators could not be compared")
        self._work.failed.connect(self._fail)
        self.asking, self.menu = Asking(theme), PairsMenu()
        self.measure = combo("What is shown", "What is shown of every estimator")
        self.measure.setSizeAdjustPolicy(self.measure.SizeAdjustPolicy.AdjustToContents)
        for measure in MEASURES:
            self.measure.addItem(measure.title)
        self._busy = Busy(self._work)
        self._iteration = SteadyLabel("iteration 00,000", "muted")
        self._iteration.setToolTip("After how many iterations the policy was such whose gradient is estimated")
        line = Flow(theme.unit // 2)
        line.setContentsMargins(0, theme.unit // 2, theme.unit, 0)
        for widget in (self.measure, self.menu, self._busy):
            line.addWidget(widget)
        line.add_right(self._iteration)
        self.plot = RowsPlot(theme)
        self._stage = Stage(_EMPTY, self.plot)
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addLayout(line)
        right.addWidget(self._stage, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, theme.unit // 2)
        layout.setSpacing(0)
        layout.addWidget(self.asking)
        layout.addLayout(right, 1)
        self._due = QTimer(self, interval=EVERY)
        self._due.timeout.connect(self._follow)
        self.asking.changed.connect(self._ask_otherwise)
        self.menu.changed.connect(self._ask_otherwise)
        self.measure.activated.connect(self._show)
        context.past.changed.connect(self._request)

    # --- from the window ---

    @property
    def watched(self) -> bool:
        return super().watched or self.plot.seen_large

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        if self._choice == (environment, config):
            return
        self._choice = environment, config
        self.asking.follow(config)
        self._request()

    def refresh(self, history: History) -> None:
        self._request()

    def reset(self) -> None:
        self._forget()

    def name_run(self, name: str) -> None:
        self.plot.run = name

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.asking.apply_theme(theme)
        self.plot.apply_theme(theme)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._request()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self._request()  # it may have been behind another tab, of which nothing else tells

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._follow()

    def end(self) -> None:
        self._due.stop()
        self._work.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self._work.wait(deadline)

    # --- what is computed ---

    def _request(self) -> None:
        if not self._due.isActive() and self.isVisible():
            self._due.start()

    def _ask_otherwise(self) -> None:
        self._rests_until = 0.0
        self._follow()

    def _follow(self) -> None:
        """Compute what is to be seen, while it can be."""
        seen = self.watched
        self._playback.set_wanted(seen, "estimators")
        if not seen:
            self._due.stop()
            if self._work.busy:
                self._work.cancel()
                self._asked = None
            return
        if self._choice is None:
            return
        environment, config = self._choice
        settings = self.asking.settings
        untrained = self.asking.policy.currentData() == UNTRAINED
        policy = None if untrained else self._playback.policy
        if not untrained and (policy is None or policy.environment != environment):
            return
        self.menu.look_at(settings, config, environment)
        pairs = tuple(self.menu.pairs)
        asked = (config if untrained else policy, settings, pairs)
        if self._asked is not None and asked[0] is self._asked[0] and asked[1:] == self._asked[1:]:
            return
        goes_on = not untrained and self._playback.goes_on
        waits = goes_on and (self._work.busy or time.monotonic() < self._rests_until)
        if waits and self._asked is not None and asked[1:] == self._asked[1:]:
            return
        self._asked, self._since = asked, time.monotonic()
        source = partial(_untrained, config, environment) if policy is None else lambda: policy
        self._work.ask(partial(self._compare, source, settings, pairs), self._take)

    def _compare(self, source: Any, settings: Settings, pairs: tuple[Pair, ...]) -> Iterator[tuple[float, Any]]:
        """On the thread."""
        from engine.analysis.lab.estimator_lab import EstimatorLab  # with torch

        if self._lab is None:
            self._lab = EstimatorLab()
        yield from self._lab.compare(source(), settings, pairs)

    def _take(self, found: Comparison) -> None:
        now = time.monotonic()
        self._rests_until = now + REST * (now - self._since)
        self.comparison = found
        self._iteration.setText(f"iteration {found.iteration:,}")
        self._show()
        self._stage.fill(True)

    def _fail(self, sentence: str) -> None:
        self._stage.set_hint(sentence)
        self._stage.fill(False)

    def _forget(self) -> None:
        self._work.cancel()
        self._asked = self.comparison = None
        self._iteration.clear()
        self._stage.set_hint(_EMPTY)
        self._stage.fill(False)
        self._request()

    def _show(self) -> None:
        if self.comparison is not None:
            self.plot.show_comparison(self.comparison, MEASURES[self.measure.currentIndex()])


def _untrained(config: RunConfig, environment: EnvironmentInfo) -> PolicySnapshot:
    from engine.analysis.lab.policies import untrained  # with torch

    return untrained(config, environment)
