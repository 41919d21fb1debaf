"""The window used as a person would: real clicks, a real engine thread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.panels.episode.panel import EpisodePanel
from app.panels.returns import ReturnsPanel
from app.style.format import NOTHING
from app.window.main_window import MainWindow
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.entries import ALGORITHMS
from engine.config.environments import EnvironmentConfig
from engine.reports.events import Updated
from engine.training.training import Training
from tests.app.shorthands import click, experiment, iterations, pick_environment

Make = Callable[..., MainWindow]
Reach = Callable[..., None]


def test_one_click_and_an_agent_learns(qtbot: QtBot, make_window: Make, reach: Reach) -> None:
    window = make_window()
    click(qtbot, window, "start")
    qtbot.waitUntil(lambda: iterations(window) >= 12, timeout=30_000)
    means = window.controller.history.metrics["mean_return"].values
    assert means[-1] > 1.3 * means[0]


def test_a_run_is_held_goes_on_is_stopped_and_reset(qtbot: QtBot, make_window: Make, reach: Reach) -> None:
    window = make_window()
    click(qtbot, window, "start")
    reach(window, RunState.RUNNING)
    click(qtbot, window, "start")
    reach(window, RunState.PAUSED)
    held = iterations(window)
    qtbot.wait(100)
    assert iterations(window) == held
    click(qtbot, window, "start")
    qtbot.waitUntil(lambda: iterations(window) > max(held, 1), timeout=20_000)
    # Stop keeps the curves, and reset clears them.
    click(qtbot, window, "stop")
    reach(window, RunState.STOPPED)
    assert iterations(window) >= 2
    assert window.toolbar.progress.word == "Stopped"
    click(qtbot, window, "reset")
    assert window.controller.state is RunState.IDLE
    assert iterations(window) == 0
    # While a run trains, reset stops it first.
    click(qtbot, window, "start")
    reach(window, RunState.RUNNING)
    click(qtbot, window, "reset")
    reach(window, RunState.IDLE)
    assert iterations(window) == 0
    # A step is exactly one iteration.
    click(qtbot, window, "step")
    reach(window, RunState.PAUSED)
    assert iterations(window) == 1
    click(qtbot, window, "step")
    reach(window, RunState.RUNNING)
    reach(window, RunState.PAUSED)
    assert iterations(window) == 2
    # Space goes on, and pauses.
    qtbot.keyClick(window, Qt.Key.Key_Space)
    reach(window, RunState.RUNNING)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    reach(window, RunState.PAUSED)


def test_the_budget_ends_the_run_of_which_nothing_is_left_once_it_is_reset(
    qtbot: QtBot, make_window: Make, reach: Reach
) -> None:
    window = make_window(budget__environment_steps=500)
    window.start()
    reach(window, RunState.FINISHED)
    history = window.controller.history
    assert history.latest.environment_steps >= 500
    assert len(history.episode_returns) == history.latest.episodes
    assert len(window.panels.find(ReturnsPanel)._line.x) > 0
    assert window.playback._choice.newest is not None
    click(qtbot, window, "reset")
    assert len(window.panels.find(ReturnsPanel)._line.x) == 0
    assert window.playback._choice.newest is None


def test_the_window_trains_exactly_as_headless(make_window: Make, reach: Reach) -> None:
    values = {"budget__environment_steps": 3000, "seed": 5, "device": "cpu"}
    window = make_window(**values)
    window.start()
    reach(window, RunState.FINISHED)
    headless = [event for event in Training(window.experiment.config) if isinstance(event, Updated)]
    history = window.controller.history
    for name in ("mean_return", "loss", "grad_norm", "entropy", "explained_variance"):
        assert history.metrics[name].values.tolist() == pytest.approx([p.metrics[name] for p in headless], rel=1e-6)


def test_picking_an_algorithm_sets_both_axes() -> None:
    chosen = experiment()
    chosen.pick(ALGORITHMS["reinforce"])
    estimator = chosen.config.estimator
    assert (estimator.credit.kind, estimator.baseline.kind) == ("total-return", "none")


def test_what_defines_a_run_is_fixed_while_it_trains_and_the_rest_takes_effect_and_is_marked(
    qtbot: QtBot, make_window: Make, reach: Reach
) -> None:
    window = make_window()
    window.start()
    reach(window, RunState.RUNNING)
    panel = window.experiment_panel
    live = {row.editor.field for row in panel.form.rows.values() if row.parameter.live}
    enabled = {box for box in panel.findChildren(QComboBox) if box.isEnabled()}
    assert enabled <= live
    assert not window.toolbar.device.combo.isEnabled()
    panel.form.edited.emit("update.learning_rate", 0.001)
    qtbot.waitUntil(lambda: bool(window.controller.history.changes), timeout=10_000)
    change = window.controller.history.changes[0]
    assert (change.path, change.new) == ("update.learning_rate", 0.001)
    # Closing while it trains leaves no thread.
    assert window.controller.state is RunState.RUNNING
    window.close()
    assert window.shut_down()
    assert not window.training.isRunning()


def test_a_typed_environment_is_looked_up_and_a_start_waits_for_it(qtbot: QtBot, make_window: Make) -> None:
    window = make_window()
    with qtbot.waitSignal(window.lookups.refused, timeout=20_000) as refused:
        window.choice_loader.look_up(EnvironmentConfig(id="CartPol-v1"))
    assert "did you mean CartPole-v1?" in refused.args[1]
    assert window.experiment.environment.id == "CartPole-v1"

    cliff = EnvironmentConfig(id="CliffWalking-v1")
    window.choice_loader.look_up(cliff)
    window.start()
    assert window.controller.state is RunState.IDLE
    assert "CliffWalking-v1 is still being looked at" in window._notice.text()
    qtbot.waitUntil(lambda: window.experiment.environment.id == "CliffWalking-v1", timeout=20_000)
    assert window.experiment.environment.observation.size == 48

    # A late answer does not override a later choice.
    pick_environment(window.experiment, ENVIRONMENTS["CartPole-v1"])
    window.choice_loader.look_up(cliff)
    pick_environment(window.experiment, ENVIRONMENTS["Acrobot-v1"])
    window.lookups.inspected.emit(cliff, ENVIRONMENTS["CliffWalking-v1"])  # as when it was already on its way
    assert window.experiment.environment.id == "Acrobot-v1"


def test_a_start_that_is_stopped_at_once_leaves_the_last_run_alone(
    qtbot: QtBot, make_window: Make, reach: Reach
) -> None:
    window = make_window(budget__environment_steps=500)
    window.start()
    reach(window, RunState.FINISHED)
    last = window.controller.history
    before = len(last.episode_returns)
    window.start()
    window.controller.stop()
    reach(window, RunState.FINISHED, RunState.STOPPED)
    # Where the engine was faster than the click, the new run's own beginning is shown; the two are never mixed.
    assert len(last.episode_returns) == before
    assert window.controller.history is last or len(window.controller.history.episode_returns) < before
    assert window.controller.config is not None


def test_a_shorter_budget_than_has_passed_ends_the_run(qtbot: QtBot, make_window: Make, reach: Reach) -> None:
    window = make_window()
    window.start()
    qtbot.waitUntil(lambda: iterations(window) >= 2, timeout=20_000)
    window.controller.change("budget.environment_steps", 1)
    reach(window, RunState.FINISHED)
    assert window.controller.progress().budget == 1


def test_the_policy_of_a_new_run_plays_from_its_start(qtbot: QtBot, make_window: Make, reach: Reach) -> None:
    window = make_window(update__learning_rate=1e-6)
    window.start()
    qtbot.waitUntil(lambda: window.panels.find(EpisodePanel).policy_label.text() != "", timeout=10_000)
    assert window.panels.find(EpisodePanel).return_label.text() != NOTHING


def test_a_field_that_does_not_fit_stops_the_start_and_a_preset_replaces_what_was_typed(
    qtbot: QtBot, make_window: Make, tmp_path: Path
) -> None:
    window = make_window()
    window.choice_loader.save_file(tmp_path / "first.toml", "First", "")
    field = window.experiment_panel.form.rows["update.learning_rate"].editor.field
    before = field.text()
    field.setText("abc")
    click(qtbot, window, "start")
    assert window.controller.state is RunState.IDLE
    assert "Learning rate" in window._notice.text()
    window.choice_loader.load_file(tmp_path / "first.toml")
    assert field.text() == before

    window.experiment.set_value("update.learning_rate", 0.0123)
    window.choice_loader.save_file(tmp_path / "mine.toml", "Mine", "")
    window.experiment.set_value("update.learning_rate", 0.5)
    window.choice_loader.load_file(tmp_path / "mine.toml")
    assert window.experiment.config.update.learning_rate == 0.0123

    # A broken one leaves the choice alone.
    chosen = window.experiment.config
    (tmp_path / "broken.toml").write_text("title = 'x'\n[config]\nsed = 1\n")
    window.choice_loader.load_file(tmp_path / "broken.toml")
    assert window.experiment.config == chosen
    assert "sed" in window._notice.text()
