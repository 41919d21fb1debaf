"""recording: what it costs training that a run is recorded, and for how long an iteration waits for it.

A process trains the same run twice, with the same seed to the same number of environment steps: once as it is, and once
recorded in a library of its own, as ``main.py train`` does. Both are trained a stretch of about a second at a time, in
turns, and which is first alternates: what makes the machine faster or slower meanwhile comes to both, and as the runs
are the same bit for bit, so is the work of a stretch. The figure is what all stretches take without recording, divided
by what they take with it, beginning and ending the record included; the median of several processes. Beside it stand
the same in the processor time of the training thread alone, and of the whole process.

The recorder writes on a thread of its own. What it has not written at the end of a stretch it writes before the next
begins; this wait is not counted but its processor time is, in full, as if nothing of it had gone on beside training.

While it is recorded, the time that the training thread spends in the recorder is taken for every iteration: for its
events, for the state that is to be saved, and for what the timeline keeps.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.benchmarks.children import run_child
from tests.benchmarks.figures import Measured, Number, Say

if TYPE_CHECKING:
    from engine.config import RunConfig
    from engine.runs.recorder import Recorder

# Long enough for some 20 s of each side on the machine of the first results.
WORKLOADS = {"cartpole": 600_000, "cartpole-fast": 4_000_000, "cartpole-ppo": 400_000}
STRETCHES, REPEATS = 20, 5
WARM_UP = 3_000  # steps
CLOCKS = {"wall clock": 0, "training thread": 1, "whole process": 2}


def measure(quick: bool, say: Say) -> Measured:
    repeats = 1 if quick else REPEATS
    held: dict[str, float] = {}
    numbers: list[Number] = []
    waits: list[float] = []
    for name, steps in WORKLOADS.items():
        found = []
        for _ in range(repeats):
            found.append(run_child("recording", name, str(steps // 20 if quick else steps)))
            ratios = ", ".join(f"{clock} {found[-1]['ratios'][clock]:.3f}" for clock in CLOCKS)
            say(f"{name}: {found[-1]['plain']:.1f} s not recorded, {found[-1]['recorded']:.1f} s recorded; {ratios}")
        held[name] = median(one["ratios"]["wall clock"] for one in found)
        own = [wait for one in found for wait in one["waits"]]
        waits.append(float(np.quantile(own, 0.99)))
        done = found[0]["steps"]
        numbers += [
            *(Number(f"{name}: ratio, {clock}", median(one["ratios"][clock] for one in found), "") for clock in CLOCKS),
            Number(f"{name}: ratio, median stretch", median(one["stretch"] for one in found), ""),
            Number(f"{name}: not recorded", done / median(one["plain"] for one in found), "steps/s"),
            Number(f"{name}: recorded", done / median(one["recorded"] for one in found), "steps/s"),
            Number(f"{name}: beginning and ending the record", median(one["ends"] for one in found), "s"),
            Number(f"{name}: processor time of the writing", median(one["writing"] for one in found), "s"),
            Number(f"{name}: an iteration waits, median", float(np.median(own)), "ms"),
            Number(f"{name}: an iteration waits, 99th percentile", waits[-1], "ms"),
            Number(f"{name}: an iteration waits, maximum", max(own), "ms"),
        ]
    held["an iteration waits, 99th percentile"] = max(waits)
    detail = (
        f"Median of {repeats} processes, each with {STRETCHES} stretches of either side in turns; the same run twice."
    )
    return Measured(held, tuple(numbers), detail)


Times = tuple[float, float, float]  # by the ``CLOCKS``


def now() -> Times:
    return time.perf_counter(), time.thread_time(), time.process_time()


def _since(began: Times) -> Times:
    wall, thread, process = (after - before for before, after in zip(began, now(), strict=True))
    return wall, thread, process


@dataclass
class Side:
    """A run that is trained in stretches, and what they took; recorded where there is a ``recorder``."""

    config: RunConfig
    recorder: Recorder | None = None
    stretches: list[Times] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)  # ms of each iteration
    ends: list[Times] = field(default_factory=list)  # of beginning and ending the record
    mean_return: float | None = None

    def begin(self) -> None:
        from engine.training.training import Training

        self.training = Training(self.config, "measured")
        self._events = iter(self.training)
        if self.recorder is not None:
            began = now()
            self.recorder.begin(self.training)
            self.ends.append(_since(began))

    def train_to(self, steps: int) -> None:
        """Train until so many environment steps have been taken."""
        began = now()
        for _ in self._iterations():
            if self.training.environment_steps >= steps:
                break
        self.stretches.append(_since(began))
        if self.recorder is not None:
            self._settle(self.recorder)

    def _iterations(self) -> Iterator[None]:
        from engine.reports.events import Updated

        recorder, waited = self.recorder, 0.0
        for event in self._events:
            updated = isinstance(event, Updated)
            if recorder is not None:
                before = time.perf_counter()
                recorder.put(event)
                if updated:
                    recorder.between(self.training)
                waited += time.perf_counter() - before
            if isinstance(event, Updated):
                self.waits.append(1000 * waited)
                self.mean_return, waited = event.metrics["mean_return"], 0.0
                yield

    def _settle(self, recorder: Recorder) -> None:
        """Wait until all is written; the processor time of that counts for the stretch, whichever clock is read."""
        from engine.runs.records import Status

        began = time.process_time()
        for _ in range(2):  # the first may be under way with something else
            recorder.set_status(Status.RUNNING)
            recorder._wake.set()
            while recorder._resting is not None:
                time.sleep(0.001)
        wall, thread, process = self.stretches[-1]
        spent = time.process_time() - began
        self.stretches[-1] = wall + spent, thread, process + spent

    def end(self) -> None:
        from engine.runs.records import Status

        if self.recorder is not None:
            began = now()
            self.recorder.save(self.training)
            self.recorder.end(Status.FINISHED)
            self.ends.append(_since(began))
        self.training.close()

    def total(self, clock: int) -> float:
        return math.fsum(times[clock] for times in (*self.stretches, *self.ends))


def train(name: str, steps: int) -> dict[str, Any]:
    """The run, in this process, on both sides."""
    from engine.runs.recorder import Recorder
    from tests.benchmarks.engine_side import preset, train_until

    config = preset(name, {"budget.environment_steps": steps})
    train_until(preset(name, {"budget.environment_steps": WARM_UP}), math.inf)
    with tempfile.TemporaryDirectory() as folder:
        plain, recorded = Side(config), Side(config, Recorder(Path(folder), print))
        for side in (plain, recorded):
            side.begin()
        for stretch in range(STRETCHES):
            for side in (plain, recorded) if stretch % 2 == 0 else (recorded, plain):
                side.train_to(steps * (stretch + 1) // STRETCHES)
        for side in (plain, recorded):
            side.end()
    ended = {(side.training.environment_steps, side.mean_return) for side in (plain, recorded)}
    if len(ended) != 1:
        raise RuntimeError(f"{name}: the two runs were not the same: {ended}")
    each = zip(plain.stretches, recorded.stretches, strict=True)
    return {
        "steps": plain.training.environment_steps,
        "plain": plain.total(0),
        "recorded": recorded.total(0),
        "ratios": {clock: plain.total(at) / recorded.total(at) for clock, at in CLOCKS.items()},
        "stretch": median(one[0] / other[0] for one, other in each),
        "ends": math.fsum(times[0] for times in recorded.ends),
        "writing": recorded.total(2) - recorded.total(1),
        "waits": recorded.waits,
    }


if __name__ == "__main__":
    print(json.dumps(train(sys.argv[1], int(sys.argv[2]))))
