"""An executor that trains nothing: what becomes of its jobs is said by the test, and written as a worker would."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.runs.executors.interface import Ended, ExecutorLostError, Job, Order
from engine.runs.library import Library
from engine.runs.records import CheckpointRecord, RunRecord, Status
from engine.runs.versions import versions
from engine.runtime.errors import RequestError


class FakeExecutor:
    is_lost = False  # with all that it trains

    def __init__(self, library: Library, slots: int = 2) -> None:
        self.library, self.slots = library, slots
        self.jobs: dict[str, Job] = {}
        self.started: list[Job] = []
        self.orders: list[tuple[str, Order]] = []
        self.refuses = ""
        self._ended: list[Ended] = []

    def start(self, job: Job) -> None:
        if self.refuses:
            raise RequestError(self.refuses)
        assert len(self.jobs) < self.slots
        self.jobs[job.id] = job
        self.started.append(job)
        for run, seed in zip(job.runs, job.seeds, strict=True):
            if not self.library.execute("SELECT 1 FROM runs WHERE id = ?", (run,)).fetchone():
                config = {**job.configuration, "seed": seed}
                record = RunRecord(run, 0, config, Status.RUNNING, time.time(), versions=versions())
                self.library.begin(record)
            self.library.update(run, status=str(Status.RUNNING))

    def order(self, job: str, order: Order) -> None:
        self.orders.append((job, order))
        if order == Order.STOP:
            self.end(job, Status.STOPPED)

    def poll(self, seconds: float = 0.0) -> Sequence[Ended]:
        if self.is_lost:
            for job in list(self.jobs):
                self.end(job, Status.INTERRUPTED)
            self._ended = []
            raise ExecutorLostError("The cluster is gone.")
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        for job in list(self.jobs):
            self.end(job, Status.STOPPED)

    # --- for the test -------------------------------------------------------------------------------------------------

    def end(self, job: str, status: Status, reason: str = "", *, told: bool = True, can_retry: bool = False) -> None:
        """``told`` says whether the worker came to write what became of it; where it was stopped, it has kept its
        state."""
        ended = self.jobs.pop(job)
        file = f"{'0' if len(ended.runs) > 1 else ''}5.safetensors"
        for run in ended.runs if told else ():
            reached = replace(self.library.run(run).reached, iteration=5, environment_steps=50)
            self.library.reach(run, reached, [])
            self.library.end(run, status, reason)
            if status in (Status.STOPPED, Status.INTERRUPTED):
                self.library.keep_checkpoint(CheckpointRecord(run, 5, 50, time.time(), file, 1, ("last",)))
        self._ended.append(Ended(job, status, reason, can_retry))

    def finish_all(self) -> None:
        for job in list(self.jobs):
            self.end(job, Status.FINISHED)

    @property
    def folder(self) -> Path:
        return self.library.folder
