"""When to take the next steps of a watched episode, and how many; a clock's arithmetic without a clock."""

from __future__ import annotations

import math

MOST_PICTURES = 30.0  # per second
MOST_WHILE_LEARNING = 20.0  # when each takes two milliseconds or more from training
CLEARLY = 1.25  # how many times as fast the wished rate is at least, where an episode is called slow
_AVERAGED = 1.0  # seconds of work after which what an environment did counts for a third
MOST_LATE = 0.25  # seconds; time lost beyond this is not made up for


class Pace:
    """Keeps an episode in time against deadlines, so that what one picture costs does not delay the next.

    All times are seconds of one monotonic clock; ``due`` is when the next steps are to be taken.
    """

    def __init__(self) -> None:
        self.due = 0.0

    def steps(self, rate: float, now: float, most: float = MOST_PICTURES) -> int:
        """How many steps to take at ``now``, at ``rate`` steps per second, with one picture after the last of them and
        no more than ``most`` pictures in a second.

        A rate above what is shown takes several steps per picture, always the same number; steps that are late are
        taken along, which drops pictures rather than slowing the episode.
        """
        if now - self.due > MOST_LATE:
            self.due = now
        stride = max(1, math.ceil(rate / most))
        late = int(max(now - self.due, 0.0) * rate / stride)
        steps = stride * (1 + late)
        self.due += steps / rate
        return steps

    def hold(self, seconds: float, now: float) -> None:
        """Take no step for ``seconds``."""
        self.due = now + seconds


class Achieved:
    """The rate at which an environment takes steps and gives pictures of them, over its last seconds of work."""

    def __init__(self) -> None:
        self._steps = self._seconds = self._counted = 0.0

    def took(self, steps: int, seconds: float) -> None:
        """``steps`` have taken ``seconds``, their picture included."""
        kept = math.exp(-seconds / _AVERAGED)
        self._steps = kept * self._steps + steps
        self._seconds = kept * self._seconds + seconds
        self._counted += seconds

    def below(self, rate: float) -> float | None:
        """Steps per second, where these are clearly fewer than ``rate``; None where they are not, or not known yet."""
        if self._counted < _AVERAGED or self._seconds * rate < CLEARLY * self._steps:
            return None
        return self._steps / self._seconds
