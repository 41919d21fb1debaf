"""What seeds tell that processes of their own train: read from the library as it comes to be there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.models.run_state import ACTIVE
from app.models.runs import KeptRun, Run, SeedGroup
from app.session.kept_policy import take_last
from app.session.playback_thread import PlaybackThread
from app.session.run_controller import RunController
from app.session.run_library import RunLibrary
from app.session.run_sentences import told_of_seed
from engine.reports.events import Estimated, Event, Reweighted, Solved
from engine.runs.records import Status

ELSEWHERE = (
    "Seed {} has a process of its own: curves come once a second, histograms and agent are the last that were kept, "
    "and the steps of its updates are not told."
)


class SeedFollowing(QObject):
    """Lives on the main thread. ``log`` carries level and sentence; ``told`` says that any of them has told more."""

    log = Signal(str, str)
    told = Signal()

    def __init__(self, controller: RunController, library: RunLibrary, playback: PlaybackThread) -> None:
        super().__init__(controller)
        self._controller, self._library, self._playback = controller, library, playback
        self.awaits: Callable[[str], str] = lambda _run: ""  # what becomes of a run before it trains
        self._policy_of = ("", -1)  # the run and the iteration of the policy that was offered last
        library.written.connect(self.read_on)
        controller.followed.connect(self._show)

    def read_on(self) -> None:
        """Take in what the library says by now of those of the group that is shown."""
        group = self._controller.group
        if group is None or group.together:
            return
        runs, told = [], {}
        for run in group.runs:
            renewed, news = self._read(run, group)
            runs.append(renewed)
            told[run.id] = news
        renewed_group = replace(group, runs=tuple(runs))
        if renewed_group != group:
            self._controller.renew_group(renewed_group)
        for id, news in told.items():
            if news:
                self._controller.tell_from_elsewhere(id, news)
        if any(told.values()):
            self.told.emit()
        if self._controller.shows_elsewhere and self._controller.state in ACTIVE:
            self._offer(new_run=False)

    def _read(self, run: Run, group: SeedGroup) -> tuple[Run, set[type[Event]]]:
        """A run as it is by now, and what it has told."""
        record = self._library.record(run.id)
        if record is None:
            return run, set()
        goes_on = run.id in self._controller.elsewhere  # of which it hears later
        run.history.failure = record.reason if record.status is Status.FAILED and not goes_on else ""
        run = run if run.number == record.number else replace(run, number=record.number)
        if not group.is_elsewhere(run.id):
            return run, set()
        if record.reached.iteration < run.history.iterations:  # it has gone back to a checkpoint
            run = replace(run, history=self._library.take_history(run.id))
            return run, {Solved}
        news = self._library.read_on(record, run.history)
        solved = run.history.solved
        if Solved in news and solved is not None:
            for told in told_of_seed(replace(solved, run=run.id), group):
                self.log.emit(*told)
        return run, news

    def _show(self, kept: KeptRun) -> None:
        """Another seed is shown; say what of it cannot be seen, and have its policy played."""
        seed = kept.run.config.seed
        if self._controller.shows_elsewhere and self._controller.state in ACTIVE:
            awaits = self.awaits(kept.run.id)
            self.log.emit("info", f"Seed {seed}: {awaits}." if awaits else ELSEWHERE.format(seed))
        if self._controller.has_kept_policy:
            self._playback.reset()
            self._policy_of = ("", -1)
            self._offer(new_run=True)

    def _offer(self, *, new_run: bool) -> None:
        """Have the policy played that was last kept, with what is known of its batch, where it is a newer one."""
        shown = self._controller.shown
        if shown is None or self._controller.training.loading:
            return
        kept = self._library.kept(shown.run.id)
        mark = (shown.run.id, kept)
        if mark == self._policy_of or kept < 0:
            return
        self._policy_of = mark
        problem = take_last(self._library, shown)
        if problem:
            self.log.emit("warning", problem)
        elif shown.policy is not None:
            self._playback.offer(shown.policy, new_run=new_run)
            self._controller.tell_from_elsewhere(shown.run.id, {Estimated, Reweighted})
