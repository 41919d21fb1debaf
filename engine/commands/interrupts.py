"""Ctrl+C on the command line, and the system's wish that the program end, remembered: what they interrupt may answer
with another error, or not at all, as libraries do that are being imported."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from engine.runtime.interrupts import ENDS
from engine.runtime.waiting import Wait, Watcher

if TYPE_CHECKING:
    import socket

    from engine.reports.events import Updated

PATIENCE = 2.0  # seconds in which what was interrupted may put itself in order


class Interrupts:
    """While it is entered, each of ``ENDS`` raises KeyboardInterrupt, the first time and never again, so that nothing
    interrupts the putting in order; ``came`` is its number then, and 0 before. A program that was interrupted has
    nothing else to do but end: from then on they are ignored.

    ``tell`` is what to say of it. What the program was started to ignore (by ``nohup``, or in a script's background)
    stays ignored.
    """

    def __init__(self) -> None:
        self.came = 0
        self.tell: Callable[[], str] = lambda: "Interrupted."
        self._came_at = 0.0
        self._held_back = self._over = False
        self._closed = threading.Event()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():  # no other can listen
            for number in ENDS:
                before = signal.getsignal(number)
                if before not in (signal.SIG_IGN, None):
                    self._before[number] = before
                    signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            if signal.getsignal(number) == self._note:  # else somebody else has seen to it
                signal.signal(number, signal.SIG_IGN if self.came else before)

    @property
    def status(self) -> int:
        """The exit status of a program that was interrupted."""
        return 128 + self.came

    @property
    def since(self) -> float:
        """For how many seconds it has been interrupted; 0 where it is not."""
        return time.monotonic() - self._came_at if self.came else 0.0

    def watching(self, watcher: Watcher) -> Watcher:
        """``watcher``, which what interrupts also ends the wait for, held back or not."""

        def watch(wait: Wait) -> None:
            self.check()
            watcher(wait)

        return watch

    def check(self) -> None:
        """Raise KeyboardInterrupt where one was raised and was lost on the way."""
        if self.came:
            raise KeyboardInterrupt

    def end(self) -> None:
        """From here on nothing is raised any more: all that is left is to say what came of it."""
        self._over = True

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Interrupt at the end of the block, not within: not all that torch does while it is loaded survives it."""
        self._held_back = True
        try:
            yield
        finally:
            self._held_back = False
        self.check()

    @contextmanager
    def not_for_long(self) -> Iterator[None]:
        """See to it that the program ends ``PATIENCE`` after a signal came in the block, whatever it is in: an
        environment that does not return lets nothing be raised."""
        import socket  # the window need not wait for it

        if not self._before:
            yield
            return
        reading, writing = socket.socketpair()
        writing.setblocking(False)
        before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        watching = threading.Thread(target=self._watch, args=(reading,), daemon=True, name="interrupts")
        watching.start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            self._closed.set()
            writing.close()
            watching.join()
            reading.close()

    def _watch(self, reading: socket.socket) -> None:
        while (number := reading.recv(1)) and number[0] not in self._before:
            pass
        if number and not self._closed.wait(PATIENCE):
            self.came = self.came or number[0]
            _leave(self.status, self.tell())

    def _note(self, number: int, frame: FrameType | None) -> None:
        first, self.came = not self.came, self.came or number
        self._came_at = self._came_at or time.monotonic()
        if first and not self._held_back and not self._over:
            raise KeyboardInterrupt


def interrupted(latest: Updated | None) -> str:
    """How far a run had come that was interrupted; ``latest`` is the last that it told, if it told anything."""
    if latest is None:
        return "Interrupted before the first iteration had ended."
    from engine.training.totals import MEAN_OVER  # with numpy, which is there by now

    mean, episodes = latest.metrics["mean_return"], min(latest.episodes, MEAN_OVER)
    reached = "no episode had ended"
    if mean is not None:
        whose = "the last episode" if episodes == 1 else f"the last {episodes} episodes"
        reached = f"the {'return' if episodes == 1 else 'mean return'} of {whose} was {short(mean)}"
    return f"Interrupted after {latest.environment_steps:,} steps; {reached}."


def short(number: float) -> str:
    return f"{number:.1f}" if abs(number) < 1e7 else f"{number:.4g}"


def _leave(status: int, sentence: str) -> NoReturn:
    """End at once, whatever the main thread is in."""
    import sys

    from engine.commands.output import complain
    from engine.runtime.worker_process import kill_all

    if sys.stderr is not None and sys.stderr.isatty():
        complain("")  # the progress bar's line is not ended
    complain(sentence)
    kill_all()
    with suppress(Exception):
        sys.stdout.flush()
    os._exit(status)
