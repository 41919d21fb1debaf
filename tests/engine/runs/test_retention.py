"""The room that the library takes: what can go is told with what it frees, and nothing that is wanted goes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.runs.autosave import Taken, keep
from engine.runs.library import Library
from engine.runs.records import Label, RunRecord, Status
from engine.runs.retention import clean, cleanings, make_room, usage
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
                keep(library, name, Taken({"size": "x" * 10_000}, iteration, iteration, 0.0, iteration == 2))
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


def test_room_is_made_where_the_library_takes_more_than_it_is_meant_to(library: Library) -> None:
    make_room(library, usage(library).total)
    assert iterations(library, "plain") == [5, 4, 3, 2, 1]
    make_room(library, usage(library).total - 1)
    assert iterations(library, "plain") == [5, 2]
    assert iterations(library, "pinned") == [5, 4, 3, 2, 1]
