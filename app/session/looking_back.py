"""Looking back at a run: what the library kept of an iteration is read, shown, and its policy played."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.models.past import Instant, Kept, Past
from app.models.runs import KeptRun
from app.session.playback_thread import PlaybackThread
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary
from engine.runtime.errors import RequestError, RunError

_POLICY_ALONE = "Only the policy was kept of this iteration, so the run cannot go on from here."


class LookingBack(QObject):
    """Keeps ``past`` true to the run that is shown; another run is shown as it is now."""

    def __init__(self, controller: RunController, library: RunLibrary, playback: PlaybackThread, past: Past) -> None:
        super().__init__(past)
        self._controller, self._library, self._playback, self._past = controller, library, playback, past
        self._run = ""  # whose past it is
        library.changed.connect(self.refresh)
        controller.runs_changed.connect(self.refresh)
        past.asked.connect(self.look_at)
        playback.follow_changed.connect(self._follow)

    @property
    def iteration(self) -> int | None:
        """After how many iterations the run is shown; None is now."""
        shown = self._past.shown
        return None if shown is None else shown.at.iteration

    def refresh(self) -> None:
        """Know what has been kept meanwhile of the run that is shown."""
        shown, opened = self._controller.shown, self._library.library
        run = shown.run.id if shown is not None else ""
        if run != self._run:
            self._run = run
            self._past.show(None)
        try:
            kept = opened.snapshots(run) if run and opened is not None else []
        except RunError:  # of which the library has told
            return
        self._past.set_kept([Kept(iteration, steps) for iteration, steps, _ in kept])

    def look_at(self, iteration: int | None) -> None:
        """Show the run as it was after ``iteration`` iterations, and play the policy that it had; None is now."""
        shown, here = self._controller.shown, self._past.shown
        if iteration is None or shown is None:
            self._playback.set_follow(True)  # which is told when it was not so before
            self._past.show(None)
        elif here is None or here.at.iteration != iteration:
            try:
                self._show(shown, iteration)
            except (RequestError, RunError) as error:
                self._controller.log.emit("warning", str(error))
                self.refresh()

    def _show(self, shown: KeptRun, iteration: int) -> None:
        from engine.runs.snapshots import from_bytes  # with torch, which is there where a run is

        opened = self._library.library
        if opened is None:
            return
        kept = from_bytes(opened.snapshot(shown.run.id, iteration), shown.config, shown.run.environment)
        saved = any(checkpoint.iteration == iteration for checkpoint in opened.checkpoints(shown.run.id))
        hindrance = "" if kept.state is not None or saved else _POLICY_ALONE
        at = Kept(iteration, kept.environment_steps)
        self._playback.look_at(kept.policy)
        self._past.show(Instant(at, kept.advantages, kept.ratios, hindrance))

    def _follow(self, follows: bool) -> None:
        if follows:
            self._past.show(None)
