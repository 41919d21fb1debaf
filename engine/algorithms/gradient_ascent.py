"""Gradient ascent: one optimiser step along the policy-gradient estimate per batch."""

from __future__ import annotations

import math
from collections.abc import Generator

import torch

from engine.config import GradientAscent
from engine.errors import RunError
from engine.estimators import Estimate
from engine.losses import entropy_bonus, normalized, policy_gradient_loss
from engine.phases import Working
from engine.policies.policy import Policy
from engine.pulse import ROWS, Pulse


class GradientAscentRule:
    """θ ← θ + α ĝ with SGD, or Adam's rescaled step (Kingma & Ba, 2015)."""

    def __init__(self, config: GradientAscent, policy: Policy) -> None:
        self._policy = policy
        self._parameters = list(policy.parameters())
        self._optimizer: torch.optim.Optimizer
        if config.optimizer == "sgd":
            self._optimizer = torch.optim.SGD(self._parameters, lr=config.learning_rate)
        else:
            self._optimizer = torch.optim.Adam(self._parameters, lr=config.learning_rate)

    def update(
        self, estimate: Estimate, config: GradientAscent, normalize: bool, steps_taken: int
    ) -> Generator[Working, None, dict[str, float | None]]:
        """One step; ``config`` may differ from the first in what is live.

        Yields signs of life; returns the metrics loss, entropy and grad_norm, all from before the step. The gradient is
        summed over pieces of the batch, which changes nothing but how long each takes.

        Raises:
            RunError: the loss or its gradient is not finite; the policy is then left as it was.
        """
        for group in self._optimizer.param_groups:
            group["lr"] = config.learning_rate
        advantages = normalized(estimate.advantages) if normalize else estimate.advantages
        pieces = (torch.split(tensor, ROWS) for tensor in (estimate.observations, estimate.actions, advantages))
        total = entropy = torch.zeros((), device=advantages.device)
        pulse = Pulse()
        self._optimizer.zero_grad(set_to_none=True)
        for observations, actions, weights in zip(*pieces, strict=True):
            distribution = self._policy(observations)
            entropies = distribution.entropy()
            loss = policy_gradient_loss(distribution.log_prob(actions), weights, estimate.episodes)
            if config.entropy_coefficient > 0.0:
                loss = loss - config.entropy_coefficient * entropy_bonus(entropies, estimate.episodes)
            loss.backward()  # type: ignore[no-untyped-call]
            total, entropy = total + loss.detach(), entropy + entropies.detach().sum()
            if pulse.due():
                yield Working("updating the policy", steps_taken)
        grad_norm = torch.nn.utils.get_total_norm(
            [parameter.grad for parameter in self._parameters if parameter.grad is not None]
        )
        metrics = {
            "loss": total.item(),
            "entropy": entropy.item() / len(advantages),
            "grad_norm": grad_norm.item(),
        }
        if not all(map(math.isfinite, metrics.values())):
            raise RunError(
                f"The policy's gradient is no longer a finite number; the learning rate {config.learning_rate:g} is "
                "probably too large, so lower it and start again."
            )
        if 0.0 < config.max_grad_norm < metrics["grad_norm"]:
            torch.nn.utils.clip_grads_with_norm_(self._parameters, config.max_grad_norm, grad_norm)
        self._optimizer.step()
        return dict(metrics)
