"""Reading and writing files for the window on a thread of its own, and what is computed of them, so that neither a slow
disk nor a large run holds up the window."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QThread, Signal

from app.session.failures import failure


class FileWork(QThread):
    """Does what it is asked for one after the other, and is no thread at all while nothing is asked.

    Args:
        name: of the thread.
        unexpected: what is said of an exception that no one expected.
    """

    failed = Signal(str)  # why something could not be done, in a sentence
    _done = Signal(object, object)  # what is to be done with what has come of something, and that

    def __init__(
        self,
        parent: QObject | None = None,
        name: str = "files",
        unexpected: str = "Something unexpected happened with a file",
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._unexpected = unexpected
        self._asked: deque[tuple[Callable[[], Any], Callable[[Any], object]]] = deque()
        self._ending = False
        self._done.connect(self._hand_over)
        self.finished.connect(self._go_on)

    def ask(self, work: Callable[[], Any], then: Callable[[Any], object]) -> None:
        """Do ``work`` there, and ``then`` here with what it returns."""
        self._asked.append((work, then))
        self._go_on()

    def end(self) -> None:
        """Begin nothing more."""
        self._ending = True
        self._asked.clear()

    def run(self) -> None:
        while self._asked:
            work, then = self._asked.popleft()
            try:
                result = work()
            except Exception as error:
                self.failed.emit(failure(error, self._unexpected))
            else:
                self._done.emit(then, result)

    def _hand_over(self, then: Callable[[Any], object], result: Any) -> None:
        if not self._ending:
            then(result)

    def _go_on(self) -> None:
        if self._asked and not self._ending and not self.isRunning():
            self.start()
