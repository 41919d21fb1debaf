"""sweep: what it costs to have runs trained side by side, and what a killed node of a cluster costs.

RUNS runs of a shipped preset, each with a seed of its own, are trained on WORKERS processes, recorded in a library:

- by the executor of this machine, from before its first process is started until the last run has ended;
- by hand: WORKERS processes that train their share one after the other in a plain loop, with torch loaded once, and
  nothing that watches them; from before they are started until they have ended.

Each side is measured twice, in turn, and the figure is the ratio of the sums. The executor's overhead of a run is what
its processes did not spend in training, by the runs' own stopwatches: processes × time less all training, by the runs.

On a Ray cluster of a head that trains nothing and a node on which two runs train, the node is killed once it has
trained for AGE seconds; another is there to go on. What it costs is the time from the last state that was here until
the kill, in the intervals at which states were due just then (a run's age, at most 60 s).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engine.runs import autosave
from engine.runs.executors.interface import Executor, Job
from engine.runs.executors.local import LocalExecutor
from engine.runs.library import ITERATIONS, Library
from engine.runs.records import Status
from tests.benchmarks.engine_side import preset
from tests.benchmarks.figures import Measured, Number, Say, require
from tests.benchmarks.machine import ROOT

RUNS, WORKERS = 8, 2
PRESET, STEPS, QUICK_STEPS = "cartpole-ppo", 60_000, 4_000
AGE, QUICK_AGE = 20.0, 3.0
LATEST = 120.0  # seconds after which the runs of a killed node are given up


def measure(quick: bool, say: Say) -> Measured:
    require("ray", "ray")
    steps = QUICK_STEPS if quick else STEPS
    by_hand, by_executor, overheads = 0.0, 0.0, list[float]()
    for _ in range(1 if quick else 2):
        hand = _by_hand(steps)
        seconds, training = _by_executor(steps)
        by_hand, by_executor = by_hand + hand, by_executor + seconds
        overheads.append((WORKERS * seconds - training) / RUNS)
        say(f"{RUNS} runs in {seconds:.1f} s, by hand in {hand:.1f} s; beside training {overheads[-1]:.2f} s each")
    lost = _with_a_node_killed(QUICK_AGE if quick else AGE)
    say(f"a node was killed: {lost['seconds']:.1f} s of {lost['due']:.1f} s lost; on again after {lost['again']:.1f} s")
    figures = {
        "overhead of a run": max(overheads),
        "against by hand": by_executor / by_hand,
        "a killed node costs": lost["seconds"] / lost["due"],
    }
    numbers = (
        Number("by the executor", by_executor, "s"),
        Number("by hand", by_hand, "s"),
        Number("lost with the node", lost["seconds"], "s"),
        Number("interval of states then", lost["due"], "s"),
        Number("from the kill to going on", lost["again"], "s"),
    )
    detail = f"{RUNS} runs of {PRESET}, {steps:,} steps each, on {WORKERS} processes; torch on 1 thread."
    return Measured(figures, numbers, detail)


def jobs(folder: Path, steps: int, count: int = RUNS) -> list[Job]:
    """A job for each seed."""
    made = []
    for seed in range(1, count + 1):
        config = preset(PRESET, {"budget.environment_steps": steps, "seed": seed, "device": "cpu"})
        made.append(Job(config.model_dump(mode="json"), (seed,), (f"{seed:032x}",), folder))
    return made


def _by_executor(steps: int) -> tuple[float, float]:
    """Seconds from start to end, and those that were spent in training, of all runs."""
    with TemporaryDirectory() as folder, Library(Path(folder)) as library:
        began = time.perf_counter()
        executor = LocalExecutor(WORKERS)
        waiting, left = jobs(library.folder, steps), RUNS
        try:
            while left:
                while waiting and left - len(waiting) < executor.slots:
                    executor.start(waiting.pop())
                for ended in executor.poll(1.0):
                    left -= 1
                    if ended.status is not Status.FINISHED:
                        raise RuntimeError(f"A run has {ended.status}: {ended.reason}")
            seconds = time.perf_counter() - began
        finally:
            executor.close()
        return seconds, sum(record.reached.seconds for record in library.runs())


def _by_hand(steps: int) -> float:
    with TemporaryDirectory() as folder:
        began = time.perf_counter()
        shares = [
            subprocess.Popen([sys.executable, "-m", __name__, folder, str(steps), str(share)], cwd=ROOT)
            for share in range(WORKERS)
        ]
        codes = [share.wait() for share in shares]
        if any(codes):
            raise RuntimeError("A run by hand has failed.")
        return time.perf_counter() - began


def _share(folder: Path, steps: int, share: int) -> None:
    """What somebody would write who trains some of the runs by hand."""
    from engine.reports.events import Updated
    from engine.runs.giving import training_for
    from engine.runs.host import recorded
    from engine.runtime.threads import compute_on_one_thread

    compute_on_one_thread()
    for job in jobs(folder, steps)[share::WORKERS]:
        config = preset(PRESET, {"budget.environment_steps": steps, "seed": job.seeds[0], "device": "cpu"})
        training = training_for(config, job.id, folder)
        with recorded(training, folder, print) as recorder:
            for event in training:
                recorder.put(event)
                if isinstance(event, Updated):
                    recorder.between(training)
        training.close()


def _with_a_node_killed(age: float) -> dict[str, float]:
    """Seconds that the run which fares worst has lost, the interval of its states then, and from the kill until both
    have come further than they had."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    from engine.runs.executors.ray import RayExecutor

    small: dict[str, Any] = {"object_store_memory": 80 << 20}
    cluster = Cluster(True, head_node_args={"num_cpus": 0, "include_dashboard": False, **small})
    try:
        node = cluster.add_node(num_cpus=2, **small)
        with TemporaryDirectory() as folder, Library(Path(folder)) as library:
            executor = RayExecutor(cluster.address)
            try:
                two = jobs(library.folder, 1_000_000_000, 2)
                for job in two:
                    executor.start(job)
                _poll(executor, lambda: all(_seconds(library, job.id) >= age for job in two))
                cluster.add_node(num_cpus=2, **small)
                up_to_date = time.monotonic() + 2.0  # nothing was taken in while the other node began
                _poll(executor, lambda: time.monotonic() > up_to_date)
                reached = {job.id: library.run(job.id).reached.iteration for job in two}
                states = {job.id: library.checkpoints(job.id)[0] for job in two}
                killed = time.time()
                cluster.remove_node(node, allow_graceful=False)
                _poll(executor, lambda: all(_has_gone_on(library, run, at) for run, at in reached.items()))
                again = time.time() - killed
                for job in two:
                    rows = library.series(job.id, ITERATIONS)["iteration"].tolist()
                    if rows != list(range(1, len(rows) + 1)):
                        raise RuntimeError("A run that has gone on has told something twice, or not at all.")
                first = {job.id: library.run(job.id).created for job in two}
            finally:
                executor.close()
    finally:
        cluster.shutdown()
    found = []
    for run, state in states.items():
        due = min(autosave.EVERY, max(autosave.FIRST, state.created - first[run]))
        found.append({"seconds": killed - state.created, "due": due, "again": again})
    return max(found, key=lambda one: one["seconds"] / one["due"])


def _poll(executor: Executor, there: Any) -> None:
    until = time.monotonic() + LATEST
    while not there():
        for ended in executor.poll(0.2):
            raise RuntimeError(f"A run has {ended.status}: {ended.reason}")
        if time.monotonic() > until:
            raise RuntimeError(f"Nothing has come of the runs within {LATEST:g} s.")


def _seconds(library: Library, run: str) -> float:
    there = {record.id: record for record in library.runs()}
    return there[run].reached.seconds if run in there else 0.0


def _has_gone_on(library: Library, run: str, reached: int) -> bool:
    gone_on = any(event.kind == "gone on" for event in library.events(run))
    return gone_on and library.run(run).reached.iteration > reached


if __name__ == "__main__":
    _share(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
