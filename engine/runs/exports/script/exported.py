"""The script as a form in which a run of the library can be written out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.runs.exports.export import Export, Source
from engine.runs.exports.script.text import literal
from engine.runs.exports.script.writing import script
from engine.runtime.whole_file import write_whole

_BUDGET = "budget.environment_steps"


def write_script(source: Source, path: Path) -> str:
    """The configuration with which the run began, as a program that trains it again without this one."""
    remarks = tuple(_remarks(source))
    write_whole(path, script(trained(source), remarks).encode())
    but = f" {' '.join(remarks)}" if remarks else ""
    return f"Wrote {source.name} to {path.name}, a program of plain PyTorch and Gymnasium that trains it again.{but}"


def trained(source: Source) -> RunConfig:
    """What the script trains: the run as it began, for as many steps as it was to take in the end."""
    return with_values(source.run.config, {_BUDGET: source.run.config_now.budget.environment_steps})


def _remarks(source: Source) -> Iterator[str]:
    """What of the run the script does not do."""
    run = source.run
    if run.origin is not None:
        yield (
            f"The run was forked from another after {run.origin.environment_steps:,} steps; this trains its "
            "configuration from the beginning."
        )
    changes = [event for event in source.library.events(run.id) if event.kind == "change"]
    told = [
        f"{event.data['path']} to {literal(event.data['new'])} after {event.environment_steps:,} steps"
        for event in changes
    ]
    if told:
        yield f"While the run trained, these were changed, which this does not do: {', '.join(told)}."
    if run.device not in ("", "cpu"):
        yield f"The run was computed on {run.device}, which draws other random numbers."
    if run.config.environment.stepping == "envpool":
        yield "The run was stepped in EnvPool, which draws other episodes."


SCRIPT = Export(
    "script",
    "Standalone Python script",
    "One readable file of plain PyTorch and Gymnasium that trains the same run without this program.",
    ".py",
    write_script,
)
