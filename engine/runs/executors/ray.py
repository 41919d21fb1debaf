"""Trains jobs on a cluster, where Ray schedules and places them.

The machines of a cluster cannot reach the library of whoever conducts. Each trains into one of its own, and what it
tells is written here within about a second, so that it is watched and kept as if it were trained here. A job whose
machine is lost is placed again, and goes on from the last state that has come here. Where the whole cluster is gone,
nothing can be placed: all is at rest then, until there is a cluster again.

Every machine needs the packages that the program depends on, in the same versions; the program itself is carried there.
"""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.runs.executors.cluster import connect, head_of, quieten
from engine.runs.executors.interface import NO_RAY, Ended, ExecutorLostError, Job, Order
from engine.runs.executors.process import SAVED_BY
from engine.runs.executors.shipping import Has, packed, write
from engine.runs.executors.trainer import Told, Trainer
from engine.runs.executors.work import is_over, rest
from engine.runs.library import Library
from engine.runs.liveness import LOCK, hold, hold_with
from engine.runs.records import Status
from engine.runtime.errors import RequestError, RunError, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filelock import BaseFileLock

TRIES = 3  # times that a job is placed again before a new state of it has come
_ASIDE = "orders"  # which are heard while what is asked before them is still to be answered
AGAIN = 2.0  # seconds after which a lost job is placed again: by then it is known whether the cluster is gone
SILENT = 5.0  # seconds without a head, after which the cluster is gone; Ray itself ends the process after 60
IDLE = 5.0  # seconds for which a process that is out of work waits for more


class RayExecutor:
    """An ``Executor`` on a Ray cluster; for one thread. Jobs wait at Ray where there is no room for them.

    Args:
        address: "auto" or HOST:PORT of a cluster that this computer is part of; ray://HOST:10001 of another, for which
            Ray wants its extra "client"; None begins a cluster of this machine alone.
        tell: is given sentences for a person.
        carries: whether the program is carried to the machines; else each has to have it, in the same version.

    Raises:
        RequestError: Ray is not installed, or no cluster is there.
    """

    def __init__(
        self, address: str | None, tell: Callable[[str], object] = lambda _: None, *, carries: bool = True
    ) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
        try:
            import ray
        except ImportError:
            raise RequestError(NO_RAY) from None
        self._ray: Any = ray
        self._ours = not ray.is_initialized()
        if self._ours:
            connect(ray, address, carries)
            quieten(ray, tell)
        self._tell, self._address = tell, address
        self._head, self._silent_since = head_of(ray, address), math.inf
        self._cores = 1
        self._placed: dict[str, _Placed] = {}
        self._idle: list[_Idle] = []
        self._ended: list[Ended] = []

    @property
    def slots(self) -> int:
        """As many as the cluster has cores by now."""
        if self._answers():
            self._cores = max(int(self._ray.cluster_resources().get("CPU", 0)), 1)
        return self._cores

    def start(self, job: Job) -> None:
        with Library(job.library) as library:
            if is_over(library, job):
                self._ended.append(Ended(job.id, Status.FINISHED))
                return
            placed = _Placed(job, _held(library, job))
        if self._answers():
            try:
                self._place(placed)
            except BaseException:
                placed.release()
                raise
        self._placed[job.id] = placed

    def order(self, job: str, order: Order) -> None:
        placed = self._placed.get(job)
        if placed is None:
            return
        placed.order = order
        if order is Order.STOP and placed.waits:
            self._end(placed, Ended(job, Status.STOPPED), Status.STOPPED)
        elif placed.answer is not None:  # else it hears of it where it is placed
            placed.trainer.order.options(concurrency_group=_ASIDE).remote(job, order)

    def poll(self, seconds: float = 0.0) -> Sequence[Ended]:
        until = time.monotonic() + seconds
        while True:
            left = max(until - time.monotonic(), 0.0) if not self._ended else 0.0
            if not self._answers():  # anything else would wait for the head
                self._require_cluster()
                time.sleep(min(left, AGAIN / 4))
            else:
                try:
                    self._listen(left)
                except ConnectionError:  # of a client that has lost its way to the cluster
                    self._silent_since = -math.inf
                    self._require_cluster()
            if self._ended or time.monotonic() >= until:
                break
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        for placed in tuple(self._placed.values()):
            if placed.waits:
                self._end(placed, None, Status.INTERRUPTED)
            else:
                placed.trainer.interrupt.options(concurrency_group=_ASIDE).remote(placed.job.id)
        until = time.monotonic() + SAVED_BY
        with suppress(ExecutorLostError):
            while self._placed and time.monotonic() < until:
                self.poll(0.2)
        for placed in tuple(self._placed.values()):
            self._end(placed, None, Status.INTERRUPTED)
        self._let_go(-1.0)
        self._leave()

    # --- the cluster --------------------------------------------------------------------------------------------------

    def _answers(self) -> bool:
        """Whether the head of the cluster is there, without which most calls would never return."""
        try:
            with socket.create_connection(self._head, timeout=1.0):
                self._silent_since = math.inf
        except OSError:
            self._silent_since = min(self._silent_since, time.monotonic())
        return self._silent_since == math.inf

    def _require_cluster(self) -> None:
        """Know that the cluster is gone once its head has been silent for long: all is at rest then.

        Raises:
            ExecutorLostError: it is.
        """
        if time.monotonic() - self._silent_since < SILENT:
            return
        for placed in tuple(self._placed.values()):
            placed.trainer = None  # of which nothing can be asked any more
            self._end(placed, None, Status.INTERRUPTED)
        self._idle = []
        self._leave()
        raise ExecutorLostError(
            f"The Ray cluster at {self._address} is gone; what it has told is kept, and the same command goes on from "
            "there, here or on another cluster."
        )

    def _leave(self) -> None:
        if self._ours:
            self._ours = False
            self._ray.shutdown()

    # --- placing ------------------------------------------------------------------------------------------------------

    def _place(self, placed: _Placed) -> None:
        """Have a process of the cluster go on with a job from the last state that is here."""
        job, placed.due = placed.job, math.inf
        with Library(job.library) as library:
            parcel = packed(library, job)
        placed.trainer = self._trainer(job)
        placed.known, placed.waits = None, True
        if placed.order in (Order.PAUSE, Order.STEP):
            placed.trainer.order.options(concurrency_group=_ASIDE).remote(job.id, Order.PAUSE)
        placed.trainer.begin.remote(job, parcel)
        placed.answer = placed.trainer.news.remote(None)

    def _trainer(self, job: Job) -> Any:
        """A process that is out of work, or a new one, which Ray places where there is room."""
        kind = (job.threads, "cuda" in str(job.configuration.get("device")))
        for idle in self._idle:
            if idle.kind == kind:
                self._idle.remove(idle)
                return idle.trainer
        remote = self._ray.remote(num_cpus=kind[0], num_gpus=int(kind[1]), concurrency_groups={_ASIDE: 1})
        return remote(Trainer).remote()

    def _let_go(self, seconds: float) -> None:
        """End the processes that have been out of work for longer, so that others can have their place."""
        for idle in tuple(self._idle):
            if time.monotonic() - idle.since > seconds:
                self._idle.remove(idle)
                idle.trainer.__ray_terminate__.remote()

    # --- listening ----------------------------------------------------------------------------------------------------

    def _listen(self, seconds: float) -> None:
        """Wait so long at most for what jobs have to tell, and place those that are due."""
        for placed in tuple(self._placed.values()):
            if placed.due <= time.monotonic():
                self._place_again(placed)
        answers = {placed.answer: placed for placed in self._placed.values() if placed.answer is not None}
        seconds = min([seconds, *(each.due - time.monotonic() for each in self._placed.values())])
        if answers:
            self._ray.wait(list(answers), timeout=max(seconds, 0.0))
            ready, _ = self._ray.wait(list(answers), num_returns=len(answers), timeout=0)
            for answer in ready:
                self._hear(answers[answer])
        else:
            time.sleep(max(seconds, 0.0))
        self._let_go(0.0 if any(placed.waits for placed in self._placed.values()) else IDLE)

    def _hear(self, placed: _Placed) -> None:
        """Take in what a job has told, be it that its process or its machine is lost."""
        try:
            told: Told = self._ray.get(placed.answer)
        except self._ray.exceptions.ActorUnavailableError:  # the way there is; it may come back
            placed.answer = placed.trainer.news.remote(placed.known)
            return
        except self._ray.exceptions.RayError as error:
            self._lost(placed, error)
            return
        placed.waits = False
        try:
            with Library(placed.job.library) as library:
                write(library, told.news)
            placed.show_life()
        except (RunError, OSError) as error:  # it is asked for again
            if not placed.troubled:
                self._tell(f"What is told on the cluster cannot be written now, and is asked for again: {error}")
            placed.troubled = True
            placed.answer = placed.trainer.news.remote(placed.known)
            return
        placed.troubled, placed.known = False, told.news.has
        placed.tries = 0 if told.news.files else placed.tries
        for sentence in told.sentences:
            self._tell(sentence)
        if told.ended is None:
            placed.answer = placed.trainer.news.remote(placed.known)
            return
        kind = (placed.job.threads, "cuda" in str(placed.job.configuration.get("device")))
        placed.trainer.leave.remote()
        self._idle.append(_Idle(placed.trainer, kind, time.monotonic()))
        placed.trainer = None
        self._end(placed, told.ended)

    def _lost(self, placed: _Placed, error: Exception) -> None:
        """Have a job placed again soon, unless that has been tried in vain."""
        placed.answer, placed.waits = None, True
        placed.tries += 1
        placed.lost_by = shortened(" ".join(str(getattr(error, "cause", None) or error).split()))
        placed.due = time.monotonic() + AGAIN

    def _place_again(self, placed: _Placed) -> None:
        why = placed.lost_by
        with suppress(Exception):
            self._ray.kill(placed.trainer)
        if placed.tries <= TRIES:
            if placed.tries:
                self._tell(f"What trained {placed.job.id[:8]} on the cluster was lost, so it goes on elsewhere: {why}")
            try:
                self._place(placed)
                return
            except (RequestError, RunError) as problem:
                why = str(problem)
        if placed.tries:
            why = f"What trained it on the cluster was lost {placed.tries} times without a new state of it: {why}"
        self._end(placed, Ended(placed.job.id, Status.FAILED, why, can_retry=True), Status.FAILED)

    def _end(self, placed: _Placed, ended: Ended | None, at_rest: Status | None = None) -> None:
        """Know that a job is over; ``at_rest`` is what its runs have come to, where they cannot say it themselves."""
        self._placed.pop(placed.job.id, None)
        if placed.trainer is not None:
            with suppress(Exception):
                self._ray.kill(placed.trainer)
        placed.release()
        if at_rest is not None:
            rest(placed.job, at_rest, ended.reason if ended is not None else "")
        self._ended += [ended] if ended is not None else []


@dataclass
class _Placed:
    """A job that is under way: ``locks`` say in the library that it is, ``answer`` is what was asked of ``trainer`` and
    is yet to come, ``known`` what it has told so far. Until it has told anything it ``waits`` for its place, which is
    looked for from ``due`` on."""

    job: Job
    locks: list[BaseFileLock]
    trainer: Any = None
    answer: Any = None
    known: Mapping[str, Has] | None = None
    waits: bool = True
    order: Order | None = None
    tries: int = 0
    lost_by: str = ""
    due: float = 0.0
    troubled: bool = field(default=False)

    def show_life(self) -> None:
        """Leave a trace of when this was."""
        for run in self.job.runs:
            with suppress(OSError):
                os.utime(self.job.library / "runs" / run / LOCK)

    def release(self) -> None:
        for lock in self.locks:
            with suppress(OSError):
                lock.release()
        self.locks = []


@dataclass(frozen=True)
class _Idle:
    trainer: Any
    kind: tuple[int, bool]
    since: float


def _held(library: Library, job: Job) -> list[BaseFileLock]:
    """Say in the library that the runs are trained.

    Raises:
        RequestError: somebody else trains one of them.
        RunError: the library's folder cannot be written.
    """
    locks: list[BaseFileLock] = []
    try:
        for run in job.runs:
            lock = hold_with(library, run, job.id) if locks else hold(library, run)
            locks += [lock] if lock is not None else []
    except BaseException as error:
        for lock in locks:
            lock.release()
        if isinstance(error, OSError):
            raise RunError(f"The library in {library.folder} cannot be written: {error.strerror}.") from None
        raise
    return locks
