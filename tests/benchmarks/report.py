"""The table that people read and the JSON that is kept."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from tests.benchmarks.figures import Grid, Result, Row, shown
from tests.benchmarks.machine import summary

RESULTS = Path(__file__).parent / "results"
VERDICTS = {True: "[green]met[/]", False: "[red]missed[/]", None: "reported"}
NOT_MEASURED = "[yellow]not measured[/]"


def table(results: Sequence[Result]) -> Table:
    """One line per figure; a row without figures, or that could not be measured, has one line."""
    drawn = Table(title="Figures to hold", title_justify="left")
    drawn.add_column("row", style="bold", no_wrap=True)
    drawn.add_column("figure")
    drawn.add_column("wanted", no_wrap=True)
    drawn.add_column("got", no_wrap=True, justify="right")
    drawn.add_column("", no_wrap=True)
    drawn.add_column("took", no_wrap=True, justify="right")
    for result in results:
        took = f"{result.seconds:.0f} s"
        for number, line in enumerate(_lines(result)):
            drawn.add_row(result.row.name if number == 0 else "", *line, took if number == 0 else "")
        drawn.add_section()
    return drawn


def _lines(result: Result) -> list[tuple[str, str, str, str]]:
    if not result.row.figures:
        return [("see below", "–", "–", VERDICTS[None] if result.measured else NOT_MEASURED)]
    lines = []
    for figure in result.row.figures:
        value = result.value(figure)
        if value is None:
            lines.append((figure.name, str(figure), "–", NOT_MEASURED))
        else:
            lines.append((figure.name, str(figure), figure.said(value), VERDICTS[result.verdict(figure)]))
    return lines


def particulars(result: Result) -> Group:
    """All that a row measured, with how."""
    drawn = Table(box=None, show_header=False)
    drawn.add_column(justify="right", no_wrap=True)
    drawn.add_column()
    for number in result.measured.numbers if result.measured else ():
        value = "–" if number.value is None else shown(number.value)
        drawn.add_row(value, f"{number.unit}  [dim]{number.name}[/]".strip())
    lines = [drawn]
    if result.measured and result.measured.grid:
        lines.insert(0, _drawn(result.measured.grid))
    words = result.problem or (result.measured.detail if result.measured else "")
    return Group(Text(f"{result.row.name}: {result.row.title}", "bold"), *lines, Text(words), Text())


def _drawn(grid: Grid) -> Table:
    """The first column is words, the others are numbers."""
    drawn = Table(box=None, pad_edge=False)
    for number, column in enumerate(grid.columns):
        drawn.add_column(column, justify="right" if number else "left", overflow="fold")
    for line in grid.lines:
        drawn.add_row(*line)
    return drawn


def listing(rows: Sequence[Row]) -> Table:
    """The rows there are, with their figures."""
    drawn = Table(box=None, pad_edge=False, show_header=False)
    drawn.add_column(style="bold", no_wrap=True)
    drawn.add_column()
    for row in rows:
        figures = "; ".join(f"{figure.name} {figure}" for figure in row.figures) or "reported"
        drawn.add_row(row.name, f"{row.title}: {figures}.")
    return drawn


def document(results: Sequence[Result], machine: dict[str, Any], command: str, quick: bool) -> dict[str, Any]:
    """All there is to keep of a measurement, as plain JSON values."""
    return {
        "date": date.today().isoformat(),
        "command": command,
        "quick": quick,
        "machine": machine,
        "rows": [result.as_json() for result in results],
    }


def text(results: Sequence[Result], kept: dict[str, Any]) -> str:
    """The same for people, as it is printed."""
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(f"{kept['command']}, {kept['date']}", highlight=False)
    console.print(summary(kept["machine"]), highlight=False)
    console.print()
    for result in results:
        console.print(particulars(result))
    console.print(table(results))
    return "\n".join(line.rstrip() for line in console.export_text().splitlines()) + "\n"


def write(kept: dict[str, Any], path: Path) -> None:
    """Write JSON whole or not at all."""
    write_text(json.dumps(kept, indent=2, ensure_ascii=False, allow_nan=False) + "\n", path)


def write_text(content: str, path: Path) -> None:
    """Write whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(content, "utf-8")
    os.replace(temporary, path)


def free_path(rows: Sequence[str] = ()) -> Path:
    """results/<date>.json, with the row's name where it is one alone; numbered where an earlier measurement of the day
    has that name."""
    name = "-".join((date.today().isoformat(), *(rows if len(rows) == 1 else ())))
    path, number = RESULTS / f"{name}.json", 1
    while path.exists():
        number += 1
        path = RESULTS / f"{name}-{number}.json"
    return path
