"""Measure what the program is held to: ``python -m tests.benchmarks [ROW …] [--quick] [--output FILE] [--list]``.

Prints a table and writes JSON. Without a row, all are measured, which takes about half an hour on 2 cores that should
have nothing else to do; ``--quick`` runs every row at a small size, to see that it works and not for its numbers. A
missed figure is a result, not an error: the exit status is 1 only when a row broke, and 2 when there is no such row.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tests.benchmarks import machine, report
from tests.benchmarks.figures import MissingPackageError, Result, Row
from tests.benchmarks.rows import ROWS

ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

console = Console()
progress = Console(stderr=True)
cli = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


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
    list_: Annotated[bool, typer.Option("--list", help="List the rows, and measure nothing.")] = False,
) -> None:
    if list_:
        console.print(report.listing(list(ROWS.values())))
        return
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    path = output or (None if quick else report.free_path())
    here, command = machine.describe(), machine.command_line(sys.argv[1:])
    progress.print(machine.summary(here), style="dim", highlight=False)
    results: list[Result] = []
    for name in rows or ROWS:
        results.append(measured(ROWS[name], quick))
        if path is not None:  # after every row, so that an interrupted measurement is not lost
            report.write(report.document(results, here, command, quick), path)
    for result in results:
        console.print(report.particulars(result))
    console.print(report.table(results))
    if path is not None:
        console.print(f"Written to {path}.", highlight=False)
    raise typer.Exit(1 if any(result.problem and not result.problem.startswith("needs") for result in results) else 0)


def measured(row: Row, quick: bool) -> Result:
    """Run one row; whatever goes wrong in it becomes a result that says so."""
    progress.print(f"[bold]{row.name}[/]: {row.title}", highlight=False)
    started = time.perf_counter()
    found, problem = None, None
    try:
        found = row.measure(quick, lambda words: progress.print(f"  {words}", style="dim", highlight=False))
    except MissingPackageError as missing:
        problem = str(missing)
    except Exception as error:
        traceback.print_exc()
        problem = f"broke: {type(error).__name__}: {error}"
    return Result(row, found, time.perf_counter() - started, problem)


if __name__ == "__main__":
    cli()
