"""Processes that train are killed at moments drawn at random; what their library has then is looked at."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from engine.runs.library import DATABASE, EPISODES, ITERATIONS, Library
from engine.runs.liveness import settle
from engine.runs.records import RunRecord, Status
from engine.runs.resuming import resume
from engine.runtime.errors import RequestError, RunError
from engine.training.checkpoint import from_bytes
from tests.benchmarks.reliability.processes import Process, started, trained

SCALARS = 1.0  # seconds of numbers that may be lost
TOGETHER = 2  # processes that train at once in one library
LONGEST = 6.0  # seconds that one has learned when it is killed, at most
WEIGHTS = 60.0  # seconds of training whose weights may be lost


@dataclass
class Losses:
    """What the kills came to: for how many seconds the first number that is lost had been told, and the seconds of
    training after the last weights that were kept."""

    kills: int = 0
    scalars: list[float] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    checkpoints: int = 0
    resumed: int = 0
    wrong: list[str] = field(default_factory=list)


def killed(folder: Path, kills: int, say: Callable[[str], None]) -> Losses:
    """Kill so many processes; every other one goes on with the run of one that was killed before."""
    random, losses = Random(1), Losses()
    library = folder / "library"
    while losses.kills < kills:
        count = min(TOGETHER, kills - losses.kills)
        processes = [_begun(library, folder / f"{losses.kills + at}", random) for at in range(count)]
        _kill(processes, random, losses)
        losses.kills += count
        inspect(library, processes, losses)
        say(f"{losses.kills} killed; {len(losses.wrong)} wrong")
    return losses


def _begun(library: Path, place: Path, random: Random) -> Process:
    """A new run, or one that was interrupted and goes on."""
    if (library / DATABASE).exists() and random.random() < 0.5:
        with Library(library) as opened:
            settle(opened)
            free = [run for run in opened.runs() if run.status == Status.INTERRUPTED and opened.checkpoints(run.id)]
        taken = {path.read_text("utf-8") for path in place.parent.glob("*/run") if not _over(path)}
        free = [run for run in free if run.id not in taken]
        if free:
            run = random.choice(free)
            process = started(["resume", str(run.number)], library, place)
            (place / "run").write_text(run.id, "utf-8")
            return process
    return trained(library, place, seed=random.randrange(1000))


def _over(path: Path) -> bool:
    return (path.parent / "killed").exists()


def _kill(processes: list[Process], random: Random, losses: Losses) -> None:
    """Some are killed before they have learned anything, some in the middle of it."""
    for process in processes:
        if random.random() < 0.1:
            time.sleep(random.random() * 3.0)
            continue
        try:
            process.wait_for_lines(1)
        except RuntimeError as error:
            losses.wrong.append(str(error))
    time.sleep(random.random() * LONGEST)
    for process in processes:
        process.kill()
        (process.said.parent / "killed").touch()


def inspect(library: Path, processes: list[Process], losses: Losses) -> None:
    """Read everything there is, as the next one who opens the library does."""
    require_readable(library, losses)
    try:
        with Library(library) as opened:
            runs = opened.runs()
            for process in processes:
                _measure_losses(opened, runs, process, losses)
            if runs and opened.checkpoints(runs[0].id):
                resume(opened, runs[0]).close()
                losses.resumed += 1
    except (RequestError, RunError) as error:
        losses.wrong.append(f"the library cannot be read: {error}")


def require_readable(library: Path, losses: Losses) -> None:
    """Everything in a library that nobody trains in has to be sound."""
    try:
        with Library(library) as opened:
            if (found := opened.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                losses.wrong.append(f"the database is damaged: {found}")
            settle(opened)
            runs = opened.runs()
            if alive := [run.number for run in runs if run.status in (Status.RUNNING, Status.PAUSED)]:
                losses.wrong.append(f"runs {alive} are said to be trained, by nobody")
            if [run.number for run in runs] != list(range(len(runs), 0, -1)):
                losses.wrong.append("runs are missing")
            for run in runs:
                _require_whole(opened, run, losses)
    except (RequestError, RunError) as error:
        losses.wrong.append(f"the library cannot be read: {error}")


def _require_whole(library: Library, run: RunRecord, losses: Losses) -> None:
    """Every checkpoint that is named is there and can be read, no file is there that is not named, and the numbers
    are without a gap."""
    named = library.checkpoints(run.id)
    for checkpoint in named:
        try:
            state = from_bytes(library.checkpoint_file(checkpoint).read_bytes())
            losses.checkpoints += 1
            if state["totals"][0]["iteration"] != checkpoint.iteration:
                losses.wrong.append(f"a checkpoint of run {run.number} is of another iteration than it says")
        except (RequestError, OSError) as error:
            losses.wrong.append(f"a checkpoint of run {run.number} cannot be read: {error}")
    series = library.series(run.id, ITERATIONS)
    if len(series) and not np.array_equal(series["iteration"], np.arange(1, len(series) + 1)):
        losses.wrong.append(f"iterations of run {run.number} are missing")
    if run.reached.iteration != len(series):
        losses.wrong.append(f"run {run.number} has {len(series)} iterations, and says {run.reached.iteration}")
    episodes = library.series(run.id, EPISODES)
    if len(episodes) and np.any(np.diff(episodes["iteration"]) < 0):
        losses.wrong.append(f"episodes of run {run.number} are in disorder")


def _measure_losses(library: Library, runs: list[RunRecord], process: Process, losses: Losses) -> None:
    """How much of what the process reported is not in the library; of a report, the lines are there at once."""
    lines = process.lines
    if not lines:
        return
    last = lines[-1]
    for run in runs:
        series = library.series(run.id, ITERATIONS)
        if not len(series):
            continue
        at = [line for line in lines if line["iteration"] <= len(series)]
        rows = series.rows[:, [series.columns.index(name) for name in ("iteration", "environment_steps", "seconds")]]
        told = np.array([[line["iteration"], line["environment_steps"], line["seconds"]] for line in at])
        if not len(told) or not np.array_equal(rows[told[:, 0].astype(int) - 1], told):
            continue  # another's
        losses.scalars.append(_age(lines[len(at) :], process))
        kept = library.checkpoints(run.id)
        saved = float(series["seconds"][kept[0].iteration - 1]) if kept and kept[0].iteration else 0.0
        losses.weights.append(max(0.0, last["seconds"] - saved))
        return
    losses.scalars.append(_age(lines, process))  # nothing of it is there


def _age(lost: list[dict[str, Any]], process: Process) -> float:
    """For how many seconds the first of the lines that are ``lost`` had been told when the process was killed."""
    if not lost:
        return 0.0
    return lost[-1]["seconds"] - lost[0]["seconds"] + max(0.0, process.killed_at - process.report.stat().st_mtime)
