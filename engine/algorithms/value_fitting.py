"""Fitting a learned value baseline of its own to the returns."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import torch
from torch import Tensor

from engine.algorithms.rule import fit_loss, make_optimizer, set_learning_rate
from engine.batch import Batch
from engine.config.estimators import ValueBaseline
from engine.errors import RunError
from engine.policies.policy import ValueFunction
from engine.pulse import ROWS, Pulse


class ValueFitting:
    """φ ← φ − α ∇ 1/M Σ (V_φ(s_m) − G_m)², several optimiser steps per batch (003…)."""

    def __init__(self, config: ValueBaseline, value: ValueFunction, generator: torch.Generator) -> None:
        self.value = value
        self._generator = generator
        self._optimizer = make_optimizer(config.optimizer, value.parameters(), config.learning_rate)

    def fit(self, batch: Batch, config: ValueBaseline) -> Generator[str, None, float]:
        """Fit to ``batch.returns``; yields signs of life and returns the loss at the last step.

        Raises:
            RunError: the value function is no longer finite.
        """
        set_learning_rate(self._optimizer, config.learning_rate)
        pulse = Pulse()
        total = torch.zeros((), device=batch.returns.device)
        drawn = min(config.minibatch_size or batch.size, batch.size)
        for rows in self._draws(batch, config):
            self._optimizer.zero_grad(set_to_none=True)
            total = torch.zeros_like(total)
            for part in rows:
                old = None if batch.values is None else batch.values[part]
                values = self.value(batch.observations[part])
                loss = fit_loss(values, batch.returns[part], old, config.clip_range) * (len(values) / drawn)
                loss.backward()  # type: ignore[no-untyped-call]
                total += loss.detach()
                if pulse.due():
                    yield "fitting the value function"
            self._optimizer.step()
        last = total.item()
        if not all(torch.isfinite(parameter).all() for parameter in self.value.parameters()):
            raise RunError(
                f"The value function is no longer a finite number; its learning rate {config.learning_rate:g} is "
                "probably too large, so lower it and start again."
            )
        return last

    def _draws(self, batch: Batch, config: ValueBaseline) -> Iterator[list[Tensor | slice]]:
        """For every step its rows, in parts small enough to be interrupted between."""
        size = config.minibatch_size or batch.size
        if size >= batch.size:
            whole: list[Tensor | slice] = [slice(k, min(k + ROWS, batch.size)) for k in range(0, batch.size, ROWS)]
            for _ in range(config.fit_steps):
                yield whole
            return
        left: list[Tensor] = []
        for _ in range(config.fit_steps):
            if not left:
                order = torch.randperm(batch.size, generator=self._generator).to(batch.returns.device)
                left = [rows for rows in torch.split(order, size) if len(rows) == size]
            yield list(torch.split(left.pop(), ROWS))
