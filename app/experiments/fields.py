"""Small controls of the form: a counter, and lines that say what belongs to them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QSizePolicy, QSpinBox, QToolButton

from app.style import icons
from app.style.theme import Theme

_LEFT = 6  # pixels before what is typed, as in other fields


class Counter(QSpinBox):
    """A whole number; it stays put while the page is scrolled over it."""

    def __init__(self, name: str, least: int, most: int) -> None:
        super().__init__()
        self.setRange(least, most)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setKeyboardTracking(False)
        self.lineEdit().setTextMargins(_LEFT, 0, 0, 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


def line(name: str, placeholder: str = "", tip: str = "") -> QLineEdit:
    """A line to type into."""
    field = QLineEdit()
    field.setAccessibleName(name)
    field.setPlaceholderText(placeholder)
    field.setToolTip(tip or name)
    field.setMinimumWidth(40)
    return field


def heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


def small_button(tip: str) -> QToolButton:
    """A button that is a sign alone; ``tip`` says what it does."""
    button = QToolButton()
    button.setProperty("role", "quiet")
    button.setAutoRaise(True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    return button


def give_sign(button: QToolButton, name: str, theme: Theme) -> None:
    button.setFixedSize(theme.px(20), theme.px(20))
    icons.give(button, name, color=theme.muted, color_active=theme.text)
