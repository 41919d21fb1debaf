"""What the page of estimators is asked: of which policy, how estimates are made, and which of them are shown."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCheckBox, QMenu, QToolButton

from app.panels.lab.choices import Column, Dial, combo
from app.panels.lab.policy import PolicyChoice
from app.panels.record import PanelContext
from app.style.format import short_number
from engine.analysis.lab.settings import (
    AVERAGE,
    LAMBDA,
    LEAVE_ONE_OUT,
    N_STEP,
    OPTIMAL,
    PAIRS,
    PLAIN,
    REWARD_TO_GO,
    TIME_AVERAGE,
    TOTAL_RETURN,
    VALUE,
    Objective,
    Pair,
    Settings,
    ValueKind,
    misfit,
)
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.estimators import GAE, NStepTD

GAMMAS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999, 1.0)
_LAMBDAS = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99, 1.0)
_STEPS = (1, 2, 3, 5, 8, 10, 15, 20, 30, 50, 100)
EPISODES = (1, 2, 3, 5, 8, 10, 16, 20, 32, 50, 64, 100, 200)
_HORIZONS = (1, 2, 3, 5, 8, 10, 15, 20, 30, 50, 100, 200, 500)
_OWN = 0  # the horizon that the environment has by itself
ADDED = (-100, -30, -10, -5, -3, -2, -1, -0.5, -0.1, 0, 0.1, 0.5, 1, 2, 3, 5, 10, 30, 100)
_BATCHES = (1, 10, 100, 1000, 10_000)
_VALUES: tuple[tuple[str, ValueKind], ...] = (
    ("V fit to other episodes", "fitted"),
    ("V fit to the same batch", "same"),
    ("V of the run's critic", "critic"),
    ("V exact", "exact"),
    ("V wrong: mirrored", "wrong"),
)
_OBJECTIVES: tuple[tuple[str, Objective], ...] = (
    ("J: discounted return", "discounted"),
    ("J: undiscounted return", "undiscounted"),
)
# Those that are shown where there is not room for all, the first first.
_FIRST = (
    Pair(REWARD_TO_GO, PLAIN),
    Pair(REWARD_TO_GO, VALUE),
    Pair(LAMBDA, VALUE),
    Pair(TOTAL_RETURN, PLAIN),
    Pair(REWARD_TO_GO, AVERAGE),
    Pair(TOTAL_RETURN, AVERAGE),
    Pair(N_STEP, VALUE),
    Pair(REWARD_TO_GO, LEAVE_ONE_OUT),
    Pair(REWARD_TO_GO, OPTIMAL),
    Pair(REWARD_TO_GO, TIME_AVERAGE),
)


class HorizonDial(Dial):
    """After how many steps an episode is cut off: fewer than the environment's own limit, or that, at the right end."""

    def __init__(self) -> None:
        self._own = "none"
        super().__init__("H", "Horizon: steps after which an episode is cut off", (*_HORIZONS, _OWN), self._words)
        self.set_value(_OWN)

    def set_choice(self, environment: EnvironmentInfo) -> None:
        limit = environment.time_limit
        self._own = "none" if limit is None else whole(limit)
        self.offer([*(steps for steps in _HORIZONS if limit is None or steps < limit), _OWN], _OWN)

    def _words(self, steps: float) -> str:
        return self._own if steps == _OWN else whole(steps)


class Asking(Column):
    """Signals:
    changed: a person wants it otherwise.
    """

    changed = Signal()

    def __init__(self, context: PanelContext) -> None:
        super().__init__(context.theme)
        self._touched = False
        self.policy = PolicyChoice(context, "Policy", "Whose gradient is estimated")
        self.batches = combo("Batches", "How often the gradient is estimated", [])
        for count in _BATCHES:
            self.batches.addItem("1 batch" if count == 1 else f"{count:,} batches", count)
        self.batches.setCurrentIndex(_BATCHES.index(1000))
        self.value = combo("V", "Which V is subtracted, and stands in for rewards", _VALUES)
        self.objective = combo("J", "Of which J the gradient is that the estimates are held against", _OBJECTIVES)
        self.gamma = Dial("γ", "Discount: how much a reward counts that is one step later", GAMMAS, written)
        self.gae_lambda = Dial("λ", "GAE decay: 0 is one-step TD, 1 the full reward-to-go", _LAMBDAS, written)
        self.n = Dial("n", "Steps before bootstrapping: rewards counted before V stands in", _STEPS, whole)
        self.episodes = Dial("N", "Episodes per batch: what one estimate is made of", EPISODES, whole)
        self.horizon = HorizonDial()
        self.added = Dial("+c", "Constant added to every step's reward", ADDED, signed)
        self.weights = QCheckBox("weight step t by γᵗ")
        self.weights.setToolTip(
            "As the gradient of the discounted return has it; common practice leaves it out, which turns the estimate"
        )
        for widget in (self.policy, self.batches, self.value, self.objective):
            self.add(widget)
            widget.activated.connect(self._touch)
        for dial in (self.gamma, self.gae_lambda, self.n, self.episodes, self.horizon, self.added):
            self.add(dial)
            dial.changed.connect(self._touch)
        self.add(self.weights)
        self.weights.clicked.connect(self._touch)
        self.episodes.set_value(20)
        self.added.set_value(0)
        self.follow(PolicyGradientConfig())
        self.apply_theme(context.theme)

    def follow(self, config: RunConfig) -> None:
        """Stand as such a run estimates, as long as nobody has moved anything."""
        if self._touched:
            return
        estimator = config.estimator
        self.gamma.set_value(estimator.gamma)
        credit = getattr(estimator, "credit", None)
        self.gae_lambda.set_value(credit.gae_lambda if isinstance(credit, GAE) else 0.95)
        self.n.set_value(credit.n if isinstance(credit, NStepTD) else 5)

    @property
    def settings(self) -> Settings:
        return Settings(
            gamma=self.gamma.value,
            gae_lambda=self.gae_lambda.value,
            n=int(self.n.value),
            episodes=int(self.episodes.value),
            batches=self.batches.currentData(),
            horizon=int(self.horizon.value),
            added=float(self.added.value),
            discount_states=self.weights.isChecked(),
            value=self.value.currentData(),
            objective=self.objective.currentData(),
        )

    def _touch(self) -> None:
        self._touched = True
        self.changed.emit()


class PairsMenu(QToolButton):
    """Which estimators are shown; those that cannot be are there with the reason.

    Signals:
        changed: others are to be shown.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setText("Which ones")
        self.setToolTip("Which estimators are shown")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        self._actions: dict[Pair, QAction] = {}
        self._fitting: set[Pair] = set()
        self._looked_at: object = None
        for number, pair in enumerate(PAIRS):
            if number and pair.credit != PAIRS[number - 1].credit:
                menu.addSeparator()
            action = menu.addAction(pair.title)
            action.setCheckable(True)
            action.setChecked(True)
            action.triggered.connect(self.changed)
            self._actions[pair] = action
        self.setMenu(menu)

    def look_at(self, settings: Settings, config: RunConfig, environment: EnvironmentInfo) -> None:
        """Offer those that can estimate the gradient there."""
        if (settings, config, environment) == self._looked_at:
            return
        self._looked_at = settings, config, environment
        self._fitting.clear()
        for pair, action in self._actions.items():
            reason = misfit(pair, settings, config, environment)
            action.setEnabled(reason is None)
            action.setToolTip(pair.told if reason is None else str(reason))
            if reason is None:
                self._fitting.add(pair)

    @property
    def pairs(self) -> Sequence[Pair]:
        """Those that are shown and can be, the first of their order where there is not room for all."""
        wanted = [pair for pair in PAIRS if pair in self._fitting and self._actions[pair].isChecked()]
        return sorted(wanted, key=lambda pair: _FIRST.index(pair) if pair in _FIRST else len(_FIRST))


def in_order(pairs: Sequence[Pair]) -> list[Pair]:
    """As they stand in the menu."""
    return sorted(pairs, key=PAIRS.index)


def written(value: float) -> str:
    return f"{value:g}"


def whole(value: float) -> str:
    return f"{value:,.0f}"


def signed(value: float) -> str:
    return f"+{short_number(value)}" if value > 0 else short_number(value)
