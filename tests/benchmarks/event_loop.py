"""event-loop: how late the window handles events while it trains with every panel live.

In a fresh process the window is opened at 1280 × 800, Start is pressed, and for 20 s a precise timer asks to be
called every 5 ms. A call's delay is how much later than asked it came. A window that is busy for 100 ms would show
only one late call that way, while every event due in those 100 ms is late, so each delay d also counts for the calls
that were due meanwhile: d − 5, d − 10, … ms. The figures are the 99th percentile and the maximum, and the larger of
the workloads is held. Two of them are seeds of one preset that are trained together, as many as can be chosen at most
and as many as are chosen mostly.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np

from tests.benchmarks.children import run_child
from tests.benchmarks.figures import Measured, Number, Say

WORKLOADS = {
    "cartpole": 1,
    "cartpole-fast": 1,
    "lunar-lander": 1,
    "cartpole-ppo × 5": 5,
    "cartpole-ppo × 20": 20,
}  # seeds
PERIOD = 5.0  # ms
SECONDS = 20.0


def measure(quick: bool, say: Say) -> Measured:
    seconds = 2.0 if quick else SECONDS
    numbers: list[Number] = []
    tails, longest = [], []
    for name, seeds in WORKLOADS.items():
        found = run_child("event_loop", name.partition(" ")[0], str(seeds), str(seconds))
        tails.append(found["p99"])
        longest.append(found["maximum"])
        say(f"{name}: 99th percentile {found['p99']:.1f} ms, maximum {found['maximum']:.1f} ms")
        numbers += [
            Number(f"{name}: median", found["p50"], "ms"),
            Number(f"{name}: 99th percentile", found["p99"], "ms"),
            Number(f"{name}: maximum", found["maximum"], "ms"),
            Number(f"{name}: events", found["events"], ""),
            Number(f"{name}: pictures shown", found["frames_per_second"], "per s"),
        ]
    detail = f"{seconds:g} s of training each, an event due every {PERIOD:g} ms; held against the slowest workload."
    return Measured({"99th percentile": max(tails), "maximum": max(longest)}, tuple(numbers), detail)


class Delays:
    """How late events are handled from ``begin`` to ``end``, on the thread of the event loop."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self._observed: list[float] = []
        self._due = 0.0
        self._timer = QTimer(interval=round(PERIOD), singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._handle)

    def begin(self) -> None:
        self._due = time.perf_counter() + PERIOD / 1000
        self._timer.start()

    def _handle(self) -> None:
        self._observed.append(1000 * (time.perf_counter() - self._due))
        self.begin()

    def end(self) -> dict[str, Any]:
        """Median, 99th percentile and maximum in ms, and of how many events."""
        self._timer.stop()
        every = with_those_due_meanwhile(np.maximum(self._observed, 0.0))
        p50, p99 = np.quantile(every, (0.5, 0.99)).tolist()
        return {"p50": p50, "p99": p99, "maximum": float(every.max()), "events": len(every)}


def delays(name: str, seeds: int, seconds: float) -> dict[str, Any]:
    """Delays of events while so many seeds of ``name`` train in the window, in this process."""
    from app.models.run_state import RunState
    from tests.benchmarks.window import opened, workload

    with opened(workload(name)) as driver:
        driver.window.controller.seeds.choose(seeds)
        driver.trigger("start")
        driver.wait_for(RunState.RUNNING)
        frames, late = driver.frames, Delays()
        late.begin()
        driver.spin(seconds)
        found = late.end()
        frames = driver.frames - frames
        driver.trigger("stop")
        driver.wait_for(RunState.STOPPED)
    return {**found, "frames_per_second": frames / seconds}


def with_those_due_meanwhile(observed: np.ndarray) -> np.ndarray:
    """``observed`` delays in ms, and those of the events that were due every PERIOD ms while each was waited for."""
    extra = [np.arange(delay - PERIOD, 0.0, -PERIOD) for delay in observed if delay > PERIOD]
    return np.concatenate([observed, *extra])


if __name__ == "__main__":
    name, seeds, seconds = sys.argv[1:]
    print(json.dumps(delays(name, int(seeds), float(seconds))))
