"""The page of a baseline by hand: drag b, and the mean of the estimates stays where it is while their spread moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QDeadlineTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel

from app.panels.lab.baseline.plots import NoisePlot, SpreadPlot
from app.panels.lab.choices import Column, Dial, at_both_ends, combo
from app.panels.lab.estimators.asking import ADDED, EPISODES, GAMMAS, signed, whole, written
from app.panels.lab.following import Asked, Following
from app.panels.lab.policy import PolicyChoice
from app.panels.lab.progress import Busy, say_meanwhile
from app.panels.lab.two_plots import TwoPlots
from app.panels.lab.work import LabWork
from app.panels.record import PanelContext, PanelWidget
from app.plotting.axes import Range, settled_range
from app.style.format import short_number
from app.style.slider import Slider
from app.style.text import Stage, SteadyLabel
from app.style.theme import Theme
from engine.analysis.lab.settings import REWARD_TO_GO, TOTAL_RETURN, Settings
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig

if TYPE_CHECKING:  # with torch
    from app.models.history import History
    from engine.analysis.lab.comparison import ByHand, Comparison
    from engine.analysis.lab.estimator_lab import EstimatorLab
    from engine.analysis.playback import PolicySnapshot

_CREDITS = (("total return", TOTAL_RETURN), (REWARD_TO_GO, REWARD_TO_GO))
_TICKS = 400  # of the slider
_DOING = "A thousand estimates of the gradient are made of what the policy plays"
_EMPTY = "What a constant baseline does to a thousand estimates appears here."


class BaselinePage(PanelWidget):
    """Computes the estimates once; b is dragged over the same samples, so that it answers at once."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        theme = context.theme
        self._choice: tuple[EnvironmentInfo, RunConfig] | None = None
        self.comparison: Comparison | None = None
        self._lab: EstimatorLab | None = None
        self._x: Range | None = None
        self.baseline = 0.0
        self.work = LabWork(self, "baseline", "The estimates could not be computed")
        self.work.failed.connect(self._fail)
        self.following = Following(self, context, self.work, self._look, self._take)
        self.column = self._make_column(context)
        self.spread, self.noise = SpreadPlot(theme), NoisePlot(theme)
        self.plots = TwoPlots(theme, self.spread, self.noise)
        self._stage = Stage(_EMPTY, self.plots)
        say_meanwhile(self.work, self._stage, _DOING, _EMPTY)
        self._stage.turned.connect(self.slider.setEnabled)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, theme.unit // 2)
        layout.setSpacing(0)
        layout.addWidget(self.column)
        layout.addWidget(self._stage, 1)
        self.noise.dragging.dragged.connect(self.drag)

    def _make_column(self, context: PanelContext) -> Column:
        column = Column(context.theme)
        self.policy = PolicyChoice(context, "Policy", "Whose gradient is estimated")
        self.credit = combo("Credit", "What the baseline is taken off", _CREDITS)
        self.slider = Slider()
        self.slider.setRange(0, _TICKS)
        self.slider.setAccessibleName("Baseline b")
        self.slider.setToolTip("The constant that is taken off every action's credit")
        self.slider.setEnabled(False)  # until there is something that it changes
        self.slider.valueChanged.connect(self._slide)
        self.value = SteadyLabel("b = −00.00", "heading")
        self.value.setText("b = 0")
        self.gamma = Dial("γ", "Discount: how much a reward counts that is one step later", GAMMAS, written)
        self.episodes = Dial("N", "Episodes per batch: what one estimate is made of", EPISODES, whole)
        self.added = Dial("+c", "Constant added to every step's reward", ADDED, signed)
        self.gamma.set_value(1.0)
        self.episodes.set_value(20)
        self.added.set_value(0)
        column.set_head(at_both_ends(self.value, Busy(self.work)))
        note = QLabel("Drag b: the mean stays, the spread moves.")
        note.setWordWrap(True)
        note.setProperty("role", "muted")
        note.setProperty("small", True)
        for widget in (self.slider, note, self.policy, self.credit, self.gamma, self.episodes, self.added):
            column.add(widget)
        self.policy.activated.connect(self.following.ask_at_once)
        self.credit.activated.connect(self._show)
        for dial in (self.gamma, self.episodes, self.added):
            dial.changed.connect(self.following.ask_at_once)
        return column

    # --- from the window ---

    @property
    def watched(self) -> bool:
        return super().watched or self.spread.seen_large or self.noise.seen_large

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        if self._choice == (environment, config):
            return
        self._choice = environment, config
        self.policy.set_choice(environment, config)
        self.following.request()

    def refresh(self, history: History) -> None:
        self.following.request()

    def reset(self) -> None:
        self.comparison = None
        self._stage.set_hint(_EMPTY)
        self._stage.fill(False)
        self.following.forget()

    def name_run(self, name: str) -> None:
        self.spread.run = self.noise.run = name

    def apply_theme(self, theme: Theme) -> None:
        for part in (self.column, self.plots):
            part.apply_theme(theme)

    def end(self) -> None:
        self.following.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self.work.wait(deadline)

    # --- what is computed ---

    @property
    def settings(self) -> Settings:
        gamma = self.gamma.value
        return Settings(gamma=gamma, episodes=int(self.episodes.value), added=float(self.added.value))

    def _look(self) -> Asked | None:
        chosen, settings = self.policy.chosen, self.settings
        if chosen is None:
            return None
        return Asked((chosen.key,), settings, partial(self._compute, chosen.load, settings))

    def _compute(self, load: Callable[[], PolicySnapshot], settings: Settings) -> Iterator[tuple[float, Any]]:
        """On the thread."""
        from engine.analysis.lab.estimator_lab import EstimatorLab  # with torch

        if self._lab is None:
            self._lab = EstimatorLab()
        yield from self._lab.compare(load(), settings, ())

    def _take(self, found: Comparison) -> None:
        self.comparison = found
        self.policy.tell(found.iteration)
        self._show()
        self._stage.fill(True)

    def _fail(self, sentence: str) -> None:
        self._stage.set_hint(sentence)
        self._stage.fill(False)

    # --- b ---

    @property
    def hand(self) -> ByHand | None:
        """What the credit that is chosen can be lessened by."""
        found = () if self.comparison is None else self.comparison.by_hand
        return next((hand for hand in found if hand.credit == self.credit.currentData()), None)

    def _show(self) -> None:
        hand, comparison = self.hand, self.comparison
        if hand is None or comparison is None:
            return
        low, high = min(0.0, hand.best, hand.average), max(0.0, hand.best, hand.average)
        reach = max(high - low, 0.25 * abs(hand.best), 1e-3)
        self._x = settled_range(self._x, low - 0.6 * reach, high + 0.6 * reach)
        self.spread.show_hand(hand, comparison.truth)
        self.noise.show_hand(hand, self._x)
        self.drag(self.baseline)

    def drag(self, baseline: float) -> None:
        """Take b there."""
        hand = self.hand
        if hand is None or self._x is None:
            return
        low, high = self._x
        self.baseline = min(max(baseline, low), high)
        self.slider.blockSignals(True)
        self.slider.setValue(round(_TICKS * (self.baseline - low) / (high - low)))
        self.slider.blockSignals(False)
        self.value.setText(f"b = {short_number(self.baseline)}")
        self.spread.show_at(hand, self.baseline)
        self.noise.show_at(self.baseline)

    def _slide(self, tick: int) -> None:
        if self._x is not None:
            self.drag(self._x[0] + (self._x[1] - self._x[0]) * tick / _TICKS)
