"""What ``main.py experiments`` does: the experiments of the library, how far each is, and how it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from engine.commands.shown import print_out
from engine.runs.library import Library
from engine.runs.place import library_folder
from engine.runs.sweeps.conducted import is_conducted
from engine.runs.sweeps.experiments import Experiments
from engine.runs.sweeps.files import shipped
from engine.runs.sweeps.records import ExperimentRecord, Progress, Wish

_NONE = "No experiment was begun yet. `sweep NAME` or `sweep FILE.toml` begins one; these ship:"
_GO_ON = "`sweep --experiment NUMBER` goes on with what is left."


@dataclass(frozen=True)
class Listed:
    """An experiment, and how many of its runs stand how; ``conducted`` says that some process trains them now."""

    record: ExperimentRecord
    counts: Mapping[Progress, int]
    conducted: bool

    @property
    def total(self) -> int:
        """All but those that were dropped."""
        return sum(self.counts.values())

    @property
    def finished(self) -> int:
        return self.counts.get(Progress.FINISHED, 0)

    @property
    def failed(self) -> int:
        return self.counts.get(Progress.FAILED, 0)

    @property
    def left(self) -> int:
        return self.total - self.finished - self.failed

    @property
    def state(self) -> str:
        if not self.left:
            return "finished"
        if self.conducted:
            return "paused" if self.record.wish is Wish.PAUSE else "training"
        return "stopped" if self.record.wish is Wish.STOP else "interrupted"


def print_list(as_json: bool, library: Path | None) -> None:
    """Write all experiments to stdout, the newest first, for people or as JSON.

    Raises:
        RequestError: the library cannot be opened.
        RunError: it cannot be read, or the list cannot be written.
    """
    with Library(library_folder(library)) as opened:
        experiments = Experiments(opened)
        counts = experiments.counts()
        found = [
            Listed(record, counts.get(record.id, {}), is_conducted(opened.folder, record.id))
            for record in experiments.list()
        ]
    print_out([as_data(one) for one in found] if as_json else _table(found))


def as_data(one: Listed) -> dict[str, Any]:
    """What the list says of an experiment, as JSON can say it; ``go_on`` are the arguments that go on with it."""
    record, sweep = one.record, one.record.sweep
    return {
        "number": record.number,
        "id": record.id,
        "title": record.title,
        "shows": sweep.shows,
        "state": one.state,
        "settings": len(record.settings),
        "runs": one.total,
        "finished": one.finished,
        "failed": one.failed,
        "left": one.left,
        "created": record.created,
        "go_on": ["sweep", "--experiment", str(record.number)] if one.left else None,
    }


def _table(found: list[Listed]) -> RenderableType:
    if not found:
        ready = (f"  {name}: {sweep.title}" for name, sweep in shipped().items())
        return escape("\n".join([_NONE, *ready]))
    table = Table(box=None, pad_edge=False)
    for title in ("No.", "Title", "State"):
        table.add_column(title, justify="right" if title == "No." else "left")
    for title in ("Finished", "Failed", "Left"):
        table.add_column(title, justify="right")
    for one in found:
        numbers = (f"{one.finished} of {one.total}", one.failed, one.left)
        table.add_row(str(one.record.number), escape(one.record.title), one.state, *map(str, numbers))
    return Group(table, "", escape(_GO_ON)) if any(one.left for one in found) else table
