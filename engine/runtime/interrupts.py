"""Ctrl+C, where it must not come: in the processes beside this one, and in what does not survive it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

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
    with put_off():
        yield


@contextmanager
def put_off() -> Iterator[None]:
    """Ctrl+C comes at the end of the block, or when ``let_in`` is called, and not before: what Qt calls while a window
    is made would swallow it."""
    if not _MASKS:
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def let_in() -> None:
    """From here on, someone sees to Ctrl+C, also if it came while it was put off."""
    if _MASKS:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
