"""Opening a run of the library, with the seeds that it was begun with: curves, choice and policy are shown as if it had
just stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.models.run_state import ACTIVE, RunState
from app.models.runs import KeptRun, Run, SeedGroup
from app.session.choice_loader import ChoiceLoader
from app.session.kept_policy import take_last
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary
from app.session.training_thread import TrainingThread
from app.window.run_shelf import RunShelf
from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.config.presets import Preset
from engine.runs.records import ALIVE, RunRecord, Status
from engine.runtime.errors import RequestError


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
        self._wanted: _Wanted | None = None
        self._incomplete: list[KeptRun] = []  # what has been shown without its policy as yet
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
            wanted = self._with_its_group(record)
        except RequestError as error:
            self.log.emit("error", f"Run {record.number} cannot be opened: {error}")
            return
        self._wanted = wanted
        title = f"Run {record.number}"
        self._loader.load(Preset(title=title, summary=self._library.name(record), config=wanted.config))

    def _with_its_group(self, record: RunRecord) -> _Wanted:
        """``record``, and with it the seeds that it was begun with, where all of those rest.

        Raises:
            RequestError: its configuration cannot be read here.
        """
        config, found = record.config_now, self._library.group(record.id)
        if found is None or any(each.status in ALIVE for each in found[1]):
            return _Wanted(record, config)
        begun, group = found
        return _Wanted(record, with_values(config, {"seed": group[0].seed}), tuple(group), begun.together)

    def _forget(self) -> None:
        self._wanted = None

    def _go_on(self) -> None:
        """Show the run that was asked for, where it is its choice that has been taken."""
        wanted, self._wanted = self._wanted, None
        if wanted is None or self._experiment.config != wanted.config or self._controller.state in ACTIVE:
            return
        record = wanted.record
        try:
            runs = {each.id: self._made(each) for each in wanted.group or (record,)}
        except RequestError as error:
            self.log.emit("error", f"Run {record.number} cannot be opened: {error}")
            return
        run, plain = runs[record.id], self._experiment.plain
        kept = KeptRun(run, wanted.config, plain, _state(wanted.group or (record,)), record=self._goes_on(wanted))
        if wanted.group:
            kept.group = SeedGroup(tuple(runs.values()), wanted.together, "" if wanted.together else record.id)
        if self._training.loading:  # what a policy is made of comes later
            self._incomplete.append(kept)
            kept.run.history.incomplete = True
        else:
            self._take_last(kept)
        self._controller.open(kept)

    def _made(self, record: RunRecord) -> Run:
        """
        Raises:
            RequestError: as ``RunShelf.made_run``.
        """
        run = self._shelf.made_run(record, self._library.take_history(record.id))
        run.history.failure = record.reason if record.status is Status.FAILED else ""
        return run

    def _goes_on(self, wanted: _Wanted) -> RunRecord | None:
        """The run from whose last checkpoint it goes on, be it that of another seed where they go on together."""
        others = [each for each in wanted.group if wanted.together and each.status is not Status.FAILED]
        return next((each for each in (wanted.record, *others) if self._library.has_checkpoint(each.id)), None)

    def _complete(self) -> None:
        """Now that it can be had, show the policy of a run that was opened before, and know that of the one before it,
        which can be shown again."""
        incomplete, self._incomplete = self._incomplete, []
        for kept in incomplete:
            kept.run.history.incomplete = False
            if self._library.library is None or not (kept is self._controller.shown or kept is self._controller.ghost):
                continue
            self._take_last(kept)
            if kept is self._controller.shown:
                self._controller.completed.emit(kept)

    def _take_last(self, kept: KeptRun) -> None:
        problem = take_last(self._library, kept)
        if problem:
            self.log.emit("warning", problem)


@dataclass(frozen=True)
class _Wanted:
    """A run that is to be shown, with the choice to be taken for it: that of the first seed, where it is one of a
    ``group``."""

    record: RunRecord
    config: RunConfig
    group: tuple[RunRecord, ...] = ()
    together: bool = True


def _state(records: Sequence[RunRecord]) -> RunState:
    """What a run, or several seeds, have come to: they have finished once none is left that could go on."""
    left = {record.status for record in records}
    if Status.FINISHED in left and left <= {Status.FINISHED, Status.FAILED}:
        return RunState.FINISHED
    return RunState.FAILED if left == {Status.FAILED} else RunState.STOPPED
