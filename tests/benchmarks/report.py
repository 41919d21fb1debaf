"""The table that people read and the JSON that is kept."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.benchmarks.figures import Result, Row, shown

RESULTS = Path(__file__).parent / "results"
VERDICTS = {True: "[green]met[/]", False: "[red]missed[/]", None: "reported"}


def table(results: Sequence[Result]) -> Table:
    """One line per figure; a row without figures, or that could not be measured, has one line."""
    drawn = Table(title="Policy Gradient Playground: figures to hold", title_justify="left", show_lines=True)
    for heading in ("row", "figure", "wanted", "got", ""):
        drawn.add_column(heading, no_wrap=heading in ("wanted", "got"))
    drawn.add_column("measured", ratio=1)
    for result in results:
        _add(drawn, result)
    return drawn


def _add(drawn: Table, result: Result) -> None:
    name = f"[bold]{result.row.name}[/]\n{result.seconds:.0f} s"
    if result.measured is None:
        drawn.add_row(name, "", "\n".join(map(str, result.row.figures)), "–", "not measured", result.problem or "")
        return
    figures, wanted, got, verdicts = [], [], [], []
    for figure in result.row.figures:
        value = result.value(figure)
        figures.append(figure.name)
        wanted.append(str(figure))
        got.append("–" if value is None else f"{shown(value)} {figure.unit}")
        verdicts.append("not measured" if value is None else VERDICTS[result.verdict(figure)])
    numbers = "\n".join(map(str, result.measured.numbers))
    words = f"{result.row.title}\n[dim]{numbers}[/]\n{result.measured.detail}"
    drawn.add_row(name, "\n".join(figures), "\n".join(wanted), "\n".join(got), "\n".join(verdicts) or VERDICTS[None], words)


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


def write(kept: dict[str, Any], path: Path) -> None:
    """Write whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(json.dumps(kept, indent=2, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")
    os.replace(temporary, path)


def free_path() -> Path:
    """results/<date>.json, numbered where an earlier measurement of the day has that name."""
    today = date.today().isoformat()
    path, number = RESULTS / f"{today}.json", 1
    while path.exists():
        number += 1
        path = RESULTS / f"{today}-{number}.json"
    return path
