"""The run that was broken off when the program was last left: the next start offers to go on with it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.models.runs import KeptRun
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary
from app.style.format import spans
from app.window.run_opener import RunOpener
from engine.runs.records import RunRecord, Status
from engine.runtime.errors import RequestError, RunError


class Offer(QObject):
    """Stands until any run is shown, and asks nothing: whoever does something else has declined it.

    ``changed`` tells that there is another one, or none.
    """

    changed = Signal()

    def __init__(self, controller: RunController, library: RunLibrary, opener: RunOpener) -> None:
        super().__init__(controller)
        self._controller, self._library, self._opener = controller, library, opener
        self.record: RunRecord | None = None
        self._group: list[RunRecord] = []  # the seeds that it was begun with, itself included
        self._others: list[int] = []  # the numbers of the other runs that were broken off with it
        self._accepted = ""  # the id of the run that is to go on once it is shown
        library.changed.connect(self._look_once)
        controller.restored.connect(self._go_on)
        controller.runs_changed.connect(self._withdraw)

    @property
    def words(self) -> tuple[str, str]:
        """The run's name, and what has become of it."""
        assert self.record is not None
        runs = self._group or [self.record]
        reached = sum(run.reached.environment_steps for run in runs)
        budget = len(runs) * self.record.config_now.budget.environment_steps
        seeds = f" · seeds {spans([run.seed for run in runs])}" if self._group else ""
        name = f"{self.called} · {self._library.name(self.record)}{seeds}"
        others = f", as was run {self._others[0]}" if self._others else ""
        if len(self._others) > 1:
            others = f", as were {len(self._others)} other runs"
        return name, f"interrupted after {reached:,} of {budget:,} steps{others}"

    @property
    def called(self) -> str:
        """ "run 5", "runs 5–9"."""
        assert self.record is not None
        return f"runs {spans([run.number for run in self._group])}" if self._group else f"run {self.record.number}"

    def accept(self) -> None:
        """Show the run, with the seeds that it was begun with, and go on with it from where it was saved."""
        if self.record is not None:
            self._accepted = self.record.id
            self._opener.open(self.record)

    def _look_once(self) -> None:
        """Offer the latest run, where it was interrupted, at the first look at the library."""
        library = self._library.library
        if library is None:
            return
        self._library.changed.disconnect(self._look_once)
        from engine.runs.liveness import settle  # with what locks files, which the first picture does not wait for

        try:
            broken_off = settle(library)
            newest = next(iter(library.marks()), None)
            found = self._library.group(newest) if newest is not None else None
            runs = found[1] if found is not None else [library.run(newest)] if newest is not None else []
            left = [run for run in runs if run.reached.environment_steps < run.config_now.budget.environment_steps]
            broken = [run for run in left if run.status is Status.INTERRUPTED and library.checkpoints(run.id)]
            if broken:
                self.record, self._group = broken[0], runs if found is not None else []
                mine = {run.id for run in runs}
                self._others = [run.number for run in broken_off if run.id not in mine]
        except (RequestError, RunError):  # of a library that cannot be used, which is told elsewhere
            return
        if self._controller.shown is not None:
            self.record = None
        self.changed.emit()

    def _go_on(self, kept: KeptRun) -> None:
        accepted, self._accepted = self._accepted, ""
        if kept.run.id == accepted:
            self._controller.go_on(kept.config)

    def _withdraw(self) -> None:
        if self.record is not None and self._controller.shown is not None:
            self.record = None
            self.changed.emit()
