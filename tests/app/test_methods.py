"""What each method adds to the plots: its ratios or weights, and its own diagnostics."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.models.axis_choice import AxisChoice
from app.models.histories import Histories
from app.models.history import History
from app.models.past import Past
from app.panels.advantages import AdvantagesPanel
from app.panels.diagnostics import DiagnosticsPanel
from app.panels.returns import ReturnsPanel
from app.plotting.histogram import histogram
from app.style.format import power_of_ten
from app.style.theme import load_theme
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.catalogue.methods.reported import diagnosed
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.parameters import with_values
from engine.reports.events import Collected, Estimated, Reweighted, Updated
from engine.training.training import Training

DARK = load_theme("dark")
CARTPOLE = ENVIRONMENTS["CartPole-v1"]


def of(algorithm: str, **values: Any) -> RunConfig:
    changes = {path.replace("__", "."): value for path, value in values.items()}
    return with_values(choose(PolicyGradientConfig(), ALGORITHMS[algorithm]), changes)


def a_run(log_ratios: list[float] | None = None, kind: Any = "step", iterations: int = 3, **known: float) -> History:
    """``known`` is what the engine says of the ratios."""
    history = History()
    for i in range(1, iterations + 1):
        history.add_iteration(
            Updated(i, i * 100, 0, float(i), {"mean_return": None, "loss": -1.0 * i, "approx_kl": 0.1})
        )
    history.advantages = Estimated(iterations, np.float32([-3.0, -1.0, 0.5, 4.0]), np.float32([-1.2, -0.4, 0.2, 1.5]))
    if log_ratios is not None:
        history.ratios = Reweighted(iterations, np.float32(log_ratios), kind, **known)
    return history


# --- ratios and weights -----------------------------------------------------------------------------------------------


@pytest.fixture
def panel(qtbot: QtBot) -> AdvantagesPanel:
    panel = AdvantagesPanel(DARK, Past())
    qtbot.addWidget(panel)
    panel.resize(330, 300)
    panel.show()
    return panel


def click(panel: AdvantagesPanel, qtbot: QtBot) -> None:
    qtbot.mouseClick(panel.ratios_button, Qt.MouseButton.LeftButton)


def test_a_method_without_ratios_says_which_have_them(panel: AdvantagesPanel) -> None:
    panel.set_choice(CARTPOLE, of("trpo"))
    assert not panel.ratios_button.isEnabled()
    assert "PPO" in panel.ratios_button.toolTip()


def test_ratios_are_drawn_around_1_within_the_clip_range(panel: AdvantagesPanel, qtbot: QtBot) -> None:
    panel.set_choice(CARTPOLE, of("ppo"))
    panel.refresh(a_run([np.log(0.9), np.log(1.05), np.log(1.1), 0.0], clip_range=0.3))
    click(panel, qtbot)
    (low, high), _ = panel.plot.ranges
    assert low <= 0.7 < 1.3 <= high
    assert panel.lines == ["25 % less likely", "50 % likelier", "mean 1.01 ± 0.074", "1 ± ε, ε = 0.3"]


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_the_lines_of_the_last_iteration_are_where_the_rule_clipped(
    panel: AdvantagesPanel, qtbot: QtBot, schedule: str
) -> None:
    """A schedule ends at 0, but the last update still clips somewhere; its ratios lie around these lines."""
    config = of("ppo", update__clip_range_schedule=schedule, update__epochs=1, budget__environment_steps=1000)
    histories = Histories()
    history = histories.begin("a")
    training = Training(config, "a")
    for event in training:
        histories.add(event)
    before = history.steps.values[-2] if len(history.steps) > 1 else 0
    left = 1.0 - before / 1000
    expected = 0.2 * (left if schedule == "linear" else 0.5 * (1.0 - math.cos(math.pi * left)))
    panel.set_choice(CARTPOLE, config)
    panel.refresh(history)
    click(panel, qtbot)
    lines = {moment.text.partition(" = ")[0]: moment.x for moment in panel._lines.moments}
    assert history.ratios.iteration == history.iterations
    assert lines["1 + ε"] == pytest.approx(1 + expected)
    assert lines["1 − ε"] == pytest.approx(1 - expected)
    outside = np.abs(np.exp(history.ratios.log_ratios) - 1.0) > expected
    assert outside.mean() == pytest.approx(history.metrics["clip_fraction"].values[-1], abs=1e-6)


@pytest.mark.parametrize("algorithm", ["reinforce", "ppo", "exact-gradient"])
def test_advantages_are_shown_normalised_whatever_the_update_does(
    panel: AdvantagesPanel, qtbot: QtBot, algorithm: str
) -> None:
    config = of(algorithm, environment="FrozenLake-v1", policy="tabular")
    histories = Histories()
    history = histories.begin("a")
    training = Training(config, "a")
    for event in training:
        histories.add(event)
        if history.advantages is not None:
            break
    training.close()
    panel.set_choice(CARTPOLE, config)
    panel.refresh(history)
    panel.normalised = True
    assert "mean 0" in panel.lines
    assert {"± std 1", "± std 0"} & set(panel.lines)


def test_a_ratio_without_a_clip_range_marks_none(panel: AdvantagesPanel, qtbot: QtBot) -> None:
    panel.set_choice(CARTPOLE, of("ppo-penalty"))
    panel.refresh(a_run([-0.1, 0.1]))
    click(panel, qtbot)
    assert [text for text in panel.lines if "ε" in text] == []


def test_weights_are_drawn_as_powers_of_ten_with_their_effective_number(panel: AdvantagesPanel, qtbot: QtBot) -> None:
    panel.set_choice(CARTPOLE, of("off-policy-pg"))
    assert panel.ratios_button.text() == "Weights"
    weights = [np.log(1e12), -3.0, 0.5, -np.inf]
    panel.refresh(a_run(weights, "episode", truncation=100.0, effective_sample_size=1.02))
    click(panel, qtbot)
    assert panel.plot.ranges[0][1] >= 12
    assert panel.lines == ["50 % below 1", "50 % above 1", "cut at 100", "largest 1.0×10¹²", "ESS 1.0 of 4"]


def test_batches_in_which_nothing_has_moved_or_all_is_ruled_out_are_drawn(panel: AdvantagesPanel, qtbot: QtBot) -> None:
    panel.set_choice(CARTPOLE, of("off-policy-pg"))
    click(panel, qtbot)
    for weights in ([0.0, 0.0], [-np.inf, -np.inf], [300.0, -300.0]):
        panel.reset()
        panel.refresh(a_run(weights, "episode", effective_sample_size=1.0))
        assert panel.grab().toImage().width() > 0
        assert panel.lines[-1].startswith("ESS")


def test_differences_of_no_account_do_not_fill_the_plot(panel: AdvantagesPanel, qtbot: QtBot) -> None:
    panel.set_choice(CARTPOLE, of("off-policy-pg"))
    panel.refresh(a_run([1e-5, -1e-5], "episode"))
    click(panel, qtbot)
    low, high = panel.plot.ranges[0]
    assert low <= -0.1 < 0.1 <= high


def test_the_panel_fits_half_of_the_middle_of_a_small_window(panel: AdvantagesPanel) -> None:
    assert panel.minimumSizeHint().width() <= 320


def test_before_the_first_update_the_ratios_say_what_will_appear(panel: AdvantagesPanel, qtbot: QtBot) -> None:
    panel.set_choice(CARTPOLE, of("ppo"))
    click(panel, qtbot)
    panel.refresh(a_run())
    hints = [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]
    assert any("after the first update" in hint for hint in hints)


def test_choosing_a_method_without_ratios_goes_back_to_the_advantages(panel: AdvantagesPanel, qtbot: QtBot) -> None:
    panel.set_choice(CARTPOLE, of("ppo"))
    click(panel, qtbot)
    panel.set_choice(CARTPOLE, of("reinforce"))
    panel.refresh(a_run())
    assert "50 % positive" in panel.lines


def test_newer_ratios_are_drawn(panel: AdvantagesPanel, qtbot: QtBot) -> None:
    panel.set_choice(CARTPOLE, of("ppo"))
    click(panel, qtbot)
    history = a_run([0.0, 0.0])
    panel.refresh(history)
    history.ratios = Reweighted(4, np.float32([0.1, 0.1]), "step")
    panel.refresh(history)
    qtbot.waitUntil(lambda: "100 % likelier" in panel.lines, timeout=2000)


def test_no_bin_mixes_less_likely_with_likelier() -> None:
    bars = histogram(np.array([0.95, 1.02]), (0.13, 2.2), centre=1.0)
    assert np.isclose(bars.edges, 1.0).any()
    assert (bars.negative, bars.positive) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("exponent", "text"), [(0.0, "1"), (2.0, "100"), (12.3, "2.0×10¹²"), (-7.0, "1.0×10⁻⁷"), (400.0, "1.0×10⁴⁰⁰")]
)
def test_no_power_of_ten_is_too_large(exponent: float, text: str) -> None:
    assert power_of_ten(exponent) == text


def test_returns_wait_for_the_first_episode(qtbot: QtBot) -> None:
    panel = ReturnsPanel(DARK, AxisChoice(), Past())
    qtbot.addWidget(panel)
    panel.show()
    history = a_run()
    panel.refresh(history)
    assert any("will appear here" in label.text() for label in panel.findChildren(QLabel) if label.isVisible())
    history.add_episodes(Collected(4, 400, np.array([7.0]), np.array([90]), np.array([390]), 4.0))
    history.add_iteration(Updated(4, 400, 1, 4.0, {"mean_return": 7.0}))
    panel.refresh(history)
    assert "7.000" in [label.text() for label in panel.findChildren(QLabel)]


# --- diagnostics ------------------------------------------------------------------------------------------------------


@pytest.fixture
def diagnostics(qtbot: QtBot) -> DiagnosticsPanel:
    panel = DiagnosticsPanel(DARK, AxisChoice(), Past())
    qtbot.addWidget(panel)
    panel.resize(310, 290)
    panel.show()
    return panel


@pytest.mark.parametrize("algorithm", ["reinforce", "ppo", "off-policy-pg"])
def test_only_the_methods_own_metrics_are_plotted(diagnostics: DiagnosticsPanel, algorithm: str) -> None:
    diagnostics.set_choice(CARTPOLE, of(algorithm))
    diagnostics.refresh(a_run())
    visible = [plot.parentWidget().title.text() for plot in diagnostics.plots if plot.isVisible()]
    assert len(visible) == len(diagnosed(of(algorithm))) == len(diagnostics.shown)
    shown = [small for small in diagnostics._columns.children() if getattr(small, "isVisible", bool)()]
    assert len(shown) == len(visible)


def test_what_values_promise_and_what_was_achieved_are_held_against_each_other_in_one_plot(
    diagnostics: DiagnosticsPanel,
) -> None:
    """At the top, since overestimation is what to look for; so are targets and estimates."""
    diagnostics.set_choice(CARTPOLE, of("dqn"))
    titles = [small.title.text() for small in diagnostics.smalls]
    assert titles[0] == "Value at the start, dashed: return"
    assert titles[2] == "Targets, mean, dashed: estimates"
    assert diagnostics._stage._hint.text().startswith("Value at the start · Largest value · ")
    assert {"Discounted return", "Estimates, mean"}.isdisjoint(titles)
    history = History()
    for i in range(1, 4):
        told = {"first_value": 10.0 * i, "discounted_return": 5.0 + i if i > 1 else None}
        history.add_iteration(Updated(i, i * 100, 0, float(i), told))
    diagnostics.refresh(history)
    small = diagnostics.smalls[0]
    assert [small._line.y.tolist(), small._other_line.y.tolist()] == [[10.0, 20.0, 30.0], [7.0, 8.0]]
    low, high = small._y or (0.0, 0.0)  # in a range that holds both
    assert low < 7.0
    assert high > 30.0
    assert "Discounted return" in small.explanation
    assert list(small._numbers().columns)[-2:] == ["Value at the start (reward)", "Discounted return (reward)"]
    diagnostics.set_choice(CARTPOLE, of("ppo"))
    diagnostics.set_choice(CARTPOLE, of("dqn"))
    assert [small.title.text() for small in diagnostics.smalls] == titles


def many(diagnostics: DiagnosticsPanel) -> None:
    diagnostics.set_choice(CARTPOLE, of("ppo", update__learning_rate_schedule="linear"))
    diagnostics.refresh(a_run())


def test_many_plots_stay_legible_and_scroll(diagnostics: DiagnosticsPanel, qtbot: QtBot) -> None:
    many(diagnostics)
    bar = diagnostics._scroll.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    assert min(plot.height() for plot in diagnostics.plots) >= 37
    assert min(plot.width() for plot in diagnostics.plots) >= 100
    seen, row = diagnostics._scroll.viewport().height(), diagnostics.plots[0].height()
    assert (seen % row) in (0, *range(row - row // 4, row))  # whole rows, but for the blank foot of the last


def test_after_many_plots_few_fill_the_panel_again(diagnostics: DiagnosticsPanel) -> None:
    many(diagnostics)
    diagnostics.reset()  # what is hidden is not laid out
    diagnostics.set_choice(CARTPOLE, of("trpo"))
    diagnostics.set_choice(CARTPOLE, of("reinforce"))
    diagnostics.refresh(a_run())
    assert diagnostics._columns.height() == diagnostics._scroll.viewport().height()


def test_explained_variance_is_written_without_powers_of_ten(diagnostics: DiagnosticsPanel) -> None:
    many(diagnostics)
    small = next(small for name, small in diagnostics._smalls.items() if name == "explained_variance")
    assert (small._written(-0.00065), small._written(-40.0)) == ("EV = −0.001", "EV = −40.0")


def test_few_plots_do_not_scroll(diagnostics: DiagnosticsPanel) -> None:
    diagnostics.set_choice(CARTPOLE, of("reinforce"))
    diagnostics.refresh(a_run())
    assert diagnostics._scroll.verticalScrollBar().maximum() == 0


@pytest.mark.parametrize(
    ("key", "scrolls"), [(Qt.KeyboardModifier.NoModifier, True), (Qt.KeyboardModifier.ControlModifier, False)]
)
def test_the_wheel_scrolls_plots_that_do_not_fit(
    diagnostics: DiagnosticsPanel, qtbot: QtBot, key: Qt.KeyboardModifier, scrolls: bool
) -> None:
    many(diagnostics)
    bar, plot = diagnostics._scroll.verticalScrollBar(), diagnostics.plots[0]
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    before, at = plot.seen, QPointF(plot.viewport().rect().center())
    event = QWheelEvent(
        at, plot.viewport().mapToGlobal(at), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton, key,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(plot.viewport(), event)
    assert (bar.value() > 0, plot.seen == before) == (scrolls, scrolls)


def test_the_keyboard_scrolls_plots_that_do_not_fit(diagnostics: DiagnosticsPanel, qtbot: QtBot) -> None:
    many(diagnostics)
    bar = diagnostics._scroll.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    diagnostics._scroll.setFocus()
    qtbot.keyClick(diagnostics._scroll, Qt.Key.Key_PageDown)
    assert bar.value() > 0


def test_a_wide_panel_shows_many_plots_side_by_side(diagnostics: DiagnosticsPanel) -> None:
    diagnostics.resize(900, 330)
    many(diagnostics)
    assert len({plot.mapTo(diagnostics, QPoint(0, 0)).x() for plot in diagnostics.plots}) > 1
    assert diagnostics._scroll.verticalScrollBar().maximum() == 0
