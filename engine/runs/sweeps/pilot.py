"""What an experiment will take, measured before it begins: time, room on disk, and memory.

Some of its jobs are trained for a few seconds, as many side by side as will be later, in a library that is thrown away.
What they cost per environment step is what the others are taken to cost. That is an estimate: a policy that learns
plays longer or shorter episodes, and other settings may be dearer, so that it is given as a range.
"""

from __future__ import annotations

import heapq
import math
import multiprocessing
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.runs.executors.interface import Executor, Job, Order
from engine.runs.library import Library
from engine.runs.records import RunRecord, Status
from engine.runs.retention import MOST as CHECKPOINTS
from engine.runs.room import bytes_in_words
from engine.runs.snapshot_keeper import MOST as SNAPSHOTS
from engine.runs.snapshot_keeper import MOST_BYTES as SNAPSHOT_BYTES
from engine.runs.sweeps.grouping import Group, Grouping
from engine.runs.sweeps.plan import Plan, digest
from engine.runs.sweeps.records import ExperimentRun
from engine.runtime.errors import RequestError, RunError
from engine.training.many_seeds.refusal import joint_refusal

SECONDS = 4.0  # of training, that a pilot takes of each job
LONGEST = 60.0  # seconds in all, of which most are spent loading
MOST_KINDS = 4  # kinds of points that are tried
OVERHEAD = 0.5  # seconds that a job takes beside its training, once its process is there
SPAWN = 4.0  # seconds until a process is there, with torch
SHORT, LONG = 0.75, 1.5  # times what was measured, within which it will be
_BUDGET = "budget"


@dataclass(frozen=True)
class Trial:
    """What a job has cost so far: a group of ``seeds`` of one point, over ``share`` of the steps that it is to take.

    ``seconds`` are those of its training, ``disk`` the bytes that each of its runs will have taken at the end,
    ``memory`` the bytes of its process, None where the system does not say.
    """

    point: int
    seeds: int
    share: float
    seconds: float
    disk: int
    memory: int | None = None

    @property
    def whole(self) -> float:
        """Seconds that the job takes in all."""
        return self.seconds / self.share


@dataclass(frozen=True)
class Estimate:
    """What ``runs`` runs in ``jobs`` jobs on ``slots`` slots take: seconds from the least to the most, bytes on disk in
    all, and bytes of memory in each process."""

    runs: int
    jobs: int
    slots: int
    seconds: tuple[float, float]
    disk: int
    memory: int | None


def pilot(
    plan: Plan,
    executor: Executor,
    seconds: float = SECONDS,
    give_up: Callable[[], bool] = lambda: False,
) -> tuple[Trial, ...]:
    """Train jobs of each kind of point for about so many ``seconds`` and stop them; fewer trials, or none, where it is
    given up.

    Raises:
        RequestError: a job cannot be trained here.
        RunError: one failed.
    """
    jobs = _tried(plan, max(executor.slots, 1))
    found: list[Trial] = []
    with (
        tempfile.TemporaryDirectory(prefix="pilot-", ignore_cleanup_errors=True) as folder,
        Library(Path(folder)) as library,
    ):
        while jobs and not give_up():
            now, jobs = jobs[: max(executor.slots, 1)], jobs[max(executor.slots, 1) :]
            found += _tried_together(plan, now, executor, library, (seconds, give_up))
    return tuple(found)


def estimate(plan: Plan, trials: Sequence[Trial], slots: int, left: Iterable[ExperimentRun] | None = None) -> Estimate:
    """What the runs of ``plan`` take by what ``trials`` have cost; only those ``left``, where they are named.

    Raises:
        ValueError: there are no trials.
    """
    if not trials:
        raise ValueError("Nothing was tried.")
    runs = list(_runs(plan) if left is None else left)
    groups = Grouping(_together(plan), slots).groups(runs, {})
    kinds = [kind_of(point.config.model_dump(mode="json")) for point in plan.points]
    by_kind: dict[str, list[Trial]] = {}
    for trial in trials:
        by_kind.setdefault(kinds[trial.point], []).append(trial)
    every = [trial for some in by_kind.values() for trial in some]
    bounds = [_bounds(plan, group, by_kind.get(kinds[group.point], every)) for group in groups]
    disk = sum(len(g.runs) * max(trial.disk for trial in by_kind.get(kinds[g.point], every)) for g in groups)
    memory = [trial.memory for trial in trials if trial.memory is not None]
    least, most = (_on(slots, [bound[side] for bound in bounds]) for side in (0, 1))
    sure = all(trial.share >= 1.0 for trial in trials)
    span = (SHORT * least, LONG * most + SPAWN) if not sure else (0.9 * least, 1.2 * most + SPAWN)
    return Estimate(len(runs), len(groups), slots, span, disk, max(memory) if memory else None)


def known(library: Library, plan: Plan, runs: Iterable[ExperimentRun]) -> tuple[Trial, ...]:
    """What runs of an experiment that were trained have cost, in place of trials: the better known the further they
    are."""
    found: dict[tuple[int, float], list[tuple[RunRecord, int]]] = {}
    sizes = library.sizes()
    for run in runs:
        with suppress(RequestError):
            record = library.run(run.run)
            if record.reached.iteration and record.reached.seconds >= 1.0:
                file = next((each.file for each in library.checkpoints(run.run) if each.file.startswith("0")), run.run)
                size = sum(sizes.get(run.run, (0, 0)))
                found.setdefault((run.point, hash(file)), []).append((record, size))
    return tuple(
        _trial(plan, point, [record for record, _ in some], [size for _, size in some], None, library)
        for (point, _), some in found.items()
    )


def kind_of(configuration: Mapping[str, Any]) -> str:
    """What two configurations share that cost about the same: all choices and whole numbers, but for the seed and the
    budget; a learning rate or a discount costs nothing."""

    def left(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: left(each) for name, each in value.items() if name not in ("seed", _BUDGET)}
        return None if isinstance(value, float) else value

    return digest(left(configuration))


def in_words(estimate: Estimate) -> str:
    """ "about 17 s to 38 s, 2 at a time, 21 MB on disk, and 290 MB of memory for each process"."""
    least, most = map(time_in_words, estimate.seconds)
    memory = f", and {bytes_in_words(estimate.memory)} of memory for each process" if estimate.memory else ""
    at_a_time = f"{min(estimate.slots, estimate.jobs)} process{'es' if min(estimate.slots, estimate.jobs) > 1 else ''}"
    span = least if least == most else f"{least} to {most}"
    return f"about {span} in {at_a_time}, {bytes_in_words(estimate.disk)} on disk{memory}"


def time_in_words(seconds: float) -> str:
    """ "45 s", "12 min", "3 h 20 min", "2 days"."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{seconds / 86_400:.1f} days"


# --- trying -----------------------------------------------------------------------------------------------------------


def _tried(plan: Plan, slots: int) -> list[Group]:
    """The jobs that are tried: of each kind of point, up to ``MOST_KINDS``, and as many as will be trained at once."""
    groups = Grouping(_together(plan), slots).groups(_runs(plan), {})
    by_kind: dict[str, list[Group]] = {}
    for group in groups:
        by_kind.setdefault(kind_of(plan.points[group.point].config.model_dump(mode="json")), []).append(group)
    kinds = list(by_kind.values())
    chosen = [kinds[round(at)] for at in _spread(len(kinds), MOST_KINDS)]
    found = [some[0] for some in chosen]
    more = [group for some in chosen for group in some[1:]]
    return found + more[: max(min(slots, len(groups)) - len(found), 0)]


def _spread(count: int, most: int) -> list[float]:
    """Places in a list, the first and the last among them, evenly."""
    if count <= most:
        return [float(at) for at in range(count)]
    return [at * (count - 1) / (most - 1) for at in range(most)]


def _tried_together(
    plan: Plan, groups: Sequence[Group], executor: Executor, library: Library, until: tuple[float, Callable[[], bool]]
) -> list[Trial]:
    seconds, give_up = until
    jobs = {group.runs[0].run: group for group in groups}
    for group in groups:
        config = plan.points[group.point].of_seed(group.runs[0].seed).model_dump(mode="json")
        runs = tuple(run.run for run in group.runs)
        executor.start(Job(config, tuple(run.seed for run in group.runs), runs, library.folder))
    left, told, by = set(jobs), set[str](), time.monotonic() + LONGEST
    memory: int | None = None
    while left:
        memory = _most(memory, _memory_of_workers())
        for id in left - told:
            enough = max((r.reached.seconds for r in _records(library, jobs[id])), default=0.0) >= seconds
            if enough or give_up() or time.monotonic() > by:
                executor.order(id, Order.STOP)
                told.add(id)
        for ended in executor.poll(0.1):
            left.discard(ended.job)
            if ended.status == Status.FAILED:
                for id in left:
                    executor.order(id, Order.STOP)
                raise RunError(f"The pilot failed: {ended.reason}")
    found = []
    for group in groups:
        records = _records(library, group)
        if records and any(record.reached.environment_steps for record in records):
            sizes = library.sizes()
            disk = [sum(sizes.get(record.id, (0, 0))) for record in records]
            found.append(_trial(plan, group.point, records, disk, memory, library))
    return found


def _trial(
    plan: Plan,
    point: int,
    records: Sequence[RunRecord],
    sizes: Sequence[int],
    memory: int | None,
    library: Library | None = None,
) -> Trial:
    """What these runs, trained as one job, have cost, and how much of it that is."""
    budget = plan.points[point].config.budget.environment_steps
    taken = sum(min(record.reached.environment_steps, budget) for record in records) / len(records)
    share = min(max(taken, 1.0) / budget, 1.0)
    seconds = max(record.reached.seconds for record in records)
    whole = max(sizes) if share >= 1.0 or library is None else _disk(library, records, share, seconds)
    return Trial(point, len(records), share, max(seconds, 1e-3), whole, memory)


def _disk(library: Library, records: Sequence[RunRecord], share: float, seconds: float) -> int:
    """Bytes that a run takes at its end, of which this ``share`` took so many ``seconds``: rows of numbers grow with
    its steps, states with the logarithm of its seconds and, like policies, to no more than so many."""
    found = []
    for record in records:
        kept = library.checkpoints(record.id)
        one = max((checkpoint.size for checkpoint in kept), default=0)
        states = min(len(kept) * math.log2(2.0 + seconds / share) / math.log2(2.0 + seconds), CHECKPOINTS)
        policies = library.snapshots(record.id)
        mean = sum(size for *_, size in policies) / max(len(policies), 1)
        row = library.execute("SELECT sum(length(rows)) AS bytes FROM series WHERE run = ?", (record.id,)).fetchone()
        numbers = (row["bytes"] or 0) / share
        found.append(numbers + one * states + min(mean * SNAPSHOTS, SNAPSHOT_BYTES) * bool(policies))
    return round(max(found))


def _records(library: Library, group: Group) -> list[RunRecord]:
    found = []
    for run in group.runs:
        with suppress(RequestError):
            found.append(library.run(run.run))
    return found


def _memory_of_workers() -> int | None:
    """Bytes of the largest process that this one has begun to train in; None where the system does not say."""
    found = [size for child in multiprocessing.active_children() if (size := memory_of(child.pid))]
    return max(found, default=None)


def memory_of(process: int | None) -> int | None:
    """Bytes of memory that a process takes, those of libraries that it shares with others included."""
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
        return pages * 4096
    with suppress(OSError, ValueError, subprocess.SubprocessError):
        said = subprocess.run(["ps", "-o", "rss=", "-p", str(process)], capture_output=True, timeout=2.0, text=True)
        return 1024 * int(said.stdout)
    return None


def _most(one: int | None, other: int | None) -> int | None:
    return max((each for each in (one, other) if each is not None), default=None)


# --- reckoning --------------------------------------------------------------------------------------------------------


def _runs(plan: Plan) -> list[ExperimentRun]:
    """Those of a plan of which none was begun."""
    return [
        ExperimentRun("", point.index, seed, digest([point.index, seed]))
        for point in plan.points
        for seed in plan.seeds
    ]


def _together(plan: Plan) -> list[bool]:
    return [joint_refusal(point.config) is None for point in plan.points]


def _bounds(plan: Plan, group: Group, trials: Sequence[Trial]) -> tuple[float, float]:
    """Seconds that a job takes, by the cheapest and the dearest of these trials."""
    budget = plan.points[group.point].config.budget.environment_steps
    each = [
        trial.whole
        * budget
        / plan.points[trial.point].config.budget.environment_steps
        * max(len(group.runs) / trial.seeds, 1.0)
        for trial in trials
    ]
    return min(each) + OVERHEAD, max(each) + OVERHEAD


def _on(slots: int, seconds: Sequence[float]) -> float:
    """Seconds until jobs that take so many each are done on so many slots, each begun, in their order, as soon as one
    is free."""
    free = [0.0] * max(slots, 1)
    for each in seconds:
        heapq.heapreplace(free, free[0] + each)
    return max(free)
