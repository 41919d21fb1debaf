"""The run that is trained in the window, as it is recorded in the library meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.session.hosting import heeding_pauses, saved
from app.session.requests import Requests
from engine.runs.place import library_folder
from engine.runs.records import Status

if TYPE_CHECKING:
    from engine.runs.recorder import Recorder
    from engine.runs.records import RunRecord
    from engine.training.training import Training


class Recording:
    """Records one run after the other.

    Args:
        folder: of the library; the platform's own by default.
        requests: in which a wish to pause is heeded while a run begins.
        log: told by level and sentence what could not be kept.
        paused: called as soon as such a wish is heeded.
    """

    def __init__(
        self,
        folder: Path | None,
        requests: Requests,
        log: Callable[[str, str], object],
        paused: Callable[[], object],
    ) -> None:
        self._folder = folder
        self._requests = requests
        self._log = log
        self._paused = paused
        self.recorder: Recorder | None = None  # of the run that trains now
        self.record: RunRecord | None = None  # what the library says of the run that last began, where it is in it
        self.records: Mapping[str, RunRecord] = {}  # and of all that are trained with it, by their names
        self.saved = ""  # what to say, when the window is closed, of the run that was trained until then

    @property
    def library(self) -> Path:
        """The folder of the library."""
        return library_folder(self._folder)

    def begin(self, training: Training, record: RunRecord | None, *, held: bool = False) -> bool:
        """Record the run from now on. That may wait for seconds while somebody else writes to the library; whether it
        is to pause since."""
        from engine.runs.recorder import Recorder

        recorder = Recorder(self.library, partial(self._log, "warning"))
        begin = partial(recorder.begin, training, record, held=held)
        self.record, paused = heeding_pauses(begin, self._requests, self._paused)
        self.recorder, self.records = recorder, recorder.records
        return paused

    def save(self, training: Training) -> None:
        if self.recorder is not None:
            self.recorder.save(training)

    def note_status(self, status: Status) -> None:
        if self.recorder is not None:
            self.recorder.set_status(status)

    def end(self, training: Training | None, status: Status, reason: str = "") -> None:
        """Note what the run has come to, and record it no more."""
        recorder, self.recorder = self.recorder, None
        if recorder is not None:
            if training is not None and status is not Status.FAILED:
                recorder.save(training)
            recorder.end(status, reason)
            if status is Status.INTERRUPTED:
                self.saved = saved(self.record, recorder.kept, len(self.records) - 1)
