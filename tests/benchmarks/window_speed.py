"""window-speed: what the open window costs training, as a ratio of wall-clock speeds.

The same run, with the same seed and the same number of environment steps, is trained to its end in fresh processes:
once headless (``Training`` iterated over, no Qt in the process), once by pressing Start in the window at 1280 × 800
with every panel visible, the Episode panel playing at 1× and whatever the window does by itself. Torch is on 1 thread
on both sides. Both sides make a short run first, as the first one in a process loads more of torch. Wall clock runs
headless from before ``Training`` is made to its last event, and in the window from the click on Start to the state
FINISHED, so everything counts: panels, the mailbox, snapshots, waiting for the interpreter's lock.

The sides alternate; the figure is median headless time / median windowed time. Since a run is the same bit for bit
with the window open or closed, the last mean returns are compared too, and it is an error if they differ.
"""

from __future__ import annotations

import json
import math
import sys
import time
from statistics import median
from typing import Any

from tests.benchmarks.children import run_child
from tests.benchmarks.figures import Measured, Number, Say

# Long enough for some 8 s headless on the machine of the first results.
WORKLOADS = {"cartpole": 300_000, "cartpole-fast": 1_500_000}
REPEATS = 5
WARM_UP = 3_000  # steps


def measure(quick: bool, say: Say) -> Measured:
    repeats = 1 if quick else REPEATS
    held: dict[str, float] = {}
    numbers: list[Number] = []
    for name, steps in WORKLOADS.items():
        steps = steps // 20 if quick else steps
        runs: dict[str, list[dict[str, Any]]] = {"headless": [], "windowed": []}
        for _ in range(repeats):
            for side, found in runs.items():
                found.append(run_child("window_speed", side, name, str(steps)))
                say(f"{name}, {side}: {found[-1]['seconds']:.2f} s for {found[-1]['steps']:,} steps")
        if len({(run["steps"], run["mean_return"]) for found in runs.values() for run in found}) != 1:
            raise RuntimeError(f"{name}: the runs were not all the same: {runs}")
        seconds = {side: median(run["seconds"] for run in found) for side, found in runs.items()}
        done = runs["headless"][0]["steps"]
        held[name] = seconds["headless"] / seconds["windowed"]
        numbers += [
            Number(f"{name}: ratio", held[name], ""),
            Number(f"{name}: headless", done / seconds["headless"], "steps/s"),
            Number(f"{name}: windowed", done / seconds["windowed"], "steps/s"),
            Number(f"{name}: pictures shown", median(run["frames_per_second"] for run in runs["windowed"]), "per s"),
        ]
    detail = f"Median of {repeats} fresh processes a side, alternating; the same run bit for bit on both sides."
    return Measured(held, tuple(numbers), detail)


def headless(name: str, steps: int) -> dict[str, Any]:
    """The run without a window, in this process."""
    from engine.reports.events import Updated
    from engine.training.training import Training
    from tests.benchmarks.engine_side import preset, train_until

    config = preset(name, {"budget.environment_steps": steps})
    train_until(preset(name, {"budget.environment_steps": WARM_UP}), math.inf)
    last: Updated | None = None
    started = time.perf_counter()
    training = Training(config)
    for event in training:
        if isinstance(event, Updated):
            last = event
    seconds = time.perf_counter() - started
    training.close()
    assert last is not None
    return {"seconds": seconds, "steps": last.environment_steps, "mean_return": last.metrics["mean_return"]}


def windowed(name: str, steps: int) -> dict[str, Any]:
    """The run in the window, in this process."""
    from app.models.run_state import RunState
    from tests.benchmarks.window import opened, workload

    with opened(workload(name, WARM_UP)) as driver:
        driver.trigger("start")
        driver.wait_for(RunState.FINISHED)
        driver.window.choice_loader.load(workload(name, steps))
        driver.spin(0.5)
        frames, started = driver.frames, time.perf_counter()
        driver.trigger("start")
        seconds = driver.wait_for(RunState.FINISHED) - started
        last = driver.window.controller.history.latest
        assert last is not None
        return {
            "seconds": seconds,
            "steps": last.environment_steps,
            "mean_return": last.metrics["mean_return"],
            "frames_per_second": (driver.frames - frames) / seconds,
        }


if __name__ == "__main__":
    side, name, steps = sys.argv[1:]
    print(json.dumps({"headless": headless, "windowed": windowed}[side](name, int(steps))))
