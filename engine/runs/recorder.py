"""Writes what runs tell into the run library, on a thread of its own, while they are trained."""

from __future__ import annotations

import atexit
import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.config.parameters import with_values
from engine.reports.events import Event, Heartbeat
from engine.runs.answers import keep_answers
from engine.runs.autosave import BEST, Autosave, Taken, keep
from engine.runs.library import Library
from engine.runs.liveness import hold, hold_with, show_life
from engine.runs.records import TOGETHER, RunRecord, Status
from engine.runs.retention import make_room
from engine.runs.seed_groups import note_group
from engine.runs.snapshot_keeper import SnapshotKeeper
from engine.runs.snapshots import Snapshot
from engine.runs.told import WRITTEN, Told
from engine.runs.trouble import LATER, LOST, Trouble, sentence_of
from engine.runs.versions import versions
from engine.runtime.errors import RequestError, RunError
from engine.runtime.state import State, inexact

if TYPE_CHECKING:
    from filelock import BaseFileLock

    from engine.training.training import Training

EVERY = 0.5  # seconds from one writing to the next
RETRY = 5.0  # seconds until it is tried again, where it could not be written
PATIENCE = 2.0  # seconds that the end of a run waits for its last writing
LONGEST = 30.0  # seconds that the end of the process waits for it


class Recorder:
    """Records one training, of one run or of several together: ``begin``, then ``put`` of every event and ``between``
    after every iteration, then ``end``; for the next one another is made.

    Nothing that goes wrong in here ends a run: it is told once, in a sentence, the run goes on, and writing is tried
    again.

    Args:
        folder: of the library.
        tell: is given sentences, on whichever thread.
    """

    def __init__(self, folder: Path, tell: Callable[[str], object]) -> None:
        def safely(sentence: str) -> None:
            with suppress(Exception):  # who is told may be gone, which is no reason to stop writing
                tell(sentence)

        self._folder, self._tell = folder, safely
        self.records: dict[str, RunRecord] = {}  # what the library says of the runs, by the name that events carry
        self._told: dict[str, Told] = {}  # by that name, too
        self._locks: list[BaseFileLock] = []
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self.kept: int | None = None  # the environment steps after which the latest state was saved
        self._ids: dict[str, str] = {}  # of the runs that are recorded, by the names that events carry
        self._alone, self._budget = "", 0  # the run's id, where there are not several; the steps that each may take
        self._autosave: Autosave | None = None
        self._taken: deque[Taken] = deque()  # what is to be written of it
        self._answers: State | None = None  # a person's, that are to be written
        self._answered_in = 0  # the iteration whose beginning was kept as the first of them was given
        self._inexact: tuple[str, ...] | None = None
        self._said: tuple[str, ...] = ()  # of the runs, whatever their states are
        self._keeper, self._snapshots = SnapshotKeeper(), deque[tuple[str, Snapshot]]()  # with whose they are
        self._resting: _Resting | None = None  # what is to be written of all runs next
        self._library: Library | None = None  # of the thread that writes
        self._over, self._retry_at = False, 0.0
        self._numbers = Trouble(
            safely,
            "What this run tells cannot be recorded now",
            "What this run tells is recorded again, and nothing of it is missing.",
        )
        self._states = Trouble(
            safely, "The state of this run cannot be saved now", "The state of this run can be saved again."
        )
        self._labour = Trouble(
            safely, "What you have answered cannot be kept now", "What you have answered is kept again."
        )
        self._course = Trouble(safely, "What the timeline shows of this run cannot be kept", "")

    # --- on the thread that trains ------------------------------------------------------------------------------------

    def begin(self, training: Training, record: RunRecord | None = None, *, held: bool = False) -> RunRecord | None:
        """Record ``training`` from now on, as new runs, or as the one of ``record`` that goes on; what the library says
        of it, of the first of several, and None where it cannot be recorded. ``held`` says that it goes on from where
        it was stopped in this process, which is noted.

        Raises:
            RequestError: the run is being trained elsewhere.
        """
        import engine.analysis.playback
        import engine.training.checkpoint  # noqa: F401  (what saving needs; no iteration is to wait for its loading)

        if record is not None:
            await_endings()  # it may be what this process still writes that holds the run
        try:
            with Library(self._folder) as library:
                if record is not None:
                    found = self._going_on(library, training, record, held=held)
                else:
                    found = self._new(library, training)
        except _Busy as busy:
            raise RequestError(str(busy)) from None
        except Exception as error:
            self._release()
            self._told = {}
            self._tell(f"This run is not recorded: {sentence_of(error)}")
            return None
        self._budget = training.config.budget.environment_steps
        self._thread = threading.Thread(target=self._write_on, name="recorder", daemon=True)
        self._thread.start()
        self._take_snapshots(training, last=False)  # of the policy before it has learned anything
        return found

    def put(self, event: Event) -> None:
        """Take in an event, to be written soon."""
        told = self._told.get(event.run)
        if told is None:
            return
        if type(event) in WRITTEN:
            told.add(event)
        elif type(event) is not Heartbeat:
            self._keeper.put(event)

    def between(self, training: Training) -> None:
        """Where an iteration has just ended: keep what is due of the runs as they are now."""
        if training.resting:
            if not self._taken:
                self._take(training, now=False)
            self._take_snapshots(training, last=False)

    def save(self, training: Training) -> None:
        """Keep the runs as they are now, unless they are in the middle of an iteration."""
        if training.resting:
            self._take(training, now=True)
            self._take_snapshots(training, last=True)

    def answered(self, training: Training) -> None:
        """Keep what a person has answered so far, at once: with the first answer of a round also the state that the
        round began with, since between two states may lie an hour of work that no machine can do again."""
        if not self._alone:
            return
        if training.iteration != self._answered_in and training.resting:
            self._answered_in = training.iteration
            self._take(training, now=True)
        self._answers = training.answers()
        self._wake.set()

    def _take_snapshots(self, training: Training, *, last: bool) -> None:
        if self._course.is_there:
            return
        try:
            self._snapshots.extend(self._keeper.between(training, last=last).items())
        except Exception as error:
            self._course.begins(error, "no more is kept")

    def _take(self, training: Training, *, now: bool) -> None:
        if self._autosave is None:
            return
        try:
            taken = self._autosave.between(training, now=now)
        except Exception as error:  # of an environment, whose code may be from elsewhere
            self._autosave = None
            self._tell(f"The state of this run cannot be kept, and it cannot be resumed: {sentence_of(error)}")
            return
        if taken is not None:
            self._taken.append(taken)  # written at the next turn: a thread that wakes now would hold this one up

    def set_status(self, status: Status) -> None:
        """Note that the runs are paused, or at work again."""
        self._resting = _Resting(status)

    def end(self, status: Status, reason: str = "") -> None:
        """Note what the runs have come to, and write all that is left; the runs are free for others afterwards."""
        if self._thread is None:
            return
        self._resting = _Resting(status, reason, over=True)
        self._over = True
        self._wake.set()
        self._thread.join(PATIENCE)
        if self._thread.is_alive():  # a slow or busy disk: the window goes on, but the process does not end before it
            atexit.register(self._thread.join, LONGEST)
            _ENDING.append(self._thread)

    def _new(self, library: Library, training: Training) -> RunRecord:
        alone = len(training.runs) == 1
        records: list[RunRecord] = []
        for name, seed in training.runs.items():
            config = training.config if seed == training.config.seed else with_values(training.config, {"seed": seed})
            record = RunRecord(
                id=name if "/" not in name else uuid.uuid4().hex,
                number=0,
                configuration=config.model_dump(mode="json"),
                status=Status.RUNNING,
                created=time.time(),
                versions=versions(),
                device=training.learner.choices.get("device", "cpu"),
                inexact=() if alone else (TOGETHER,),
            )
            # Before anybody can see that it runs.
            lock = hold_with(library, record.id, records[0].id) if records else hold(library, record.id)
            self._locks += [lock] if lock is not None else []
            records.append(library.begin(record))
            self.records[name] = records[-1]
            self._told[name] = Told(records[-1])
        self._autosave, self._alone = Autosave(), records[0].id if alone else ""
        self._ids = {name: told.id for name, told in self._told.items()}
        if not alone:
            note_group(library, self._ids.values(), together=True)
        self._keeper = SnapshotKeeper(dict.fromkeys(self._ids, ()))
        self._said = () if alone else (TOGETHER,)
        return records[0]

    def _going_on(self, library: Library, training: Training, record: RunRecord, *, held: bool) -> RunRecord:
        alone, best = len(training.runs) == 1, dict[str, float]()
        for name, totals in training.totals.items():  # runs that go on together are called as the library calls them
            if totals.failed:
                continue
            id = record.id if alone else name
            found = self._held(library, id)
            if found.reached.iteration > totals.iteration - totals.busy:
                self._release()
                raise _Busy("This run has gone on elsewhere since; open it from the library to go on from there.")
            self.records[name] = found
            self._told[name] = told = Told(found)
            if held:
                told.note("gone on", **{"from": "where it was stopped"})
            kept = [checkpoint for checkpoint in library.checkpoints(found.id) if BEST in checkpoint.kinds]
            best |= {name: kept[0].mean_return} if kept and kept[0].mean_return is not None else {}
            self._said = tuple(dict.fromkeys((*self._said, *found.inexact)))
        self._ids = {name: told.id for name, told in self._told.items()}
        for id in self._ids.values():
            library.update(id, status=str(Status.RUNNING), ended=None, reason="")
        self._autosave, self._alone = Autosave(best), record.id if alone else ""
        self._keeper = SnapshotKeeper({name: library.snapshots(id) for name, id in self._ids.items()})
        return library.run(record.id)

    def _held(self, library: Library, id: str) -> RunRecord:
        try:
            lock = hold_with(library, id, next(iter(self._told.values())).id) if self._told else hold(library, id)
        except RequestError as error:
            self._release()
            raise _Busy(str(error)) from None
        self._locks += [lock] if lock is not None else []
        return library.run(id)

    # --- on a thread of its own ---------------------------------------------------------------------------------------

    def _write_on(self) -> None:
        with suppress(Exception), Library(self._folder) as library:  # there is room, or another run will make some
            if sentence := make_room(library):
                self._tell(sentence)
        try:
            while not self._over:
                self._wake.wait(EVERY)
                self._wake.clear()
                if self._over or time.monotonic() >= self._retry_at:
                    self._write()
            self._write()  # what was told while the last was written
        finally:
            if self._library is not None:
                self._library.close()
            self._release()

    def _write(self) -> None:
        for told in self._told.values():
            show_life(self._folder, told.id)
        resting = self._resting
        try:
            states = len(self._taken)  # those that are taken from now on may be of what is not written yet
            news = [told for told in self._told.values() if told.has_news()]
            waiting = news or self._taken or self._snapshots or resting is not None or self._answers is not None
            if not waiting:
                return
            if self._library is None:
                self._library = Library(self._folder)
            with self._library.transaction():
                for told in news:
                    told.write(self._library)
                if resting is not None:
                    self._note(self._library, resting)
            for told in news:
                told.written()
            if self._resting is resting:
                self._resting = None
            self._numbers.ends()
            self._keep(self._library, states)
        except Exception as error:  # be it a mistake of this program: what comes later is to be written all the same
            if self._library is not None:
                self._library.close()
            self._library = None  # the trouble may be with this connection
            self._retry_at = time.monotonic() + RETRY
            self._numbers.begins(error, LOST if self._over else LATER)

    def _keep(self, library: Library, states: int) -> None:
        """Write the first of the states that were taken. One that cannot be written is given up, as the run goes on."""
        for _ in range(states):
            taken = self._taken.popleft()
            began = time.thread_time()
            try:
                keep(library, self._ids, taken)
                found = tuple(dict.fromkeys((*self._said, *inexact(taken.state))))
            except Exception as error:
                self._states.begins(error, LOST if self._over else LATER)
                if self._autosave is not None:
                    self._autosave.try_again()
                continue
            self._states.ends()
            self.kept = taken.environment_steps
            if found != self._inexact:
                self._inexact = found
                for run in self._ids.values():
                    library.update(run, inexact=json.dumps(found, ensure_ascii=False))
            if self._autosave is not None:
                self._autosave.cost(time.thread_time() - began)
        self._keep_answers(library)
        self._keep_course(library)

    def _keep_answers(self, library: Library) -> None:
        answers = self._answers
        if answers is None:
            return
        try:
            keep_answers(library, self._alone, answers)
        except OSError as error:
            self._labour.begins(error, LOST if self._over else LATER)
            self._retry_at = time.monotonic() + RETRY
            return
        self._labour.ends()
        if self._answers is answers:
            self._answers = None

    def _keep_course(self, library: Library) -> None:
        """Write what was kept for the timeline, all at once: each transaction by itself takes its time."""
        kept = [self._snapshots[at] for at in range(len(self._snapshots))]
        if not kept:
            return
        try:
            self._keeper.write(library, self._ids, kept)
        except (RequestError, RunError, OSError):
            raise  # it is tried again
        except Exception as error:
            self._course.begins(error, "no more is kept")
        for _ in kept:
            self._snapshots.popleft()

    def _note(self, library: Library, resting: _Resting) -> None:
        for told in self._told.values():
            if told.failure:
                library.end(told.id, Status.FAILED, told.failure)
            elif resting.over:  # one that has used its budget only waited for the others
                done = not self._alone and told.reached.environment_steps >= self._budget
                library.end(told.id, *((Status.FINISHED,) if done else (resting.status, resting.reason)))
            else:
                library.update(told.id, status=str(resting.status))

    def _release(self) -> None:
        for lock in self._locks:
            with suppress(OSError):
                lock.release()
        self._locks = []


_ENDING: list[threading.Thread] = []  # which still write the end of a run


def await_endings() -> None:
    """Wait until the ends of all runs of this process are written, where that takes long."""
    while _ENDING:
        _ENDING.pop().join(LONGEST)


@dataclass(frozen=True)
class _Resting:
    """What has become of the runs; ``over`` where nothing follows."""

    status: Status
    reason: str = ""
    over: bool = False


class _Busy(Exception):  # noqa: N818 - a reason
    """The run is not to be trained here."""
