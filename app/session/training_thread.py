"""The QThread that hosts ``engine.training.training.Training`` and obeys the window between its events."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QThread, Signal

from app.models.run_state import RunState
from app.session.mailbox import EventReader
from app.session.playback_thread import PlaybackThread
from engine.config import RunConfig
from engine.reports.events import Event, Updated
from engine.runtime.errors import RequestError, RunError

if TYPE_CHECKING:
    from engine.training.training import Training


@dataclass(frozen=True)
class Request:
    """Something the window asks of the thread."""

    kind: Literal["start", "resume", "pause", "step", "stop", "change", "quit"]
    payload: Any = None


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
        self._requests: SimpleQueue[Request] = SimpleQueue()
        self._stepping = False

    # --- asked by the window, on its own thread -----------------------------------------------------------------------

    def begin(self, run: str, config: RunConfig, *, one_step: bool = False) -> None:
        """Start a new run, whose events carry the name ``run``; for one iteration only if ``one_step``."""
        self._requests.put(Request("start", (run, config, one_step)))

    def ask(self, kind: Literal["resume", "pause", "step", "stop", "change", "quit"], payload: Any = None) -> None:
        self._requests.put(Request(kind, payload))

    # --- the thread itself --------------------------------------------------------------------------------------------

    def run(self) -> None:
        try:
            import engine.analysis.playback  # noqa: F401  (loads torch, which takes a second or more)
            from engine.runtime.threads import compute_on_one_thread
            from engine.training.warm_up import warm_up

            compute_on_one_thread()
            warm_up()
            gc.freeze()  # torch stays; looking through it again and again would hold up the window
        except Exception as error:
            self.log.emit("error", f"The learning engine could not be loaded: {type(error).__name__}: {error}")
            self.state_changed.emit(RunState.FAILED)
        self.ready.emit()
        while (request := self._requests.get()).kind != "quit":
            if request.kind == "start":
                self._host(*request.payload)

    def _host(self, run: str, config: RunConfig, one_step: bool) -> None:
        """Train from start to end; whatever happens, exactly one end is reported."""
        training = None
        try:
            from engine.training.training import Training

            training = Training(config, run)
            self.device_chosen.emit(training.device_reason)
            if training.stepping_reason:
                self.log.emit("info", f"{training.stepping_reason}.")
            self._stepping = one_step
            self._train(training)
            end, level, sentence = RunState.FINISHED, "info", f"Finished after {training.environment_steps:,} steps."
        except _StopRun:
            end, level, sentence = RunState.FINISHED, "info", "Stopped."
        except RequestError as error:
            end, level, sentence = RunState.FAILED, "error", str(error)
        except RunError as error:
            end, level, sentence = RunState.FAILED, "error", f"{error}{_kept(training)}"
        except (Exception, SystemExit) as error:
            traceback.print_exc()
            end, level = RunState.FAILED, "error"
            sentence = f"The run failed unexpectedly: {type(error).__name__}: {error}."
        try:
            if training is not None:
                training.close()
        except (Exception, SystemExit) as error:
            self.log.emit("warning", f"{config.environment.id} could not be closed: {type(error).__name__}: {error}.")
        self.log.emit(level, sentence)
        self.state_changed.emit(end)

    def _train(self, training: Training) -> None:
        self._obey_all(training)  # whoever stops a run that is only starting gets none of it
        self.state_changed.emit(RunState.RUNNING)
        self._show_policy(training, new_run=True)
        readers = list(self._readers)
        try:
            for event in training:
                self._tell(readers, event)
                if isinstance(event, Updated):
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
            except Exception as error:
                traceback.print_exc()
                readers.remove(reader)
                name = type(reader).__name__
                self.log.emit("error", f"{name} is told no more of this run: {type(error).__name__}: {error}.")

    def _obey_all(self, training: Training) -> None:
        while not self._requests.empty():
            self._obey(self._requests.get(), training)

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
            request = self._requests.get()
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
