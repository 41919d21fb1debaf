"""What a person has answered of the round that a run is in, kept as it is given: it cannot be computed again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.runs.library import Library
from engine.runtime.errors import RequestError
from engine.runtime.whole_file import write_whole

if TYPE_CHECKING:
    from engine.runtime.state import State

FILE = "answers.safetensors"  # in the folder of the run


def keep_answers(library: Library, run: str, answers: State) -> None:
    """Keep what ``Training.answers`` gives in place of what was kept before.

    Raises:
        OSError: the file cannot be written; what was there before is as it was.
    """
    from engine.training.checkpoint import to_bytes

    path = _file(library, run)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, to_bytes(answers))


def with_answers(library: Library, run: str, state: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """``state`` of a run with what was answered since, where that is of the round which comes next; and what is to be
    said of answers that cannot be read."""
    from engine.training.checkpoint import from_bytes
    from engine.training.training import answered

    try:
        data = _file(library, run).read_bytes()
    except OSError:  # nobody was asked
        return state, ""
    try:
        return answered(state, from_bytes(data)), ""
    except RequestError as error:
        return state, f"What was answered last cannot be read, and is asked again: {error}"


def _file(library: Library, run: str) -> Path:
    return library.run_folder(run) / FILE
