"""Off-policy gradient ascent: several steps on the same episodes, reweighted by importance sampling."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from engine.algorithms.outcome import Metrics, Outcome, UpdateEvents, require_finite, scheduled, scheduled_metric
from engine.algorithms.policy_gradient.rule import Rules, UpdateInput, accumulate_gradient, log_probs_of, over_batch
from engine.algorithms.watching import WatchedStep
from engine.config.updates import OffPolicy
from engine.estimation.estimators import advantages
from engine.experience.batch import Batch, Chunk
from engine.maths import importance
from engine.maths.losses import normalized
from engine.networks.optimizers import ParameterVector, make_optimizer
from engine.policies.behaviour import behaviour_log_probs
from engine.policies.distributions import Distribution
from engine.policies.policy import Policy
from engine.reports.events import Heartbeats, detailed
from engine.runtime.state import Parts

_LN_10 = math.log(10.0)


class OffPolicyRule:
    """θ ← θ + α/N Σ_i Σ_t ∇ log π(a_t|s_t) w Â_t, with w what makes the episodes of μ count as the policy's own.

    Per trajectory, w = Π_t π(a_t|s_t)/μ(a_t|s_t) over the whole episode ([Jethro]); per decision, every reward carries
    the product up to its own step (Precup et al., 2000). The products explode or vanish as episodes get longer: the
    effective sample size and the largest weight tell.
    """

    def __init__(self, config: OffPolicy, policy: Policy) -> None:
        self._policy, self.parts = policy, Parts()
        self._vector = ParameterVector(policy.parameters())
        self._optimizer = self.parts.add("optimizer", make_optimizer(config.optimizer, self._vector))

    def update(self, given: UpdateInput) -> UpdateEvents:
        """All updates of the batch. Weights, their effective sample size and the loss are those of the last one."""
        config = given.config.update
        assert isinstance(config, OffPolicy)
        rate = scheduled(config.learning_rate, config.learning_rate_schedule, given.progress)
        behaviour = yield from self._behaviour(given.batch)
        metrics: Metrics = {}
        log_weights = torch.zeros(given.batch.rollout.environments)
        for update in range(config.updates_per_batch):
            detail = f"step {update + 1} of {config.updates_per_batch}"
            now = yield from detailed(log_probs_of(self._policy, given.batch), detail)
            log_ratios = now - behaviour
            log_weights = importance.trajectory_log_weights(
                given.batch.rollout.unflat(log_ratios), given.batch.rollout.mask
            )
            weighted = reweighted(given, config, log_ratios)
            gathered = accumulate_gradient(self._policy, self._vector, weighted, config)
            sums = yield from detailed(gathered, detail)
            norm = self._vector.clip(config.max_grad_norm).item()
            require_finite([sums.loss, sums.entropy, norm], rate)
            first = norm if update == 0 else metrics["grad_norm"]
            metrics = {"loss": sums.loss, "entropy": sums.entropy, "grad_norm": first}
            watched = WatchedStep(self._vector, sums.losses, norm, log_ratios) if given.watched else None
            self._optimizer.step(rate)
            if watched is not None:
                yield watched.event(given.iteration, update + 1)
        largest = log_weights.max().item() / _LN_10
        size = importance.effective_sample_size(log_weights)
        metrics |= {
            "effective_sample_size": size,
            "largest_weight": largest if math.isfinite(largest) else None,
        }
        return Outcome(
            metrics | scheduled_metric(config.learning_rate_schedule, rate),
            log_weights,
            of="episode",
            truncation=config.truncation or None,
            effective_sample_size=size,
            steps=config.updates_per_batch,
        )

    def _behaviour(self, batch: Batch) -> Heartbeats[Tensor]:
        """log μ(a|s) of every step, [M]; yields signs of life."""
        rollout = batch.rollout
        greedy = None if rollout.greedy is None else rollout.flat(rollout.greedy)

        def of_chunk(acted: Distribution, chunk: Chunk) -> Tensor:
            chosen = None if greedy is None else greedy[chunk.rows]
            return behaviour_log_probs(acted, chunk.actions, chosen, rollout.greedy_share)

        return torch.cat((yield from over_batch(self._policy, batch, of_chunk)))


def reweighted(given: UpdateInput, config: OffPolicy, log_ratios: Tensor) -> UpdateInput:
    """The same, with advantages as the present policy's own episodes would give them, on average.

    Args:
        log_ratios: log π(a|s) − log μ(a|s), [M].
    """
    batch, estimator = given.batch, given.config.estimator
    ratios, mask = batch.rollout.unflat(log_ratios), batch.rollout.mask
    if config.weighting == "per-trajectory":
        log_weights = importance.trajectory_log_weights(ratios, mask)
        weights = importance.weights(log_weights, config.self_normalized, config.truncation)
        of_step = batch.rollout.flat(weights.expand_as(mask))
        weighted = of_step * (batch.advantages if given.normalized is None else given.normalized)
    else:
        log_weights = importance.prefix_log_weights(ratios, mask)
        weights = importance.weights(log_weights, config.self_normalized, config.truncation)
        weighted = batch.rollout.flat(advantages(batch.rollout, estimator, batch.baseline, weights))
        if estimator.normalize_advantages:
            weighted = normalized(weighted)
    plain = given.config.model_copy(update={"estimator": estimator.model_copy(update={"normalize_advantages": False})})
    return replace(given, batch=replace(batch, advantages=weighted), config=plain)


RULES: Rules = {OffPolicy: lambda update, parts: OffPolicyRule(update, parts.policy)}
