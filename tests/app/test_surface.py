"""The surface of an environment in the window."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.panels.advantages import AdvantagesPanel
from app.panels.diagnostics import DiagnosticsPanel
from app.panels.surface.beside import same_process
from app.panels.surface.content import Cell, write_value
from app.panels.surface.panel import SurfacePanel
from app.style.format import short_number
from app.style.theme import load_theme
from app.window.main_window import MainWindow
from engine.catalogue.environments import ENVIRONMENTS
from engine.config.environments import EnvironmentConfig
from engine.config.parameters import with_values
from engine.reports.metrics import METRICS
from engine.runs import snapshot_keeper
from tests.app.shorthands import pick, pick_environment
from tests.app.test_run_timeline import look, place, strip

Make = Callable[..., MainWindow]


def test_all_families_show_their_surface_signal_and_diagnostics_in_one_window(
    qtbot: QtBot, make_window: Make, reach: Callable[..., None]
) -> None:
    """By turns on the same grid, with the keyboard in its cells, and then where there is no grid."""
    window = make_window(environment="GridWorld-v0", policy="tabular", budget__environment_steps=1500)
    window.docks["Surface"].raise_()
    surface, signal = window.panels.find(SurfacePanel), window.panels.find(AdvantagesPanel)
    for family, told, axis in (
        ("Policy gradient", "V of the policy as it is", "advantage"),
        ("Action values", "Learned values", "TD error"),
        ("Planning", "V<sub>k</sub>, k = ", "Bellman error"),
    ):
        pick(window.experiment_panel, "family", family)
        window.start()
        reach(window, RunState.FINISHED)
        last = f"iteration {window.playback.policy.iteration:,}"
        qtbot.waitUntil(lambda told=told, last=last: told in surface.heading.text() and last in surface.heading.text())
        assert surface._stage.filled
        assert signal._quantity.startswith(axis)
        history = window.controller.history
        for name in window.panels.find(DiagnosticsPanel).shown:
            assert METRICS[name].unit in ("reward", "steps/s") or len(history.metrics[name].values), name
    # The arrow keys are the cells' while they have the keyboard, and not a step of training.
    surface.cells.setFocus(Qt.FocusReason.TabFocusReason)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):
        QTest.keyClick(surface.cells, key)
    assert window.controller.state is RunState.FINISHED
    assert surface.cell_label.text() == surface.cells.accessibleDescription() == "row 2, column 2, wall"
    QTest.keyClick(surface.cells, Qt.Key.Key_Left)
    assert surface.cell_label.text().startswith("row 2, column 1: V ")
    place = surface.cells._place()
    QTest.mouseMove(surface.cells, QPoint(round(place.left + 2.5 * place.side), round(place.top + 0.5 * place.side)))
    qtbot.waitUntil(lambda: surface.cell_label.text().startswith("row 1, column 3: V "))
    qtbot.waitUntil(lambda: surface.cells._agent is not None)
    window.actions_by_name["reset"].trigger()
    pick_environment(window.experiment, ENVIRONMENTS["Taxi-v4"])
    assert [combo.accessibleName() for combo in surface.pages] == ["Passenger", "Destination"]
    surface.pages[0].setCurrentIndex(5)
    surface.pages[1].setCurrentIndex(2)
    assert surface.cells._page == 4 * 4 + 1
    pick_environment(window.experiment, ENVIRONMENTS["CarRacing-v3"])
    assert not surface._stage.filled
    assert "Car racing is seen in pictures" in surface._stage._hint.text()
    assert "surface" not in window.playback._wanting


def test_numbers_in_cells_beside_each_other_stay_apart_at_all_sizes(qapp: QApplication) -> None:
    """Of whatever length: as they are drawn, in cells from large ones down to those in which none can be read."""
    theme = load_theme("dark")
    read = 0
    for side in (20, 28, 36, 44, 60, 75, 90, 120):
        for value in (4.3e-5, -1.234e-7, 0.00948, 0.434, -12.345, 123_456.0, -1e9):
            picture = QImage(side, side, QImage.Format.Format_RGB32)
            picture.fill(QColor("black"))
            painter = QPainter(picture)
            write_value(painter, Cell(QRectF(0, 0, side, side), QColor("black"), theme, qapp.font()), value)
            painter.end()
            lit = [x for x in range(side) if any(picture.pixelColor(x, y).value() > 60 for y in range(side))]
            if lit:
                read += 1
                assert min(lit[0], side - 1 - lit[-1]) >= 0.07 * side, (side, value)
    assert read >= 40


def test_beside_a_plan_stands_what_was_learned_by_trial_in_the_same_process(
    qtbot: QtBot, make_window: Make, reach: Callable[..., None]
) -> None:
    """By itself where the run before is of another family, in the same colours, and cell by cell; or as is chosen."""
    window = make_window(environment="GridWorld-v0", policy="tabular", budget__environment_steps=3000)
    window.docks["Surface"].raise_()
    surface = window.panels.find(SurfacePanel)
    pick(window.experiment_panel, "family", "Action values")
    window.start()
    reach(window, RunState.FINISHED)
    assert not surface.beside.choice.isVisible()
    learned, iteration = window.controller.shown.run, window.playback.policy.iteration
    qtbot.waitUntil(lambda: surface.heading.text().endswith(f"iteration {iteration:,}"))
    values = surface._surface.values
    pick(window.experiment_panel, "family", "Planning")
    window.start()
    reach(window, RunState.FINISHED)
    beside = surface.beside
    wanted = f"Run {learned.number}, Q-learning: values as learned · iteration {iteration:,}"
    qtbot.waitUntil(lambda: beside.heading.text() == wanted and surface.heading.text().startswith("V<sub>k"))
    assert beside.isVisible()
    assert beside.cells._surface.values == pytest.approx(values)
    both = [*values.tolist(), *surface._surface.values.tolist()]
    assert (beside.cells._low, beside.cells._high) == (surface.cells._low, surface.cells._high)
    assert surface.cells._high == pytest.approx(max(both))
    surface.cells.setFocus(Qt.FocusReason.TabFocusReason)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right):
        QTest.keyClick(surface.cells, key)
    assert surface.cell_label.text().endswith(f" · run {learned.number}: V {short_number(values[1])}")
    assert beside.cells.pointed_at == surface.cells.pointed_at == (0, 1)
    surface.shows.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(surface.shows, Qt.Key.Key_End)
    assert (surface.shows.currentText(), beside.cells._shows) == ("Q of each action", "actions")
    beside.choice.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(beside.choice, Qt.Key.Key_Home)
    assert beside.choice.currentText() == "Beside it: nothing"
    assert not beside.isVisible()
    QTest.keyClick(beside.choice, Qt.Key.Key_End)
    assert beside.choice.currentText() == f"Beside it: run {learned.number}, Q-learning"
    assert beside.cells._surface is None  # until it is read, no numbers stand under its name
    qtbot.waitUntil(lambda: beside.isVisible() and beside.heading.text() == wanted)
    slipping = with_values(window.experiment.config, {"environment.options.slip": 0.5})
    window.experiment.set_config(slipping, window.experiment.plain)
    window.start()
    reach(window, RunState.FINISHED)
    qtbot.waitUntil(lambda: not beside.choice.isVisible())  # which is another process
    assert not beside.isVisible()


def test_what_changes_dynamics_or_rewards_makes_another_process_and_what_changes_only_what_is_seen_does_not() -> None:
    plain = EnvironmentConfig(id="GridWorld-v0")
    others = {"sticky_actions": 0.25, "reward_scale": 0.1, "reward_offset": 1.0, "normalize_rewards": True}
    for name, value in others.items():
        assert not same_process(plain, plain.model_copy(update={name: value})), name
    assert same_process(plain, plain.model_copy(update={"frame_stack": 2, "time_limit": 20, "stepping": "in-process"}))


def test_a_plan_is_looked_back_at_as_it_was_with_what_each_action_is_worth(
    qtbot: QtBot, make_window: Make, reach: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_keeper, "SHARE", 1e9)  # so that every iteration is kept, however little time it takes
    window = make_window(
        environment="Corridor-v0",
        policy="tabular",
        update="value-iteration",
        evaluation__episodes=1,
        budget__environment_steps=700,
    )
    window.docks["Surface"].raise_()
    surface = window.panels.find(SurfacePanel)
    window.start()
    reach(window, RunState.FINISHED)
    look(window, qtbot)
    qtbot.waitUntil(lambda: surface.heading.text().startswith("Settled"))
    top = surface.cells.mapTo(window, QPoint(0, 0))
    second = next(kept for kept in window.panels.past.kept if kept.iteration == 2)
    QTest.mouseClick(strip(window), Qt.MouseButton.LeftButton, pos=place(window, second))
    qtbot.waitUntil(lambda: "k = 2: the best that 2 turns can bring" in surface.heading.text())
    assert surface.cells.mapTo(window, QPoint(0, 0)) == top  # whatever is said above
    assert surface.cells.words(0, 5).startswith("row 1, column 6: V 10;")
    assert surface.cells.words(0, 0).startswith("row 1, column 1, start: V −1.99;")
    surface.shows.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(surface.shows, Qt.Key.Key_End)
    assert surface.shows.currentText() == "Q of each action"
    assert surface.cells._numbers(5) == pytest.approx([-1.0 + 0.99 * 8.9, 10.0])
