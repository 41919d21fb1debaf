"""What stands around the panels: modes, the shelf with its log, and whose data is shown."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QSplitterHandle, QToolButton
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.window.main_window import MainWindow
from app.window.modes import ModeBar

Make = Callable[..., MainWindow]


def log_button(window: MainWindow) -> QToolButton:
    return next(button for button in window.frame.shelf.findChildren(QToolButton) if "Log" in button.text())


def test_the_log_opens_from_the_shelf_nothing_is_told_twice_and_a_long_sentence_widens_nothing(
    qtbot: QtBot, make_window: Make
) -> None:
    window = make_window()
    window.notify("warning", "Something to be told.")
    notice, panels = window.frame.shelf.notice, window.frame.train.height()
    assert (notice.isVisible(), window.log.isVisible()) == (True, False)
    qtbot.mouseClick(log_button(window), Qt.MouseButton.LeftButton)
    assert (notice.isVisible(), window.log.isVisible()) == (False, True)
    assert window.log.text.count("Something to be told.") == 1
    assert window.frame.train.height() < panels
    qtbot.mouseClick(log_button(window), Qt.MouseButton.LeftButton)
    assert (notice.isVisible(), window.log.isVisible()) == (True, False)
    assert notice.text() == "Something to be told."
    qtbot.waitUntil(lambda: window.frame.train.height() == panels)
    before = window.minimumSizeHint().width()
    window.notify("info", "A sentence that goes on and on. " * 40)
    assert window.minimumSizeHint().width() == before


def test_an_open_log_is_remembered_with_its_height(qtbot: QtBot, make_window: Make, settings: QSettings) -> None:
    first = make_window()
    qtbot.mouseClick(log_button(first), Qt.MouseButton.LeftButton)
    QApplication.processEvents()
    handle, before = first.frame.findChildren(QSplitterHandle)[-1], first.log.height()
    grip, left, none = handle.mapTo(first, handle.rect().center()), Qt.MouseButton.LeftButton, Qt.KeyboardModifier(0)
    QTest.mousePress(first.windowHandle(), left, none, grip)
    QTest.mouseMove(first.windowHandle(), grip - QPoint(0, 60))
    QTest.mouseRelease(first.windowHandle(), left, none, grip - QPoint(0, 60))
    assert first.log.height() == before + 60
    height = first.log.height()
    first.close()
    second = make_window()
    qtbot.waitUntil(second.log.isVisible)
    assert abs(second.log.height() - height) <= 1
    assert not second.frame.shelf.notice.isVisible()


def test_train_is_chosen_at_first_and_nothing_moves_with_the_words_of_the_start_button(
    qtbot: QtBot, make_window: Make
) -> None:
    window = make_window()
    buttons = window.toolbar.findChild(ModeBar).findChildren(QToolButton)
    chosen = [(button.text(), button.isChecked()) for button in buttons]
    assert chosen == [("Train", True), ("Compare", False), ("Experiment", False)]
    assert buttons[0].defaultAction().shortcut().toString() == "Ctrl+1"
    buttons[0].click()
    assert buttons[0].isChecked()

    window.resize(1280, 800)
    widths = set()
    for words in ("Start", "Pause", "Go on"):
        window.actions_by_name["start"].setText(words)
        qtbot.wait(10)
        widths.add(window.toolbar.start_button.width())
    assert len(widths) == 1


def test_a_start_takes_the_focus_from_nobody_and_the_titles_of_what_shows_a_run_name_it(
    make_window: Make, reach: Callable[..., None]
) -> None:
    window = make_window(budget__environment_steps=200)
    named = {title for title in window.docks.titles if window.docks[title].run}
    assert named == set()
    window.clearFocus()
    window.start()
    assert QApplication.focusWidget() is None
    reach(window, RunState.FINISHED)
    named = {title for title in window.docks.titles if "Cart pole" in window.docks[title].run}
    lower = {"Signal", "Diagnostics", "Teacher", "Lab", "Samples", "Update"}
    assert named == {"Returns", "Agent", "Surface", *lower}


def test_both_themes_reach_every_panel_and_the_layout_is_remembered(make_window: Make, settings: QSettings) -> None:
    first = make_window()
    before = first.look.theme.name
    for name in ("light" if before == "dark" else "dark", before):
        first.set_theme(name)
        assert first.palette().window().color().name() == first.look.theme.window
        themed = [getattr(made.widget, "_theme", None) for made in first.panels._made]
        assert {theme.name for theme in themed if theme} == {name}
    first.docks["Signal"].hide()
    first.set_theme("light")
    first.close()
    second = make_window()
    assert not second.docks["Signal"].isVisible()
    assert second.look.theme.name == "light"


def test_a_hidden_episode_asks_for_no_policy_and_restore_layout_brings_panels_back(
    qtbot: QtBot, make_window: Make
) -> None:
    window = make_window()
    window.docks["Agent"].hide()
    qtbot.waitUntil(lambda: not window.playback.wants(1000), timeout=2000)
    window.docks["Agent"].show()
    window.docks["Returns"].hide()
    window.docks["Agent"].setFloating(True)
    window.actions_by_name["restore_layout"].trigger()
    assert not any(window.docks[title].isHidden() or window.docks[title].isFloating() for title in window.docks.titles)
