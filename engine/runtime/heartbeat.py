"""What keeps long phases interruptible: signs of life at a steady pace, and work in chunks small enough for it."""

from __future__ import annotations

import time

HEARTBEAT = 0.02  # seconds between signs of life, well inside the 100 ms in which pause and stop must act
ROWS = 4096  # of a batch passed through a network at once; larger chunks take longer and are no faster


class HeartbeatTimer:
    """Tells when the next sign of life is due."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def due(self) -> bool:
        now = time.perf_counter()
        if now - self._last < HEARTBEAT:
            return False
        self._last = now
        return True
