"""The tables of the run library, and how a library of an earlier version becomes one of this.

Rows of numbers (iterations, episodes) are kept in chunks: a blob of float64 holds many rows, so that a long run is a
few reads. Their table has row ids, so that a chunk is found in an index without those beside it being read; in a
library that an earlier version of the program made it has none, and all is read there as well, but not as fast. Curves,
events and labels are in the database; checkpoints, and the episodes of recordings, are files beside it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from engine.runtime.errors import RequestError

APPLICATION = 0x50475059  # "PGPY", by which a database is known to be a run library
VERSION = 3

_FIRST = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    configuration TEXT NOT NULL,
    config_version INTEGER NOT NULL,
    changes TEXT NOT NULL DEFAULT '{}',
    versions TEXT NOT NULL DEFAULT '{}',
    device TEXT NOT NULL DEFAULT '',
    environment TEXT NOT NULL,
    parent TEXT, parent_iteration INTEGER, parent_steps INTEGER,
    status TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    inexact TEXT NOT NULL DEFAULT '[]',
    created REAL NOT NULL,
    ended REAL,
    iteration INTEGER NOT NULL DEFAULT 0,
    environment_steps INTEGER NOT NULL DEFAULT 0,
    episodes INTEGER NOT NULL DEFAULT 0,
    seconds REAL NOT NULL DEFAULT 0,
    mean_return REAL, best REAL,
    solved_steps INTEGER, solved_seconds REAL,
    sparkline TEXT NOT NULL DEFAULT '[]',
    title TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    tags TEXT NOT NULL DEFAULT '[]',
    pinned INTEGER NOT NULL DEFAULT 0,
    deleted REAL
);
CREATE INDEX runs_by_time ON runs (
    deleted, created, number, id, status, iteration, seconds, mean_return, ended, changes, title, note, tags, pinned,
    inexact, reason
);
CREATE TABLE series (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    stream TEXT NOT NULL,
    start INTEGER NOT NULL,
    count INTEGER NOT NULL,
    columns TEXT NOT NULL,
    rows BLOB NOT NULL,
    PRIMARY KEY (run, stream, start)
);
CREATE TABLE events (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    iteration INTEGER NOT NULL,
    environment_steps INTEGER NOT NULL,
    episodes INTEGER NOT NULL,
    seconds REAL NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX events_by_run ON events (run, iteration);
CREATE TABLE checkpoints (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    iteration INTEGER NOT NULL,
    environment_steps INTEGER NOT NULL,
    created REAL NOT NULL,
    file TEXT NOT NULL,
    size INTEGER NOT NULL,
    kinds TEXT NOT NULL,
    mean_return REAL,
    PRIMARY KEY (run, iteration)
);
CREATE TABLE snapshots (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    iteration INTEGER NOT NULL,
    environment_steps INTEGER NOT NULL,
    size INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (run, iteration)
);
CREATE TABLE thumbnails (
    run TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    png BLOB NOT NULL
);
"""

_RECORDINGS = """
CREATE TABLE recordings (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    environment TEXT NOT NULL,
    config_version INTEGER NOT NULL,
    source TEXT NOT NULL,
    created REAL NOT NULL,
    episodes TEXT NOT NULL,
    size INTEGER NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    tags TEXT NOT NULL DEFAULT '[]',
    pinned INTEGER NOT NULL DEFAULT 0,
    deleted REAL
);
CREATE TABLE datasets (
    dataset TEXT NOT NULL,
    recording TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    PRIMARY KEY (dataset, recording)
) WITHOUT ROWID;
"""

_EXPERIMENTS = """
CREATE TABLE experiments (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    sweep TEXT NOT NULL,
    config_version INTEGER NOT NULL,
    settings TEXT NOT NULL,
    created REAL NOT NULL,
    wish TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    deleted REAL
);
CREATE TABLE experiment_runs (
    experiment TEXT NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    point INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    run TEXT NOT NULL,
    progress TEXT NOT NULL,
    wish TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (experiment, point, seed)
) WITHOUT ROWID;
CREATE INDEX experiment_runs_by_run ON experiment_runs (run);
"""


def _add_recordings(connection: sqlite3.Connection) -> None:
    """Version 1 had none."""
    _make(connection, _RECORDINGS)


def _add_experiments(connection: sqlite3.Connection) -> None:
    """Version 2 had none."""
    _make(connection, _EXPERIMENTS)


def _make(connection: sqlite3.Connection, tables: str) -> None:
    for statement in tables.split(";"):
        connection.execute(statement)


# What makes a library of one version into one of the next, by the version that it has.
MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _add_recordings, 2: _add_experiments}


def require_ours(connection: sqlite3.Connection, where: str) -> None:
    """Only reads.

    Raises:
        RequestError: the database is no run library, or one of a later version.
        sqlite3.Error: it cannot be read.
    """
    _version(connection, where)


def prepare(connection: sqlite3.Connection, where: str) -> None:
    """Make the tables of a new library, or bring those of an earlier version up to date, all or nothing.

    Raises:
        RequestError: the database is no run library, or one of a later version.
        sqlite3.Error: it cannot be read or written.
    """
    if _version(connection, where) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection, where)  # another process may have been quicker
        if version == 0:
            _make(connection, _FIRST)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            version = 1
        while version < VERSION:
            MIGRATIONS[version](connection)
            version += 1
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection, where: str) -> int:
    """That of the library; 0 where the database is empty."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables or version:
            raise RequestError(f"{where} is a database of another program; name another folder.")
        return 0
    if version > VERSION:
        raise RequestError(
            f"{where} is a run library of version {version}, this program reads up to {VERSION}; update the program."
        )
    return int(version)
