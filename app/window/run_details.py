"""What a person says of a run, its name, its tags and a note, beside the last picture of it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from app.session.run_library import RunLibrary
from app.style.text import muted
from app.style.theme import Theme
from engine.runs.records import Label, RunRecord

_PATIENCE = 600  # ms after the last letter until a label is kept
_PICTURE = QSize(128, 96)  # pixels into which the picture is fitted, where text has the system's size


class Details(QWidget):
    """Of the run that is selected; what is typed is kept as soon as nothing more is."""

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
        self.picture = QLabel()
        self.picture.setAccessibleName("The last picture of the run")
        self.picture.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        self._size = _PICTURE
        lines = QVBoxLayout()
        self._layout = QVBoxLayout(self)
        for layout in (lines, self._layout):
            layout.setContentsMargins(0, 0, 0, 0)
        for words, field, place in (
            ("Name", self.title, lines), ("Tags", self.tags, lines), ("Note", self.note, self._layout)
        ):  # fmt: skip
            field.setAccessibleName(f"{words} of the run")
            place.addWidget(muted(words))
            place.addWidget(field)
        self._top = QHBoxLayout()
        self._top.addLayout(lines, 1)
        self._top.addWidget(self.picture)
        self._layout.insertLayout(0, self._top)
        self.title.setMaxLength(80)
        for line in (self.title, self.tags):
            line.textEdited.connect(lambda _text: self._timer.start())
            line.editingFinished.connect(self.keep)
        self.note.textChanged.connect(self._note_typed)
        library.pictured.connect(self._pictured)

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

    def _pictured(self, run: str) -> None:
        if self._record is not None and self._record.id == run:
            self._show_picture()

    def _show_picture(self) -> None:
        """Show the last picture of the run, where there is one."""
        picture = QPixmap()
        if self._record is not None:
            picture.loadFromData(self._library.picture(self._record.id))
        self.picture.setVisible(not picture.isNull())
        if not picture.isNull():
            ratio = self.devicePixelRatioF()
            keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            picture = picture.scaled(self._size * ratio, keep, smooth)
            picture.setDevicePixelRatio(ratio)
        self.picture.setPixmap(picture)

    def apply_theme(self, theme: Theme) -> None:
        self._size = QSize(theme.px(_PICTURE.width()), theme.px(_PICTURE.height()))
        for layout in (self._layout, self._top):
            layout.setSpacing(theme.unit // 2)
        self._show_picture()

    def show_run(self, record: RunRecord | None) -> None:
        """Show what is said of a run, unless it is just what is typed here; None clears and locks the fields."""
        other = record is None or self._record is None or record.id != self._record.id
        if other:
            self.keep()
        elif record is not None and self._record is not None and record.label == self._record.label:
            return
        self._record = record
        if other:
            self._show_picture()
        label = record.label if record is not None else Label()
        self.setEnabled(record is not None)
        if other or not self._timer.isActive():
            self.title.setText(label.title)
            self.tags.setText(", ".join(label.tags))
            self.note.setPlainText(label.note)
