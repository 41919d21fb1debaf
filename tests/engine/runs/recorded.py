"""Runs trained a little and written into a library as the recorder writes them, without its thread."""

from __future__ import annotations

import math
import time
import uuid
from typing import Any

import numpy as np

from engine.config import RunConfig
from engine.reports.events import Collected, Updated
from engine.reports.metrics import METRICS
from engine.runs.library import EPISODES, ITERATIONS, Library
from engine.runs.records import CheckpointRecord, NotedEvent, Reached, RunRecord, Status
from engine.training.checkpoint import to_bytes
from engine.training.training import Training
from tests.engine.support import untimed

COLUMNS = ("iteration", "environment_steps", "episodes", "seconds", *METRICS)
OF_EPISODES = ("iteration", "return", "length", "end", "seconds")


def begun(library: Library, config: RunConfig) -> tuple[Training, RunRecord]:
    """A run at its beginning, and its record."""
    training = Training(config, uuid.uuid4().hex)
    (id,) = training.runs
    record = RunRecord(id, 0, config.model_dump(mode="json"), Status.STOPPED, time.time(), device="cpu")
    return training, library.begin(record)


def trained(library: Library, training: Training, iterations: int) -> list[dict[str, float | None]]:
    """Train on for so many iterations and record what is told; the reports, less what depends on the clock."""
    (id,) = training.runs
    found: list[dict[str, float | None]] = []
    for event in training:
        if isinstance(event, Collected) and len(event.returns):
            count = len(event.returns)
            columns = (np.full(count, event.iteration), event.returns, event.lengths, event.ends, np.zeros(count))
            library.append(id, EPISODES, OF_EPISODES, np.column_stack(columns).astype(float))
        if isinstance(event, Updated):
            _record(library, id, event)
            found.append(untimed(event))
            if len(found) == iterations:
                break
    return found


def _record(library: Library, id: str, event: Updated) -> None:
    report: dict[str, Any] = event.report()
    row = [math.nan if report.get(name) is None else report[name] for name in COLUMNS]
    library.append(id, ITERATIONS, COLUMNS, np.array([row], float))
    at = (event.iteration, event.environment_steps, event.episodes, event.seconds)
    for change in event.changes:
        data = {"path": change.path, "old": change.old, "new": change.new}
        library.note(id, NotedEvent("change", *at, data=data))
    means = (library.run(id).reached.best, report["mean_return"])
    best = max((mean for mean in means if mean is not None), default=None)
    library.reach(id, Reached(*at, report["mean_return"], best), ())


def saved(library: Library, training: Training, *kinds: str) -> CheckpointRecord:
    """Keep a checkpoint of now."""
    (id,) = training.runs
    data = to_bytes(training.state())
    at = (training.iteration, training.environment_steps, time.time())
    checkpoint = CheckpointRecord(id, *at, f"{training.iteration}.safetensors", len(data), kinds or ("last",))
    file = library.checkpoint_file(checkpoint)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    library.keep_checkpoint(checkpoint)
    return checkpoint
