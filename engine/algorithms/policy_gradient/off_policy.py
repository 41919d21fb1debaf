"""Off-policy gradient ascent: several steps on the same episodes, reweighted by importance sampling."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from engine.algorithms.outcome import Metrics, Outcome, UpdateEvents, require_finite, scheduled, scheduled_metric
from engine.algorithms.policy_gradient.rule import Rules, UpdateInput, accumulate_gradient, log_probs_of, over_batch
from engine.algorithms.policy_gradient.watched import WatchedBatch
from engine.algorithms.watching import WatchedStep
from engine.config.estimators import GAE
from engine.config.updates import OffPolicy
from engine.estimation.estimators import advantages
from engine.experience.batch import Batch, Chunk
from engine.maths import importance
from engine.maths.losses import normalized
from engine.maths.returns import carried, discount_sequence
from engine.maths.traces import v_trace, v_trace_advantages
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
    effective sample size and the largest weight tell. V-trace (Espeholt et al., 2018) multiplies nothing: every
    surprise of a learned value is weighed with the ratio of its own action, as ``v_traced`` has it.
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
        batch = WatchedBatch(self._policy, given) if given.watched else None
        log_weights, targets = torch.zeros(given.batch.rollout.environments), None
        for update in range(config.updates_per_batch):
            detail = f"step {update + 1} of {config.updates_per_batch}"
            now = yield from detailed(log_probs_of(self._policy, given.batch), detail)
            log_ratios = now - behaviour
            if config.weighting == "v-trace":
                log_weights = log_ratios
                weighted, targets = v_traced(given, config, log_ratios)
            else:
                ratios = given.batch.rollout.unflat(log_ratios)
                log_weights = importance.trajectory_log_weights(ratios, given.batch.rollout.mask)
                weighted = reweighted(given, config, log_ratios)
            gathered = accumulate_gradient(self._policy, self._vector, weighted, config)
            sums = yield from detailed(gathered, detail)
            norm = self._vector.clip(config.max_grad_norm).item()
            require_finite([sums.loss, sums.entropy, norm], rate)
            first = norm if update == 0 else metrics["grad_norm"]
            metrics = {"loss": sums.loss, "entropy": sums.entropy, "grad_norm": first}
            watched = None
            if batch is not None:
                watched = WatchedStep(
                    self._policy, self._vector, sums.losses, norm, log_ratios, weights=weighted.weights
                )
            self._optimizer.step(rate)
            if watched is not None and batch is not None:
                epochs = update + 1, config.updates_per_batch
                yield watched.event(given.iteration, update + 1, epochs, batch.change())
        largest = log_weights.max().item() / _LN_10
        size = importance.effective_sample_size(log_weights)
        metrics |= {
            "effective_sample_size": size,
            "largest_weight": largest if math.isfinite(largest) else None,
        }
        return Outcome(
            metrics | scheduled_metric(config.learning_rate_schedule, rate),
            log_weights,
            of="episode" if targets is None else "step",
            truncation=(config.truncation or None) if targets is None else config.most_ratio,
            effective_sample_size=size,
            steps=config.updates_per_batch,
            targets=targets,
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


@torch.no_grad()
def v_traced(given: UpdateInput, config: OffPolicy, log_ratios: Tensor) -> tuple[UpdateInput, Tensor]:
    """The same, with the advantages of V-trace, and what V is to be fitted to, [M].

    Â_t = min(ρ̄, ρ_t) (r_t + γ_t v_{t+1} − V(s_t)) and v_t = V(s_t) + Δ_t with Δ of ``maths.traces.v_trace``, the λ of a
    GAE credit in its traces.

    Args:
        log_ratios: log ρ = log π(a|s) − log μ(a|s), [M].

    Source: Espeholt et al. (2018), "IMPALA: Scalable distributed deep-RL with importance weighted actor-learner
        architectures".
    """
    batch, estimator = given.batch, given.config.estimator
    rollout, learned, ratios = batch.rollout, batch.learned, batch.rollout.unflat(log_ratios)
    share = estimator.credit.gae_lambda if isinstance(estimator.credit, GAE) else 1.0
    carry = share * carried(discount_sequence(estimator.gamma, rollout.terminated), rollout.truncated)
    corrections = v_trace(learned.errors, carry, ratios, config.most_ratio, config.most_trace)
    weighted = rollout.flat(v_trace_advantages(learned.errors, carry, ratios, corrections, config.most_ratio))
    return _with(given, weighted), learned.values + rollout.flat(corrections)


def _with(given: UpdateInput, weighted: Tensor) -> UpdateInput:
    """The same with these advantages [M], which are normalised here where they are to be."""
    estimator = given.config.estimator
    if estimator.normalize_advantages:
        weighted = normalized(weighted)
    plain = given.config.model_copy(update={"estimator": estimator.model_copy(update={"normalize_advantages": False})})
    return replace(given, batch=replace(given.batch, advantages=weighted), config=plain)


RULES: Rules = {OffPolicy: lambda update, parts: OffPolicyRule(update, parts.policy)}
