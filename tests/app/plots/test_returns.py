"""Returns: its dots, its line, what is marked on the way, and an earlier run behind it."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.models.axis_choice import AxisChoice
from app.models.past import Past
from app.panels.diagnostics import DiagnosticsPanel
from app.panels.returns import ReturnsPanel
from app.session.lookup_thread import LookupThread
from app.session.optimal_returns import OptimalReturns
from app.style.theme import load_theme
from engine.catalogue.environments import ENVIRONMENTS
from engine.config import PolicyGradientConfig
from engine.config.environments import EnvironmentConfig
from engine.reports.events import Change, Solved
from tests.app.plots.pointing import point_at
from tests.app.shorthands import a_ghost, a_run, experiment, words

DARK = load_theme("dark")
CARTPOLE = ENVIRONMENTS["CartPole-v1"]
SOLVED = Solved(iteration=3, environment_steps=300, episodes=6, seconds=3.1, mean_return=45.0, threshold=45.0)


@pytest.fixture
def returns(qtbot: QtBot) -> ReturnsPanel:
    panel = ReturnsPanel(DARK, AxisChoice(), Past())
    qtbot.addWidget(panel)
    panel.show()
    return panel


def test_an_empty_panel_says_what_will_appear(returns: ReturnsPanel) -> None:
    assert "will appear here" in words(returns)


def test_the_mean_is_written_out(returns: ReturnsPanel) -> None:
    returns.refresh(a_run())
    assert "45.00" in words(returns)


def test_the_view_holds_the_threshold_of_the_environment(returns: ReturnsPanel) -> None:
    returns.set_choice(ENVIRONMENTS["CartPole-v1"], PolicyGradientConfig())
    returns.refresh(a_run())
    assert returns.plot.ranges[1][1] > 475


def test_the_best_return_is_marked_where_the_process_is_known(qtbot: QtBot) -> None:
    lookups = LookupThread()
    optimal = OptimalReturns(lookups)
    returns = ReturnsPanel(DARK, AxisChoice(), Past(), optimal)
    qtbot.addWidget(returns)
    returns.refresh(a_run())
    lake = EnvironmentConfig(id="FrozenLake-v1")
    for id in ("FrozenLake-v1", "CartPole-v1"):
        config = PolicyGradientConfig(environment=EnvironmentConfig(id=id))
        returns.set_choice(ENVIRONMENTS[id], config)
        assert returns._optimal.value is None
    assert list(lookups._best_wanted) == [lake]  # of what is not finite nobody asks
    returns.set_choice(ENVIRONMENTS["FrozenLake-v1"], PolicyGradientConfig(environment=lake))
    lookups._find_best(lookups._best_wanted.popleft())
    assert returns._optimal.value == pytest.approx(0.7442, abs=1e-4)
    assert returns._optimal.text == "optimal 0.7442"
    assert returns._level.text == "solved: 0.7"
    returns.set_choice(ENVIRONMENTS["FrozenLake-v1"], PolicyGradientConfig(environment=lake))
    assert not lookups._best_wanted  # it is known


def test_the_axis_counts_what_is_picked(returns: ReturnsPanel, qtbot: QtBot) -> None:
    returns.refresh(a_run())
    with qtbot.waitSignal(returns._x_axis.changed) as signal:
        returns._axis.setCurrentText("episodes")
    assert (signal.args, returns.plot.ranges[0]) == (["episodes"], (0.0, 8.0))


def test_all_curves_share_their_axis(qtbot: QtBot) -> None:
    axis = AxisChoice("seconds")
    returns, diagnostics = ReturnsPanel(DARK, axis, Past()), DiagnosticsPanel(DARK, axis, Past())
    for panel in (returns, diagnostics):
        qtbot.addWidget(panel)
        panel.refresh(a_run())
    assert returns._axis.currentText() == "seconds"
    axis.choose("episodes")
    assert returns._axis.currentText() == "episodes"
    titles = {plot.bottom.label.toPlainText().strip() for plot in (returns.plot, *diagnostics.plots)}
    assert titles == {"episodes"}


def test_an_unknown_axis_is_not_taken() -> None:
    assert AxisChoice("fortnights").axis == "environment_steps"


def test_changes_are_marked_by_their_symbols(returns: ReturnsPanel) -> None:
    change = Change("update.learning_rate", 0.01, 0.001, 2, 150, 2, 1.0)
    returns.refresh(a_run(changes=(change,)))
    assert [(moment.x, moment.text) for moment in returns.moments] == [(150.0, "α 0.01 → 0.001")]


def test_nothing_new_costs_nothing(returns: ReturnsPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    history = a_run()
    returns.refresh(history)
    monkeypatch.setattr(returns.plot, "redraw", lambda: pytest.fail("drawn again"))
    returns.refresh(history)


def test_reset_empties_the_panel(returns: ReturnsPanel) -> None:
    returns.refresh(a_run())
    returns.reset()
    assert "will appear here" in words(returns)


# --- what is read out, marked and written down ------------------------------------------------------------------------


def test_an_episode_under_the_mouse_is_read_out_with_its_units(returns: ReturnsPanel) -> None:
    returns.refresh(a_run())
    point_at(returns.plot, 300.0, 60.0)
    assert returns.plot.reading.lines == ("episode 6", "return 60 (reward)", "at 300 environment steps")


def test_away_from_episodes_the_nearer_line_is_read_out(returns: ReturnsPanel) -> None:
    returns.show_ghosts([a_ghost(iterations=40)])
    returns.refresh(a_run(iterations=20))
    returns.resize(700, 500)
    returns.set_choice(CARTPOLE, experiment(budget__environment_steps=4000).config)
    QApplication.processEvents()
    point_at(returns.plot, 1000.0, 140.0)
    assert returns.plot.reading.lines == ("mean return 150 (reward)", "at 1,000 environment steps")
    point_at(returns.plot, 3900.0, 560.0)
    assert returns.plot.reading.lines == ("run 1: mean return 585 (reward)", "at 3,900 environment steps")


def test_the_axis_stands_still_from_the_start_to_the_end_of_the_budget(returns: ReturnsPanel) -> None:
    returns.set_choice(CARTPOLE, experiment(budget__environment_steps=150_000).config)
    ends = []
    for iterations in (1, 40, 1500):
        returns.refresh(a_run(iterations))
        ends.append(returns.plot.ranges[0][1])
    assert ends == [150_000.0] * 3


def test_a_budget_that_is_changed_on_the_way_moves_the_end_of_the_axis(returns: ReturnsPanel) -> None:
    returns.set_choice(CARTPOLE, experiment(budget__environment_steps=150_000).config)
    returns.refresh(a_run(changes=(Change("budget.environment_steps", 150_000, 300_000, 2, 150, 2, 1.0),)))
    assert returns.plot.ranges[0] == (0.0, 300_000.0)


def test_a_budget_beyond_all_expectation_is_no_end_of_an_axis(returns: ReturnsPanel) -> None:
    returns.set_choice(CARTPOLE, experiment(budget__environment_steps=10_000_000_000).config)
    returns.refresh(a_run())
    assert returns.plot.ranges[0][1] < 1000


def test_solving_is_marked_on_the_line_in_words(returns: ReturnsPanel) -> None:
    returns.refresh(a_run())
    history = returns._history
    history.solved = SOLVED
    returns.refresh(history)
    (moment,) = returns.moments
    assert (moment.x, moment.y, moment.text) == (300.0, 45.0, "solved at 300 steps, 3.1 s")
    assert moment.shape == "star"


def test_an_earlier_run_is_drawn_behind_and_says_what_it_had_otherwise(returns: ReturnsPanel) -> None:
    returns.set_choice(CARTPOLE, experiment(update__learning_rate=0.001).config)
    returns.refresh(a_run())
    end = returns.plot.ranges[0]
    alone = returns.plot.grab().toImage()
    returns.show_ghosts([a_ghost(iterations=9000, update__learning_rate=0.01, seed=3)])
    assert returns.plot.grab().toImage() != alone
    assert returns._ghosts.names[0].text == "run 1 · α 0.01 · seed 3"
    assert (returns.plot.ranges[0], returns.plot.ranges[1][1] > 9000) == (end, True)
    returns.show_ghosts([])
    assert not returns._ghosts.lines


def test_an_earlier_run_is_not_read_again_at_every_drawing(
    returns: ReturnsPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    ghost = a_ghost()
    returns.show_ghosts([ghost])
    monkeypatch.setattr(ghost.history, "iteration_x_at", lambda *_: pytest.fail("read again"))
    returns.refresh(a_run())


def test_all_episodes_and_means_of_both_runs_are_written_down(returns: ReturnsPanel) -> None:
    returns.name_run("PPO · Cart pole · seed 1")
    returns.refresh(a_run(iterations=2000))
    returns.show_ghosts([a_ghost()])
    lines = returns.plot.numbers().text().splitlines()
    assert lines[0] == "run,environment steps,episodes,training time (s),what,return (reward)"
    assert lines[1] == "PPO · Cart pole · seed 1,50,1,1.0,episode,10.0"
    assert len(lines) == 1 + (4000 + 2000) + (10 + 5)
    assert lines[-1].startswith(f"{a_ghost().name},500,10,5.0,mean of the last 100 episodes,75.0")
