"""Keys as a person presses them: shortcuts of the window after every click, a control's own once Tab has come to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app.models.run_state import RunState
from app.plotting.plot import Plot
from app.window import dialogs
from app.window.actions import SPECS
from app.window.keyboard import is_field
from app.window.main_window import MainWindow
from tests.app.shorthands import pick

KEYS = {Qt.Key.Key_Space: "start", Qt.Key.Key_Right: "step", Qt.Key.Key_F5: "start", Qt.Key.Key_F6: "step"}
LEARNING_RATE = "update.learning_rate"


class Hands:
    """A person's mouse and keyboard in a window that only notes what a run is asked for."""

    def __init__(self, window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
        self.window = window
        self.asked: list[str] = []
        monkeypatch.setattr(window.controller, "start", lambda *_: self.asked.append("start"))
        monkeypatch.setattr(window.controller, "step", lambda *_: self.asked.append("step"))

    def click(self, widget: QWidget) -> None:
        at = widget.mapTo(self.window, widget.rect().center())
        QTimer.singleShot(0, self.close_what_opened)  # a menu waits for an answer
        QTest.mouseClick(self.window.windowHandle(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
        QApplication.processEvents()

    def press(self, key: Qt.Key, *modifiers: Qt.KeyboardModifier) -> list[str]:
        """What the run was asked for by a key."""
        self.asked.clear()
        QTest.keyClick(self.window.windowHandle(), key, *modifiers)
        QApplication.processEvents()
        return list(self.asked)

    def type(self, text: str) -> None:
        for character in text:
            QTest.keyClick(self.window.windowHandle(), character)

    def close_what_opened(self) -> None:
        while (popup := QApplication.activePopupWidget()) is not None:
            QTest.keyClick(self.window.windowHandle(), Qt.Key.Key_Escape)
            QApplication.processEvents()
            if QApplication.activePopupWidget() is popup:
                popup.close()
        for top in QApplication.topLevelWidgets():
            if isinstance(top, QDialog) and top.isVisible():
                top.close()
        self.window.activateWindow()
        QTest.qWaitForWindowActive(self.window, 1000)


@pytest.fixture
def hands(make_window: Callable[..., MainWindow], monkeypatch: pytest.MonkeyPatch) -> Hands:
    return Hands(make_window(), monkeypatch)


def in_sight(window: MainWindow) -> list[QWidget]:
    """What one can click on, of all kinds, without what lies beneath a scroll area's edge."""
    kinds = (QAbstractButton, QAbstractSlider, QComboBox, QAbstractScrollArea, QTabBar)
    found = [widget for widget in window.findChildren(QWidget) if isinstance(widget, kinds)]
    return [widget for widget in found if not isinstance(widget, QScrollBar) and is_in_sight(window, widget)]


def is_in_sight(window: MainWindow, widget: QWidget) -> bool:
    if not (isValid(widget) and widget.isVisible() and widget.isEnabled()):
        return False
    there = window.childAt(widget.mapTo(window, widget.rect().center()))
    return there is not None and (there is widget or widget.isAncestorOf(there))


def field(window: MainWindow, path: str = LEARNING_RATE) -> QLineEdit:
    row = window.experiment_panel.form.rows[path]
    row.ensurePolished()
    found = row.editor.field
    assert isinstance(found, QLineEdit)
    scroll = window.experiment_panel._scroll
    scroll.ensureWidgetVisible(found)
    QApplication.processEvents()
    return found


def test_after_a_click_on_anything_the_keys_start_and_step(
    make_window: Callable[..., MainWindow], reach: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    window = make_window(budget__environment_steps=100)
    window.start()
    reach(window, RunState.FINISHED)  # with plots to be clicked on
    hands, seen = Hands(window, monkeypatch), in_sight(window)
    assert all(any(isinstance(widget, kind) for widget in seen) for kind in (QComboBox, QAbstractButton, Plot))
    wrong = []
    for widget in seen:
        if not is_in_sight(window, widget):  # another click has taken it away
            continue
        hands.click(widget)
        hands.close_what_opened()
        got = [hands.press(key) for key in KEYS]
        if got != [[wish] for wish in KEYS.values()]:
            wrong.append((widget, got, QApplication.focusWidget()))
    assert not wrong


def test_who_comes_by_tab_keeps_the_controls_own_keys(hands: Hands) -> None:
    window = hands.window
    assert QApplication.focusWidget() is window
    stops: list[QWidget] = []
    while len(stops) < 200:
        hands.press(Qt.Key.Key_Tab)
        stop = QApplication.focusWidget()
        assert stop is not None
        if stop in stops or stop is window:
            break
        stops.append(stop)
        step = hands.press(Qt.Key.Key_Right)
        own = isinstance(stop, (QAbstractButton, QAbstractSlider, QComboBox, QTabBar)) or is_field(stop)
        assert bool(step) is not own or not own, stop
        if QApplication.focusWidget() is not stop:  # an arrow moves on from a button
            stop.setFocus(Qt.FocusReason.TabFocusReason)
        assert hands.press(Qt.Key.Key_F5) == ["start"], stop
    assert len(stops) > 10
    combo = next(stop for stop in stops if isinstance(stop, QComboBox))
    combo.setFocus(Qt.FocusReason.TabFocusReason)
    assert hands.press(Qt.Key.Key_Space) == []
    assert QApplication.activePopupWidget() is not None
    assert hands.press(Qt.Key.Key_F6) == ["step"]  # also while its list is open
    hands.close_what_opened()
    hands.press(Qt.Key.Key_Escape)
    assert hands.press(Qt.Key.Key_Space) == ["start"]


def test_a_click_takes_the_keys_from_what_tab_had_come_to_and_only_stepping_repeats(hands: Hands) -> None:
    combo = hands.window.experiment_panel.pickers["algorithm"][0].combo
    combo.setFocus(Qt.FocusReason.TabFocusReason)
    assert hands.press(Qt.Key.Key_Right) == []
    hands.click(hands.window.toolbar.progress)  # which takes no focus
    assert hands.press(Qt.Key.Key_Right) == ["step"]
    hands.press(Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    hands.press(Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is combo  # Tab goes on from there
    repeats = {name for name, action in hands.window.actions_by_name.items() if action.autoRepeat()}
    assert repeats == {"step", "next_stop"} <= set(SPECS)


def test_in_a_field_all_that_can_be_typed_is_typed_and_a_click_beside_it_or_escape_ends_that(hands: Hands) -> None:
    line = field(hands.window)
    hands.click(line)
    line.selectAll()
    hands.type("0.002")
    hands.click(hands.window.frame.shelf)
    assert hands.window.experiment.config.update.learning_rate == 0.002
    assert hands.press(Qt.Key.Key_Space) == ["start"]

    before = line.text()
    hands.click(line)
    assert QApplication.focusWidget() is line
    hands.type("5")
    assert line.text() != before
    assert hands.press(Qt.Key.Key_Escape) == []
    assert line.text() == before
    assert hands.press(Qt.Key.Key_Space) == ["start"]
    assert line.text() == before
    hands.press(Qt.Key.Key_Tab)
    assert QApplication.focusWidget() not in (hands.window, line)

    hands.click(line)
    line.selectAll()
    triggered: list[str] = []
    for name, action in hands.window.actions_by_name.items():
        action.triggered.connect(lambda _checked=False, name=name: triggered.append(name))
    hands.type("1 pP5")
    hands.press(Qt.Key.Key_Left)
    hands.press(Qt.Key.Key_Right)
    assert line.text() == "1 pP5"
    hands.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert line.text() != "1 pP5"
    assert triggered == []
    assert [hands.press(key) for key in (Qt.Key.Key_F5, Qt.Key.Key_F6)] == [["start"], ["step"]]


def test_a_name_can_be_typed_where_a_list_of_names_is_offered(hands: Hands) -> None:
    pick(hands.window.experiment_panel, "family", "Imitation")
    combo = next(each for each in hands.window.findChildren(QComboBox) if each.isEditable() and each.isVisible())
    line, before = combo.lineEdit(), combo.currentText()
    hands.click(line)
    hands.type("my own")
    assert line.text() != before
    assert "my own" in line.text()
    assert hands.press(Qt.Key.Key_Escape) == []
    assert line.text() == before
    assert hands.press(Qt.Key.Key_Space) == ["start"]


def test_neither_read_only_text_nor_what_can_be_pressed_no_longer_keeps_a_key_that_starts(hands: Hands) -> None:
    hands.window.frame.log_action.trigger()
    text = hands.window.log.findChild(QTextEdit)
    text.setFocus(Qt.FocusReason.MouseFocusReason)
    assert [hands.press(key) for key in KEYS] == [[wish] for wish in KEYS.values()]
    step = hands.window.actions_by_name["step"]
    button = next(b for b in hands.window.toolbar.findChildren(QAbstractButton) if b.text() == step.text())
    button.setFocus(Qt.FocusReason.TabFocusReason)
    step.setEnabled(False)
    assert QApplication.focusWidget() is hands.window


def test_keys_work_in_a_panel_that_floats(qtbot: QtBot, hands: Hands) -> None:
    dock = hands.window.docks["Agent"]
    dock.setFloating(True)
    qtbot.waitUntil(dock.isVisible)
    combo = dock.findChild(QComboBox)
    dock.activateWindow()
    qtbot.waitUntil(dock.isActiveWindow)
    combo.setFocus(Qt.FocusReason.TabFocusReason)
    for key, wish in KEYS.items():
        hands.asked.clear()
        QTest.keyClick(dock.windowHandle(), key)
        assert hands.asked == ([wish] if key in (Qt.Key.Key_F5, Qt.Key.Key_F6) else []), key
        combo.hidePopup()
        combo.setFocus(Qt.FocusReason.TabFocusReason)


def test_a_dialog_that_has_to_be_answered_has_all_keys_and_the_gallery_all_but_two(qtbot: QtBot, hands: Hands) -> None:
    dialog = dialogs.shortcuts(hands.window, 6)
    dialog.open()
    qtbot.waitActive(dialog)
    for key in KEYS:
        QTest.keyClick(dialog.windowHandle(), key)
    assert hands.asked == []
    dialog.close()
    hands.window._open_gallery()
    gallery = hands.window.gallery.gallery
    assert gallery is not None
    qtbot.waitActive(gallery)
    for key in KEYS:
        QTest.keyClick(gallery.windowHandle(), key)
    assert hands.asked == ["start", "step"]  # F5 and F6; arrows move on among the cards
