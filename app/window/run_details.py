"""What a person says of a run: its name, its tags and a note."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFormLayout, QLineEdit, QPlainTextEdit, QWidget

from app.session.run_library import RunLibrary
from app.style.text import muted
from engine.runs.records import Label, RunRecord

_PATIENCE = 600  # ms after the last letter until a label is kept


class Details(QWidget):
    """What a person says of the run that is selected; it is kept as soon as nothing more is typed."""

    def __init__(self, library: RunLibrary) -> None:
        super().__init__()
        self._library = library
        self._record: RunRecord | None = None
        self.title, self.tags, self.note = QLineEdit(), QLineEdit(), QPlainTextEdit()
        self.title.setPlaceholderText("a name of its own")
        self.tags.setPlaceholderText("lecture 3, good")
        self.note.setPlaceholderText("What was tried, and what came of it")
        self.note.setTabChangesFocus(True)
        self._timer = QTimer(self, interval=_PATIENCE, singleShot=True)
        self._timer.timeout.connect(self.keep)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        for words, field in (("Name", self.title), ("Tags", self.tags), ("Note", self.note)):
            field.setAccessibleName(f"{words} of the run")
            form.addRow(muted(words), field)
        self.title.setMaxLength(80)
        for line in (self.title, self.tags):
            line.textEdited.connect(lambda _text: self._timer.start())
            line.editingFinished.connect(self.keep)
        self.note.textChanged.connect(self._note_typed)

    def _note_typed(self) -> None:
        if self._record is not None and self.note.toPlainText() != self._record.label.note:
            self._timer.start()

    @property
    def _typed(self) -> Label | None:
        """What the fields say; None where they are of no run."""
        if self._record is None:
            return None
        tags = tuple(dict.fromkeys(tag.strip() for tag in self.tags.text().split(",") if tag.strip()))
        return replace(
            self._record.label, title=self.title.text().strip(), tags=tags, note=self.note.toPlainText().strip()
        )

    def keep(self) -> None:
        """Keep what was typed."""
        self._timer.stop()
        label, record = self._typed, self._record
        if record is not None and label is not None and label != record.label:
            self._record = replace(record, label=label)
            self._library.label(record.id, label)

    def show_run(self, record: RunRecord | None) -> None:
        """Show what is said of a run, unless it is just what is typed here; None clears and locks the fields."""
        other = record is None or self._record is None or record.id != self._record.id
        if other:
            self.keep()
        elif record is not None and self._record is not None and record.label == self._record.label:
            return
        self._record = record
        label = record.label if record is not None else Label()
        self.setEnabled(record is not None)
        if other or not self._timer.isActive():
            self.title.setText(label.title)
            self.tags.setText(", ".join(label.tags))
            self.note.setPlainText(label.note)
