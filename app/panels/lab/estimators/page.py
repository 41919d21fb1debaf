"""The page of estimators: the same batches through all of them, and how they lie around the true gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QDeadlineTimer
from PySide6.QtWidgets import QHBoxLayout

from app.panels.lab.choices import beside, combo
from app.panels.lab.estimators.asking import Asking, PairsMenu
from app.panels.lab.estimators.measures import MEASURES
from app.panels.lab.estimators.plot import RowsPlot
from app.panels.lab.following import Asked, Following
from app.panels.lab.progress import Busy, say_meanwhile
from app.panels.lab.work import LabWork
from app.panels.record import PanelContext, PanelWidget
from app.style.text import Stage
from app.style.theme import Theme
from engine.analysis.lab.settings import Pair, Settings, reasons
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig

if TYPE_CHECKING:  # with torch
    from app.models.history import History
    from engine.analysis.lab.comparison import Comparison
    from engine.analysis.lab.estimator_lab import EstimatorLab
    from engine.analysis.playback import PolicySnapshot

_DOING = (
    "Batches are played: first for the gradient itself, then each estimator makes its own of every one. Fewer episodes "
    "N or a shorter horizon H take less time"
)
_EMPTY = "How every estimator's gradient is spread around the true one appears here."


class EstimatorsPage(PanelWidget):
    """Computes on a thread of its own, and only while it can be seen."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        theme = context.theme
        self._choice: tuple[EnvironmentInfo, RunConfig] | None = None
        self.comparison: Comparison | None = None
        self._lab: EstimatorLab | None = None
        self.work = LabWork(self, "estimators", "The estimators could not be compared")
        self.work.failed.connect(self._fail)
        self.following = Following(self, context, self.work, self._look, self._take)
        self.asking, self.menu = Asking(context), PairsMenu()
        self.measure = combo("What is shown", "What is shown of every estimator")
        for measure in MEASURES:
            self.measure.addItem(measure.title)
        self.asking.set_head(beside(self.menu, Busy(self.work)))
        self.asking.add(self.measure, 0)
        self.plot = RowsPlot(theme)
        self._stage = Stage(_EMPTY, self.plot)
        say_meanwhile(self.work, self._stage, _DOING, _EMPTY)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, theme.unit // 2)
        layout.setSpacing(0)
        layout.addWidget(self.asking)
        layout.addWidget(self._stage, 1)
        self.asking.changed.connect(self.following.ask_at_once)
        self.menu.changed.connect(self.following.ask_at_once)
        self.measure.activated.connect(self._show)

    # --- from the window ---

    @property
    def watched(self) -> bool:
        return super().watched or self.plot.seen_large

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        if self._choice == (environment, config):
            return
        self._choice = environment, config
        self.asking.policy.set_choice(environment, config)
        self.asking.horizon.set_choice(environment)
        self.asking.follow(config)
        self.following.request()

    def refresh(self, history: History) -> None:
        self.following.request()

    def reset(self) -> None:
        self.comparison = None
        self._stage.set_hint(_EMPTY)
        self._stage.fill(False)
        self.following.forget()

    def name_run(self, name: str) -> None:
        self.plot.run = name

    def apply_theme(self, theme: Theme) -> None:
        self.asking.apply_theme(theme)
        self.plot.apply_theme(theme)

    def end(self) -> None:
        self.following.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self.work.wait(deadline)

    # --- what is computed ---

    def _look(self) -> Asked | None:
        chosen = self.asking.policy.chosen
        if chosen is None or self._choice is None:
            return None
        environment, config = self._choice
        settings = self.asking.settings
        self.menu.look_at(settings, config, environment)
        pairs = tuple(self.menu.pairs)
        return Asked((chosen.key,), (settings, pairs), partial(self._compare, chosen.load, settings, pairs))

    def _compare(
        self, load: Callable[[], PolicySnapshot], settings: Settings, pairs: tuple[Pair, ...]
    ) -> Iterator[tuple[float, Any]]:
        """On the thread."""
        from engine.analysis.lab.estimator_lab import EstimatorLab  # with torch

        if self._lab is None:
            self._lab = EstimatorLab()
        yield from self._lab.compare(load(), settings, pairs)

    def _take(self, found: Comparison) -> None:
        self.comparison = found
        self.asking.policy.tell(found.iteration)
        self._show()
        self._stage.fill(True)

    def _fail(self, sentence: str) -> None:
        self._stage.set_hint(sentence)
        self._stage.fill(False)

    def _reasons(self, pair: Pair) -> tuple[str, ...]:
        """Why such an estimate may be biased."""
        if self._choice is None or self.comparison is None:
            return ()
        environment, config = self._choice
        return reasons(pair, self.comparison.settings, config, environment)

    def _show(self) -> None:
        if self.comparison is not None:
            self.plot.show_comparison(self.comparison, MEASURES[self.measure.currentIndex()], self._reasons)
