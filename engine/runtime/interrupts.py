"""Ctrl+C and the processes beside this one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def kept_from_children() -> Iterator[None]:
    """Processes started in the block, and those that they start, never hear of Ctrl+C, which a terminal sends to all of
    them at once: it is for the one that asks, which ends the others. From their first moment on, before any code of
    theirs could see to it.
    """
    if not hasattr(signal, "pthread_sigmask"):  # on Windows, where they see to it themselves
        yield
        return
    resource_tracker.ensure_running()  # which, were it started within, would end the block early
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
