"""A place for a plot in the whole of its window, as long as a person looks at it there."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMainWindow, QToolButton, QVBoxLayout, QWidget

from app.style import icons
from app.style.text import as_surface
from app.style.theme import Theme, apply_to


class Enlarged(QWidget):
    """Lies over all that ``area`` holds, and shows ``content`` under a heading.

    Signals:
        closed: by Esc or the button.
    """

    closed = Signal()

    def __init__(self, area: QWidget, content: QWidget) -> None:
        super().__init__(area)
        as_surface(self)
        self._area = area
        self._heading = QLabel(textFormat=Qt.TextFormat.PlainText)
        self._heading.setProperty("role", "heading")
        self._heading.setMinimumWidth(1)
        self._close = QToolButton()
        self._close.setAccessibleName("Close")
        self._close.setToolTip("Back to its place (Esc or E)")
        self._close.clicked.connect(self.closed)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.activated.connect(self.closed)
        escape.activatedAmbiguously.connect(self.closed)
        header = QHBoxLayout()
        header.addWidget(self._heading, 1)
        header.addWidget(self._close)
        self._layout = QVBoxLayout(self)
        self._layout.addLayout(header)
        self._layout.addWidget(content, 1)
        area.installEventFilter(self)
        self.setGeometry(area.rect())
        self.show()
        self.raise_()
        content.setFocus()

    def set_heading(self, heading: str) -> None:
        if heading != self._heading.text():
            self._heading.setText(heading)

    def apply_theme(self, theme: Theme) -> None:
        apply_to(self, theme)
        icons.give(self._close, "close", color=theme.text)
        self._layout.setContentsMargins(theme.px(12), theme.px(8), theme.px(12), theme.px(8))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._area:
            self.setGeometry(self._area.rect())
        return super().eventFilter(watched, event)


def area_of(widget: QWidget) -> QWidget:
    """What is to be covered: all panels of the page that ``widget`` is on, or its window."""
    ancestor = widget.parentWidget()
    while ancestor is not None and not isinstance(ancestor, QMainWindow):
        ancestor = ancestor.parentWidget()
    return ancestor or widget.window()
