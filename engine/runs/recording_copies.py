"""Recordings and datasets copied from one library to another, be that from elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from engine.runs.damage import DamageError
from engine.runs.library import Library
from engine.runs.recording_records import RecordingRecord
from engine.runs.recordings import ENDING, FOLDER, Recordings, described
from engine.runtime.errors import RequestError, describe

_ID = re.compile(r"[0-9a-f]{8,64}")  # which is the name of a file too


@dataclass(frozen=True)
class RecordingsTaken:
    """What has come of copying: the ids of recordings that were ``added``, of those that were ``there`` already, and
    sentences on what ``failed``."""

    added: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def take_recordings(source: Library, folder: Path, target: Library) -> RecordingsTaken:
    """Copy all recordings of ``source``, whose files are in ``folder``, into ``target``, and its datasets as far as
    their recordings go together with those of the same name there. What was deleted there is left.

    Raises:
        RunError: ``target`` cannot be written.
    """
    theirs, mine = Recordings(source), Recordings(target)
    present = {record.id for deleted in (False, True) for record in mine.list(deleted=deleted)}
    added: list[str] = []
    there: list[str] = []
    failed: list[str] = []
    for id in theirs.ids():
        if id in present:
            mine.restore([id])
            there.append(id)
            continue
        try:
            record = theirs.get(id)
        except DamageError as error:
            failed.append(f"it is damaged: {error.reason}")
            continue
        try:
            _copy(record, folder / FOLDER, mine)
        except (RequestError, OSError) as error:
            failed.append(str(error) if isinstance(error, RequestError) else describe(error))
        else:
            added.append(id)
    for dataset in theirs.datasets():
        try:
            mine.merge(dataset.name, [id for id in dataset.recordings if id in (*added, *there)])
        except RequestError as error:
            failed.append(str(error))
    return RecordingsTaken(tuple(added), tuple(there), tuple(failed))


def _copy(record: RecordingRecord, folder: Path, target: Recordings) -> None:
    """
    Raises:
        RequestError: it is not what its record says.
        OSError: its file cannot be read.
        RunError: the library cannot be written.
    """
    from engine.experience.demonstration_file import from_bytes

    if _ID.fullmatch(record.id) is None:
        raise RequestError(f"A recording is called {record.id[:40]!r}, which is no name that this program gives.")
    path = folder / f"{record.id}{ENDING}"
    if path.is_symlink() or not path.is_file():
        raise RequestError(f"{record.title} has no file.")
    found = from_bytes(path.read_bytes())
    told = tuple(map(described, found.episodes))
    if found.environment != record.config or [each.steps for each in told] != [each.steps for each in record.episodes]:
        raise RequestError(f"{record.title} has the file of another recording.")
    target.put(replace(record, episodes=told), found)
    for number, kept in enumerate(record.episodes):
        if kept.trimmed:
            target.trim(record.id, number, kept.first, kept.stop)
