"""How much memory there is."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from pathlib import Path

_UNKNOWN = 8 << 30  # bytes, where the system does not say
_CGROUP = Path("/sys/fs/cgroup")
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


def free_memory() -> int | None:
    """Bytes that could be had now without swapping anything out, of this computer's memory or of the part of it that a
    container may use; None where the system does not say."""
    found = []
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        found.append(1024 * int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]))
    with suppress(OSError, ValueError):  # what is cached of files is given back when it is wanted
        limit, used = (int((_CGROUP / name).read_text("ascii")) for name in ("memory.max", "memory.current"))
        kept = dict(line.split() for line in (_CGROUP / "memory.stat").read_text("ascii").splitlines())
        found.append(limit - used + int(kept.get("inactive_file", 0)) + int(kept.get("active_file", 0)))
    return max(min(found), 0) if found else None
