"""The page of gradients three ways: by symbols, by finite differences with any step, and automatically."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QDeadlineTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.panels.lab.choices import Column, Dial, at_both_ends, combo
from app.panels.lab.estimators.asking import GAMMAS, HorizonDial, written
from app.panels.lab.following import Asked, Following
from app.panels.lab.gradients.formula import Formula
from app.panels.lab.gradients.plots import DigitsPlot, ErrorsPlot
from app.panels.lab.policy import PolicyChoice
from app.panels.lab.progress import Busy, say_meanwhile
from app.panels.lab.two_plots import TwoPlots
from app.panels.lab.work import LabWork
from app.panels.record import PanelContext, PanelWidget
from app.style.format import power_of_ten, short_number
from app.style.slider import Slider
from app.style.text import Stage, SteadyLabel
from app.style.theme import Theme
from engine.analysis.lab.settings import Settings
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig

if TYPE_CHECKING:  # with torch
    from app.models.history import History
    from engine.analysis.lab.three_ways import Of, ThreeWays
    from engine.analysis.playback import PolicySnapshot

_OF = (("J(θ), the expected return", "return"), ("log π(a|s)", "log-probability"))
_PER_POWER = 4  # steps of the slider for a power of ten, as they are computed
_LOWEST = -15
_FIRST = -6.0  # log₁₀ h
_DOING = "The gradient is computed by symbols, by finite differences and automatically"
_EMPTY = "A gradient by symbols, by finite differences and automatically appears here."


class GradientsPage(PanelWidget):
    """Computes on a thread of its own, and only while it can be seen; the step is dragged over what was computed."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        theme = context.theme
        self._choice: tuple[EnvironmentInfo, RunConfig] | None = None
        self.found: ThreeWays | None = None
        self.work = LabWork(self, "gradients", "The gradients could not be computed")
        self.work.failed.connect(self._fail)
        self.following = Following(self, context, self.work, self._look, self._take)
        self.column = self._make_column(context)
        self.formula, self.why = Formula(theme), QLabel()
        self.why.setWordWrap(True)
        self.why.setProperty("role", "muted")
        self.why.setProperty("small", True)
        self.why.setContentsMargins(theme.unit, 0, theme.unit, 0)
        self.why.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.errors, self.digits = ErrorsPlot(theme), DigitsPlot(theme)
        content = QWidget()
        rows = QVBoxLayout(content)
        rows.setContentsMargins(0, theme.unit // 2, 0, 0)
        rows.setSpacing(0)
        self.plots = TwoPlots(theme, self.errors, self.digits)
        for widget in (self.formula, self.why):
            rows.addWidget(widget)
        rows.addWidget(self.plots, 1)
        self._stage = Stage(_EMPTY, content)
        say_meanwhile(self.work, self._stage, _DOING, _EMPTY)
        self._stage.turned.connect(self.slider.setEnabled)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, theme.unit // 2)
        layout.setSpacing(0)
        layout.addWidget(self.column)
        layout.addWidget(self._stage, 1)
        self.errors.dragging.dragged.connect(self._drag)

    def _make_column(self, context: PanelContext) -> Column:
        column = Column(context.theme)
        self.value = SteadyLabel("h = 1.0×10⁻¹⁰", "heading")
        self.slider = Slider()
        self.slider.setRange(0, _PER_POWER * (1 - _LOWEST))
        self.slider.setAccessibleName("Step h")
        self.slider.setToolTip("How far apart the two places are at which f is evaluated, as a power of ten")
        self.slider.setValue(round(_PER_POWER * (_FIRST - _LOWEST)))
        self.slider.setEnabled(False)  # until there is something that it changes
        self.slider.valueChanged.connect(self._show_step)
        self._show_step(self.slider.value())
        column.set_head(at_both_ends(self.value, Busy(self.work)))
        self.told = QLabel("\n\n")  # as high as what it will say
        self.told.setProperty("role", "muted")
        self.told.setProperty("small", True)
        self.told.setWordWrap(True)
        self.of = combo("Function", "What is differentiated by the policy's parameters", _OF)
        self.policy = PolicyChoice(context, "Policy", "Whose parameters it is differentiated by")
        self.gamma = Dial("γ", "Discount: how much a reward counts that is one step later", GAMMAS, written)
        self.horizon = HorizonDial()
        self.gamma.set_value(1.0)
        for widget in (self.slider, self.of, self.policy, self.told, self.gamma, self.horizon):
            column.add(widget)
        self.of.activated.connect(self._offer)
        for choice in (self.of, self.policy):
            choice.activated.connect(self.following.ask_at_once)
        for dial in (self.gamma, self.horizon):
            dial.changed.connect(self.following.ask_at_once)
        return column

    def _offer(self) -> None:
        """Of one action's probability there is neither a discount nor a horizon."""
        for dial in (self.gamma, self.horizon):
            dial.setEnabled(self.of.currentData() == "return")

    # --- from the window ---

    @property
    def watched(self) -> bool:
        return super().watched or self.errors.seen_large or self.digits.seen_large

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        if self._choice == (environment, config):
            return
        self._choice = environment, config
        self.policy.set_choice(environment, config)
        self.horizon.set_choice(environment)
        self.following.request()

    def refresh(self, history: History) -> None:
        self.following.request()

    def reset(self) -> None:
        self.found = None
        self.told.setText("\n")
        self._stage.set_hint(_EMPTY)
        self._stage.fill(False)
        self.following.forget()

    def name_run(self, name: str) -> None:
        self.errors.run = self.digits.run = name

    def apply_theme(self, theme: Theme) -> None:
        for part in (self.column, self.formula, self.plots):
            part.apply_theme(theme)

    def end(self) -> None:
        self.following.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self.work.wait(deadline)

    # --- what is computed ---

    def _look(self) -> Asked | None:
        chosen = self.policy.chosen
        if chosen is None:
            return None
        settings, of = Settings(gamma=self.gamma.value, horizon=int(self.horizon.value)), self.of.currentData()
        return Asked((chosen.key,), (settings, of), partial(_compute, chosen.load, settings, of))

    def _take(self, found: ThreeWays) -> None:
        self.found = found
        self.policy.tell(found.iteration)
        automatic, differences = found.seconds
        self.told.setText(
            f"All {found.parameters:,} components: {_duration(automatic)} automatically, "
            f"{_duration(differences)} by differences"
        )
        self.formula.setVisible(bool(found.symbolic.formula))
        self.formula.show_latex(found.symbolic.formula)
        self.why.setVisible(bool(found.symbolic.why))
        self.why.setText(found.symbolic.why)
        self.errors.show_ways(found, 10.0 ** (np.arange(len(found.two_sided)) / _PER_POWER + _LOWEST))
        self.digits.show_ways(found)
        self._show_step(self.slider.value())
        self._stage.fill(True)

    def _fail(self, sentence: str) -> None:
        self._stage.set_hint(sentence)
        self._stage.fill(False)

    def _drag(self, power: float) -> None:
        self.slider.setValue(round(_PER_POWER * (power - _LOWEST)))

    def _show_step(self, tick: int) -> None:
        power = _LOWEST + tick / _PER_POWER
        self.value.setText(f"h = {power_of_ten(power)}")
        if self.found is not None:
            self.errors.show_step(power)
            self.digits.show_step(min(tick, len(self.found.two_sided) - 1), 10.0**power)


def _duration(seconds: float) -> str:
    return f"{short_number(1000 * seconds)} ms" if seconds < 1.0 else f"{short_number(seconds)} s"


def _compute(load: Callable[[], PolicySnapshot], settings: Settings, of: Of) -> Iterator[tuple[float, Any]]:
    """On the thread."""
    from engine.analysis.lab.three_ways import three_ways  # with torch

    yield from three_ways(load(), settings, of)
