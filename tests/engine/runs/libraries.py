"""Libraries with runs in them, made without training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.reports.metrics import METRICS
from engine.runs.library import EPISODES, ITERATIONS, Library
from engine.runs.records import NotedEvent, Reached, RunRecord, Status

ITERATION_COLUMNS = ("iteration", "environment_steps", "episodes", "seconds", *METRICS)
EPISODE_COLUMNS = ("iteration", "return", "length", "end", "seconds")


def opened(folder: Path) -> Library:
    return Library(folder / "library")


def record(values: Mapping[str, Any] | None = None, **fields: Any) -> RunRecord:
    """A run at rest after 3 iterations, whose configuration is the default one with some ``values`` replaced."""
    config = with_values(PolicyGradientConfig(), dict(values or {}))
    made = RunRecord(
        id="",
        number=0,
        configuration=config.model_dump(mode="json"),
        status=Status.FINISHED,
        created=1_790_000_000.0,
        ended=1_790_000_003.0,
        reached=Reached(3, 300, 2, 0.75, 22.5, 22.5),
    )
    return replace(made, **fields)


def filled(library: Library, values: Mapping[str, Any] | None = None, **fields: Any) -> RunRecord:
    """Such a run in ``library``, with 3 iterations, 2 episodes and a note; the first has no mean return yet."""
    run = library.begin(record(values, **fields))
    rows = [
        [i, 100.0 * i, float(i > 1), 0.25 * i] + [1.0 / (3 + k + i) for k in range(len(METRICS))] for i in (1, 2, 3)
    ]
    numbers = np.array(rows)
    numbers[0, ITERATION_COLUMNS.index("mean_return")] = math.nan
    library.append(run.id, ITERATIONS, ITERATION_COLUMNS, numbers)
    episodes = np.array([[2.0, 20.1, 20.0, 180.0, 0.4], [3.0, 24.9, 25.0, 260.0, 0.6]])
    library.append(run.id, EPISODES, EPISODE_COLUMNS, episodes)
    library.note(run.id, NotedEvent("note", 2, 200, 1, 0.5, {"sentence": "All is well."}))
    return library.run(run.id)
