"""The page of importance weights: episodes of one policy weighed for another, the longer the worse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QDeadlineTimer
from PySide6.QtWidgets import QHBoxLayout

from app.panels.lab.choices import Column, Dial, at_both_ends, combo
from app.panels.lab.estimators.asking import GAMMAS, HorizonDial, whole, written
from app.panels.lab.following import Asked, Following
from app.panels.lab.policy import UNTRAINED, PolicyChoice
from app.panels.lab.progress import Busy, say_meanwhile
from app.panels.lab.two_plots import TwoPlots
from app.panels.lab.weights.plots import CoursePlot, WeightsPlot
from app.panels.lab.work import LabWork
from app.panels.record import PanelContext, PanelWidget
from app.style.slider import Slider
from app.style.text import Stage, SteadyLabel
from app.style.theme import Theme
from engine.analysis.lab.settings import Settings
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig

if TYPE_CHECKING:  # with torch
    from app.models.history import History
    from engine.analysis.lab.weights_lab import Weights
    from engine.analysis.playback import PolicySnapshot

    Load = Callable[[], PolicySnapshot]

_COURSES = (("Variance of the weights", "variance"), ("Effective sample size", "effective"), ("J of π", "estimates"))
_EPISODES = (50, 100, 200, 500, 1000, 2000, 5000)
_TEMPERATURES = (0.25, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0)
_DOING = "Episodes are played by the one policy and weighed for the other"
_EMPTY = "How much the episodes of one policy tell of another appears here: its weights grow apart with every step."


class WeightsPage(PanelWidget):
    """Plays on a thread of its own, and only while it can be seen."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        theme = context.theme
        self._choice: tuple[EnvironmentInfo, RunConfig] | None = None
        self.found: Weights | None = None
        self.work = LabWork(self, "weights", "The weights could not be computed")
        self.work.failed.connect(self._fail)
        self.following = Following(self, context, self.work, self._look, self._take)
        self.column = self._make_column(context)
        self.weights, self.course = WeightsPlot(theme), CoursePlot(theme)
        self.plots = TwoPlots(theme, self.weights, self.course)
        self._stage = Stage(_EMPTY, self.plots)
        say_meanwhile(self.work, self._stage, _DOING, _EMPTY)
        self._stage.turned.connect(self.slider.setEnabled)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, theme.unit // 2)
        layout.setSpacing(0)
        layout.addWidget(self.column)
        layout.addWidget(self._stage, 1)
        self.course.dragging.dragged.connect(lambda at: self.slider.setValue(round(at)))

    def _make_column(self, context: PanelContext) -> Column:
        column = Column(context.theme)
        self.value = SteadyLabel("h = 0000 steps", "heading")
        self.slider = Slider()
        self.slider.setRange(1, 1)
        self.slider.setAccessibleName("Horizon h")
        self.slider.setToolTip("After how many steps the weights are looked at")
        self.slider.setEnabled(False)  # until there is something that it changes
        self.slider.valueChanged.connect(self._show_horizon)
        column.set_head(at_both_ends(self.value, Busy(self.work)))
        self.shows = combo("What is shown by horizon", "What is shown over all horizons at the right", _COURSES)
        self.target = PolicyChoice(
            context, "π: weighed for", "The policy π that the episodes are weighed for", mark="π"
        )
        self.behaviour = PolicyChoice(
            context, "μ: played by", "The policy that plays the episodes", first=UNTRAINED, mark="μ"
        )
        self.temperature = Dial("τ", "Temperature of μ: above 1 it is less decided", _TEMPERATURES, written)
        self.gamma = Dial("γ", "Discount of J: how much a reward counts that is one step later", GAMMAS, written)
        self.episodes = Dial("E", "Episodes: how many are played and weighed", _EPISODES, whole)
        self.horizon = HorizonDial()
        self.temperature.set_value(1.0)
        self.gamma.set_value(1.0)
        self.episodes.set_value(1000)
        for widget in (self.slider, self.shows, self.target, self.behaviour, self.temperature):
            column.add(widget)
        for widget in (self.gamma, self.episodes, self.horizon):
            column.add(widget)
        self.shows.activated.connect(self._show)
        for choice in (self.target, self.behaviour):
            choice.activated.connect(self.following.ask_at_once)
        for dial in (self.temperature, self.gamma, self.episodes, self.horizon):
            dial.changed.connect(self.following.ask_at_once)
        return column

    # --- from the window ---

    @property
    def watched(self) -> bool:
        return super().watched or self.weights.seen_large or self.course.seen_large

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        if self._choice == (environment, config):
            return
        self._choice = environment, config
        for choice in (self.target, self.behaviour):
            choice.set_choice(environment, config)
        self.horizon.set_choice(environment)
        self.following.request()

    def refresh(self, history: History) -> None:
        self.following.request()

    def reset(self) -> None:
        self.found = None
        self._stage.set_hint(_EMPTY)
        self._stage.fill(False)
        self.following.forget()

    def name_run(self, name: str) -> None:
        self.weights.run = self.course.run = name

    def apply_theme(self, theme: Theme) -> None:
        for part in (self.column, self.plots):
            part.apply_theme(theme)

    def end(self) -> None:
        self.following.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self.work.wait(deadline)

    # --- what is computed ---

    def _look(self) -> Asked | None:
        target, behaviour = self.target.chosen, self.behaviour.chosen
        if target is None or behaviour is None:
            return None
        temperature = self.temperature.value
        settings = Settings(gamma=self.gamma.value, episodes=int(self.episodes.value), horizon=int(self.horizon.value))
        computing = partial(_compute, target.load, behaviour.load, temperature, settings)
        return Asked((target.key, behaviour.key), (settings, temperature), computing)

    def _take(self, found: Weights) -> None:
        before = self.found
        self.found = found
        self.target.tell(found.iterations[0])
        self.behaviour.tell(found.iterations[1])
        at_end = before is None or self.slider.value() == self.slider.maximum()
        self.slider.blockSignals(True)
        self.slider.setRange(1, found.horizons)
        if at_end:
            self.slider.setValue(found.horizons)
        self.slider.blockSignals(False)
        self._show()
        self._stage.fill(True)

    def _fail(self, sentence: str) -> None:
        self._stage.set_hint(sentence)
        self._stage.fill(False)

    def _show(self) -> None:
        if self.found is not None:
            self.weights.show_weights(self.found)
            self.course.show_weights(self.found, self.shows.currentData())
            self._show_horizon(self.slider.value())

    def _show_horizon(self, horizon: int) -> None:
        if self.found is not None:
            self.value.setText(f"h = {horizon:,} step{'' if horizon == 1 else 's'}")
            self.weights.show_horizon(horizon)
            self.course.show_horizon(horizon)


def _compute(
    target: Callable[[], PolicySnapshot],
    behaviour: Callable[[], PolicySnapshot],
    temperature: float,
    settings: Settings,
) -> Iterator[tuple[float, Any]]:
    """On the thread."""
    from engine.analysis.lab.policies import tempered  # with torch
    from engine.analysis.lab.weights_lab import weights_of

    played = behaviour()
    yield from weights_of(target(), tempered(played, temperature) if temperature != 1.0 else played, settings)
