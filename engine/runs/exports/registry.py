"""All forms in which a run can be written out, and the one way to do it."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from engine.runs.exports.export import Export, Source
from engine.runs.exports.onnx import ONNX
from engine.runs.exports.policy import POLICY
from engine.runs.exports.preset import PRESET
from engine.runs.exports.script.exported import SCRIPT
from engine.runs.exports.tables import EPISODES_TABLE, ITERATIONS_TABLE
from engine.runs.exports.tensorboard import TENSORBOARD
from engine.runs.exports.text import TEXT
from engine.runs.exports.whole import WHOLE
from engine.runtime.errors import RequestError

EXPORTS: dict[str, Export] = {
    export.name: export
    for export in (ITERATIONS_TABLE, EPISODES_TABLE, TENSORBOARD, PRESET, TEXT, SCRIPT, POLICY, ONNX, WHOLE)
}


def export_of(name: str) -> Export:
    """The form of that name.

    Raises:
        RequestError: there is none.
    """
    if name in EXPORTS:
        return EXPORTS[name]
    near = get_close_matches(name, EXPORTS, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(EXPORTS)}."
    raise RequestError(f"A run cannot be written as {name or 'nothing'}; {hint}")


def write(source: Source, name: str, path: Path) -> str:
    """Write a run out in the form ``name``, whole or not at all; a sentence of what was written.

    Raises:
        RequestError: there is no such form, this run cannot be written in it, what it takes is not installed, or the
            file cannot be written.
        RunError: the library cannot be read any more.
    """
    export = export_of(name)
    if export.missing:
        raise RequestError(f"{export.missing}.")
    try:
        return export.write(source, path)
    except OSError as error:
        what = source.name[0].upper() + source.name[1:]
        raise RequestError(f"{what} could not be written to {path}: {error.strerror or error}.") from None


def proposed_name(number: int, environment: str, export: Export) -> str:
    """What the file of a run is called unless another name is chosen: "run-5-CartPole-v1.csv"."""
    environment = "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in environment)
    parts = {"csv-episodes": "-episodes", "policy": "-policy"}
    return f"run-{number}-{environment[:60]}{parts.get(export.name, '')}{export.ending}"
