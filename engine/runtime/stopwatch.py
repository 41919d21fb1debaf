"""How long a run has been training, apart from what its host does in between."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from engine.runtime.state import State

_T = TypeVar("_T")


class Stopwatch:
    """Runs while the next item of what it times is being made, and at no other time."""

    def __init__(self) -> None:
        self._stopped_at, self._resumed = 0.0, 0.0

    def state(self) -> State:
        return {"seconds": self.seconds}

    def load(self, state: Mapping[str, Any]) -> None:
        self._stopped_at, self._resumed = state["seconds"], 0.0

    @property
    def seconds(self) -> float:
        return self._stopped_at + (time.perf_counter() - self._resumed if self._resumed else 0.0)

    def timing(self, items: Iterator[_T]) -> Iterator[_T]:
        """``items``, timed."""
        while True:
            self._resumed = time.perf_counter()
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                self._stopped_at, self._resumed = self.seconds, 0.0
            yield item
