"""What trains many runs: processes of this machine, or a cluster. All that a run tells stands in the run library of
whoever conducts, which is where it is watched, whichever machine it is trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from engine.runs.records import Status
from engine.runtime.errors import RunError

NO_RAY = "Training on a cluster needs Ray, which is not installed; pip install 'ray>=2.40' installs it."


def ray_is_installed() -> bool:
    """Whether jobs can be trained on a cluster at all."""
    return find_spec("ray") is not None


@dataclass(frozen=True)
class Job:
    """Runs that are to be trained in one process: one, or several seeds of one configuration together.

    ``configuration`` is as JSON can say it, with the first seed; ``seeds`` and ``runs`` are those of each, the latter
    ids that the runs have in the library or are to have. A run that is there already goes on from its last checkpoint.
    """

    configuration: Mapping[str, Any]
    seeds: tuple[int, ...]
    runs: tuple[str, ...]
    library: Path
    threads: int = 1

    @property
    def id(self) -> str:
        """That of its first run."""
        return self.runs[0]


class Order(StrEnum):
    """What is told to a job that is under way."""

    PAUSE = "pause"
    GO_ON = "go on"
    STEP = "step"  # for one iteration, then pause
    STOP = "stop"  # it is saved, and ends


@dataclass(frozen=True)
class Ended:
    """A job that is over: what it came to, and why where it failed. ``can_retry`` says that it was not its own fault,
    as where its process died or its machine was lost."""

    job: str
    status: Status
    reason: str = ""
    can_retry: bool = False


class ExecutorLostError(RunError):
    """All that trains jobs is gone, as where a cluster was shut down, which is the fault of none of them: those under
    way are at rest, interrupted, and no more can be begun."""


class Executor(Protocol):
    """Trains jobs side by side, never with more busy threads than cores."""

    @property
    def slots(self) -> int:
        """How many jobs can be under way at once."""

    def start(self, job: Job) -> None:
        """Train ``job``.

        Raises:
            RequestError: it cannot be trained here at all.
        """

    def order(self, job: str, order: Order) -> None:
        """Tell a job that is under way; one that is over hears nothing."""

    def poll(self, seconds: float = 0.0) -> Sequence[Ended]:
        """The jobs that have ended since the last time; waits so long at most for one.

        Raises:
            ExecutorLostError: there is nothing any more that trains them.
        """

    def close(self) -> None:
        """Stop all that is under way, each saved, and free what is held."""
