"""Presenting: one panel alone and twice as large, steered by keys, and everything as before afterwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.panels.episode.panel import EpisodePanel
from app.panels.log import LogPanel
from app.panels.panels import PANELS
from app.panels.returns import ReturnsPanel
from app.plotting.plot import Plot
from app.window.main_window import MainWindow

Make = Callable[..., MainWindow]
Reach = Callable[..., None]
TITLES = [panel.title for panel in PANELS]


def press(key: Qt.Key | str) -> None:
    """A key, as a person types it: to whatever has the keyboard, and to the window's shortcuts first."""
    window = QApplication.activeWindow()
    assert window is not None
    QTest.keyClick(QApplication.focusWidget() or window, key)


def shown(window: MainWindow) -> str:
    """The title of the one panel that can be seen, once that is all that can be."""
    assert window.present.isVisible()
    assert not window.menuBar().isVisible()
    assert not window.frame.isVisible()
    (title,) = (made.record.title for made in window.panels._made if made.widget.isVisible())
    return title


def sizes(window: MainWindow) -> list[float]:
    """Every text size in the panels, in points; a plot has buttons only once the mouse was over it."""
    inside = (child for made in window.panels._made for child in made.widget.findChildren(QWidget))
    held = (child for child in inside if not isinstance(child.parent(), Plot))
    return [round(child.font().pointSizeF(), 3) for child in held]


def places(window: MainWindow) -> list[tuple[object, ...]]:
    """Where every dock is, and whether it floats and can be seen."""
    docks = [window.docks[title] for title in window.docks.titles]
    return [(dock.geometry().getRect(), dock.isFloating(), dock.isVisible()) for dock in docks]


def make_all(window: MainWindow) -> None:
    """What was never seen is not there yet, and has no room."""
    for title in window.docks.titles:
        window.panels.titled(title)
    QApplication.processEvents()  # till each has the size of its text


# --- coming and going -------------------------------------------------------------------------------------------------


def test_escape_brings_back_exactly_what_was_there(qtbot: QtBot, make_window: Make) -> None:
    window = make_window()
    make_all(window)
    floating, closed = window.docks["Diagnostics"], window.docks["Signal"]
    floating.setFloating(True)
    floating.move(40, 60)
    closed.close()
    field = window.experiment_panel.pickers["algorithm"][0].combo
    window.activateWindow()
    field.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(field.hasFocus)
    qtbot.wait(50)  # until all are where they come to lie
    layout, before = places(window), sizes(window)
    window.actions_by_name["present"].trigger()
    assert shown(window) == "Experiment"  # which has the focus
    assert window.present._scroll.widget().font().pointSizeF() == pytest.approx(2 * window.frame.font().pointSizeF())
    for number, title in enumerate(TITLES[1:], start=2):
        press(str(number) if number < 10 else Qt.Key.Key_PageDown)
        assert shown(window) == title
        assert window.present.title_label.text() == title
    press(Qt.Key.Key_PageDown)  # round and round
    press(Qt.Key.Key_PageUp)
    assert shown(window) == TITLES[-1]
    assert not floating.isVisible()
    press(Qt.Key.Key_Escape)
    assert window.frame.isVisible()
    assert window.menuBar().isVisible()
    qtbot.waitUntil(lambda: places(window) == layout)
    assert (floating.isVisible(), closed.isVisible()) == (True, False)
    assert sizes(window) == before
    assert QApplication.focusWidget() is field


def test_p_shows_the_panel_that_was_clicked_last_and_goes_back(qtbot: QtBot, make_window: Make) -> None:
    window = make_window()
    press(Qt.Key.Key_P)
    assert shown(window) == "Returns"
    press(Qt.Key.Key_P)
    assert not window.present.isVisible()
    agent = window.panels.find(EpisodePanel)
    QTest.mouseClick(agent, Qt.MouseButton.LeftButton, pos=QPoint(3, agent.height() - 3))
    press(Qt.Key.Key_P)
    assert shown(window) == "Agent"
    assert window.actions_by_name["present"].isChecked()


def test_a_panel_that_comes_back_finds_the_room_it_had(qtbot: QtBot, make_window: Make) -> None:
    window = make_window()
    window.resize(1280, 800)
    make_all(window)
    qtbot.wait(50)
    layout = places(window)
    for _ in range(3):
        press(Qt.Key.Key_P)
        assert shown(window) == "Returns"
        qtbot.wait(20)
        press(Qt.Key.Key_Escape)
        qtbot.wait(20)
    assert places(window) == layout


def test_full_screen_is_as_a_person_chose_it_last(qtbot: QtBot, make_window: Make) -> None:
    window = make_window()
    press(Qt.Key.Key_P)
    press(Qt.Key.Key_F11)
    qtbot.waitUntil(window.isFullScreen)
    assert shown(window) == "Returns"
    press(Qt.Key.Key_Escape)
    assert window.isFullScreen()


def test_a_window_that_is_closed_while_presenting_opens_as_it_was(
    qtbot: QtBot, make_window: Make, settings: QSettings
) -> None:
    window = make_window()
    window.docks["Diagnostics"].setFloating(True)
    press(Qt.Key.Key_P)
    window.close()
    assert QGuiApplication.overrideCursor() is None
    again = make_window()
    assert (again.menuBar().isVisible(), again.docks["Diagnostics"].isVisible()) == (True, True)


# --- what goes on meanwhile -------------------------------------------------------------------------------------------


def test_the_run_is_steered_and_shown_and_what_is_hidden_costs_nothing(
    qtbot: QtBot, make_window: Make, reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = make_window()
    press(Qt.Key.Key_P)
    press(Qt.Key.Key_Space)
    reach(window, RunState.RUNNING)
    refreshed: list[str] = []
    for made in window.panels._made:
        monkeypatch.setattr(made.widget, "refresh", lambda _, title=made.record.title: refreshed.append(title))
    qtbot.waitUntil(lambda: len(refreshed) > 2)
    assert set(refreshed) == {"Returns"}
    assert not window.playback.wants(10**6)
    assert window.present.state_label.text() == "Training"
    monkeypatch.undo()
    press("5")
    assert shown(window) == "Agent"
    assert window.playback.wants(10**6)
    press(Qt.Key.Key_Space)
    reach(window, RunState.PAUSED)
    iterations = window.controller.history.iterations
    press(Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: window.controller.history.iterations > iterations)
    reach(window, RunState.PAUSED)
    assert window.present.state_label.text() == "Paused"
    assert window.present.run_label.text().startswith("run 1: ")


def test_the_caption_names_the_term_that_was_changed(qtbot: QtBot, make_window: Make, reach: Reach) -> None:
    window = make_window(budget__environment_steps=600)
    press(Qt.Key.Key_F5)
    reach(window, RunState.FINISHED)
    press(Qt.Key.Key_P)
    name = window.controller.shown.run.name
    assert window.present.run_label.text() == f"run 1: {name}"
    window.experiment.set_value("estimator.gamma", 0.5)
    press(Qt.Key.Key_F5)
    reach(window, RunState.FINISHED)
    assert window.present.run_label.text() == f"run 2: {name} · γ 0.99 → 0.5"
    window.experiment.set_value("budget.environment_steps", 10**8)
    press(Qt.Key.Key_F5)
    reach(window, RunState.RUNNING)
    window.controller.change("update.learning_rate", 0.25)
    qtbot.waitUntil(lambda: window.present.run_label.text().endswith(" → 0.25"))
    press(Qt.Key.Key_Space)
    reach(window, RunState.PAUSED)
    window.notify("error", "The environment is gone.")
    assert window.present.run_label.text() == "The environment is gone."
    press(Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.present.run_label.text().endswith(" → 0.25"))
    press(Qt.Key.Key_Space)
    reach(window, RunState.PAUSED)


# --- how it looks -----------------------------------------------------------------------------------------------------


def test_every_panel_fits_and_takes_on_another_look(qtbot: QtBot, make_window: Make, reach: Reach) -> None:
    window = make_window(budget__environment_steps=600)
    window.resize(1024, 640)
    window.start()
    reach(window, RunState.FINISHED)
    make_all(window)
    before = sizes(window)
    press(Qt.Key.Key_P)
    for number in range(1, len(TITLES) + 1):
        press(str(number) if number < 10 else Qt.Key.Key_PageDown)
        assert window.size().toTuple() == (1024, 640)
        bars = window.present._scroll.horizontalScrollBar(), window.present._scroll.verticalScrollBar()
        assert [bar.maximum() for bar in bars] == [0, 0]
    press(str(TITLES.index("Log") + 1))
    window.actions_by_name["toggle_theme"].trigger()
    log = window.panels.find(LogPanel)
    assert log.isVisible()
    assert log.font().pointSizeF() == pytest.approx(2 * window.frame.font().pointSizeF())
    assert log.palette().text().color().name() == window.look.theme.text
    press(Qt.Key.Key_Escape)
    assert sizes(window) == before


def test_a_plot_that_is_enlarged_goes_back_first(qtbot: QtBot, make_window: Make) -> None:
    window = make_window()
    plot = window.panels.find(ReturnsPanel).plot
    plot.toggle_enlarged()
    assert window.panels.find(ReturnsPanel).watched
    press(Qt.Key.Key_P)
    press("5")
    assert not window.panels.find(ReturnsPanel).watched  # what is enlarged cannot be seen either
    press(Qt.Key.Key_Escape)
    assert plot.seen_large  # as it was before
    press(Qt.Key.Key_Escape)
    assert plot.enlarged is None
    press(Qt.Key.Key_P)
    press("2")
    for key in (Qt.Key.Key_Escape, "3"):
        plot.toggle_enlarged()
        assert plot.seen_large
        press(key)
        assert plot.enlarged is None
    assert shown(window) == "Signal"


def test_a_halo_is_around_the_mouse_until_it_is_turned_off(qtbot: QtBot, make_window: Make) -> None:
    """It is the mouse's own picture, so that nothing is painted as it moves."""
    make_window()
    press(Qt.Key.Key_P)
    cursor = QGuiApplication.overrideCursor()
    assert cursor is not None
    picture = cursor.pixmap().toImage()
    middle = picture.rect().center()
    assert (cursor.hotSpot().x(), cursor.hotSpot().y()) == (picture.width() // 2, picture.height() // 2)
    ring, corner = picture.pixelColor(middle + QPoint(-46, 0)), picture.pixelColor(0, 0)
    assert (ring.alpha() > 150, corner.alpha()) == (True, 0)
    press(Qt.Key.Key_S)
    assert QGuiApplication.overrideCursor() is None
    press(Qt.Key.Key_S)
    press(Qt.Key.Key_Escape)
    assert QGuiApplication.overrideCursor() is None
