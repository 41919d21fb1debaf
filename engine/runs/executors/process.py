"""A process of this machine that takes job after job, so that what takes long to load is loaded once: both ends of it.

It ends when whoever started it does, but not before what it trains is saved.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from typing import Any

from engine.runs.executors.interface import Ended, Job, Order
from engine.runs.executors.orders import Orders
from engine.runtime.worker_process import in_words, kill_all, start

SAVED_BY = 15.0  # seconds that a worker has for saving, once nobody conducts it any more
_HERE = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")  # of libraries that take all cores otherwise


class Worker:
    """A process that trains one job after another; for one thread."""

    def __init__(self, number: int) -> None:
        context: Any = multiprocessing.get_context("spawn")  # a fork would copy the locks that threads of this one hold
        self.connection, theirs = context.Pipe()
        self.job: Job | None = None
        # Of a daemon, multiprocessing lets nobody forget: it is ended, and waited for, as this process ends.
        self.process = context.Process(target=serve, args=(theirs,), name=f"training {number}", daemon=True)
        start(self.process, self.connection, theirs)

    @property
    def is_free(self) -> bool:
        """Whether a job can be begun in it."""
        return self.job is None and bool(self.process.is_alive())

    def begin(self, job: Job) -> None:
        self.job = job
        self._send(job)

    def order(self, order: Order) -> None:
        self._send(order)

    def leave(self) -> None:
        """Stop what is under way, saved, and end."""
        self._send(None)

    def _send(self, message: object) -> None:
        with suppress(OSError):  # it is dead, which is seen as it is listened to
            self.connection.send(message)

    def heard(self) -> list[Ended | str]:
        """What it has told since the last time: the end of its job, and sentences for a person.

        Raises:
            EOFError: it has ended.
        """
        found: list[Ended | str] = []
        try:
            while self.connection.poll():
                found.append(self.connection.recv())
        except (EOFError, OSError):
            if not found:
                raise EOFError from None
        return found

    def how_it_ended(self) -> str:
        """In words, of one that has."""
        self.process.join(1.0)
        return in_words(self.process.exitcode)

    def end(self, seconds: float) -> None:
        """See to it that it has ended: by itself within so many seconds, else asked to, else killed."""
        self.process.join(seconds)
        for stage in (self.process.terminate, self.process.kill):
            if self.process.exitcode is None:
                stage()
                self.process.join(1.0)
        self.connection.close()
        with suppress(ValueError):  # not even a kill ends what the system itself holds up
            self.process.close()


def serve(connection: Connection) -> None:
    """What a worker does from its beginning to its end."""
    _put_apart()
    inbox = _Inbox(connection)
    signal.signal(signal.SIGTERM, lambda *_: inbox.leave())
    import engine.training.training  # noqa: F401  (what takes long, before the first job is there)
    from engine.runs.executors.work import work

    while (told := inbox.next()) is not None:
        job, orders = told
        ended = work(job, orders, inbox.tell)
        inbox.tell(ended)
    kill_all()  # what steps environments
    os._exit(0)  # libraries from elsewhere may hang or crash on the way out


def _put_apart() -> None:
    """Ctrl+C is for the process that conducts, and libraries share the cores with other workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.name == "posix":
        os.setpgrp()
    multiprocessing.current_process().daemon = False  # which may not start processes, as some environments do
    os.environ.update({name: os.environ.get(name, "1") for name in _HERE})


class _Inbox:
    """Takes in jobs and orders on a thread of its own, while the main thread trains."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._jobs: SimpleQueue[tuple[Job, Orders] | None] = SimpleQueue()
        self._orders = Orders()  # of the latest job
        self._leaves = False
        threading.Thread(target=self._listen, name="orders", daemon=True).start()

    def next(self) -> tuple[Job, Orders] | None:
        """The next job, waited for; None where it is time to end."""
        return self._jobs.get()

    def tell(self, told: Ended | str) -> None:
        with suppress(OSError):  # nobody is there any more
            self._connection.send(told)

    def leave(self) -> None:
        """Save what is under way, and end; whatever hangs in here, it does end."""
        if not self._leaves:
            self._leaves = True
            threading.Thread(target=_end_late, daemon=True).start()
        self._orders.interrupt()
        self._jobs.put(None)

    def _listen(self) -> None:
        parent = multiprocessing.parent_process()
        ends: list[Connection | int] = [self._connection, *([parent.sentinel] if parent is not None else [])]
        with suppress(EOFError, OSError):
            while self._connection in wait(ends) and (told := self._connection.recv()) is not None:
                if isinstance(told, Job):
                    self._orders = Orders()
                    if self._leaves:  # which came meanwhile
                        self._orders.interrupt()
                    self._jobs.put((told, self._orders))
                elif isinstance(told, Order):
                    self._orders.put(told)
        self.leave()


def _end_late() -> None:
    time.sleep(SAVED_BY)
    kill_all()
    os._exit(1)
