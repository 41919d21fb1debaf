"""What a click on a plot leads to: to what lies behind the mark that was clicked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu

from app.plotting.readout import Pointer


@dataclass(frozen=True)
class Pick:
    """What can be asked for at a place of a plot, or of all that it shows where that is None; ``words`` name it."""

    words: str
    at: Callable[[Pointer | None], None]

    def offer_in(self, menu: QMenu, pointer: Pointer | None) -> None:
        """As the first entry of a menu."""
        first = next(iter(menu.actions()), None)
        action = menu.addAction(self.words, QKeySequence("Return"))
        action.triggered.connect(lambda: self.at(pointer))
        if first is not None:
            menu.removeAction(action)
            menu.insertAction(first, action)
            menu.insertSeparator(first)
