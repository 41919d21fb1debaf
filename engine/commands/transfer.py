"""What ``main.py runs export`` and ``runs import`` do."""

from __future__ import annotations

from pathlib import Path

from engine.config.presets import Preset
from engine.runs.exports.export import Source, Which
from engine.runs.exports.registry import export_of, proposed_name, write
from engine.runs.imports import recognised
from engine.runs.library import Library
from engine.runs.place import library_folder
from engine.runtime.errors import RequestError


def export_run(name: str, form: str, path: Path | None, which: str, library: Path | None) -> str:
    """Write a run out, to a file of its own name in the present folder unless one is given; a sentence of it.

    Raises:
        RequestError: there is no such run or form, the run cannot be written in it, or the file cannot be written.
        RunError: the library cannot be read.
    """
    export = export_of(form)
    with Library(library_folder(library)) as opened:
        run = opened.find(name)
        named = path if path is not None else Path(proposed_name(run.number, run.environment, export))
        return write(Source(opened, run, _which(which)), form, named)


def import_runs(place: Path, library: Path | None) -> str:
    """Take the runs of another library, or one from its folder; a sentence of how many.

    Raises:
        RequestError: there is none.
        RunError: the library cannot be written.
    """
    found = recognised(place)
    if isinstance(found, Preset):
        raise RequestError(f"{place} holds a configuration and no run; train it, or open it in the window.")
    with Library(library_folder(library)) as target:
        return found.take(target).sentence


def _which(name: str) -> Which:
    if name == "last":
        return "last"
    if name == "best":
        return "best"
    raise RequestError(f"A policy is taken from the last checkpoint or the best, not from {name or 'none'}.")
