"""The run library as the window sees it: its runs, what they are called, and what a person does with them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QUndoStack

from app.session.library_room import LibraryRoom
from app.session.read_histories import ReadHistories, history_of, read_on
from app.session.recording_library import RecordingLibrary
from app.session.tried import Changed, Tried, Values
from engine.runs.records import ALIVE, Label, RunRecord
from engine.runtime.errors import RequestError, RunError

if TYPE_CHECKING:  # with numpy and sqlite3, which the window's first picture does not wait for
    from app.models.history import History
    from engine.reports.events import Event
    from engine.runs.library import Library
    from engine.runs.seed_groups import BegunAtOnce

_LOOK = 1000  # ms between looks at whether somebody has written to the library
_LAST_PATIENCE = 1.0  # seconds for which a picture that is still to be kept waits as the window closes
_MANY = 50  # records; more are read at once
_FEW = 4  # of which each is read by itself

_T = TypeVar("_T")


class RunLibrary(QObject):
    """Lives on the main thread, where it has the library open as a reader beside those that record. What it is asked
    before ``open``, or of a library that cannot be used, is answered as by an empty one.

    Signals:
        changed: a run has come, gone, got on or been labelled.
        shown_changed: which runs are to be drawn beside others is another.
        pictured: the run of which another last picture was kept here.
        failed: why the library cannot be used, in a sentence; told once.
        written: somebody has written to it, be it to what is not of runs.

    What is deleted, labelled, drawn and hidden here stands in ``undo_stack``, what was tried in this window.
    """

    changed = Signal()
    shown_changed = Signal()
    pictured = Signal(str)
    failed = Signal(str)
    written = Signal()

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.folder = folder
        self.undo_stack = QUndoStack(self)
        self.undo_stack.setUndoLimit(200)
        self.room = LibraryRoom(folder, self)
        self.recordings = RecordingLibrary(folder, self.undo_stack, lambda: self._library, self)
        self.written.connect(self.recordings.hear)
        self._library: Library | None = None
        self._records: dict[str, RunRecord] = {}
        self._by_environment: dict[str, list[tuple[int, str]]] = {}  # numbers and ids, in order
        self._marks: dict[str, tuple[Any, ...]] = {}
        self._aside: dict[str, tuple[tuple[Any, ...], RunRecord]] = {}  # marks and records of what was deleted
        self._unkept: dict[str, bytes] = {}  # pictures of runs, while somebody else writes
        self._seen: int | None = None  # the library's version at the latest look
        self._names: dict[tuple[Any, ...], str] = {}
        self._histories = ReadHistories()
        self._shown: tuple[str, ...] = ()
        self._told = ""  # what was last said of a library that cannot be used
        self._timer = QTimer(self, interval=_LOOK)
        self._timer.timeout.connect(self.look)

    # --- the library itself -------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Open it, and look once a second from now on at whether somebody has written to it."""
        if self._library is None:
            from engine.runs.library import Library  # with sqlite3, which the window's first picture does not wait for

            self._library = self._tried(lambda: Library(self.folder), None)
            if self._library is not None:
                self._timer.start()
                self.look()

    def close(self) -> None:
        self._timer.stop()
        self._keep_pictures(_LAST_PATIENCE)
        self.room.close()
        self.recordings.end()
        self.undo_stack.blockSignals(True)  # it tells of its end, too, when nobody can hear it any more
        if self._library is not None:
            self._library.close()
            self._library = None

    @property
    def library(self) -> Library | None:
        """The engine's side of it, for the main thread alone; None where it cannot be used."""
        return self._library

    def watch(self, watched: bool) -> None:
        """Look at the library once a second or, while nobody can see what it holds, not at all."""
        if self._library is not None and watched != self._timer.isActive():
            if watched:
                self.look()
                self._timer.start()
            else:
                self._timer.stop()

    def look(self) -> None:
        """Take in at once what has been written to the library."""
        library = self._library
        if library is None:
            return
        self._keep_pictures()
        version = self._tried(library.version, self._seen)
        if version != self._seen:
            self._seen = version
            self._read(library)
            self.written.emit()

    def _read(self, library: Library) -> None:
        marks = self._tried(library.marks, self._marks)
        if list(marks.items()) == list(self._marks.items()):
            return
        fresh = {id: kept for id, (mark, kept) in self._aside.items() if marks.get(id) == mark}
        stale = [id for id, mark in marks.items() if id not in fresh and self._marks.get(id) != mark]
        known = {id: self._records[id] for id in stale if id in self._records}
        if len(known) > _FEW:
            fresh |= self._tried(partial(library.renewed, known), known)
            stale = [id for id in stale if id not in known]
        if len(stale) > _MANY:
            nothing: list[RunRecord] = []
            fresh |= {record.id: record for record in self._tried(library.runs, nothing)}
        else:
            found = (self._tried(partial(library.run, id), None) for id in stale)
            fresh |= {record.id: record for record in found if record is not None}
        all_known, known_before = {**self._records, **fresh}, self._records.keys()
        gone = {id: (self._marks[id], record) for id, record in self._records.items() if id not in marks}
        self._aside = {id: kept for id, kept in (self._aside | gone).items() if id not in marks}
        self._records = {id: all_known[id] for id in marks if id in all_known}
        self._marks = marks
        if fresh.keys() - known_before or len(self._records) < len(known_before):
            self._by_environment = _by_environment(self._records.values())
        self.changed.emit()
        left = tuple(id for id in self._shown if id in self._records)
        if left != self._shown:
            self._set_shown(left)

    def _tried(self, read: Callable[[], _T], otherwise: _T) -> _T:
        """What ``read`` returns, or ``otherwise`` where the library cannot be used, of which a person is told."""
        try:
            found = read()
        except (RequestError, RunError) as error:
            if str(error) != self._told:
                self._told = str(error)
                self.failed.emit(self._told)
            return otherwise
        self._told = ""
        return found

    # --- what is in it ------------------------------------------------------------------------------------------------

    def records(self) -> list[RunRecord]:
        """All runs that were not deleted, the newest first, as they were at the latest look."""
        return list(self._records.values())

    def deleted(self) -> list[RunRecord]:
        """The runs that were deleted and are not gone for good, the last first."""
        library = self._library
        nothing: list[RunRecord] = []
        return self._tried(lambda: library.runs(deleted=True), nothing) if library is not None else nothing

    def record(self, run: str) -> RunRecord | None:
        """One of them, or a deleted one; None where there is none of this id."""
        library = self._library
        if run in self._records or library is None:
            return self._records.get(run)
        try:
            return library.run(run)
        except (RequestError, RunError):
            return None

    def history(self, run: str) -> History:
        """All that a run has told; of one that still trains, what has been written so far."""
        from app.models.history import History

        record, library = self.record(run), self._library
        if record is None or library is None:
            return History()
        return self._histories.of(record, lambda: self._tried(lambda: history_of(library, run), History()))

    def take_history(self, run: str) -> History:
        """The same for one that may go on; what it tells then is added to what is returned alone."""
        self._histories.forget(run)
        history = self.history(run)
        self._histories.forget(run)
        return history

    def read_on(self, run: RunRecord, history: History) -> set[type[Event]]:
        """Add to ``history`` what somebody else's run has told since; of what kinds of events."""
        library = self._library
        if library is None or (run.reached.iteration == history.iterations and run.status not in ALIVE):
            return set()
        return self._tried(lambda: read_on(library, run.id, history), set())

    def kept(self, run: str) -> int:
        """The last iteration of a run of which something was kept; −1 where there is none."""
        library = self._library
        if library is None:
            return -1
        return self._tried(lambda: max([-1, *_kept(library, run)]), -1)

    def group(self, run: str) -> tuple[BegunAtOnce, list[RunRecord]] | None:
        """Those with which a run was begun at once, as seeds of one choice; None where it is by itself."""
        from engine.runs.seed_groups import group_of

        library = self._library
        return self._tried(lambda: group_of(library, run), None) if library is not None else None

    def has_checkpoint(self, run: str) -> bool:
        """Whether a run can go on from what is kept of it."""
        library = self._library
        return library is not None and self._tried(lambda: bool(library.checkpoints(run)), False)

    def picture(self, run: str) -> bytes:
        """The last frame that was seen of a run, as a PNG file; empty where none was kept."""
        library = self._library
        return self._tried(lambda: library.thumbnail(run), None) or b"" if library is not None else b""

    def keep_picture(self, run: str, png: bytes) -> None:
        """Keep the last frame that was seen of a run: now, or while somebody else writes, for whom the window does not
        wait, at a later look."""
        self._unkept[run] = png
        self._keep_pictures()

    def _keep_pictures(self, patience: float = 0.02) -> None:
        library = self._library
        for run, png in tuple(self._unkept.items()) if library is not None else ():
            assert library is not None
            try:
                library.run(run)  # else there is no place for it
                with library.patience(patience):
                    library.keep_thumbnail(run, png)
            except RunError:
                return
            except RequestError:
                del self._unkept[run]
                continue
            del self._unkept[run]
            self.pictured.emit(run)

    def compared_with(self, record: RunRecord) -> RunRecord | None:
        """The run that ``record`` is named after: the one that it was forked from, or else the one before it in the
        same environment."""
        if record.origin is not None:
            return self.record(record.origin.parent)
        there = self._by_environment.get(record.environment, [])
        at = bisect_left(there, (record.number, ""))
        return self._records.get(there[at - 1][1]) if at else None

    def name(self, record: RunRecord) -> str:
        """A few words: the name that a person gave it, or what it has otherwise than the run that it comes after:
        "baseline: none"."""
        from app.models.run_names import name_beside

        other = self.compared_with(record)
        key = (record.id, record.label.title, *((other.id, str(other.changes)) if other is not None else ()))
        if key not in self._names:
            self._names[key] = name_beside(record, other)
        return self._names[key]

    # --- which are drawn ----------------------------------------------------------------------------------------------

    @property
    def shown(self) -> tuple[str, ...]:
        """The runs that are to be drawn beside others, in the order in which they were chosen."""
        return self._shown

    def show(self, run: str, shown: bool) -> None:
        """Draw a run beside others, or no more, which can be undone."""
        self.draw([run], shown)

    def draw(self, runs: Sequence[str], drawn: bool) -> None:
        """Draw these beside others, or no more, which can be undone."""
        changed = [run for run in dict.fromkeys(runs) if (run in self._shown) is not drawn]
        if not changed:
            return
        before = self._shown

        def put(wanted: bool) -> None:
            left = tuple(run for run in self._shown if run not in changed)
            back = before if set(before) == {*left, *changed} else (*left, *changed)  # in the order that they were in
            self.show_only(back if wanted else left)

        what = self._called(changed)
        text = f"Draw {what} beside" if drawn else f"Hide {what}"
        self.undo_stack.push(Tried(text, partial(put, drawn), partial(put, not drawn)))

    def show_only(self, runs: Iterable[str]) -> None:
        """Draw these and no others."""
        wanted = tuple(dict.fromkeys(runs))
        if wanted != self._shown:
            self._set_shown(wanted)

    def _set_shown(self, runs: tuple[str, ...]) -> None:
        self._shown = runs
        self.shown_changed.emit()

    # --- what a person does with it -----------------------------------------------------------------------------------

    def delete(self, runs: Sequence[str]) -> None:
        """Put runs aside, which can be undone; those at work are left."""
        found = [self._records[run] for run in runs if run in self._records]
        idle = [record for record in found if record.status not in ALIVE]
        if not idle:
            return
        ids = [record.id for record in idle]
        shown = self._shown

        def undo() -> None:
            self.restore(ids)
            self.show_only([*self._shown, *(id for id in shown if id in ids)])

        self.undo_stack.push(Tried(f"Delete {self._called(ids)}", lambda: self._delete(ids), undo))

    def _delete(self, runs: Sequence[str]) -> None:
        self._write(lambda library: library.delete(runs))

    def restore(self, runs: Sequence[str]) -> None:
        """Bring back what was deleted, but for what is gone for good."""
        self._write(lambda library: library.restore(runs))

    def take_in(self, runs: Sequence[str]) -> None:
        """Take note of runs that came from elsewhere, which can be undone."""
        self.look()
        if runs:
            what = "a run" if len(runs) == 1 else f"{len(runs)} runs"

            def hindrance() -> str:
                at_work = any(run in self._records and self._records[run].status in ALIVE for run in runs)
                return "What was taken in is being trained; stop it first." if at_work else ""

            undo, redo = (lambda: self._delete(runs)), (lambda: self.restore(runs))
            self.undo_stack.push(Tried(f"Take in {what}", redo, undo, done=True, possible=hindrance))

    def label(self, run: str, label: Label) -> None:
        """Note what a person says of a run, which can be undone."""
        record = self.record(run)
        if record is None or record.label == label:
            return
        what = _labelled(record.label, label).format(f"run {record.number}")
        put = partial(self._put_label, run)
        self.undo_stack.push(Changed(what, Values(record.label, label), put, f"{run} {what}"))

    def _put_label(self, run: str, label: Label) -> None:
        self._write(lambda library: library.label(run, label))

    def pin(self, run: str, pinned: bool) -> None:
        """Keep a run on the shelf, or no more."""
        record = self.record(run)
        if record is not None:
            self.label(run, replace(record.label, pinned=pinned))

    def _called(self, runs: Sequence[str]) -> str:
        record = self.record(runs[0]) if len(runs) == 1 else None
        return f"run {record.number}" if record is not None else f"{len(runs)} runs" if len(runs) > 1 else "a run"

    def _write(self, write: Callable[[Library], None]) -> None:
        library = self._library
        if library is not None:
            self._tried(lambda: write(library), None)
            self._read(library)


def _by_environment(records: Iterable[RunRecord]) -> dict[str, list[tuple[int, str]]]:
    found: dict[str, list[tuple[int, str]]] = {}
    for record in sorted(records, key=lambda record: record.number):
        found.setdefault(record.environment, []).append((record.number, record.id))
    return found


def _kept(library: Library, run: str) -> Iterator[int]:
    yield from (iteration for iteration, _, _ in library.snapshots(run))
    yield from (checkpoint.iteration for checkpoint in library.checkpoints(run))


def _labelled(before: Label, after: Label) -> str:
    """What a person did, as the list of what was tried has it."""
    if after.pinned is not before.pinned:
        return "Pin {}" if after.pinned else "Unpin {}"
    if after.title != before.title:
        return "Rename {}"
    return "Tag {}" if after.tags != before.tags else "Note on {}"
