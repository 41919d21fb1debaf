"""The run that was broken off when the program was last left: the next start offers to go on with it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.models.runs import KeptRun
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary
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
        self._others: list[int] = []  # the numbers of the runs that were broken off with it
        self._accepted = ""  # the id of the run that is to go on once it is shown
        library.changed.connect(self._look_once)
        controller.restored.connect(self._go_on)
        controller.runs_changed.connect(self._withdraw)

    @property
    def words(self) -> tuple[str, str]:
        """The run's name, and what has become of it."""
        assert self.record is not None
        reached, budget = self.record.reached.environment_steps, self.record.config_now.budget.environment_steps
        name = f"run {self.record.number} · {self._library.name(self.record)}"
        others = f", as was run {self._others[0]}" if self._others else ""
        if len(self._others) > 1:
            others = f", as were {len(self._others)} other runs"
        return name, f"interrupted after {reached:,} of {budget:,} steps{others}"

    def accept(self) -> None:
        """Show the run, and go on with it from where it was saved."""
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
            latest = library.run(newest) if newest is not None else None
            if latest is None or latest.status is not Status.INTERRUPTED or not library.checkpoints(latest.id):
                return
            if latest.reached.environment_steps < latest.config_now.budget.environment_steps:
                self.record = latest
                self._others = [run.number for run in broken_off if run.id != latest.id]
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
