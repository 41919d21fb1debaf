"""Measure what the program is held to: ``python -m tests.benchmarks [ROW …] [--quick] [--output FILE] [--list]``.

Prints tables and writes them, as text and as JSON. Without a row, all are measured, which takes two hours on 2
cores that should have nothing else to do; ``--quick`` runs every row at a small size, to see that it works and not for
its numbers. The rows ``learning`` and ``doctor`` also take ``--only PRESET``, ``--seeds N``, ``--first-seed N`` and
``--resume``, the row ``speed`` ``--only PART`` and ``--seeds N``. A missed figure is a result, not an error: the exit
status is 1 only when a row broke, and 2 when the request was wrong.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from engine.runs.place import VARIABLE
from tests.benchmarks import machine, report
from tests.benchmarks.figures import MissingPackageError, Result, Row
from tests.benchmarks.rows import ROWS

ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

console = Console()
progress = Console(stderr=True)
cli = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def _of_a_row(given: dict[str, Any], rows: list[str]) -> dict[str, Any]:
    """The options that were given; each must be one that a measured row takes."""
    found = {name: value for name, value in given.items() if value}
    for name in found:
        if not any(name in ROWS[row].options for row in rows):
            takers = ", ".join(row.name for row in ROWS.values() if name in row.options) or "none"
            raise typer.BadParameter(f"--{name.replace('_', '-')} is for {takers}, which is not measured here.")
    return found


def _known(names: list[str] | None) -> list[str]:
    unknown = [name for name in names or () if name not in ROWS]
    if unknown:
        raise typer.BadParameter(f"there is no row {unknown[0]}; there is {', '.join(ROWS)}.")
    return list(dict.fromkeys(names or ROWS))


@cli.command(help="Measure the figures the program is held to; without a row, all of them.")
def main(
    rows: Annotated[list[str] | None, typer.Argument(metavar="[ROW]...", callback=_known, show_default=False)] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes: whether it works, not how fast it is.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="Where to write JSON; otherwise results/<date>.json, or nowhere with --quick.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="learning, doctor: this preset; speed: this part. May be given several times."
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, max=100, help="learning, doctor, speed: so many seeds in place of its own.")
    ] = None,
    first_seed: Annotated[int | None, typer.Option(min=0, help="learning, doctor: the first of the seeds.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="learning, doctor: keep what an interrupted measurement has run already.")
    ] = False,
    list_: Annotated[bool, typer.Option("--list", help="List the rows, and measure nothing.")] = False,
) -> None:
    if list_:
        console.print(report.listing(list(ROWS.values())))
        return
    names = rows or list(ROWS)
    options = _of_a_row({"only": only, "seeds": seeds, "first_seed": first_seed, "resume": resume}, names)
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    path = output or (None if quick else report.free_path(names))
    here, command = machine.describe(), machine.command_line(sys.argv[1:])
    progress.print(machine.summary(here), style="dim", highlight=False)
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as library:  # runs that are measured are nobody's own
        os.environ[VARIABLE] = library
        for name in names:
            results.append(measured(ROWS[name], quick, **options))
            if path is not None:  # after every row, so that an interrupted measurement is not lost
                kept = report.document(results, here, command, quick)
                report.write(kept, path)
                report.write_text(report.text(results, kept), path.with_suffix(".txt"))
    for result in results:
        console.print(report.particulars(result))
    console.print(report.table(results))
    if path is not None:
        console.print(f"Written to {path}.", highlight=False)
    raise typer.Exit(1 if any(result.problem and not result.problem.startswith("needs") for result in results) else 0)


def _say(words: str) -> None:
    progress.print(f"  {words}", style="dim", highlight=False)


def measured(row: Row, quick: bool, **options: Any) -> Result:
    """Run one row; whatever goes wrong in it becomes a result that says so."""
    progress.print(f"[bold]{row.name}[/]: {row.title}", highlight=False)
    started = time.perf_counter()
    found, problem = None, None
    try:
        found = row.measure(quick, _say, **options)
    except typer.BadParameter:  # an option's value that only the row itself could judge
        raise
    except MissingPackageError as missing:
        problem = str(missing)
    except Exception as error:
        traceback.print_exc()
        problem = f"broke: {type(error).__name__}: {error}"
    return Result(row, found, time.perf_counter() - started, problem)


if __name__ == "__main__":
    cli()
