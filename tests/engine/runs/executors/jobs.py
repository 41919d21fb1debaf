"""Jobs of few steps, or of more than any test waits for, and what becomes of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.runs.executors.interface import Ended, Executor, Job
from engine.runs.library import ITERATIONS, Library
from engine.runs.records import RunRecord
from tests.engine.support import configured

PATIENCE = 60.0  # seconds: other tests may hold the cores
ENDLESS = 50_000_000


def job(folder: Path, name: str, steps: int = 400, seeds: Sequence[int] = (0,)) -> Job:
    """Plain REINFORCE on CartPole, two episodes at a time."""
    config = configured(budget__environment_steps=steps, collection__episodes_per_update=2, seed=seeds[0])
    return Job(config.model_dump(mode="json"), tuple(seeds), tuple(f"{name}{seed}" * 16 for seed in seeds), folder)


def said(library: Library, run: str) -> RunRecord | None:
    """What the library says of a run by now."""
    return next((record for record in library.runs() if record.id == run), None)


def until(there: Callable[[], bool], what: str) -> None:
    """Wait for it."""
    limit = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < limit, f"not within {PATIENCE:g} s: {what}"
        time.sleep(0.01)


def trains(library: Library, run: str, iteration: int) -> None:
    """Wait until a run has come so far, and has a checkpoint."""

    def there() -> bool:
        record = said(library, run)
        return record is not None and record.reached.iteration >= iteration and bool(library.checkpoints(run))

    until(there, f"iteration {iteration} of {run}")


def ends(executor: Executor, *jobs: str) -> dict[str, Ended]:
    """Wait until all of these have ended."""
    found: dict[str, Ended] = {}

    def there() -> bool:
        found.update({ended.job: ended for ended in executor.poll(0.05)})
        return found.keys() >= set(jobs)

    until(there, f"the end of {set(jobs)}")
    return found


def is_whole(library: Library, run: str) -> bool:
    """Whether all that a run has told is there once, in its order, up to where it has come."""
    record, rows = library.run(run), library.series(run, ITERATIONS)
    return rows["iteration"].tolist() == list(range(1, record.reached.iteration + 1))
