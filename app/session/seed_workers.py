"""Seeds that cannot be trained together with the one in the window: each in a process of its own, followed by what it
writes to the library."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from PySide6.QtCore import QDeadlineTimer, QObject, Signal

from app.models.run_state import ENDED, RunState
from app.models.runs import SeedGroup
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary
from app.session.seeds import beside
from engine.runs.executors.interface import Ended, Job, Order
from engine.runs.records import Status
from engine.runtime.errors import RequestError

if TYPE_CHECKING:
    from engine.runs.executors.local import LocalExecutor

_LOOK = 0.1  # seconds from one look at what is asked to the next, while jobs are under way
Asked = Job | tuple[str, Order] | None  # a job to begin, an order to one, or None where all are to end


class SeedWorkers(QObject):
    """Lives on the main thread; processes are begun, and heard, on a thread of its own. What is asked of the run in the
    window is asked of them all: to pause, to go on, to step, to stop.

    Signals:
        log: level and sentence.
        ended: how a job ended.
    """

    log = Signal(str, str)
    ended = Signal(object)

    def __init__(self, controller: RunController, library: RunLibrary, parent: QObject) -> None:
        super().__init__(parent)
        self._controller, self._library = controller, library
        self._asked: SimpleQueue[Asked] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._under_way: set[str] = set()
        self._state = RunState.IDLE
        controller.state_changed.connect(self._follow)
        library.changed.connect(self._take_in)
        self.ended.connect(self._note)

    # --- what is asked of them ----------------------------------------------------------------------------------------

    def has(self, run: str) -> bool:
        """Whether a run is trained, or waits to be trained, by one of them."""
        return run in self._under_way

    def order(self, run: str, order: Order) -> None:
        """Ask it of one of them alone."""
        if run in self._under_way:
            self._asked.put((run, order))

    def go_on(self, run: str) -> None:
        """Train one of the group that is shown on, from where it was saved."""
        group = self._controller.group
        if group is not None and not group.together and group.run(run) is not None:
            self._start([run], group)

    @property
    def _others(self) -> list[str]:
        """The runs of the group that is shown which are not trained in the window."""
        group, shown = self._controller.group, self._controller.shown
        if group is None or shown is None or group.together:
            return []
        return [run for run in group.ids if run != shown.run.id]

    def _follow(self, state: RunState) -> None:
        before, self._state = self._state, state
        group = self._controller.group
        if group is None or group.together:
            return
        if state is RunState.RUNNING and before is not state:
            self._start([run for run in self._others if run not in self._under_way], group)
            if before is RunState.PAUSED:
                self._tell(Order.GO_ON if self._controller.slow.until is None else Order.STEP)
        elif state is RunState.PAUSING:
            self._tell(Order.PAUSE)
        elif state is RunState.STOPPING and before not in ENDED:
            self._tell(Order.STOP)

    def _tell(self, order: Order) -> None:
        for run in self._others:
            self.order(run, order)

    def _start(self, runs: list[str], group: SeedGroup) -> None:
        found = [run for run in group.runs if run.id in runs and not run.history.failure]
        for run in found:
            record = self._library.record(run.id)
            if record is not None and record.status is Status.FINISHED:
                continue
            configuration = run.config.model_dump(mode="json")
            self._under_way.add(run.id)
            self._asked.put(Job(configuration, (run.config.seed,), (run.id,), self._library.folder))
        if found and self._thread is None:
            self._thread = threading.Thread(target=self._work, name="seeds", daemon=True)
            self._thread.start()

    # --- what is heard of them ----------------------------------------------------------------------------------------

    def _note(self, ended: Ended) -> None:
        self._under_way.discard(ended.job)
        group = self._controller.group
        run = group.run(ended.job) if group is not None else None
        if ended.status is Status.FAILED and run is not None:
            self.log.emit("error", f"Seed {run.config.seed} failed: {ended.reason} The others go on.")
        self._take_in()

    def _take_in(self) -> None:
        """Take in what the library says of them by now."""
        group, others = self._controller.group, self._others
        if group is None or not others:
            return
        runs = []
        for run in group.runs:
            record = self._library.record(run.id) if run.id in others else None
            if record is not None:
                history = self._library.history(run.id)
                history.failure = record.reason if record.status is Status.FAILED else ""
                run = replace(run, number=record.number, history=history)
            runs.append(run)
        if any(new is not old and new.history is not old.history for new, old in zip(runs, group.runs, strict=True)):
            self._controller.renew_group(replace(group, runs=tuple(runs)))

    # --- on a thread of its own ---------------------------------------------------------------------------------------

    def _work(self) -> None:
        from engine.runs.executors.local import LocalExecutor

        executor = LocalExecutor(beside(), lambda sentence: self.log.emit("warning", sentence))
        under_way: set[str] = set()
        try:
            while self._heed(executor, under_way):
                for ended in executor.poll(_LOOK):
                    under_way.discard(ended.job)
                    self._tell_end(ended)
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
            if isinstance(asked, Job):
                try:
                    executor.start(asked)
                except RequestError as error:
                    self._tell_end(Ended(asked.id, Status.FAILED, str(error)))
                else:
                    under_way.add(asked.id)
            else:
                executor.order(*asked)

    def _tell_end(self, ended: Ended) -> None:
        with suppress(RuntimeError):  # of a window that is gone
            self.ended.emit(ended)

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
