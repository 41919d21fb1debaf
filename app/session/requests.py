"""What the window asks of the thread that trains, in the order in which it was asked."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Condition
from typing import Any, Literal

Kind = Literal[
    "start",
    "come back",
    "go on",
    "stop after",
    "resume",
    "pause",
    "step",
    "stop",
    "change",
    "follow",
    "pace",
    "answer",
    "quit",
]


@dataclass(frozen=True)
class Request:
    """Something the window asks of the thread."""

    kind: Kind
    payload: Any = None


class Requests:
    """A queue that can be looked through without taking anything out of it; every method may be called from any
    thread."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: deque[Request] = deque()

    def put(self, request: Request) -> None:
        with self._changed:
            self._waiting.append(request)
            self._changed.notify()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def next(self) -> Request:
        """The oldest one, once there is one; the waiting costs nothing."""
        request = self.next_within(None)
        assert request is not None
        return request

    def next_within(self, seconds: float | None) -> Request | None:
        """The oldest one, or None where none comes within ``seconds``; None of these is for ever."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting, seconds)
            return self._waiting.popleft() if self._waiting else None

    def take_pause(self) -> bool:
        """Whether the oldest one is to pause, which then has been heard."""
        with self._changed:
            if self._waiting and self._waiting[0].kind == "pause":
                self._waiting.popleft()
                return True
            return False

    def asks_for_the_end(self) -> bool:
        """Whether the run is to end, once all that was asked before has been done."""
        with self._changed:
            return any(request.kind in ("stop", "quit") for request in self._waiting)

    def drop_to_the_end(self) -> None:
        """Forget all up to the wish to end the run, that one too; what is asked after it stays, and "quit" does."""
        with self._changed:
            while self._waiting and self._waiting[0].kind not in ("stop", "quit"):
                self._waiting.popleft()
            if self._waiting and self._waiting[0].kind == "stop":
                self._waiting.popleft()
