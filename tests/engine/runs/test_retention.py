"""The room that the library takes: what can go is told with what it frees, and nothing that is wanted goes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.runs import room
from engine.runs.autosave import Standing, Taken, keep
from engine.runs.library import Library
from engine.runs.records import Label, RunRecord, Status
from engine.runs.retention import clean, cleanings, make_room, over_budget, usage
from engine.runtime.errors import RequestError
from tests.engine.support import configured


@pytest.fixture
def library(library_place: Path) -> Iterator[Library]:
    """Of four runs with five states each: one that was deleted, one that trains, one that is pinned, and one more."""
    with Library(library_place) as library:
        of_this = configured().model_dump(mode="json")
        for created, name in enumerate(("deleted", "trains", "pinned", "plain")):
            status = Status.RUNNING if name == "trains" else Status.FINISHED
            library.begin(RunRecord(name, 0, of_this, status, float(created)))
            for iteration in range(1, 6):
                standing = Standing(name, iteration, iteration, 0.0, iteration == 2)
                keep(library, {name: name}, Taken({"size": "x" * 10_000}, iteration, (standing,)))
        library.delete(["deleted"])
        library.label("pinned", Label(pinned=True))
        yield library


def iterations(library: Library, run: str) -> list[int]:
    return [checkpoint.iteration for checkpoint in library.checkpoints(run)]


def test_a_cleaning_says_what_it_frees_and_frees_it(library: Library) -> None:
    files = sum(file.stat().st_size for file in (library.folder / "runs").rglob("*.safetensors"))
    assert usage(library).checkpoints == files
    found = {cleaning.kind: cleaning for cleaning in cleanings(library)}
    assert found["deleted"].what == "1 deleted run"
    assert found["between"].what == "3 saved states between the best and the last of their runs"
    assert (found["deleted"].size, found["between"].size) == (files / 4, files / 20 * 3)
    assert clean(library, {"between"}) == found["between"].size
    assert iterations(library, "plain") == [5, 2]
    assert iterations(library, "pinned") == iterations(library, "trains") == [5, 4, 3, 2, 1]
    assert clean(library, {"deleted"}) == found["deleted"].size
    assert not library.run_folder("deleted").exists()
    assert {run.id for run in library.runs()} == {"trains", "pinned", "plain"}
    assert library.runs(deleted=True) == []
    assert cleanings(library) == ()


def test_a_file_that_nothing_names_is_a_stray_once_it_is_old(library: Library) -> None:
    stray, young = (library.run_folder("plain") / "checkpoints" / name for name in ("9.safetensors", ".1.part"))
    for file in (stray, young):
        file.write_bytes(b"x" * 100)
    os.utime(stray, (1.0, 1.0))
    assert {cleaning.kind: cleaning.size for cleaning in cleanings(library)}["strays"] == 100
    assert clean(library, {"strays"}) == 100
    assert young.exists()
    assert not stray.exists()
    assert iterations(library, "plain") == [5, 4, 3, 2, 1]


def test_room_is_made_where_the_library_takes_more_than_it_is_meant_to(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LEAST", 1)
    room.set_budget(library.folder, usage(library).total)
    assert (over_budget(library), make_room(library)) == ("", "")
    assert iterations(library, "plain") == [5, 4, 3, 2, 1]
    room.set_budget(library.folder, usage(library).total - 1)
    told = over_budget(library)
    assert "as the next run begins, 3 saved states between the best and the last of their runs (" in told
    assert "the best and the last state of every run and all of the runs that are pinned are never removed." in told
    assert "so 3 saved states between the best and the last of their runs (" in make_room(library)
    assert iterations(library, "plain") == [5, 2]
    assert iterations(library, "pinned") == [5, 4, 3, 2, 1]
    assert (over_budget(library), make_room(library)) == ("", "")
    room.set_budget(library.folder, 1)
    assert make_room(library) == ""  # for there is nothing left that may go
    assert "nothing goes by itself" in over_budget(library)
    assert over_budget(library).endswith("; delete runs and clean up, or allow more.")


def test_how_much_room_runs_may_take_is_remembered_beside_them(library: Library) -> None:
    assert usage(library).budget == room.STANDARD == 4 << 30
    room.set_budget(library.folder, room.size_of("1.5 gb"))
    with Library(library.folder) as other:
        assert usage(other).budget == 3 << 29
    with pytest.raises(RequestError, match=r"^The runs may take 100 MB to 100 TB in all, not 5 B\.$"):
        room.set_budget(library.folder, 5)
    for broken in (b"", b"[]", b'{"budget": "8"}', b'{"budget": 3}', b"\xff"):
        (library.folder / room.FILE).write_bytes(broken)
        assert usage(library).budget == room.STANDARD


@pytest.mark.parametrize(("text", "size"), [("8", 8 << 30), ("500M", 500 << 20), (" .5 TB", 1 << 39), ("12 b", 12)])
def test_a_size_is_read_as_a_person_writes_it(text: str, size: int) -> None:
    assert room.size_of(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1 GB", "8 XB", "1e3", "9" * 400])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="for example 8GB or 500MB, not"):
        room.size_of(text)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (812, "812 B"), (1010, "0.99 KB"), (3_600_000, "3.4 MB"), (4 << 30, "4 GB")]
)
def test_room_on_a_disk(count: int, text: str) -> None:
    assert room.bytes_in_words(count) == text
