"""What ``Training`` yields: small typed records of numpy arrays and numbers, importable without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Change:
    """A parameter changed while training; it holds from ``iteration`` on, which began at ``environment_steps``."""

    path: str
    old: Any
    new: Any
    iteration: int
    environment_steps: int
    episodes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Working:
    """A sign of life inside a long phase, so that the host can pause or stop there; ``doing`` names the phase."""

    doing: str
    environment_steps: int


@dataclass(frozen=True, slots=True)
class Collected:
    """The episodes that one iteration finished, in the order in which they ended; there may be none.

    ``returns`` are undiscounted sums of raw rewards, ``lengths`` are in steps, and ``ends`` holds the run's environment
    steps at each episode's end; all have shape [episodes of this iteration].
    """

    iteration: int
    environment_steps: int
    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    ends: NDArray[np.int64]
    seconds: float


@dataclass(frozen=True, slots=True)
class Estimated:
    """The advantages of one iteration before normalisation, one per collected step, shape [steps]."""

    iteration: int
    advantages: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Reweighted:
    """How far one iteration's policy has moved from the one that acted, as logarithms of probability ratios.

    ``of`` says what each stands for: π(a|s)/π_old(a|s) of one of the steps, or its product over one of the episodes,
    the importance weight; −∞ where the policy now rules it out. Shape [steps or episodes].
    """

    iteration: int
    log_ratios: NDArray[np.float32]
    of: Literal["step", "episode"]


@dataclass(frozen=True, slots=True)
class Updated:
    """The end of an iteration: totals since the start of the run, and every metric of ``metrics.py`` by name.

    ``seconds`` is time spent training; pauses do not count. ``changes`` took effect as this iteration began.
    """

    iteration: int
    environment_steps: int
    episodes: int
    seconds: float
    metrics: dict[str, float | None]
    changes: tuple[Change, ...] = ()

    def report(self) -> dict[str, float | None]:
        """The line that ``--report`` writes for this iteration."""
        totals = {
            "iteration": self.iteration,
            "environment_steps": self.environment_steps,
            "episodes": self.episodes,
            "seconds": self.seconds,
        }
        return totals | self.metrics


Phase = Working | Collected | Estimated | Reweighted | Updated
