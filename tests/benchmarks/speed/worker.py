"""A process that runs what it is asked for: a JSON request per line in, a JSON answer per line out.

A request names the ``side`` (ours, sb3, sbx, loop), the ``work`` (run, split, until) and what that takes. Every answer
also has ``memory``, the most that this process has held so far.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

MEGABYTE = 2**20


def peak_memory() -> float | None:
    """Megabytes resident in this process at most, so far."""
    status = Path("/proc/self/status")
    if status.exists():  # what resource tells includes the process this one was forked from
        for line in status.read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / MEGABYTE
    try:
        import resource
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024) / MEGABYTE


def answer(request: dict[str, Any]) -> dict[str, Any]:
    module = import_module(f"{__package__}.{request.pop('side')}")
    found: dict[str, Any] = getattr(module, request.pop("work"))(**request)
    return found | {"memory": peak_memory()}


def serve(envpool: bool) -> None:
    """Answer until there are no more requests; unless ``envpool``, as if that were not installed."""
    if not envpool:
        sys.modules["envpool"] = None  # type: ignore[assignment]
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed is no answer
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=out, flush=True)


if __name__ == "__main__":
    serve(sys.argv[1:] == ["envpool"])
