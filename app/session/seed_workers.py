"""Seeds that cannot be trained together with the one in the window: each in a process of its own, as far as there are
cores."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from PySide6.QtCore import QDeadlineTimer, QObject, Signal

from app.models.run_state import ENDED, RunState
from app.models.runs import Run, SeedGroup
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary
from app.session.seeds import beside
from engine.runs.executors.interface import Ended, Job, Order
from engine.runs.records import ALIVE, RunRecord, Status
from engine.runtime.errors import RequestError, RunError

if TYPE_CHECKING:
    from engine.runs.executors.local import LocalExecutor

_LOOK = 0.1  # seconds from one look at what is asked to the next, while jobs are under way


@dataclass(frozen=True)
class Begin:
    """Jobs that are to be begun; of runs that are not in the library yet, ``others``, seeds by id, that stand beside
    the ``first``."""

    jobs: Sequence[Job]
    first: RunRecord | None
    others: Mapping[str, int]


Asked = Begin | tuple[str, Order] | None  # an order to a job, or None where all are to end


class SeedWorkers(QObject):
    """Lives on the main thread; processes are begun, and heard, on a thread of its own. What is asked of the run in the
    window is asked of them all: to pause, to go on, to step, to stop.

    Signals:
        log: level and sentence.
        ended: how a job ended.
        waits: what jobs wait for that have not been begun, by their ids.
        waiting_changed: other runs than before wait to be begun.
    """

    log = Signal(str, str)
    ended = Signal(object)
    waits = Signal(object)
    waiting_changed = Signal()

    def __init__(self, controller: RunController, library: RunLibrary, parent: QObject) -> None:
        super().__init__(parent)
        self._controller, self._library = controller, library
        self._asked: SimpleQueue[Asked] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._under_way: set[str] = set()
        self._stopping: set[str] = set()  # those of them that were told to stop
        self._again: set[str] = set()  # and of these, those that are to go on all the same
        self._stepped_from: dict[str, int] = {}  # the iterations after which they took a step
        self.waiting: Mapping[str, str] = {}  # what those wait for that have not been begun, by run
        self._state = RunState.IDLE
        controller.state_changed.connect(self._follow)
        library.changed.connect(self._tell_on)
        self.ended.connect(self._note)
        self.waits.connect(self._note_waiting)

    # --- what is asked of them ----------------------------------------------------------------------------------------

    def has(self, run: str) -> bool:
        """Whether a run is trained, or waits to be trained, by one of them."""
        return run in self._under_way

    def awaits(self, run: str) -> str:
        """What becomes of a run before it trains: "waits for a core", "starting"; empty where it does, or rests."""
        if run in self.waiting:
            return f"waits for {self.waiting[run]}"
        record = self._library.record(run) if run in self._under_way else None
        return "starting" if record is not None and record.status not in ALIVE and run not in self._stopping else ""

    def order(self, run: str, order: Order) -> None:
        """Ask it of one of them alone."""
        if run in self._under_way:
            if order is Order.STOP:
                self._stopping.add(run)
            self._asked.put((run, order))

    def go_on(self, run: str) -> None:
        """Train one of the group that is shown on, from where it was saved."""
        group = self._controller.group
        found = group.run(run) if group is not None and group.is_elsewhere(run) else None
        if found is not None and not self.has(run):
            found.history.failure = ""
            self._start([found])

    @property
    def _others(self) -> list[str]:
        """The runs of the group that is shown which are not trained in the window."""
        group = self._controller.group
        return [run for run in group.ids if group.is_elsewhere(run)] if group is not None else []

    def _follow(self, state: RunState) -> None:
        before, self._state = self._state, state
        group = self._controller.group
        if group is None or group.together:
            return
        if state is RunState.RUNNING and before is not state:
            self._again |= self._stopping & set(self._others)
            self._start(self._to_begin(group))
            if before is RunState.PAUSED:
                self._tell(Order.GO_ON if self._controller.slow.until is None else Order.STEP)
        elif state is RunState.PAUSING:
            self._tell(Order.PAUSE)
        elif state is RunState.STOPPING and before not in ENDED:
            self._again.clear()
            self._tell(Order.STOP)

    def _tell(self, order: Order) -> None:
        records = {run: self._library.record(run) for run in self._others}
        self._stepped_from = {
            run: record.reached.iteration
            for run, record in records.items()
            if record is not None and order is Order.STEP
        }
        for run in self._others:
            self.order(run, order)

    def _to_begin(self, group: SeedGroup) -> list[Run]:
        """Those that are not under way, have not failed, and have not come to their end."""
        budget = group.runs[0].config.budget.environment_steps
        return [run for run in group.left(budget) if group.is_elsewhere(run.id) and run.id not in self._under_way]

    def _start(self, runs: Sequence[Run]) -> None:
        if not runs:
            return
        self._library.look()
        group, there = self._controller.group, {run.id: self._library.record(run.id) for run in runs}
        jobs = [
            Job(run.config.model_dump(mode="json"), (run.config.seed,), (run.id,), self._library.folder) for run in runs
        ]
        others = {run.id: run.config.seed for run in runs if there[run.id] is None}
        first = self._library.record(group.here) if group is not None else None
        self._under_way |= {run.id for run in runs}
        self._asked.put(Begin(jobs, first, others))
        self._tell_on()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="seeds", daemon=True)
            self._thread.start()

    # --- what is heard of them ----------------------------------------------------------------------------------------

    def _note(self, ended: Ended) -> None:
        self._under_way.discard(ended.job)
        self._stopping.discard(ended.job)
        group = self._controller.group
        run = group.run(ended.job) if group is not None else None
        if run is not None and ended.job in self._again and self._controller.state is RunState.RUNNING:
            self._again.discard(ended.job)
            self._start([run])
        elif ended.status is Status.FAILED and run is not None:
            run.history.failure = ended.reason
            self.log.emit("error", f"Seed {run.config.seed} failed: {ended.reason} The others go on.")
        self._library.look()
        self._tell_on()

    def _note_waiting(self, waiting: Mapping[str, str]) -> None:
        self.waiting = waiting
        self._library.look()
        self.waiting_changed.emit()

    def _tell_on(self) -> None:
        """Tell the controller who is at work, and whether all of them rest."""
        going = self._under_way & set(self._others)
        self._controller.hear_from(frozenset(going), rest=all(self._rests(run) for run in going))

    def _rests(self, run: str) -> bool:
        record = self._library.record(run)
        if run in self.waiting or record is None:
            return True
        return record.status is Status.PAUSED and record.reached.iteration > self._stepped_from.get(run, -1)

    # --- on a thread of its own ---------------------------------------------------------------------------------------

    def _work(self) -> None:
        from engine.runs.executors.local import LocalExecutor

        executor = LocalExecutor(beside(), lambda sentence: self.log.emit("warning", sentence))
        under_way: set[str] = set()
        waiting: Mapping[str, str] = {}
        try:
            while self._heed(executor, under_way):
                for ended in executor.poll(_LOOK):
                    under_way.discard(ended.job)
                    self._tell_end(ended)
                if executor.waiting != waiting:
                    waiting = executor.waiting
                    self._say(self.waits.emit, waiting)
        finally:
            executor.close()

    def _heed(self, executor: LocalExecutor, under_way: set[str]) -> bool:
        """Do what is asked; waits for that where nothing is under way. False where all are to end."""
        block = not under_way
        while True:
            try:
                asked = self._asked.get(block=block)
            except Empty:
                return True
            block = False
            if asked is None:
                return False
            if isinstance(asked, Begin):
                self._begin(asked, executor, under_way)
            else:
                executor.order(*asked)

    def _begin(self, asked: Begin, executor: LocalExecutor, under_way: set[str]) -> None:
        from engine.runs.library import Library
        from engine.runs.seed_groups import begin_apart

        try:
            if asked.first is not None and asked.others:
                with Library(self._library.folder) as library:
                    begin_apart(library, asked.first, asked.others)
        except (RequestError, RunError) as error:
            self._say(self.log.emit, "warning", str(error))
        for job in asked.jobs:
            try:
                executor.start(job)
            except RequestError as error:
                self._tell_end(Ended(job.id, Status.FAILED, str(error)))
            else:
                under_way.add(job.id)

    def _tell_end(self, ended: Ended) -> None:
        """Tell how a job ended; one that was stopped before it was begun says so in the library, too."""
        from engine.runs.library import Library

        if ended.status is Status.STOPPED:
            with suppress(RequestError, RunError), Library(self._library.folder) as library:
                if library.run(ended.job).status is Status.INTERRUPTED:
                    library.end(ended.job, Status.STOPPED)
        self._say(self.ended.emit, ended)

    def _say(self, emit: Callable[..., object], *told: object) -> None:
        with suppress(RuntimeError):  # of a window that is gone
            emit(*told)

    # --- the end ------------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Have all of them saved and ended."""
        self._asked.put(None)

    def wait(self, deadline: QDeadlineTimer) -> bool:
        """Wait until they are; whether they are."""
        if self._thread is None:
            return True
        self._thread.join(max(deadline.remainingTime(), 0) / 1000)
        return not self._thread.is_alive()
