"""Writes what runs tell into the run library, on a thread of its own, while they are trained."""

from __future__ import annotations

import os
import platform
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from engine.config.parameters import with_values
from engine.reports.events import Event
from engine.runs.library import Library
from engine.runs.liveness import LOCK, hold
from engine.runs.records import RunRecord, Status
from engine.runs.told import WRITTEN, Told
from engine.runtime.errors import RequestError, RunError, describe

if TYPE_CHECKING:
    from filelock import BaseFileLock

    from engine.training.training import Training

EVERY = 0.4  # seconds from one writing to the next
RETRY = 5.0  # seconds until it is tried again, where it could not be written
PATIENCE = 2.0  # seconds that the end of a run waits for its last writing
PACKAGES = ("policy-gradient-playground", "torch", "numpy", "gymnasium")  # whose versions are noted of a run


class Recorder:
    """Records one training, of one run or of several together: ``begin``, then ``put`` of every event and ``between``
    after every iteration, then ``end``; for the next one another is made.

    Nothing that goes wrong with the library ends a run: it is told once, in a sentence, the run goes on, and writing is
    tried again.

    Args:
        folder: of the library.
        tell: is given sentences, on whichever thread.
    """

    def __init__(self, folder: Path, tell: Callable[[str], object]) -> None:
        self._folder, self._tell = folder, tell
        self._told: dict[str, Told] = {}  # by the name that events carry
        self._locks: list[BaseFileLock] = []
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._status: tuple[Status, str] | None = None  # what is to be written of all runs next
        self._over = False
        self._library: Library | None = None  # of the thread that writes
        self._retry_at = 0.0
        self._failing = False

    # --- on the thread that trains ------------------------------------------------------------------------------------

    def begin(self, training: Training, record: RunRecord | None = None) -> RunRecord | None:
        """Record ``training`` from now on, as new runs, or as the one of ``record`` that goes on; what the library says
        of it, of the first of several, and None where it cannot be recorded.

        Raises:
            RequestError: the run is being trained elsewhere.
        """
        try:
            with Library(self._folder) as library:
                if record is not None:
                    found = self._going_on(library, training, record)
                else:
                    found = self._new(library, training)
        except _Busy as busy:
            raise RequestError(str(busy)) from None
        except (RequestError, RunError, OSError) as error:
            self._release()
            self._told = {}
            self._tell(f"This run is not recorded: {_sentence(error)}")
            return None
        self._thread = threading.Thread(target=self._write_on, name="recorder", daemon=True)
        self._thread.start()
        return found

    def put(self, event: Event) -> None:
        """Take in an event, to be written soon."""
        if type(event) in WRITTEN and (told := self._told.get(event.run)) is not None:
            told.add(event)

    def between(self, training: Training) -> None:
        """Between two iterations: keep what is due."""

    def set_status(self, status: Status) -> None:
        """Note that the runs are paused, or at work again."""
        self._status = status, ""
        self._wake.set()

    def end(self, status: Status, reason: str = "") -> None:
        """Note what the runs have come to, and write all that is left; the runs are free for others afterwards."""
        if self._thread is None:
            return
        self._status, self._over = (status, reason), True
        self._wake.set()
        self._thread.join(PATIENCE)

    def _new(self, library: Library, training: Training) -> RunRecord:
        alone = len(training.runs) == 1
        records = []
        for name, seed in training.runs.items():
            config = training.config if seed == training.config.seed else with_values(training.config, {"seed": seed})
            record = RunRecord(
                id=name if alone else uuid.uuid4().hex,
                number=0,
                configuration=config.model_dump(mode="json"),
                status=Status.RUNNING,
                created=time.time(),
                versions=versions(),
                device=training.learner.choices.get("device", "cpu"),
            )
            self._locks.append(hold(library, record.id))  # before anybody can see that it runs
            records.append(library.begin(record))
            self._told[name] = Told(records[-1])
        return records[0]

    def _going_on(self, library: Library, training: Training, record: RunRecord) -> RunRecord:
        try:
            self._locks.append(hold(library, record.id))
        except RequestError as error:
            raise _Busy(str(error)) from None
        found = library.run(record.id)
        (name,) = training.runs
        if found.reached.iteration > training.updates:
            self._release()
            raise _Busy("This run has gone on elsewhere since; open it from the library to go on from there.")
        library.update(found.id, status=str(Status.RUNNING), ended=None, reason="")
        self._told[name] = Told(found)
        return library.run(found.id)

    # --- on a thread of its own ---------------------------------------------------------------------------------------

    def _write_on(self) -> None:
        while not self._over:
            self._wake.wait(EVERY)
            self._wake.clear()
            if self._over or time.monotonic() >= self._retry_at:
                self._write()
        self._write()  # what was told while the last was written
        if self._library is not None:
            self._library.close()
        self._release()

    def _write(self) -> None:
        self._show_life()
        status = self._status
        news = [told for told in self._told.values() if told.has_news()]
        if not news and status is None:
            return
        try:
            if self._library is None:
                self._library = Library(self._folder)
            with self._library.transaction():
                for told in news:
                    told.write(self._library)
                if status is not None:
                    self._note_status(*status)
        except (RequestError, RunError, OSError) as error:
            self._fail(error)
            return
        for told in news:
            told.written()
        if self._status is status:
            self._status = None
        if self._failing:
            self._failing = False
            self._tell("The run library can be written again; nothing of this run is missing in it.")

    def _note_status(self, status: Status, reason: str) -> None:
        assert self._library is not None
        for told in self._told.values():
            if told.failure:
                self._library.end(told.id, Status.FAILED, told.failure)
            elif self._over:
                self._library.end(told.id, status, reason)
            else:
                self._library.update(told.id, status=str(status))

    def _fail(self, error: Exception) -> None:
        """Try again later, with a connection of its own, since the trouble may be with this one."""
        if self._library is not None:
            self._library.close()
        self._library = None
        self._retry_at = time.monotonic() + RETRY
        if not self._failing:
            self._failing = True
            later = "it is lost" if self._over else "the run goes on, and it is tried again"
            self._tell(f"What this run tells cannot be recorded now: {_sentence(error)[:-1]}; {later}.")

    def _show_life(self) -> None:
        """Leave a trace of when this was."""
        for told in self._told.values():
            with suppress(OSError):
                os.utime(self._folder / "runs" / told.id / LOCK)

    def _release(self) -> None:
        for lock in self._locks:
            with suppress(OSError):
                lock.release()
        self._locks = []


class _Busy(Exception):  # noqa: N818 - a reason
    """The run is not to be trained here."""


def versions() -> Mapping[str, str]:
    """Of Python and of the packages that decide what a run comes to."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, RequestError | RunError) else f"{describe(error)}."
