"""Gradient ascent: one optimiser step along the policy-gradient estimate per batch."""

from __future__ import annotations

import torch

from engine.algorithms.outcome import Metrics, Outcome, UpdateEvents, require_finite, scheduled, scheduled_metric
from engine.algorithms.policy_gradient.rule import LossSums, Rules, UpdateInput, accumulate_gradient
from engine.algorithms.policy_gradient.watched import WatchedBatch
from engine.algorithms.watching import WatchedStep
from engine.config.updates import GradientAscent
from engine.networks.optimizers import ParameterVector, make_optimizer
from engine.policies.policy import Policy
from engine.reports.events import Heartbeats
from engine.runtime.state import Parts


class GradientAscentRule:
    """θ ← θ + α ĝ with SGD, momentum, RMSprop or Adam."""

    def __init__(self, config: GradientAscent, policy: Policy) -> None:
        self._policy, self.parts = policy, Parts()
        self._vector = ParameterVector(policy.parameters())
        self._optimizer = self.parts.add("optimizer", make_optimizer(config.optimizer, self._vector))

    def update(self, given: UpdateInput) -> UpdateEvents:
        """One step. The metrics are from before it; where the gradient is not finite the policy is left as it was."""
        config = given.config.update
        assert isinstance(config, GradientAscent)
        rate = scheduled(config.learning_rate, config.learning_rate_schedule, given.progress)
        sums = yield from self._gathered(given, config)
        norm = self._vector.clip(config.max_grad_norm).item()
        require_finite([sums.loss, sums.entropy, norm], rate)
        batch = WatchedBatch(self._policy, given) if given.watched else None
        watched = self._watched(given, sums, norm) if given.watched else None
        self._optimizer.step(rate)
        if watched is not None and batch is not None:
            yield watched.event(given.iteration, 1, policy=batch.change())
        metrics: Metrics = {"loss": sums.loss, "entropy": sums.entropy, "grad_norm": norm}
        shared: Metrics = {} if sums.value_loss is None else {"value_loss": sums.value_loss}
        return Outcome(metrics | shared | scheduled_metric(config.learning_rate_schedule, rate))

    def _watched(self, given: UpdateInput, sums: LossSums, norm: float) -> WatchedStep:
        return WatchedStep(self._policy, self._vector, sums.losses, norm, torch.zeros(given.batch.size))

    def _gathered(self, given: UpdateInput, config: GradientAscent) -> Heartbeats[LossSums]:
        """Put the batch's gradient into the vector."""
        return (yield from accumulate_gradient(self._policy, self._vector, given, config))


RULES: Rules = {GradientAscent: lambda update, parts: GradientAscentRule(update, parts.policy)}
