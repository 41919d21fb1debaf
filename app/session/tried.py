"""What a person tried, as a command that can be undone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtGui import QUndoCommand

_TOGETHER = 4.0  # seconds within which changes of one thing are one


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


@dataclass
class Values:
    """What something was, and what it has become."""

    before: Any
    after: Any


class Changed(Tried):
    """Something that was changed by ``put`` of another value. What is changed again soon, under the same ``name``, is
    one: so a text is undone whole, however often it was kept while it was typed."""

    def __init__(self, text: str, values: Values, put: Callable[[Any], object], name: str) -> None:
        super().__init__(text, lambda: put(values.after), lambda: put(values.before))
        self._values, self._name = values, name
        self._when = time.monotonic()

    def id(self) -> int:
        return 2  # of commands that may be one; edits of the choice are others

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, Changed) or other._name != self._name or other._when - self._when > _TOGETHER:
            return False
        self._values.after, self._when = other._values.after, other._when
        self.setObsolete(self._values.after == self._values.before)  # it is as it was
        return True
