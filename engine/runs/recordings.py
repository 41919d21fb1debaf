"""The recordings of the run library, and the datasets that they are merged into.

What is known of a recording stands in the library's database, its episodes in a file beside it
(``engine.experience.demonstration_file``). The file stays as it was written: trimming says which steps are kept, and so
can be undone. A dataset is a name for recordings in one environment, and holds no copies of them.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from engine.config.migrations import VERSION as CONFIG_VERSION
from engine.config.migrations import migrated
from engine.runs.damage import NONSENSE, reads
from engine.runs.library import Library
from engine.runs.recording_records import (
    DatasetRecord,
    EpisodeRecord,
    RecordingRecord,
    RecordingSource,
    SourceKind,
    require_name,
)
from engine.runs.records import Label
from engine.runtime.errors import RequestError, RunError, describe
from engine.runtime.whole_file import write_whole

if TYPE_CHECKING:  # with numpy, which a list of recordings does without
    from engine.experience.demonstrations import Demonstration, Demonstrations

FOLDER = "recordings"  # in the library's
ENDING = ".safetensors"
NAME = "demonstrations"  # under which a file says of itself that it holds some


class Recordings:
    """Those of ``library``, for the thread that has it open.

    Raises:
        RequestError: from what names a recording or a dataset, when there is none like it, or its file cannot be read.
        RunError: anywhere, when the library cannot be read or written; a ``DamageError`` where what is read makes no
            sense. Then nothing of what was asked has been done.
    """

    def __init__(self, library: Library) -> None:
        self.library = library

    @property
    def folder(self) -> Path:
        """The library's."""
        return self.library.folder

    # --- recordings ---------------------------------------------------------------------------------------------------

    def add(
        self, demonstrations: Demonstrations, source: RecordingSource, label: Label | None = None
    ) -> RecordingRecord:
        """Keep ``demonstrations`` as a new recording; episodes that do not say by whom they are say so from then on.

        Raises:
            RequestError: they are none that can be kept, such as none at all.
            RunError: they cannot be written; then nothing of them is in the library.
        """
        words = source.words[:200]
        episodes = tuple(each if each.source else replace(each, source=words) for each in demonstrations.episodes)
        record = RecordingRecord(
            id=uuid.uuid4().hex,
            number=0,
            environment=demonstrations.environment.model_dump(mode="json"),
            source=source,
            created=time.time(),
            episodes=tuple(map(described, episodes)),
            label=label or Label(),
        )
        return self.put(record, replace(demonstrations, episodes=episodes))

    @reads
    def put(self, record: RecordingRecord, demonstrations: Demonstrations) -> RecordingRecord:
        """As ``add``, of a recording that has its id already; its number is given here."""
        from engine.experience.demonstration_file import to_bytes

        data = to_bytes(demonstrations)
        path = self.file(record.id)
        try:
            path.parent.mkdir(exist_ok=True)
            write_whole(path, data)
        except OSError as error:
            why = error.strerror or describe(error)
            raise RunError(f"The recording could not be kept in {path.parent}: {why}.") from None
        try:
            with self.library.transaction():
                (last,) = self.library.execute("SELECT coalesce(max(number), 0) FROM recordings").fetchone()
                added = replace(record, number=last + 1, size=len(data))
                row = _row(added)
                names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
                self.library.execute(f"INSERT INTO recordings ({names}) VALUES ({marks})", row)
        except BaseException:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise
        return added

    @reads
    def list(self, *, deleted: bool = False) -> list[RecordingRecord]:
        """All recordings, the newest first; those that were deleted instead, the one that was deleted last first. A
        damaged record is left out, so that the others can be seen."""
        which = "deleted IS NOT NULL ORDER BY deleted DESC," if deleted else "deleted IS NULL ORDER BY"
        found = []
        for row in self.library.execute(f"SELECT * FROM recordings WHERE {which} number DESC"):
            with suppress(*NONSENSE):
                found.append(_record(row))
        return found

    @reads
    def mark(self) -> tuple[Any, ...]:
        """Another one as soon as anything else is known of recordings or datasets: cheap even for thousands."""
        queries = ("SELECT * FROM recordings ORDER BY number", "SELECT * FROM datasets ORDER BY dataset, place")
        return tuple(tuple(map(tuple, self.library.execute(query))) for query in queries)

    @reads
    def ids(self) -> tuple[str, ...]:
        """Of all recordings that are not deleted, damaged ones too, the oldest first."""
        return tuple(
            row["id"] for row in self.library.execute("SELECT id FROM recordings WHERE deleted IS NULL ORDER BY number")
        )

    @reads
    def get(self, id: str) -> RecordingRecord:
        """The recording of this id, deleted ones too."""
        row = self.library.execute("SELECT * FROM recordings WHERE id = ?", (id,)).fetchone()
        if row is None:
            raise RequestError(f"There is no recording {id} in the library {self.folder}.")
        return _record(row)

    @reads
    def find(self, name: str, *, deleted: bool = False) -> RecordingRecord:
        """The recording that a person calls so: by its number ("5", "recording 5"), the beginning of its id, or its
        title."""
        wanted = name.strip().removeprefix("recording ").strip()
        of = f"FROM recordings WHERE deleted IS {'NOT ' if deleted else ''}NULL AND"
        asked: list[tuple[str, Any]] = [("title =", name.strip())] if wanted else []
        if wanted.isdecimal() and len(wanted) < 10:
            asked = [("number =", int(wanted))]
        if len(wanted) >= 4 and wanted.isalnum():
            asked += [("id GLOB", f"{wanted.lower()}*")]
        found = next(
            filter(None, (self.library.execute(f"SELECT * {of} {how} ?", (it,)).fetchall() for how, it in asked)), []
        )
        if len(found) != 1:
            kind = "deleted recording" if deleted else "recording"
            why = f"There is no {kind} {name!r}" if not found else f"{name!r} could be {len(found)} recordings"
            raise RequestError(f"{why} in the library {self.folder}; `recordings list` shows each with its number.")
        return _record(found[0])

    def file(self, id: str) -> Path:
        """Where the episodes of a recording are.

        Raises:
            RequestError: it has a name that would lead elsewhere.
        """
        if Path(id).name != id or id in ("", ".."):
            raise RequestError(f"A recording is called {id[:40]!r}, which is no name that this program gives.")
        return self.folder / FOLDER / f"{id}{ENDING}"

    def demonstrations(self, id: str) -> Demonstrations:
        """What is kept of a recording's episodes. An episode that lacks its beginning has no seed any more, as the
        seed leads to its beginning alone."""
        record = self.get(id)
        whole = self.whole(id)
        pairs = zip(whole.episodes, record.episodes, strict=False)
        return replace(whole, episodes=tuple(trimmed(one, kept) for one, kept in pairs if kept.kept))

    def whole(self, id: str) -> Demonstrations:
        """A recording's episodes as they were recorded."""
        from engine.experience.demonstration_file import from_bytes

        record, path = self.get(id), self.file(id)
        try:
            found = from_bytes(path.read_bytes())
            steps = [episode.steps for episode in record.episodes]
            if found.environment != record.config or list(map(len, found.episodes)) != steps:
                raise RequestError("Its file is of another recording.")
        except OSError as error:
            raise RequestError(f"{record.title} cannot be read: {error.strerror or describe(error)}.") from None
        except RequestError as error:
            raise RequestError(f"{record.title} cannot be read: {str(error)[:1].lower()}{str(error)[1:]}") from None
        return found

    def trim(self, id: str, episode: int, first: int, stop: int) -> RecordingRecord:
        """Keep of one episode, counted from 0, the steps from ``first`` to before ``stop``, of those that were
        recorded; all of them with 0 and their number, none with 0 and 0.

        Raises:
            RequestError: there are no such steps, or nothing would be left of the recording.
        """
        record = self.get(id)
        if not 0 <= episode < len(record.episodes):
            raise RequestError(f"{record.title} has the episodes 1 to {len(record.episodes)}, not {episode + 1}.")
        before = record.episodes[episode]
        if not 0 <= first <= stop <= before.steps:
            raise RequestError(
                f"An episode of {before.steps:,} steps cannot be kept from step {first:,} to before step {stop:,}."
            )
        rewards = self.whole(id).episodes[episode].rewards
        total = None if rewards is None else float(rewards[first:stop].sum())
        after = replace(before, first=first, stop=stop, total_return=total)
        episodes = (*record.episodes[:episode], after, *record.episodes[episode + 1 :])
        if not any(each.kept for each in episodes):
            raise RequestError(f"Nothing would be left of {record.title}; delete it instead.")
        self._update(id, {"episodes": _json([asdict(each) for each in episodes])})
        return replace(record, episodes=episodes)

    def label(self, id: str, label: Label) -> None:
        """Note what a person says of a recording."""
        self._update(id, _labels(label))

    def delete(self, ids: Iterable[str]) -> None:
        """Put recordings aside, from where ``restore`` brings them back; until then their datasets are without them."""
        with self.library.transaction():
            for id in ids:
                self._update(id, {"deleted": time.time()})

    def restore(self, ids: Iterable[str]) -> None:
        """Bring back what was deleted, but for what is gone for good."""
        with self.library.transaction():
            for id in ids:
                self.library.execute("UPDATE recordings SET deleted = NULL WHERE id = ?", (id,))

    def forget(self, id: str) -> None:
        """Remove a recording for good."""
        path = self.file(id)
        self.library.execute("DELETE FROM recordings WHERE id = ?", (id,))
        with suppress(OSError):  # one that stays is found as a stray
            path.unlink(missing_ok=True)

    # --- datasets -----------------------------------------------------------------------------------------------------

    @reads
    def datasets(self) -> tuple[DatasetRecord, ...]:
        """All of which something is there, by name."""
        there = {record.id: record for record in self.list()}
        members: dict[str, list[RecordingRecord]] = {}
        for row in self.library.execute("SELECT dataset, recording FROM datasets ORDER BY dataset, place"):
            if row["recording"] in there:
                members.setdefault(row["dataset"], []).append(there[row["recording"]])
        return tuple(
            DatasetRecord(
                name,
                each[0].environment_id,
                tuple(record.id for record in each),
                sum(len(record.left) for record in each),
                sum(record.steps for record in each),
            )
            for name, each in members.items()
        )

    @reads
    def dataset(self, name: str) -> Demonstrations:
        """The episodes of all recordings in the dataset ``name``, one recording after the other."""
        found = next((each for each in self.datasets() if each.name == name), None)
        if found is None:
            names = ", ".join(each.name for each in self.datasets())
            there = f"there is {names}" if names else "there is none yet; `recordings merge NAME ID …` makes one"
            raise RequestError(f"There is no dataset {name!r} in the library {self.folder}; {there}.")
        parts = [self.demonstrations(id) for id in found.recordings]
        return replace(parts[0], episodes=tuple(episode for part in parts for episode in part.episodes))

    @reads
    def merge(self, name: str, ids: Sequence[str]) -> tuple[str, ...]:
        """Put recordings into the dataset ``name``, which is made where there is none; those that are new in it.

        Raises:
            RequestError: it cannot be called so, or the recordings are not all in the same environment, seen alike.
        """
        from engine.experience.demonstration_checks import check, difference

        require_name(name)
        query = "SELECT recording FROM datasets WHERE dataset = ? ORDER BY place"
        before = [row["recording"] for row in self.library.execute(query, (name,))]
        new = tuple(id for id in dict.fromkeys(ids) if id not in before)
        records = [self.get(id) for id in (*before, *new)]
        for record in records[1:]:
            if other := difference(records[0].config, record.config):
                raise RequestError(f"{record.title} and {records[0].title} do not go together: {other}.")
        if records:
            firsts = [self.demonstrations(record.id) for record in (records[0], *map(self.get, new))]
            check(replace(firsts[0], episodes=tuple(part.episodes[0] for part in firsts)))
        with self.library.transaction():
            query = "SELECT coalesce(max(place), 0) FROM datasets WHERE dataset = ?"
            (last,) = self.library.execute(query, (name,)).fetchone()
            for place, id in enumerate(new, last + 1):
                self.library.execute("INSERT INTO datasets VALUES (?, ?, ?)", (name, id, place))
        return new

    def take_out(self, name: str, ids: Iterable[str]) -> None:
        """Take recordings out of a dataset, which is there no longer once none is left."""
        with self.library.transaction():
            for id in ids:
                self.library.execute("DELETE FROM datasets WHERE dataset = ? AND recording = ?", (name, id))

    # --- the database -------------------------------------------------------------------------------------------------

    def _update(self, id: str, columns: Mapping[str, Any]) -> None:
        sets = ", ".join(f"{name} = :{name}" for name in columns)
        changed = self.library.execute(f"UPDATE recordings SET {sets} WHERE id = :id", {**columns, "id": id})
        if changed.rowcount == 0:
            raise RequestError(f"There is no recording {id} in the library {self.folder}.")


def trimmed(episode: Demonstration, kept: EpisodeRecord) -> Demonstration:
    """What is kept of an episode: where its end is not, what was seen after its last step is what stands next."""
    if not kept.trimmed:
        return episode
    whole, steps = kept.stop == len(episode), slice(kept.first, kept.stop)
    return replace(
        episode,
        observations=episode.observations[steps],
        actions=episode.actions[steps],
        rewards=None if episode.rewards is None else episode.rewards[steps],
        final_observation=episode.final_observation if whole else episode.observations[kept.stop],
        terminated=whole and episode.terminated,
        truncated=whole and episode.truncated,
        seed=episode.seed if kept.first == 0 else None,
    )


def described(episode: Demonstration) -> EpisodeRecord:
    """What the library says of an episode of which all is kept."""
    end = "terminated" if episode.terminated else "truncated" if episode.truncated else ""
    steps, total = len(episode), episode.total_return
    return EpisodeRecord(steps, steps, total_return=total, end=end, seed=episode.seed, source=episode.source)


def _makes_sense(episode: EpisodeRecord) -> bool:
    numbers = (episode.first, episode.stop, episode.steps, episode.seed or 0)
    paid = episode.total_return is None or isinstance(episode.total_return, float)
    return paid and all(type(number) is int for number in numbers) and 0 <= numbers[0] <= numbers[1] <= numbers[2]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _labels(label: Label) -> dict[str, Any]:
    tags = _json(list(label.tags))
    return {"title": label.title, "note": label.note, "tags": tags, "pinned": int(label.pinned)}


def _row(record: RecordingRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "number": record.number,
        "environment": _json(dict(record.environment)),
        "config_version": CONFIG_VERSION,
        "source": _json(asdict(record.source)),
        "created": record.created,
        "episodes": _json([asdict(each) for each in record.episodes]),
        "size": record.size,
        "deleted": record.deleted,
        **_labels(record.label),
    }


def _record(row: sqlite3.Row) -> RecordingRecord:
    saved = {"version": row["config_version"], "config": {"environment": json.loads(row["environment"])}}
    episodes = tuple(EpisodeRecord(**each) for each in json.loads(row["episodes"]))
    source = RecordingSource(**json.loads(row["source"]))
    label = Label(row["title"], row["note"], tuple(json.loads(row["tags"])), bool(row["pinned"]))
    words = (source.run, source.name, label.title, label.note, *label.tags)
    counts = (source.number, source.iteration)
    if not (
        all(map(_makes_sense, episodes))
        and source.kind in get_args(SourceKind)
        and all(isinstance(word, str) for word in words)
        and all(count is None or type(count) is int for count in counts)
    ):
        raise ValueError("it says of itself what cannot be")
    return RecordingRecord(
        id=row["id"],
        number=row["number"],
        environment=migrated(saved)["config"]["environment"],
        source=source,
        created=row["created"],
        episodes=episodes,
        size=row["size"],
        label=label,
        deleted=row["deleted"],
    )
