"""The page of likelihood: the same ∇ log π with weights 1 and Â, and what either would do with the same batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QDeadlineTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel

from app.panels.lab.choices import Column, Dial, at_both_ends, combo
from app.panels.lab.estimators.asking import EPISODES, GAMMAS, whole, written
from app.panels.lab.following import Asked, Following
from app.panels.lab.likelihood.plots import ComponentsPlot, PushPlot
from app.panels.lab.policy import PolicyChoice
from app.panels.lab.progress import Busy, say_meanwhile
from app.panels.lab.two_plots import TwoPlots
from app.panels.lab.work import LabWork
from app.panels.record import PanelContext, PanelWidget
from app.style.format import short_number
from app.style.text import Stage
from app.style.theme import Theme
from engine.analysis.lab.settings import (
    AVERAGE,
    OPTIMAL_PER_PARAMETER,
    PAIRS,
    REWARD_TO_GO,
    TOTAL_RETURN,
    Pair,
    Settings,
)
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig

if TYPE_CHECKING:  # with torch
    from app.models.history import History
    from engine.analysis.lab.likelihood_lab import Compared
    from engine.analysis.playback import PolicySnapshot

_DIVERGENCES = (0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
_SEEDS = tuple(range(1, 51))
_DOING = "A batch is played, and both gradients are computed of it"
_EMPTY = "What the policy gradient and maximum likelihood would do with the same episodes appears here."


class LikelihoodPage(PanelWidget):
    """Plays a batch on a thread of its own, and only while it can be seen."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        theme = context.theme
        self._choice: tuple[EnvironmentInfo, RunConfig] | None = None
        self.found: Compared | None = None
        self.work = LabWork(self, "likelihood", "The two gradients could not be compared")
        self.work.failed.connect(self._fail)
        self.following = Following(self, context, self.work, self._look, self._take)
        self.column = self._make_column(context)
        self.push, self.components = PushPlot(theme), ComponentsPlot(theme)
        self.plots = TwoPlots(theme, self.push, self.components)
        self._stage = Stage(_EMPTY, self.plots)
        say_meanwhile(self.work, self._stage, _DOING, _EMPTY)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, theme.unit // 2)
        layout.setSpacing(0)
        layout.addWidget(self.column)
        layout.addWidget(self._stage, 1)

    def _make_column(self, context: PanelContext) -> Column:
        column = Column(context.theme)
        self.told = QLabel("\n\n")
        self.told.setWordWrap(True)
        self.policy = PolicyChoice(context, "Policy", "Whose episodes both learn from")
        plain = [pair for pair in PAIRS if pair.credit in (TOTAL_RETURN, REWARD_TO_GO) and not pair.has_value]
        fitting = [pair for pair in plain if pair.baseline != OPTIMAL_PER_PARAMETER]
        self.pair = combo("Weights Â", "What the policy gradient weighs ∇ log π with", [(p.title, p) for p in fitting])
        self.pair.setCurrentIndex(fitting.index(Pair(REWARD_TO_GO, AVERAGE)))
        self.episodes = Dial("N", "Episodes: the batch that both learn from", EPISODES, whole)
        self.gamma = Dial("γ", "Discount: how much a reward counts that is one step later", GAMMAS, written)
        self.divergence = Dial(
            "KL", "Step: how far either step moves the policy, as its divergence in nats", _DIVERGENCES, written
        )
        self.seed = Dial("№", "Batch: another one, by other random numbers", _SEEDS, whole)
        self.episodes.set_value(20)
        self.gamma.set_value(1.0)
        self.divergence.set_value(0.01)
        column.set_head(at_both_ends(QLabel(), Busy(self.work)))
        for widget in (self.told, self.policy, self.pair, self.episodes, self.seed, self.gamma, self.divergence):
            column.add(widget)
        self.policy.activated.connect(self.following.ask_at_once)
        self.pair.activated.connect(self.following.ask_at_once)
        for dial in (self.episodes, self.gamma, self.divergence, self.seed):
            dial.changed.connect(self.following.ask_at_once)
        return column

    # --- from the window ---

    @property
    def watched(self) -> bool:
        return super().watched or self.push.seen_large or self.components.seen_large

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        if self._choice == (environment, config):
            return
        self._choice = environment, config
        self.policy.set_choice(environment, config)
        self.following.request()

    def refresh(self, history: History) -> None:
        self.following.request()

    def reset(self) -> None:
        self.found = None
        self.told.setText("\n\n")
        self._stage.set_hint(_EMPTY)
        self._stage.fill(False)
        self.following.forget()

    def name_run(self, name: str) -> None:
        self.push.run = self.components.run = name

    def apply_theme(self, theme: Theme) -> None:
        for part in (self.column, self.plots):
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
        settings = Settings(
            gamma=self.gamma.value, episodes=int(self.episodes.value), seed=int(self.seed.value), batches=1
        )
        pair, divergence = self.pair.currentData(), self.divergence.value
        computing = partial(_compute, chosen.load, settings, Pair(*pair), divergence)
        return Asked((chosen.key,), (settings, tuple(pair), divergence), computing)

    def _take(self, found: Compared) -> None:
        self.found = found
        self.policy.tell(found.iteration)
        self.told.setText(told(found))
        self.push.show_compared(found)
        self.components.show_compared(found)
        self._stage.fill(True)

    def _fail(self, sentence: str) -> None:
        self._stage.set_hint(sentence)
        self._stage.fill(False)


def told(found: Compared) -> str:
    """What a step along either does to J; where that is not known, how long they are."""
    one, other = found.likelihood, found.gradient
    if found.before is None or one.reached is None or other.reached is None:
        lengths = f"{short_number(one.length)} and {short_number(other.length)}"
        return f"Length of the gradients: {lengths}\n(likelihood, policy gradient)\n"
    return (
        f"J = {short_number(found.before)} becomes\n"
        f"{short_number(one.reached)} by likelihood\n"
        f"{short_number(other.reached)} by the policy gradient"
    )


def _compute(
    load: Callable[[], PolicySnapshot], settings: Settings, pair: Pair, divergence: float
) -> Iterator[tuple[float, Any]]:
    """On the thread."""
    from engine.analysis.lab.likelihood_lab import compare  # with torch

    yield from compare(load(), settings, pair, divergence)
