"""Returns that a frozen policy plays out from chosen states, on a thread of their own, while they are wanted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QDeadlineTimer, QObject, Signal

from app.session.file_work import FileWork

if TYPE_CHECKING:  # with torch
    from numpy.typing import NDArray

    from engine.analysis.playback import PolicySnapshot

EPISODES = 16  # from each state


class _Wanted:
    """What is played, until nobody wants it any more."""

    def __init__(self) -> None:
        self.still = True


class PlayedReturns(QObject):
    """Signals:
    progressed: the share that has been played.
    came: all that is known by now, as ``Returns``.
    over: nothing is played any more.
    failed: why nothing could be played, in a sentence.
    """

    progressed = Signal(float)
    came = Signal(object)
    over = Signal()
    failed = Signal(str)
    _told = Signal(object, object)  # for whom, and a share or what has come

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = FileWork(self, "returns", "The returns could not be played")
        self._work.failed.connect(self._fail)
        self._wanted: _Wanted | None = None
        self._told.connect(self._tell)

    @property
    def under_way(self) -> bool:
        return self._wanted is not None

    def begin(self, policy: PolicySnapshot, states: NDArray[Any]) -> None:
        """Play ``EPISODES`` episodes of this policy from each state [n, d], in place of what is played now."""
        self.cancel()
        self._wanted = wanted = _Wanted()
        self._work.ask(partial(self._play, wanted, policy, states), self._end_of)

    def cancel(self) -> None:
        """Play no more; what has come stays."""
        if self._wanted is not None:
            self._wanted.still = False
            self._wanted = None
            self.over.emit()

    def end(self) -> None:
        """Begin nothing any more."""
        if self._wanted is not None:
            self._wanted.still = False
        self._work.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        return self._work.wait(deadline)

    def _play(self, wanted: _Wanted, policy: PolicySnapshot, states: NDArray[Any]) -> _Wanted:
        """On the other thread."""
        from engine.analysis.rolled_out import rolled_out  # with torch, which is loaded by now

        def going_on(share: float) -> bool:
            self._told.emit(wanted, share)
            return wanted.still

        for found in rolled_out(policy, states, EPISODES, policy.iteration, going_on):
            self._told.emit(wanted, found)
            if not wanted.still:
                break
        return wanted

    def _tell(self, wanted: _Wanted, what: Any) -> None:
        if wanted is not self._wanted:
            return
        if isinstance(what, float):
            self.progressed.emit(what)
        else:
            self.came.emit(what)

    def _end_of(self, wanted: _Wanted) -> None:
        if wanted is self._wanted:
            self._wanted = None
            self.over.emit()

    def _fail(self, sentence: str) -> None:
        self._wanted = None
        self.failed.emit(sentence)
        self.over.emit()
