"""What was observed in the episode that plays and in those before it, to be shown where it lies among all states."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from engine.reports.frames import Frame

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EPISODES = 6  # before the one that plays
MOST = 1_000  # observations of one; a longer one is known by its latest


class VisitedStates:
    """Written by the thread that plays and read by the window's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._earlier: deque[NDArray[Any]] = deque(maxlen=EPISODES)
        self._playing: deque[NDArray[Any]] = deque(maxlen=MOST)
        self._episode = 0

    def put(self, frame: Frame) -> None:
        """Know the state of ``frame``, unless it is seen in pictures or is a number."""
        if frame.observation is None:
            return
        with self._lock:
            if frame.episode != self._episode:
                self._end()
                self._episode = frame.episode
            self._playing.append(frame.observation)

    def _end(self) -> None:
        import numpy as np

        if self._playing:
            self._earlier.append(np.stack(self._playing))
        self._playing = deque(maxlen=MOST)

    def clear(self) -> None:
        """Forget them: they are of another run."""
        with self._lock:
            self._earlier.clear()
            self._playing = deque(maxlen=MOST)
            self._episode = 0

    def latest(self) -> NDArray[np.float32] | None:
        """What is observed now, [k]."""
        with self._lock:
            return self._playing[-1] if self._playing else None

    def episodes(self) -> list[NDArray[np.float32]]:
        """What was observed in each, [steps, k], the one that plays last."""
        import numpy as np

        with self._lock:
            return [*self._earlier, np.stack(self._playing)] if self._playing else list(self._earlier)
