"""acknowledgement: how long after a click the run obeys, at random moments of training.

In a fresh process per workload, the window is open with every panel live. Each click triggers the toolbar's own
action:

- pause: from the click to the state PAUSED, which the training thread reports when it has stopped between two events;
- step: from the click on a paused run to the training thread's report that it is at work again (the window itself
  leaves PAUSED at once, which would measure nothing); the iteration's own length is reported beside it, and not
  judged;
- stop: from the click to the state FINISHED.

Workloads: ``cartpole-fast`` is trained first, so that its 32 episodes last hundreds of steps; LunarLander with 16
episodes per update and a learned value. Pause and Step take turns in one run, at moments 0.03–0.5 s apart; for Stop a
new run begins each time and is stopped after 0.2–2 s. The figures are held against the longest of all.
"""

from __future__ import annotations

import json
import random
import sys
import time
from typing import TYPE_CHECKING

import numpy as np

from tests.benchmarks.children import run_child
from tests.benchmarks.figures import Measured, Number, Say

if TYPE_CHECKING:
    from app.models.run_state import RunState
    from tests.benchmarks.window import Driver

# Seconds of training before the first click.
WORKLOADS = {"cartpole-fast": 4.0, "lunar-lander": 4.0}
CLICKS = ("pause", "step", "stop")


def measure(quick: bool, say: Say) -> Measured:
    pauses, stops = (3, 2) if quick else (60, 25)
    longest = dict.fromkeys(CLICKS, 0.0)
    numbers: list[Number] = []
    for name in WORKLOADS:
        found = run_child("acknowledgement", name, str(pauses), str(stops))
        for click in CLICKS:
            times = found[click]
            longest[click] = max(longest[click], *times)
            numbers += [
                Number(f"{name}, {click}: median", float(np.median(times)), "ms"),
                Number(f"{name}, {click}: 99th percentile", float(np.quantile(times, 0.99)), "ms"),
                Number(f"{name}, {click}: maximum", max(times), "ms"),
            ]
        numbers.append(
            Number(f"{name}: a whole step, click to pause, median", float(np.median(found["iteration"])), "ms")
        )
        say(f"{name}: " + ", ".join(f"{click} at most {max(found[click]):.1f} ms" for click in CLICKS))
    detail = f"{pauses} pauses and steps and {stops} stops per workload; held against the longest."
    return Measured(longest, tuple(numbers), detail)


def clicks(name: str, pauses: int, stops: int) -> dict[str, list[float]]:
    """Milliseconds from click to effect in the window, in this process."""
    from app.models.run_state import RunState
    from tests.benchmarks.window import opened, workload

    moments = random.Random(1)
    times: dict[str, list[float]] = {"pause": [], "step": [], "iteration": [], "stop": []}
    with opened(workload(name)) as driver:
        driver.trigger("start")
        driver.wait_for(RunState.RUNNING)
        driver.spin(WORKLOADS[name])
        for _ in range(pauses):
            driver.spin(moments.uniform(0.03, 0.5))
            times["pause"].append(_click(driver, "start", RunState.PAUSED))
            step, iteration = _step(driver)
            times["step"].append(step)
            times["iteration"].append(iteration)
            driver.trigger("start")
            driver.wait_for(RunState.RUNNING)
        for _ in range(stops):
            driver.spin(moments.uniform(0.2, 2.0))
            times["stop"].append(_click(driver, "stop", RunState.STOPPED))
            driver.trigger("start")
            driver.wait_for(RunState.RUNNING)
        driver.trigger("stop")
        driver.wait_for(RunState.STOPPED)
    return times


def _click(driver: Driver, action: str, state: RunState) -> float:
    clicked = time.perf_counter()
    driver.trigger(action)
    return 1000 * (driver.wait_for(state) - clicked)


def _step(driver: Driver) -> tuple[float, float]:
    """Click on Step: milliseconds until the training thread goes on, and until it has paused again."""
    from app.models.run_state import RunState

    at_work: list[float] = []

    def hear(state: RunState) -> None:
        if state is RunState.RUNNING:
            at_work.append(time.perf_counter())

    clicked = time.perf_counter()
    driver.trigger("step")
    # From here on: the window's own RUNNING has been said already, and the next is the training thread's.
    driver.window.controller.state_changed.connect(hear)
    paused = driver.wait_for(RunState.PAUSED)
    driver.window.controller.state_changed.disconnect(hear)
    return 1000 * (at_work[0] - clicked), 1000 * (paused - clicked)


if __name__ == "__main__":
    name, pauses, stops = sys.argv[1:]
    print(json.dumps(clicks(name, int(pauses), int(stops))))
