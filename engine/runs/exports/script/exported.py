"""The script as a form in which a run of the library can be written out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.runs.exports.export import Export, Source
from engine.runs.exports.script.text import literal
from engine.runs.exports.script.writing import can_follow, script
from engine.runs.library import Library
from engine.runs.records import TOGETHER, TOGETHER_ONCE, RunRecord
from engine.runtime.errors import RequestError
from engine.runtime.whole_file import write_whole

_BUDGET = "budget.environment_steps"


class Story(NamedTuple):
    """The configuration with which a run began, or the one it was forked from, and what that was from an iteration on,
    by the iteration's number."""

    config: RunConfig
    later: dict[int, RunConfig]


def write_script(source: Source, path: Path) -> str:
    """The run as a program that trains it again without this one."""
    story = _story(source.library, source.run)
    follows = story is not None and can_follow(*story)
    if story is None or not follows:
        story = Story(source.run.config, {})
    last = source.run.config_now.budget.environment_steps
    if not story.later:
        story = Story(with_values(story.config, {_BUDGET: last}), {})
    remarks = tuple(_remarks(source, follows))
    write_whole(path, script(story.config, remarks, story.later).encode())
    but = f" {' '.join(remarks)}" if remarks else ""
    return f"Wrote {source.name} to {path.name}, a program of plain PyTorch and Gymnasium that trains it again.{but}"


def _story(library: Library, run: RunRecord) -> Story | None:
    """From the first iteration on, through all runs that this one was forked from; None where one is not known any
    more."""
    if run.origin is None:
        begun, config, later = 0, run.config, dict[int, RunConfig]()
    else:
        begun = run.origin.iteration
        try:
            parent = _story(library, library.run(run.origin.parent))
        except RequestError:
            return None
        if parent is None:
            return None
        config, later = parent.config, {at: values for at, values in parent.later.items() if at <= begun}
        later[begun + 1] = run.config
    now = run.config
    for event in library.events(run.id):
        if event.kind == "change" and event.iteration > begun:
            now = later[event.iteration] = with_values(now, {event.data["path"]: event.data["new"]})
    return Story(config, later)


def _remarks(source: Source, follows: bool) -> Iterator[str]:
    """What of the run the script does not do; where it ``follows``, it does all that was changed."""
    run = source.run
    if run.origin is not None and not follows:
        yield (
            f"The run was forked from another after {run.origin.environment_steps:,} steps; this trains its "
            "configuration from the beginning."
        )
    begun = run.origin.iteration if run.origin is not None else 0
    told = [
        f"{event.data['path']} to {literal(event.data['new'])} after {event.environment_steps:,} steps"
        for event in source.library.events(run.id)
        if event.kind == "change" and event.iteration > begun
    ]
    if told and not follows:
        yield f"While the run trained, these were changed, which this does not do: {', '.join(told)}."
    if run.device not in ("", "cpu"):
        yield f"The run was computed on {run.device}, which draws other random numbers."
    if {TOGETHER, TOGETHER_ONCE} & set(run.inexact):
        yield "The run was trained together with other seeds, which draws other noise for its actions."
    if run.config.environment.stepping == "envpool":
        yield "The run was stepped in EnvPool, which draws other episodes."


SCRIPT = Export(
    "script",
    "Standalone Python script",
    "One readable file of plain PyTorch and Gymnasium that trains the same run without this program.",
    ".py",
    write_script,
)
