"""window-speed: what the open window costs training, as a ratio of wall-clock speeds.

The same run, with the same seed and the same number of environment steps, is trained to its end in fresh processes:
once headless (``Training`` iterated over, no Qt in the process), once by pressing Start in the window at 1280 × 800
with every panel visible, the Episode panel playing at 1× and whatever the window does by itself. Torch is on 1 thread
on both sides. Both sides make a short run first, as the first one in a process loads more of torch. Wall clock runs
headless from before ``Training`` is made to its last event, and in the window from the click on Start to the state
FINISHED, so everything counts: panels, the mailbox, snapshots, waiting for the interpreter's lock.

The sides alternate; the figure is median headless time / median windowed time. Since a run is the same bit for bit
with the window open or closed, the last mean returns are compared too, and it is an error if they differ.

The same is measured of seeds that are trained together, and reported beside it.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from app.models.seeds import seeds_of
from tests.benchmarks.children import run_child
from tests.benchmarks.figures import Measured, Number, Say

if TYPE_CHECKING:
    from engine.reports.events import Updated

# Long enough for some 8 s headless on the machine of the first results.
WORKLOADS = {"cartpole": 300_000, "cartpole-fast": 1_500_000}
SEEDS = {5: 40_000, 20: 16_000}  # environment steps of each, by how many seeds of PPO
TOGETHER = "cartpole-ppo"
REPEATS = 5
WARM_UP = 3_000  # steps


def measure(quick: bool, say: Say) -> Measured:
    repeats = 1 if quick else REPEATS
    held: dict[str, float] = {}
    numbers: list[Number] = []
    alone = {name: (name, 1, steps) for name, steps in WORKLOADS.items()}
    together = {f"{TOGETHER} × {seeds}": (TOGETHER, seeds, steps) for seeds, steps in SEEDS.items()}
    for called, (name, seeds, steps) in (alone | together).items():
        steps = steps // 20 if quick else steps
        runs: dict[str, list[dict[str, Any]]] = {"headless": [], "windowed": []}
        for _ in range(repeats):
            for side, found in runs.items():
                found.append(run_child("window_speed", side, name, str(seeds), str(steps)))
                say(f"{called}, {side}: {found[-1]['seconds']:.2f} s for {found[-1]['steps']:,} steps")
        if len({(run["steps"], run["mean_return"]) for found in runs.values() for run in found}) != 1:
            raise RuntimeError(f"{called}: the runs were not all the same: {runs}")
        seconds = {side: median(run["seconds"] for run in found) for side, found in runs.items()}
        done = runs["headless"][0]["steps"]
        ratio = seconds["headless"] / seconds["windowed"]
        held |= {called: ratio} if called in WORKLOADS else {}
        numbers += [
            Number(f"{called}: ratio", ratio, ""),
            Number(f"{called}: headless", done / seconds["headless"], "steps/s"),
            Number(f"{called}: windowed", done / seconds["windowed"], "steps/s"),
            Number(f"{called}: pictures shown", median(run["frames_per_second"] for run in runs["windowed"]), "per s"),
        ]
    detail = f"Median of {repeats} fresh processes a side, alternating; the same run bit for bit on both sides."
    return Measured(held, tuple(numbers), detail)


def headless(name: str, seeds: int, steps: int) -> dict[str, Any]:
    """The run, or as many seeds of it, without a window, in this process."""
    from engine.reports.events import Updated
    from engine.training.training import Training
    from tests.benchmarks.engine_side import preset, train_until

    config = preset(name, {"budget.environment_steps": steps})
    train_until(preset(name, {"budget.environment_steps": WARM_UP}), math.inf)
    last: dict[str, Updated] = {}
    started = time.perf_counter()
    training = Training(config, seeds=seeds_of(config.seed, seeds) if seeds > 1 else ())
    for event in training:
        if isinstance(event, Updated):
            last[event.run] = event
    seconds = time.perf_counter() - started
    training.close()
    return {"seconds": seconds, **_come_to([*last.values()])}


def windowed(name: str, seeds: int, steps: int) -> dict[str, Any]:
    """The same in the window, in this process."""
    from app.models.run_state import RunState
    from tests.benchmarks.window import opened, workload

    with opened(workload(name, WARM_UP)) as driver:
        controller = driver.window.controller
        driver.trigger("start")
        driver.wait_for(RunState.FINISHED)
        driver.window.choice_loader.load(workload(name, steps))
        controller.seeds.choose(seeds)
        driver.spin(0.5)
        frames, started = driver.frames, time.perf_counter()
        driver.trigger("start")
        seconds = driver.wait_for(RunState.FINISHED) - started
        runs = controller.group.runs if controller.group is not None else (controller.shown.run,)
        shown = (driver.frames - frames) / seconds
        return {"seconds": seconds, "frames_per_second": shown, **_come_to([run.history.latest for run in runs])}


def _come_to(last: Sequence[Updated]) -> dict[str, Any]:
    """What runs have come to, all of them together."""
    steps = sum(told.environment_steps for told in last)
    return {"steps": steps, "mean_return": sum(told.metrics["mean_return"] or 0.0 for told in last)}


if __name__ == "__main__":
    side, name, seeds, steps = sys.argv[1:]
    print(json.dumps({"headless": headless, "windowed": windowed}[side](name, int(seeds), int(steps))))
