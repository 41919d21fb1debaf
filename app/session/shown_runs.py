"""The run that is on screen and the one behind it: what they have told, and what could be done with them."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from app.models.run_state import ACTIVE, ALLOWED, ANSWERING, RunAction, RunState
from app.models.runs import KeptRun, SeedGroup, live_changes
from app.session.going_back import Asked
from app.session.run_progress import Advance, Progress, Silence
from app.session.run_sentences import STEPPING, STOP, silence, silent_start
from app.session.seeds import SeedChoice, of_all, saved_words, seed_words
from app.session.stops import Pace, Slow
from engine.config import RunConfig
from engine.runtime.waiting import LONG

if TYPE_CHECKING:
    from app.models.histories import Histories
    from app.models.history import History
    from app.session.training_thread import TrainingThread

_NO_RUN = ""  # whose history is empty


class ShownRuns(QObject):
    """One run is shown, and the one before it stays as a ghost until that is cleared. Signals:
    state_changed: the RunState.
    restored: the KeptRun that is shown with what it has told before.
    completed: the KeptRun that is shown, whose policy could not be had as yet when it was restored.
    followed: the KeptRun of another seed that is shown, of those that were begun at once.
    runs_changed: another run is shown, or another ghost.
    log: level and sentence.
    """

    state_changed = Signal(object)
    restored = Signal(object)
    completed = Signal(object)
    followed = Signal(object)
    runs_changed = Signal()
    log = Signal(str, str)

    def __init__(self, thread: TrainingThread) -> None:
        super().__init__()
        self.training = thread
        self.state = RunState.IDLE
        self.shown: KeptRun | None = None
        self.ghost: KeptRun | None = None
        self._next: Asked | None = None  # the run that is starting
        self._unbegun: RunConfig | None = None  # of the latest run, where that failed before it began
        self._advance = Advance()
        self._silence = Silence()
        self.pace: Pace = None
        self.seeds = SeedChoice(self)  # how many the next run has
        self.elsewhere: frozenset[str] = frozenset()  # the runs that processes of their own are at work on

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
    def here(self) -> str:
        """The run that is trained in the window: the one that is shown, or that of its group which has no process of
        its own."""
        return self.group.here if self.group is not None and not self.group.together else self._shown_id

    @property
    def shows_elsewhere(self) -> bool:
        """Whether the run that is shown is trained by a process of its own."""
        return self.group is not None and self.group.is_elsewhere(self._shown_id)

    @property
    def config(self) -> RunConfig | None:
        """That of the run that is shown, with what has been changed in it since it began."""
        return self.shown.config if self.shown is not None else None

    @property
    def group(self) -> SeedGroup | None:
        """The seeds that the run that is shown was begun with, itself included; None where it is by itself."""
        return self.shown.group if self.shown is not None else None

    @property
    def seed_words(self) -> str:
        """Of which seed what is shown is: "seed 1", or of which: "seeds 1–8, together in one process"."""
        if self.group is not None and self.config is not None:
            return seed_words(self.group, self.config)
        return f"seed {self.config.seed}" if self.config is not None else ""

    @property
    def shows_nothing(self) -> bool:
        """Whether there is no run of which anything could be seen."""
        return self.shown is None or (self.history.is_empty and self.history.watched.is_empty)

    @property
    def history(self) -> History:
        """What the run that is shown has told; empty where none is."""
        return self._histories[self._shown_id]

    @property
    def _at_work(self) -> frozenset[str]:
        """Of seeds that have processes of their own, those that are trained now."""
        return self.elsewhere | {self.here}

    @property
    def is_stepping(self) -> bool:
        """Whether the run that is shown was last heard of while its environment was at work."""
        heartbeat = self.history.heartbeat
        return heartbeat is not None and heartbeat.doing in STEPPING

    @property
    def is_asking(self) -> bool:
        """Whether the run that is shown waits for a person's answers."""
        return self.state is RunState.RUNNING and self.history.asked is not None

    @property
    def activity(self) -> str:
        """What the run has been at for long, as part of a sentence; empty where nothing takes long."""
        if self.is_asking:
            return "waiting for your answers"
        return self._advance.activity(self.history) if self.state in ANSWERING else ""

    @property
    def hold_up(self) -> str:
        """Why nothing has been heard for long; empty where it has not been long."""
        if not self._silence.is_long(self.pace) or self.is_asking:
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

    def progress(self) -> Progress:
        """How far the latest run is, whose state is told beside it; that may be one that has not begun, while what
        the run before it left is still on screen."""
        asked = self._next.config if self._next is not None else self._unbegun
        if asked is not None:
            return Progress(0, asked.budget.environment_steps, None, None)
        if self.shown is None:
            return Progress(0, 0, None, None)
        pace = None if isinstance(self.pace, Slow) else self.pace
        come_to = self._advance.progress(self.history, self.shown.config.budget.environment_steps, pace)
        # Nobody knows how long a person takes, or who slows a run down until it can be seen.
        unknown = self.is_asking or isinstance(self.pace, Slow)
        come_to = replace(come_to, steps_per_second=None, seconds_left=None) if unknown else come_to
        return come_to if self.group is None else of_all(come_to, self.group, self._at_work)

    def _show_seed(self, run: str) -> bool:
        """Show ``run``, which is of the same group; whether it is, and was not shown before."""
        shown, group = self.shown, self.group
        seed = group.run(run) if group is not None else None
        if shown is None or group is None or seed is None or seed.id == shown.run.id:
            return False
        self.shown = replace(shown, run=seed, policy=None)
        self._advance = Advance()
        self.followed.emit(self.shown)
        self.runs_changed.emit()
        return True

    def renew_group(self, group: SeedGroup) -> None:
        """Take in what is known by now of the seeds that are trained elsewhere."""
        if self.shown is not None:
            for run in group.runs:
                self._histories.put(run.id, run.history)
            self.shown.group = group
            self.shown.run = group.run(self.shown.run.id) or self.shown.run
            self.runs_changed.emit()

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
        self.seeds.choose(len(run.group) if run.group is not None else 1)
        self.seeds.take()
        for kept in (run, *([ghost] if ghost is not None else [])):
            for each in kept.group.runs if kept.group is not None else (kept.run,):
                self._histories.put(each.id, each.history)
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
        kept |= set(self.group.ids) if self.group is not None else set()
        starting = {self._next.id, *self._next.seeds} if self._next is not None else set()
        self._histories.keep({_NO_RUN, *kept, *starting})

    def _set_state(self, state: RunState) -> None:
        self.state = state
        if self.shown is not None and self._next is None and self._unbegun is None:
            self.shown.state = state
        self.state_changed.emit(state)

    # --- what could be done with them ---------------------------------------------------------------------------------

    def goes_on(self, config: RunConfig) -> bool:
        """Whether the run that is shown could go on with this choice: it has stopped, or paused, or it has finished and
        is to become longer, and what defines it is as it was."""
        if self.shown is None or not (self.state is RunState.PAUSED or self._is_held or self.shown.record is not None):
            return False
        budget = config.budget.environment_steps
        if self.group is not None and not self.group.together:  # whose processes hear of no changes
            return self.state not in ANSWERING and bool(self.group.left(budget)) and not self._live_changes(config)
        left = budget > self.history.environment_steps
        return self.state not in ANSWERING and (left or self.shown.state is not RunState.FINISHED)

    def _live_changes(self, config: RunConfig) -> dict[str, Any]:
        return live_changes(self.shown.config, config) if self.shown is not None else {}

    @property
    def _is_held(self) -> bool:
        """Whether the run that is shown goes on exactly where it was stopped."""
        return self.training.holds(self.here)

    @property
    def can_fork(self) -> bool:
        """Whether something of the run that is shown can be had to go on from."""
        return self._is_held or self.shows_elsewhere or (self.shown is not None and self.shown.record is not None)

    @property
    def has_kept_policy(self) -> bool:
        """Whether the policy of the seed that is shown is the one that the library has, as none is trained or held
        here."""
        return self.shows_elsewhere or (self.state not in ACTIVE and not self._is_held)

    def would_start_anew(self, config: RunConfig) -> bool:
        """Whether ``start`` would begin a new run: the choice has been edited, or the run cannot go on."""
        edited = config != self.config or self.seeds.edited
        return self.state is not RunState.PAUSED and (edited or not self.goes_on(config))

    def allows(self, action: RunAction) -> bool:
        return action in ALLOWED[self.state]

    @property
    def saved(self) -> str:
        """What to say, once the window is closed and all that was trained has ended, of what that was; else nothing."""
        going = self.state in ACTIVE and bool(self.training.recording.saved or self.elsewhere)
        return saved_words(self.group) if self.group is not None and going else self.training.recording.saved
