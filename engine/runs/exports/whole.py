"""A run with all that is known of it: a library of its own, with this one run in it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from engine.runs.copying import copy_run
from engine.runs.exports.export import Export, Source
from engine.runs.library import DATABASE, Library
from engine.runtime.errors import RequestError


def write_run(source: Source, folder: Path) -> str:
    """A folder with its numbers, events, labels and checkpoints. In a folder that is a library already, the run is
    added to the others; one that is there already is refused."""
    if folder.exists() and not (folder / DATABASE).exists() and any(folder.iterdir()):
        raise RequestError(f"There is something else in {folder}; name a folder that is empty, or a library.")
    if folder.resolve() == source.library.folder.resolve():
        raise RequestError(f"{source.name} is in {folder} already; name another folder.")
    if (folder / DATABASE).exists():
        _add(source, folder)
    else:
        _make(source, folder)
    return f"Wrote {source.name}, whole, to {folder}; dropped on a window it comes into that one's library."


def _add(source: Source, folder: Path) -> None:
    with Library(folder) as target:
        if any(run.id == source.run.id for deleted in (False, True) for run in target.runs(deleted=deleted)):
            raise RequestError(f"{folder} holds {source.name} already; name another folder.")
        copy_run(source.library, source.run, target, source.library.run_folder(source.run.id))


def _make(source: Source, folder: Path) -> None:
    """Beside its place at first, so that it is there whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".playground-", dir=folder.parent) as beside:
        made = Path(beside) / "library"
        _add(source, made)
        if folder.exists():
            folder.rmdir()
        made.rename(folder)


WHOLE = Export(
    "run",
    "Whole run (folder)",
    "All that is known of it with its checkpoints, for the library of another person or machine.",
    "",
    write_run,
)
