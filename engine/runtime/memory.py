"""How much memory there is."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from pathlib import Path

_UNKNOWN = 8 << 30  # bytes, where the system does not say
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@cache
def total_memory() -> int:
    """Bytes of this computer's memory, or of the part of it that a container may use; the same at every call."""
    total = _UNKNOWN
    with suppress(AttributeError, ValueError, OSError):
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in map(Path, _LIMITS):
        with suppress(ValueError, OSError):  # none is set, or this is another system
            total = min(total, int(limit.read_text("ascii")))
    return total
