"""The run that is on screen and the one behind it, with what they have told."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.models.run_state import ACTIVE, RunState
from app.models.runs import KeptRun
from app.session.going_back import Asked
from app.session.run_progress import Advance
from app.session.run_sentences import STEPPING
from engine.config import RunConfig

if TYPE_CHECKING:
    from app.models.histories import Histories
    from app.models.history import History

_NO_RUN = ""  # whose history is empty


class ShownRuns(QObject):
    """One run is shown, and the one before it stays as a ghost until that is cleared. Signals:
    state_changed: the RunState.
    restored: the KeptRun that is shown with what it has told before.
    runs_changed: another run is shown, or another ghost.
    log: level and sentence.
    """

    state_changed = Signal(object)
    restored = Signal(object)
    runs_changed = Signal()
    log = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self.state = RunState.IDLE
        self.shown: KeptRun | None = None
        self.ghost: KeptRun | None = None
        self._next: Asked | None = None  # the run that is starting
        self._unbegun: RunConfig | None = None  # of the latest run, where that failed before it began
        self._advance = Advance()

    @cached_property
    def _histories(self) -> Histories:
        from app.models.histories import Histories  # with numpy, which the window's first picture does not wait for

        histories = Histories()
        histories.begin(_NO_RUN)
        return histories

    @property
    def _shown_id(self) -> str:
        return self.shown.run.id if self.shown is not None else _NO_RUN

    @property
    def config(self) -> RunConfig | None:
        """That of the run that is shown, with what has been changed in it since it began."""
        return self.shown.config if self.shown is not None else None

    @property
    def shows_nothing(self) -> bool:
        """Whether there is no run of which anything could be seen."""
        return self.shown is None or (self.history.is_empty and self.history.watched.is_empty)

    @property
    def history(self) -> History:
        """What the run that is shown has told; empty where none is."""
        return self._histories[self._shown_id]

    @property
    def is_stepping(self) -> bool:
        """Whether the run that is shown was last heard of while its environment was at work."""
        heartbeat = self.history.heartbeat
        return heartbeat is not None and heartbeat.doing in STEPPING

    def bring_back(self, run: KeptRun, ghost: KeptRun | None) -> None:
        """Show again what a reset cleared; a run that is shown meanwhile becomes the ghost."""
        if self.state not in ACTIVE:
            self._restore(run, ghost if self.shows_nothing else self.shown)
            self.log.emit("info", f"Run {run.run.number} is back.")

    def open(self, run: KeptRun) -> None:
        """Show a run that is not on screen; the one that is becomes the ghost."""
        if self.state not in ACTIVE:
            self._restore(run, None if self.shows_nothing else self.shown)

    def show_ghost_instead(self) -> None:
        """Show the ghost, and make the run that is shown the ghost."""
        if self.ghost is not None:
            self.open(self.ghost)

    def _restore(self, run: KeptRun, ghost: KeptRun | None) -> None:
        self.shown, self.ghost, self._unbegun = run, ghost, None
        for kept in (run, *([ghost] if ghost is not None else [])):
            self._histories.put(kept.run.id, kept.run.history)
        self._advance = Advance()
        self._forget_others()
        self._set_state(run.state)
        self.restored.emit(run)
        self.runs_changed.emit()

    def set_ghost(self, ghost: KeptRun | None) -> None:
        """Draw another run behind the one that is shown; None clears it."""
        self.ghost = ghost
        self._forget_others()
        self.runs_changed.emit()

    def _forget_others(self) -> None:
        """Forget the histories of all runs that cannot be shown any more."""
        kept = {run.run.id for run in (self.shown, self.ghost) if run is not None}
        starting = {self._next.id} if self._next is not None else set()
        self._histories.keep({_NO_RUN, *kept, *starting})

    def _set_state(self, state: RunState) -> None:
        self.state = state
        if self.shown is not None and self._next is None and self._unbegun is None:
            self.shown.state = state
        self.state_changed.emit(state)
