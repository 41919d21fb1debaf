"""Records of the library as rows of its database, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from engine.config.migrations import migrated
from engine.runs.damage import NONSENSE
from engine.runs.records import CheckpointRecord, Label, NotedEvent, Origin, Reached, RunRecord, Status


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


# What stands in each column of the table of runs, but for the version of the configuration.
AS_COLUMNS: dict[str, Callable[[RunRecord], Any]] = {
    "id": lambda run: run.id,
    "number": lambda run: run.number,
    "configuration": lambda run: _json(dict(run.configuration)),
    "changes": lambda run: _json(dict(run.changes)),
    "versions": lambda run: _json(dict(run.versions)),
    "device": lambda run: run.device,
    "environment": lambda run: run.environment,
    "parent": lambda run: run.origin.parent if run.origin else None,
    "parent_iteration": lambda run: run.origin.iteration if run.origin else None,
    "parent_steps": lambda run: run.origin.environment_steps if run.origin else None,
    "status": lambda run: str(run.status),
    "reason": lambda run: run.reason,
    "inexact": lambda run: _json(list(run.inexact)),
    "created": lambda run: run.created,
    "ended": lambda run: run.ended,
    "iteration": lambda run: run.reached.iteration,
    "environment_steps": lambda run: run.reached.environment_steps,
    "episodes": lambda run: run.reached.episodes,
    "seconds": lambda run: run.reached.seconds,
    "mean_return": lambda run: run.reached.mean_return,
    "best": lambda run: run.reached.best,
    "solved_steps": lambda run: run.reached.solved[0] if run.reached.solved else None,
    "solved_seconds": lambda run: run.reached.solved[1] if run.reached.solved else None,
    "sparkline": lambda run: _json(list(run.sparkline)),
    "title": lambda run: run.label.title,
    "note": lambda run: run.label.note,
    "tags": lambda run: _json(list(run.label.tags)),
    "pinned": lambda run: int(run.label.pinned),
    "deleted": lambda run: run.deleted,
}
# Those of which one is another as soon as the record of a run is, and those that say how far it has come.
MARKS = (
    *("id", "status", "iteration", "seconds", "mean_return", "ended", "changes"),
    *("title", "note", "tags", "pinned", "inexact", "reason"),
)
REACHED = ("iteration", "environment_steps", "episodes", "seconds", "mean_return", "best")
# Of the table of checkpoints, those that hold plain values.
CHECKPOINT = ("run", "iteration", "environment_steps", "created", "file", "size", "mean_return")


def run_of(row: sqlite3.Row) -> RunRecord:
    """The run that a row holds, its configuration in the words of the present version."""
    saved = {"version": row["config_version"], "config": json.loads(row["configuration"])}
    parent = row["parent"]
    begun = RunRecord(
        id=row["id"],
        number=row["number"],
        configuration=migrated(saved)["config"],
        status=Status(row["status"]),
        created=row["created"],
        origin=Origin(parent, row["parent_iteration"], row["parent_steps"]) if parent is not None else None,
    )
    return _renewed(begun, row)


# Of the table of runs, what becomes another while a run trains, or a person says something of it.
RENEWED = (
    *("id", "changes", "status", "reason", "inexact", "ended", "iteration", "environment_steps", "episodes", "seconds"),
    *(
        "mean_return",
        "best",
        "solved_steps",
        "solved_seconds",
        "sparkline",
        "title",
        "note",
        "tags",
        "pinned",
        "deleted",
    ),
    *("device", "versions"),
)


def renewed(rows: Sequence[sqlite3.Row], known: Mapping[str, RunRecord]) -> dict[str, RunRecord]:
    """By id, the runs that are ``known`` as columns ``RENEWED`` of their rows have them; a damaged one is left out."""
    found = {}
    for row in rows:
        if row["id"] in known:
            with suppress(*NONSENSE):
                found[row["id"]] = _renewed(known[row["id"]], row)
    return found


def _renewed(record: RunRecord, row: sqlite3.Row) -> RunRecord:
    return replace(
        record,
        status=Status(row["status"]),
        ended=row["ended"],
        changes=json.loads(row["changes"]),
        versions=json.loads(row["versions"]),
        device=row["device"],
        reached=_reached(row),
        label=_label(row),
        reason=row["reason"],
        inexact=tuple(json.loads(row["inexact"])),
        sparkline=tuple(json.loads(row["sparkline"])),
        deleted=row["deleted"],
    )


def _reached(row: sqlite3.Row) -> Reached:
    solved = row["solved_steps"]
    return Reached(
        row["iteration"],
        row["environment_steps"],
        row["episodes"],
        row["seconds"],
        row["mean_return"],
        row["best"],
        (solved, row["solved_seconds"]) if solved is not None else None,
    )


def _label(row: sqlite3.Row) -> Label:
    return Label(row["title"], row["note"], tuple(json.loads(row["tags"])), bool(row["pinned"]))


def event_of(row: sqlite3.Row) -> NotedEvent:
    at = (row["iteration"], row["environment_steps"], row["episodes"], row["seconds"])
    return NotedEvent(row["kind"], *at, data=json.loads(row["data"]))


def checkpoint_of(row: sqlite3.Row) -> CheckpointRecord:
    return CheckpointRecord(
        run=row["run"],
        iteration=row["iteration"],
        environment_steps=row["environment_steps"],
        created=row["created"],
        file=row["file"],
        size=row["size"],
        kinds=tuple(json.loads(row["kinds"])),
        mean_return=row["mean_return"],
    )
