"""Which runs of the library were begun at once, as seeds of one choice. Importable without torch and without numpy."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.runs.library import Library
from engine.runs.records import Label, NotedEvent, Reached, RunRecord, Status

KIND = "seeds"
_BEFORE = -1  # the iteration at which it is noted: a run that goes back to its beginning forgets nothing of it


@dataclass(frozen=True)
class BegunAtOnce:
    """The ids of runs that were begun at once, in the order of their seeds; ``together`` says that one process trains
    them as one, else each by itself."""

    runs: tuple[str, ...]
    together: bool


def note_group(library: Library, runs: Collection[str], *, together: bool) -> None:
    """Note of all these runs that they were begun at once."""
    data = {"runs": list(runs), "together": together}
    with library.transaction():
        for run in runs:
            library.note(run, NotedEvent(KIND, _BEFORE, 0, 0, 0.0, data))


def begin_apart(library: Library, first: RunRecord, others: Mapping[str, int]) -> None:
    """Begin a run for each of the ``others``, seeds by id, that is to be trained as ``first`` is, by itself; until
    somebody trains them, they are interrupted.

    Raises:
        RunError: the library cannot be written.
    """
    plain: dict[str, Any] = {"status": Status.INTERRUPTED, "reached": Reached(), "label": Label(), "sparkline": ()}
    with library.transaction():
        for id, seed in others.items():
            configuration = {**first.configuration, "seed": seed}
            now = time.time()
            run = replace(first, id=id, number=0, configuration=configuration, created=now, ended=now, **plain)
            library.begin(run)
        note_group(library, (first.id, *others), together=False)


def group_of(library: Library, run: str) -> tuple[BegunAtOnce, list[RunRecord]] | None:
    """Those with which a run was begun, itself included, and what the library says of them that are there; None where
    it is by itself, as when the others were deleted.

    Raises:
        RunError: the library cannot be read.
    """
    noted = next((event for event in library.events(run) if event.kind == KIND), None)
    if noted is None or run not in noted.data.get("runs", ()):  # a fork has what its parent has told
        return None
    begun = BegunAtOnce(tuple(map(str, noted.data["runs"])), bool(noted.data.get("together")))
    marks = library.marks()
    found = [library.run(id) for id in begun.runs if id in marks]
    return (begun, found) if len(found) > 1 else None
