"""Looking back at a run: what the library kept of an iteration is read, shown, and its policy played."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.models.past import Instant, Kept, Past
from app.models.runs import KeptRun
from app.session.playback_thread import PlaybackThread
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary
from engine.runtime.errors import RequestError, RunError

if TYPE_CHECKING:  # with sqlite3, which the window's first picture does not wait for
    from engine.runs.library import Library

_LATER = "The learning engine is still being loaded; the run is shown as it was once that is there."


class LookingBack(QObject):
    """Keeps ``past`` true to the run that is shown; another run is shown as it is now."""

    def __init__(self, controller: RunController, library: RunLibrary, playback: PlaybackThread, past: Past) -> None:
        super().__init__(past)
        self._controller, self._library, self._playback, self._past = controller, library, playback, past
        self._run = ""  # whose past it is
        self._whole: dict[tuple[int, int], bool] = {}  # by iteration and bytes, whether all was kept
        self._wanted: int | None = None  # the iteration to be shown once the learning engine is there
        library.written.connect(self.refresh)  # what is kept of a run is written after what is told of it
        controller.runs_changed.connect(self.refresh)
        controller.training.ready.connect(self._look_now)
        past.asked.connect(self.look_at)
        playback.follow_changed.connect(self._follow)

    @property
    def forks_at(self) -> int | None:
        """After how many iterations the run is forked where it is looked at; None is now."""
        shown = self._past.shown
        return None if shown is None or shown.forks_at is None else shown.forks_at.iteration

    def refresh(self) -> None:
        """Know what has been kept meanwhile of the run that is shown."""
        shown, opened = self._controller.shown, self._library.library
        run = shown.run.id if shown is not None else ""
        if run != self._run:
            self._run = self._past.run = run
            self._wanted = None
            self._whole.clear()
            self._past.show(None)
        try:
            self._past.set_kept(self._kept(opened, run) if run and opened is not None else [])
        except RunError:  # of which the library has told
            return

    def _kept(self, library: Library, run: str) -> list[Kept]:
        """What there is of ``run``, in order: what was kept on its way, and its checkpoints."""
        from engine.runs.snapshots import is_whole

        saved = {checkpoint.iteration: checkpoint.environment_steps for checkpoint in library.checkpoints(run)}
        found = {iteration: Kept(iteration, steps, whole=True) for iteration, steps in saved.items()}
        for iteration, steps, size in library.snapshots(run):
            mark = iteration, size
            if iteration not in saved and mark not in self._whole:
                self._whole[mark] = is_whole(library, run, iteration)
            found[iteration] = Kept(iteration, steps, iteration in saved or self._whole[mark])
        return [found[iteration] for iteration in sorted(found)]

    def look_at(self, iteration: int | None) -> None:
        """Show the run as it was after ``iteration`` iterations, and play the policy that it had; None is now."""
        shown, here = self._controller.shown, self._past.shown
        self._wanted = None
        if iteration is None or shown is None:
            self._playback.set_follow(True)  # which is told when it was not so before
            self._past.show(None)
        elif self._controller.training.loading:  # for which the window would stand still
            self._wanted = iteration
            self._controller.log.emit("info", _LATER)
        elif here is None or here.at.iteration != iteration:
            try:
                self._show(shown, iteration)
            except (RequestError, RunError) as error:
                self._controller.log.emit("warning", str(error))
                self.refresh()

    def _look_now(self) -> None:
        if self._wanted is not None:
            self.look_at(self._wanted)

    def _show(self, shown: KeptRun, iteration: int) -> None:
        from engine.runs.snapshots import kept_at  # with torch, which is there by now

        opened, record = self._library.library, self._library.record(shown.run.id)
        if opened is None or record is None:
            return
        kept = kept_at(opened, record, shown.run.environment, iteration)
        there = [each for each in self._past.kept if each.iteration <= iteration]
        at = there[-1] if there and there[-1].iteration == iteration else Kept(iteration, kept.environment_steps)
        forks_at = next((each for each in reversed(there) if each.whole), None)
        self._playback.look_at(kept.policy)
        self._past.show(Instant(at, kept.advantages, kept.ratios, forks_at))

    def _follow(self, follows: bool) -> None:
        if follows:
            self._past.show(None)
