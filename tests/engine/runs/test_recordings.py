"""Recordings in the library: nothing that was played is lost, whatever is done with it."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.config.environments import EnvironmentConfig
from engine.experience.demonstrations import Demonstration, Demonstrations
from engine.runs.copying import take_runs
from engine.runs.library import DATABASE, Library
from engine.runs.recording_records import RecordingRecord, RecordingSource
from engine.runs.recordings import FOLDER, Recordings
from engine.runs.records import Label
from engine.runs.retention import clean, cleanings, usage
from engine.runtime.errors import RequestError, RunError
from tests.engine.runs.libraries import filled

CARTPOLE = EnvironmentConfig(id="CartPole-v1")
PERSON = RecordingSource("person")


def played(*lengths: int, environment: EnvironmentConfig = CARTPOLE) -> Demonstrations:
    """Episodes that terminate, of these lengths, each step of which is told by its number and pays 1."""
    return Demonstrations(
        environment,
        tuple(
            Demonstration(
                observations=np.arange(steps, dtype=np.float32)[:, None],
                actions=np.zeros(steps, np.int64),
                rewards=np.ones(steps),
                final_observation=np.array([steps], np.float32),
                terminated=True,
                seed=7,
            )
            for steps in lengths
        ),
    )


@pytest.fixture
def library(library_place: Path) -> Iterator[Library]:
    with Library(library_place) as library:
        yield library


@pytest.fixture
def recordings(library: Library) -> Recordings:
    return Recordings(library)


def seen(found: Demonstrations) -> list[list[float]]:
    return [episode.observations.ravel().tolist() for episode in found.episodes]


def test_a_recording_is_kept_with_what_is_known_of_it(recordings: Recordings, library: Library) -> None:
    source = RecordingSource("policy", "abc", 5, 1200, greedy=True)
    first = recordings.add(played(3, 2), source, Label("Landing", tags=("good",)))
    second = recordings.add(played(1), PERSON)
    assert recordings.list() == [second, first]
    assert (first.number, second.number) == (1, 2)
    assert (first.steps, first.mean_return, first.environment_id) == (5, 2.5, "CartPole-v1")
    assert first.source.words == "run 5, iteration 1,200, most likely actions"
    assert first.config == CARTPOLE
    assert seen(recordings.demonstrations(first.id)) == [[0, 1, 2], [0, 1]]
    assert {each.source for each in recordings.demonstrations(first.id).episodes} == {first.source.words}
    assert recordings.find("landing".title()) == recordings.find("recording 1") == recordings.find(first.id[:8])
    assert (library.folder / FOLDER / f"{first.id}.safetensors").stat().st_size == first.size
    recordings.label(second.id, Label(note="crashed"))
    assert recordings.get(second.id).label.note == "crashed"
    for name in ("", "7", "nobody", "recording"):
        with pytest.raises(RequestError, match=r"`recordings list` shows"):
            recordings.find(name)


def test_what_is_deleted_comes_back(recordings: Recordings) -> None:
    kept = recordings.add(played(3), PERSON)
    recordings.merge("all", [kept.id])
    recordings.delete([kept.id])
    assert recordings.list() == []
    assert recordings.datasets() == ()
    assert [each.id for each in recordings.list(deleted=True)] == [kept.id]
    assert recordings.find("1", deleted=True).id == kept.id
    recordings.restore([kept.id])
    assert recordings.list() == [kept]
    assert seen(recordings.dataset("all")) == [[0, 1, 2]]


def test_trimming_says_what_is_kept_and_can_be_undone(recordings: Recordings) -> None:
    kept = recordings.add(played(4, 2), PERSON)
    recordings.trim(kept.id, 0, 1, 3)
    trimmed = recordings.get(kept.id)
    assert (trimmed.steps, trimmed.mean_return) == (4, 2.0)
    episode, whole = recordings.demonstrations(kept.id).episodes
    assert episode.observations.ravel().tolist() == [1, 2]
    assert episode.final_observation is not None
    assert episode.final_observation.tolist() == [3]
    assert (episode.terminated, episode.seed, whole.terminated, whole.seed) == (False, None, True, 7)
    recordings.trim(kept.id, 0, 0, 3)
    assert recordings.demonstrations(kept.id).episodes[0].seed == 7
    recordings.trim(kept.id, 0, 0, 0)
    assert seen(recordings.demonstrations(kept.id)) == [[0, 1]]
    assert len(recordings.get(kept.id).left) == 1
    with pytest.raises(RequestError, match="Nothing would be left of Recording 1; delete it instead"):
        recordings.trim(kept.id, 1, 2, 2)
    recordings.trim(kept.id, 0, 0, 4)
    assert recordings.get(kept.id) == kept
    for episode_, first, stop in ((2, 0, 1), (-1, 0, 1), (0, 2, 1), (0, 0, 5), (0, -1, 2)):
        with pytest.raises(RequestError, match=r"has the episodes 1 to 2|cannot be kept from step"):
            recordings.trim(kept.id, episode_, first, stop)


def test_recordings_are_merged_into_a_dataset_of_one_environment(recordings: Recordings) -> None:
    one, two = recordings.add(played(3), PERSON), recordings.add(played(2, 1), PERSON)
    faster = recordings.add(played(1, environment=CARTPOLE.model_copy(update={"time_limit": 9})), PERSON)
    assert recordings.merge("mine", [two.id]) == (two.id,)
    assert recordings.merge("mine", [one.id, two.id, faster.id, one.id]) == (one.id, faster.id)
    (dataset,) = recordings.datasets()
    assert (dataset.recordings, dataset.episodes, dataset.steps) == ((two.id, one.id, faster.id), 4, 7)
    assert seen(recordings.dataset("mine")) == [[0, 1], [0], [0, 1, 2], [0]]
    for changed, why in (
        ({"id": "Acrobot-v1"}, "one is in CartPole-v1, the other in Acrobot-v1"),
        ({"hidden": (1,)}, "their hidden components differ"),
    ):
        other = recordings.add(played(1, environment=CARTPOLE.model_copy(update=changed)), PERSON)
        with pytest.raises(RequestError, match=why):
            recordings.merge("mine", [other.id])
    recordings.take_out("mine", [two.id, one.id, faster.id])
    assert recordings.datasets() == ()
    for name in ("", " mine", "x" * 61, "a\nb"):
        with pytest.raises(RequestError, match="A dataset has a name of 1 to 60 characters"):
            recordings.merge(name, [one.id])
    with pytest.raises(RequestError, match=r"There is no dataset 'mine' .*`recordings merge NAME ID …` makes one"):
        recordings.dataset("mine")


def test_recordings_of_other_shapes_are_not_merged(recordings: Recordings) -> None:
    one = recordings.add(played(3), PERSON)
    episode = replace(played(1).episodes[0], observations=np.zeros((1, 4), np.float32), final_observation=None)
    other = recordings.add(Demonstrations(CARTPOLE, (episode,)), PERSON)
    with pytest.raises(RequestError, match=r"float32 \[4\], and of those of the first float32 \[1\]"):
        recordings.merge("mine", [one.id, other.id])
    assert recordings.datasets() == ()


def test_a_full_disk_and_a_library_that_cannot_be_written_are_told_and_leave_nothing_half_done(
    recordings: Recordings, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = recordings.add(played(3), PERSON)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("engine.runs.recordings.write_whole", full)
        with pytest.raises(RunError, match=r"could not be kept in .*: No space left on device\.$"):
            recordings.add(played(3), PERSON)
    library.execute("PRAGMA query_only = ON")
    for write in (
        lambda: recordings.add(played(3), PERSON),
        lambda: recordings.trim(kept.id, 0, 0, 1),
        lambda: recordings.delete([kept.id]),
        lambda: recordings.merge("mine", [kept.id]),
    ):
        with pytest.raises(RunError, match="cannot be used: attempt to write a readonly database"):
            write()
    assert recordings.list() == [kept]
    assert [file.stem for file in (library.folder / FOLDER).iterdir()] == [kept.id]


def test_a_file_that_is_gone_broken_or_of_another_recording_is_told_of(recordings: Recordings) -> None:
    kept, other = recordings.add(played(3), PERSON), recordings.add(played(2), PERSON)
    file = recordings.file(kept.id)
    file.write_bytes(recordings.file(other.id).read_bytes())
    with pytest.raises(RequestError, match=r"^Recording 1 cannot be read: its file is of another recording\.$"):
        recordings.demonstrations(kept.id)
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(RequestError, match="Recording 1 cannot be read: this is no file of demonstrations, or a brok"):
        recordings.demonstrations(kept.id)
    file.unlink()
    with pytest.raises(RequestError, match="Recording 1 cannot be read: No such file"):
        recordings.demonstrations(kept.id)
    recordings.library.execute("UPDATE recordings SET episodes = '[{}]' WHERE id = ?", (kept.id,))
    assert recordings.list() == [other]
    with pytest.raises(RequestError, match="no name that this program gives"):
        recordings.file("../elsewhere")


def test_the_room_that_recordings_take_is_told_and_what_is_deleted_can_go(
    recordings: Recordings, library: Library
) -> None:
    kept, gone = recordings.add(played(3), PERSON), recordings.add(played(2), PERSON)
    assert usage(library).recordings == kept.size + gone.size
    assert cleanings(library) == ()
    recordings.delete([gone.id])
    (cleaning,) = cleanings(library)
    assert (cleaning.kind, cleaning.what, cleaning.size) == ("recordings", "1 deleted recording", gone.size)
    assert clean(library, {"recordings"}) == gone.size
    assert recordings.list(deleted=True) == []
    assert [file.stem for file in (library.folder / FOLDER).iterdir()] == [kept.id]
    stray = library.folder / FOLDER / ".7.part"
    stray.write_bytes(b"x" * 100)
    assert cleanings(library) == ()
    os.utime(stray, (1.0, 1.0))
    assert clean(library, {"strays"}) == 100
    assert recordings.demonstrations(kept.id).episodes


# --- versions, and libraries from elsewhere ---------------------------------------------------------------------------


def test_a_library_from_before_there_were_recordings_takes_them(library_place: Path) -> None:
    with Library(library_place) as library:
        run = filled(library)
        for table in ("datasets", "recordings", "experiment_runs", "experiments"):
            library.execute(f"DROP TABLE {table}")
        library.execute("PRAGMA user_version = 1")
    with Library(library_place) as library:
        assert library.runs() == [run]
        kept = Recordings(library).add(played(3), PERSON)
        assert Recordings(library).list() == [kept]


def test_another_library_brings_its_recordings_and_datasets_along(recordings: Recordings, tmp_path: Path) -> None:
    with Library(tmp_path / "other") as other:
        theirs = Recordings(other)
        one, two, three, broken = (theirs.add(played(steps, 1), PERSON, Label("One")) for steps in (3, 2, 4, 5))
        theirs.trim(one.id, 0, 1, 2)
        theirs.merge("both", [two.id, one.id])
        theirs.delete([three.id])
        theirs.file(broken.id).write_bytes(b"nothing")
        one = theirs.get(one.id)
    mine = recordings.add(played(1), PERSON)
    target = recordings.library
    taken = take_runs(tmp_path / "other" / DATABASE, target)
    assert set(taken.recordings.added) == {one.id, two.id}
    assert len(taken.recordings.failed) == 1
    assert taken.sentence.startswith("2 recordings came into your library; 1 recording could not be read")
    assert recordings.get(one.id) == replace(one, number=recordings.get(one.id).number)
    assert seen(recordings.dataset("both")) == [[0, 1], [0], [1], [0]]
    recordings.delete([two.id])
    again = take_runs(tmp_path / "other" / DATABASE, target)
    assert (again.recordings.added, set(again.recordings.there)) == ((), {one.id, two.id})
    assert {each.id for each in recordings.list()} == {one.id, two.id, mine.id}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE recordings SET id = '../../elsewhere'",
        'UPDATE recordings SET source = \'{"kind": 5, "shell": 1}\'',
        "UPDATE recordings SET episodes = '[]'",
        "UPDATE recordings SET title = X'FF'",
        "UPDATE recordings SET tags = '[7]'",
        'UPDATE recordings SET source = \'{"kind": "policy", "iteration": "x"}\'',
        'UPDATE recordings SET environment = \'{"id": "Acrobot-v1"}\'',
    ],
)
def test_a_recording_from_elsewhere_that_says_what_it_is_not_is_left_out(
    recordings: Recordings, tmp_path: Path, statement: str
) -> None:
    with Library(tmp_path / "other") as other:
        Recordings(other).add(played(3), PERSON)
    connection = sqlite3.connect(tmp_path / "other" / DATABASE)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute(statement)
    connection.commit()
    connection.close()
    taken = take_runs(tmp_path / "other" / DATABASE, recordings.library)
    found: list[RecordingRecord] = recordings.list()
    assert (taken.recordings.added, found) == ((), [])
    assert len(taken.recordings.failed) == 1
