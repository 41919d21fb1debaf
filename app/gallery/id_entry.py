"""The line at the foot of the gallery for any other environment, by its id."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCompleter, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.models.offers import KEPT, Terms
from app.style.sentence import Sentence
from app.style.text import set_role
from app.style.theme import Theme

_HOW = (
    "module:Id imports that Python module first, for environments of your own; ids that installed packages register "
    "need no module."
)
_EMPTY = "Type an id, such as CliffWalkingSlippery-v1, or a module and an id, such as my_package.worlds:Maze-v0."


class IdEntry(QWidget):
    """``asked`` carries the id that was entered, and the terms: None for the first that are offered with it."""

    asked = Signal(str, object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._locked = ""
        self.field = _IdEdit()
        self.field.entered.connect(lambda: self._ask(None))
        self._ids = QStringListModel(self)
        completer = QCompleter(self._ids, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.field.setCompleter(completer)
        self.button = QPushButton("Use it")
        self.button.setAutoDefault(False)
        self.button.setToolTip("With its preset where one ships, else with a starting choice for its spaces")
        self.button.clicked.connect(lambda: self._ask(None))
        self.keep = QPushButton(KEPT)
        self.keep.setAutoDefault(False)
        self.keep.setToolTip("Use it with the present settings; what does not fit gives way")
        self.keep.clicked.connect(lambda: self._ask("kept"))
        self.answer = Sentence(text=_HOW)
        name = QLabel("Any other")
        name.setBuddy(self.field)
        row = QHBoxLayout()
        row.setSpacing(theme.unit)
        row.addWidget(name)
        row.addWidget(self.field, 1)
        row.addWidget(self.button)
        row.addWidget(self.keep)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.unit // 2)
        column.addLayout(row)
        column.addWidget(self.answer)

    def offer(self, ids: Iterable[str]) -> None:
        """What to complete from."""
        self._ids.setStringList(sorted(set(ids)))

    def say(self, text: str, role: str) -> None:
        """An answer in place of the explanation."""
        set_role(self.answer, role)
        self.answer.setText(text)

    def explain(self) -> None:
        """What can be typed here, or why nothing can."""
        self.say(self._locked or _HOW, "warning" if self._locked else "muted")

    def set_locked(self, reason: str) -> None:
        if reason != self._locked:
            self._locked = reason
            self.field.setEnabled(not reason)
            self.button.setEnabled(not reason)
            self.keep.setEnabled(not reason)
            self.explain()

    def _ask(self, terms: Terms | None) -> None:
        id = self.field.text().strip()
        if id:
            self.asked.emit(id, terms)
        else:
            self.say(_EMPTY, "error")
            self.field.setFocus()


class _IdEdit(QLineEdit):
    entered = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setPlaceholderText("Gymnasium id, or module:Id")
        self.setAccessibleName("Id of any other environment")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        else:
            super().keyPressEvent(event)
