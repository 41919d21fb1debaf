"""Fitting a learned value baseline of its own to the returns."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from engine.config.estimators import ValueBaseline
from engine.experience.batch import Batch, rows_at_once, sent
from engine.maths.losses import clipped_value_loss, value_gradient, value_loss
from engine.networks.optimizers import ParameterVector, add_gradient, make_optimizer
from engine.reports.events import Heartbeat, Heartbeats
from engine.runtime.errors import RunError
from engine.runtime.heartbeat import ROWS, HeartbeatTimer
from engine.runtime.state import Parts
from engine.values.value_function import ValueFunction


class ValueFitting:
    """φ ← φ − α ∇ 1/M Σ (V_φ(s_m) − G_m)², several optimiser steps per batch ([Jabon 2023]).

    ``value`` and its parameters are whoever's who made it; ``parts`` are what the fitting itself remembers.
    """

    def __init__(self, config: ValueBaseline, value: ValueFunction, generator: torch.Generator) -> None:
        self.value, self.parts = value, Parts()
        self._generator = self.parts.add_generator("minibatches", generator)
        self.vector = ParameterVector(value.parameters())
        self._optimizer = self.parts.add("optimizer", make_optimizer(config.optimizer, self.vector))

    def fit(self, batch: Batch, config: ValueBaseline) -> Heartbeats[float]:
        """Fit to the batch's targets; yields signs of life and returns the loss at the last step.

        Raises:
            RunError: the value function is no longer finite.
        """
        timer = HeartbeatTimer()
        total = torch.zeros((), device=batch.advantages.device)
        drawn, steps = min(config.minibatch_size or batch.size, batch.size), max(config.fit_steps, 1)
        for step, rows in enumerate(self._draws(batch, config), start=1):
            self.vector.zero()
            total = torch.zeros_like(total)
            for part in rows:
                total += self.add_gradient(batch, part, config, len(batch.advantages[part]) / drawn)
                if timer.due():
                    yield Heartbeat("fitting the value function", detail=f"step {step} of {steps}")
            self.step(config)
        loss = total.item()
        self.require_finite(config, loss)
        return loss

    def add_gradient(self, batch: Batch, rows: Tensor | slice, config: ValueBaseline, share: float) -> Tensor:
        """Add ``share`` times the gradient of V's squared error at some of the steps to what is gathered.

        Returns:
            ``share`` times the squared error, a scalar.
        """
        observations, targets = batch.observations[rows], batch.learned.targets[rows]
        old = batch.learned.values[rows] if config.clip_range > 0.0 else None
        dense = self.value.dense
        if dense is None:
            loss = share * fit_loss(self.value(observations), targets, old, config.clip_range)
            add_gradient(loss, self.vector)
            return loss.detach()
        passed = dense.forward(self.value.inputs(observations))
        values = passed.outputs.squeeze(-1)
        gradient = share * value_gradient(values, targets, old, config.clip_range)
        dense.backward(passed, gradient.unsqueeze(-1))
        return share * fit_loss(values, targets, old, config.clip_range)

    def step(self, config: ValueBaseline) -> None:
        """One step along the gradient that has been gathered."""
        self._optimizer.step(config.learning_rate)

    @property
    def moving(self) -> list[Tensor]:
        """All that a step changes."""
        return [self.vector.values, *self._optimizer.gathered]

    def require_finite(self, config: ValueBaseline, loss: float = 0.0) -> None:
        """Raises RunError where V, or its squared error ``loss``, is no longer finite."""
        if not (math.isfinite(loss) and bool(self.vector.values.isfinite().all())):
            raise RunError(
                f"The value function is no longer a finite number; its learning rate {config.learning_rate:g} is "
                "probably too large, so lower it and start again."
            )

    def _draws(self, batch: Batch, config: ValueBaseline) -> Iterator[list[Tensor | slice]]:
        """For every step its rows, in parts small enough to be interrupted between."""
        size, most = config.minibatch_size or batch.size, rows_at_once(batch.observations, ROWS)
        if size >= batch.size:
            whole: list[Tensor | slice] = [slice(k, min(k + most, batch.size)) for k in range(0, batch.size, most)]
            for _ in range(max(config.fit_steps, 1)):
                yield whole
            return
        left: list[Tensor] = []
        for _ in range(max(config.fit_steps, 1)):
            if not left:
                order = sent(torch.randperm(batch.size, generator=self._generator), batch.advantages.device)
                left = [rows for rows in torch.split(order, size) if len(rows) == size]
            yield list(torch.split(left.pop(), most))


def fit_loss(values: Tensor, targets: Tensor, old_values: Tensor | None, clip_range: float) -> Tensor:
    """The squared error of V, clipped around what V was where ``clip_range`` is above 0."""
    if clip_range > 0.0 and old_values is not None:
        return clipped_value_loss(values, targets, old_values, clip_range)
    return value_loss(values, targets)
