"""Trains jobs in processes of this machine, as many side by side as it has cores and memory for."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait

from engine.runs.executors.interface import Ended, Job, Order
from engine.runs.executors.process import SAVED_BY, Worker
from engine.runs.executors.work import rest
from engine.runs.records import Status
from engine.runtime.cores import cores
from engine.runtime.memory import free_memory

FLOOR = 512 << 20  # bytes of memory that are to be free before one more job is begun
LOOKING = 1.0  # seconds between looks at the memory, while jobs wait for it


class LocalExecutor:
    """An ``Executor`` of processes of this machine; for one thread.

    A process takes job after job, so that only its first waits until torch is loaded. One that dies fails its job and
    no other.

    Args:
        workers: processes at most; as many as there are cores where it is None, which it never is more than.
        tell: is given sentences for a person.
        floor: bytes of memory below which no job is begun.
        free: how many bytes of memory are free now; None where nobody knows.
    """

    def __init__(
        self,
        workers: int | None = None,
        tell: Callable[[str], object] = lambda _: None,
        floor: int = FLOOR,
        free: Callable[[], int | None] = free_memory,
    ) -> None:
        self._slots = max(min(workers or cores(), cores()), 1)
        self._tell, self._floor, self._free = tell, floor, free
        self._workers: list[Worker] = []
        self._waiting: deque[Job] = deque()
        self._told: dict[str, list[Order]] = {}  # orders to jobs that wait
        self._ended: list[Ended] = []
        self._short = False  # of memory, as was told
        self._started = 0

    @property
    def slots(self) -> int:
        return self._slots

    @property
    def waiting(self) -> dict[str, str]:
        """The jobs that wait to be begun, each with what it waits for."""
        return dict.fromkeys((job.id for job in self._waiting), "memory" if self._short else "a core")

    def start(self, job: Job) -> None:
        """As ``Executor.start``; a job waits until there are cores and memory for it."""
        self._waiting.append(job)
        self._begin()

    def order(self, job: str, order: Order) -> None:
        if any(waiting.id == job for waiting in self._waiting):
            if order is Order.STOP:
                self._waiting = deque(waiting for waiting in self._waiting if waiting.id != job)
                self._told.pop(job, None)
                self._ended.append(Ended(job, Status.STOPPED))
            else:
                self._told.setdefault(job, []).append(order)
        for worker in self._workers:
            if worker.job is not None and worker.job.id == job:
                worker.order(order)

    def poll(self, seconds: float = 0.0) -> Sequence[Ended]:
        until = time.monotonic() + seconds
        while True:
            self._begin()
            left = max(until - time.monotonic(), 0.0)
            if self._ended:
                left = 0.0
            elif self._waiting:
                left = min(left, LOOKING)
            if self._workers:
                wait([worker.connection for worker in self._workers], left)
            else:
                time.sleep(left)
            for worker in tuple(self._workers):
                self._listen(worker)
            if self._ended or time.monotonic() >= until:
                break
        self._begin()
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        """As ``Executor.close``: a worker that has not saved in time is asked to end, then killed."""
        self._waiting.clear()
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.leave()
        until = time.monotonic() + SAVED_BY
        for worker in workers:
            worker.end(max(until - time.monotonic(), 1.0))

    def _begin(self) -> None:
        """Begin what waits, in its order, as far as there is room."""
        while self._waiting:
            job, busy = self._waiting[0], [worker.job for worker in self._workers if worker.job is not None]
            threads = sum(other.threads for other in busy)
            if busy and (len(busy) >= self._slots or threads + job.threads > cores()):
                return
            if not self._has_memory(busy=len(busy)):
                return
            self._waiting.popleft()
            idle = next((worker for worker in self._workers if worker.is_free), None)
            if idle is None:
                self._started += 1
                idle = Worker(self._started)
                self._workers.append(idle)
            idle.begin(job)
            for order in self._told.pop(job.id, ()):
                idle.order(order)

    def _has_memory(self, busy: int) -> bool:
        """Whether there is enough for one more job; that there is not is told once."""
        free = self._free()
        enough = free is None or free >= self._floor
        if not enough and not self._short:
            runs = f"until one of the {busy} under way ends, or " if busy else "until "
            self._tell(
                f"Only {(free or 0) >> 20:,} MiB of memory are free, so no more runs are begun {runs}"
                f"{self._floor >> 20:,} MiB are free; close other programs, or train fewer at once."
            )
        self._short = not enough
        return enough

    def _listen(self, worker: Worker) -> None:
        """Take in what a worker tells, be it that it has died."""
        try:
            for told in worker.heard():
                if isinstance(told, str):
                    self._tell(told)
                else:
                    worker.job = None
                    self._ended.append(told)
        except EOFError:
            job, how = worker.job, worker.how_it_ended()
            self._workers.remove(worker)
            worker.end(1.0)
            if job is not None:
                reason = f"The process that trained it {how}; it can go on from where it was last saved."
                rest(job, Status.FAILED, reason)
                self._ended.append(Ended(job.id, Status.FAILED, reason, can_retry=True))
