"""The question under which title a choice is kept, with what sentence, and in which file."""

from __future__ import annotations

import os.path
from pathlib import Path

from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.style.sentence import Sentence
from engine.config import own_presets
from engine.config.presets import LONGEST_SUMMARY, LONGEST_TITLE


class SaveDialog(QDialog):
    """Accepted with a title, from which the file's name follows, or handed over to a dialog of files: ``elsewhere``."""

    def __init__(self, title: str, summary: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Save as a preset")
        self.title = QLineEdit(title[:LONGEST_TITLE])
        self.title.setMaxLength(LONGEST_TITLE)
        self.title.selectAll()
        self.summary = QPlainTextEdit(summary[:LONGEST_SUMMARY])
        self.summary.setProperty("role", "field")
        self.summary.setTabChangesFocus(True)
        self.summary.setFixedHeight(4 * self.fontMetrics().lineSpacing())
        self.summary.setPlaceholderText("What it shows, in a sentence")
        self.place = Sentence()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.save = QPushButton()
        self.save.setProperty("role", "primary")
        self.save.setDefault(True)
        self.elsewhere = QPushButton("Save elsewhere…")
        self.elsewhere.setAutoDefault(False)
        self.buttons.addButton(self.save, QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.addButton(self.elsewhere, QDialogButtonBox.ButtonRole.ActionRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        form = QFormLayout()
        form.setSpacing(8)
        form.addRow("Title", self.title)
        form.addRow("Summary", self.summary)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(16)
        column.addLayout(form)
        column.addWidget(self.place)
        column.addWidget(self.buttons)
        self.setMinimumWidth(30 * self.fontMetrics().averageCharWidth() + 240)
        self.title.textChanged.connect(self._tell)
        self._tell()

    @property
    def path(self) -> Path:
        """Where it goes unless another place is chosen."""
        return own_presets.file_for(self.title.text())

    @property
    def words(self) -> tuple[str, str]:
        """Title and summary as they are to be kept."""
        summary = " ".join(self.summary.toPlainText().split())
        return self.title.text().strip(), summary[:LONGEST_SUMMARY]

    def _tell(self) -> None:
        titled = bool(self.title.text().strip())
        there = titled and os.path.exists(self.path)  # which never raises, whatever keeps it from looking
        self.save.setText("Replace" if there else "Save")
        for button in (self.save, self.elsewhere):
            button.setEnabled(titled)
        if not titled:
            self.place.setText("A preset needs a title, by which it is found in the menu Preset under Yours.")
        else:
            before = (
                "There is a preset of this name already; saving replaces it" if there else "It will be found in the"
            )
            if not there:
                before += " menu Preset under Yours"
            self.place.setText(f"{before}: {self.path}")
