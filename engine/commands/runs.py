"""What ``main.py runs`` does: the runs of the library listed, shown, deleted and brought back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from engine.analysis.doctor.rule import Finding
from engine.analysis.doctor.rules import findings
from engine.catalogue.configured import described
from engine.catalogue.methods.entries import ALGORITHMS, UPDATES
from engine.catalogue.methods.picking import picked
from engine.commands.shown import number, print_out, when
from engine.config.bugs import NO_BUG, is_hidden
from engine.runs.examining import reported_of
from engine.runs.library import Library
from engine.runs.liveness import is_trained, settle
from engine.runs.place import library_folder
from engine.runs.records import CheckpointRecord, NotedEvent, RunRecord
from engine.runs.sweeps.experiments import Experiments
from engine.runs.sweeps.records import ExperimentRecord
from engine.runtime.errors import RequestError

_METHOD = 12  # characters, in which most words of methods are whole
_YEAR = 5  # characters of a date that a list leaves out


def print_list(as_json: bool, library: Path | None) -> None:
    """Write all runs to stdout, the newest first, for people or as JSON.

    Raises:
        RequestError: the library cannot be opened.
        RunError: it cannot be read, or the list cannot be written.
    """
    with Library(library_folder(library)) as opened:
        settle(opened)
        records = opened.runs()
    print_out([as_data(record) for record in records] if as_json else _table(records))


def print_run(name: str, as_json: bool, library: Path | None) -> None:
    """Write all that is known of one run to stdout, but for its curves.

    Raises:
        RequestError: there is no such run, or the library cannot be opened.
        RunError: it cannot be read, or the run's data cannot be written.
    """
    with Library(library_folder(library)) as opened:
        record = opened.find(name)
        checkpoints, events = opened.checkpoints(record.id), opened.events(record.id)
        parent = opened.run(record.origin.parent) if record.origin else None
        found = _findings(opened, record)
        experiments = [Experiments(opened).get(id) for id in Experiments(opened).of_run(record.id)]
    if as_json:
        seen = [{"rule": each.rule.name, "sentence": each.sentence} for each in found]
        print_out(
            as_data(record)
            | _in_full(record, checkpoints, events)
            | {"findings": seen, "experiments": [each.id for each in experiments]}
        )
    else:
        print_out(_described(record, parent, _Noted(checkpoints, events, found, _places(record, experiments))))


def delete(names: Sequence[str], library: Path | None) -> str:
    """Put runs aside; a sentence of it.

    Raises:
        RequestError: there is no such run, or it is being trained.
        RunError: the library cannot be written.
    """
    with Library(library_folder(library)) as opened:
        records = [opened.find(name) for name in names]
        for record in records:
            if is_trained(opened, record.id):
                raise RequestError(f"Run {record.number} is being trained; stop it first.")
        opened.delete([record.id for record in records])
    numbers = " ".join(str(record.number) for record in records)
    return f"Deleted {_counted(records)}; `runs restore {numbers}` undoes it."


def restore(names: Sequence[str], library: Path | None) -> str:
    """Bring back what was deleted; a sentence of it.

    Raises:
        RequestError: no such run was deleted.
        RunError: the library cannot be written.
    """
    with Library(library_folder(library)) as opened:
        aside = {str(record.number): record for record in opened.runs(deleted=True)}
        wanted = [name.strip().removeprefix("run ").strip() for name in names]
        for name in wanted:
            if name not in aside:
                there = f"deleted are {', '.join(sorted(aside, key=int))}" if aside else "none is deleted"
                raise RequestError(f"There is no deleted run {name}; {there}.")
        opened.restore([aside[name].id for name in wanted])
    return f"Brought back {_counted([aside[name] for name in wanted])}."


def as_data(record: RunRecord) -> dict[str, Any]:
    """What a list says of a run, as JSON can say it."""
    return {
        "number": record.number,
        "id": record.id,
        "title": record.label.title,
        "status": str(record.status),
        "environment": record.environment,
        "policy": record.configuration["policy"]["kind"],
        "update": record.configuration["update"]["kind"],
        "seed": record.seed,
        **({"bug": record.configuration["bug"]} if record.mark else {}),
        "created": record.created,
        "ended": record.ended,
        "iteration": record.reached.iteration,
        "environment_steps": record.reached.environment_steps,
        "episodes": record.reached.episodes,
        "seconds": record.reached.seconds,
        "mean_return": record.reached.mean_return,
        "best": record.reached.best,
        "parent": record.origin.parent if record.origin else None,
        "tags": list(record.label.tags),
        "pinned": record.label.pinned,
    }


def _in_full(
    record: RunRecord, checkpoints: Sequence[CheckpointRecord], events: Sequence[NotedEvent]
) -> dict[str, Any]:
    origin, solved = record.origin, record.reached.solved
    return {
        "note": record.label.note,
        "reason": record.reason,
        "device": record.device,
        "versions": dict(record.versions),
        "inexact": list(record.inexact),
        "solved": None if solved is None else {"environment_steps": solved[0], "seconds": solved[1]},
        "origin": None
        if origin is None
        else {"parent": origin.parent, "iteration": origin.iteration, "environment_steps": origin.environment_steps},
        "configuration": dict(record.configuration),
        "changes": dict(record.changes),
        "checkpoints": [
            {
                "iteration": each.iteration,
                "environment_steps": each.environment_steps,
                "created": each.created,
                "size": each.size,
                "kinds": list(each.kinds),
                "mean_return": each.mean_return,
            }
            for each in checkpoints
        ],
        "events": [
            {
                "kind": each.kind,
                "iteration": each.iteration,
                "environment_steps": each.environment_steps,
                "seconds": each.seconds,
                **each.data,
            }
            for each in events
        ],
    }


def _table(records: Sequence[RunRecord]) -> RenderableType:
    if not records:
        return "There are no runs yet; `train` makes one, and so does the window."
    table = Table(box=None, pad_edge=False)
    table.add_column("run", justify="right", no_wrap=True)
    titled = any(record.label.title for record in records)
    if titled:
        table.add_column("", overflow="fold")
    table.add_column("environment", overflow="fold")
    table.add_column("method", overflow="fold", min_width=_METHOD)
    for title in ("seed", "steps", "return"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("begun", no_wrap=True)
    for record in records:
        reached = record.reached
        table.add_row(
            str(record.number),
            *([escape(record.label.title)] if titled else []),
            escape(record.environment),
            " ".join(filter(None, (_method(record), record.mark))),
            str(record.seed),
            f"{reached.environment_steps:,}",
            number(reached.mean_return),
            str(record.status),
            when(record.created)[_YEAR:],
        )
    return table


def _method(record: RunRecord) -> str:
    """The algorithm that a run amounts to, or its update rule where it is none."""
    with suppress(RequestError):  # of a later version, whose configuration is not known here
        if environment := described(record.config_now.environment):
            entry = picked(record.config_now, ALGORITHMS, environment)
            return entry.title if entry else UPDATES[record.config_now.update.kind].title
    return str(record.configuration["update"]["kind"])


@dataclass(frozen=True)
class _Noted:
    """What there is of a run beside its record."""

    checkpoints: Sequence[CheckpointRecord]
    events: Sequence[NotedEvent]
    findings: Sequence[Finding]
    experiments: Sequence[str] = ()


def _places(record: RunRecord, experiments: Sequence[ExperimentRecord]) -> list[str]:
    """Where a run stands in experiments: "experiment 2 (Baselines): Learning rate 0.01"."""
    found = []
    for experiment in experiments:
        point = next(run.point for run in experiment.runs if run.run == record.id)
        settings = ", ".join(f"{title} {value}" for title, value in experiment.settings[point].items())
        found.append(": ".join(filter(None, (f"experiment {experiment.number} ({experiment.title})", settings))))
    return found


def _findings(library: Library, record: RunRecord) -> list[Finding]:
    """What the doctor sees in a run; nothing where too little is known of it here, or its bug is to be guessed."""
    if is_hidden(str(record.configuration.get("bug", NO_BUG))):
        return []
    with suppress(RequestError):  # of a later version, whose configuration is not known here
        reported = reported_of(library, record)
        return findings(reported) if reported is not None else []
    return []


def _described(record: RunRecord, parent: RunRecord | None, noted: _Noted) -> Table:
    reached, config = record.reached, record.configuration
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    rows = {
        f"run {record.number}": record.label.title or record.id,
        "note": record.label.note,
        "tags": ", ".join(record.label.tags),
        "status": f"{record.status}: {record.reason}" if record.reason else str(record.status),
        "begun": when(record.created),
        "environment": record.environment,
        "method": f"{config['update']['kind']}, {config['policy']['kind']} policy, seed {record.seed}",
        "made with": record.mark,
        "counts in": "\n".join(noted.experiments),
        "reached": f"{reached.environment_steps:,} of {record.budget:,} steps in {reached.iteration:,} iterations "
        f"and {reached.seconds:.1f} s",
        "mean return": f"{number(reached.mean_return)}, at best {number(reached.best)}",
        "solved": f"after {reached.solved[0]:,} steps and {reached.solved[1]:.1f} s" if reached.solved else "",
        "forked": f"from run {parent.number} after {record.origin.environment_steps:,} steps"
        if parent is not None and record.origin is not None
        else "",
        "changed": ", ".join(f"{path} = {value}" for path, value in record.changes.items()),
        "not exact": " ".join(record.inexact),
        "checkpoints": ", ".join(map(_kept, reversed(noted.checkpoints))),
        "told": "\n".join(filter(None, map(_told, noted.events))),
        "findings": "\n".join(each.sentence for each in noted.findings),
        "on": " ".join([record.device, *(f"{name} {version}" for name, version in record.versions.items())]),
    }
    for title, text in rows.items():
        if text:
            table.add_row(title, escape(text))
    return table


def _kept(checkpoint: CheckpointRecord) -> str:
    why = f" ({', '.join(checkpoint.kinds)})" if checkpoint.kinds else ""
    return f"{checkpoint.environment_steps:,} steps{why}"


def _told(event: NotedEvent) -> str:
    """What happened, in a line."""
    data: Mapping[str, Any] = event.data
    what = {
        "change": lambda: f"{data['path']} {data['old']} → {data['new']}",
        "solved": lambda: f"solved with a mean return of {data['mean_return']:.4g}",
        "note": lambda: str(data["sentence"]),
        "failed": lambda: f"failed: {data['reason']}",
        "gone on": lambda: f"gone on from {data['from'].replace('checkpoint', 'a checkpoint')}",
        "forked": lambda: f"forked from {data['from']}",
    }.get(event.kind)
    try:
        return f"{event.environment_steps:,} steps: {what()}" if what is not None else ""
    except (KeyError, TypeError, ValueError):  # as another version wrote it
        return f"{event.environment_steps:,} steps: {event.kind}"


def _counted(records: Sequence[RunRecord]) -> str:
    return f"run {records[0].number}" if len(records) == 1 else f"{len(records)} runs"
