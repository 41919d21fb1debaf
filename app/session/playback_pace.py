"""When to take the next steps of a watched episode, and how many; a clock's arithmetic without a clock."""

from __future__ import annotations

import math

MOST_PICTURES = 30.0  # per second; each takes a millisecond or two from training, and more look no calmer
MOST_LATE = 0.25  # seconds; time lost beyond this is not made up for


class Pace:
    """Keeps an episode in time against deadlines, so that what one picture costs does not delay the next.

    All times are seconds of one monotonic clock; ``due`` is when the next steps are to be taken.
    """

    def __init__(self) -> None:
        self.due = 0.0

    def steps(self, rate: float, now: float) -> int:
        """How many steps to take at ``now``, at ``rate`` steps per second, with one picture after the last of them.

        A rate above what is shown takes several steps per picture, always the same number; steps that are late are
        taken along, which drops pictures rather than slowing the episode.
        """
        if now - self.due > MOST_LATE:
            self.due = now
        stride = max(1, math.ceil(rate / MOST_PICTURES))
        late = int(max(now - self.due, 0.0) * rate / stride)
        steps = stride * (1 + late)
        self.due += steps / rate
        return steps

    def hold(self, seconds: float, now: float) -> None:
        """Take no step for ``seconds``."""
        self.due = now + seconds
