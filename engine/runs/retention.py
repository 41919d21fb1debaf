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
from engine.runs.records import ALIVE, CheckpointRecord, RunRecord

MOST = 12  # checkpoints of a run that are kept, but for those that somebody wants
BUDGET = 4 << 30  # bytes that the library is meant to take at most
_GRACE = 24 * 3600.0  # seconds for which a file that nothing names may still be about to be named

Kind = Literal["deleted", "between", "strays"]


@dataclass(frozen=True)
class Usage:
    """Bytes on disk: of the ``database`` and of the ``checkpoints`` beside it, and what they are meant to take at most
    together (``budget``)."""

    database: int
    checkpoints: int
    budget: int = BUDGET

    @property
    def total(self) -> int:
        return self.database + self.checkpoints


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
    return Usage(database, sum(files for files, _ in library.sizes().values()))


def cleanings(library: Library) -> tuple[Cleaning, ...]:
    """All that can go without a run being missed, and how much each would free; nothing that would free nothing."""
    deleted = _deleted(library)
    sizes = library.sizes()
    between = [checkpoint for run in _at_rest(library) for checkpoint in _between(library, run)]
    strays = list(_strays(library))
    found = (
        Cleaning("deleted", _counted(len(deleted), "deleted run"), sum(sum(sizes.get(run.id, ())) for run in deleted)),
        Cleaning(
            "between",
            f"{_counted(len(between), 'saved state')} between the best and the last of their runs",
            sum(checkpoint.size for checkpoint in between),
        ),
        Cleaning("strays", f"{_counted(len(strays), 'file')} that belong to no run", sum(map(_size, strays))),
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
    if "between" in kinds:
        for run in _at_rest(library):
            _drop(library, _between(library, run))
    if "strays" in kinds:
        for stray in list(_strays(library)):
            _remove(stray)
    if "deleted" in kinds:
        library.compact()
    return before - sum(cleaning.size for cleaning in cleanings(library) if cleaning.kind in kinds)


def make_room(library: Library, budget: int = BUDGET) -> None:
    """Let go states between the best and the last of runs at rest, of the oldest run first, until the library takes no
    more than ``budget`` bytes or there are none left.

    Raises:
        RunError: the library cannot be written.
    """
    over = usage(library).total - budget
    for run in reversed(_at_rest(library)):
        if over <= 0:
            return
        between = _between(library, run)
        _drop(library, between)
        over -= sum(checkpoint.size for checkpoint in between)


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
    """Files in the folders of runs that no run names, as a crash in the middle of a deletion leaves them."""
    latest = time.time() - _GRACE
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
