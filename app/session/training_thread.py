"""The QThread that hosts ``engine.training.training.Training`` and obeys the window between its events."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QThread, Signal

from app.models.run_state import RunState
from app.session.engine_loading import load_engine
from app.session.failures import failure
from app.session.going_back import Begun, Forking, Resuming
from app.session.hosting import (
    AT_REST,
    BROKEN_OFF,
    UNBEGUN,
    Hosted,
    NotNow,
    StopRun,
    Waiting,
    answer,
    change,
    close,
    explain,
    kept,
    new_training,
    shown,
    status_of,
    tell,
)
from app.session.mailbox import EventReader
from app.session.playback_thread import PlaybackThread
from app.session.recording import Recording
from app.session.requests import Kind, Request, Requests
from app.session.stops import Pace, Stops
from app.session.together import NO_OTHERS, Followed, steps_words
from engine.catalogue.methods.stops import Stop, Until
from engine.config import RunConfig
from engine.reports.events import Collected, Heartbeat, Solved, Updated
from engine.runs.records import Status
from engine.runtime.errors import RequestError, RunError
from engine.runtime.waiting import GivenUp, Wait, while_waiting

if TYPE_CHECKING:
    from engine.analysis.playback import PolicySnapshot
    from engine.training.training import Training


class TrainingThread(QThread):
    """Trains one run at a time, or several seeds of it together, and waits without cost between runs.

    The last run that stopped or finished is held with its environments, so that it goes on exactly where it was; it is
    let go when another one has begun, and when the thread ends.

    Torch is imported here and not before, so that the window shows at once. ``playback`` is offered the policy, and
    ``readers`` are told every event. Every run is recorded in the library in the folder ``library``, by default the
    platform's own.
    """

    state_changed = Signal(object)
    log = Signal(str, str)  # level, sentence
    device_chosen = Signal(str)  # why training happens where it does
    ready = Signal()  # torch is loaded
    stopped_at = Signal(object)  # the stop within an iteration at which the run waits or lingers; None as it goes on

    def __init__(self, playback: PlaybackThread, readers: Sequence[EventReader], library: Path | None = None) -> None:
        super().__init__()
        self.setObjectName("training")
        self._playback = playback
        self._readers = tuple(readers)
        self._requests = Requests()
        self.stops = Stops()
        self._stops_after = False  # the run is to stop as soon as no iteration is under way
        self._waiting = Waiting(self._requests)
        self.followed = Followed()
        self._held: Hosted | None = None
        self._rest = Status.STOPPED  # what the run that goes on had come to
        self._begun = ""  # the run that last began to train
        self._steps = 0  # environment steps that it has told of, those of the iteration under way included
        pauses = partial(self.state_changed.emit, RunState.PAUSED)
        self.recording = Recording(library, self._requests, self.log.emit, pauses)
        self.begun: Begun | None = None  # with what the run that last came back from the library did so
        self.policy: PolicySnapshot | None = None  # the last one that was offered to whoever watches
        self._quits = False  # the run ends only because the thread does
        self.loading = True  # until torch is there, or known not to come

    # --- asked by the window, on its own thread -----------------------------------------------------------------------

    def begin(
        self, run: str, config: RunConfig, *, seeds: Mapping[str, int] = NO_OTHERS, until: Until | None = None
    ) -> None:
        """Start a new run, whose events carry the name ``run``, and wait where it comes ``until``; with ``seeds``, one
        for each, trained together, whose events carry their names, of which ``run`` is the first."""
        self._requests.put(Request("start", (run, config, seeds, until)))

    def follow(self, run: str) -> None:
        """Of runs that are trained together, show the policy of this one from now on, and stop in its iterations."""
        self.followed.run = run
        self._requests.put(Request("follow"))

    def go_on(self, run: str, changes: Mapping[str, Any], *, until: Until | None = None) -> None:
        """Have the run that is ``held`` go on exactly where it was stopped, be it in the middle of an iteration, with
        ``changes`` of live parameters from the next iteration on."""
        self._requests.put(Request("go on", (run, changes, until)))

    def come_back(self, run: str, how: Resuming | Forking, *, until: Until | None = None) -> None:
        """Go on with ``run`` from what the library has of it, or of the one that it is forked from."""
        self._requests.put(Request("come back", (run, how, until)))

    def ask(self, kind: Kind, payload: Any = None) -> None:
        self._requests.put(Request(kind, payload))

    def set_pace(self, pace: Pace) -> None:
        self.stops.pace = pace
        self._requests.put(Request("pace"))  # which ends a wait for what was due at the last pace

    def holds(self, run: str) -> bool:
        """Whether ``run`` has stopped or finished and could go on, by itself or with those it was trained with."""
        held = self._held
        return held is not None and run in held.training.runs

    @property
    def waiting_for(self) -> Wait | None:
        """What the run is held up by now, where that is a process that does not answer."""
        return self._waiting.now

    # --- the thread itself --------------------------------------------------------------------------------------------

    def run(self) -> None:
        try:
            load_engine()
        except BaseException as error:
            self.log.emit("error", failure(error, "The learning engine could not be loaded"))
            self.state_changed.emit(RunState.FAILED)
        self.loading = False
        self.ready.emit()
        while (request := self._requests.next()).kind != "quit":
            if request.kind == "start":
                self._begin(*request.payload)
            elif request.kind == "go on":
                self._go_on(*request.payload)
            elif request.kind == "come back":
                self._come_back(*request.payload)
            elif request.kind == "follow" and self._held is not None and self.holds(self.followed.run):
                self._show_policy(self._held.training, new_run=True)
        self._let_go()

    def _begin(self, run: str, config: RunConfig, seeds: Mapping[str, int], until: Until | None) -> None:
        def make() -> Training:
            training = new_training(config, run, seeds, self.recording.library)
            explain(training, self.device_chosen.emit, self.log.emit)
            return training

        self.stops.until, self.begun = until, None
        self._host(run, make)

    def _come_back(self, run: str, how: Resuming | Forking, until: Until | None) -> None:
        def make() -> Training:
            self.begun = self._of_this_instant(how).begun(self.recording.library)
            explain(self.begun.training, self.device_chosen.emit, self.log.emit)
            for sentence in self.begun.said:
                self.log.emit("info", sentence)
            return self.begun.training

        self.stops.until, self.begun = until, None
        self._host(run, make)

    def _of_this_instant(self, how: Resuming | Forking) -> Resuming | Forking:
        """``how``, from what is held here where a fork is to go on from just that: the library may say more by now."""
        held = self._held
        if held is None or not isinstance(how, Forking) or not how.is_of(held.training.runs):
            return how
        if not held.is_whole:
            self._finish(held.training)
        return replace(how, state=held.training.state()) if held.is_whole else how

    def _go_on(self, run: str, changes: Mapping[str, Any], until: Until | None) -> None:
        def take() -> Training:
            held = self._held
            if held is None or not self.holds(run):
                raise RequestError("This run cannot go on any more; start a new one.")
            self._held, self._rest = None, held.status
            return held.training

        self.stops.until, self.begun = until, None
        self._host(self._held.run if self._held is not None and self.holds(run) else run, take, changes)

    def _host(self, run: str, come_by: Callable[[], Training], changes: Mapping[str, Any] | None = None) -> None:
        """Train until the run stops or ends; exactly one end is told. What can go on is held until another begins."""
        training, holds, self._stops_after = None, False, False
        try:
            with while_waiting(self._waiting.tell):
                training = come_by()
                self._train(run, training, changes or {})
            taken = steps_words(training.environment_steps, training)
            end, level, sentence, holds = RunState.FINISHED, "info", f"Finished after {taken}.", True
        except StopRun:
            end, level, holds = RunState.STOPPED, "info", self._begun == run
            taken = steps_words(self._steps, training)
            sentence = f"Stopped after {taken}; Go on continues it." if holds else UNBEGUN
        except NotNow as reason:
            end, level, sentence, holds = AT_REST[self._rest], "warning", str(reason), True
        except GivenUp:
            end, level = RunState.STOPPED, "info"
            sentence = f"Stopped after {self._steps:,} steps{BROKEN_OFF}" if self._begun == run else UNBEGUN
        except RunError as error:
            end, level, sentence = RunState.FAILED, "error", f"{error}{kept(training)}"
        except BaseException as error:
            end, level, sentence = RunState.FAILED, "error", failure(error, "The run failed unexpectedly")
        self._waiting.over()
        if holds and self._quits and training is not None:
            self._finish(training)
        status = status_of(end, self._quits)
        self.recording.end(training, status, sentence if end is RunState.FAILED else "")
        if training is not None:
            hosted = Hosted(run, training, self.recording.record, status)
            if holds:
                self._held = hosted
            else:
                close(hosted, self.log.emit)
        self.log.emit(level, sentence)
        self.state_changed.emit(end)

    def _let_go(self) -> None:
        """Free what the run that could go on holds, which it then cannot any more."""
        held, self._held = self._held, None
        if held is None:
            return
        if held.record is not None and not held.is_whole and not self._quits:
            self._finish_record(held)
        close(held, self.log.emit)

    def _finish_record(self, held: Hosted) -> None:
        """Save what the iteration comes to in which the run was stopped, since nobody goes on with it here."""
        record = self.recording.record
        try:
            self.recording.begin(held.training, held.record)
            self._finish(held.training)
            self.recording.end(held.training, held.status)
        except RequestError:  # it has gone on elsewhere, and is saved there
            self.recording.recorder = None
        self.recording.record = record

    def _finish(self, training: Training) -> None:
        """Bring the iteration under way to its end, where that comes soon; what goes wrong in it costs no more than
        that iteration."""
        from engine.runs.host import finish

        readers = [*self._readers, *([self.recording.recorder] if self.recording.recorder is not None else [])]
        try:
            with while_waiting(self._waiting.tell):
                finish(training, lambda event: tell(readers, event, self.log.emit))
        except BaseException as error:
            if not isinstance(error, GivenUp):
                self.log.emit("warning", failure(error, "The last iteration could not be brought to its end"))

    def _train(self, run: str, training: Training, changes: Mapping[str, Any]) -> None:
        self._obey_all(training)  # whoever stops a run that is only starting gets none of it
        coming = self.begun.record if self.begun is not None else None
        is_new = coming is not None or self._begun != run
        if is_new:
            self._let_go()  # only now, so that the run before goes on where this one cannot begin
        try:
            before = coming or (None if is_new else self.recording.record)
            paused = self.recording.begin(training, before, held=not is_new)
        except RequestError as error:
            raise (error if is_new else NotNow(f"{error} What this window holds of it stays.")) from None
        for path, value in changes.items():
            change(training, self.log.emit, path, value)
        self._begun, self._steps = run, training.environment_steps
        if paused:
            self._wait(training)
        self.state_changed.emit(RunState.RUNNING)
        self._show_policy(training, new_run=is_new)
        training.watched = self.stops.begin(self.followed.iteration(training))
        self.followed.watch(training)
        recorder = self.recording.recorder
        assert recorder is not None
        readers = [*self._readers, recorder]
        try:
            for event in training:
                tell(readers, event, self.log.emit)
                self.followed.hear(event)
                if isinstance(event, Heartbeat | Collected | Updated):
                    self._steps = event.environment_steps if len(training.runs) == 1 else training.environment_steps
                if isinstance(event, Updated | Solved) and training.ending:
                    continue  # which is told of this iteration as well, before anything ends or waits
                if isinstance(event, Updated | Solved):
                    recorder.between(training)
                    if not self.followed.elsewhere and self._playback.wants(training.updates):
                        self._show_policy(training)
                    if self._stops_after:
                        raise StopRun
                    self.stops.over(training.watched)
                for stop in self.followed.stops(event, training, self.stops):
                    self._stop_at(stop, training)
                self._obey_all(training)
                while training.asking and not self._stops_after:
                    self._obey(self._requests.next(), training)
                if isinstance(event, Updated | Solved):
                    training.watched = self.stops.watches()
            self.followed.require_one(training)
        finally:
            self._show_policy(training, final=True)  # before the end is told, after which another run may begin

    def _obey_all(self, training: Training) -> None:
        while self._requests:
            self._obey(self._requests.next(), training)

    def _obey(self, request: Request, training: Training) -> None:
        if request.kind == "pause":
            self._wait(training)
        elif request.kind == "change":
            change(training, self.log.emit, *request.payload)
        elif request.kind == "answer":
            answer(training, self.recording.recorder, self.log.emit, *request.payload)
        elif request.kind == "follow":
            self.followed.watch(training)
            self._show_policy(training, new_run=True)
        elif request.kind == "stop after":
            self._stops_after = True
            if (training.whole and not training.ending) or training.asking:
                raise StopRun
        elif request.kind in ("stop", "quit"):
            if request.kind == "quit":
                self._quits = True
                self._requests.put(request)  # for the outer loop
            raise StopRun

    def _wait(self, training: Training) -> None:
        """Stay paused until asked to go on; the waiting costs nothing."""
        self._show_policy(training, final=True)
        if self.stops.until is None:
            self.log.emit("info", f"Paused after {steps_words(self._steps, training)}.")
        self.state_changed.emit(RunState.PAUSED)  # before a large state is copied, which may take seconds
        self.recording.save(training)
        self.recording.note_status(Status.PAUSED)
        while True:
            request = self._requests.next()
            if request.kind in ("resume", "step"):
                self.stops.ask(request.payload if request.kind == "step" else None, self.followed.iteration(training))
                self.recording.note_status(Status.RUNNING)
                self.state_changed.emit(RunState.RUNNING)
                return
            if request.kind != "pause":
                self._obey(request, training)
            if self._stops_after:
                return

    def _stop_at(self, stop: Stop, training: Training) -> None:
        """Wait or linger here, as asked."""
        if self.stops.is_wanted(stop, self.followed.iteration(training)):
            self.stopped_at.emit(stop)
            self._wait(training)
        elif self.stops.lingers(stop):
            if self.stops.is_slow:
                self.stopped_at.emit(stop)
            self._hold(stop, training)

    def _hold(self, stop: Stop, training: Training) -> None:
        """Put off what comes next until it is due at this pace, which may change meanwhile, and obey at once."""
        since = time.monotonic()
        while (early := self.stops.early(stop)) > 0:
            request = self._requests.next_within(early)
            if request is not None:
                self._obey(request, training)
                if request.kind == "pause":
                    break  # whoever goes on gets the next iteration at once
        self.stops.lingered(since)

    def _show_policy(self, training: Training, *, new_run: bool = False, final: bool = False) -> None:
        self.policy = shown(training, self.followed.of(training))
        if not self.followed.elsewhere:
            self._playback.offer(self.policy, new_run=new_run, final=final)
