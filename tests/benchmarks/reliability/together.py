"""Two windows and three commands train at once in one library: all is there afterwards, and nobody was refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

from engine.runs.library import ITERATIONS, Library
from engine.runs.records import Status
from tests.benchmarks.reliability.kills import Losses, require_readable
from tests.benchmarks.reliability.processes import PRESET, Process, started, trained

WINDOWS, COMMANDS = 2, 3
STEPS = 30_000  # environment steps of each command
SECONDS = 15.0  # for which a window trains
PATIENCE = 300.0  # seconds


def together(folder: Path, steps: int = STEPS, seconds: float = SECONDS) -> list[str]:
    """What goes wrong."""
    library, losses = folder / "library", Losses()
    opened = ["--preset", PRESET, "--start", "--seconds", str(seconds)]
    windows = [started(opened, library, folder / f"window-{number}") for number in range(WINDOWS)]
    commands = [trained(library, folder / f"command-{seed}", seed, steps) for seed in range(COMMANDS)]
    for process in (*windows, *commands):
        try:
            process.popen.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
        if process.popen.returncode != 0:
            losses.wrong.append(f"a process ended with {process.popen.returncode}: {process.words[-500:]}")
        if "cannot" in process.words or "not recorded" in process.words:
            losses.wrong.append(f"a process could not write: {process.words[-500:]}")
    require_readable(library, losses)
    with Library(library) as found:
        runs = found.runs()
        if len(runs) != WINDOWS + COMMANDS:
            losses.wrong.append(f"{len(runs)} runs are there of {WINDOWS + COMMANDS}")
        if not all(found.checkpoints(run.id) for run in runs):
            losses.wrong.append("a run has no checkpoint")
        finished = [run for run in runs if run.status == Status.FINISHED]
        if len(finished) < COMMANDS:
            losses.wrong.append(f"the runs are {', '.join(run.status for run in runs)}")
        recorded = sorted(found.series(run.id, ITERATIONS)["seconds"].tolist() for run in finished)
        reported = sorted(_seconds(process) for process in commands)
        if not all(one in recorded for one in reported):
            losses.wrong.append("what was reported is not what is in the library")
    return losses.wrong


def _seconds(process: Process) -> list[float]:
    return [line["seconds"] for line in process.lines]
