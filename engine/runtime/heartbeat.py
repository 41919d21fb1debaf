"""What keeps long phases interruptible: signs of life at a steady pace, and work in chunks small enough for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

HEARTBEAT = 0.02  # seconds between signs of life, well inside the 100 ms in which pause and stop must act
ROWS = 4096  # of a batch passed through a network at once; larger chunks take longer and are no faster
ROWS_ON_DEVICE = 65_536  # likewise on a GPU, which takes as long for a few as for many
_SMALL = 256  # numbers in a row; many rows of pictures would not fit a GPU


def rows_at_once(rows: Tensor, most: int = ROWS) -> int:
    """How many of a batch's ``rows`` [M, …] to pass through a network at once: ``most`` on the CPU."""
    return most if rows.is_cpu or rows[:1].numel() > _SMALL else ROWS_ON_DEVICE


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
