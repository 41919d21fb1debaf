"""What a person tried, as a command that can be undone."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QUndoCommand


class Tried(QUndoCommand):
    """Done as it is put onto a stack, unless it was ``done`` before; a stack of them is a list of what was tried.

    Args:
        text: what it was, as a menu has it: "Delete run 3".
        possible: why it can be neither undone nor done again now, empty where it can.
    """

    def __init__(
        self,
        text: str,
        do: Callable[[], object],
        undo: Callable[[], object],
        *,
        done: bool = False,
        possible: Callable[[], str] = lambda: "",
    ) -> None:
        super().__init__(text)
        self._do, self._undo, self._done = do, undo, done
        self.hindrance = possible

    def redo(self) -> None:
        if not self._done:
            self._do()
        self._done = False

    def undo(self) -> None:
        self._undo()
