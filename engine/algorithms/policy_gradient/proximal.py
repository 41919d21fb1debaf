"""Proximal policy optimisation: many small steps on one batch, held back from leaving the old policy too far behind."""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from engine.algorithms.outcome import Metrics, Outcome, UpdateEvents, require_finite, scheduled, scheduled_metric
from engine.algorithms.policy_gradient.rule import (
    RuleParts,
    Rules,
    UpdateInput,
    UpdateRule,
    add_parts,
    measured,
    over_batch,
    unweighted,
)
from engine.algorithms.policy_gradient.surrogates import Added, Proximal, Surrogate, SurrogateGradient, gradient_for
from engine.algorithms.watching import WatchedStep
from engine.config import PolicyGradientConfig
from engine.config.estimators import ValueBaseline
from engine.config.updates import PPOClip, PPOLagrangian, PPOPenalty
from engine.experience.batch import Batch, Chunk
from engine.maths.losses import approx_kl, clip_fraction, updated_multiplier
from engine.networks.optimizers import ParameterVector, make_optimizer
from engine.policies.policy import Policy
from engine.reports.events import Heartbeat, Heartbeats, UpdateStep
from engine.runtime.errors import RunError
from engine.runtime.heartbeat import HeartbeatTimer
from engine.runtime.state import Parts, State
from engine.values.fitting import ValueFitting

STOP_AT = 1.5  # times the KL stop, as is common
JointFitting = tuple[ValueFitting, ValueBaseline]


@dataclass(frozen=True)
class _Step:
    """What a minibatch came to before its step: the mean loss, the mean squared error of a value function that is
    fitted jointly (None without one), and how far the policy had gone."""

    loss: float
    value_loss: float | None
    kl: float


_Found = list[tuple[Chunk, Added]]
"""What each chunk of a minibatch came to."""


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
        surrogate = Surrogate(given, config, self._old, old_log_probs, self._multiplier.value)
        steps, norm = yield from self._epochs(surrogate, rate)
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
        if surrogate.clip_range is not None:
            metrics["clip_fraction"] = clip_fraction(log_ratios, surrogate.clip_range).item()
        if isinstance(config, PPOLagrangian):
            divergence = yield from self._divergence(surrogate)
            before = self._multiplier.value
            self._multiplier.value = updated_multiplier(before, divergence, config.target_kl, config.multiplier_step)
            metrics["multiplier"] = self._multiplier.value
        metrics |= scheduled_metric(config.learning_rate_schedule, rate)
        return Outcome(metrics, log_ratios, clip_range=surrogate.clip_range)

    def _epochs(
        self, surrogate: Surrogate, rate: float
    ) -> Generator[Heartbeat | UpdateStep, None, tuple[list[_Step], float]]:
        """Every step of the policy, and of a value function that is fitted jointly; and the first gradient's length."""
        given, config = surrogate.given, surrogate.config
        joint = self._joint_fitting(given.config)
        gradient = gradient_for(surrogate, self._policy, self._vector)
        stop = STOP_AT * config.target_kl if isinstance(config, PPOClip) else 0.0
        steps: list[_Step] = []
        norm, watched = 0.0, None
        for chunks in self._minibatches(given.batch, config):
            step, found = yield from self._gathered(surrogate, gradient, chunks, joint)
            if 0.0 < stop < step.kl:
                break
            if not steps or config.max_grad_norm > 0.0 or given.watched:
                length = self._vector.clip(config.max_grad_norm)
                norm = norm if steps else length.item()
                if given.watched:
                    watched = self._watched(surrogate, found, step, length.item())
            self._optimizer.step(rate)
            if joint is not None:
                fitting, baseline = joint
                fitting.step(baseline)
            steps.append(step)
            if watched is not None:
                yield watched.event(given.iteration, len(steps))
        if joint is not None:
            fitting, baseline = joint
            fitting.require_finite(baseline, _mean([step.value_loss or 0.0 for step in steps]))
        return steps, norm

    def _gathered(
        self, surrogate: Surrogate, gradient: SurrogateGradient, chunks: list[Chunk], joint: JointFitting | None
    ) -> Heartbeats[tuple[_Step, _Found]]:
        """Gather the gradient of one minibatch, chunk by chunk."""
        given, config = surrogate.given, surrogate.config
        self._vector.zero()
        if joint is not None:
            joint[0].vector.zero()
        size = sum(len(chunk.actions) for chunk in chunks)
        total, of_values, kl = 0.0, 0.0, 0.0
        found: _Found = []
        for chunk in chunks:
            share = len(chunk.actions) / size
            one = gradient.add(surrogate, chunk, share)
            if joint is not None:
                fitting, baseline = joint
                of_values += fitting.add_gradient(given.batch, chunk.rows, baseline, share).item()
            elif one.value_loss is not None:
                of_values += (share * one.value_loss).item()
            total += share * one.loss.item()
            if isinstance(config, PPOClip) and config.target_kl > 0.0:
                kl += share * approx_kl(one.log_ratios).item()
            found.append((chunk, one))
            if self._timer.due():
                yield Heartbeat("updating the policy")
        value_loss = of_values if joint is not None else unweighted(of_values, given.config)
        return _Step(total, value_loss, kl), found

    def _watched(self, surrogate: Surrogate, found: _Found, step: _Step, norm: float) -> WatchedStep:
        """The step that is about to be taken."""
        size, losses = sum(len(one.log_ratios) for _, one in found), dict[str, float]()
        for _, one in found:
            parts = one.losses if one.value_loss is None else one.losses | {"value": one.value_loss}
            add_parts(parts, len(one.log_ratios) / size, losses)
        if self._joint_fitting(surrogate.given.config) is not None and step.value_loss is not None:
            losses["value"] = step.value_loss
        numbers = torch.arange(surrogate.given.batch.size, device=surrogate.old_log_probs.device)
        cut_off = [surrogate.cut_off(chunk, one.log_ratios) for chunk, one in found]
        return WatchedStep(
            self._vector,
            losses,
            norm,
            torch.cat([one.log_ratios for _, one in found]),
            torch.cat([numbers[chunk.rows] for chunk, _ in found]),
            None if surrogate.clip_range is None else torch.cat([some for some in cut_off if some is not None]),
        )

    def _minibatches(self, batch: Batch, config: Proximal) -> Iterator[list[Chunk]]:
        for _ in range(config.epochs):
            yield from batch.minibatches(config.minibatch_size, self._generator)

    def _divergence(self, surrogate: Surrogate) -> Heartbeats[float]:
        """KL(π‖π_old) averaged over the batch's states."""
        batch = surrogate.given.batch
        sums = yield from over_batch(
            self._policy, batch, lambda now, chunk: now.kl(surrogate.old_over(chunk)).sum().item()
        )
        return sum(sums) / batch.size

    def _joint_fitting(self, config: PolicyGradientConfig) -> JointFitting | None:
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


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / max(len(numbers), 1)


def _made(update: Proximal, parts: RuleParts) -> UpdateRule:
    return ProximalRule(update, parts.policy, parts.generator, parts.fitting)


RULES: Rules = {PPOClip: _made, PPOPenalty: _made, PPOLagrangian: _made}
