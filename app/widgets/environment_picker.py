"""The picker for environments: those known, and any other by its id."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.choice_delegate import Choice
from app.widgets.picker import Picker
from app.widgets.sentence import Sentence
from app.widgets.text import set_role

_OTHER = Choice("", "Other…", "Any other environment registered with Gymnasium, by its id.")
_EMPTY = "Type the id under which Gymnasium has registered it, such as CliffWalking-v1, and press Enter."


class EnvironmentPicker(QWidget):
    """``picked`` carries the id of a known environment, ``searched`` one that was typed."""

    picked = Signal(str)
    searched = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.awaited: str | None = None
        self.picker = Picker("Environment", theme, tells=True)
        self.field = _IdEdit()
        self.answer = Sentence()
        self._facts = Sentence()
        self.picker.body.insertWidget(1, self.field)
        self.picker.body.insertWidget(2, self.answer)
        self.picker.body.addWidget(self._facts)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.picker)
        self.picker.picked.connect(self._pick)
        self.field.returnPressed.connect(self._search)
        self.field.escaped.connect(self.finish_search)
        self.finish_search()

    def show_environments(self, known: Sequence[Choice], current: str) -> None:
        self.picker.show_choices((*known, _OTHER), current)

    def show_facts(self, text: str) -> None:
        self._facts.setText(text)
        self._facts.setToolTip(text)

    def set_terse(self, terse: bool) -> None:
        """Keep to two lines where room is dear, and the rest to the hover."""
        self.picker.set_terse(terse)
        self._facts.set_one_line(terse)

    @property
    def facts(self) -> str:
        return self._facts.text()

    def show_search(self, id: str) -> None:
        """Say that the environment is being looked at."""
        self.awaited = id
        self._say(f"Looking at {id}…", "muted")

    def refuse_search(self, sentence: str) -> None:
        """Say why it cannot be had; the id stays to be mended."""
        if self.awaited is not None:
            self.awaited = None
            self._say(sentence, "error")

    def finish_search(self) -> None:
        """The environment has been found, or another picked."""
        self.awaited = None
        if self.field.hasFocus():
            self.picker.combo.setFocus(Qt.FocusReason.OtherFocusReason)
        self.field.clear()
        self.field.hide()
        self.answer.hide()

    def set_locked(self, reason: str) -> None:
        self.picker.set_locked(reason)
        self.field.setEnabled(not reason)

    def apply_theme(self, theme: Theme) -> None:
        self.picker.apply_theme(theme)

    def _pick(self, id: str) -> None:
        if id != _OTHER.id:
            self.finish_search()
            self.picked.emit(id)
            return
        self.field.show()
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _search(self) -> None:
        id = self.field.text().strip()
        if id:
            self.searched.emit(id)
        else:
            self._say(_EMPTY, "error")

    def _say(self, text: str, role: str) -> None:
        set_role(self.answer, role)
        self.answer.setText(text)
        self.answer.show()


class _IdEdit(QLineEdit):
    """A line edit for an environment id."""

    escaped = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setPlaceholderText("Gymnasium id, such as CliffWalking-v1")
        self.setAccessibleName("Gymnasium id of another environment")
        self.setToolTip("Press Enter to look it up, Escape to keep the present environment.")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
        else:
            super().keyPressEvent(event)
