"""The newest sentence for the person, at the foot of the window."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy

from app.models.notices import Level
from app.style.sentence import one_line
from app.style.text import set_role


class Notice(QLabel):
    """One line; what does not fit into it is left out, and shown on hovering."""

    def __init__(self) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setContentsMargins(6, 0, 6, 0)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # a sentence widens nothing
        self.setMinimumWidth(1)

    def tell(self, level: Level, sentence: str) -> None:
        self.setText(sentence)
        self.setToolTip(f"<p>{escape(sentence)}</p>")  # which wraps it
        set_role(self, level if level != "info" else "muted")

    def forget(self) -> None:
        self.clear()
        self.setToolTip("")

    def paintEvent(self, event: QPaintEvent) -> None:
        room = self.contentsRect()
        shown = one_line(self.text(), self.fontMetrics(), room.width())
        if shown == self.text():
            super().paintEvent(event)  # in which it can be selected
            return
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.end()
