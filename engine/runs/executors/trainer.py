"""What trains on a machine of a cluster: job after job, in a library of its own there, of which whoever conducts is
told."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.runs.executors.interface import Ended, Job, Order
from engine.runs.executors.orders import Orders
from engine.runs.executors.shipping import Has, News, Parcel, news_of, write
from engine.runs.executors.work import work
from engine.runs.library import Library
from engine.runs.records import Status
from engine.runtime.errors import describe

EVERY = 0.5  # seconds at least from one answer to the next
LONGEST = 1.0  # seconds after which there is an answer, whether there is anything to tell or not


@dataclass(frozen=True)
class Told:
    """What is new of a job: of its runs, in sentences, and how it ended where it has."""

    job: str
    news: News
    sentences: tuple[str, ...] = ()
    ended: Ended | None = None


class Trainer:
    """One job at a time. ``order`` and ``interrupt`` may be called on another thread than the rest, be it before their
    job has begun."""

    def __init__(self) -> None:
        self._under_way: _UnderWay | None = None
        self._orders: dict[str, Orders] = {}  # by job

    def begin(self, job: Job, parcel: Parcel) -> None:
        """Train ``job``, from what the ``parcel`` holds."""
        self.leave()
        self._under_way = _UnderWay(job, parcel, self._orders_of(job.id))

    def order(self, job: str, order: Order) -> None:
        self._orders_of(job).put(order)

    def interrupt(self, job: str) -> None:
        """Stop a job, saved."""
        self._orders_of(job).interrupt()

    def _orders_of(self, job: str) -> Orders:
        return self._orders.setdefault(job, Orders())

    def news(self, known: Mapping[str, Has] | None) -> Told:
        """What is new since what is ``known``; None where that is what the job began with. Waited for a little."""
        assert self._under_way is not None
        return self._under_way.told(known)

    def leave(self) -> None:
        """Leave nothing behind of the last job, which is over."""
        if self._under_way is not None:
            self._under_way.close()
            self._orders.pop(self._under_way.job.id, None)
        self._under_way = None


class _UnderWay:
    """A job that is trained on a thread of its own."""

    def __init__(self, job: Job, parcel: Parcel, orders: Orders) -> None:
        self._orders = orders
        self._folder = TemporaryDirectory(prefix="playground-", ignore_cleanup_errors=True)
        self.job = replace(job, library=Path(self._folder.name))
        self._parcel = parcel
        with Library(self.job.library) as library:
            write(library, parcel.news)
            self._began_with = news_of(library, dict.fromkeys(job.runs, Has()), set()).has
        self._sentences: deque[str] = deque()
        self._ended: Ended | None = None
        self._answered = 0.0
        self._thread = threading.Thread(target=self._work, name="training", daemon=True)
        self._thread.start()

    def told(self, known: Mapping[str, Has] | None) -> Told:
        self._thread.join(max(self._answered + EVERY - time.monotonic(), 0.0))
        until = time.monotonic() + LONGEST
        with Library(self.job.library) as library:
            while True:
                ended = self._ended  # of which nothing is new any more
                news = news_of(library, known if known is not None else self._began_with)
                if news.runs or ended is not None or time.monotonic() >= until:
                    break
                self._thread.join(0.1)
        sentences = [self._sentences.popleft() for _ in range(len(self._sentences))]
        self._answered = time.monotonic()
        return Told(self.job.id, news, tuple(sentences), ended)

    def close(self) -> None:
        self._orders.interrupt()
        self._thread.join()
        with suppress(OSError):
            self._folder.cleanup()

    def _work(self) -> None:
        try:
            self._ended = work(self.job, self._orders, self._sentences.append, self._parcel.given)
        except BaseException as error:  # who asks would never hear of it
            self._ended = Ended(self.job.id, Status.FAILED, f"The run failed unexpectedly: {describe(error)}.")
            raise
