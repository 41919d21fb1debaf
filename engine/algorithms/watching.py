"""One gradient step as whoever watches an update is shown it; where nobody does, nothing here runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.networks.optimizers import ParameterVector
from engine.reports.events import UpdateStep


@dataclass(frozen=True)
class WatchedStep:
    """Made right before a step, and asked what it was right after.

    Args:
        vector: the policy's parameters.
        losses: the parts of what is descended, by name.
        grad_norm: the gradient's length before it was clipped.
        log_ratios: log π(a|s)/π_old(a|s) of the steps that the gradient is of.
        rows: which of the batch's steps these are; None for all of them, in order.
        clipped: which of them have no part in the gradient; None where nothing is clipped.
    """

    vector: ParameterVector
    losses: Mapping[str, float]
    grad_norm: float
    log_ratios: Tensor
    rows: Tensor | None = None
    clipped: Tensor | None = None
    before: Tensor = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "before", self.vector.values.clone())

    def event(self, iteration: int, step: int) -> UpdateStep:
        """The ``step``-th of its update, counted from 1."""
        rows = torch.arange(len(self.log_ratios)) if self.rows is None else self.rows
        return UpdateStep(
            iteration=iteration,
            step=step,
            losses=dict(self.losses),
            rows=rows.cpu().numpy(),
            log_ratios=self.log_ratios.cpu().numpy(),
            clipped=None if self.clipped is None else self.clipped.cpu().numpy(),
            grad_norm=self.grad_norm,
            parameter_change=(self.vector.values - self.before).cpu().numpy(),
        )
