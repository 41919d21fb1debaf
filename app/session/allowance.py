"""How much of a core the window takes for drawing while something learns: every millisecond of it is one that training
does not have, as Python runs one thread at a time."""

from __future__ import annotations

import time

SHARE = 0.05  # of a core
SAVED = 0.15  # seconds at most, so that a run that is over in a moment is drawn as often as an eye can follow
OWED = 0.05  # seconds at most, so that what a person does with the window holds up the curves only for a moment


class Allowance:
    """Grows with the clock by ``SHARE``; whatever the thread does that asks for it is paid from it."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin with all that can be saved."""
        self._left = SAVED
        self._at, self._used = time.monotonic(), time.thread_time()

    def is_left(self) -> bool:
        """Whether more may be drawn now."""
        at, used = time.monotonic(), time.thread_time()
        left = self._left + SHARE * (at - self._at) - (used - self._used)
        self._left = min(max(left, -OWED), SAVED)
        self._at, self._used = at, used
        return self._left > 0.0
