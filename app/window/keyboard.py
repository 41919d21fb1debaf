"""Whose a key is that is a shortcut too: the field's in which one types, the control's that was reached by Tab, or else
the window's, as after every click."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDockWidget,
    QGraphicsView,
    QGroupBox,
    QLineEdit,
    QMainWindow,
    QMenuBar,
    QPlainTextEdit,
    QTabBar,
    QTextEdit,
    QWidget,
)
from shiboken6 import isValid

_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right)
_FIELDS = (QAbstractSpinBox, QLineEdit, QPlainTextEdit, QTextEdit)
_CONTROLS = (QAbstractButton, QAbstractSlider, QComboBox, QGroupBox, QTabBar)
_SEARCHED = (QAbstractItemView, QComboBox, QMenuBar)  # by typing the first letters of an entry
_PLAIN = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier


def is_field(widget: QWidget) -> bool:
    """Whether one types into ``widget``."""
    if isinstance(widget, QComboBox):  # which has the keyboard in place of the line in it
        return widget.isEditable()
    return isinstance(widget, _FIELDS) and bool(widget.inputMethodQuery(Qt.InputMethodQuery.ImEnabled))


def uses(widget: QWidget, event: QKeyEvent) -> bool:
    """Whether a key means something of its own to ``widget``, where that has the keyboard."""
    if event.modifiers() & ~_PLAIN:
        return False  # fields say themselves that Ctrl+Z is theirs
    if is_field(widget) or isinstance(widget, _SEARCHED):
        letters = widget.property("letters") is not False  # where they find something
        if event.key() == Qt.Key.Key_Space and widget.property("ticks"):
            return True
        return event.key() in _ARROWS or (letters and event.text() != "" and event.text().isprintable())
    if isinstance(widget, (QGraphicsView, QPlainTextEdit, QTextEdit)):
        return False  # looked at, and moved in other ways
    if isinstance(widget, _CONTROLS):
        return event.key() in (*_ARROWS, Qt.Key.Key_Space)
    if isinstance(widget, QAbstractScrollArea):
        return event.key() in _ARROWS and widget.horizontalScrollBar().maximum() > 0
    return False


def asks_to_undo(event: QKeyEvent) -> bool:
    """Whether a key is that for undoing, or for doing again."""
    return event.matches(QKeySequence.StandardKey.Undo) or event.matches(QKeySequence.StandardKey.Redo)


def can_undo(widget: QWidget, event: QKeyEvent) -> bool:
    """Whether there is something typed in ``widget`` that a key would undo or do again."""
    back = event.matches(QKeySequence.StandardKey.Undo)
    if isinstance(widget, (QPlainTextEdit, QTextEdit)):
        document = widget.document()
        return document.isUndoAvailable() if back else document.isRedoAvailable()
    line = widget if isinstance(widget, QLineEdit) else widget.findChild(QLineEdit)
    return line is not None and (line.isUndoAvailable() if back else line.isRedoAvailable())


def is_let_go(widget: QWidget) -> bool:
    """Whether ``widget`` has done what it can once it was clicked, so that it leaves the keyboard to the window."""
    keeps = (QMenuBar, QAbstractItemView, QGraphicsView, QPlainTextEdit, QTextEdit)
    clicked = isinstance(widget, (*_CONTROLS, QAbstractScrollArea)) and not isinstance(widget, keeps)
    return clicked and not is_field(widget)


class Keyboard(QObject):
    """Follows the focus in a window and the docks that float before it.

    A clicked control leaves the focus to the window itself, where keys are shortcuts; from there Tab goes on from what
    was clicked. Escape leaves a field, with what holds in it, or a control. Events are looked at only where a control
    or a field has the focus, as each look takes time from training.
    """

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._watched: list[QObject] = []
        self._left: QWidget | None = None  # what last had the focus and was let go
        cast(QApplication, QApplication.instance()).focusChanged.connect(self._follow)

    def let_go(self) -> None:
        """Leave the keyboard to the window."""
        focus = QApplication.focusWidget()
        if focus is not None and self._is_ours(focus):
            self._left = focus
            focus.window().setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self._window.setFocus(Qt.FocusReason.OtherFocusReason)

    def go_on(self) -> None:
        """Before Tab moves on: have it move on from what was let go."""
        left = self._left
        if self._window.hasFocus() and left is not None and isValid(left) and left.isVisible() and left.isEnabled():
            left.setFocus(Qt.FocusReason.TabFocusReason)

    def _is_ours(self, widget: QWidget) -> bool:
        top = widget.window()
        if isinstance(top, QDockWidget):  # which floats
            docked_in = top.parentWidget()
            return docked_in is not None and docked_in.window() is self._window
        return top is self._window

    def _follow(self, old: QWidget | None, new: QWidget | None) -> None:
        for watched in self._watched:
            if isValid(watched):
                watched.removeEventFilter(self)
        self._watched.clear()
        if new is None or new.isWindow() or not self._is_ours(new):
            return
        clicked = QApplication.mouseButtons() != Qt.MouseButton.NoButton
        # Qt hands on the focus of what can no longer have it, and the next Space would press what nobody chose.
        handed_on = (
            old is not None and isValid(old) and self._is_ours(old) and not (old.isEnabled() and old.isVisible())
        )
        if (clicked and is_let_go(new)) or (handed_on and not is_field(new)):
            self.let_go()
        elif is_field(new) or is_let_go(new) or isinstance(new, (QMenuBar, QAbstractItemView)):
            self._watched = [new, new.window().windowHandle()]
            for watched in self._watched:
                watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.MouseButtonPress and not isinstance(watched, QWidget):
            self._click(cast(QMouseEvent, event))
        elif kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress) and isinstance(watched, QWidget):
            key = cast(QKeyEvent, event)
            if key.key() == Qt.Key.Key_Escape and not key.modifiers() and not isinstance(watched, QMenuBar):
                return self._escape(watched, key)
            if kind == QEvent.Type.ShortcutOverride and asks_to_undo(key) and not can_undo(watched, key):
                event.ignore()  # else it would take the key and do nothing
                return True
            if kind == QEvent.Type.ShortcutOverride and uses(watched, key):
                event.accept()
                return True
        return False

    def _escape(self, widget: QWidget, event: QKeyEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:
            if is_field(widget):
                event.accept()  # a shortcut's turn is once the field is left
            return is_field(widget)
        widget.event(event)  # which brings back what holds
        if isValid(widget) and widget.hasFocus():
            self.let_go()
        return True

    def _click(self, event: QMouseEvent) -> None:
        """Before a click anywhere in the window, a control or a field in which it is not gives up the focus."""
        focus = QApplication.focusWidget()
        if focus is None or event.button() != Qt.MouseButton.LeftButton:
            return
        where = focus.window().childAt(event.position().toPoint())
        inside = where is not None and (where is focus or focus.isAncestorOf(where))
        if is_let_go(focus) or (is_field(focus) and not inside and not isinstance(where, _CONTROLS)):
            self.let_go()
