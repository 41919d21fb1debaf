"""A library in which something is not as it was written: what is whole can be read, and the rest is told of."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from engine.runs.damage import DamageError
from engine.runs.library import DATABASE, ITERATIONS
from engine.runs.liveness import settle
from engine.runs.retention import cleanings
from engine.runs.schema import APPLICATION, VERSION
from engine.runtime.errors import RequestError
from tests.engine.runs.libraries import filled, keep, opened, policy_for, record


def test_a_damaged_record_leaves_the_others_to_be_seen(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        first, second = filled(library), filled(library)
        library.execute("UPDATE runs SET status = 'hovering' WHERE id = ?", (second.id,))
        assert [run.id for run in library.runs()] == [first.id]
        library.execute("UPDATE runs SET status = 'running', configuration = '[' WHERE id = ?", (second.id,))
        assert settle(library) == []
        library.execute("UPDATE runs SET status = 'hovering' WHERE id = ?", (second.id,))
        with pytest.raises(DamageError, match="is damaged: "):
            library.run(second.id)
        library.execute("UPDATE series SET rows = X'00' WHERE run = ?", (first.id,))
        with pytest.raises(DamageError, match="is damaged"):
            library.series(first.id, ITERATIONS)


def test_what_belongs_to_a_damaged_record_is_no_stray(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        run = filled(library)
        file = library.checkpoint_file(keep(library, run, policy_for(run.config)))
        os.utime(file, (1.0, 1.0))
        library.execute("UPDATE runs SET status = 'hovering'")
        assert cleanings(library) == ()


@pytest.mark.parametrize("name", ["../elsewhere", "..", "", "a/b"])
def test_no_name_of_a_run_leads_out_of_the_library(tmp_path: Path, name: str) -> None:
    with opened(tmp_path) as library, pytest.raises(RequestError, match="no name that this program gives"):
        library.run_folder(name)


def test_the_newest_run_is_first_even_where_the_clock_has_gone_back(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        numbers = [library.begin(record(created=created)).number for created in (2e9, 1e9, 1.5e9)]
        assert [run.number for run in library.runs()] == numbers[::-1]
        assert list(library.marks()) == [run.id for run in library.runs()]


# --- versions ---------------------------------------------------------------------------------------------------------


def test_a_library_of_an_earlier_version_becomes_one_of_this_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path) as library:
        before = filled(library)

    def add(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE runs ADD COLUMN host TEXT NOT NULL DEFAULT 'here'")

    monkeypatch.setattr("engine.runs.schema.VERSION", VERSION + 1)
    monkeypatch.setattr("engine.runs.schema.MIGRATIONS", {VERSION: add})
    with opened(tmp_path) as library:
        assert library.runs() == [before]
        assert len(library.series(before.id, ITERATIONS)) == 3
        assert library.execute("SELECT host FROM runs").fetchone()[0] == "here"
        assert library.execute("PRAGMA user_version").fetchone()[0] == VERSION + 1


def test_a_migration_that_fails_leaves_the_library_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path) as library:
        before = filled(library)

    def breaks(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM runs")
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("engine.runs.schema.VERSION", VERSION + 1)
        patch.setattr("engine.runs.schema.MIGRATIONS", {VERSION: breaks})
        with pytest.raises(RequestError, match="disk is full"):
            opened(tmp_path)
    with opened(tmp_path) as library:
        assert library.runs() == [before]


@pytest.mark.parametrize(
    ("statement", "why"),
    [(f"PRAGMA user_version = {VERSION + 1}", "update the program"), ("PRAGMA application_id = 7", "another program")],
)
def test_a_library_of_a_later_version_or_of_another_program_is_refused_and_left_alone(
    tmp_path: Path, statement: str, why: str
) -> None:
    with opened(tmp_path) as library:
        filled(library)
    where = tmp_path / "library" / DATABASE
    connection = sqlite3.connect(where)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
    connection.execute(statement)
    connection.execute("PRAGMA journal_mode = DELETE")  # which is how most other programs have it
    connection.close()
    before = where.read_bytes()
    with pytest.raises(RequestError, match=why):
        opened(tmp_path)
    assert where.read_bytes() == before
