"""memory: what the program with its window open holds after a million episodes, against after ten thousand.

In a fresh process the window is open at 1280 × 800 with every panel live, and trains a linear policy on CartPole-v1
with a learning rate so small (1e-9) that episodes stay at about 22 steps, 64 per update: a million episodes within
minutes, all of them in the history and on the plots. At each mark the run is paused for SETTLE s, in which the panels
catch up, the episode plays on and what loads late has loaded; garbage is collected, and the process's resident memory
is read. The figure is the ratio of resident memory; memory that is this process's alone (USS) is reported beside it.
"""

from __future__ import annotations

import gc
import json
import sys
from typing import TYPE_CHECKING

from tests.benchmarks.children import run_child
from tests.benchmarks.figures import Measured, Number, Say, require

if TYPE_CHECKING:
    from engine.config.presets import Preset

MARKS = (10_000, 100_000, 1_000_000)
QUICK_MARKS = (1_000, 3_000, 10_000)
SETTLE = 4.0
MEGABYTE = 2**20


def measure(quick: bool, say: Say) -> Measured:
    require("psutil", "psutil")
    marks = QUICK_MARKS if quick else MARKS
    found = run_child("memory", *map(str, marks), timeout=1800)
    numbers: list[Number] = []
    for mark in found["marks"]:
        say(f"{mark['episodes']:,} episodes: {mark['resident']:.0f} MB resident, {mark['own']:.0f} MB its own")
        numbers += [
            Number(f"resident after {mark['episodes']:,} episodes", mark["resident"], "MB"),
            Number(f"its own (USS) after {mark['episodes']:,} episodes", mark["own"], "MB"),
        ]
    first, *_, last = found["marks"]
    numbers.append(Number("its own (USS), ratio", last["own"] / first["own"], "×"))
    detail = f"Read {SETTLE:g} s into a pause, after collecting garbage."
    return Measured({"growth": last["resident"] / first["resident"]}, tuple(numbers), detail)


def short_episodes() -> Preset:
    """Episodes that stay short, however long this trains."""
    from engine.config.parameters import with_values
    from tests.benchmarks.window import workload

    preset = workload("cartpole-fast")
    values = {"update.learning_rate": 1e-9, "collection.episodes_per_update": 64}
    return preset.model_copy(update={"config": with_values(preset.config, values)})


def watch(marks: list[int]) -> dict[str, list[dict[str, float]]]:
    """Memory of this process as the window's run passes each of ``marks`` episodes."""
    import psutil

    from app.models.run_state import RunState
    from tests.benchmarks.window import opened

    process = psutil.Process()
    read: list[dict[str, float]] = []
    with opened(short_episodes()) as driver:
        for mark in marks:
            driver.trigger("start")
            driver.wait_for(RunState.RUNNING)
            driver.wait_until(lambda mark=mark: len(driver.window.controller.history.episode_returns) >= mark, 1500)
            driver.trigger("start")
            driver.wait_for(RunState.PAUSED)
            driver.spin(SETTLE)
            gc.collect()
            memory = process.memory_full_info()
            episodes = len(driver.window.controller.history.episode_returns)
            read.append({"episodes": episodes, "resident": memory.rss / MEGABYTE, "own": memory.uss / MEGABYTE})
        driver.trigger("stop")
        driver.wait_for(RunState.STOPPED)
    return {"marks": read}


if __name__ == "__main__":
    print(json.dumps(watch([int(mark) for mark in sys.argv[1:]])))
