"""What is kept of the states of a run, and what of the whole library, so that neither grows without bound."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.runs.library import DATABASE, Library
from engine.runs.liveness import is_trained
from engine.runs.recordings import FOLDER as RECORDINGS
from engine.runs.recordings import Recordings
from engine.runs.records import ALIVE, CheckpointRecord, RunRecord
from engine.runs.room import budget_of, bytes_in_words

MOST = 12  # checkpoints of a run that are kept, but for those that somebody wants
_GRACE = 24 * 3600.0  # seconds for which a file that nothing names may still be about to be named
_STAYS = (
    "curves, recordings, the best and the last state of every run and all of the runs that are pinned are never removed"
)

Kind = Literal["deleted", "between", "strays", "recordings"]
KINDS: tuple[Kind, ...] = ("deleted", "between", "strays", "recordings")


@dataclass(frozen=True)
class Usage:
    """Bytes on disk: of the ``database``, of the ``checkpoints`` and the ``recordings`` beside it, and what they are
    meant to take at most together (``budget``)."""

    database: int
    checkpoints: int
    recordings: int
    budget: int

    @property
    def total(self) -> int:
        return self.database + self.checkpoints + self.recordings


@dataclass(frozen=True)
class Cleaning:
    """Something that can go: ``what`` it is, as the end of a sentence "Remove …", and the bytes that this frees."""

    kind: Kind
    what: str
    size: int


def surplus(checkpoints: Sequence[CheckpointRecord], most: int = MOST) -> list[CheckpointRecord]:
    """Those of a run that are to go, so that at most so many are left, spread over its course. The last and the best
    stay, and those from which a run was forked or that a person asked for."""
    left = sorted(checkpoints, key=lambda checkpoint: checkpoint.iteration)
    gone = []
    while len(left) > most:
        # The one whose neighbours are closest to each other is missed least.
        gaps = {
            at: left[at + 1].iteration - left[at - 1].iteration for at in range(1, len(left) - 1) if not left[at].kinds
        }
        if not gaps:
            break
        gone.append(left.pop(min(gaps, key=lambda at: gaps[at])))
    return gone


def usage(library: Library) -> Usage:
    """How much room the library takes."""
    database = sum(_size(library.folder / f"{DATABASE}{end}") for end in ("", "-wal", "-shm"))
    recordings = Recordings(library)
    kept = sum(each.size for deleted in (False, True) for each in recordings.list(deleted=deleted))
    return Usage(database, sum(files for files, _ in library.sizes().values()), kept, budget_of(library.folder))


def cleanings(library: Library) -> tuple[Cleaning, ...]:
    """All that can go without a run being missed, and how much each would free; nothing that would free nothing."""
    deleted = _deleted(library)
    sizes = library.sizes()
    between = [checkpoint for run in _at_rest(library) for checkpoint in _between(library, run)]
    strays = list(_strays(library))
    recordings = Recordings(library).list(deleted=True)
    found = (
        Cleaning("deleted", _counted(len(deleted), "deleted run"), sum(sum(sizes.get(run.id, ())) for run in deleted)),
        Cleaning(
            "recordings",
            _counted(len(recordings), "deleted recording"),
            sum(each.size for each in recordings),
        ),
        Cleaning("between", _states(len(between)), _sum(between)),
        Cleaning("strays", f"{_counted(len(strays), 'file')} that belong to nothing", sum(map(_size, strays))),
    )
    return tuple(cleaning for cleaning in found if cleaning.size)


def clean(library: Library, kinds: Collection[Kind]) -> int:
    """Remove what ``cleanings`` tells of, for good; the bytes that this has freed. Every run that was not deleted keeps
    its curves, its best and its last state, and runs that somebody has pinned or that are being trained keep all.

    Raises:
        RunError: the library cannot be written.
    """
    before = sum(cleaning.size for cleaning in cleanings(library) if cleaning.kind in kinds)
    if "deleted" in kinds:
        for run in _deleted(library):
            library.forget(run.id)
            shutil.rmtree(library.run_folder(run.id), ignore_errors=True)
        library.execute("DELETE FROM experiments WHERE deleted IS NOT NULL")
    if "recordings" in kinds:
        for recording in Recordings(library).list(deleted=True):
            Recordings(library).forget(recording.id)
    if "between" in kinds:
        for run in _at_rest(library):
            _drop(library, _between(library, run))
    if "strays" in kinds:
        for stray in list(_strays(library)):
            _remove(stray)
    if "deleted" in kinds:
        library.compact()
    return before - sum(cleaning.size for cleaning in cleanings(library) if cleaning.kind in kinds)


def make_room(library: Library) -> str:
    """Where the library takes more than it is meant to, let go states between the best and the last of runs at rest, of
    the oldest run first, until it does not or there are none left; a sentence of it, empty where nothing has gone.

    Raises:
        RunError: the library cannot be written.
    """
    used = usage(library)
    gone = _to_go(library, used)
    for checkpoints in gone:
        _drop(library, checkpoints)
    if not gone:
        return ""
    budget = bytes_in_words(used.budget)
    return f"The runs took more than the {budget} that they may, so {_between_in_words(gone)} have been removed."


def over_budget(library: Library) -> str:
    """What a person should know where the library takes more than it is meant to: what would go, and what never does;
    empty where it does not."""
    used = usage(library)
    if used.total <= used.budget:
        return ""
    gone = _to_go(library, used)
    over = f"The runs take {bytes_in_words(used.total)}, more than the {bytes_in_words(used.budget)} that they may"
    left = used.total - used.budget - sum(map(_sum, gone))
    more = "; delete runs and clean up, or allow more" if left > 0 else ""
    if not gone:
        return f"{over}, and nothing goes by itself: {_STAYS}{more}."
    enough = f", which leaves {bytes_in_words(left)} too much" if left > 0 else ""
    return f"{over}: as the next run begins, {_between_in_words(gone)} go{enough}; {_STAYS}{more}."


def _to_go(library: Library, used: Usage) -> list[list[CheckpointRecord]]:
    """What is let go where the library takes so much, by run."""
    over = used.total - used.budget
    gone: list[list[CheckpointRecord]] = []
    for run in reversed(_at_rest(library)) if over > 0 else ():
        if over <= 0:
            break
        if between := _between(library, run):
            gone.append(between)
            over -= _sum(between)
    return gone


def _sum(checkpoints: Sequence[CheckpointRecord]) -> int:
    return sum(checkpoint.size for checkpoint in checkpoints)


def _between_in_words(gone: Sequence[Sequence[CheckpointRecord]]) -> str:
    """ "34 saved states between the best and the last of their runs (1.1 GB)"."""
    return f"{_states(sum(map(len, gone)))} ({bytes_in_words(sum(map(_sum, gone)))})"


def _states(count: int) -> str:
    return f"{_counted(count, 'saved state')} between the best and the last of their runs"


def _deleted(library: Library) -> list[RunRecord]:
    return [run for run in library.runs(deleted=True) if not is_trained(library, run.id)]


def _at_rest(library: Library) -> list[RunRecord]:
    """Runs of which something may go, the newest first."""
    return [run for run in library.runs() if run.status not in ALIVE and not run.label.pinned]


def _between(library: Library, run: RunRecord) -> list[CheckpointRecord]:
    """The checkpoints of a run that nobody has asked for, and that are neither its best nor its last."""
    return [checkpoint for checkpoint in library.checkpoints(run.id)[1:] if not checkpoint.kinds]


def _drop(library: Library, checkpoints: Sequence[CheckpointRecord]) -> None:
    with library.transaction():
        for checkpoint in checkpoints:
            library.drop_checkpoint(checkpoint.run, checkpoint.iteration)
    for checkpoint in checkpoints:  # once nothing names them any more
        _remove(library.checkpoint_file(checkpoint))


def _strays(library: Library) -> Iterator[Path]:
    """Files that no run and no recording names, as a crash in the middle of a deletion leaves them."""
    latest = time.time() - _GRACE
    # By their names: a recording whose record cannot be read has its file all the same.
    recorded = {row["id"] for row in library.execute("SELECT id FROM recordings")}
    for file in (library.folder / RECORDINGS).glob("*"):
        with suppress(OSError):
            if file.stem not in recorded and file.stat().st_mtime < latest:
                yield file
    for folder in (library.folder / "runs").glob("*/checkpoints"):
        # By the folder's name: a run whose record cannot be read has its checkpoints all the same.
        named = {library.checkpoint_file(checkpoint) for checkpoint in library.checkpoints(folder.parent.name)}
        for file in folder.glob("*"):
            with suppress(OSError):
                if file not in named and file.stat().st_mtime < latest:
                    yield file


def _remove(file: Path) -> None:
    with suppress(OSError):  # one that stays is found as a stray
        file.unlink(missing_ok=True)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
