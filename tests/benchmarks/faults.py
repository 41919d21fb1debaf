"""Whether tests notice planted faults: ``python -m tests.benchmarks.faults [--only NAME …] [--output FILE] [--list]``.

Every fault of ``fault_table`` is planted by itself in a copy of the checkout, where the tests that are about it are run
until the first failure. Prints which test caught it, or that all passed, and writes both, as text and as JSON. Tests
that caught one must pass without any. The exit status is 1 where a fault cannot be planted, a run breaks, or a test
fails anyhow, and 2 when the request was wrong; a fault that is missed is a result.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from tests.benchmarks import machine, report
from tests.benchmarks.fault_table import FAULTS, Fault

COPIED = ("app", "engine", "resources", "tests", "main.py", "pyproject.toml")
LONGEST = 900.0  # seconds of tests for one fault; what has not ended by then does not end
PASSED, FAILED = 0, 1  # pytest's exit status; others mean that it could not run

console = Console()
cli = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class Found:
    """What became of a fault: the first test that failed, None where all passed."""

    fault: Fault
    caught_by: str | None
    seconds: float


class PlantingError(Exception):
    """A fault has no place any more, or tests cannot be run."""


def planted(fault: Fault, root: Path) -> str:
    """The text of the file with the fault in it.

    Raises:
        PlantingError: the file is gone, or does not hold the old text exactly once.
    """
    path = root / fault.file
    if not path.is_file():
        raise PlantingError(f"{fault.name}: there is no file {fault.file}.")
    text = path.read_text("utf-8")
    if text.count(fault.old) != 1:
        raise PlantingError(
            f"{fault.name}: {fault.file} holds {fault.old!r} {text.count(fault.old)} times, not once; "
            "give the fault the text that stands there now."
        )
    return text.replace(fault.old, fault.new)


def copied(root: Path, to: Path) -> None:
    """Copy what tests need of the checkout at ``root``."""
    for name in COPIED:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=shutil.ignore_patterns("__pycache__", "results"))
        else:
            shutil.copy2(source, to / name)


def first_failure(root: Path, tests: Sequence[str]) -> str | None:
    """The first test that fails at ``root``; None where all pass.

    Raises:
        PlantingError: they could not be run.
    """
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider", *tests]
    environment = {"QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1", **os.environ}
    environment.pop("PYTEST_ADDOPTS", None)  # which is meant for the tests that plant
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # a file changed twice within a second would be read as it was before
    try:
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        raise PlantingError(f"{' '.join(tests)} did not end within {LONGEST:.0f} s.") from None
    if done.returncode == PASSED:
        return None
    failures = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    if done.returncode != FAILED or not failures:
        raise PlantingError(f"pytest ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return failures[0].split(" ", 1)[1].split(" - ")[0]


def tried(fault: Fault, root: Path) -> Found:
    """Plant the fault at ``root``, run the tests, and put back what was there."""
    path, started = root / fault.file, time.perf_counter()
    sound, broken = path.read_text("utf-8"), planted(fault, root)
    path.write_text(broken, "utf-8")
    try:
        caught_by = first_failure(root, fault.tests)
    finally:
        path.write_text(sound, "utf-8")
    return Found(fault, caught_by, time.perf_counter() - started)


def require_sound(found: Iterable[Found], root: Path) -> None:
    """Raises PlantingError where a test that failed with a fault fails at ``root`` without one as well."""
    caught = sorted({one.caught_by for one in found if one.caught_by is not None})
    failing = first_failure(root, caught) if caught else None
    if failing is not None:
        raise PlantingError(f"{failing} fails without any fault too, so it tells nothing of one.")


def table(found: Sequence[Found]) -> Table:
    caught = sum(one.caught_by is not None for one in found)
    drawn = Table(title=f"{caught} of {len(found)} planted faults are caught", title_justify="left")
    drawn.add_column("fault")
    drawn.add_column("what it breaks")
    drawn.add_column("caught by", overflow="fold")
    for one in found:
        by = "[red]missed[/]" if one.caught_by is None else one.caught_by.removeprefix("tests/").split("[")[0]
        drawn.add_row(one.fault.name, one.fault.breaks, by)
    return drawn


def document(found: Sequence[Found], here: dict[str, Any], command: str) -> dict[str, Any]:
    """All there is to keep, as plain JSON values."""
    return {
        "date": date.today().isoformat(),
        "command": command,
        "machine": here,
        "caught": sum(one.caught_by is not None for one in found),
        "planted": len(found),
        "faults": [
            {
                "name": one.fault.name,
                "breaks": one.fault.breaks,
                "file": one.fault.file,
                "old": one.fault.old,
                "new": one.fault.new,
                "caught_by": one.caught_by,
                "seconds": round(one.seconds, 1),
            }
            for one in found
        ],
    }


def text(found: Sequence[Found], kept: dict[str, Any]) -> str:
    """The same for people."""
    written = Console(width=160, record=True, file=io.StringIO())
    written.print(f"{kept['command']}, {kept['date']}, commit {kept['machine']['commit']}", highlight=False)
    written.print(table(found))
    return "\n".join(line.rstrip() for line in written.export_text().splitlines()) + "\n"


def _known(names: list[str] | None) -> list[str]:
    unknown = [name for name in names or () if name not in {fault.name for fault in FAULTS}]
    if unknown:
        raise typer.BadParameter(f"there is no fault {unknown[0]!r}; --list shows what there is.")
    return names or []


@cli.command(help="Plant faults one at a time and see whether the tests notice.")
def main(
    only: Annotated[list[str] | None, typer.Option(metavar="NAME", callback=_known, help="Only this fault.")] = None,
    output: Annotated[Path | None, typer.Option(help="Where to write; otherwise results/<date>-faults.json.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the faults, and plant none.")] = False,
) -> None:
    faults = [fault for fault in FAULTS if not only or fault.name in only]
    if list_:
        for fault in faults:
            console.print(f"{fault.name}: {fault.breaks}", highlight=False)
        return
    path = output or report.free_path(["faults"])
    try:
        found = _all_tried(faults)
    except PlantingError as error:
        console.print(str(error), style="red", highlight=False, markup=False)
        raise typer.Exit(1) from None
    command = " ".join(["python", "-m", "tests.benchmarks.faults", *sys.argv[1:]])
    kept = document(found, machine.describe(), command)
    report.write(kept, path)
    report.write_text(text(found, kept), path.with_suffix(".txt"))
    console.print(table(found))
    console.print(f"Written to {path}.", highlight=False)


def _all_tried(faults: Sequence[Fault]) -> list[Found]:
    for fault in faults:  # all of them, before any time is spent
        planted(fault, machine.ROOT)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        root = Path(folder)
        copied(machine.ROOT, root)
        found = []
        for fault in faults:
            found.append(tried(fault, root))
            console.print(f"{fault.name}: {found[-1].caught_by or 'missed'}", highlight=False, markup=False)
        require_sound(found, root)
    return found


if __name__ == "__main__":
    cli()
