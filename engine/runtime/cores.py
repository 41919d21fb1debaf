"""How many cores this process may keep busy."""

from __future__ import annotations

import os

_kept_to: int | None = None


def cores() -> int:
    """How many threads or processes can be at work at the same time for this process, as far as it is allowed to."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return here if _kept_to is None else min(here, _kept_to)


def keep_to(count: int | None) -> None:
    """Keep no more than so many busy from now on, since others want theirs; all of them again with None."""
    global _kept_to
    _kept_to = None if count is None else max(count, 1)
