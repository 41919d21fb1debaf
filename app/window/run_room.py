"""The room that the run library takes, and what cleans it up: the foot of the list of all runs."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from app.session.library_room import LibraryRoom
from app.style.text import ElidedLabel, set_role
from app.style.theme import Theme
from engine.runs.retention import Cleaning, Kind, Usage
from engine.runs.room import LEAST, MOST, bytes_in_words, size_of
from engine.runtime.errors import RequestError

_FIELD = 68  # pixels


class RunRoom(QWidget):
    """Says how much room there is taken and of how much, which can be changed, and offers what can go with what that
    frees; where the runs take more than they may, what would go, and what never does.

    ``told`` carries level and sentence: what a cleaning has freed, or what cannot be.
    """

    told = Signal(str, str)

    def __init__(self, room: LibraryRoom) -> None:
        super().__init__()
        self._room = room
        self._cleanings: tuple[Cleaning, ...] = ()
        self._usage: Usage | None = None
        self.label = ElidedLabel()
        set_role(self.label, "muted")
        self.budget = QLineEdit()
        self.budget.setAccessibleName("Room that all runs together may take")
        self.budget.setToolTip(
            "How much room the runs may take: beyond it, the oldest saved states between the best and the last of a "
            f"run go by themselves. From {bytes_in_words(LEAST)} to {bytes_in_words(MOST)}, such as 8 GB"
        )
        self.budget.setMaxLength(12)
        self.budget.editingFinished.connect(self._allow)
        self.button = QPushButton("Clean up…")
        self.button.setProperty("small", True)
        self.menu = QMenu(self.button)
        self.button.setMenu(self.menu)
        self.warning = QLabel()
        self.warning.setWordWrap(True)
        set_role(self.warning, "warning")
        self.warning.hide()
        self._line = QHBoxLayout()
        for widget in (self.label, self.budget, self.button):
            self._line.addWidget(widget)
        self._line.addStretch(1)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addLayout(self._line)
        self._layout.addWidget(self.warning)
        self.budget.setEnabled(False)
        self.button.setEnabled(False)
        room.measured.connect(self._show)
        room.cleaned.connect(self._tell)
        room.failed.connect(self._tell_failure)

    def measure(self, *_: object) -> None:
        """Find out anew."""
        self._room.measure()

    def _show(self, usage: Usage, cleanings: tuple[Cleaning, ...], over: str) -> None:
        self._cleanings, self._usage = cleanings, usage
        self.label.setText(f"All runs together take {bytes_in_words(usage.total)} of")
        self.label.setToolTip(
            f"Curves and labels: {bytes_in_words(usage.database)}\nSaved states: {bytes_in_words(usage.checkpoints)}\n"
            f"Recordings: {bytes_in_words(usage.recordings)}"
        )
        self.budget.setEnabled(True)
        if not self.budget.isModified():  # else somebody is typing
            self.budget.setText(bytes_in_words(usage.budget))
        self.warning.setText(over)
        self.warning.setVisible(bool(over))
        self.menu.clear()
        for cleaning in cleanings:
            self._offer(f"Remove {cleaning.what}", (cleaning,))
        if len(cleanings) > 1:
            self.menu.addSeparator()
            self._offer("Remove all of this", cleanings)
        self.button.setEnabled(bool(cleanings))
        self.button.setToolTip("What can go, and what that frees" if cleanings else "There is nothing to remove.")

    def _allow(self) -> None:
        """Let the runs take as much as was typed."""
        if self._usage is None or not self.budget.isModified():
            return
        self.budget.setModified(False)
        try:
            self._room.allow(size_of(self.budget.text()))
        except RequestError as error:
            self._tell_failure(str(error))

    def _tell_failure(self, sentence: str) -> None:
        if self._usage is not None:
            self.budget.setText(bytes_in_words(self._usage.budget))
        self.told.emit("warning", sentence)

    def _offer(self, words: str, cleanings: tuple[Cleaning, ...]) -> None:
        frees = bytes_in_words(sum(cleaning.size for cleaning in cleanings))
        action = self.menu.addAction(f"{words} (frees {frees}, for good)")
        action.triggered.connect(partial(self._clean, tuple(cleaning.kind for cleaning in cleanings)))

    def _clean(self, kinds: tuple[Kind, ...], _checked: bool = False) -> None:
        self.button.setEnabled(False)
        self._room.clean(kinds)

    def _tell(self, freed: int) -> None:
        self.told.emit("info", f"The run library takes {bytes_in_words(freed)} less.")

    def apply_theme(self, theme: Theme) -> None:
        self._line.setSpacing(theme.unit)
        self._layout.setSpacing(theme.unit // 2)
        self.budget.setFixedWidth(theme.px(_FIELD))
