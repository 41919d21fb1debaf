"""Whether some process conducts an experiment, and where it keeps what that takes."""

from __future__ import annotations

from pathlib import Path

LOCK = "conducting.lock"


def folder_of(library: Path, experiment: str) -> Path:
    """Where files about conducting an experiment are; it need not be there yet."""
    return library / "experiments" / experiment


def is_conducted(library: Path, experiment: str) -> bool:
    """Whether some process conducts an experiment now."""
    from filelock import FileLock, Timeout

    where = folder_of(library, experiment) / LOCK
    if not where.exists():
        return False
    try:
        with FileLock(where, thread_local=False).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return True
