"""The Experiment mode in the window: its page, made when it is first wanted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDeadlineTimer, QObject, QSettings, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from app.models.experiment import Experiment
from app.models.run_names import plain_environment
from app.session.run_library import RunLibrary
from app.session.tried import Tried
from app.style.files import file_to_save
from app.window.frame import Frame
from app.window.modes import ModeAction
from engine.config.presets import Preset
from engine.runtime.errors import RequestError

if TYPE_CHECKING:  # with numpy and pyqtgraph, which the window's first picture does not wait for
    from app.experiments.page import ExperimentsPage
    from app.session.experiment_watch import ExperimentWatch
    from app.session.sweep_pilot import SweepPilot
    from app.session.sweep_planner import SweepPlanner
    from engine.runs.sweeps.spec import Sweep

_FILES = "Experiments (*.toml)"


class ExperimentMode(QObject):
    """Shows the page of the mode when it is chosen, and does what is asked there.

    Args:
        modes: what chooses each mode, in their order.

    Signals:
        log: level and sentence for the person.
    """

    log = Signal(str, str)

    def __init__(
        self,
        frame: Frame,
        modes: Sequence[ModeAction],
        experiment: Experiment,
        library: RunLibrary,
        settings: QSettings,
    ) -> None:
        super().__init__(frame)
        self._settings = settings
        self._frame, self._experiment, self._library = frame, experiment, library
        self._compare, self.action = modes[1:3]
        self.page: ExperimentsPage | None = None
        self.watch: ExperimentWatch | None = None
        self.action.toggled.connect(lambda on: self._enter() if on else None)

    def _enter(self) -> None:
        page = self._made()
        self._library.look()
        self._frame.modes.setCurrentWidget(page)

    def _made(self) -> ExperimentsPage:
        if self.page is None:
            from app.experiments.page import ExperimentsPage
            from app.models.sweep_draft import SweepDraft
            from app.session.experiment_watch import ExperimentWatch

            assert self._frame.theme is not None
            draft = SweepDraft(self._experiment.config, self._experiment.plain)
            self.watch = ExperimentWatch(self._library, self)
            self.watch.failed.connect(partial(self.log.emit, "error"))
            self.page = ExperimentsPage(self._frame.theme, draft, self.watch, self._settings)
            self._wire(self.page)
            self._frame.add_experiments(self.page)
        return self.page

    def _wire(self, page: ExperimentsPage) -> None:
        start, form, launch, results = page.form.start_button, page.form, page.launch, page.results
        start.train_asked.connect(lambda: page.draft.start_from(self._experiment.config, self._experiment.plain))
        start.preset_asked.connect(self._start_from)
        start.sweep_asked.connect(self._design)
        start.file_asked.connect(self._open_file)
        form.train_asked.connect(lambda row: form.add_train(self._experiment.config, row))
        assert self.watch is not None
        launch.run_asked.connect(self.watch.begin)
        launch.save_asked.connect(lambda sweep: self._save(sweep))
        launch.copy_asked.connect(self._copy)
        results.compare_asked.connect(self.open_in_compare)
        results.wished.connect(self.watch.wish)
        results.retry_asked.connect(self.watch.retry)
        results.anew_asked.connect(self._design_anew)
        results.again_asked.connect(self._design_shown)
        results.delete_asked.connect(self._delete)

    # --- the design ---------------------------------------------------------------------------------------------------

    def _start_from(self, preset: Preset) -> None:
        plain = plain_environment(preset.config.environment)
        if plain is None:
            self.log.emit(
                "warning", f"{preset.config.environment.id} is not known yet; look at it in the gallery first."
            )
        elif self.page is not None:
            self.page.draft.start_from(preset.config, plain)

    def _design(self, sweep: Sweep) -> None:
        """Show the design of an experiment at the left."""
        assert self.page is not None
        try:
            self.page.draft.take(sweep)
        except RequestError as error:
            self.log.emit("warning", str(error))

    def _design_shown(self) -> None:
        if self.watch is not None and self.watch.record is not None:
            self._design(self.watch.record.sweep)

    def _design_anew(self, points: Sequence[int]) -> None:
        """Show a design of these settings of the experiment that is shown, on other seeds."""
        from engine.runs.sweeps.again import with_other_seeds

        shown = self.watch.record if self.watch is not None else None
        if self.watch is not None and shown is not None:
            self.watch.do(lambda _: with_other_seeds(shown.sweep, points), self._design)

    def _open_file(self) -> None:
        from engine.runs.sweeps import files

        path, _ = QFileDialog.getOpenFileName(self.page, "Open an experiment", "", _FILES)
        if path:
            try:
                self._design(files.load(Path(path)))
            except RequestError as error:
                self.log.emit("error", str(error))

    def _save(self, sweep: Sweep) -> Path | None:
        """Keep an experiment as a file that a person names; where that is."""
        from engine.runs.sweeps import files

        assert self.page is not None
        name = "-".join("".join(sign if sign.isalnum() else " " for sign in sweep.title.lower()).split())
        path = file_to_save(self.page, "Save the experiment", str(Path.home() / f"{name}.toml"), _FILES)
        if path is None:
            return None
        try:
            files.save(sweep, path)
        except RequestError as error:
            self.log.emit("error", str(error))
            return None
        self.log.emit("info", f"Saved as {path}. `python main.py sweep {path.name}` trains it without a window.")
        return path

    def _copy(self, sweep: Sweep) -> None:
        path = self._save(sweep)
        if path is not None:
            command = f"python main.py sweep {_quoted(str(path))}"
            QGuiApplication.clipboard().setText(command)
            self.log.emit("info", f"Copied: {command}")

    # --- what is trained ----------------------------------------------------------------------------------------------

    def _delete(self) -> None:
        """Put the experiment that is shown aside, which can be undone."""
        if self.watch is not None and (shown := self.watch.record) is not None:
            delete = partial(self.watch.do, lambda experiments: experiments.delete([shown.id]))
            restore = partial(self.watch.do, lambda experiments: experiments.restore([shown.id]))
            self._library.undo_stack.push(Tried(f"Delete experiment {shown.number}", delete, restore))

    def open_in_compare(self, runs: Sequence[str]) -> None:
        """See these runs beside each other, those that have begun."""
        self._library.look()
        there = [run for run in runs if self._library.record(run) is not None]
        if there:
            self._library.show_only(there)
            self._compare.trigger()
        else:
            self.log.emit("info", "None of these runs has begun yet.")

    # --- the end ------------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """Have what is at work for it end as soon as it can."""
        for each in self._at_work():
            each.end()

    def wait(self, deadline: QDeadlineTimer) -> bool:
        """Whether it has ended before that."""
        return all(each.wait(deadline) for each in self._at_work())

    def _at_work(self) -> tuple[ExperimentWatch | SweepPlanner | SweepPilot, ...]:
        if self.page is None or self.watch is None:
            return ()
        return self.watch, self.page.launch.planner, self.page.launch.pilot


def _quoted(path: str) -> str:
    """A path as a shell takes it, be there blanks in it."""
    return f'"{path}"' if any(sign in path for sign in " '()&") else path
