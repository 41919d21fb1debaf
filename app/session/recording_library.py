"""The recordings of the run library as the window sees them, and what a person does with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QUndoStack

from app.models.recordings import called
from app.session.file_work import FileWork
from app.session.tried import Changed, Tried, Values
from engine.runs.recording_records import DatasetRecord, EpisodeRecord, RecordingRecord
from engine.runs.records import Label
from engine.runtime.errors import RequestError, RunError
from engine.runtime.waiting import GivenUp, Wait, while_waiting

if TYPE_CHECKING:  # with numpy and sqlite3, which the window's first picture does not wait for
    from engine.analysis.policy_recording import Progress, Wanted
    from engine.runs.library import Library
    from engine.runs.policy_recordings import Kept, Unkept
    from engine.runs.recordings import Recordings

AGAIN = 5000  # ms until it is tried again to write what could not be written
_HELD = "The episodes are held in memory, and kept as soon as that can be done."
_TELL = 0.25  # seconds between two words on how far recording has come

_T = TypeVar("_T")


class RecordingLibrary(QObject):
    """Lives on the main thread, where the library in ``folder`` is ``opened``, and adds to the list of what was tried.
    What reads or writes files is done on a thread of its own, and what records a policy on another.

    Signals:
        changed: recordings or datasets are others than before.
        told: level and sentence, what has come of something.
        progressed: how far the recording of a policy has come, a ``Progress``.
        recording_changed: a policy is being recorded, or no more.
        came: the ids of recordings that came to be here.
    """

    changed = Signal()
    told = Signal(str, str)
    progressed = Signal(object)
    recording_changed = Signal(bool)
    came = Signal(list)

    def __init__(
        self, folder: Path, undo_stack: QUndoStack, opened: Callable[[], Library | None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self.folder = folder
        self._undo_stack, self._opened_library = undo_stack, opened
        self.work = FileWork(self, "recordings", "Something unexpected happened with a recording")
        self.recorder = FileWork(self, "recording a policy", "Something unexpected happened as a policy was recorded")
        for work in (self.work, self.recorder):
            work.failed.connect(lambda sentence: self.told.emit("error", sentence))
        self.recorder.failed.connect(lambda _sentence: self._set_recording(False))
        self.records: list[RecordingRecord] = []
        self.datasets: tuple[DatasetRecord, ...] = ()
        self.watched = False  # whether anybody sees what there is
        self._mark: tuple[Any, ...] = ()
        self._recording = self._stopped = False
        self._told = ""  # what was last said of a library that cannot be used
        self._unkept: list[Unkept] = []  # what was recorded of policies and could not be written
        self._told_unkept = False
        self._again = QTimer(self, interval=AGAIN, singleShot=True)
        self._again.timeout.connect(self._try_again)

    @property
    def recording(self) -> bool:
        """Whether a policy is being recorded."""
        return self._recording

    def hear(self) -> None:
        """Somebody has written to the library, as a run that trains does all the time; or it has just been opened, and
        what a person has played in it is shown beside runs."""
        if self.watched or not self._mark:
            self.look()

    def look(self) -> None:
        """Take in what the library holds."""
        mark = self.read(lambda recordings: recordings.mark())
        if mark is None or mark == self._mark:
            return
        found = self.read(lambda recordings: (recordings.list(), recordings.datasets()))
        if found is not None:
            self._mark = mark
            self.records, self.datasets = found
            self.changed.emit()

    def deleted(self) -> list[RecordingRecord]:
        """The recordings that were deleted and are not gone for good, the last first."""
        return self.read(lambda recordings: recordings.list(deleted=True)) or []

    def record(self, id: str) -> RecordingRecord | None:
        """One of them that is there."""
        return next((record for record in self.records if record.id == id), None)

    def next_seed(self) -> int:
        """One from which no policy has been recorded here yet, as far as is known."""
        return max((record.number for record in self.records), default=0) + 1

    # --- what a person does with them ---------------------------------------------------------------------------------

    def delete(self, ids: Sequence[str]) -> None:
        """Put recordings aside, which can be undone."""
        records = [record for id in ids if (record := self.record(id)) is not None]
        if records:
            there = [record.id for record in records]
            within = [each.name for each in self.datasets if not set(there).isdisjoint(each.recordings)]
            self.note(f"Delete {called(records)}", partial(self._put_aside, there), partial(self.restore, there))
            if within:
                names = f"The dataset{'s' if len(within) > 1 else ''} {', '.join(within)}"
                self.told.emit("info", f"{names} will do without {called(records)} until that is brought back.")

    def restore(self, ids: Sequence[str]) -> None:
        """Bring back what was deleted."""
        self.write(lambda recordings: recordings.restore(ids))

    def _put_aside(self, ids: Sequence[str]) -> None:
        self.write(lambda recordings: recordings.delete(ids))

    def label(self, id: str, label: Label) -> None:
        """Note what a person says of a recording, which can be undone."""
        record = self.record(id)
        if record is not None and record.label != label:

            def put(wanted: Label) -> None:
                self.write(lambda recordings: recordings.label(id, wanted))

            what = f"Label {called([record])}"
            self._undo_stack.push(Changed(what, Values(record.label, label), put, f"{id} {what}"))

    def trim(self, id: str, episode: int, first: int, stop: int) -> None:
        """Keep these steps of an episode, which can be undone."""
        put = partial(self._trim, id, episode)

        def trim(recordings: Recordings) -> tuple[EpisodeRecord, RecordingRecord]:
            before = recordings.get(id).episodes[episode]
            return before, recordings.trim(id, episode, first, stop)

        def done(trimmed: tuple[EpisodeRecord, RecordingRecord]) -> None:
            before, record = trimmed
            self.look()
            undo, redo = partial(put, before.first, before.stop), partial(put, first, stop)
            self.note(f"Trim {called([record])}", redo, undo, done=True)

        self.work.ask(lambda: self.there(trim), done)

    def _trim(self, id: str, episode: int, first: int, stop: int) -> None:
        self.work.ask(lambda: self.there(lambda to: to.trim(id, episode, first, stop)), lambda _: self.look())

    def merge(self, name: str, ids: Sequence[str]) -> None:
        """Put recordings into a dataset, which can be undone."""

        def done(new: tuple[str, ...]) -> None:
            self.look()
            found = next((each for each in self.datasets if each.name == name), None)
            if not new:
                self.told.emit("info", f"All of this is in the dataset {name} already.")
                return

            def undo() -> None:
                self.write(lambda recordings: recordings.take_out(name, new))

            def redo() -> None:
                self.work.ask(lambda: self.there(lambda to: to.merge(name, new)), lambda _: self.look())

            self.note(f"Put into the dataset {name}", redo, undo, done=True)
            if found is not None:
                self.told.emit(
                    "info", f"The dataset {name} has {found.episodes:,} episodes of {found.steps:,} steps now."
                )

        self.work.ask(lambda: self.there(lambda to: to.merge(name, ids)), done)

    def take_out(self, name: str, ids: Sequence[str]) -> None:
        """Take recordings out of a dataset, which can be undone."""

        def redo() -> None:
            self.write(lambda recordings: recordings.take_out(name, ids))

        def undo() -> None:
            self.work.ask(lambda: self.there(lambda to: to.merge(name, ids)), lambda _: self.look())

        self.note(f"Take out of the dataset {name}", redo, undo)

    def take_in(self, ids: Sequence[str], what: str = "Take in") -> None:
        """Take note of recordings that came to be, which can be undone."""
        self.look()
        records = [record for id in ids if (record := self.record(id)) is not None]
        if records:
            there = [record.id for record in records]
            text = f"{what} {called(records)}"
            self.note(text, partial(self.restore, there), partial(self._put_aside, there), done=True)
            self.came.emit(there)

    # --- files --------------------------------------------------------------------------------------------------------

    def export(self, ids: Sequence[str], form: str, path: Path) -> None:
        """Write recordings out together."""

        def write() -> str:
            from dataclasses import replace

            from engine.experience.demonstration_checks import check
            from engine.runs.recording_files import write

            parts = self.there(lambda recordings: [recordings.demonstrations(id) for id in ids])
            whole = replace(parts[0], episodes=tuple(episode for part in parts for episode in part.episodes))
            check(whole)
            return write(whole, form, path)

        self.work.ask(write, lambda sentence: self.told.emit("info", sentence))

    def open(self, paths: Sequence[Path]) -> None:
        """Take the recordings in these files into the library."""

        def read() -> list[tuple[str, str]]:
            return [self._opened(path) for path in paths]

        def done(came: list[tuple[str, str]]) -> None:
            for _, problem in came:
                if problem:
                    self.told.emit("error", problem)
            self.take_in([id for id, _ in came if id])

        self.work.ask(read, done)

    def _opened(self, path: Path) -> tuple[str, str]:
        """The id of the recording that a file has become, or why it has not."""
        from engine.runs.library import Library
        from engine.runs.recording_files import RecordingFound

        try:
            with Library(self.folder) as library:
                return RecordingFound(path).take(library).recordings.added[0], ""
        except (RequestError, RunError) as error:
            return "", str(error)

    # --- a policy -----------------------------------------------------------------------------------------------------

    def record_policy(self, run: str, iteration: int | None, wanted: Callable[[], Wanted], seed: int) -> None:
        """Record episodes of the policy that a run had after ``iteration`` iterations, or has now."""
        self._stopped = False
        self._set_recording(True)

        def record() -> Sequence[Kept]:
            from engine.runs.library import Library
            from engine.runs.policy_recordings import record_run
            from engine.runtime.threads import compute_on_one_thread

            compute_on_one_thread()
            due = 0.0

            def going_on(progress: Progress) -> bool:
                nonlocal due
                if (now := time.monotonic()) >= due:  # a signal for each step would hold up the window
                    due = now + _TELL
                    self.progressed.emit(progress)
                return not self._stopped

            with Library(self.folder) as library, while_waiting(self._give_up_when_stopped):
                try:
                    found, how = library.run(run), wanted()
                    self._unkept.append(
                        record_run(library, found, how, iteration=iteration, seed=seed, going_on=going_on)
                    )
                except GivenUp:
                    return []
            return self._kept()

        def done(kept: Sequence[Kept]) -> None:
            self._set_recording(False)
            self._take_kept(kept)

        self.recorder.ask(record, done)

    def _kept(self) -> Sequence[Kept]:
        """What was recorded and could be kept by now; the rest is held, and a person told so once."""
        from engine.runs.library import Library

        kept: list[Kept] = []
        while self._unkept:
            try:
                with Library(self.folder) as library:
                    kept.append(self._unkept[0].keep(library))
            except (RequestError, RunError) as error:
                if not self._told_unkept:
                    self._told_unkept = True
                    self.told.emit("error", f"{error} {_HELD}")
                break
            del self._unkept[0]
        return kept

    def _take_kept(self, kept: Sequence[Kept]) -> None:
        for each in kept:
            self._told_unkept = False
            self.take_in([each.recording.id], "Record")
            self.told.emit("info", f"{each.sentence} {each.recording.title} holds them.")
        if self._unkept:
            self._again.start()

    def _try_again(self) -> None:
        self.recorder.ask(self._kept, self._take_kept)

    def stop(self) -> None:
        """Stop recording a policy; what has been recorded of it is kept."""
        self._stopped = True

    def _give_up_when_stopped(self, wait: Wait) -> None:
        if self._stopped:
            raise GivenUp

    def _set_recording(self, recording: bool) -> None:
        self._recording = recording
        self.recording_changed.emit(recording)

    # --- the library --------------------------------------------------------------------------------------------------

    def there(self, do: Callable[[Recordings], _T]) -> _T:
        """On a thread of its own, which opens the library for itself."""
        from engine.runs.library import Library
        from engine.runs.recordings import Recordings

        with Library(self.folder) as library:
            return do(Recordings(library))

    def read(self, read: Callable[[Recordings], _T]) -> _T | None:
        """What ``read`` finds; None where the library cannot be used, of which a person is told once."""
        library = self._opened_library()
        if library is None:
            return None
        from engine.runs.recordings import Recordings

        try:
            found = read(Recordings(library))
        except (RequestError, RunError) as error:
            if str(error) != self._told:
                self._told = str(error)
                self.told.emit("error", self._told)
            return None
        self._told = ""
        return found

    def write(self, write: Callable[[Recordings], object]) -> bool:
        """Whether ``write`` has done what it was to do; else a person is told why not."""
        self._told = ""  # which is to be said again each time
        done = self.read(lambda recordings: (write(recordings), True)) is not None
        self.look()
        return done

    def note(self, text: str, do: Callable[[], Any], undo: Callable[[], Any], *, done: bool = False) -> None:
        self._undo_stack.push(Tried(text, do, undo, done=done))

    def end(self) -> None:
        """Begin nothing more, and stop what records."""
        self._stopped = True
        self._again.stop()
        for work in (self.work, self.recorder):
            work.end()
        if self._unkept and not self.recorder.isRunning():
            self._kept()
