"""What the settings that are compared settle, and what they do not, in sentences."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.compare.compared import Compared
from app.compare.group_columns import summed_up, verdicts
from app.style.format import with_minus
from app.style.text import Stage, as_surface
from app.style.theme import Theme
from engine.runs.comparison.verdicts import caveats

EMPTY = "Tick runs of two settings, several seeds of each, and what they settle stands here."
_OTHERS = "These settings are in different environments, so that their returns say nothing of which is better."


class VerdictPage(QWidget):
    """A paragraph for each setting beside the first, and before them what is to be known of all."""

    def __init__(self, theme: Theme, compared: Compared) -> None:
        super().__init__()
        as_surface(self)
        self._compared = compared
        self.label = QLabel()
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        self.label.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.label)
        self._stage = Stage(EMPTY, scroll)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stage)
        compared.follow(self.refresh)
        self.apply_theme(theme)

    @property
    def text(self) -> str:
        return self.label.text() if self._stage.filled else ""

    def apply_theme(self, theme: Theme) -> None:
        self.label.setMargin(2 * theme.unit)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        if not self.isVisible():
            return
        groups = self._compared.groups
        if len(groups) < 2:
            self._stage.fill(False)
            return
        found = summed_up(self._compared)
        told = [" ".join(each.sentences) for each in verdicts(self._compared)] or [_OTHERS]
        paragraphs = [self._compared.chosen, " ".join(caveats(found)), *told]
        self.label.setText(with_minus("\n\n".join(filter(None, paragraphs))))
        self._stage.fill(True)
