"""The runs as the window sees them: the state of one, the history of the one that is shown, and wishes passed on."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal

from app.models.run_state import ACTIVE, ANSWERING, ENDED, RunAction, RunState
from app.models.runs import KeptRun, live_changes
from app.models.slow_motion import SlowMotion
from app.session.going_back import Asked, Forking, Resuming, asked_back
from app.session.mailbox import Mailbox
from app.session.requests import Kind
from app.session.run_progress import Advance
from app.session.run_sentences import KEEPS, told_of_run, told_of_seed
from app.session.seeds import begun_run, going_on, new_seeds
from app.session.shown_runs import ShownRuns
from app.session.stops import Pace
from app.session.training_thread import TrainingThread
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.stops import Stop, Until
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.reports.events import Event, Solved
from engine.runtime.errors import RequestError

if TYPE_CHECKING:
    from engine.runs.records import RunRecord

_AT_REST = {RunState.PAUSED, *ENDED}
_BUDGET = "budget.environment_steps"


class RunController(ShownRuns):
    """Lives on the main thread; holds no widgets. Signals, beside those of ``ShownRuns``:
    began: the RunConfig of a new run, whose history is empty.
    cleared: no run is shown any more.
    heard_at_rest: another process has told more of the run that is shown, though all that is known of here rests.
    """

    began = Signal(object)
    cleared = Signal()
    heard_at_rest = Signal()

    def __init__(self, thread: TrainingThread, mailbox: Mailbox) -> None:
        super().__init__(thread)
        self.slow = SlowMotion()
        self._count = 0  # the number of the run that last began
        self.last_cleared: tuple[KeptRun, KeptRun | None] | None = None  # the run that a reset cleared, and its ghost
        self._mailbox = mailbox
        self._reset_when_stopped = False
        self._before: RunConfig | None = None  # of the run that is shown, until it goes on with another
        self._forking: Callable[[], None] | None = None  # what is to begin once the run that trains has stopped
        self._news: set[type[Event]] = set()  # what kinds of events the shown run has told and nobody has asked for yet
        self.saved_record: Callable[[str], RunRecord | None] = lambda _run: None  # of a run that can go on
        self._came_to: RunState | None = None  # what the run in the window has, while seeds elsewhere go on without it
        thread.state_changed.connect(self._follow)
        thread.stopped_at.connect(self._stop_at)
        for other in (self.restored, self.cleared):  # where the one before waited says nothing of it
            other.connect(lambda *_: self.slow.come_to(None))
        self.state_changed.connect(lambda state: self.slow.wait(state is RunState.PAUSED))
        self.slow.looked.connect(lambda looked_at: setattr(thread.stops, "looked_at", looked_at))

    def answer(self, number: int, action: Any) -> bool:
        """Answer a question of the run that is shown; whether it is there to hear it."""
        if self.is_asking:
            self.training.ask("answer", (number, action))
        return self.is_asking

    # --- wishes -------------------------------------------------------------------------------------------------------

    def start(self, config: RunConfig, plain: EnvironmentInfo | None = None) -> None:
        """Go on with the run that has paused, or that has stopped and is of this choice; else begin a new one.

        Args:
            plain: the environment before the changes that ``config`` makes to it; that of the catalogue by default.
        """
        self._start(config, plain, None)

    def step(self, config: RunConfig, plain: EnvironmentInfo | None = None, until: Until = "iteration") -> None:
        """Go on until there, then pause: for one iteration, or to a stop within it."""
        self._start(config, plain, until)

    def _start(self, config: RunConfig, plain: EnvironmentInfo | None, until: Until | None) -> None:
        if not self.allows(RunAction.STEP if until is not None else RunAction.START):
            return
        if self.would_start_anew(config):
            self._begin(new_seeds(config, plain or ENVIRONMENTS[config.environment.id], self.seeds.count), until)
        else:
            self._resume({}, until)

    def go_on(self, config: RunConfig) -> None:
        """Go on with the run that is shown though the choice is another: what may change while training becomes as in
        ``config`` from the next iteration on, and the rest stays as the run has it."""
        if not self.goes_on(config):
            return
        assert self.shown is not None
        before = self.shown.config
        changes = live_changes(before, config)
        try:
            self.shown.config = with_values(before, changes)
        except RequestError as error:
            self.log.emit("error", str(error))
            return
        self._before = before
        self._resume(changes, None)

    def resume(self, record: RunRecord, steps: int | None = None, plain: EnvironmentInfo | None = None) -> None:
        """Go on with a run of the library from its last checkpoint, to ``steps`` environment steps in all where they
        are given.

        Args:
            plain: as in ``start``.
        """
        self._come_back(Resuming(record, {} if steps is None else {_BUDGET: steps}), record.id, plain)

    def fork(
        self, record: RunRecord, iteration: int | None, changes: Mapping[str, Any], plain: EnvironmentInfo | None = None
    ) -> None:
        """Begin a run of its own that goes on from ``record`` as it was after ``iteration`` iterations, with
        ``changes``; None is now, or where it came to rest. A run that trains is stopped for it once its iteration is
        over.

        Args:
            plain: as in ``start``.
        """
        forking = Forking(uuid.uuid4().hex, record, iteration, changes)
        here = record.id == self.here and (self.state in ACTIVE or self._is_held)
        if here and self.allows(RunAction.STOP) and self._next is None:
            self._forking = partial(self._come_back, forking, forking.id, plain)
            self._set_state(RunState.STOPPING)
            self.training.ask("stop after" if iteration is None else "stop")
        elif here and iteration is None and self.state is RunState.STOPPED:
            self._forking = partial(self._come_back, forking, forking.id, plain)
            self._resume({}, None)  # to the end of the iteration that it was stopped in
            self._set_state(RunState.STOPPING)
            self.training.ask("stop after")
        else:
            self._come_back(forking, forking.id, plain)

    def _come_back(
        self,
        how: Resuming | Forking,
        id: str,
        plain: EnvironmentInfo | None,
        until: Until | None = None,
        group: KeptRun | None = None,
    ) -> None:
        if self.state in ACTIVE:
            self.log.emit("warning", f"Stop the run that trains to go on with run {how.record.number}.")
            return
        try:
            asked = replace(asked_back(how, id, plain), group=group)
        except RequestError as error:
            self.log.emit("error", str(error))
            return
        self._begin(asked, until)

    def _resume(self, changes: dict[str, Any], until: Until | None) -> None:
        shown = self.shown
        if shown is not None and shown.group is not None and not shown.group.together and self.state in ENDED:
            self._resume_apart(shown, until)
            return
        if shown is not None and shown.record is not None and not self._is_held and self.state in ENDED:
            self._come_back(Resuming(shown.record, changes), shown.record.id, shown.plain, until)
            return
        paused = self.state is RunState.PAUSED
        self._silence.end()
        self._unbegun = None
        self.slow.ask(until)
        self._set_state(RunState.RUNNING)
        if self._came_to is not None:
            return  # those who train the others hear of it
        if paused:
            for change in changes.items():
                self.training.ask("change", change)
            self.training.ask("resume" if until is None else "step", until)
        else:
            self.training.go_on(self._shown_id, changes, until=until)

    def _resume_apart(self, shown: KeptRun, until: Until | None) -> None:
        """Have those go on of seeds that are trained each by itself which have not come to their end: the one that is
        held here in the window, or else the first that was saved; where there is none, all elsewhere."""
        assert shown.group is not None
        left = shown.group.left(shown.config.budget.environment_steps)
        saved = next(filter(None, (self.saved_record(run.id) for run in left)), None)
        self._silence.end()
        self._unbegun = None
        self.slow.ask(until)
        if self._is_held and shown.group.here in {run.id for run in left}:
            self._set_state(RunState.RUNNING)
            self.training.go_on(shown.group.here, {}, until=until)
        elif saved is not None:
            self._come_back(Resuming(saved, together=False), saved.id, shown.plain, until, shown)
        else:
            self._came_to = self.state
            self._set_state(RunState.RUNNING)

    def _begin(self, asked: Asked, until: Until | None) -> None:
        # What the last run left on screen stays until this one is known to work.
        self._next = asked
        self.training.followed.elsewhere = asked.group is not None and self._shown_id != asked.id
        self._silence.end()
        self.slow.ask(until)
        self._set_state(RunState.STARTING)
        if asked.how is not None:
            self.training.come_back(asked.id, asked.how, until=until)
        else:
            for run in (asked.id, *asked.seeds):
                self._histories.begin(run)
            self.training.begin(asked.id, asked.config, seeds=asked.seeds if asked.together else {}, until=until)

    def pause(self) -> None:
        if self.allows(RunAction.PAUSE):
            self._set_state(RunState.PAUSING)
            self._ask_here("pause")

    def stop(self) -> None:
        if self.allows(RunAction.STOP):
            self._set_state(RunState.STOPPING)
            self._ask_here("stop")

    def _ask_here(self, wish: Kind) -> None:
        """Ask it of the run in the window, where that has not ended."""
        if self._came_to is None:
            self.training.ask(wish)

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

    def follow(self, run: str) -> None:
        """Show another seed of those that were begun with the run that is shown."""
        if self._show_seed(run):
            self.training.followed.elsewhere = self.shows_elsewhere
            self.training.follow(run)

    # --- seeds that processes of their own train ----------------------------------------------------------------------

    def hear_from(self, elsewhere: frozenset[str], *, rest: bool) -> None:
        """Processes of their own are at work on these runs, or ``rest``; where the run in the window has ended, it is
        by them that it is known what all are at."""
        self.elsewhere = elsewhere
        if self._came_to is None:
            return
        if not elsewhere:
            came_to, self._came_to = self._came_to, None
            left = self.group.left(self.group.runs[0].config.budget.environment_steps) if self.group is not None else []
            self._end(RunState.STOPPED if left else came_to)
        elif rest and (self.state is RunState.PAUSING or (self.state is RunState.RUNNING and self.slow.until)):
            self._set_state(RunState.PAUSED)

    def tell_from_elsewhere(self, run: str, news: set[type[Event]]) -> None:
        """A run that a process of its own trains has told this, which is in its history."""
        if run == self._shown_id:
            self._news |= news
            if self.state not in ANSWERING:  # else the panels are due soon
                self.heard_at_rest.emit()

    def set_pace(self, pace: Pace) -> None:
        """Begin no more iterations than this in a second, or linger at every stop within them, from now on."""
        self.pace = pace
        self.training.set_pace(pace)

    def change(self, path: str, value: Any) -> None:
        """Change a live parameter of the active run; of seeds that are trained each by itself, no one alone."""
        if self._next is None and self.group is not None and not self.group.together:
            self.log.emit("warning", KEEPS)
            return
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
        # What a run tells before it is shown waits: its history may come with it, and nobody would be told of it.
        events = [] if self._next is not None else self._mailbox.take().events
        if self._came_to is not None:
            self._silence.end()  # nothing more comes from here
        for event in events:
            self._histories.add(event)
            if event.run == self._shown_id:
                self._news.add(type(event))
                self._advance.add(event)
                for told in told_of_run(event, self.shown) if self.shown is not None else ():
                    self.log.emit(*told)
                if isinstance(event, Solved):
                    self.runs_changed.emit()
            for told in told_of_seed(event, self.group) if self.group is not None else ():
                self.log.emit(*told)
        if events:
            self._silence.end()
        elif self.state in ANSWERING and not self._silence.told and (sentence := self.hold_up):
            self._silence.told = True
            self.log.emit("warning", sentence)

    def _stop_at(self, stop: Stop | None) -> None:
        self._receive()  # what it is to be seen by
        if self.shows_elsewhere:
            return
        self.slow.come_to(stop)
        if self.slow.has_missed:
            self.log.emit("info", "This iteration had no such stop, so it was gone through to its end.")

    def _follow(self, state: RunState) -> None:
        before, self._before = self._before, None
        goes_on_elsewhere = self._next is None and bool(self.elsewhere)
        if before is not None and self.shown is not None and state is not RunState.RUNNING:
            self.shown.config = before  # for it did not go on
        if self._next is not None:
            asked, self._next = self._next, None
            self._unbegun = asked.config if state is RunState.FAILED else None
            if state is RunState.RUNNING:
                kept = self._show(asked)
                self._silence.end()
                if asked.how is None:
                    self.began.emit(asked.config)
                else:
                    self.restored.emit(kept)
                self.runs_changed.emit()
            else:
                self.training.followed.elsewhere = self.shows_elsewhere
                if asked.id != self._shown_id:
                    self._forget_others()
                if state is RunState.STOPPED:  # as if it had never been asked for
                    state = self.shown.state if self.shown is not None else RunState.IDLE
        elif self.shown is not None and state in _AT_REST and not self.shows_elsewhere:
            self.shown.policy = self.training.policy
        overtaken = {RunState.STOPPING: (RunState.RUNNING, RunState.PAUSED), RunState.PAUSING: (RunState.RUNNING,)}
        if goes_on_elsewhere and state in (RunState.FINISHED, RunState.FAILED):
            self._came_to = state
            self._receive()
        elif state not in overtaken.get(self.state, ()):  # else a later wish is already in the thread's queue
            self._end(state)

    def _end(self, state: RunState) -> None:
        """Come to ``state``, and do what waited for the end where it is one."""
        self._set_state(state)
        self._receive()
        if self.state in ACTIVE:
            return
        then, self._forking = self._forking, None
        if self._reset_when_stopped:
            self._reset_when_stopped = False
            self.reset()
        elif then is not None and self.state is not RunState.FAILED:
            then()

    def _show(self, asked: Asked) -> KeptRun:
        """Show a run that has begun; the one before it becomes the ghost, where there is anything to see of it."""
        if not self.shows_nothing and asked.id != self._shown_id and asked.group is None:
            self.ghost = self.shown
        begun, records = self.training.begun, self.training.recording.records
        told = begun.together or ((begun.record, begun.history),) if begun is not None else ()
        for each, history in told:
            self._histories.put(each.id, history)
        if asked.group is not None:
            assert begun is not None
            kept = self.shown = going_on(asked.group, asked.id, begun)
            self._advance = Advance()
            return kept
        kept = self.shown = begun_run(asked, begun, records, self._count, self._histories.__getitem__)
        self._count = max(run.number for run in kept.group.runs) if kept.group is not None else kept.run.number
        self.seeds.take()
        self._advance = Advance()
        self._forget_others()
        return kept
