"""Measuring in fresh processes: a row's module run with ``-m``, which prints one JSON object as its last line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from tests.benchmarks.machine import ROOT

STARTED = "BENCHMARK_STARTED"  # time.perf_counter() of the parent just before it starts the child


def run_child(
    module: str, *arguments: str, timeout: float = 900.0, variables: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run ``python -m tests.benchmarks.MODULE ARGUMENTS`` without a display and give what it printed.

    Torch is on 1 thread. The child finds in ``STARTED`` when it was started, on the clock that all processes share.

    Raises:
        RuntimeError: the child failed, or said nothing in time.
    """
    environment = {
        "QT_QPA_PLATFORM": "offscreen",
        "SDL_VIDEODRIVER": "dummy",
        "SDL_AUDIODRIVER": "dummy",
        "PYGAME_HIDE_SUPPORT_PROMPT": "1",
        "OMP_NUM_THREADS": "1",
        **os.environ,
        **(variables or {}),
        STARTED: repr(time.perf_counter()),
    }
    command = [sys.executable, "-m", f"{__package__}.{module}", *arguments]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise RuntimeError(f"{' '.join(command[2:])} said nothing for {timeout:.0f} s.") from late
    if done.returncode != 0 or not done.stdout.strip():
        raise RuntimeError(f"{' '.join(command[2:])} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def seconds_since_start() -> float:
    """Seconds since the parent began to start this child."""
    return time.perf_counter() - float(os.environ[STARTED])
