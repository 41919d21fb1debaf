"""A place that holds a widget, or is not there while the widget is elsewhere."""

from __future__ import annotations

from PySide6.QtCore import QMargins
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget


class Holder(QWidget):
    """Holds one widget at a time; ``ruled`` draws a line above it."""

    def __init__(self, across: int, down: int, *, ruled: bool = False) -> None:
        super().__init__()
        self._ruled = ruled
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(across, down, across, down)
        self.hide()

    @property
    def margins(self) -> QMargins:
        return self._layout.contentsMargins()

    def hold(self, widget: QWidget) -> None:
        """Take the widget over from the holder it is in, which vanishes."""
        before = widget.parentWidget()
        if before is self:
            return
        self._layout.addWidget(widget)
        widget.show()
        self.show()
        if isinstance(before, Holder):
            before.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._ruled:
            painter = QPainter(self)
            painter.fillRect(0, 0, self.width(), 1, self.palette().mid())
            painter.end()
