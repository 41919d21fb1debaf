"""What is seen at each stop: strips of the batch's numbers, and what the update did to θ and to π."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLabel, QStackedWidget, QWidget

from app.models.inspection import BatchStep
from app.models.watched_update import WatchedUpdate
from app.panels.update.cells import Numbers, layout_of, layout_of_episodes, reach_of
from app.panels.update.drawn_plots import ErrorPlot, TargetPlot
from app.panels.update.plots import EllipsePlot, KLPlot, LossPlot, PushPlot, RatioPlot
from app.panels.update.rows import ThetaRows, TryRows
from app.panels.update.strips import Shared, Strips
from app.style.theme import Theme
from engine.analysis.pushes import moved, pushes
from engine.catalogue.methods.stops import Stop
from engine.reports.update_events import ComponentChange, Inspected, PolicyChange, UpdateStep

_BESIDE, _ABOVE = 210, 130  # pixels across that a picture wants beside another, and down above one
_TRIES = 6  # the share of the tries of a line search, beside the 5 of a picture
_LOST = "This batch is only like that of the iteration, so what the update did to θ is not known."
RATIOS, ELLIPSE, THETA, LOSS, WEIGHTED, DRAWN = "ratios", "ellipse", "θ", "loss", "weighted", "drawn"


class View(NamedTuple):
    """What is looked at of an update: the stop, how many of its steps have been taken, whether θ is to be seen rather
    than how far the policy has come, and whether the actions are a few that are told apart."""

    stop: Stop
    taken: int
    theta: bool
    discrete: bool


class Pages(QStackedWidget):
    """One page for each stop; what is on it is changed, not made anew.

    Signals:
        chosen: what was clicked of a batch: a bar (``Bar``), a step (``BatchStep``), or all of it (None).
    """

    chosen = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.shared = Shared()
        self.strips = {
            name: Strips(theme, self.shared)
            for name in ("reward", "credit", "from", "baseline", "advantage", "weight", "push", "change", "weighted")
        }
        self.ratios, self.kl, self.pushed = RatioPlot(theme), KLPlot(theme), PushPlot(theme)
        self.ellipse, self.loss, self.moved_ratios = EllipsePlot(theme), LossPlot(theme), RatioPlot(theme)
        self.errors, self.targets = ErrorPlot(theme), TargetPlot(theme)
        self._plots = (
            self.errors,
            self.targets,
            self.ratios,
            self.kl,
            self.pushed,
            self.ellipse,
            self.loss,
            self.moved_ratios,
        )
        self.theta, self.tries, self.theta_beside = ThetaRows(theme), TryRows(theme), ThetaRows(theme)
        minus, equals = QLabel("−"), QLabel("=")
        strips = self.strips
        self._pages: dict[str, _Page] = {
            "collect": _Page(strips["reward"]),
            "credit": _Page(strips["credit"]),
            "baseline": _Page(strips["from"], minus, strips["baseline"], equals, strips["advantage"]),
            "weight": _Page(strips["weight"], strips["push"]),
            RATIOS: _TwoPictures(theme, self.ratios, self.kl),
            ELLIPSE: _TwoPictures(theme, self.ellipse, self.tries),
            WEIGHTED: _TwoPictures(theme, strips["weighted"], self.moved_ratios),
            LOSS: _TwoPictures(theme, self.loss),
            DRAWN: _TwoPictures(theme, self.errors, self.targets),
            THETA: _Page(self.theta),
            "iteration": _TwoPictures(theme, strips["change"], self.pushed),
        }
        for sign in (minus, equals):
            sign.setProperty("role", "number")
            sign.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
            sign.setContentsMargins(0, theme.px(18), 0, 0)
        for page in self._pages.values():
            self.addWidget(page)
        for each in strips.values():
            each.chosen.connect(self._choose_step)
        for plot in (self.ratios, self.moved_ratios, self.pushed, self.errors, self.targets):
            plot.chosen.connect(self.chosen)
        self._batch: object = None  # of which the layout is
        self._region: object = None

    def apply_theme(self, theme: Theme) -> None:
        for strips in self.strips.values():
            strips.apply_theme(theme)
        for plot in self._plots:
            plot.wear(theme)
        for rows in (self.theta, self.tries, self.theta_beside):
            rows.wear(theme)
        for page in self._pages.values():
            page.apply_theme(theme)

    def name_run(self, name: str) -> None:
        for plot in self._plots:
            plot.run = name

    def name_components(self, called: Callable[[ComponentChange], str]) -> None:
        """Call parameters so from now on."""
        self.theta.called = self.theta_beside.called = called

    @property
    def seen_large(self) -> bool:
        return any(plot.seen_large for plot in self._plots)

    def _choose_step(self, row: int) -> None:
        if self._batch is not None:
            self.chosen.emit(BatchStep(row))

    def begin(self) -> None:
        """Another update is shown."""
        for plot in (self.ratios, self.moved_ratios, self.errors, self.targets):
            plot.begin()

    # --- what is seen -------------------------------------------------------------------------------------------------

    def show_view(self, update: WatchedUpdate, view: View) -> str:
        """Show what there is at the stop; why there is nothing, in a sentence, empty where there is something."""
        if update.batch is not None:
            self._lay_out(update.batch)
        if view.stop == "collect" or view.stop == "episode":
            return self._show_rewards(update)
        if view.stop == "step":
            return self._show_step(update, view)
        if update.batch is None:
            return "This comes once all of the batch has been collected."
        if view.stop == "iteration":
            return _LOST if update.lost else self._show_moved(update.batch, update.steps, view)
        self._show_batch(update.batch, view)
        return ""

    def _show_rewards(self, update: WatchedUpdate) -> str:
        if update.batch is not None:
            rewards = _numbers(update.batch.rewards)
            self.strips["reward"].show_values("reward", "r", rewards, _largest(rewards))
        elif update.episodes:
            layout, rewards = layout_of_episodes(update.episodes)
            self._batch = None
            self.shared.lay_out(layout)
            self.strips["reward"].show_values("reward", "r", rewards, _largest(rewards))
        else:
            return "Each episode appears here as a strip of its rewards, as soon as it has ended."
        self._turn_to("collect")
        return ""

    def _lay_out(self, batch: Inspected) -> None:
        if batch is not self._batch:
            self._batch = batch
            self.shared.lay_out(layout_of(batch))

    def _show_batch(self, batch: Inspected, view: View) -> None:
        credit, baseline, advantages = map(_numbers, (batch.credit, batch.baseline, batch.advantages))
        strips, reach = self.strips, reach_of(credit)
        if view.stop == "credit":
            strips["credit"].show_values("credit", "Ψ", credit, reach)
        elif view.stop == "baseline":
            strips["from"].show_values("credit", "Ψ", credit, reach)
            strips["baseline"].show_values("baseline", "b", baseline, reach)
            strips["advantage"].show_values("advantage", "Â", advantages)
        else:
            pushed = "weight" if view.discrete else "weight, the push on log π"
            strips["weight"].show_values(pushed, "w", _numbers(batch.weights))
            strips["push"].show_values("push", "w (1 − π)", pushes(batch, discrete=view.discrete))
            strips["push"].setVisible(view.discrete)  # else it is the weight itself
        self._turn_to(view.stop)

    def _show_step(self, update: WatchedUpdate, view: View) -> str:
        steps = update.steps[: view.taken]
        if update.lost:
            return _LOST
        if not steps and not update.tries:
            return "This iteration took no step in θ." if update.over else "θ has not moved yet in this update."
        step = steps[-1] if steps else None
        kind = kind_of(update)
        if view.theta and step is not None:
            self.theta.show_step(step)
            self._turn_to(THETA)
            return ""
        if kind == ELLIPSE and update.region is not None:
            fraction = update.tries[-1].fraction if update.tries else 1.0
            self.ellipse.show_region(update.region, fraction)
            if update.tries:
                self.tries.show_tries(update.tries)
            else:
                self.theta_beside.show_step(step)
            self._beside_ellipse(bool(update.tries))
        elif kind == RATIOS and step is not None and step.policy is not None:
            self.ratios.show_change(step.policy, step.step)
            changes = [found.policy for found in update.steps if found.policy is not None]
            self.kl.show_steps(changes, view.taken, update.expected)
        elif kind == WEIGHTED and step is not None and step.policy is not None and step.weights is not None:
            if update.batch is not None:
                self.strips["weighted"].show_values("w × importance weight", "", _numbers(step.weights))
            self.moved_ratios.show_change(step.policy, step.step)
        elif kind == THETA and step is not None:
            self.theta.show_step(step)
        elif kind == DRAWN and step is not None:
            self.errors.show_step(update.steps, len(steps))
            self.targets.show_step(update.steps, len(steps))
        elif step is not None:
            self.loss.show_losses(update.steps, view.taken)
            self.theta_beside.show_step(step)
            self._beside_loss()
        self._turn_to(kind)
        return ""

    def _beside_ellipse(self, searched: bool) -> None:
        if not searched:
            self._pages[ELLIPSE].have(self.theta_beside)
        self.tries.setVisible(searched)
        self.theta_beside.setVisible(not searched)

    def _beside_loss(self) -> None:
        self._pages[LOSS].have(self.theta_beside)
        self.theta_beside.setVisible(True)

    def _show_moved(self, batch: Inspected, steps: Sequence[UpdateStep], view: View) -> str:
        changes: list[PolicyChange] = [step.policy for step in steps[: view.taken] if step.policy is not None]
        if not changes:
            return "How far the policy has moved is known after the first step in θ."
        found = moved(batch, changes[-1], discrete=view.discrete)
        values = np.full(len(batch.rewards), np.nan)
        values[found.rows] = found.change
        self.strips["change"].show_values("", "Δπ(a|s)" if view.discrete else "Δ log π(a|s)", values)
        self.pushed.show_moved(found)
        self._turn_to("iteration")
        return ""

    def _turn_to(self, name: str) -> None:
        if self.currentWidget() is not self._pages[name]:
            self.setCurrentWidget(self._pages[name])


def kind_of(update: WatchedUpdate) -> str:
    """How an update's steps are best seen: by its ellipse, by ratios as there are several, by importance weights, by
    what was drawn, by θ, or by a loss."""
    if update.region is not None:
        return ELLIPSE
    steps = update.steps
    if steps and steps[0].weights is not None:
        return WEIGHTED
    if steps and steps[0].policy is not None:
        return RATIOS if steps[0].epochs > 1 or len(steps) > 1 or steps[0].clipped is not None else THETA
    if steps and steps[0].drawn is not None:
        return DRAWN
    return LOSS if steps and (steps[0].errors is not None or steps[0].epochs > 1) else THETA


class _Page(QWidget):
    """Pictures side by side."""

    def __init__(self, *widgets: QWidget) -> None:
        super().__init__()
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)
        for widget in widgets:
            self.have(widget)

    def apply_theme(self, theme: Theme) -> None:
        """Nothing here depends on it."""

    def have(self, widget: QWidget) -> None:
        """Show it here, too, behind the others, wherever it has been."""
        if self._row.indexOf(widget) < 0:
            self._row.addWidget(
                widget, 0 if isinstance(widget, QLabel) else _TRIES if isinstance(widget, TryRows) else 5
            )


class _TwoPictures(_Page):
    """One above the other where there is room for that, but not for both side by side."""

    def __init__(self, theme: Theme, *widgets: QWidget) -> None:
        super().__init__(*widgets)
        self._theme = theme

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        above = self.width() < 2 * self._theme.px(_BESIDE) and self.height() >= 2 * self._theme.px(_ABOVE)
        directions = QBoxLayout.Direction
        self._row.setDirection(directions.TopToBottom if above else directions.LeftToRight)
        for tries in self.findChildren(TryRows):  # a few lines, which need little height
            self._row.setStretchFactor(tries, 2 if above else _TRIES)


def _largest(values: Numbers) -> float:
    return float(np.abs(values).max(initial=0.0)) or 1.0


def _numbers(values: np.ndarray) -> Numbers:
    found: Numbers = values.astype(np.float64)
    return found
