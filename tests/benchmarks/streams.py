"""streams: how late the window handles events while 200 runs of an experiment are written into its library.

Two processes write 100 runs each as trained runs are recorded: every half a second, of each run, five iterations with
all metrics, its episodes and how far it has come, a transaction for each run. The window is open at 1280 × 800 in the
Experiment mode, which shows the 20 settings × 10 seeds: the curves of all settings with their bands, and the table. A
call's delay is how much later than asked it came, counted as in ``event-loop``; the figures are the 99th percentile and
the maximum.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from engine.config import presets
from engine.config.parameters import with_values
from engine.runs.library import EPISODES, ITERATIONS, Library
from engine.runs.records import Reached, RunRecord, Status
from engine.runs.sweeps.experiments import Experiments
from engine.runs.sweeps.plan import planned, run_id
from engine.runs.sweeps.records import Progress
from engine.runs.sweeps.spec import Sweep, Varied
from engine.runs.told import EPISODE_COLUMNS, ITERATION_COLUMNS
from tests.benchmarks.children import run_child
from tests.benchmarks.event_loop import Delays
from tests.benchmarks.figures import Measured, Number, Say
from tests.benchmarks.machine import ROOT

SETTINGS, SEEDS, WRITERS = 20, 10, 2
EVERY = 0.5  # seconds from one writing of a run to its next
ITERATIONS_EACH, STEPS_EACH = 5, 1_000
SECONDS = 20.0


def measure(quick: bool, say: Say) -> Measured:
    seconds, settings = (4.0, 4) if quick else (SECONDS, SETTINGS)
    found = run_child("streams", "window", str(settings), str(seconds))
    say(f"99th percentile {found['p99']:.1f} ms, maximum {found['maximum']:.1f} ms, {found['rows']:,} rows written")
    numbers = (
        Number("median", found["p50"], "ms"),
        Number("99th percentile", found["p99"], "ms"),
        Number("maximum", found["maximum"], "ms"),
        Number("writings of a run", found["written"] / seconds, "per s"),
        Number("results shown", found["shown"] / seconds, "per s"),
    )
    detail = f"{settings * SEEDS} runs written for {seconds:g} s by {WRITERS} processes on the same cores."
    return Measured({"99th percentile": found["p99"], "maximum": found["maximum"]}, numbers, detail)


def swept(settings: int) -> Sweep:
    """An experiment of so many settings."""
    rates = tuple(float(f"{rate:.4g}") for rate in np.geomspace(1e-4, 1e-1, settings))
    vary = (Varied(path="update.learning_rate", values=rates),)
    config = with_values(presets.default().config, {"budget.environment_steps": 1_000_000})
    return Sweep(title="Streams", config=config, vary=vary, seeds=SEEDS)


# --- in processes of their own ----------------------------------------------------------------------------------------


def write(folder: Path, settings: int, writer: int) -> None:
    """Write this writer's share of the runs until standard input is closed."""
    import threading

    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    random, sweep = np.random.default_rng(writer), swept(settings)
    with Library(folder) as library:
        experiment = Experiments(library).list()[0]
        plan = planned(sweep)
        runs = [
            _begun(library, point.of_seed(seed).model_dump(mode="json"), run_id(experiment.id, point.index, seed))
            for point in plan.points
            for seed in plan.seeds
            if (point.index + seed) % WRITERS == writer
        ]
        print("begun", flush=True)
        round_, written = 0, 0
        while not over.is_set():
            began = time.perf_counter()
            for run in runs:
                _tell(library, run, round_, random)
                written += 1
                if over.is_set():
                    break
            round_ += 1
            over.wait(max(EVERY - (time.perf_counter() - began), 0.0))
    print(json.dumps({"written": written}), flush=True)


def _begun(library: Library, configuration: dict[str, Any], run: str) -> str:
    with library.transaction():
        library.begin(RunRecord(run, 0, configuration, Status.RUNNING, time.time()))
        library.execute("UPDATE experiment_runs SET progress = ? WHERE run = ?", (str(Progress.TRAINING), run))
    return run


def _tell(library: Library, run: str, round_: int, random: np.random.Generator) -> None:
    first = round_ * ITERATIONS_EACH
    rows = random.normal(size=(ITERATIONS_EACH, len(ITERATION_COLUMNS)))
    rows[:, 0] = np.arange(first + 1, first + ITERATIONS_EACH + 1)
    rows[:, 1] = rows[:, 0] * STEPS_EACH
    rows[:, 2], rows[:, 3] = rows[:, 1] / 100, rows[:, 0] / 10
    mean = ITERATION_COLUMNS.index("mean_return")
    rows[:, mean] = 400.0 * (1.0 - np.exp(-rows[:, 0] / 100.0)) + 20.0 * rows[:, mean]
    ends = random.normal(100.0, 20.0, size=(10 * ITERATIONS_EACH, len(EPISODE_COLUMNS)))
    last = rows[-1]
    reached = Reached(int(last[0]), int(last[1]), int(last[2]), float(last[3]), float(last[mean]), float(last[mean]))
    with library.transaction():
        library.append(run, ITERATIONS, ITERATION_COLUMNS, rows)
        library.append(run, EPISODES, EPISODE_COLUMNS, ends)
        library.reach(run, reached, [float(value) for value in rows[:, mean]])


def shown(settings: int, seconds: float) -> dict[str, Any]:
    """Delays of events while the window shows what is written, in this process."""
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    from tests.benchmarks.window import opened, workload

    with opened(workload("cartpole")) as driver:
        window = driver.window
        folder = window.run_library.folder
        with Library(folder) as library:
            Experiments(library).add(swept(settings))
        writers = [_started(folder, settings, writer) for writer in range(WRITERS)]
        try:
            for each in writers:
                assert each.stdout is not None
                each.stdout.readline()
            QTest.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
            page = window.experiments.page
            assert page is not None
            counted: list[object] = []
            page.watch.renewed.connect(counted.append)
            driver.wait_until(lambda: len(counted) > 2)
            counted.clear()
            delays = Delays()
            delays.begin()
            driver.spin(seconds)
            found = delays.end()
            shown = len(counted)
        finally:
            told = [json.loads(each.communicate()[0].splitlines()[-1]) for each in writers]
    written = sum(each["written"] for each in told)
    return {**found, "shown": shown, "written": written, "rows": written * ITERATIONS_EACH}


def _started(folder: Path, settings: int, writer: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.benchmarks.streams", "write", str(folder), str(settings), str(writer)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "write":
        write(Path(rest[0]), int(rest[1]), int(rest[2]))
    else:
        print(json.dumps(shown(int(rest[0]), float(rest[1]))))
