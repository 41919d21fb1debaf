"""What an experiment will take, measured before it begins: some of its runs are trained for a few seconds, which is
waited for on a thread of its own."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from PySide6.QtCore import QDeadlineTimer, QObject, Signal

from app.session.file_work import FileWork
from engine.runs.sweeps.pilot import Estimate, estimate, pilot
from engine.runs.sweeps.plan import Plan
from engine.runs.sweeps.spec import Sweep
from engine.runtime.errors import RequestError, RunError


@dataclass(frozen=True)
class Measured:
    """What came of measuring ``sweep`` in so many ``workers`` of this machine, as many as fit where it is None: the
    ``estimate``, or why there is none; neither where it was given up."""

    sweep: Sweep
    workers: int | None = None
    estimate: Estimate | None = None
    problem: str = ""


class SweepPilot(QObject):
    """Signals:
    measured: the Measured of what was asked.
    """

    measured = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = FileWork(self, "pilot", "Something unexpected happened as the experiment was measured")
        self._work.failed.connect(self._fail)
        self._asked: Sweep | None = None
        self._given_up = threading.Event()

    @property
    def measures(self) -> bool:
        """Whether it measures now."""
        return self._asked is not None

    def ask(self, sweep: Sweep, plan: Plan, workers: int | None = None) -> None:
        """Measure what all runs of ``plan`` take, so many at once."""
        if self._asked is None:
            self._asked, self._given_up = sweep, threading.Event()
            given_up = self._given_up
            self._work.ask(lambda: _measured(sweep, plan, workers, given_up), self._tell)

    def give_up(self) -> None:
        """Stop measuring, as soon as can be."""
        self._given_up.set()

    def _tell(self, found: Measured) -> None:
        self._asked = None
        self.measured.emit(found)

    def _fail(self, sentence: str) -> None:
        if self._asked is not None:
            self._tell(Measured(self._asked, problem=sentence))

    def end(self) -> None:
        self.give_up()
        self._work.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self._work.wait(deadline)


def _measured(sweep: Sweep, plan: Plan, workers: int | None, given_up: threading.Event) -> Measured:
    from engine.runs.executors.local import LocalExecutor

    executor = LocalExecutor(workers)
    try:
        trials = pilot(plan, executor, give_up=given_up.is_set)
        if given_up.is_set():
            return Measured(sweep, workers)
        return Measured(sweep, workers, estimate(plan, trials, executor.slots) if trials else None)
    except (RequestError, RunError) as error:
        return Measured(sweep, workers, problem=str(error))
    finally:
        executor.close()
