"""Whole runs, each trained in a process of its own and kept, so that tables can be made of them without training again.

A run is kept as lines of JSON in ``results/.trained``: first its configuration, where it was to stop and a digest of
what trained it, then one line for each iteration, with what it reported, the returns of the episodes that ended in it
and after how many environment steps of the run they did.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from engine.config import RunConfig
from engine.config.validation import validated
from engine.training.totals import MEAN_OVER
from tests.benchmarks.children import run_child
from tests.benchmarks.machine import ROOT

KEPT = Path(__file__).parent / "results" / ".trained"
AT_ONCE = 2
LONGEST = 3 * 3600.0  # seconds for one run
ONLY_LOOKS = ("analysis", "commands", "runs")  # folders of the engine on which no training depends


@dataclass(frozen=True)
class Stop:
    """Training ends with the update after which the mean return of the last ``over`` episodes is ``mean_return``."""

    mean_return: float
    over: int


class LatestReturns:
    """The mean return of the last ``over`` episodes of a run, iteration by iteration.

    Of episodes that are begun together the longest end last. So it is the mean that the run itself tells, where that
    covers as many, and otherwise of all episodes of the iterations in which the last ``over`` ended.
    """

    def __init__(self, over: int) -> None:
        self._over, self._iterations = over, deque[Sequence[float]]()
        self._told: float | None = None
        self.episodes = 0

    def add(self, returns: Sequence[float], told: float | None) -> None:
        """An iteration, in which episodes ended with these ``returns``, after which the run ``told`` its mean."""
        self._told = told
        self.episodes += len(returns)
        self._iterations.append(returns)
        while sum(map(len, self._iterations)) - len(self._iterations[0]) >= self._over:
            self._iterations.popleft()

    @property
    def enough(self) -> bool:
        """Whether as many have ended."""
        return self.episodes >= self._over

    @property
    def mean(self) -> float | None:
        """None before any has ended."""
        if self._over == MEAN_OVER:
            return self._told
        found = [each for iteration in self._iterations for each in iteration]
        return sum(found) / len(found) if found else None


@dataclass(frozen=True)
class Job:
    """One run: a name that is its file's, its configuration as JSON, and where it ends before its budget does."""

    name: str
    config: str
    stop: Stop | None = None

    @property
    def path(self) -> Path:
        return KEPT / f"{self.name}.jsonl"

    @property
    def kept(self) -> bool:
        """Whether it was run already: the same configuration, by the same engine, as far at least."""
        ends = [None] if self.stop is None else [None, [self.stop.mean_return, self.stop.over]]
        return is_of(self.path, self.config) and header(self.path)["stop"] in ends


def run_all(jobs: Sequence[Job], resume: bool, take: Callable[[Job], None], at_once: int = AT_ONCE) -> None:
    """Train every job; with ``resume``, none that is kept. ``take`` gets each once it has been, in this thread."""
    KEPT.mkdir(parents=True, exist_ok=True)
    left = list(jobs)
    if resume:
        left = [job for job in jobs if not job.kept]
        for job in jobs:
            if job not in left:
                take(job)
    with ThreadPoolExecutor(min(at_once, os.cpu_count() or 1)) as pool:
        waiting = {pool.submit(_child, job): job for job in left}
        try:
            for done in as_completed(waiting):
                done.result()
                take(waiting[done])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _child(job: Job) -> None:
    unfinished = job.path.with_suffix(".part")
    stop = [] if job.stop is None else [repr(job.stop.mean_return), str(job.stop.over)]
    run_child("trained", job.config, str(unfinished), *stop, timeout=LONGEST)
    unfinished.replace(job.path)


def train(config: RunConfig, path: Path, stop: Stop | None = None) -> float:
    """One run in this process, on one thread, which tells ``path`` what it does; the seconds that it took."""
    import torch

    from engine.reports.events import Collected, Updated
    from engine.runs.giving import given_for
    from engine.training.training import Training

    torch.set_num_threads(1)
    began = time.perf_counter()
    training = Training(config, given=given_for(config, None))
    returns, ends = list[float](), list[int]()
    latest = LatestReturns(stop.over if stop else MEAN_OVER)
    with path.open("w", encoding="utf-8") as file:
        head = {"config": json.loads(config.model_dump_json()), "engine": engine()}
        file.write(json.dumps(head | {"stop": stop and [stop.mean_return, stop.over]}) + "\n")
        for event in training:
            if isinstance(event, Collected):
                returns += event.returns.tolist()
                ends += event.ends.tolist()
            if isinstance(event, Updated):
                told = {name: value for name, value in event.report().items() if value is not None}
                file.write(json.dumps(told | {"returns": returns, "ends": ends}) + "\n")
                latest.add(returns, event.metrics["mean_return"])
                returns, ends = [], []
                if stop and latest.enough and (latest.mean or 0.0) >= stop.mean_return:
                    break
    training.close()
    return time.perf_counter() - began


def is_of(path: Path, config: str) -> bool:
    """Whether a run is kept there that was made with this configuration, as JSON, by the engine as it is."""
    if not path.exists():
        return False
    head = header(path)
    return bool(head["config"] == json.loads(config) and head["engine"] == engine())


def header(path: Path) -> dict[str, Any]:
    with path.open(encoding="utf-8") as file:
        head: dict[str, Any] = json.loads(file.readline())
    return head


def iterations(path: Path) -> Iterator[dict[str, Any]]:
    """What a run that is kept told after each iteration, with ``returns`` and ``ends`` of its episodes."""
    with path.open(encoding="utf-8") as file:
        next(file)
        for line in file:
            yield json.loads(line)


@cache
def engine() -> str:
    """A digest of the sources that train."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "engine").rglob("*.py")):
        if path.relative_to(ROOT / "engine").parts[0] not in ONLY_LOOKS:
            digest.update(path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    text, place, *ends = sys.argv[1:]
    stop = Stop(float(ends[0]), int(ends[1])) if ends else None
    print(json.dumps({"seconds": train(validated(json.loads(text)), Path(place), stop)}))
