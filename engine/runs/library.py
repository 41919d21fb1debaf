"""The run library: a folder with a SQLite database of all runs, and their checkpoints as files beside it.

Any number of processes may have one open. Whoever opens a ``Library`` uses it on one thread; another thread opens its
own, which is cheap. Nothing here knows how a run is trained; it stores and finds.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from engine.config.migrations import VERSION as CONFIG_VERSION
from engine.runs.damage import BROKEN, NONSENSE, reads, reason
from engine.runs.records import CheckpointRecord, Label, NotedEvent, Reached, RunRecord, Status
from engine.runs.rows import AS_COLUMNS, CHECKPOINT, MARKS, REACHED, RENEWED, checkpoint_of, event_of, renewed, run_of
from engine.runs.schema import prepare, require_ours
from engine.runs.series import CHUNK, Series, joined
from engine.runtime.errors import RequestError, RunError

if TYPE_CHECKING:  # a list of runs is shown before numpy is loaded
    import numpy as np
    from numpy.typing import NDArray

DATABASE = "library.sqlite3"
PATIENCE = 10.0  # seconds for which another process may write
ITERATIONS, EPISODES = "iterations", "episodes"  # the streams of numbers that every run has


class Library:
    """Opens the library in ``folder``, which is made where there is none.

    Every method that writes is one transaction, or a part of the one that is open (``transaction``).

    Raises:
        RequestError: on construction, when the folder cannot be used or is of another or a later program; from what
            names a run, when there is none like it.
        RunError: anywhere, when the database cannot be read or written any more; a ``DamageError`` where what is read
            makes no sense.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        where = folder / DATABASE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(where, timeout=PATIENCE, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise RequestError(f"The run library cannot be opened in {folder}: {reason(error)}.") from None
        try:
            self._connection.row_factory = sqlite3.Row
            require_ours(self._connection, str(where))  # before anything in it is set
            for setting in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "trusted_schema = OFF"):
                self._connection.execute(f"PRAGMA {setting}")
            prepare(self._connection, str(where))
        except BROKEN as error:
            self._connection.close()
            raise RequestError(f"{where} cannot be read as a run library: {reason(error)}.") from None
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written in the block, or nothing of it."""
        if self._connection.in_transaction:
            yield
            return
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def patience(self, seconds: float) -> Iterator[None]:
        """What is written in the block waits no longer than so for who else writes; then it raises a RunError."""
        self.execute(f"PRAGMA busy_timeout = {round(1000 * seconds)}")
        try:
            yield
        finally:
            self.execute(f"PRAGMA busy_timeout = {round(1000 * PATIENCE)}")

    # --- runs ---------------------------------------------------------------------------------------------------------

    @reads
    def begin(self, run: RunRecord) -> RunRecord:
        """Add ``run``, whose ``number`` is given here; with a new ``id`` where it has none."""
        with self.transaction():
            (last,) = self.execute("SELECT coalesce(max(number), 0) FROM runs").fetchone()
            added = replace(run, id=run.id or uuid.uuid4().hex, number=last + 1)
            row = {name: column(added) for name, column in AS_COLUMNS.items()} | {"config_version": CONFIG_VERSION}
            names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
            self.execute(f"INSERT INTO runs ({names}) VALUES ({marks})", row)
        return added

    @reads
    def runs(self, *, deleted: bool = False) -> list[RunRecord]:
        """All runs, the newest first; those that were deleted instead, the one that was deleted last first. A damaged
        record is left out, so that the others can be seen."""
        which = "deleted IS NOT NULL ORDER BY deleted DESC," if deleted else "deleted IS NULL ORDER BY"
        found = []  # by their numbers, which go up even where a clock goes back
        for row in self.execute(f"SELECT * FROM runs WHERE {which} number DESC"):
            with suppress(*NONSENSE):
                found.append(run_of(row))
        return found

    @reads
    def renewed(self, known: Mapping[str, RunRecord]) -> dict[str, RunRecord]:
        """These runs as they are now, by id; what a run began with, most of its record, is not read again."""
        rows = self.execute(f"SELECT {', '.join(RENEWED)} FROM runs WHERE deleted IS NULL")
        return renewed(rows.fetchall(), known)

    @reads
    def marks(self) -> dict[str, tuple[Any, ...]]:
        """By run, in the order of ``runs``, what is another as soon as its record is: cheap even for thousands."""
        query = f"SELECT {', '.join(MARKS)} FROM runs WHERE deleted IS NULL ORDER BY number DESC"
        return {row["id"]: tuple(row) for row in self.execute(query)}

    @reads
    def with_status(self, status: Collection[Status]) -> list[str]:
        """The runs that have come to one of these, the newest first."""
        return [id for id, mark in self.marks().items() if mark[MARKS.index("status")] in status]

    @reads
    def version(self) -> int:
        """Another number once somebody else has written to the library, be it another thread of this process."""
        (found,) = self.execute("PRAGMA data_version").fetchone()
        return int(found)

    @reads
    def run(self, id: str) -> RunRecord:
        """The run of this id, deleted ones too."""
        row = self.execute("SELECT * FROM runs WHERE id = ?", (id,)).fetchone()
        if row is None:
            raise RequestError(f"There is no run {id} in the library {self.folder}.")
        return run_of(row)

    @reads
    def find(self, name: str) -> RunRecord:
        """The run that a person calls so: by its number ("5", "run 5"), the beginning of its id, or its title."""
        found = self._called(name, deleted=False)
        if not found and (aside := self._called(name, deleted=True)):
            raise RequestError("Run {0} was deleted; `runs restore {0}` brings it back.".format(aside[0]["number"]))
        if len(found) != 1:
            why = f"There is no run {name!r}" if not found else f"{name!r} could be {len(found)} runs"
            raise RequestError(f"{why} in the library {self.folder}; `runs list` shows each with its number.")
        return run_of(found[0])

    def _called(self, name: str, *, deleted: bool) -> list[sqlite3.Row]:
        """The rows of the runs that a person calls so; none by no name at all, as most have no title."""
        wanted = name.strip().removeprefix("run ").strip()
        by_number, by_id = wanted.isdecimal() and len(wanted) < 10, len(wanted) >= 4 and wanted.isalnum()
        asked = [("number =", int(wanted)) if by_number else ("title =", name.strip())] if wanted else []
        asked += [("id GLOB", f"{wanted.lower()}*")] if by_id else []
        query = f"SELECT * FROM runs WHERE deleted IS {'NOT ' if deleted else ''}NULL AND"
        return next(filter(None, (self.execute(f"{query} {how} ?", (it,)).fetchall() for how, it in asked)), [])

    def update(self, id: str, **columns: Any) -> None:
        """Set columns of a run as ``AS_COLUMNS`` names and writes them, such as ``status`` or ``ended``."""
        self._update(id, columns)

    def reach(self, id: str, reached: Reached, sparkline: Sequence[float]) -> None:
        """Note how far a run has come."""
        solved = reached.solved or (None, None)
        columns = {name: getattr(reached, name) for name in REACHED} | {"sparkline": json.dumps(list(sparkline))}
        self._update(id, columns | {"solved_steps": solved[0], "solved_seconds": solved[1]})

    def end(self, id: str, status: Status, reason: str = "") -> None:
        """Note that a run is at rest."""
        self._update(id, {"status": str(status), "reason": reason, "ended": time.time()})

    def label(self, id: str, label: Label) -> None:
        """Note what a person says of a run."""
        tags = json.dumps(list(label.tags), ensure_ascii=False)
        self._update(id, {"title": label.title, "note": label.note, "tags": tags, "pinned": int(label.pinned)})

    def delete(self, ids: Iterable[str]) -> None:
        """Put runs aside, from where ``restore`` brings them back."""
        with self.transaction():
            for id in ids:
                self._update(id, {"deleted": time.time()})

    def restore(self, ids: Iterable[str]) -> None:
        """Bring back what was deleted, but for what is gone for good."""
        with self.transaction():
            for id in ids:
                self.execute("UPDATE runs SET deleted = NULL WHERE id = ?", (id,))

    def forget(self, id: str) -> None:
        """Remove a run for good, all but its files."""
        with self.transaction():
            self.execute("UPDATE runs SET parent = NULL WHERE parent = ?", (id,))
            self.execute("DELETE FROM runs WHERE id = ?", (id,))

    # --- numbers ------------------------------------------------------------------------------------------------------

    @reads
    def append(self, run: str, stream: str, columns: Sequence[str], rows: NDArray[np.float64]) -> None:
        """Add ``rows`` [n, columns] at the end of a stream, whose columns stay those of its first rows."""
        import numpy as np

        named = json.dumps(list(columns))
        with self.transaction():
            query = "SELECT * FROM series WHERE run = ? AND stream = ? ORDER BY start DESC LIMIT 1"
            last = self.execute(query, (run, stream)).fetchone()
            start, left = (0, np.ascontiguousarray(rows, np.float64))
            if last is not None and last["columns"] == named and last["count"] < CHUNK:
                before = np.frombuffer(last["rows"], np.float64).reshape(last["count"], -1)
                start, left = last["start"], np.concatenate([before, left])
            elif last is not None:
                start = last["start"] + last["count"]
            for offset in range(0, len(left), CHUNK):
                chunk = left[offset : offset + CHUNK]
                self.execute(
                    "INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?, ?, ?)",
                    (run, stream, start + offset, len(chunk), named, chunk.tobytes()),
                )

    @reads
    def series(self, run: str, stream: str, since: int = 0) -> Series:
        """All rows of a stream, or those after the first ``since``; none where there is nothing yet."""
        query = "SELECT start, columns, rows FROM series WHERE run = ? AND stream = ? AND start > ? ORDER BY start"
        return joined(self.execute(query, (run, stream, since - CHUNK)).fetchall(), since)

    @reads
    def cut(self, run: str, iteration: int) -> None:
        """Forget all that a run has told after ``iteration``, from where it is to go on."""
        with self.transaction():
            for stream in (ITERATIONS, EPISODES):
                series = self.series(run, stream)
                kept = series.rows[series["iteration"] <= iteration] if len(series) else series.rows
                if len(kept) < len(series):
                    self.execute("DELETE FROM series WHERE run = ? AND stream = ?", (run, stream))
                    self.append(run, stream, series.columns, kept)
            for table in ("events", "snapshots"):
                self.execute(f"DELETE FROM {table} WHERE run = ? AND iteration > ?", (run, iteration))

    def copy(self, run: str, to: str, iteration: int) -> None:
        """Let another run have told all that ``run`` has up to ``iteration``, where it was forked."""
        with self.transaction():
            for table in ("series", "events", "snapshots"):
                described = self.execute(f"PRAGMA table_info({table})")
                columns = ", ".join(column["name"] for column in described if column["name"] != "run")
                taken = f"SELECT ?, {columns} FROM {table} WHERE run = ?"
                self.execute(f"INSERT INTO {table} (run, {columns}) {taken}", (to, run))
            self.cut(to, iteration)

    # --- events, checkpoints, snapshots, pictures ---------------------------------------------------------------------

    def note(self, run: str, event: NotedEvent) -> None:
        at = (event.iteration, event.environment_steps, event.episodes, event.seconds)
        data = json.dumps(dict(event.data), ensure_ascii=False, default=str)
        self.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", (run, event.kind, *at, data))

    @reads
    def events(self, run: str) -> list[NotedEvent]:
        """In the order in which they happened."""
        found = self.execute("SELECT * FROM events WHERE run = ? ORDER BY iteration, rowid", (run,))
        return [event_of(row) for row in found]

    def keep_checkpoint(self, checkpoint: CheckpointRecord) -> None:
        """Note a checkpoint whose file is there; one of the same iteration is replaced."""
        row = (*(getattr(checkpoint, name) for name in CHECKPOINT), json.dumps(list(checkpoint.kinds)))
        names = ", ".join((*CHECKPOINT, "kinds"))
        self.execute(f"INSERT OR REPLACE INTO checkpoints ({names}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    @reads
    def checkpoints(self, run: str) -> list[CheckpointRecord]:
        """The latest first."""
        found = self.execute("SELECT * FROM checkpoints WHERE run = ? ORDER BY iteration DESC", (run,))
        return [checkpoint_of(row) for row in found]

    def drop_checkpoint(self, run: str, iteration: int) -> None:
        self.execute("DELETE FROM checkpoints WHERE run = ? AND iteration = ?", (run, iteration))

    def keep_snapshot(self, run: str, iteration: int, environment_steps: int, data: bytes) -> None:
        row = (run, iteration, environment_steps, len(data), data)
        self.execute("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?)", row)

    @reads
    def snapshots(self, run: str) -> list[tuple[int, int, int]]:
        """Iteration, environment steps and bytes of each, in their order."""
        query = "SELECT iteration, environment_steps, size FROM snapshots WHERE run = ? ORDER BY iteration"
        return [tuple(row) for row in self.execute(query, (run,))]

    @reads
    def snapshot(self, run: str, iteration: int) -> bytes:
        query = "SELECT data FROM snapshots WHERE run = ? AND iteration = ?"
        row = self.execute(query, (run, iteration)).fetchone()
        if row is None:
            raise RequestError(f"Nothing was kept of iteration {iteration} of this run.")
        return bytes(row["data"])

    @reads
    def snapshot_head(self, run: str, iteration: int, size: int) -> bytes:
        """The first ``size`` bytes of what was kept of an iteration; nothing where nothing was."""
        query = "SELECT substr(data, 1, ?) AS head FROM snapshots WHERE run = ? AND iteration = ?"
        row = self.execute(query, (size, run, iteration)).fetchone()
        return bytes(row["head"]) if row is not None else b""

    def drop_snapshots(self, run: str, iterations: Iterable[int]) -> None:
        with self.transaction():
            for iteration in iterations:
                self.execute("DELETE FROM snapshots WHERE run = ? AND iteration = ?", (run, iteration))

    def keep_thumbnail(self, run: str, png: bytes) -> None:
        self.execute("INSERT OR REPLACE INTO thumbnails VALUES (?, ?)", (run, png))

    @reads
    def thumbnail(self, run: str) -> bytes | None:
        row = self.execute("SELECT png FROM thumbnails WHERE run = ?", (run,)).fetchone()
        return bytes(row["png"]) if row is not None else None

    # --- files --------------------------------------------------------------------------------------------------------

    def run_folder(self, run: str) -> Path:
        """Where the files of a run are; it need not be there yet.

        Raises:
            RequestError: the run has a name that would lead elsewhere.
        """
        if Path(run).name != run or run in ("", ".."):
            raise RequestError(f"A run is called {run[:40]!r}, which is no name that this program gives.")
        return self.folder / "runs" / run

    def checkpoint_file(self, checkpoint: CheckpointRecord) -> Path:
        """Where the bytes of a checkpoint are."""
        return self.run_folder(checkpoint.run) / "checkpoints" / Path(checkpoint.file).name

    def sizes(self) -> dict[str, tuple[int, int]]:
        """How many bytes each run takes: of checkpoints, and in the database, about."""
        files = dict(self.execute("SELECT run, sum(size) FROM checkpoints GROUP BY run").fetchall())
        rows = dict(self.execute("SELECT run, sum(length(rows)) FROM series GROUP BY run").fetchall())
        kept = dict(self.execute("SELECT run, sum(size) FROM snapshots GROUP BY run").fetchall())
        return {run: (files.get(run, 0), rows.get(run, 0) + kept.get(run, 0)) for run in {*files, *rows, *kept}}

    def compact(self) -> None:
        """Give back to the system what forgotten runs took; left for another time while somebody is writing."""
        with suppress(RunError):
            self.execute("VACUUM")
            self.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # --- the database itself ------------------------------------------------------------------------------------------

    def _update(self, id: str, columns: Mapping[str, Any]) -> None:
        if unknown := set(columns) - set(AS_COLUMNS):
            raise ValueError(f"A run has no column {', '.join(sorted(unknown))}.")
        sets = ", ".join(f"{name} = :{name}" for name in columns)
        if self.execute(f"UPDATE runs SET {sets} WHERE id = :id", {**columns, "id": id}).rowcount == 0:
            raise RequestError(f"There is no run {id} in the library {self.folder}.")

    def execute(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except BROKEN as error:
            raise RunError(f"The run library in {self.folder} cannot be used: {reason(error)}.") from None
