"""Plots in the window: while it trains, enlarged, and with its other keys."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.panels.diagnostics import DiagnosticsPanel
from app.panels.returns import ReturnsPanel
from app.window.main_window import MainWindow
from tests.app.plots.pointing import point_at


def test_a_plot_is_read_and_enlarged_while_the_window_trains_on(
    make_window: Callable[..., MainWindow], reach: Callable[..., None], qtbot: QtBot
) -> None:
    window = make_window(budget__environment_steps=5_000_000)
    returns, diagnostics = window.panels.find(ReturnsPanel), window.panels.find(DiagnosticsPanel)
    qtbot.keyClick(window, Qt.Key.Key_F5)
    reach(window, RunState.RUNNING)
    qtbot.waitUntil(lambda: len(returns._line.x) > 2, timeout=20_000)
    end = returns.plot.ranges[0]
    assert end == (0.0, 5_000_000.0)
    x, y = float(returns._line.x[-1]), float(returns._line.y[-1])
    point_at(returns.plot, x, y)
    assert returns.plot.reading is not None
    assert any("environment steps" in line for line in returns.plot.reading.lines)

    loss = diagnostics.plots[0]
    loss.setFocus()
    qtbot.keyClick(loss, Qt.Key.Key_E)
    large = loss.enlarged
    assert large is not None
    assert large.height() > 0.6 * window.height()
    before = len(diagnostics.smalls[0]._line.x)
    qtbot.waitUntil(lambda: len(diagnostics.smalls[0]._line.x) > before, timeout=20_000)
    qtbot.keyClick(large, Qt.Key.Key_Space)
    reach(window, RunState.PAUSED)
    qtbot.keyClick(large, Qt.Key.Key_Escape)
    assert loss.enlarged is None
    assert returns.plot.ranges[0] == end
