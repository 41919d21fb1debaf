"""What one policy gains over another, in the Compare mode of a real window."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from app.compare.page import ComparePage
from app.models.past import Instant, Kept
from app.window.main_window import MainWindow
from engine.analysis.playback import snapshot
from engine.catalogue.environments import ENVIRONMENTS
from engine.config import PlanningConfig, PolicyGradientConfig
from engine.config.environments import EnvironmentConfig
from engine.config.policies import TabularPolicy
from engine.runs.library import Library
from engine.runs.place import library_folder
from engine.runs.policy_differences import difference_between
from engine.runs.snapshots import Snapshot, to_bytes
from tests.app.compare.test_compare_mode import only, tick
from tests.engine.runs.libraries import filled, policy_for

Make = Callable[..., MainWindow]


@pytest.fixture
def window(make_window: Make, qtbot: QtBot) -> MainWindow:
    """Its library has two runs in the corridor, each with three policies, and one of which nothing is known."""
    with Library(library_folder()) as library:
        for seed in (1, 2):
            run = filled(library, {"seed": seed, "environment": "Corridor-v0", "policy": "tabular"})
            for iteration in (0, 2, 3):
                policy = policy_for(run.config, 10 * seed + iteration)
                assert isinstance(run.config, PolicyGradientConfig)
                frozen = snapshot(policy, run.config, ENVIRONMENTS["Corridor-v0"], iteration)
                library.keep_snapshot(run.id, iteration, 100 * iteration, to_bytes(Snapshot(frozen, 100 * iteration)))
        filled(library, {"environment": "CartPole-v1"})
        planned = PlanningConfig(environment=EnvironmentConfig(id="Corridor-v0"), policy=TabularPolicy())
        filled(library, configuration=planned.model_dump(mode="json"))
    made = make_window()
    qtbot.keyClick(made, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    page = made.compare.page
    assert page is not None
    qtbot.waitUntil(lambda: page.isVisible() and page.picker.rows.rowCount() == 4 and not page.compared.is_reading)
    return made


def settled(page: ComparePage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not page.difference.work.isRunning(), timeout=10_000)
    QApplication.processEvents()


def test_what_one_policy_gains_over_another_stands_beside_a_picture_of_where(window: MainWindow, qtbot: QtBot) -> None:
    page = window.compare.page
    assert page is not None
    shown = page.difference
    only(page, qtbot, 1, 2)
    tabs = page.tabs.tabBar()
    qtbot.mouseClick(tabs, Qt.MouseButton.LeftButton, pos=tabs.tabRect(page.tabs.indexOf(shown)).center())
    settled(page, qtbot)
    with Library(library_folder()) as library:
        runs = [library.find("1"), library.find("2")]
        newest = difference_between(library, (runs[0], None), (runs[1], None))
        course = difference_between(library, (runs[0], 0), (runs[0], None))
        since = difference_between(library, (runs[0], 2), (runs[0], None))
    assert [run.record.number for run in shown.choice.pair or ()] == [1, 2]  # the earlier one first
    assert shown.sentence.text() == newest.sentence
    assert float(shown.numbers["difference"].text().replace("−", "-")) == pytest.approx(
        newest.numbers.difference, rel=1e-3
    )
    assert shown.numbers["lemma"].text() == shown.numbers["difference"].text()
    assert "reward" in shown.units.text()
    assert shown.view.isVisible()
    assert shown.cells.isVisible()
    assert not shown.bars.isVisible()
    by_state = {each.state: each for each in newest.states}
    areas = shown.cells.areas()
    assert len(areas) == 2 * 7
    start = areas[1, 0, 0].center().toPoint()
    QApplication.sendEvent(shown.cells, QHelpEvent(QEvent.Type.ToolTip, start, shown.cells.mapToGlobal(start)))
    assert QToolTip.text().startswith(f"{by_state[0].name}: visited")
    shown.view.setFocus()
    qtbot.keyClick(shown.view, Qt.Key.Key_End)
    assert shown.bars.isVisible()
    assert not shown.cells.isVisible()
    shown.bars.resize(400, 100)
    rows = shown.bars.rows
    assert rows[-1].others > 0
    assert sum(row.new_share for row in rows) == pytest.approx(newest.numbers.difference)
    assert sum(row.old_share for row in rows) == pytest.approx(newest.numbers.surrogate)
    at = QPoint(10, shown.bars._head + 3)
    QApplication.sendEvent(shown.bars, QHelpEvent(QEvent.Type.ToolTip, at, shown.bars.mapToGlobal(at)))
    assert QToolTip.text().startswith(f"{rows[0].name}: visited")

    tick(page, qtbot, 2)  # no more: of one run its newest policy beside its first
    settled(page, qtbot)
    assert shown.sentence.text() == course.sentence
    assert shown.iterations[0].currentText() == "iteration 0"
    assert [shown.iterations[1].itemText(index) for index in range(4)][:2] == ["newest", "iteration 0"]

    # Where the timeline looks back at the run, it is that policy.
    page.difference.looked_at = lambda _run: Instant(Kept(2, 200)).at.iteration
    page.tabs.setCurrentIndex(0)
    page.tabs.setCurrentWidget(shown)
    settled(page, qtbot)
    assert shown.iterations[0].currentData() == 2
    assert shown.sentence.text() == since.sentence

    tick(page, qtbot, 3)
    shown.choice.boxes[1].setCurrentIndex(shown.choice.boxes[1].count() - 1)
    settled(page, qtbot)
    assert not shown._stage.filled
    assert "Cart pole" in shown._stage._hint.text()
    assert "not known as tables" in shown._stage._hint.text()


def test_beside_what_is_planned_stands_the_optimal_return_and_curves_are_aligned_by_iterations(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = window.compare.page
    assert page is not None
    overlay = page.overlay
    only(page, qtbot, 1, 4)
    qtbot.waitUntil(lambda: overlay._optimal.value == 5.0, timeout=20_000)  # as the thread of look-ups finds
    assert overlay._optimal.text == "optimal 5"
    assert "Run 4 plays episodes only to show what is planned" in overlay.caveat.text()
    drawn: list[object] = []
    with monkeypatch.context() as patched:  # what becomes known of elsewhere draws nothing anew
        patched.setattr(overlay.plot, "redraw", lambda: drawn.append(overlay._optimal.value))
        window.lookups.best_found.emit(EnvironmentConfig(id="GridWorld-v0"), 9.0)
        assert drawn == []
        window.lookups.best_found.emit(EnvironmentConfig(id="Corridor-v0"), 6.0)
        assert drawn == [6.0]
    overlay.axis_box.setFocus()
    qtbot.keyClick(overlay.axis_box, Qt.Key.Key_End)
    assert overlay.axis == "iteration"
    assert [line.x.tolist() for line in overlay.lines] == [[2.0, 3.0]] * 2
    assert overlay.plot.bottom.labelText == "iterations"
    tick(page, qtbot, 3)
    assert overlay._optimal.value is None  # of several environments there is none
