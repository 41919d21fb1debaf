"""Fitting a learned value baseline to the returns of the same trajectories."""

from __future__ import annotations

from collections.abc import Generator

import torch

from engine.config import ValueBaseline
from engine.errors import RunError
from engine.estimators import Estimate
from engine.losses import value_loss
from engine.phases import Working
from engine.policies.policy import ValueFunction
from engine.pulse import ROWS, Pulse


class ValueFitting:
    """φ ← φ − α ∇ 1/M Σ (V_φ(s_m) − G_m)², several Adam steps on the whole batch (003…)."""

    def __init__(self, config: ValueBaseline, value: ValueFunction) -> None:
        self.value = value
        self._optimizer = torch.optim.Adam(value.parameters(), lr=config.learning_rate)

    def fit(self, estimate: Estimate, config: ValueBaseline, steps_taken: int) -> Generator[Working, None, float]:
        """Fit to ``estimate.returns``; yields signs of life and returns the loss at the last step.

        Raises:
            RunError: the loss is not finite.
        """
        for group in self._optimizer.param_groups:
            group["lr"] = config.learning_rate
        pulse = Pulse()
        pieces = list(zip(torch.split(estimate.observations, ROWS), torch.split(estimate.returns, ROWS), strict=True))
        for _ in range(config.fit_steps):
            self._optimizer.zero_grad(set_to_none=True)
            total = torch.zeros((), device=estimate.returns.device)
            for observations, returns in pieces:
                loss = value_loss(self.value(observations), returns) * (len(returns) / len(estimate.returns))
                loss.backward()  # type: ignore[no-untyped-call]
                total += loss.detach()
                if pulse.due():
                    yield Working("fitting the value function", steps_taken)
            self._optimizer.step()
        last = total.item()
        if not all(torch.isfinite(parameter).all() for parameter in self.value.parameters()):
            raise RunError(
                f"The value function is no longer a finite number; its learning rate {config.learning_rate:g} is "
                "probably too large, so lower it and start again."
            )
        return last
