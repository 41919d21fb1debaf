"""Ctrl+C in the terminal and the system's wish that the program end: both close the window as a person would."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from PySide6.QtCore import QCoreApplication, QSocketNotifier

from engine.runtime.interrupts import ENDS, let_in


@contextmanager
def signals_obeyed(application: QCoreApplication, close: Callable[[], object]) -> Iterator[list[int]]:
    """In the block, a signal that ends programs calls ``close`` and ends the application's event loop.

    Python's handlers run only where Python does, and a window that nobody touches runs none: the signal therefore also
    writes to a socket, at which the event loop wakes. That there are handlers keeps SDL from setting its own, which
    only tell pygame. What the program was started to ignore (by ``nohup``, or in a script's background) stays ignored,
    and so do all of them once one has come.

    Yields:
        The signals received.
    """
    received: list[int] = []
    reading, writing = socket.socketpair()
    for end in (reading, writing):
        end.setblocking(False)
    notifier = QSocketNotifier(reading.fileno(), QSocketNotifier.Type.Read)

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    def obey() -> None:
        reading.recv(64)
        if received:
            close()
            application.quit()  # also where a menu or a dialog waits for an answer

    notifier.activated.connect(obey)
    before = {number: signal.getsignal(number) for number in ENDS}
    before = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, note)
    woken = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    let_in()
    try:
        yield received
    finally:
        signal.set_wakeup_fd(woken)
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if received else handler)
        notifier.setEnabled(False)
        reading.close()
        writing.close()
