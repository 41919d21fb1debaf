"""Looking back at a run along its timeline, by mouse and by keys, in a real window with a real engine thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from app.models.past import Kept
from app.models.run_state import RunState
from app.panels.advantages import AdvantagesPanel
from app.panels.diagnostics import DiagnosticsPanel
from app.panels.episode.panel import EpisodePanel
from app.panels.returns import ReturnsPanel
from app.panels.run_timeline import RunTimeline
from app.window.main_window import MainWindow
from engine.reports.events import Event
from engine.runs import snapshot_keeper
from engine.runs.records import RunRecord, Status
from engine.runtime.errors import RunError
from engine.training.learner import Moment
from tests.app.plots.pointing import point_at
from tests.app.shorthands import double_click, words

Make = Callable[..., MainWindow]
Reach = Callable[..., None]
LEFT = Qt.MouseButton.LeftButton
NO_KEY = Qt.KeyboardModifier.NoModifier
SHORT = {"environment__id": "CartPole-v1", "budget__environment_steps": 3000, "collection__episodes_per_update": 8}


@pytest.fixture(autouse=True)
def every_iteration_has_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little time the run takes."""
    monkeypatch.setattr(snapshot_keeper, "SHARE", 1e9)
    monkeypatch.setattr(snapshot_keeper, "STATE_SHARE", 0.0)  # so that of some the policy alone is kept


@pytest.fixture
def window(make_window: Make, reach: Reach, qtbot: QtBot) -> MainWindow:
    """Of a run that has finished."""
    made = make_window(**SHORT)
    made.start()
    reach(made, RunState.FINISHED)
    look(made, qtbot)
    return made


def look(window: MainWindow, qtbot: QtBot) -> None:
    """Have the window see what is kept."""

    def seen() -> bool:
        window.run_library.look()
        return len(window.panels.past.kept) > 2

    qtbot.waitUntil(seen, timeout=10_000)
    QApplication.processEvents()


def strip(window: MainWindow) -> RunTimeline:
    return window.panels.find(ReturnsPanel).timeline


def place(window: MainWindow, kept: Kept | None) -> QPoint:
    """Where a tick is on the line, or its end."""
    line = strip(window)
    return QPoint(round(line._x_of(kept)), line.height() // 2)


def shown(window: MainWindow) -> int | None:
    """The iteration that is looked back at."""
    instant = window.panels.past.shown
    return None if instant is None else instant.at.iteration


def test_dragging_shows_all_of_a_run_as_it_was_and_back(window: MainWindow, qtbot: QtBot) -> None:
    line, second = strip(window), window.panels.past.kept[1]
    returns, signal = window.panels.find(ReturnsPanel), window.panels.find(AdvantagesPanel)
    diagnostics, agent = window.panels.find(DiagnosticsPanel), window.panels.find(EpisodePanel)
    told_now, newest = words(returns), f"iteration {window.controller.history.iterations:,}"
    assert newest in words(signal)
    QTest.mousePress(line, LEFT, NO_KEY, place(window, None))
    assert shown(window) is None
    QTest.mouseMove(line, place(window, second))
    assert shown(window) == second.iteration
    told = f"iteration {second.iteration:,}"
    assert told in words(signal)
    assert newest not in words(signal)
    assert [small.moments[0].text for small in diagnostics.smalls] == [told] * len(diagnostics.smalls)
    assert told in words(line.bar)
    assert words(returns) != told_now
    dots = returns._dots  # those nearest to the line of what is shown are not all of that iteration, nor told as of it
    nearest = int(np.argmin(np.abs(dots.x - second.environment_steps)))
    point_at(returns.plot, float(dots.x[nearest]), float(dots.y[nearest]))
    assert returns.plot.reading is not None
    assert returns.plot.reading.lines[0].startswith("episode ")
    assert told not in returns.plot.reading.lines
    QTest.mouseMove(line, place(window, second))
    qtbot.waitUntil(lambda: f"policy of {told}, held" in words(agent), timeout=20_000)
    assert not window.runs.pace.follow.isChecked()
    QTest.mouseRelease(line, LEFT, NO_KEY, place(window, second))
    QTest.mouseClick(line.bar.now_button, LEFT)
    assert shown(window) is None
    assert newest in words(signal)
    assert not line.bar.isVisible()
    assert words(returns) == told_now
    assert window.runs.pace.follow.isChecked()
    assert all(told not in [moment.text for moment in small.moments] for small in diagnostics.smalls)


def test_marks_say_in_words_and_by_their_shape_where_a_run_can_be_forked_and_keys_go_from_one_to_the_next(
    window: MainWindow,
) -> None:
    line, kept = strip(window), window.panels.past.kept
    whole = next(each for each in kept if each.whole)
    alone = next(each for each in kept if not each.whole)
    told = f"{len(kept)} iterations were kept, of which {sum(each.whole for each in kept)} can be forked. Shown is now."
    assert line.accessibleDescription() == told
    QTest.mouseClick(line, LEFT, NO_KEY, place(window, alone))
    assert line.accessibleDescription().endswith("can be looked at; its policy alone was kept.")
    for each, what in ((whole, "looked at and forked"), (alone, "policy alone")):
        at = place(window, each)
        QApplication.sendEvent(line, QHelpEvent(QEvent.Type.ToolTip, at, line.mapToGlobal(at)))
        assert what in QToolTip.text()
    QTest.keyClick(line, Qt.Key.Key_End)
    picture = line.grab().toImage()
    beside = [place(window, each) + QPoint(1, -3) for each in (whole, alone)]
    drawn = [picture.pixelColor(at) != picture.pixelColor(at.x(), 0) for at in beside]
    assert drawn == [True, False]  # a diamond is wider than a line
    QToolTip.hideText()
    state = window.controller.state
    QTest.mouseClick(line, LEFT, NO_KEY, place(window, None))
    assert line.hasFocus()
    for key, wanted in (
        (Qt.Key.Key_Left, kept[-1].iteration),
        (Qt.Key.Key_Left, kept[-2].iteration),
        (Qt.Key.Key_Right, kept[-1].iteration),
        (Qt.Key.Key_Home, kept[0].iteration),
        (Qt.Key.Key_Left, kept[0].iteration),
        (Qt.Key.Key_End, None),
        (Qt.Key.Key_Home, kept[0].iteration),
        (Qt.Key.Key_Escape, None),
        (Qt.Key.Key_Home, kept[0].iteration),
    ):
        QTest.keyClick(line, key)
        assert shown(window) == wanted
    assert window.controller.state is state  # whose arrow is a step of training, elsewhere
    window.runs.pace.follow.click()  # the newest policy is wanted, so all that is shown is of now
    assert shown(window) is None
    QTest.keyClick(line, Qt.Key.Key_Home)
    window.controller.reset()
    assert shown(window) is None
    assert not line.isEnabled()


def test_what_is_looked_at_stays_while_the_run_goes_on(make_window: Make, reach: Reach, qtbot: QtBot) -> None:
    window = make_window(**{**SHORT, "budget__environment_steps": 10_000_000})
    window.controller.set_pace(20)
    window.start()
    look(window, qtbot)
    first = window.panels.past.kept[0]
    QTest.mouseClick(strip(window), LEFT, NO_KEY, QPoint(0, 5))
    QTest.keyClick(strip(window), Qt.Key.Key_Home)
    assert shown(window) == first.iteration
    seen = window.controller.history.iterations
    qtbot.waitUntil(lambda: window.controller.history.iterations > seen + 3, timeout=20_000)
    agent, signal = window.panels.find(EpisodePanel), window.panels.find(AdvantagesPanel)
    qtbot.waitUntil(lambda: "untrained policy, held" in words(agent), timeout=20_000)
    assert "Before the first iteration nothing was learned" in words(signal)  # no batch had been collected
    assert shown(window) == first.iteration
    window.controller.stop()
    reach(window, RunState.STOPPED)
    assert shown(window) == first.iteration


def fork(window: MainWindow, at: Kept, qtbot: QtBot) -> RunRecord:
    """Look at an instant, and fork the run there; what came of it."""
    QTest.mouseClick(strip(window), LEFT, NO_KEY, place(window, at))
    assert shown(window) == at.iteration
    parent = window.controller.shown
    QTest.mouseClick(strip(window).bar.fork_button, LEFT)
    qtbot.waitUntil(lambda: window.controller.shown is not parent, timeout=20_000)
    child = window.controller.shown
    assert child is not None
    assert window.run_library.library is not None
    return window.run_library.library.run(child.run.id)


def test_a_run_is_forked_where_it_is_looked_at_or_where_all_was_kept_before(
    window: MainWindow, reach: Reach, qtbot: QtBot
) -> None:
    line, kept = strip(window), window.panels.past.kept
    parent = window.controller.shown
    assert parent is not None
    assert kept[1].whole
    child = fork(window, kept[1], qtbot)
    assert child.origin is not None
    assert (child.origin.parent, child.origin.iteration) == (parent.run.id, kept[1].iteration)
    assert shown(window) is None
    reach(window, RunState.FINISHED)
    double_click(window, 1)
    qtbot.waitUntil(lambda: window.controller.shown is not None and window.controller.shown.run.id == parent.run.id)
    look(window, qtbot)
    alone = next(at for at, each in enumerate(kept) if not each.whole)
    before = next(each for each in reversed(kept[:alone]) if each.whole)
    child = fork(window, kept[alone], qtbot)
    assert f"forked from iteration {before.iteration:,}, the last before it" in line.bar.fork_button.toolTip()
    assert child.origin is not None
    assert child.origin.iteration == before.iteration


def test_a_run_that_was_broken_off_is_looked_back_at_after_a_restart(make_window: Make, qtbot: QtBot) -> None:
    first = make_window(**{**SHORT, "budget__environment_steps": 10_000})
    first.controller.set_pace(20)
    first.start()
    qtbot.waitUntil(lambda: first.controller.history.iterations > 5, timeout=20_000)
    first.close()
    assert first.shut_down()
    window = make_window()
    qtbot.waitUntil(lambda: bool(window.run_library.records()))
    double_click(window, 0)
    qtbot.waitUntil(lambda: window.controller.shown is not None)
    look(window, qtbot)
    kept = window.panels.past.kept
    assert window.run_library.records()[0].status is Status.INTERRUPTED
    QTest.mousePress(strip(window), LEFT, NO_KEY, place(window, None))
    QTest.mouseMove(strip(window), place(window, kept[2]))  # be the learning engine there already or not
    qtbot.waitUntil(lambda: shown(window) == kept[2].iteration, timeout=20_000)
    told, agent = f"iteration {kept[2].iteration:,}", window.panels.find(EpisodePanel)
    assert told in words(window.panels.find(AdvantagesPanel))
    assert window.panels.find(DiagnosticsPanel).smalls[0].moments[0].text == told
    qtbot.waitUntil(lambda: f"policy of {told}, held" in words(agent), timeout=20_000)
    QTest.mouseRelease(strip(window), LEFT, NO_KEY, place(window, kept[2]))
    QTest.mouseClick(strip(window).bar.now_button, LEFT)
    assert shown(window) is None
    child = fork(window, kept[1], qtbot)
    assert child.origin is not None
    assert child.origin.iteration == kept[1].iteration


def test_a_run_that_failed_is_looked_back_at(
    make_window: Make, reach: Reach, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.training.learners.policy_gradient import PolicyGradientLearner

    iteration = PolicyGradientLearner._iteration

    def fails_in_the_fifth(self: PolicyGradientLearner, moment: Moment) -> Iterator[Event]:
        if moment.iteration > 4:
            raise RunError("The policy is not finite any more.")
        yield from iteration(self, moment)

    monkeypatch.setattr(PolicyGradientLearner, "_iteration", fails_in_the_fifth)
    window = make_window(**SHORT)
    window.start()
    reach(window, RunState.FAILED)
    look(window, qtbot)
    QTest.mouseClick(strip(window), LEFT, NO_KEY, place(window, window.panels.past.kept[2]))
    assert shown(window) == window.panels.past.kept[2].iteration
    assert strip(window).bar.fork_button.isEnabled()
