"""How far a policy strays from its teacher, in the window."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.panels.episode.panel import EpisodePanel
from app.panels.teacher.panel import DISTANCE, HORIZON, STATES, TeacherPanel
from app.window.main_window import MainWindow
from engine.analysis.horizon_cost import cost_by_horizon
from engine.runs import snapshot_keeper
from tests.app.shorthands import pick
from tests.app.test_run_timeline import look, place, strip

Make = Callable[..., MainWindow]


def click(panel: TeacherPanel, view: int) -> None:
    QTest.mouseClick(panel._views.button(view), Qt.MouseButton.LeftButton)


def test_a_copy_is_seen_to_part_from_its_teacher_now_and_looking_back(
    qtbot: QtBot, make_window: Make, reach: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_keeper, "SHARE", 1e9)  # so that every iteration is kept, however little time it takes
    window = make_window(environment="CartPole-v1")
    panel = window.panels.find(TeacherPanel)
    window.docks["Teacher"].raise_()
    assert "Choose the family Imitation" in panel._stage._hint.text()
    pick(window.experiment_panel, "family", "Imitation")
    assert "once training starts" in panel._stage._hint.text()
    for path, value in (("environment.time_limit", 30), ("budget.environment_steps", 900)):
        assert window.experiment.set_value(path, value) is None
    window.start()
    reach(window, RunState.FINISHED)
    last = window.controller.history.iterations
    qtbot.waitUntil(lambda: panel.parting is not None and panel.parting.iteration == last, timeout=20_000)
    assert panel._stage.filled
    assert panel._iteration.text() == f"iteration {last}"
    assert [len(entry.text) > 0 for entry in panel.distance.legend.entries] == [True, True]
    episode = window.panels.find(EpisodePanel)
    qtbot.waitUntil(lambda: episode.teacher_label.text().startswith("The teacher would do: push "))
    click(panel, STATES)
    across, upwards = panel.choices
    assert panel._places.currentWidget() is panel.clouds
    upwards.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(upwards, Qt.Key.Key_End)
    assert panel.clouds.left.labelText == upwards.currentText() == upwards.itemText(3)
    assert panel.clouds.bottom.labelText == across.currentText()
    # Looking back shows the states of the policy that there was.
    look(window, qtbot)
    first = window.panels.past.kept[0]
    QTest.mouseClick(strip(window), Qt.MouseButton.LeftButton, pos=place(window, first))
    qtbot.waitUntil(lambda: panel.parting is not None and panel.parting.iteration == first.iteration, timeout=20_000)
    assert panel.clouds.left.labelText == upwards.itemText(3)  # as was chosen
    # What nobody looks at is not computed.
    window.docks["Signal"].raise_()
    qtbot.waitUntil(lambda: "teacher" not in window.playback._wanting)
    assert not panel._looks.isActive()


def test_on_a_grid_the_cells_show_where_both_are_and_the_horizon_what_errors_cost(
    qtbot: QtBot, make_window: Make, reach: Callable[..., None]
) -> None:
    window = make_window(environment="GridWorld-v0", policy="tabular", budget__environment_steps=400)
    panel = window.panels.find(TeacherPanel)
    window.docks["Teacher"].raise_()
    click(panel, HORIZON)  # which needs no run
    qtbot.waitUntil(lambda: panel.horizon.costs is not None, timeout=20_000)
    panel.horizon.errors.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(panel.horizon.errors, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: panel.horizon.costs.corrected[-1] == pytest.approx(0.001 * 99))
    assert panel.horizon.costs.clone[-1] == pytest.approx(0.5 * 0.001 * 100 * 99, rel=0.05)
    pick(window.experiment_panel, "family", "Imitation")
    pick(window.experiment_panel, "algorithm", "DAgger")
    click(panel, DISTANCE)
    window.start()
    reach(window, RunState.FINISHED)
    qtbot.waitUntil(lambda: panel._stage.filled and panel._asked is None, timeout=20_000)
    assert panel.distance._numbered
    click(panel, STATES)
    assert panel._places.currentWidget() is panel.cells
    assert "of the policy's steps are where the teacher never was" in panel.cells.accessibleDescription()
    left, top, side = panel.cells._corner()
    assert panel.cells._of(0)[0] > 0.0  # every episode begins there
    assert panel.cells.rect().contains(QPoint(round(left + side / 2), round(top + side / 2)))
    # What the run's own errors cost, in the same view.
    click(panel, HORIZON)
    panel.horizon.where.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(panel.horizon.where, Qt.Key.Key_End)
    assert not panel.horizon.errors.isVisible()
    assert panel.horizon.stage.filled
    parting, shown = panel.parting, panel.horizon.measured._line.y
    assert np.array_equal(shown, cost_by_horizon(parting.reference.episodes, parting.learner).cost)
