"""Proximal policy optimisation: many small steps on one batch, held back from leaving the old policy too far behind."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.algorithms.policy_gradient.rule import (
    Metrics,
    Outcome,
    UpdateEvents,
    UpdateInput,
    measured,
    over_batch,
    require_finite,
    scheduled,
    scheduled_metric,
    unweighted,
    with_shared_value,
)
from engine.config import PolicyGradientConfig
from engine.config.estimators import ValueBaseline
from engine.config.updates import PPOClip, PPOLagrangian, PPOPenalty
from engine.experience.batch import Batch, Chunk
from engine.maths.losses import (
    approx_kl,
    clip_fraction,
    clipped_surrogate,
    clipped_surrogate_gradient,
    single_sample_penalty,
    surrogate,
    updated_multiplier,
)
from engine.networks.optimizers import ParameterVector, add_gradient, make_optimizer
from engine.policies.distributions import Distribution
from engine.policies.policy import Policy
from engine.reports.events import Heartbeat, Heartbeats
from engine.runtime.errors import RunError
from engine.runtime.heartbeat import HeartbeatTimer
from engine.runtime.state import Parts, State
from engine.values.fitting import ValueFitting

Proximal = PPOClip | PPOPenalty | PPOLagrangian
STOP_AT = 1.5  # times the KL stop, as is common


@dataclass(frozen=True)
class _Step:
    """What a minibatch came to before its step: the mean loss, the mean squared error of a value function that is
    fitted jointly (None without one), and how far the policy had gone."""

    loss: float
    value_loss: float | None
    kl: float


@dataclass
class Multiplier:
    """λ of the Lagrangian."""

    value: float

    def state(self) -> State:
        return {"value": self.value}

    def load(self, state: Mapping[str, Any]) -> None:
        self.value = float(state["value"])


class ProximalRule:
    """Epochs of minibatches on a surrogate, with one of three things that hold the new policy back.

    - clipping: E[min(ρÂ, clip(ρ, 1−ε, 1+ε)Â)] (Schulman et al., 2017);
    - a fixed penalty: E[ρÂ] − λ E[KL(π_old‖π)], or its single-sample form E[ρÂ + λ log π(a|s)] ([textbook]);
    - a Lagrange multiplier: E[ρÂ] − λ (E[KL(π‖π_old)] − ε), then λ ← max(0, λ + α_λ (KL − ε)) ([Jethro]).

    ρ is π(a|s)/π_old(a|s), exactly 1 before the first step. All expectations are means over steps. ``fitting`` is a
    value function of its own that takes a step with each of the policy's, on the same minibatch.
    """

    def __init__(
        self, config: Proximal, policy: Policy, generator: torch.Generator, fitting: ValueFitting | None = None
    ) -> None:
        self._policy, self._fitting, self.parts = policy, fitting, Parts()
        self._generator = self.parts.add_generator("minibatches", generator)
        self._old = copy.deepcopy(policy).requires_grad_(False)
        self._vector = ParameterVector(policy.parameters())
        self._optimizer = self.parts.add("optimizer", make_optimizer(config.optimizer, self._vector))
        self._timer = HeartbeatTimer()
        self._multiplier = Multiplier(0.0)
        if isinstance(config, PPOLagrangian):
            self._multiplier = self.parts.add("multiplier", Multiplier(config.initial_multiplier))

    def update(self, given: UpdateInput) -> UpdateEvents:
        """All epochs. Entropy, divergence and ratios are those after the last step, the gradient norm the first's."""
        config, batch = given.config.update, given.batch
        assert isinstance(config, PPOClip | PPOPenalty | PPOLagrangian)
        rate = scheduled(config.learning_rate, config.learning_rate_schedule, given.progress)
        self._old.load_state_dict(self._policy.state_dict())
        self._old.temperature = self._policy.temperature
        old_log_probs, _ = yield from measured(self._policy, batch)
        steps, norm = yield from self._epochs(given, config, old_log_probs, rate)
        log_probs, entropy = yield from measured(self._policy, batch)
        log_ratios = log_probs - old_log_probs
        loss, kl = _mean([step.loss for step in steps]), approx_kl(log_ratios).item()
        try:
            require_finite([loss, norm, entropy, kl], rate)
        except RunError:
            self._policy.load_state_dict(self._old.state_dict())
            raise
        metrics: Metrics = {"loss": loss, "entropy": entropy, "grad_norm": norm, "approx_kl": kl}
        fitted = [step.value_loss for step in steps if step.value_loss is not None]
        if fitted:
            metrics["value_loss"] = _mean(fitted)
        if isinstance(config, PPOClip):
            metrics["clip_fraction"] = clip_fraction(log_ratios, _clip_range(config, given.progress)).item()
        if isinstance(config, PPOLagrangian):
            divergence = yield from self._divergence(batch)
            before = self._multiplier.value
            self._multiplier.value = updated_multiplier(before, divergence, config.target_kl, config.multiplier_step)
            metrics["multiplier"] = self._multiplier.value
        return Outcome(metrics | scheduled_metric(config.learning_rate_schedule, rate), log_ratios)

    def _epochs(
        self, given: UpdateInput, config: Proximal, old_log_probs: Tensor, rate: float
    ) -> Heartbeats[tuple[list[_Step], float]]:
        """Every step of the policy, and of a value function that is fitted jointly; and the first gradient's length."""
        joint = self._joint_fitting(given.config)
        stop = STOP_AT * config.target_kl if isinstance(config, PPOClip) else 0.0
        steps: list[_Step] = []
        norm = 0.0
        for chunks in self._minibatches(given.batch, config):
            step = yield from self._gradient(given, config, chunks, old_log_probs)
            if 0.0 < stop < step.kl:
                break
            if not steps or config.max_grad_norm > 0.0:
                length = self._vector.clip(config.max_grad_norm)
                norm = norm if steps else length.item()
            self._optimizer.step(rate)
            if joint is not None:
                fitting, baseline = joint
                fitting.step(baseline)
            steps.append(step)
        if joint is not None:
            fitting, baseline = joint
            fitting.require_finite(baseline)
        return steps, norm

    def _gradient(
        self, given: UpdateInput, config: Proximal, chunks: list[Chunk], old_log_probs: Tensor
    ) -> Heartbeats[_Step]:
        """Gather the gradient of one minibatch, chunk by chunk."""
        joint = self._joint_fitting(given.config)
        vectors = [self._vector] if joint is None else [self._vector, joint[0].vector]
        for vector in vectors:
            vector.zero()
        size = sum(len(chunk.actions) for chunk in chunks)
        total, of_values, kl = 0.0, 0.0, 0.0
        written_out = isinstance(config, PPOClip) and self._policy.written_out
        add = self._add_written_out if written_out else self._add_by_autograd
        for chunk in chunks:
            share = len(chunk.actions) / size
            loss, log_ratios, of_value = add(given, chunk, old_log_probs[chunk.rows], share)
            if joint is not None:
                fitting, baseline = joint
                of_value = fitting.add_gradient(given.batch, chunk.rows, baseline, share)
            total += share * loss.item()
            of_values += 0.0 if of_value is None else of_value.item()
            if isinstance(config, PPOClip) and config.target_kl > 0.0:
                kl += share * approx_kl(log_ratios).item()
            if self._timer.due():
                yield Heartbeat("updating the policy")
        return _Step(total, of_values if joint is not None else unweighted(of_values, given.config), kl)

    def _add_by_autograd(
        self, given: UpdateInput, chunk: Chunk, old_log_probs: Tensor, share: float
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Add a chunk's ``share`` of the gradient; its loss, its log-ratios and its share of a shared value's loss."""
        config = given.config.update
        assert isinstance(config, PPOClip | PPOPenalty | PPOLagrangian)
        distribution, of_value = with_shared_value(self._policy, given, chunk)
        log_ratios = distribution.log_prob(chunk.actions) - old_log_probs
        loss = -self._objective(given, config, chunk, distribution, log_ratios)
        if config.entropy_coefficient > 0.0:
            loss = loss - config.entropy_coefficient * distribution.entropy().mean()
        add_gradient(share * (loss if of_value is None else loss + of_value), self._vector)
        return loss.detach(), log_ratios.detach(), None if of_value is None else share * of_value.detach()

    @torch.no_grad()
    def _add_written_out(
        self, given: UpdateInput, chunk: Chunk, old_log_probs: Tensor, share: float
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """As ``_add_by_autograd``, by the chain rule through log π and H to the policy's parameters."""
        config = given.config.update
        assert isinstance(config, PPOClip)
        weights, clip_range = given.weights[chunk.rows], _clip_range(config, given.progress)
        distribution, passed = self._policy.forward_pass(chunk.observations)
        log_ratios = distribution.log_prob(chunk.actions) - old_log_probs
        loss = -clipped_surrogate(log_ratios, weights, clip_range)
        if config.entropy_coefficient > 0.0:
            loss -= config.entropy_coefficient * distribution.entropy().mean()
        by_log_prob = clipped_surrogate_gradient(log_ratios, weights, clip_range).mul_(-share)
        by_entropy = -share * config.entropy_coefficient / len(weights)
        self._policy.backward(passed, distribution.gradients(chunk.actions, by_log_prob, by_entropy))
        return loss, log_ratios, None

    def _minibatches(self, batch: Batch, config: Proximal) -> Iterator[list[Chunk]]:
        for _ in range(config.epochs):
            yield from batch.minibatches(config.minibatch_size, self._generator)

    def _objective(
        self, given: UpdateInput, config: Proximal, chunk: Chunk, distribution: Distribution, log_ratios: Tensor
    ) -> Tensor:
        """What is to be maximised, but for the entropy bonus; a scalar."""
        weights = given.weights[chunk.rows]
        if isinstance(config, PPOClip):
            return clipped_surrogate(log_ratios, weights, _clip_range(config, given.progress))
        gained = surrogate(log_ratios, weights)
        if isinstance(config, PPOLagrangian):
            return gained - self._multiplier.value * distribution.kl(self._old_over(chunk)).mean()
        if config.form == "single-sample":
            return gained + config.kl_coefficient * single_sample_penalty(distribution.log_prob(chunk.actions))
        return gained - config.kl_coefficient * self._old_over(chunk).kl(distribution).mean()

    def _old_over(self, chunk: Chunk) -> Distribution:
        with torch.no_grad():
            return self._old.over(chunk.observations, chunk.sequences)

    def _divergence(self, batch: Batch) -> Heartbeats[float]:
        """KL(π‖π_old) averaged over the batch's states."""
        sums = yield from over_batch(self._policy, batch, lambda now, chunk: now.kl(self._old_over(chunk)).sum().item())
        return sum(sums) / batch.size

    def _joint_fitting(self, config: PolicyGradientConfig) -> tuple[ValueFitting, ValueBaseline] | None:
        """What is fitted jointly with the policy, and how; None where nothing is."""
        baseline = config.estimator.baseline
        if self._fitting is None or not isinstance(baseline, ValueBaseline) or not fits_value_jointly(config):
            return None
        return self._fitting, baseline


def fits_value_jointly(config: PolicyGradientConfig) -> bool:
    """Whether PPO itself fits the value function, a step with each of the policy's."""
    baseline = config.estimator.baseline
    jointly = isinstance(baseline, ValueBaseline) and baseline.fit_steps == 0 and baseline.fitted_on == "previous"
    return jointly and isinstance(config.update, PPOClip | PPOPenalty | PPOLagrangian)


def _clip_range(config: PPOClip, progress: float) -> float:
    return scheduled(config.clip_range, config.clip_range_schedule, progress)


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / max(len(numbers), 1)
