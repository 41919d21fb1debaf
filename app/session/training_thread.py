"""The QThread that hosts ``engine.training.training.Training`` and obeys the window between its events."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QThread, Signal

from app.models.run_state import RunState
from app.session.failures import failure, print_trace
from app.session.mailbox import EventReader
from app.session.playback_thread import PlaybackThread
from app.session.requests import Kind, Request, Requests
from engine.config import RunConfig
from engine.reports.events import Event, Solved, Updated
from engine.runtime.errors import RequestError, RunError, describe
from engine.runtime.waiting import GivenUp, Wait, while_waiting

if TYPE_CHECKING:
    from engine.training.training import Training


_WAIT_HOLDS = 0.5  # seconds for which a wait goes on for all that is known, once it has been told of


class _StopRun(Exception):  # noqa: N818 - a wish, not an error
    """The run is to end here."""


def _kept(training: Training | None) -> str:
    """What a failure leaves: the policy of a run that has learned is still watched, and its curves stay."""
    return " What was learned before is kept." if training is not None and training.iteration > 1 else ""


class TrainingThread(QThread):
    """Trains one run at a time, and waits without cost between runs.

    Torch is imported here and not before, so that the window shows at once. ``playback`` is offered the policy, and
    ``readers`` are told every event.
    """

    state_changed = Signal(object)
    log = Signal(str, str)  # level, sentence
    device_chosen = Signal(str)  # why training happens where it does
    ready = Signal()  # torch is loaded

    def __init__(self, playback: PlaybackThread, readers: Sequence[EventReader]) -> None:
        super().__init__()
        self.setObjectName("training")
        self._playback = playback
        self._readers = tuple(readers)
        self._requests = Requests()
        self._stepping = False
        self._waited: tuple[Wait, float] | None = None  # what was last waited for, and when that was told
        self.loading = True  # until torch is there, or known not to come

    # --- asked by the window, on its own thread -----------------------------------------------------------------------

    def begin(self, run: str, config: RunConfig, *, one_step: bool = False) -> None:
        """Start a new run, whose events carry the name ``run``; for one iteration only if ``one_step``."""
        self._requests.put(Request("start", (run, config, one_step)))

    def ask(self, kind: Kind, payload: Any = None) -> None:
        self._requests.put(Request(kind, payload))

    @property
    def waiting_for(self) -> Wait | None:
        """What the run is held up by now, where that is a process that does not answer."""
        waited = self._waited
        return waited[0] if waited is not None and time.monotonic() - waited[1] < _WAIT_HOLDS else None

    # --- the thread itself --------------------------------------------------------------------------------------------

    def run(self) -> None:
        try:
            import engine.analysis.playback  # noqa: F401  (loads torch, which takes a second or more)
            from engine.runtime.threads import compute_on_one_thread
            from engine.training.warm_up import warm_up

            compute_on_one_thread()
            warm_up()
            gc.freeze()  # torch stays; looking through it again and again would hold up the window
        except BaseException as error:
            self.log.emit("error", failure(error, "The learning engine could not be loaded"))
            self.state_changed.emit(RunState.FAILED)
        self.loading = False
        self.ready.emit()
        while (request := self._requests.next()).kind != "quit":
            if request.kind == "start":
                self._host(*request.payload)

    def _host(self, run: str, config: RunConfig, one_step: bool) -> None:
        """Train from start to end; whatever happens, exactly one end is reported."""
        training = None
        try:
            from engine.training.training import Training

            with while_waiting(self._meanwhile):
                training = Training(config, run)
                self.device_chosen.emit(training.device_reason)
                if training.stepping_reason:
                    self.log.emit("info", f"{training.stepping_reason}.")
                self._stepping = one_step
                self._train(training)
            end, level, sentence = RunState.FINISHED, "info", f"Finished after {training.environment_steps:,} steps."
        except (_StopRun, GivenUp):
            end, level, sentence = RunState.FINISHED, "info", "Stopped."
        except RunError as error:
            end, level, sentence = RunState.FAILED, "error", f"{error}{_kept(training)}"
        except BaseException as error:
            end, level, sentence = RunState.FAILED, "error", failure(error, "The run failed unexpectedly")
        self._waited = None
        try:
            if training is not None:
                training.close()
        except BaseException as error:
            self.log.emit("warning", failure(error, f"{config.environment.id} could not be closed"))
        self.log.emit(level, sentence)
        self.state_changed.emit(end)

    def _meanwhile(self, wait: Wait) -> None:
        """While a process does not answer: nothing but the end of the run can be had."""
        self._waited = wait, time.monotonic()
        if self._requests.asks_for_the_end():
            self._requests.drop_to_the_end()
            raise GivenUp

    def _train(self, training: Training) -> None:
        self._obey_all(training)  # whoever stops a run that is only starting gets none of it
        self.state_changed.emit(RunState.RUNNING)
        self._show_policy(training, new_run=True)
        readers = list(self._readers)
        try:
            for event in training:
                self._tell(readers, event)
                if isinstance(event, Updated) and training.solving:
                    continue  # which is told of this iteration as well, before anything ends or waits
                if isinstance(event, Updated | Solved):
                    if self._playback.wants_snapshot:
                        self._show_policy(training)
                    if self._stepping:
                        self._wait(training)
                self._obey_all(training)
        finally:
            self._show_policy(training)  # before the end is reported, after which another run may begin

    def _tell(self, readers: list[EventReader], event: Event) -> None:
        """Tell all ``readers``; one that fails is told no more of this run, which goes on without it."""
        for reader in tuple(readers):
            try:
                reader.put(event)
            except BaseException as error:
                print_trace(error)
                readers.remove(reader)
                name = type(reader).__name__
                self.log.emit("error", f"{name} is told no more of this run: {describe(error)}.")

    def _obey_all(self, training: Training) -> None:
        while self._requests:
            self._obey(self._requests.next(), training)

    def _obey(self, request: Request, training: Training) -> None:
        if request.kind == "pause":
            self._wait(training)
        elif request.kind == "change":
            try:
                training.change(*request.payload)
            except RequestError as error:
                self.log.emit("error", str(error))
        elif request.kind in ("stop", "quit"):
            if request.kind == "quit":
                self._requests.put(request)  # for the outer loop
            raise _StopRun

    def _wait(self, training: Training) -> None:
        """Stay paused until asked to go on; the waiting costs nothing."""
        self._show_policy(training)
        self.state_changed.emit(RunState.PAUSED)
        while True:
            request = self._requests.next()
            if request.kind in ("resume", "step"):
                self._stepping = request.kind == "step"
                self.state_changed.emit(RunState.RUNNING)
                return
            if request.kind != "pause":
                self._obey(request, training)

    def _show_policy(self, training: Training, *, new_run: bool = False) -> None:
        from engine.analysis.playback import snapshot

        taken = snapshot(training.policy, training.config, training.environment, training.iteration)
        self._playback.offer(taken, new_run=new_run)
