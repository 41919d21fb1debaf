"""What the pages of the Lab compute on a thread of their own: it tells how far it has come and what it has found so
far, and is given up at once when something else is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QDeadlineTimer, QObject, QTimer, Signal

from app.session.failures import failure
from app.session.file_work import FileWork
from engine.runtime.waiting import GivenUp, Wait, while_waiting

Computing = Callable[[], Iterator[tuple[float, Any]]]
"""Yields the share that is done and what has been found by now, None where that is nothing new."""

_LOOK = 100  # ms between two looks at how far it has come


@dataclass
class _Job:
    wanted: bool = True
    share: float = 0.0
    over: bool = False


class LabWork(QObject):
    """Lives on the main thread.

    Signals:
        progressed: the share that is done of what is computed; None once nothing is.
        failed: why something could not be computed, in a sentence.
    """

    progressed = Signal(object)
    failed = Signal(str)
    _broke = Signal(object, str)  # a job, and why it could not be done
    _found = Signal(object, object, object)  # a job, what is to be done with what it has found, and that

    def __init__(self, parent: QObject, name: str, unexpected: str) -> None:
        super().__init__(parent)
        self.name = name
        self._files, self._unexpected = FileWork(self, name, unexpected), unexpected
        self._broke.connect(self._fail)
        self._job: _Job | None = None
        self._found.connect(self._hand_over)
        self._looking = QTimer(self, interval=_LOOK)
        self._looking.timeout.connect(self._look)

    @property
    def busy(self) -> bool:
        """Whether something is being computed."""
        return self._job is not None

    def ask(self, computing: Computing, then: Callable[[Any], object]) -> None:
        """Compute this and give up what was being computed; ``then`` is called here with all that it finds."""
        self.cancel()
        self._job = job = _Job()
        self._looking.start()
        self._files.ask(partial(self._compute, job, computing, then), partial(self._end, job))

    def cancel(self) -> None:
        """Give up what is being computed."""
        if self._job is not None:
            self._job.wanted = False
            self._end(self._job)

    def end(self) -> None:
        """Begin nothing more."""
        self.cancel()
        self._files.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self._files.wait(deadline)

    # --- on the thread ---

    def _compute(self, job: _Job, computing: Computing, then: Callable[[Any], object]) -> None:
        def meanwhile(_wait: Wait) -> None:
            if not job.wanted:
                raise GivenUp

        try:
            with while_waiting(meanwhile):
                for share, found in computing() if job.wanted else ():
                    job.share = share
                    if found is not None:
                        self._found.emit(job, then, found)
                    if self._given_up(job):
                        return
        except GivenUp:
            return
        except Exception as error:
            self._broke.emit(job, failure(error, self._unexpected))

    def _given_up(self, job: _Job) -> bool:
        return not job.wanted

    # --- on the main thread ---

    def _hand_over(self, job: _Job, then: Callable[[Any], object], found: Any) -> None:
        if job.wanted:
            then(found)

    def _end(self, job: _Job, _nothing: object = None) -> None:
        if job is self._job:
            self._job = None
            self._looking.stop()
            self.progressed.emit(None)

    def _fail(self, job: _Job, sentence: str) -> None:
        if job.wanted:
            self._end(job)
            self.failed.emit(sentence)

    def _look(self) -> None:
        if self._job is not None:
            self.progressed.emit(self._job.share)
