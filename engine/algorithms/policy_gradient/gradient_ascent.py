"""Gradient ascent: one optimiser step along the policy-gradient estimate per batch."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import torch

from engine.algorithms.policy_gradient.rule import (
    UPDATING,
    Metrics,
    Outcome,
    Task,
    Updating,
    require_finite,
    scheduled,
    scheduled_metric,
    unweighted,
    with_shared_value,
)
from engine.config.updates import TRPO, GradientAscent, NaturalGradient, OffPolicy
from engine.maths.losses import entropy_bonus, policy_gradient_loss
from engine.maths.trust_region import flattened
from engine.networks.optimizers import ParameterVector, add_gradient, make_optimizer
from engine.policies.policy import Policy
from engine.runtime.heartbeat import Pulse


class GradientAscentRule:
    """θ ← θ + α ĝ with SGD, momentum, RMSprop or Adam."""

    def __init__(self, config: GradientAscent, policy: Policy) -> None:
        self._policy = policy
        self._vector = ParameterVector(policy.parameters())
        self._descent = make_optimizer(config.optimizer, self._vector)

    def update(self, task: Task) -> Updating:
        """One step. The metrics are from before it; where the gradient is not finite the policy is left as it was."""
        config = task.config.update
        assert isinstance(config, GradientAscent)
        rate = scheduled(config.learning_rate, config.learning_rate_schedule, task.progress)
        sums = yield from self._gathered(task, config)
        norm = self._vector.clip(config.max_grad_norm).item()
        require_finite([sums.loss, sums.entropy, norm], rate)
        self._descent.step(rate)
        metrics: Metrics = {"loss": sums.loss, "entropy": sums.entropy, "grad_norm": norm}
        shared: Metrics = {} if sums.value_loss is None else {"value_loss": sums.value_loss}
        return Outcome(metrics | shared | scheduled_metric(config.learning_rate_schedule, rate))

    def _gathered(self, task: Task, config: GradientAscent) -> Generator[str, None, Sums]:
        """Put the batch's gradient into the vector."""
        return (yield from accumulate_gradient(self._policy, self._vector, task, config))


@dataclass(frozen=True)
class Sums:
    """What the batch came to: the whole loss, the mean entropy, and the shared value's mean squared error."""

    loss: float
    entropy: float
    value_loss: float | None


def accumulate_gradient(
    policy: Policy, vector: ParameterVector, task: Task, config: GradientAscent | NaturalGradient | TRPO | OffPolicy
) -> Generator[str, None, Sums]:
    """Put −ĝ, the gradient of the loss over the whole batch, into ``vector.gradient``; yields signs of life.

    It is summed over pieces of the batch, which changes nothing but how long each takes. With a baseline per parameter
    b, what is subtracted is b times the mean score, component by component.
    """
    batch, bonus = task.batch, config.entropy_coefficient
    total = entropy = value_loss = torch.zeros((), device=task.weights.device)
    pulse = Pulse()
    scores = None if batch.parameter_baseline is None else torch.zeros_like(batch.parameter_baseline)
    vector.zero()
    for piece in batch.pieces():
        distribution, shared = with_shared_value(policy, task, piece)
        entropies = distribution.entropy()
        log_probs = distribution.log_prob(piece.actions)
        loss = policy_gradient_loss(log_probs, task.weights[piece.rows], batch.divisor)
        if bonus > 0.0:
            loss = loss - bonus * entropy_bonus(entropies, batch.divisor)
        if shared is not None:
            share = shared * (len(log_probs) / batch.size)
            loss, value_loss = loss + share, value_loss + share.detach()
        if scores is not None:
            plain = log_probs if batch.state_weights is None else batch.state_weights[piece.rows] * log_probs
            scores += flattened(
                torch.autograd.grad(plain.sum(), vector.parameters, retain_graph=True, materialize_grads=True)
            )
        add_gradient(loss, vector)
        total, entropy = total + loss.detach(), entropy + entropies.detach().sum()
        if pulse.due():
            yield UPDATING
    if scores is not None and batch.parameter_baseline is not None:
        vector.gradient.add_(batch.parameter_baseline * scores / batch.divisor)
    return Sums(total.item(), entropy.item() / batch.size, unweighted(value_loss.item(), task.config))
