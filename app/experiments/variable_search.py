"""A line in which a person searches for what is to vary."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QStringListModel, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QCompleter, QLineEdit, QToolButton

from app.models.variables import Variable, found_by

_SHOWN = 12  # of those that are found, without scrolling


class VariableSearch(QLineEdit):
    """Lists those in which all words are found; one that is chosen is told, and the line is empty again.

    Signals:
        chosen: a Variable.
    """

    chosen = Signal(object)

    def __init__(self, variables: Callable[[], Sequence[Variable]]) -> None:
        super().__init__()
        self._variables = variables
        self._found: list[Variable] = []
        self.setPlaceholderText("What is to vary? Type to search")
        self.setAccessibleName("Vary something")
        self.setToolTip("A parameter, a choice of method or a change to the environment; ↓ lists all there are")
        self.setClearButtonEnabled(True)
        for button in self.findChildren(QToolButton):
            button.setAccessibleName("Clear the search")
        self._titles = QStringListModel(self)
        completer = QCompleter(self._titles, self)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        completer.setMaxVisibleItems(_SHOWN)
        completer.activated.connect(lambda title: self._choose(self._titles.stringList().index(title)))
        self.setCompleter(completer)
        self.textEdited.connect(self._find)

    def _find(self, words: str) -> None:
        self._found = found_by(self._variables(), words)
        self._titles.setStringList([one.listed for one in self._found])

    def _choose(self, row: int) -> None:
        found = self._found[row] if 0 <= row < len(self._found) else None
        QTimer.singleShot(0, self, self.clear)  # once the completer has written into the line what was chosen
        if found is not None:
            self.chosen.emit(found)

    def _list(self) -> None:
        self._find(self.text())
        self.completer().complete()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        if not self.text():
            self._list()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        popup = self.completer().popup()
        open_list = popup is not None and popup.isVisible()
        if event.key() == Qt.Key.Key_Down and not open_list:
            self._list()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not open_list and self.text():
            self._find(self.text())
            self._choose(0)
        else:
            super().keyPressEvent(event)
