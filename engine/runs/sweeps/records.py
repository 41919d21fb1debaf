"""What the run library says of an experiment: a sweep that was begun, and each of its runs. Plain data, importable
without torch and without numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from engine.runs.sweeps.spec import Sweep


class Wish(StrEnum):
    """What a person wants of a run of an experiment, or of the whole experiment, whoever conducts it."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"  # it is saved, and goes on when it is wanted to run again
    DROP = "drop"  # it is neither trained any more nor counted in the results


class Progress(StrEnum):
    """How far a run of an experiment is; while it is ``TRAINING`` and afterwards the run itself tells more."""

    WAITING = "waiting"
    TRAINING = "training"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True)
class ExperimentRun:
    """One seed at one point. ``run`` is the id that the run has, or will have, in the library; ``attempts`` counts how
    often it was begun, ``reason`` says why the latest failed."""

    experiment: str
    point: int
    seed: int
    run: str
    progress: Progress = Progress.WAITING
    wish: Wish = Wish.RUN
    attempts: int = 0
    reason: str = ""


@dataclass(frozen=True)
class ExperimentRecord:
    """An experiment of the library. ``id`` is a fingerprint of the sweep, so that the same sweep is the same experiment
    wherever it is begun; ``number`` counts the library's experiments from 1. ``settings`` are, by point, what varies
    there and is shown: title by title. ``created`` and ``deleted`` are seconds since 1970."""

    id: str
    number: int
    sweep: Sweep
    settings: tuple[Mapping[str, Any], ...]
    created: float
    wish: Wish = Wish.RUN
    note: str = ""
    deleted: float | None = None
    runs: tuple[ExperimentRun, ...] = field(default=(), compare=False)

    @property
    def title(self) -> str:
        return self.sweep.title
