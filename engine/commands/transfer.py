"""What ``main.py runs export`` and ``runs import`` do."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from engine.commands.output import to_stdout
from engine.config.presets import Preset
from engine.runs.exports.export import Source, Which
from engine.runs.exports.registry import export_of, proposed_name, write
from engine.runs.imports import recognised
from engine.runs.library import Library
from engine.runs.place import library_folder
from engine.runtime.errors import RequestError


def export_run(name: str, form: str, path: Path | None, which: str, library: Path | None) -> None:
    """Write a run out, to a file of its own name in the present folder unless one is given, and say so.

    Raises:
        RequestError: there is no such run or form, the run cannot be written in it, or the file cannot be written.
        RunError: the library cannot be read.
    """
    export = export_of(form)
    with Library(library_folder(library)) as opened:
        run = opened.find(name)
        source = Source(opened, run, _which(which))
        _say(
            write(source, form, path if path is not None else Path(proposed_name(run.number, run.environment, export)))
        )


def import_runs(places: Sequence[Path], library: Path | None) -> None:
    """Take runs from other libraries and from folders of runs, and say how many.

    Raises:
        RequestError: there are none in one of them.
        RunError: the library cannot be written.
    """
    with Library(library_folder(library)) as target:
        for place in places:
            found = recognised(place)
            if isinstance(found, Preset):
                raise RequestError(f"{place} holds a configuration and no run; train it, or open it in the window.")
            told = found.take(target).sentence
            _say(f"{place}: {told}")


def _which(name: str) -> Which:
    if name == "last":
        return "last"
    if name == "best":
        return "best"
    raise RequestError(f"A policy is taken from the last checkpoint or the best, not from {name or 'none'}.")


def _say(sentence: str) -> None:
    if sys.stdout is not None:
        with to_stdout():
            sys.stdout.write(f"{sentence}\n")
