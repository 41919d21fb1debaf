"""What stands above the choices while the next run is to be made with a bug, and switches it off."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from app.style.sentence import Sentence


class BugLine(QWidget):
    """Hidden where there is none."""

    off_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.mark = Sentence("warning")
        self.button = QPushButton("Switch off")
        self.button.setProperty("small", True)
        self.button.setToolTip("Make the next run as it should be")
        self.button.clicked.connect(self.off_asked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.mark, 1)
        layout.addWidget(self.button)
        self.hide()

    def show_mark(self, mark: str) -> None:
        """Show "⚠ bug: sign of the loss", or nothing."""
        self.mark.setText(mark)
        self.setVisible(bool(mark))

    def set_locked(self, locked: bool) -> None:
        self.button.setEnabled(not locked)
