"""How much room the run library takes, and its cleaning, on a thread of its own: a large library takes a while."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.runtime.errors import RequestError, RunError

if TYPE_CHECKING:  # with sqlite3, which the window's first picture does not wait for
    from engine.runs.library import Library
    from engine.runs.retention import Kind

_PATIENCE = 5.0  # seconds that a window that is closed waits for what is under way


class LibraryRoom(QObject):
    """One thing at a time; what is asked meanwhile is done after it, since what it found may be over by then.

    Signals:
        measured: a ``Usage``, what could be cleaned away as ``Cleaning`` records, and what a person should know where
            the runs take more than they are meant to, else nothing.
        cleaned: the bytes that a cleaning has freed.
        failed: why it could not be done, in a sentence.
    """

    measured = Signal(object, object, str)
    cleaned = Signal(object)
    failed = Signal(str)

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._asked: list[Callable[[Library], None]] = []  # what is under way is the first

    @property
    def busy(self) -> bool:
        return bool(self._asked)

    def measure(self) -> None:
        """Find out how much room there is taken."""
        self._begin(self._measure)

    def clean(self, kinds: Collection[Kind]) -> None:
        """Remove what is of these kinds, for good."""

        def do(library: Library) -> None:
            from engine.runs.retention import clean

            self.cleaned.emit(clean(library, kinds))
            self._measure(library)

        self._begin(do)

    def allow(self, size: int) -> None:
        """Remember how many bytes the runs are meant to take at most."""

        def do(library: Library) -> None:
            from engine.runs.room import set_budget

            set_budget(library.folder, size)
            self._measure(library)

        self._begin(do)

    def _measure(self, library: Library) -> None:
        from engine.runs.retention import cleanings, over_budget, usage

        self.measured.emit(usage(library), cleanings(library), over_budget(library))

    def _begin(self, do: Callable[[Library], None]) -> None:
        with self._lock:
            if do in self._asked[1:]:
                return
            self._asked.append(do)
            if len(self._asked) > 1:
                return
        self._thread = threading.Thread(target=self._run, name="library room", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        from engine.runs.library import Library

        while True:
            try:
                with Library(self._folder) as library:
                    self._asked[0](library)
            except (RequestError, RunError, OSError) as error:
                self.failed.emit(str(error))
            with self._lock:
                del self._asked[0]
                if not self._asked:
                    return

    def close(self) -> None:
        """Wait for what is under way."""
        if self._thread is not None:
            self._thread.join(_PATIENCE)
