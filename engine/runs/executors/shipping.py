"""What a run tells on a machine that cannot reach the library of whoever conducts, carried over there bit by bit.

There, a job begins with a ``Parcel`` of what the library has of it; from then on the library here is asked for ``News``
since what the other one ``Has``, which it writes as it is. What cannot be written is asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.runs.executors.interface import Job
from engine.runs.library import EPISODES, ITERATIONS, Library
from engine.runs.records import CheckpointRecord, NotedEvent, Reached, RunRecord
from engine.runs.resuming import reached_at
from engine.runs.rows import AS_COLUMNS, RENEWED
from engine.runtime.errors import RequestError
from engine.runtime.whole_file import write_whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STREAMS = (ITERATIONS, EPISODES)
# What a person says of a run is said in the library of whoever conducts, and stays as it is there.
_PERSONS = frozenset({"id", "title", "note", "tags", "pinned", "deleted"})
_CARRIED = tuple(name for name in RENEWED if name not in _PERSONS)
_WANTED = frozenset({"fork", "kept"})  # kinds of a checkpoint that a person, or a fork, gives it


@dataclass(frozen=True)
class Has:
    """How much of a run somebody has: the rows of each stream, events, and what is kept by file and by iteration."""

    record: RunRecord | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    events: int = 0
    checkpoints: tuple[CheckpointRecord, ...] = ()
    snapshots: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Of:
    """What is new of one run: rows and events after those that are known, all its checkpoints and the iterations of all
    snapshots, of which those that are not known are in ``added``: iteration, environment steps, bytes."""

    record: RunRecord
    series: Mapping[str, tuple[Sequence[str], NDArray[np.float64]]]
    events: tuple[NotedEvent, ...]
    checkpoints: tuple[CheckpointRecord, ...]
    snapshots: frozenset[int]
    added: tuple[tuple[int, int, bytes], ...]


@dataclass(frozen=True)
class News:
    """What is new of the runs of a job; ``files`` are the checkpoints that were not known, by their names, which are
    the same for runs that are trained together. ``has`` is what is known with it."""

    runs: tuple[Of, ...]
    files: Mapping[str, bytes]
    has: Mapping[str, Has]


@dataclass(frozen=True)
class Parcel:
    """What the library has of the runs of a job, as of the state from which they go on; ``given`` is what they are
    given to learn from where they begin, as plain data."""

    news: News
    given: Mapping[str, Any] = field(default_factory=dict)


# --- where the library of whoever conducts is -------------------------------------------------------------------------


def packed(library: Library, job: Job) -> Parcel:
    """What a job goes on from, or begins with. What the library says of its runs beyond the state that it has of them
    is forgotten, since it will be told again.

    Raises:
        RequestError: what the runs are to learn from is not there.
        RunError: the library cannot be read or written.
    """
    records = [record for run in job.runs if (record := _record(library, run)) is not None]
    kept = [checkpoint for record in records for checkpoint in library.checkpoints(record.id)]
    there = [checkpoint for checkpoint in kept if library.checkpoint_file(checkpoint).is_file()]
    latest = max(there, key=lambda checkpoint: int(Path(checkpoint.file).stem), default=None)
    gone, back = [], dict[str, CheckpointRecord]()
    with library.transaction():
        for record in records:
            own = [each for each in library.checkpoints(record.id) if latest is not None and each.file == latest.file]
            if own:
                gone += _cut(library, record.id, own[0].iteration)
                back[record.id] = own[0]
            elif latest is None:
                gone += _cut(library, record.id, -1)
                library.reach(record.id, Reached(), ())
                library.update(record.id, changes="{}")
    _unlink(library, gone)
    nothing = {run: Has() for run in job.runs}
    news = news_of(library, nothing, {latest.file} if latest is not None else set())  # which says how much is forgotten
    with library.transaction():
        for run, checkpoint in back.items():
            library.reach(run, *reached_at(library, checkpoint, library.run(run).reached))
    return Parcel(news, {} if latest is not None else _given(job))


def _cut(library: Library, run: str, iteration: int) -> list[CheckpointRecord]:
    """Forget what a run has told after ``iteration``; the states of it, whose files are left."""
    library.cut(run, iteration)
    later = [each for each in library.checkpoints(run) if each.iteration > iteration]
    for each in later:
        library.drop_checkpoint(run, each.iteration)
    return later


def _given(job: Job) -> Mapping[str, Any]:
    if "imitation" not in job.configuration:
        return {}
    from engine.config.validation import validated
    from engine.runs.giving import given_in, require_answers

    return given_in(require_answers(validated(job.configuration)), job.library).state()


# --- at both ends -----------------------------------------------------------------------------------------------------


def news_of(library: Library, known: Mapping[str, Has], files: set[str] | None = None) -> News:
    """What ``library`` says of these runs beyond what is ``known``, with those files that are not known, or with
    ``files`` alone.

    Raises:
        RunError: it cannot be read.
    """
    library.execute("BEGIN")  # whoever writes meanwhile is not waited for, and seen whole or not at all
    try:
        return _news(library, known, files)
    finally:
        library.execute("COMMIT")


def _news(library: Library, known: Mapping[str, Has], files: set[str] | None) -> News:
    new, content, has = list[Of](), dict[str, bytes](), dict(known)
    for run, before in known.items():
        record = _record(library, run)
        if record is None:
            continue
        checkpoints = []
        here = {(each.file, each.created) for each in before.checkpoints}
        for each in library.checkpoints(run):
            wanted = (each.file, each.created) not in here if files is None else each.file in files
            if wanted and each.file not in content:
                try:
                    content[each.file] = library.checkpoint_file(each).read_bytes()
                except OSError:  # it has just given up its place
                    continue
            checkpoints.append(each)
        series = {stream: library.series(run, stream, before.rows.get(stream, 0)) for stream in STREAMS}
        events = tuple(library.events(run)[before.events :])
        kept = {iteration: steps for iteration, steps, _ in library.snapshots(run)}
        after = Has(
            record,
            {stream: before.rows.get(stream, 0) + len(rows) for stream, rows in series.items()},
            before.events + len(events),
            tuple(checkpoints),
            frozenset(kept),
        )
        has[run] = after
        if after != before:
            rows = {stream: (told.columns, told.rows) for stream, told in series.items() if len(told)}
            missing = tuple(at for at in kept if at not in before.snapshots)
            pictures = tuple((at, kept[at], _snapshot(library, run, at)) for at in missing)
            new.append(Of(record, rows, events, after.checkpoints, after.snapshots, pictures))
    return News(tuple(new), content, has)


def write(library: Library, news: News) -> None:
    """Write what is new of runs, all or nothing but for files that nothing names yet.

    Raises:
        RunError: the library cannot be written.
        OSError: a file cannot be.
    """
    gone = []
    for of in news.runs:
        for checkpoint in of.checkpoints:
            if checkpoint.file in news.files:
                where = library.checkpoint_file(checkpoint)
                where.parent.mkdir(parents=True, exist_ok=True)
                write_whole(where, news.files[checkpoint.file])
    with library.transaction():
        for of in news.runs:
            if _record(library, of.record.id) is None:
                library.begin(of.record)
            else:
                library.update(of.record.id, **{name: AS_COLUMNS[name](of.record) for name in _CARRIED})
            for stream, (columns, rows) in of.series.items():
                library.append(of.record.id, stream, columns, rows)
            for event in of.events:
                library.note(of.record.id, event)
            for iteration, steps, data in of.added:
                library.keep_snapshot(of.record.id, iteration, steps, data)
            there = {iteration for iteration, _, _ in library.snapshots(of.record.id)}
            library.drop_snapshots(of.record.id, there - of.snapshots)
            gone += _keep(library, of)
    _unlink(library, gone)


def _unlink(library: Library, gone: Sequence[CheckpointRecord]) -> None:
    for checkpoint in gone:
        with suppress(OSError):  # one that stays is found as a stray
            library.checkpoint_file(checkpoint).unlink(missing_ok=True)


def _keep(library: Library, of: Of) -> list[CheckpointRecord]:
    """Note the checkpoints of a run as they are there; those that are not there any more, and that nobody wants."""
    before = {each.iteration: each for each in library.checkpoints(of.record.id)}
    gone = []
    for new in of.checkpoints:
        earlier = before.pop(new.iteration, None)
        wanted = _wanted(earlier) if earlier is not None else ()
        library.keep_checkpoint(replace(new, kinds=tuple(dict.fromkeys((*new.kinds, *wanted)))))
        gone += [earlier] if earlier is not None and earlier.file != new.file else []
    for earlier in before.values():
        if wanted := _wanted(earlier):
            library.keep_checkpoint(replace(earlier, kinds=wanted))
        else:
            library.drop_checkpoint(earlier.run, earlier.iteration)
            gone.append(earlier)
    return gone


def _wanted(checkpoint: CheckpointRecord) -> tuple[str, ...]:
    return tuple(kind for kind in checkpoint.kinds if kind in _WANTED)


def _record(library: Library, run: str) -> RunRecord | None:
    try:
        return library.run(run)
    except RequestError:
        return None


def _snapshot(library: Library, run: str, iteration: int) -> bytes:
    try:
        return library.snapshot(run, iteration)
    except RequestError:  # it has just given up its place
        return b""
