"""Ctrl+C on the command line, remembered: what it interrupts may answer with another error, or not at all, as libraries
do that are being imported."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interrupts:
    """While it is entered, Ctrl+C raises KeyboardInterrupt as ever, and ``came`` says that it did."""

    def __init__(self) -> None:
        self.came = False
        self._held_back = False
        self._before: Any = None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():  # no other can listen
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def check(self) -> None:
        """Raise KeyboardInterrupt where one was raised and was lost on the way."""
        if self.came:
            raise KeyboardInterrupt

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Interrupt at the end of the block, not within: not all that torch does while it is loaded survives it."""
        self._held_back = True
        try:
            yield
        finally:
            self._held_back = False
        self.check()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        if not self._held_back:
            raise KeyboardInterrupt
