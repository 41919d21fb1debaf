"""One gradient step as whoever watches an update is shown it; where nobody does, nothing here runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.experience.replay_buffer import Minibatch
from engine.networks.optimizers import ParameterVector
from engine.policies.parameter_names import parameter_names
from engine.policies.policy import Policy
from engine.reports.update_events import ComponentChange, DrawnSteps, LayerChange, PolicyChange, UpdateStep

_LARGEST = 12  # parameters that are told one by one


@dataclass(frozen=True)
class WatchedStep:
    """Made right before a step, and asked what it was right after.

    Args:
        policy: whose parameters are stepped.
        vector: these.
        losses: the parts of what is descended, by name.
        grad_norm: the gradient's length before it was clipped.
        log_ratios: log π(a|s)/π_old(a|s) of the steps that the gradient is of.
        rows: which of the batch's steps these are; None for all of them, in order.
        clipped: which of them have no part in the gradient; None where nothing is clipped.
        errors: the temporal-difference errors that the gradient is of; None where it is of something else.
        weights: what each ∇ log π is multiplied with where it is another number in every update; else None.
    """

    policy: Policy
    vector: ParameterVector
    losses: Mapping[str, float]
    grad_norm: float
    log_ratios: Tensor
    rows: Tensor | None = None
    clipped: Tensor | None = None
    errors: Tensor | None = None
    weights: Tensor | None = None
    before: Tensor = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "before", self.vector.values.clone())

    def event(
        self, iteration: int, step: int, epochs: tuple[int, int] = (1, 1), policy: PolicyChange | None = None
    ) -> UpdateStep:
        """The ``step``-th of its update, counted from 1, in such an epoch of so many."""
        rows = torch.arange(len(self.log_ratios)) if self.rows is None else self.rows
        change = self.vector.values - self.before
        layers, largest = self._told(change)
        return UpdateStep(
            iteration=iteration,
            step=step,
            losses=dict(self.losses),
            rows=rows.cpu().numpy(),
            log_ratios=self.log_ratios.cpu().numpy(),
            clipped=None if self.clipped is None else self.clipped.cpu().numpy(),
            grad_norm=self.grad_norm,
            parameter_change=change.cpu().numpy(),
            epoch=epochs[0],
            epochs=epochs[1],
            layers=layers,
            largest=largest,
            policy=policy,
            weights=None if self.weights is None else self.weights.cpu().numpy(),
            errors=None if self.errors is None else self.errors.flatten().cpu().numpy(),
        )

    def _told(self, change: Tensor) -> tuple[tuple[LayerChange, ...], tuple[ComponentChange, ...]]:
        """Every tensor of parameters, and those parameters that moved furthest. The device is waited for twice."""
        named, parameters = parameter_names(self.policy), self.vector.parameters
        names = [named.get(id(each), f"tensor {number}") for number, each in enumerate(parameters, 1)]
        sizes = [each.numel() for each in parameters]
        parts = [*torch.split(self.before, sizes), *torch.split(change, sizes)]
        lengths = torch.stack(torch._foreach_norm(parts)).tolist()
        layers = map(LayerChange, names, map(_shape, parameters), lengths[: len(sizes)], lengths[len(sizes) :])
        furthest = change.abs().topk(min(_LARGEST, len(change))).indices
        starts, largest = np.cumsum([0, *sizes]), list[ComponentChange]()
        numbers = torch.stack([self.before[furthest], change[furthest]]).tolist()
        for at, before, moved in zip(furthest.tolist(), *numbers, strict=True):
            which = int(np.searchsorted(starts, at, "right")) - 1
            index = np.unravel_index(at - int(starts[which]), _shape(parameters[which]))
            largest.append(ComponentChange(names[which], tuple(map(int, index)), before, moved))
        return tuple(layers), tuple(largest)


def _shape(tensor: Tensor) -> tuple[int, ...]:
    return tuple(tensor.shape)


def drawn_steps(batch: Minibatch, targets: Tensor, errors: Tensor, weights: Tensor | None = None) -> DrawnSteps:
    """A minibatch for whoever watches, in memory of its own; ``errors`` are [B], or [k, B] of k networks."""
    values = targets - errors

    def copied(tensor: Tensor) -> NDArray[Any]:
        found: NDArray[Any] = tensor.detach().cpu().numpy().copy()
        return found

    return DrawnSteps(
        observations=copied(batch.observations),
        actions=copied(batch.actions),
        rewards=copied(batch.rewards),
        targets=copied(targets),
        values=copied(values if values.ndim == 1 else values.mean(0)),
        terminated=copied(batch.discounts == 0.0),
        lengths=copied(batch.lengths),
        ages=copied(batch.ages),
        weights=None if weights is None else copied(weights),
        networks=None if values.ndim == 1 or len(values) == 1 else copied(values),
    )
