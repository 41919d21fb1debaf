"""The room that the run library takes, and what cleans it up: the foot of the list of all runs."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from app.session.library_room import LibraryRoom
from app.style.format import bytes_in_words
from app.style.text import ElidedLabel, set_role
from app.style.theme import Theme
from engine.runs.retention import Cleaning, Kind, Usage


class RunRoom(QWidget):
    """Says how much room there is taken and of how much, and offers what can go with what that frees.

    ``told`` carries what a cleaning has freed: level and sentence.
    """

    told = Signal(str, str)

    def __init__(self, room: LibraryRoom) -> None:
        super().__init__()
        self._room = room
        self._cleanings: tuple[Cleaning, ...] = ()
        self.label = ElidedLabel()
        set_role(self.label, "muted")
        self.button = QPushButton("Clean up…")
        self.button.setProperty("small", True)
        self.menu = QMenu(self.button)
        self.button.setMenu(self.menu)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addWidget(self.label)
        self._layout.addWidget(self.button)
        self._layout.addStretch(1)
        self.button.setEnabled(False)
        room.measured.connect(self._show)
        room.cleaned.connect(self._tell)
        room.failed.connect(lambda sentence: self.told.emit("warning", sentence))

    def measure(self, *_: object) -> None:
        """Find out anew."""
        self._room.measure()

    def _show(self, usage: Usage, cleanings: tuple[Cleaning, ...]) -> None:
        self._cleanings = cleanings
        taken, budget = bytes_in_words(usage.total), bytes_in_words(usage.budget)
        self.label.setText(f"All runs together take {taken} of {budget}.")
        self.label.setToolTip(
            f"Curves and labels: {bytes_in_words(usage.database)}\nSaved states: {bytes_in_words(usage.checkpoints)}\n"
            f"Beyond {budget}, the oldest saved states between the best and the last of a run go by themselves."
        )
        self.menu.clear()
        for cleaning in cleanings:
            self._offer(f"Remove {cleaning.what}", (cleaning,))
        if len(cleanings) > 1:
            self.menu.addSeparator()
            self._offer("Remove all of this", cleanings)
        self.button.setEnabled(bool(cleanings))
        self.button.setToolTip("What can go, and what that frees" if cleanings else "There is nothing to remove.")

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
        self._layout.setSpacing(theme.unit)
