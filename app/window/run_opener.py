"""Opening a run of the library: its curves, its choice and its policy are shown as if it had just stopped."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.models.run_state import ACTIVE, RunState
from app.models.runs import KeptRun
from app.session.choice_loader import ChoiceLoader
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary
from app.session.training_thread import TrainingThread
from app.window.run_shelf import RunShelf
from engine.config.presets import Preset
from engine.runs.records import ALIVE, RunRecord, Status
from engine.runtime.errors import RequestError, RunError

_STATES = {Status.FINISHED: RunState.FINISHED, Status.FAILED: RunState.FAILED}


class RunOpener(QObject):
    """A run in an environment that is not known yet is opened once that has been looked at.

    ``log`` carries level and sentence.
    """

    log = Signal(str, str)

    def __init__(
        self,
        controller: RunController,
        library: RunLibrary,
        shelf: RunShelf,
        loader: ChoiceLoader,
        training: TrainingThread,
    ) -> None:
        super().__init__(shelf)
        self._controller, self._library, self._shelf = controller, library, shelf
        self._experiment, self._loader, self._training = loader.experiment, loader, training
        self._wanted: RunRecord | None = None
        self._incomplete: KeptRun | None = None  # what is shown without its policy as yet
        training.ready.connect(self._complete)
        shelf.open_asked.connect(self.open)
        loader.taken.connect(self._go_on)
        loader.refused.connect(lambda _sentence: self._forget())

    def open(self, record: RunRecord) -> None:
        """Show the run of ``record``, and choose what it has."""
        if self._controller.state in ACTIVE:
            self.log.emit(
                "warning",
                f"Stop the run that trains to open run {record.number}; its eye draws it beside the other meanwhile.",
            )
            return
        if record.status in ALIVE:
            self.log.emit("warning", f"Run {record.number} is being trained elsewhere; it can be opened once it rests.")
            return
        try:
            config = record.config_now
        except RequestError as error:
            self.log.emit("error", f"Run {record.number} cannot be opened: {error}")
            return
        self._wanted = record
        self._loader.load(Preset(title=f"Run {record.number}", summary=self._library.name(record), config=config))

    def _forget(self) -> None:
        self._wanted = None

    def _go_on(self) -> None:
        """Show the run that was asked for, where it is its choice that has been taken."""
        record, self._wanted = self._wanted, None
        if record is None or self._experiment.config != record.config_now or self._controller.state in ACTIVE:
            return
        try:
            run = self._shelf.made_run(record, self._library.take_history(record.id))
        except RequestError as error:
            self.log.emit("error", f"Run {record.number} cannot be opened: {error}")
            return
        state = _STATES.get(record.status, RunState.STOPPED)
        goes_on = record if self._library.has_checkpoint(record.id) else None
        kept = KeptRun(run, record.config_now, self._experiment.plain, state, record=goes_on)
        if self._training.loading:  # what a policy is made of comes later
            self._incomplete = kept
        else:
            self._take_last(kept)
        self._controller.open(kept)

    def _complete(self) -> None:
        """Now that it can be had, show the policy of a run that was opened before."""
        kept, self._incomplete = self._incomplete, None
        if kept is not None and self._controller.shown is kept and self._library.library is not None:
            self._take_last(kept)
            self._controller.restored.emit(kept)

    def _take_last(self, kept: KeptRun) -> None:
        """Take the policy that the run has come to, and what is known of its last batch."""
        library, record = self._library.library, self._library.record(kept.run.id)
        if library is None or record is None:
            return
        from engine.runs.snapshots import last_kept

        try:
            snapshot = last_kept(library, record, kept.run.environment)
        except (RequestError, RunError) as error:
            self.log.emit("warning", f"The policy of run {record.number} cannot be shown: {error}")
            return
        if snapshot is not None:
            kept.policy, history = snapshot.policy, kept.run.history
            history.advantages, history.ratios = snapshot.advantages, snapshot.ratios
