"""What every update rule is to the run, and what several of them share."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

import torch
from torch import Tensor

from engine.config import RunConfig
from engine.config.estimators import SharedValueBaseline
from engine.config.updates import Schedule
from engine.experience.batch import Batch, Piece
from engine.maths.losses import clipped_value_loss, value_loss
from engine.policies.distributions import Distribution
from engine.policies.policy import Policy
from engine.runtime.errors import RunError
from engine.runtime.heartbeat import Pulse

Metrics = dict[str, float | None]
UPDATING = "updating the policy"  # as signs of life say it
_T = TypeVar("_T")


@dataclass(frozen=True)
class Outcome:
    """What an update reports: metrics by name, and the log-ratios to show where the rule has any."""

    metrics: Metrics
    log_ratios: Tensor | None = None
    of: Literal["step", "episode"] = "step"


@dataclass(frozen=True)
class Task:
    """One update: the batch, the configuration as it is now, and how much of the budget is used, 0 … 1."""

    batch: Batch
    config: RunConfig
    progress: float
    weights: Tensor = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", self.batch.weights(self.config.estimator.normalize_advantages))


Updating = Generator[str, None, Outcome]


class UpdateRule(Protocol):
    """Improves a policy with one batch."""

    def update(self, task: Task) -> Updating:
        """Yields signs of life, naming what is being done.

        Raises:
            RunError: a number is no longer finite.
        """


def scheduled(value: float, schedule: Schedule, progress: float) -> float:
    """``value`` at a share of the run: constant, falling evenly to 0, or ½ (1 + cos π·progress) of it."""
    if schedule == "constant":
        return value
    left = 1.0 - min(progress, 1.0)
    share = left if schedule == "linear" else 0.5 * (1.0 - math.cos(math.pi * left))
    # Never quite 0: the iteration under way at the end of the budget still learns, if barely.
    return value * max(share, 1e-6)


def scheduled_metric(schedule: Schedule, learning_rate: float) -> Metrics:
    return {"learning_rate": None if schedule == "constant" else learning_rate}


def fit_loss(values: Tensor, targets: Tensor, old_values: Tensor | None, clip_range: float) -> Tensor:
    """The squared error of V, clipped around what V was where ``clip_range`` is above 0."""
    if clip_range > 0.0 and old_values is not None:
        return clipped_value_loss(values, targets, old_values, clip_range)
    return value_loss(values, targets)


def with_shared_value(policy: Policy, task: Task, piece: Piece) -> tuple[Distribution, Tensor | None]:
    """π(·|s) over a piece, and c_V·L_V where the policy's network also predicts the value, else None."""
    baseline, batch = task.config.estimator.baseline, task.batch
    if not isinstance(baseline, SharedValueBaseline):
        return policy.over(piece.observations, piece.sequences), None
    distribution, values = policy.evaluate(piece.observations, piece.sequences)
    old = None if batch.values is None else batch.values[piece.rows]
    return distribution, baseline.coefficient * fit_loss(values, batch.returns[piece.rows], old, baseline.clip_range)


def unweighted(loss: float, config: RunConfig) -> float | None:
    """L_V of a shared value from c_V·L_V; None without one, or where c_V is 0."""
    baseline = config.estimator.baseline
    if not isinstance(baseline, SharedValueBaseline) or baseline.coefficient == 0.0:
        return None
    return loss / baseline.coefficient


def require_finite(numbers: Iterable[float], learning_rate: float | None = None) -> None:
    """Raises RunError where one is not; a rule without a learning rate has only the rewards to blame."""
    if all(map(math.isfinite, numbers)):
        return
    if learning_rate is None:
        raise RunError("The policy's gradient is no longer a finite number; the rewards are probably too large.")
    raise RunError(
        f"The policy's gradient is no longer a finite number; the learning rate {learning_rate:g} is "
        "probably too large, so lower it and start again."
    )


def over_batch(
    policy: Policy, batch: Batch, what: Callable[[Distribution, Piece], _T]
) -> Generator[str, None, list[_T]]:
    """What ``what`` makes of π(·|s) over each piece of the batch, without a graph; yields signs of life."""
    found, pulse = [], Pulse()
    for piece in batch.pieces():
        with torch.no_grad():
            found.append(what(policy.over(piece.observations, piece.sequences), piece))
        if pulse.due():
            yield UPDATING
    return found


def measured(policy: Policy, batch: Batch) -> Generator[str, None, tuple[Tensor, float]]:
    """log π(a|s) of every step under the present policy, [M], and the policy's mean entropy; yields signs of life."""

    def of_piece(distribution: Distribution, piece: Piece) -> tuple[Tensor, float]:
        return distribution.log_prob(piece.actions), distribution.entropy().sum().item()

    log_probs, entropies = zip(*(yield from over_batch(policy, batch, of_piece)), strict=True)
    return torch.cat(log_probs), sum(entropies) / batch.size
