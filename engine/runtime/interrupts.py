"""Ctrl+C, and the system's wish that the program end, where they must not come: in the processes beside this one, and
in what does not survive them."""

from __future__ import annotations

import signal
from collections.abc import Collection, Iterator
from contextlib import contextmanager

ENDS: tuple[signal.Signals, ...] = tuple(
    signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if name in signal.Signals.__members__
)
"""What asks a program to end: Ctrl+C, the system, and a terminal that is closed, where that is known."""
_MASKS = hasattr(signal, "pthread_sigmask")  # on Windows there are none


@contextmanager
def kept_from_children() -> Iterator[None]:
    """Processes started in the block, and those that they start, never hear of Ctrl+C, which a terminal sends to all of
    them at once: it is for the one that asks, which ends the others. From their first moment on, before any code of
    theirs could see to it.
    """
    from multiprocessing import resource_tracker  # the window need not wait for it

    if _MASKS:
        resource_tracker.ensure_running()  # which, were it started within, would end the block early
    with put_off([signal.SIGINT]):  # they are ended by the others
        yield


@contextmanager
def put_off(signals: Collection[signal.Signals] = ENDS) -> Iterator[None]:
    """Signals come at the end of the block, or when ``let_in`` is called, and not before: what Qt calls while a window
    is made would swallow Ctrl+C."""
    if not _MASKS:
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def let_in() -> None:
    """From here on, someone sees to the signals, also to those that came while they were put off."""
    if _MASKS:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
