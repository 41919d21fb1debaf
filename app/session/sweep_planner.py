"""What a sweep comes to, worked out on a thread of its own: thousands of points take their time."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QDeadlineTimer, QObject, QTimer, Signal

from app.session.file_work import FileWork
from engine.runs.sweeps.plan import Plan, planned
from engine.runs.sweeps.spec import Sweep
from engine.runtime.errors import RequestError

_PAUSE = 120  # ms without another change, after which it is worked out


@dataclass(frozen=True)
class Planned:
    """What came of it: the ``plan``, or the ``problem`` in a sentence."""

    sweep: Sweep
    plan: Plan | None = None
    problem: str = ""


class SweepPlanner(QObject):
    """Signals:
    planned: the Planned of the sweep that was asked last.
    """

    planned = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = FileWork(self, "plans", "Something unexpected happened as the experiment was planned")
        self._work.failed.connect(self._fail)
        self._asked: Sweep | None = None
        self._timer = QTimer(self, singleShot=True, interval=_PAUSE)
        self._timer.timeout.connect(self._begin)

    def ask(self, sweep: Sweep | None) -> None:
        """Work out what ``sweep`` comes to; nothing where it is None."""
        self._asked = sweep
        if sweep is not None:
            self._timer.start()
        else:
            self._timer.stop()

    @property
    def is_waited_for(self) -> bool:
        """Whether what was asked last is still to be told."""
        return self._asked is not None

    def _begin(self) -> None:
        sweep = self._asked
        if sweep is not None:
            self._work.ask(lambda: _planned(sweep), self._tell)

    def _tell(self, found: Planned) -> None:
        if found.sweep is self._asked:  # else there is another by now
            self._asked = None
            self.planned.emit(found)

    def _fail(self, sentence: str) -> None:
        if self._asked is not None:
            self._tell(Planned(self._asked, problem=sentence))

    def end(self) -> None:
        self._timer.stop()
        self._work.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self._work.wait(deadline)


def _planned(sweep: Sweep) -> Planned:
    try:
        return Planned(sweep, planned(sweep))
    except RequestError as error:
        return Planned(sweep, problem=str(error))
