"""Conducts an experiment: gives its runs to an executor, heeds what is wished of them, and notes what becomes of each.

All that it knows stands in the run library, so that it can be killed at any time, and another goes on from there. What
is wished is noted there by whoever watches, in whichever process, and seen here within half a second.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from engine.runs.executors.interface import Ended, Executor, ExecutorLostError, Job, Order
from engine.runs.library import Library
from engine.runs.liveness import is_trained, settle
from engine.runs.records import ALIVE, RunRecord, Status
from engine.runs.sweeps.conducted import LOCK, folder_of
from engine.runs.sweeps.experiments import ENDED, Experiments, effective
from engine.runs.sweeps.grouping import Group, Grouping
from engine.runs.sweeps.plan import Plan, planned
from engine.runs.sweeps.records import ExperimentRecord, ExperimentRun, Progress, Wish
from engine.runs.sweeps.reuse import found_again
from engine.runs.trouble import Trouble
from engine.runtime.errors import RequestError, RunError
from engine.training.many_seeds.refusal import joint_refusal

if TYPE_CHECKING:
    from filelock import BaseFileLock

EVERY = 0.5  # seconds from one look at what is wished to the next
RETRIES = 2  # times that a run is begun again whose failure was not its own fault
RETRY = 5.0  # seconds until it is tried again to write what could not be written
PATIENCE = 60.0  # seconds for which a job that is told to stop may take to save itself
BUSY = 1.0  # seconds; whoever only looks holds the lock for a moment


@dataclass
class _UnderWay:
    """A job that is trained, and what it was last told."""

    runs: tuple[ExperimentRun, ...]
    order: Order | None = None


class Conductor:
    """While it is entered, it is the only one that conducts ``experiment``; ``step`` is to be called again and again.

    Args:
        library: for the thread that conducts.
        executor: closed by whoever made it, once this is over.
        tell: is given sentences for a person.

    Raises:
        RequestError: another process conducts it, or it cannot be trained as it is.
    """

    def __init__(
        self, library: Library, experiment: str, executor: Executor, tell: Callable[[str], object] = lambda _: None
    ) -> None:
        self._library, self._experiments = library, Experiments(library)
        self._id, self._executor, self._tell = experiment, executor, tell
        record = self._experiments.get(experiment)
        self.plan: Plan = planned(record.sweep)
        if len(self.plan.points) != len(record.settings):
            raise RequestError(
                f"Experiment {record.number} was begun by another version of the program, to which it had "
                f"{len(record.settings)} points and not {len(self.plan.points)}; begin it anew from its file."
            )
        self._lock: BaseFileLock | None = None
        self._grouping = Grouping(_together(self.plan), executor.slots)
        self._jobs: dict[str, _UnderWay] = {}
        self._ended: list[Ended] = []  # whose end is yet to be noted
        self._retried: dict[str, int] = {}
        self._stopping = False
        self._elsewhere: set[str] = set()  # runs that some other process still trains, of which that was said
        self._states: dict[str, str | None] = {}  # of runs that were begun: see _last_state
        self._latest: ExperimentRecord | None = None
        self._heeded: ExperimentRecord | None = None
        self._mark: tuple[object, ...] = ()
        self._retry_at = 0.0
        self._writing = Trouble(
            tell,
            "What becomes of this experiment cannot be noted now",
            "What becomes of this experiment is noted again.",
        )

    def __enter__(self) -> Self:
        from filelock import FileLock, Timeout

        where = folder_of(self._library.folder, self._id)
        try:
            where.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(where / LOCK, thread_local=False)
            self._lock.acquire(timeout=BUSY, poll_interval=0.02)
        except Timeout:
            raise RequestError(
                "This experiment is being conducted by another window or command; stop it there first."
            ) from None
        except OSError as error:
            raise RequestError(f"The experiment cannot be conducted in {where}: {error.strerror}.") from None
        try:
            self._settle()
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self.stop()
        finally:
            if self._lock is not None:
                with suppress(OSError):
                    self._lock.release()

    @property
    def under_way(self) -> tuple[str, ...]:
        """The runs that are trained now."""
        return tuple(run.run for job in self._jobs.values() for run in job.runs)

    def step(self, seconds: float = EVERY) -> bool:
        """Heed what is wished, begin what can be begun, and wait so long for something to end; False once nothing is
        left to do.

        Raises:
            ExecutorLostError: there is nothing any more that could train.
        """
        busy = True
        if time.monotonic() >= self._retry_at:
            try:
                self._note_ended()
                record = self.record
                if record is not self._heeded:
                    self._heed(record)
                    self._heeded = record
                busy = self._begin(record) or bool(self._jobs) or _waits(record)
                self._writing.ends()
            except RunError as error:  # as where the disk is full; what is trained goes on meanwhile
                self._writing.begins(error, "what is trained goes on, and it is tried again")
                self._retry_at = time.monotonic() + RETRY
        if busy:
            self._poll(seconds)
        return busy or bool(self._ended)

    def _poll(self, seconds: float) -> None:
        """Hear what has ended. Where all that trains is gone, no run has failed: each has stopped where it was."""
        try:
            self._ended += self._executor.poll(seconds)
        except ExecutorLostError:
            self._note_stopped()
            raise

    def _note_stopped(self) -> None:
        """Note of all that is under way that it has stopped."""
        for job in self._jobs.values():
            self._experiments.progress(self._id, [run.run for run in job.runs], Progress.STOPPED)
        self._jobs.clear()

    @property
    def record(self) -> ExperimentRecord:
        """What the library says of the experiment."""
        mark = self._experiments.mark()
        if self._latest is None or mark != self._mark:
            self._latest, self._mark = self._experiments.get(self._id), mark
        return self._latest

    # --- what is wished -----------------------------------------------------------------------------------------------

    def _heed(self, record: ExperimentRecord) -> None:
        """Tell the jobs under way what is wanted of them."""
        wishes = {run.run: self._wish(record, run) for run in record.runs}
        for id, job in self._jobs.items():
            alike = {wishes.get(run.run, Wish.DROP) for run in job.runs}
            paused = record.wish == Wish.PAUSE and alike == {Wish.PAUSE}
            if paused or alike == {Wish.RUN}:
                self._order(id, job, Order.PAUSE if paused else Order.GO_ON)
            else:  # those that are to go on do so without the others
                self._order(id, job, Order.STOP)
        settled = [run for run in record.runs if run.progress not in ENDED and run.run not in set(self.under_way)]
        for wish, progress in ((Wish.PAUSE, Progress.PAUSED), (Wish.STOP, Progress.STOPPED)):
            resting = [r.run for r in settled if r.attempts and wishes[r.run] == wish and r.progress != progress]
            self._experiments.progress(self._id, resting, progress)

    def _wish(self, record: ExperimentRecord, run: ExperimentRun) -> Wish:
        """What is wanted of a run. One that is paused by itself is stopped, so that another can have its place."""
        if record.deleted is not None:
            return Wish.STOP
        return effective(record.wish, run.wish)

    def _order(self, id: str, job: _UnderWay, order: Order) -> None:
        if order == job.order or (order == Order.GO_ON and job.order is None) or job.order == Order.STOP:
            return
        job.order = order
        self._executor.order(id, order)
        if order != Order.STOP:
            progress = Progress.PAUSED if order == Order.PAUSE else Progress.TRAINING
            self._experiments.progress(self._id, [run.run for run in job.runs], progress)

    # --- beginning ----------------------------------------------------------------------------------------------------

    def _begin(self, record: ExperimentRecord) -> bool:
        """Begin as many jobs as there are slots for; whether any run still waits to be trained."""
        if len(self._jobs) >= self._executor.slots:
            return True
        if record.deleted is not None or record.wish in (Wish.STOP, Wish.DROP):
            return False
        under_way = set(self.under_way)
        waiting = [
            run
            for run in record.runs
            if run.progress not in ENDED and run.run not in under_way and self._wish(record, run) == Wish.RUN
        ]
        if not waiting:
            return False
        left = len(waiting)
        before = {run.run: state for run in waiting if (state := self._last_state(run)) is not None}
        for group in self._grouping.groups(waiting, before):
            if len(self._jobs) >= self._executor.slots:
                break
            if not self._is_trained_elsewhere(group):
                left -= len(group.runs)
                self._start(group)
        return left > 0

    def _start(self, group: Group) -> None:
        runs = tuple(run.run for run in group.runs)
        config = self.plan.points[group.point].of_seed(group.runs[0].seed)
        job = Job(
            config.model_dump(mode="json"),
            tuple(run.seed for run in group.runs),
            runs,
            self._library.folder,
        )
        self._experiments.begun(self._id, runs)
        for run in runs:
            self._states.pop(run, None)
        try:
            self._executor.start(job)
        except RequestError as error:
            self._fail(group.runs, str(error))
        else:
            self._jobs[job.id] = _UnderWay(group.runs)

    def _last_state(self, run: ExperimentRun) -> str | None:
        """The file of the last state of a run that was begun, where it is one of several that go on together, an empty
        text where the run goes on by itself, and None where it is new."""
        if not run.attempts:
            return None
        if run.run not in self._states:
            kept = self._library.checkpoints(run.run)
            self._states[run.run] = (kept[0].file if kept[0].file.startswith("0") else "") if kept else None
        return self._states[run.run]

    def _is_trained_elsewhere(self, group: Group) -> bool:
        """Whether another process trains runs of the group, such as one that has lost its conductor and is about to
        end. What was begun, is not trained and has no state yet is forgotten, so that it can be begun anew."""
        begun = [run for run in group.runs if run.attempts]
        found = {run.run for run in begun if is_trained(self._library, run.run)}
        for run in begun:
            if run.run in found - self._elsewhere:
                self._tell(
                    f"{self._named(run)} is still trained by another process; it goes on here once that has ended."
                )
            if run.run in found:
                self._states.pop(run.run, None)
            elif self._last_state(run) is None:
                self._library.forget(run.run)
                shutil.rmtree(self._library.run_folder(run.run), ignore_errors=True)
        self._elsewhere |= found
        return bool(found)

    # --- what became of it --------------------------------------------------------------------------------------------

    def _note_ended(self) -> None:
        while self._ended:
            ended = self._ended[0]
            job = self._jobs.get(ended.job)
            if job is not None:
                self._note(job, ended)
                del self._jobs[ended.job]
            del self._ended[0]

    def _note(self, job: _UnderWay, ended: Ended) -> None:
        wanted = self._stopping or job.order == Order.STOP
        left = []  # those that have come neither to an end nor to the rest that was wished
        for run in job.runs:
            record = self._record(run.run)
            status = record.status if record is not None else None
            if status == Status.FINISHED:
                self._experiments.progress(self._id, [run.run], Progress.FINISHED)
            elif record is not None and status == Status.FAILED and not ended.can_retry:
                self._fail([run], record.reason or ended.reason)
            elif ended.status != Status.FAILED and wanted:
                self._experiments.progress(self._id, [run.run], Progress.STOPPED)
            else:
                left.append(run)
        reason = ended.reason or "It ended before it had finished."
        again = [run for run in left if ended.can_retry or ended.status != Status.FAILED]
        again = [run for run in again if self._retried.get(run.run, 0) < RETRIES]
        self._fail([run for run in left if run not in again], reason)
        for run in again:
            self._retried[run.run] = self._retried.get(run.run, 0) + 1
        if again:
            self._tell(f"{self._named(again[0])} is begun again: {reason}")
        self._experiments.progress(self._id, [run.run for run in again], Progress.WAITING, reason)

    def _fail(self, runs: Sequence[ExperimentRun], reason: str) -> None:
        """A run that failed fails nothing but itself."""
        self._experiments.progress(self._id, [run.run for run in runs], Progress.FAILED, reason)
        for run in runs:
            self._tell(f"{self._named(run)} failed: {reason}")

    def _named(self, run: ExperimentRun) -> str:
        words = self.plan.points[run.point].words
        return f"Seed {run.seed} of {words}" if words else f"Seed {run.seed}"

    def _settle(self) -> None:
        """Bring what is noted into agreement with what the library says of the runs, as after a conductor was
        killed."""
        settle(self._library)
        record = self._experiments.get(self._id)
        new = [run for run in record.runs if not run.attempts and run.progress == Progress.WAITING]
        taken = found_again(self._library, self.plan, new)
        self._experiments.take_over(self._id, taken)
        if taken:
            self._tell(f"{_counted(len(taken), 'run')} of the same configuration and seed had been trained before.")
        there = {row["id"] for row in self._library.execute("SELECT id FROM runs")}
        gone = [run.run for run in record.runs if run.progress == Progress.FINISHED and run.run not in there]
        self._experiments.progress(self._id, gone, Progress.WAITING)  # removed for good, so that it is trained anew
        for run in record.runs:
            if run.progress in ENDED or not run.attempts:
                continue
            found = self._record(run.run)
            if found is not None and self._is_complete(found):
                self._experiments.progress(self._id, [run.run], Progress.FINISHED)
            elif found is not None and found.status == Status.FAILED and run.progress != Progress.WAITING:
                self._fail([run], found.reason)
            elif run.progress in (Progress.TRAINING, Progress.PAUSED):
                self._experiments.progress(self._id, [run.run], Progress.STOPPED)

    def _is_complete(self, record: RunRecord) -> bool:
        """Whether a run has finished, or only did not come to say so any more."""
        if record.status == Status.FINISHED:
            return True
        if record.status in ALIVE or record.reached.environment_steps < record.budget:
            return False
        kept = self._library.checkpoints(record.id)
        if not kept or kept[0].iteration < record.reached.iteration:
            return False
        self._library.end(record.id, Status.FINISHED)
        return True

    def stop(self) -> None:
        """Stop what is under way, each saved, and note how far it is; nothing is begun any more."""
        self._stopping = True
        for id, job in self._jobs.items():
            if job.order != Order.STOP:
                job.order = Order.STOP
                self._executor.order(id, Order.STOP)
        by = time.monotonic() + PATIENCE
        try:
            self._note_ended()
            while self._jobs and time.monotonic() < by:
                with suppress(ExecutorLostError):  # then there are no jobs either
                    self._poll(EVERY)
                self._note_ended()
            self._note_stopped()
        except RunError as error:
            self._tell(f"How far the experiment is could not be noted: {error} It is found out when it goes on.")

    def _record(self, run: str) -> RunRecord | None:
        try:
            return self._library.run(run)
        except RequestError:
            return None


def _waits(record: ExperimentRecord) -> bool:
    """Whether the whole experiment is paused, so that somebody may let it go on at any time."""
    left = any(run.progress not in ENDED and run.wish == Wish.RUN for run in record.runs)
    return record.deleted is None and record.wish == Wish.PAUSE and left


def _together(plan: Plan) -> list[bool]:
    """Of each point, whether its seeds can be trained together."""
    return [joint_refusal(point.config) is None for point in plan.points]


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
