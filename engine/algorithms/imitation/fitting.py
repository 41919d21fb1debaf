"""Maximum likelihood, weighted or not: steps along Σ w ∇ log π of what a teacher did."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.algorithms.outcome import Metrics, Outcome, UpdateEvents, require_finite, scheduled, scheduled_metric
from engine.algorithms.policy_gradient.rule import read
from engine.algorithms.watching import WatchedStep
from engine.config.imitation import BehaviouralCloning, DAgger
from engine.experience.batch import Batch, Chunk
from engine.maths.losses import policy_gradient_loss
from engine.networks.optimizers import ParameterVector, add_gradient, make_optimizer
from engine.policies.policy import Policy
from engine.reports.events import Heartbeat, Heartbeats
from engine.runtime.heartbeat import HeartbeatTimer
from engine.runtime.state import Parts


@dataclass(frozen=True)
class FitInput:
    """One update.

    Attributes:
        batch: the steps, with what ∇ log π of each is multiplied by as its advantages.
        divisor: what the sum over steps is divided by, N.
        config: the rule as it is now.
        progress: how much of the run's budget is used, 0 … 1.
        watched: the iteration, where somebody wants to see every gradient step; else None.
    """

    batch: Batch
    divisor: int
    config: BehaviouralCloning | DAgger
    progress: float
    watched: int | None = None


class FittingRule:
    """Climbs 1/N Σ_i Σ_t w_{i,t} log π(a_{i,t}|s_{i,t}), epoch by epoch, minibatch by minibatch.

    With weights of 1 that is maximum likelihood, with returns in their place the policy gradient's estimate; [Jethro]
    sets the two beside each other. Both are ``policy_gradient_loss``. A minibatch of B of the M steps is an estimate of
    the whole, so its sum is multiplied by M/B.
    """

    def __init__(self, config: BehaviouralCloning | DAgger, policy: Policy, generator: torch.Generator) -> None:
        self._policy, self.parts = policy, Parts()
        self._vector = ParameterVector(policy.parameters())
        self._optimizer = self.parts.add("optimizer", make_optimizer(config.optimizer, self._vector))
        self._generator = self.parts.add_generator("minibatches", generator)

    @property
    def weights(self) -> Tensor:
        """All parameters of the policy in one vector, [P]."""
        return self._vector.values

    def update(self, given: FitInput) -> UpdateEvents:
        """One update; the gradient's norm is that of its first step.

        Raises:
            RunError: a number is no longer finite.
        """
        config, batch, timer = given.config, given.batch, HeartbeatTimer()
        rate = scheduled(config.learning_rate, config.learning_rate_schedule, given.progress)
        norms, losses = list[Tensor](), list[Tensor]()
        before = None
        if given.watched is not None:
            before = yield from _log_probs(self._policy, batch)
        for epoch in range(config.epochs):
            for minibatch in batch.minibatches(config.minibatch_size, self._generator):
                loss, log_probs = self._gather(minibatch, given)
                norm = self._vector.clip(config.max_grad_norm)
                watched = None
                if before is not None:
                    watched = self._seen(minibatch, loss.item(), norm.item(), log_probs, before)
                self._optimizer.step(rate)
                losses.append(loss)
                norms.append(norm)
                if watched is not None and given.watched is not None:
                    yield watched.event(given.watched, len(norms), (epoch + 1, config.epochs))
                if timer.due():
                    yield Heartbeat("updating the policy", detail=f"epoch {epoch + 1:,} of {config.epochs:,}")
        numbers = read(losses), read(norms)
        require_finite([*numbers[0], *numbers[1]], rate)
        metrics: Metrics = {"loss": numbers[0][0], "grad_norm": numbers[1][0]}
        return Outcome(metrics | scheduled_metric(config.learning_rate_schedule, rate), steps=len(norms))

    def _gather(self, minibatch: list[Chunk], given: FitInput) -> tuple[Tensor, Tensor]:
        """Put the gradient of a minibatch into the vector; its loss, and log π of its steps."""
        batch, found = given.batch, list[Tensor]()
        weights, total = batch.weights(), torch.zeros((), device=self._vector.values.device)
        steps = sum(len(chunk.observations) for chunk in minibatch)
        self._vector.zero()
        for chunk in minibatch:
            distribution = self._policy.over(chunk.observations, chunk.sequences)
            log_probs = distribution.log_prob(chunk.actions)
            loss = policy_gradient_loss(log_probs, weights[chunk.rows], given.divisor)
            if steps != batch.size:
                loss = loss * (batch.size / steps)
            add_gradient(loss, self._vector)
            total = total + loss.detach()
            found.append(log_probs.detach())
        return total, torch.cat(found)

    def _seen(self, minibatch: list[Chunk], loss: float, norm: float, log_probs: Tensor, before: Tensor) -> WatchedStep:
        everything = torch.arange(len(before), device=before.device)
        rows = torch.cat([everything[chunk.rows] for chunk in minibatch])
        return WatchedStep(self._policy, self._vector, {"policy": loss}, norm, log_probs - before[rows], rows)


def _log_probs(policy: Policy, batch: Batch) -> Heartbeats[Tensor]:
    found, timer = [], HeartbeatTimer()
    for chunk in batch.chunks():
        with torch.no_grad():
            found.append(policy.over(chunk.observations, chunk.sequences).log_prob(chunk.actions))
        if timer.due():
            yield Heartbeat("updating the policy")
    return torch.cat(found)
