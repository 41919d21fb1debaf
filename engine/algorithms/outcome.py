"""What an update of any family comes to, and what the steps of all have: schedules, and a look at the numbers."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from engine.config.optimization import Schedule
from engine.reports.events import Heartbeat
from engine.reports.update_events import LineSearchTry, TrustRegion, UpdateStep
from engine.runtime.errors import RunError

Metrics = dict[str, float | None]


@dataclass(frozen=True)
class Outcome:
    """What an update reports: metrics by name, and the log-ratios to show where the rule has any.

    ``steps`` are the gradient steps that moved the policy, 0 where it stayed as it was. ``targets`` [M] are what V is
    to be fitted to from now on, where that is not what it was before the update.
    ``clip_range`` is the ε that was in force and ``truncation`` the largest weight that counted in full, each None
    where the rule knows none; ``effective_sample_size`` is that of the weights, where it weighs.
    """

    metrics: Metrics
    log_ratios: Tensor | None = None
    of: Literal["step", "episode"] = "step"
    clip_range: float | None = None
    truncation: float | None = None
    effective_sample_size: float | None = None
    steps: int = 1
    targets: Tensor | None = None


UpdateEvents = Generator[Heartbeat | TrustRegion | LineSearchTry | UpdateStep, None, Outcome]


def scheduled(value: float, schedule: Schedule, progress: float) -> float:
    """``value`` at a share of the run: constant, falling evenly to 0, or ½ (1 + cos π·progress) of it."""
    if schedule == "constant":
        return value
    left = 1.0 - min(progress, 1.0)
    share = left if schedule == "linear" else 0.5 * (1.0 - math.cos(math.pi * left))
    # Never quite 0: the iteration under way at the end of the budget still learns, if barely.
    return value * max(share, 1e-6)


def scheduled_metric(schedule: Schedule, learning_rate: float) -> Metrics:
    """The learning rate in force, told where it changes by itself."""
    return {"learning_rate": None if schedule == "constant" else learning_rate}


def require_finite(numbers: Iterable[float], learning_rate: float | None = None) -> None:
    """Raises RunError where one is not; a rule without a learning rate has only the rewards to blame."""
    if all(map(math.isfinite, numbers)):
        return
    if learning_rate is None:
        raise RunError("The gradient is no longer a finite number; the rewards are probably too large.")
    raise RunError(
        f"The gradient is no longer a finite number; the learning rate {learning_rate:g} is "
        "probably too large, so lower it and start again."
    )
