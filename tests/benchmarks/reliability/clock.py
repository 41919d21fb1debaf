"""The clock of the system goes back an hour while a run is recorded, and another begins after that."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from unittest import mock

from engine.config import presets
from engine.config.parameters import with_values
from engine.reports.events import Updated
from engine.runs.host import recorded
from engine.runs.library import ITERATIONS, Library
from engine.runs.records import Status
from engine.training.training import Training

HOUR = 3600.0


def goes_back(folder: Path, steps: int = 4000) -> list[str]:
    """What goes wrong."""
    said: list[str] = []
    told: list[list[float]] = []
    real, late = time.time, 0.0

    def clock() -> float:
        return real() - late

    with mock.patch("time.time", clock):
        for _ in range(2):
            config = with_values(presets.find("cartpole-fast").config, {"budget.environment_steps": steps})
            training, seconds = Training(config, uuid.uuid4().hex), []
            with recorded(training, folder / "library", said.append) as recorder:
                for event in training:
                    recorder.put(event)
                    if isinstance(event, Updated):
                        seconds.append(event.seconds)
                        recorder.between(training)
                        late = HOUR
            training.close()
            told.append(seconds)
    return said + _wrong(folder / "library", told)


def _wrong(folder: Path, told: list[list[float]]) -> list[str]:
    wrong = []
    with Library(folder) as library:
        runs = library.runs()
        if [run.number for run in runs] != [2, 1] or runs[0].created > runs[1].created:
            wrong.append("the run that began last is not the first in the list")
        if any(run.status != Status.FINISHED for run in runs):
            wrong.append("a run is not at its end")
        for run, seconds in zip(reversed(runs), told, strict=True):
            if library.series(run.id, ITERATIONS)["seconds"].tolist() != seconds:
                wrong.append(f"what run {run.number} told is not what is in the library")
            if not library.checkpoints(run.id):
                wrong.append(f"run {run.number} has no checkpoint")
    return wrong
