"""What a job that is under way is told, from whichever thread hears it to the one that trains."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, SimpleQueue

from engine.runs.executors.interface import Order
from engine.runs.records import Status


class Orders:
    """Those of one job, in their order. ``end`` is what a run is to come to that stops: ``STOPPED`` where a person
    wants it so, ``INTERRUPTED`` where whoever conducts goes away."""

    def __init__(self) -> None:
        self._given: SimpleQueue[Order] = SimpleQueue()
        self.end: Status | None = None

    def put(self, order: Order) -> None:
        if order is Order.STOP:
            self.end = self.end or Status.STOPPED
        self._given.put(order)

    def interrupt(self) -> None:
        """Stop, since nobody conducts any more."""
        self.end = self.end or Status.INTERRUPTED
        self._given.put(Order.STOP)

    def next(self) -> Order:
        """The next order, waited for."""
        return Order.STOP if self.end is not None else self._given.get()

    def given(self) -> Order | None:
        """The next order, if there is one."""
        if self.end is not None:
            return Order.STOP
        with suppress(Empty):
            return self._given.get_nowait()
        return None
