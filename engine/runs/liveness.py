"""Whether a run is being trained: whoever does so holds a lock on a file in the run's folder, which the system lets go
when that process ends, however it ends."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from engine.runs.damage import DamageError
from engine.runs.library import Library
from engine.runs.records import ALIVE, TOGETHER, RunRecord, Status
from engine.runtime.errors import RequestError

if TYPE_CHECKING:  # the window need not wait for it
    from pathlib import Path

    from filelock import BaseFileLock

LOCK = "training.lock"
_PATIENCE = 1.0  # seconds; whoever only looks holds the lock for a moment


def hold(library: Library, run: str) -> BaseFileLock:
    """Say that ``run`` is trained here, until the lock is released.

    Raises:
        RequestError: it is being trained elsewhere.
        OSError: the run's folder cannot be written.
    """
    from filelock import FileLock, Timeout

    folder = library.run_folder(run)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, thread_local=False)
    try:
        lock.acquire(timeout=_PATIENCE, poll_interval=0.02)
        if (folder / LOCK).stat().st_nlink > 1:  # it was trained with others once, and is to be held without them
            lock.release()
            (folder / LOCK).unlink(missing_ok=True)
            lock.acquire(timeout=_PATIENCE, poll_interval=0.02)
    except Timeout:
        raise RequestError(
            "This run is being trained by another window or command; stop it there, or fork it here."
        ) from None
    return lock


def hold_with(library: Library, run: str, other: str) -> BaseFileLock | None:
    """Say that ``run`` is trained for as long as ``other`` is, which is held here: their locks are one file, so that
    many runs take no more than one that is open. A lock of its own where files cannot have two names.

    Raises:
        RequestError: ``run`` is being trained elsewhere.
        OSError: the run's folder cannot be written.
    """
    folder = library.run_folder(run)
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / LOCK).exists():
        hold(library, run).release()  # nobody else does
        (folder / LOCK).unlink(missing_ok=True)
    try:
        os.link(library.run_folder(other) / LOCK, folder / LOCK)
    except OSError:
        return hold(library, run)
    return None


def show_life(folder: Path, run: str) -> None:
    """Leave a trace of when ``run``, of the library in ``folder``, was trained here last."""
    with suppress(OSError):
        os.utime(folder / "runs" / run / LOCK)


def is_trained(library: Library, run: str) -> bool:
    """Whether some process, this one included, trains ``run`` now."""
    return is_held(library.run_folder(run) / LOCK)


def is_held(where: Path) -> bool:
    """Whether some process, this one included, holds the lock in this file."""
    from filelock import FileLock, Timeout

    if not where.exists():
        return False
    try:
        with FileLock(where, thread_local=False).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # who may not write there cannot hold it, and cannot know
        return True


def settle(library: Library) -> list[RunRecord]:
    """Note of every run that says it is trained, and is not, that it was interrupted; those runs, the newest first.
    One of several seeds that had used its budget, and only waited for the others, has finished.

    Raises:
        RunError: the library cannot be written.
    """
    found = []
    for id in library.with_status(ALIVE):
        with suppress(DamageError):  # a record that cannot be read is in nobody's way
            if is_trained(library, id):
                continue
            record = library.run(id)
            if record.status in ALIVE:  # between the looks at its status and at its lock it may have ended as it should
                done = TOGETHER in record.inexact and record.reached.environment_steps >= record.budget
                status = Status.FINISHED if done else Status.INTERRUPTED
                library.update(id, status=str(status), ended=_last_heard_of(library, record))
                found += [] if done else [library.run(id)]
    return found


def _last_heard_of(library: Library, record: RunRecord) -> float:
    """When its process was last known to live, in seconds since 1970."""
    with suppress(OSError):
        return (library.run_folder(record.id) / LOCK).stat().st_mtime
    return record.created + record.reached.seconds
