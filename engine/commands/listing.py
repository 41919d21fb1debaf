"""What ``main.py list`` writes."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.catalogue.environments import ENVIRONMENTS, missing_extra
from engine.catalogue.methods.entries import ALGORITHMS, POLICIES
from engine.catalogue.methods.families import family_of_entry
from engine.catalogue.methods.spec import Entry
from engine.catalogue.spaces import EnvironmentInfo
from engine.commands.output import to_stdout, writes_all
from engine.config import presets
from engine.runtime.errors import RequestError, RunError


def listing(what: str) -> list[dict[str, Any]]:
    """The rows of ``list WHAT``.

    Raises:
        RequestError: there is no such list.
    """
    if what == "environments":
        return [asdict(info) | {"needs": _needs(info)} for info in ENVIRONMENTS.values()]
    if what == "policies":
        return [_row(entry) for entry in POLICIES.values()]
    if what == "algorithms":
        return [_row(entry) | {"family": family_of_entry(entry).title} for entry in ALGORITHMS.values()]
    if what == "presets":
        return [
            {"id": name, "environment": preset.config.environment.id, "measured": preset.measured}
            | preset.model_dump(include={"title", "summary", "reaches", "seconds"})
            for name, preset in presets.shipped().items()
        ]
    raise RequestError(f"There is no list of {what}; there is environments, policies, algorithms, presets.")


def _needs(info: EnvironmentInfo) -> str | None:
    """The command that installs what an environment needs and is not there."""
    extra = missing_extra(info.family)
    return extra.command if extra else None


def _row(entry: Entry) -> dict[str, Any]:
    return {"id": entry.id, "title": entry.title, "summary": entry.summary, "sets": entry.values}


def print_listing(what: str, as_json: bool) -> None:
    """Write ``list WHAT`` to stdout, for people or as JSON.

    Raises:
        RequestError: there is no such list.
        RunError: it cannot be written.
    """
    rows = listing(what)
    if sys.stdout is None:
        raise RunError("There is nowhere to write the list to, for the output is closed.")
    with to_stdout():
        if as_json:
            sys.stdout.write(json.dumps(rows, indent=2, ensure_ascii=not writes_all(sys.stdout)) + "\n")
        else:
            Console().print(_table(rows))


def _table(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    needed = family = None
    for row in rows:
        if row.get("family") and "sets" in row and row["family"] != family:
            if family is not None:
                table.add_row("", "")
            family = row["family"]
            table.add_row("", escape(f"{family}:"))
        if row.get("needs") and row["needs"] != needed:
            needed = row["needs"]
            table.add_row("", "")
            table.add_row("", escape(f"These need: {needed}"))
        measured = row.get("measured")
        more = f" {measured[0].upper()}{measured[1:]}." if measured else ""
        table.add_row(row["id"], escape(f"{row['title']}. {row['summary']}{more}"))
    return table
