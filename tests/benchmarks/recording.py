"""recording: what it costs training that a run is recorded, and for how long an iteration waits for it.

The same run, with the same seed and the same number of environment steps, is trained headless to its end in fresh
processes: once as it is, and once recorded in a library of its own, as ``main.py train`` does. Wall clock runs from
before ``Training`` is made to the run's end, which waits for the last writing. The sides take turns, and the figure is
the median of the turns' ratios.

While it is recorded, the time that the training thread spends in the recorder is taken for every iteration: for its
events, for the state that is to be saved, and for what the timeline keeps. The writing itself has a thread of its own,
and shows in the speed.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tests.benchmarks.children import run_child
from tests.benchmarks.figures import Measured, Number, Say

# Long enough for some 15 s on the machine of the first results.
WORKLOADS = {"cartpole": 450_000, "cartpole-fast": 3_000_000, "cartpole-ppo": 300_000}
REPEATS = 7
WARM_UP = 3_000  # steps


def measure(quick: bool, say: Say) -> Measured:
    repeats = 1 if quick else REPEATS
    held: dict[str, float] = {}
    numbers: list[Number] = []
    waits: list[float] = []
    for name, steps in WORKLOADS.items():
        steps = steps // 20 if quick else steps
        runs: dict[str, list[dict[str, Any]]] = {"plain": [], "recorded": []}
        for turn in range(repeats):
            for side, found in sorted(runs.items(), reverse=bool(turn % 2)):  # neither is always the first
                found.append(run_child("recording", side, name, str(steps)))
                say(f"{name}, {side}: {found[-1]['seconds']:.2f} s for {found[-1]['steps']:,} steps")
        if len({(run["steps"], run["mean_return"]) for found in runs.values() for run in found}) != 1:
            raise RuntimeError(f"{name}: the runs were not all the same: {runs}")
        seconds = {side: median(run["seconds"] for run in found) for side, found in runs.items()}
        done, own = runs["plain"][0]["steps"], [wait for run in runs["recorded"] for wait in run["waits"]]
        waits.append(float(np.quantile(own, 0.99)))
        turns = zip(runs["plain"], runs["recorded"], strict=True)
        held[name] = median(plain["seconds"] / recorded["seconds"] for plain, recorded in turns)
        numbers += [
            Number(f"{name}: ratio", held[name], ""),
            Number(f"{name}: not recorded", done / seconds["plain"], "steps/s"),
            Number(f"{name}: recorded", done / seconds["recorded"], "steps/s"),
            Number(f"{name}: an iteration waits, median", float(np.median(own)), "ms"),
            Number(f"{name}: an iteration waits, 99th percentile", waits[-1], "ms"),
            Number(f"{name}: an iteration waits, maximum", max(own), "ms"),
            Number(f"{name}: processor time of the writing", median(run["writing"] for run in runs["recorded"]), "s"),
        ]
    held["an iteration waits, 99th percentile"] = max(waits)
    detail = f"Median of {repeats} turns of a fresh process a side; the same run bit for bit on both sides."
    return Measured(held, tuple(numbers), detail)


def train(side: str, name: str, steps: int) -> dict[str, Any]:
    """The run, in this process."""
    from engine.reports.events import Updated
    from engine.runs.recorder import Recorder
    from engine.runs.records import Status
    from engine.training.training import Training
    from tests.benchmarks.engine_side import preset, train_until

    config = preset(name, {"budget.environment_steps": steps})
    train_until(preset(name, {"budget.environment_steps": WARM_UP}), math.inf)
    waits: list[float] = []
    last: Updated | None = None
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder), print) if side == "recorded" else None
        started, cpu = time.perf_counter(), time.process_time() - time.thread_time()
        training = Training(config, "measured")
        if recorder is not None:
            recorder.begin(training)
        waited = 0.0
        for event in training:
            if recorder is not None:
                before = time.perf_counter()
                recorder.put(event)
                if isinstance(event, Updated):
                    recorder.between(training)
                waited += time.perf_counter() - before
            if isinstance(event, Updated):
                last = event
                waits.append(1000 * waited)
                waited = 0.0
        if recorder is not None:
            recorder.save(training)
            recorder.end(Status.FINISHED)
        seconds = time.perf_counter() - started
        writing = time.process_time() - time.thread_time() - cpu
        training.close()
    assert last is not None
    return {
        "seconds": seconds,
        "steps": last.environment_steps,
        "mean_return": last.metrics["mean_return"],
        "waits": waits,
        "writing": writing,
    }


if __name__ == "__main__":
    side, name, steps = sys.argv[1:]
    print(json.dumps(train(side, name, int(steps))))
