"""Runs copied from one library to another, be that from elsewhere: all that is known of them, and their checkpoints."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from engine.runs.answers import FILE as ANSWERS
from engine.runs.autosave import RUNS
from engine.runs.damage import BROKEN, DamageError
from engine.runs.library import DATABASE, EPISODES, ITERATIONS, Library
from engine.runs.recording_copies import RecordingsTaken, take_recordings
from engine.runs.records import ALIVE, CheckpointRecord, RunRecord, Status
from engine.runtime.errors import RequestError, describe
from engine.runtime.whole_file import write_whole

_ID = re.compile(r"[0-9a-f]{8,64}")  # which is the name of a folder too, or of a file


@dataclass(frozen=True)
class Taken:
    """What has come of copying: the ids of runs that were ``added``, of those that were ``there`` already, and
    sentences on what ``failed``; and what has come of ``recordings``."""

    added: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    recordings: RecordingsTaken = field(default_factory=RecordingsTaken)

    @property
    def sentence(self) -> str:
        """For a person."""
        of = self.recordings
        parts = []
        if self.added or of.added:
            parts.append(f"{_counted(self.added, of.added)} came into your library")
        if self.there or of.there:
            one = len(self.there) + len(of.there) == 1
            parts.append(f"{_counted(self.there, of.there)} {'was' if one else 'were'} there already")
        if failed := (*self.failed, *of.failed):
            counted = _counted(self.failed, of.failed)
            parts.append(f"{counted} could not be read, the first because: {failed[0].rstrip('.')}")
        return "; ".join(parts or ["There is no run in it"]) + "."


def _counted(runs: tuple[str, ...], recordings: tuple[str, ...]) -> str:
    """ "3 runs and 1 recording"."""
    both = (("run", len(runs)), ("recording", len(recordings)))
    return " and ".join(f"{count:,} {what}{'' if count == 1 else 's'}" for what, count in both if count)


@contextmanager
def borrowed(database: Path) -> Iterator[Library]:
    """The library whose database this is, to be read: a copy, so that the library itself stays as it is, whoever uses
    it and whichever version it is of. Its runs' files are not in the copy.

    Raises:
        RequestError: it is no run library, a damaged one, or one of a later version.
    """
    with TemporaryDirectory(prefix="playground-") as folder:
        copy = Path(folder) / DATABASE
        try:
            _copy_database(database, copy)
            _require_plain(copy, database)
        except BROKEN as error:
            raise RequestError(f"{database} cannot be read as a run library: {describe(error)}.") from None
        with Library(Path(folder)) as library:
            yield library


def _copy_database(database: Path, copy: Path) -> None:
    """With what has been written and not yet merged into its file; in a folder that cannot be written, without."""
    uri = database.resolve().as_uri()
    for mode in ("mode=ro", "mode=ro&immutable=1"):
        into = sqlite3.connect(copy)
        try:
            found = sqlite3.connect(f"{uri}?{mode}", uri=True, timeout=5.0)
            try:
                found.backup(into)
                return
            finally:
                found.close()
        except sqlite3.OperationalError:
            if "immutable" in mode:
                raise
        finally:
            into.close()


def _require_plain(copy: Path, database: Path) -> None:
    """See to it that nothing in a database from elsewhere acts of itself, and that all of it can be read."""
    connection = sqlite3.connect(copy)
    try:
        for setting in ("trusted_schema = OFF", "cell_size_check = ON"):
            connection.execute(f"PRAGMA {setting}")
        (acting,) = connection.execute(
            "SELECT count(*) FROM sqlite_master WHERE type NOT IN ('table', 'index') OR sql LIKE 'CREATE VIRTUAL%'"
        ).fetchone()
        (sound,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    finally:
        connection.close()
    if acting:
        raise RequestError(f"{database} holds more than runs, which no library of this program does; it is not opened.")
    if sound != "ok":
        raise RequestError(f"{database} is damaged: {str(sound).splitlines()[-1][:100].rstrip('.')}.")


def take_runs(database: Path, target: Library, only: str = "") -> Taken:
    """Copy all runs of the library whose ``database`` this is into ``target`` with its recordings, or ``only`` the run
    of that id. What is there already stays as it is there, and is brought back where it was deleted.

    Raises:
        RequestError: it is no run library, or has no such run.
        RunError: ``target`` cannot be written.
    """
    with borrowed(database) as source:
        try:
            ids = [source.run(only).id] if only else list(reversed(source.marks()))
        except DamageError as error:
            raise RequestError(f"{database} is damaged: {error.reason}.") from None
        present = {run.id for deleted in (False, True) for run in target.runs(deleted=deleted)}
        taken = Taken()
        for id in ids:
            if id in present:
                target.restore([id])
                taken = replace(taken, there=(*taken.there, id))
                continue
            try:
                copy_run(source, source.run(id), target, database.parent / "runs" / id)
            except DamageError as error:
                taken = replace(taken, failed=(*taken.failed, f"it is damaged: {error.reason}"))
            except (RequestError, OSError) as error:
                why = str(error) if isinstance(error, RequestError) else describe(error)
                taken = replace(taken, failed=(*taken.failed, why))
            else:
                taken = replace(taken, added=(*taken.added, id))
        if not only:
            taken = replace(taken, recordings=take_recordings(source, database.parent, target))
    return taken


def copy_run(source: Library, run: RunRecord, target: Library, files: Path) -> RunRecord:
    """Copy ``run`` with its id, all or nothing; ``files`` is the folder in which its checkpoints are. What trains it
    stays where it is: in the copy it was interrupted.

    Raises:
        RequestError: what is known of it is not whole.
        OSError: its files cannot be read or written.
        RunError: a library cannot be read or written.
    """
    if _ID.fullmatch(run.id) is None:
        raise RequestError(f"A run is called {run.id[:40]!r}, which is no name that this program gives.")
    folder = target.run_folder(run.id)
    made = not folder.exists()
    try:
        with target.transaction():
            status = Status.INTERRUPTED if run.status in ALIVE else run.status
            added = target.begin(replace(run, status=status, ended=run.ended or run.created, deleted=None))
            for stream in (ITERATIONS, EPISODES):
                series = source.series(run.id, stream)
                if len(series):
                    target.append(run.id, stream, series.columns, series.rows)
            for event in source.events(run.id):
                target.note(run.id, event)
            for iteration, steps, _ in source.snapshots(run.id):
                target.keep_snapshot(run.id, iteration, steps, source.snapshot(run.id, iteration))
            picture = source.thumbnail(run.id)
            if picture is not None:
                target.keep_thumbnail(run.id, picture)
            for checkpoint in source.checkpoints(run.id):
                kept = _copy_file(checkpoint, files / "checkpoints", folder / "checkpoints")
                if kept is not None:
                    target.keep_checkpoint(kept)
            answers = files / ANSWERS
            if answers.is_file() and not answers.is_symlink():
                folder.mkdir(parents=True, exist_ok=True)
                write_whole(folder / ANSWERS, answers.read_bytes())
    except BaseException:
        if made:
            with suppress(OSError):
                shutil.rmtree(folder)
        raise
    return added


def _copy_file(checkpoint: CheckpointRecord, origin: Path, folder: Path) -> CheckpointRecord | None:
    """Copy a checkpoint's file; None where it is not there, or is no file of its own."""
    name = Path(checkpoint.file).name
    path = origin / name
    if not name.endswith(".safetensors") or path.is_symlink() or not path.is_file():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    content = path.read_bytes()
    write_whole(folder / name, content)
    return replace(checkpoint, file=name, size=len(content))


def recover_run(folder: Path, target: Library) -> Taken:
    """Take a run's folder that has lost its library into ``target``: as far as its last checkpoint knows of it.

    Raises:
        RequestError: there is no checkpoint in it that can be read.
        RunError: ``target`` cannot be written.
    """
    from engine.config.validation import validated
    from engine.runs.records import Reached
    from engine.training.checkpoint import from_bytes
    from engine.training.many_seeds.alone import alone

    id = folder.name if _ID.fullmatch(folder.name) else ""
    if id and any(run.id == id for deleted in (False, True) for run in target.runs(deleted=deleted)):
        target.restore([id])
        return Taken(there=(id,))
    last, state = None, {}
    for path in sorted(checkpoint_files(folder), key=lambda path: int(path.stem), reverse=True):
        with suppress(RequestError, OSError):
            state = from_bytes(path.read_bytes())
            last = path
            break
    if last is None:
        raise RequestError(f"No checkpoint in {folder} can be read; choose a run's folder, or a library.")
    try:
        if state["seeds"]:
            state = alone(state, state["seeds"][state[RUNS].index(folder.name)])
        (totals,) = state["totals"]
        config = validated(state["config"])
        counts = (int(totals["iteration"]), int(totals["environment_steps"]), int(totals["episodes"]))
        reached = Reached(*counts, float(state["stopwatch"]["seconds"]))
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, RequestError):
            raise
        raise RequestError(f"{last.name} is no checkpoint of one run; choose another folder.") from None
    when = last.stat().st_mtime
    configuration = config.model_dump(mode="json")
    run = RunRecord(id, 0, configuration, Status.INTERRUPTED, when, when, reached=reached)
    with target.transaction():
        added = target.begin(run)
        found = CheckpointRecord(added.id, counts[0], counts[1], when, last.name, 0, ("last",))
        kept = _copy_file(found, last.parent, target.run_folder(added.id) / "checkpoints")
        assert kept is not None
        target.keep_checkpoint(kept)
    return Taken(added=(added.id,))


def checkpoint_files(folder: Path) -> list[Path]:
    """The checkpoints in a run's folder."""
    return [path for path in folder.glob("checkpoints/*.safetensors") if path.stem.isdecimal() and len(path.stem) < 16]
