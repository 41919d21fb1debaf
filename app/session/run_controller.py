"""The runs as the window sees them: the state of one, the history of the one that is shown, and wishes passed on."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from app.models.run_state import ALLOWED, RunAction, RunState
from app.models.runs import difference_made
from app.session.mailbox import Mailbox
from app.session.training_thread import TrainingThread
from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.reports.events import Event, Heartbeat, Updated
from engine.runtime.waiting import LONG

if TYPE_CHECKING:
    from app.models.histories import Histories
    from app.models.history import History

_SPEED_OVER = 2.0  # seconds of training that the shown speed averages over
_ANSWERING = (RunState.STARTING, RunState.RUNNING, RunState.PAUSING, RunState.STOPPING)
_STEPPING = ("resetting", "collecting")  # in which the environment is at work
_NONE = ""  # the name of no run
_STOP = "Stop ends the wait at once."


@dataclass(frozen=True)
class Progress:
    """How far a run is; what is not known yet is None."""

    steps: int
    budget: int
    steps_per_second: float | None
    seconds_left: float | None


class RunController(QObject):
    """Lives on the main thread; holds no widgets."""

    state_changed = Signal(object)  # RunState
    began = Signal(object)  # RunConfig of a new run, whose history is empty
    cleared = Signal()
    log = Signal(str, str)  # level, sentence

    def __init__(self, thread: TrainingThread, mailbox: Mailbox) -> None:
        super().__init__()
        self.state = RunState.IDLE
        self.config: RunConfig | None = None  # of the run that is shown
        self._shown = _NONE
        self._next: tuple[str, RunConfig] | None = None  # the run that is starting
        self._unbegun: RunConfig | None = None  # of the latest run, where that ended before it began
        self._thread, self._mailbox = thread, mailbox
        self._reset_when_stopped = False
        self._news: set[type[Event]] = set()  # what kinds of events the shown run has told and nobody has asked for yet
        self._heard = 0.0
        self._warned = False
        thread.state_changed.connect(self._follow)

    @cached_property
    def _histories(self) -> Histories:
        from app.models.histories import Histories  # with numpy, which the window's first picture does not wait for

        histories = Histories()
        histories.begin(self._shown)
        return histories

    @property
    def shows_nothing(self) -> bool:
        """Whether there is no run of which anything could be seen."""
        return self._shown == _NONE or self.history.is_empty

    @property
    def history(self) -> History:
        """What the run that is shown has told; empty where none is."""
        return self._histories[self._shown]

    @property
    def is_stepping(self) -> bool:
        """Whether the run that is shown was last heard of while its environment was at work."""
        heartbeat = self.history.heartbeat
        return heartbeat is not None and heartbeat.doing in _STEPPING

    def allows(self, action: RunAction) -> bool:
        return action in ALLOWED[self.state]

    # --- wishes -------------------------------------------------------------------------------------------------------

    def start(self, config: RunConfig) -> None:
        """Go on with a paused run, or begin a new one."""
        self._go(config, one_step=False)

    def step(self, config: RunConfig) -> None:
        """One iteration, then pause."""
        self._go(config, one_step=True)

    def _go(self, config: RunConfig, *, one_step: bool) -> None:
        if not self.allows(RunAction.STEP if one_step else RunAction.START):
            return
        if self.state is RunState.PAUSED:
            self._heard = time.monotonic()
            self._set_state(RunState.RUNNING)
            self._thread.ask("step" if one_step else "resume")
            return
        # What the last run left on screen stays until this one is known to work.
        run = uuid.uuid4().hex
        self._next = run, config
        self._histories.begin(run)
        self._heard, self._warned = time.monotonic(), False
        self._set_state(RunState.STARTING)
        self._thread.begin(run, config, one_step=one_step)

    def pause(self) -> None:
        if self.allows(RunAction.PAUSE):
            self._set_state(RunState.PAUSING)
            self._thread.ask("pause")

    def stop(self) -> None:
        if self.allows(RunAction.STOP):
            self._set_state(RunState.STOPPING)
            self._thread.ask("stop")

    def reset(self) -> None:
        """Forget the run; one that is active is stopped first."""
        if not self.allows(RunAction.RESET):
            return
        if self.allows(RunAction.STOP):
            self._reset_when_stopped = True
            self.stop()
            return
        self._show(_NONE, None)
        self._unbegun = None
        self._set_state(RunState.IDLE)
        self.cleared.emit()

    def change(self, path: str, value: Any) -> None:
        """Change a live parameter of the active run."""
        if path == "budget.environment_steps":
            # At once: a run whose new length has already passed ends without another iteration to report it.
            if self._next is not None:
                run, config = self._next
                self._next = run, with_values(config, {path: value})
            elif self.config is not None:
                self.config = with_values(self.config, {path: value})
        self._thread.ask("change", (path, value))

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
            if event.run == self._shown:
                self._news.add(type(event))
                if isinstance(event, Updated):
                    self._log_changes(event)
                    if event.note:
                        self.log.emit("warning", event.note)
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
        wait = self._thread.waiting_for
        if wait is not None and wait.seconds >= LONG:
            return f"{wait.sentence} {_STOP}"
        if self._next is not None:
            loading = "The learning engine is still being loaded; the run starts once it is there."
            who = self._next[1].environment.id
            return loading if self._thread.loading else silent_start(who, stoppable=wait is not None)
        assert self.config is not None
        return silence(self.config.environment.id, self.history.heartbeat, stoppable=wait is not None)

    def _log_changes(self, updated: Updated) -> None:
        assert self.config is not None
        for change in updated.changes:
            told = difference_made(change, self.config).text
            self.log.emit("info", f"{told}, from iteration {change.iteration:,} on.")

    def progress(self) -> Progress:
        """How far the latest run is, whose state is told beside it; that may be one that has not begun, while what
        the run before it left is still on screen."""
        asked = self._next[1] if self._next is not None else self._unbegun
        if asked is not None:
            return Progress(0, asked.budget.environment_steps, None, None)
        budget = self.config.budget.environment_steps if self.config else 0
        if self._shown == _NONE:
            return Progress(0, budget, None, None)
        steps, seconds = self.history.steps.values, self.history.seconds.values
        done = self.history.environment_steps
        if len(steps) == 0:
            return Progress(done, budget, None, None)
        since = int(seconds.searchsorted(seconds[-1] - _SPEED_OVER))
        from_steps, from_seconds = (steps[since - 1], seconds[since - 1]) if since > 0 else (0.0, 0.0)
        speed = float((steps[-1] - from_steps) / max(seconds[-1] - from_seconds, 1e-9))
        return Progress(done, budget, speed, max(budget - done, 0) / max(speed, 1e-9))

    def _follow(self, state: RunState) -> None:
        if self._next is not None:
            (run, config), self._next = self._next, None
            self._unbegun = None if state is RunState.RUNNING else config
            if state is RunState.RUNNING:
                self._show(run, config)
                self._heard, self._warned = time.monotonic(), False
                self.began.emit(config)
            else:
                self._histories.forget(run)
        overtaken = {
            RunState.STOPPING: (RunState.RUNNING, RunState.PAUSED),
            RunState.PAUSING: (RunState.RUNNING,),
        }
        if state not in overtaken.get(self.state, ()):  # else a later wish is already in the thread's queue
            self._set_state(state)
        self._receive()
        if state in (RunState.FINISHED, RunState.FAILED) and self._reset_when_stopped:
            self._reset_when_stopped = False
            self.reset()

    def _show(self, run: str, config: RunConfig | None) -> None:
        """Show ``run`` and forget the one before it."""
        self._histories.forget(self._shown)
        if run not in self._histories:
            self._histories.begin(run)
        self._shown, self.config = run, config

    def _set_state(self, state: RunState) -> None:
        self.state = state
        self.state_changed.emit(state)


def silent_start(environment: str, *, stoppable: bool) -> str:
    """The sentence for a run that is only starting and takes long to; ``stoppable`` as for ``silence``."""
    until = "; the run starts or stops once it is, and closing the window ends it at once."
    return f"{environment} is not ready after {LONG:.0f} s{f'. {_STOP}' if stoppable else until}"


def silence(environment: str, heartbeat: Heartbeat | None, *, stoppable: bool = False) -> str:
    """The sentence for a run that has told nothing for long; ``heartbeat`` is the last thing told, if that was one.

    Args:
        stoppable: whether a wish to stop would be heard all the same.
    """
    doing = f" while {heartbeat.doing}" if heartbeat else ""
    who = environment if heartbeat is None or heartbeat.doing in _STEPPING else "The run"
    until = "; the run pauses or stops once it does, and closing the window ends it at once."
    return f"{who} has not answered for {LONG:.0f} s{doing}{f'. {_STOP}' if stoppable else until}"
