"""The runs as the window sees them: the state of one, the history of the one that is shown, and wishes passed on."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from app.models.run_state import ACTIVE, ALLOWED, ENDED, RunAction, RunState
from app.models.runs import KeptRun, Run, difference_made, live_changes
from app.session.mailbox import Mailbox
from app.session.run_progress import Advance, Progress
from app.session.run_sentences import STEPPING, STOP, silence, silent_start
from app.session.training_thread import TrainingThread
from engine.catalogue.configured import changed
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.reports.events import Event, Solved, Updated
from engine.runtime.errors import RequestError
from engine.runtime.waiting import LONG

if TYPE_CHECKING:
    from app.models.histories import Histories
    from app.models.history import History

_AT_REST = {RunState.PAUSED, *ENDED}
_ANSWERING = (RunState.STARTING, RunState.RUNNING, RunState.PAUSING, RunState.STOPPING)
_NO_RUN = ""  # whose history is empty


@dataclass(frozen=True)
class _Asked:
    """A run that is asked for; ``plain`` is its environment before the changes that ``config`` makes to it."""

    id: str
    config: RunConfig
    plain: EnvironmentInfo


class RunController(QObject):
    """Lives on the main thread; holds no widgets.

    One run is shown, and the one before it stays as a ghost until that is cleared. Signals:
        state_changed: the RunState.
        began: the RunConfig of a new run, whose history is empty.
        cleared: no run is shown any more.
        restored: the KeptRun that is shown again.
        runs_changed: another run is shown, or another ghost.
        log: level and sentence.
    """

    state_changed = Signal(object)
    began = Signal(object)
    cleared = Signal()
    restored = Signal(object)
    runs_changed = Signal()
    log = Signal(str, str)

    def __init__(self, thread: TrainingThread, mailbox: Mailbox) -> None:
        super().__init__()
        self.state = RunState.IDLE
        self.shown: KeptRun | None = None
        self.ghost: KeptRun | None = None
        self.pace: float | None = None  # iterations per second, None at full speed
        self._next: _Asked | None = None  # the run that is starting
        self._unbegun: RunConfig | None = None  # of the latest run, where that failed before it began
        self._count = 0  # the number of the run that last began
        self.last_cleared: tuple[KeptRun, KeptRun | None] | None = None  # the run that a reset cleared, and its ghost
        self.training, self._mailbox = thread, mailbox
        self._reset_when_stopped = False
        self._news: set[type[Event]] = set()  # what kinds of events the shown run has told and nobody has asked for yet
        self._advance = Advance()
        self._heard = 0.0
        self._warned = False
        thread.state_changed.connect(self._follow)

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
        return self.shown is None or self.history.is_empty

    @property
    def history(self) -> History:
        """What the run that is shown has told; empty where none is."""
        return self._histories[self._shown_id]

    @property
    def is_stepping(self) -> bool:
        """Whether the run that is shown was last heard of while its environment was at work."""
        heartbeat = self.history.heartbeat
        return heartbeat is not None and heartbeat.doing in STEPPING

    @property
    def activity(self) -> str:
        """What the run has been at for long, as part of a sentence; empty where nothing takes long."""
        return self._advance.activity(self.history) if self.state in _ANSWERING else ""

    @property
    def next_number(self) -> int:
        """That of the next run to begin."""
        return self._count + 1

    def goes_on(self, config: RunConfig) -> bool:
        """Whether the run that is shown could go on with this choice: it has stopped, or paused, or it has finished and
        is to become longer, and what defines it is as it was."""
        if self.shown is None or (self.state is not RunState.PAUSED and self.training.held != self._shown_id):
            return False
        left = config.budget.environment_steps > self.history.environment_steps
        return self.state not in _ANSWERING and (left or self.shown.state is not RunState.FINISHED)

    def would_start_anew(self, config: RunConfig) -> bool:
        """Whether ``start`` would begin a new run: the choice has been edited, or the run cannot go on."""
        return self.state is not RunState.PAUSED and not (self.goes_on(config) and config == self.config)

    def allows(self, action: RunAction) -> bool:
        return action in ALLOWED[self.state]

    # --- wishes -------------------------------------------------------------------------------------------------------

    def start(self, config: RunConfig, plain: EnvironmentInfo | None = None) -> None:
        """Go on with the run that has paused, or that has stopped and is of this choice; else begin a new one.

        Args:
            plain: the environment before the changes that ``config`` makes to it; that of the catalogue by default.
        """
        self._start(config, plain, one_step=False)

    def step(self, config: RunConfig, plain: EnvironmentInfo | None = None) -> None:
        """One iteration, then pause."""
        self._start(config, plain, one_step=True)

    def _start(self, config: RunConfig, plain: EnvironmentInfo | None, *, one_step: bool) -> None:
        if not self.allows(RunAction.STEP if one_step else RunAction.START):
            return
        if self.would_start_anew(config):
            self._begin(_Asked(uuid.uuid4().hex, config, plain or ENVIRONMENTS[config.environment.id]), one_step)
        else:
            self._resume({}, one_step)

    def go_on(self, config: RunConfig) -> None:
        """Go on with the run that is shown though the choice is another: what may change while training becomes as in
        ``config`` from the next iteration on, and the rest stays as the run has it."""
        if not self.goes_on(config):
            return
        assert self.shown is not None
        changes = live_changes(self.shown.config, config)
        try:
            self.shown.config = with_values(self.shown.config, changes)
        except RequestError as error:
            self.log.emit("error", str(error))
            return
        self._resume(changes, one_step=False)

    def _resume(self, changes: dict[str, Any], one_step: bool) -> None:
        paused = self.state is RunState.PAUSED
        self._heard, self._unbegun = time.monotonic(), None
        self._set_state(RunState.RUNNING)
        if paused:
            for change in changes.items():
                self.training.ask("change", change)
            self.training.ask("step" if one_step else "resume")
        else:
            self.training.go_on(self._shown_id, changes, one_step=one_step)

    def _begin(self, asked: _Asked, one_step: bool) -> None:
        # What the last run left on screen stays until this one is known to work.
        self._next = asked
        self._histories.begin(asked.id)
        self._heard, self._warned = time.monotonic(), False
        self._set_state(RunState.STARTING)
        self.training.begin(asked.id, asked.config, one_step=one_step)

    def pause(self) -> None:
        if self.allows(RunAction.PAUSE):
            self._set_state(RunState.PAUSING)
            self.training.ask("pause")

    def stop(self) -> None:
        if self.allows(RunAction.STOP):
            self._set_state(RunState.STOPPING)
            self.training.ask("stop")

    def reset(self) -> None:
        """Clear the screen of its runs, which ``bring_back`` shows again; one that is active is stopped first."""
        if not self.allows(RunAction.RESET):
            return
        if self.allows(RunAction.STOP):
            self._reset_when_stopped = True
            self.stop()
            return
        cleared = self.shown
        if cleared is not None:
            self.last_cleared = cleared, self.ghost
        self.shown = self.ghost = self._unbegun = None
        self._forget_others()
        self._set_state(RunState.IDLE)
        self.cleared.emit()
        self.runs_changed.emit()
        if cleared is not None:
            self.log.emit("info", f"Run {cleared.run.number} is cleared; Undo in the menu Edit brings it back.")

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

    def set_pace(self, iterations_per_second: float | None) -> None:
        """Begin no more iterations than this in a second, from now on; None is full speed."""
        self.pace = iterations_per_second
        self.training.set_pace(iterations_per_second)

    def change(self, path: str, value: Any) -> None:
        """Change a live parameter of the active run."""
        if self._next is not None:
            self._next = replace(self._next, config=with_values(self._next.config, {path: value}))
        elif self.shown is not None:
            self.shown.config = with_values(self.shown.config, {path: value})
        self.training.ask("change", (path, value))

    # --- news ---------------------------------------------------------------------------------------------------------

    def collect(self) -> set[type[Event]]:
        """Move what arrived from the engine into the histories; what kinds of events the shown run has told since the
        last time."""
        self._receive()
        news, self._news = self._news, set()
        return news

    def _receive(self) -> None:
        events = self._mailbox.take().events
        for event in events:
            self._histories.add(event)
            if event.run == self._shown_id:
                self._news.add(type(event))
                self._advance.add(event)
                self._log(event)
        if events:
            self._heard, self._warned = time.monotonic(), False
        elif self.state in _ANSWERING and not self._warned:
            sentence = self._hold_up()
            if sentence:
                self._warned = True
                self.log.emit("warning", sentence)

    def _hold_up(self) -> str:
        """Why nothing has been heard for long; empty where it has not been long."""
        if time.monotonic() - self._heard <= LONG:
            return ""
        wait = self.training.waiting_for
        if wait is not None and wait.seconds >= LONG:
            return f"{wait.sentence} {STOP}"
        if self._next is not None:
            loading = "The learning engine is still being loaded; the run starts once it is there."
            who = self._next.config.environment.id
            return loading if self.training.loading else silent_start(who, stoppable=wait is not None)
        assert self.config is not None
        return silence(self.config.environment.id, self.history.heartbeat, stoppable=wait is not None)

    def _log(self, event: Event) -> None:
        if isinstance(event, Updated):
            for change in event.changes:
                assert self.shown is not None
                told = difference_made(change, self.shown.config).text
                self.log.emit("info", f"{told}, from iteration {change.iteration:,} on.")
            if event.note:
                self.log.emit("warning", event.note)
        elif isinstance(event, Solved):
            self.log.emit("info", event.sentence)
            self.runs_changed.emit()

    def progress(self) -> Progress:
        """How far the latest run is, whose state is told beside it; that may be one that has not begun, while what
        the run before it left is still on screen."""
        asked = self._next.config if self._next is not None else self._unbegun
        if asked is not None:
            return Progress(0, asked.budget.environment_steps, None, None)
        if self.shown is None:
            return Progress(0, 0, None, None)
        return self._advance.progress(self.history, self.shown.config.budget.environment_steps, self.pace)

    def _follow(self, state: RunState) -> None:
        if self._next is not None:
            asked, self._next = self._next, None
            self._unbegun = asked.config if state is RunState.FAILED else None
            if state is RunState.RUNNING:
                self._show(asked)
                self._heard, self._warned = time.monotonic(), False
                self.began.emit(asked.config)
                self.runs_changed.emit()
            else:
                self._histories.forget(asked.id)
                if state is RunState.STOPPED:  # as if it had never been asked for
                    state = self.shown.state if self.shown is not None else RunState.IDLE
        elif self.shown is not None and state in _AT_REST:
            self.shown.policy = self.training.policy
        overtaken = {
            RunState.STOPPING: (RunState.RUNNING, RunState.PAUSED),
            RunState.PAUSING: (RunState.RUNNING,),
        }
        if state not in overtaken.get(self.state, ()):  # else a later wish is already in the thread's queue
            self._set_state(state)
        self._receive()
        if self._reset_when_stopped and self.state not in ACTIVE:
            self._reset_when_stopped = False
            self.reset()

    def _show(self, asked: _Asked) -> None:
        """Show a run that has begun; the one before it becomes the ghost, where there is anything to see of it."""
        if not self.shows_nothing:
            self.ghost = self.shown
        record = self.training.record
        self._count = record.number if record is not None and record.id == asked.id else self._count + 1
        environment = changed(asked.plain, asked.config.environment)
        run = Run(asked.id, self._count, asked.config, environment, self._histories[asked.id])
        self.shown = KeptRun(run, asked.config, asked.plain, RunState.RUNNING)
        self._advance = Advance()
        self._forget_others()

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
