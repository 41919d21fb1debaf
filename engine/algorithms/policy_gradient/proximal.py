"""Proximal policy optimisation: many small steps on one batch, held back from leaving the old policy too far behind."""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from engine.algorithms.outcome import Metrics, Outcome, UpdateEvents, require_finite, scheduled, scheduled_metric
from engine.algorithms.policy_gradient.recorded import ConditionalSteps, RecordedStep, StepMetrics
from engine.algorithms.policy_gradient.rule import (
    RuleParts,
    Rules,
    UpdateInput,
    UpdateRule,
    add_parts,
    log_probs_of,
    measured,
    over_batch,
    read,
    unweighted,
)
from engine.algorithms.policy_gradient.surrogates import Added, Proximal, Surrogate, SurrogateGradient, gradient_for
from engine.algorithms.policy_gradient.watched import WatchedBatch
from engine.algorithms.watching import WatchedStep
from engine.config import PolicyGradientConfig
from engine.config.estimators import ValueBaseline
from engine.config.updates import PPOClip, PPOLagrangian, PPOPenalty
from engine.experience.batch import Batch, Chunk
from engine.maths.losses import approx_kl, clip_fraction, updated_multiplier
from engine.networks.optimizers import ParameterVector, make_optimizer
from engine.policies.policy import Policy
from engine.reports.events import Heartbeat, Heartbeats
from engine.reports.update_events import UpdateStep
from engine.runtime.cuda_graph import on_device, replays
from engine.runtime.errors import RunError
from engine.runtime.heartbeat import HeartbeatTimer
from engine.runtime.state import Parts, State
from engine.values.fitting import ValueFitting

STOP_AT = 1.5  # times the KL stop, as is common
JointFitting = tuple[ValueFitting, ValueBaseline]
Minibatch = tuple[int, list[Chunk]]  # and the epoch that it is of, from 1


@dataclass(frozen=True)
class _Steps:
    """What the steps that were taken came to before each: the mean loss, the mean squared error of a value function
    that is fitted jointly (None without one), the first gradient's length, how many they were, and how far the furthest
    log-ratio was from 0 before the first of them (None where it was not looked at)."""

    loss: float
    value_loss: float | None
    norm: float
    count: int
    first_ratio: float | None = None


class _Gradient(NamedTuple):
    """The gradient of a minibatch: what that came to, how far the policy had gone (0 where nobody asks; a tensor on a
    device), and what each chunk came to."""

    told: StepMetrics
    kl: float | Tensor
    found: list[tuple[Chunk, Added]]


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

    On a GPU the host queues all steps of an update and reads what they came to after the last. Where the KL stops an
    update, it does so on the device: the steps from there on are undone as they are taken, which leaves the policy
    where the CPU stops. Otherwise the steps repeat one CUDA graph, unless somebody watches, or a number in them changes
    from update to update, as schedules and multipliers do.
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
        self._recorded: RecordedStep | None = None
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
        old_log_probs = yield from self._acting_log_probs(batch)
        surrogate = Surrogate(given, config, self._old, old_log_probs, self._multiplier.value)
        steps = yield from self._epochs(surrogate, rate)
        log_probs, entropy = yield from measured(self._policy, batch)
        log_ratios = log_probs - old_log_probs
        loss, norm, kl = steps.loss, steps.norm, approx_kl(log_ratios).item()
        try:
            require_finite([loss, norm, entropy, kl], rate)
        except RunError:
            self._policy.load_state_dict(self._old.state_dict())
            raise
        metrics: Metrics = {"loss": loss, "entropy": entropy, "grad_norm": norm, "approx_kl": kl}
        metrics |= {"first_ratio": steps.first_ratio, "largest_ratio": log_ratios.abs().max().item()}
        if steps.value_loss is not None:
            metrics["value_loss"] = steps.value_loss
        if surrogate.clip_range is not None:
            metrics["clip_fraction"] = clip_fraction(log_ratios, surrogate.clip_range).item()
        if isinstance(config, PPOLagrangian):
            divergence = yield from self._divergence(surrogate)
            before = self._multiplier.value
            self._multiplier.value = updated_multiplier(before, divergence, config.target_kl, config.multiplier_step)
            metrics["multiplier"] = self._multiplier.value
        metrics |= scheduled_metric(config.learning_rate_schedule, rate)
        return Outcome(metrics, log_ratios, clip_range=surrogate.clip_range, steps=steps.count)

    def _acting_log_probs(self, batch: Batch) -> Heartbeats[Tensor]:
        """log π_old(a|s) of every step, [M]: those of the policy that acted."""
        return (yield from log_probs_of(self._policy, batch))

    def _epochs(self, surrogate: Surrogate, rate: float) -> Generator[Heartbeat | UpdateStep, None, _Steps]:
        """Every step of the policy, and of a value function that is fitted jointly."""
        given, config = surrogate.given, surrogate.config
        joint = self._joint_fitting(given.config)
        gradient = gradient_for(surrogate, self._policy, self._vector)
        stop = STOP_AT * config.target_kl if isinstance(config, PPOClip) else 0.0
        conditional = ConditionalSteps(self._moving(joint)) if stop > 0.0 and on_device(self._vector.values) else None
        repeats = replays(self._vector.values.device) and stop == 0.0 and self._same_every_time(given, config)
        seen = self._seen(surrogate) if given.watched else None
        told: list[StepMetrics] = []
        held, drawn = list[Tensor](), list[Tensor]()
        first: Tensor | None = None
        for epoch, chunks in self._minibatches(given.batch, config):
            if repeats and len(chunks[0].actions) == min(config.minibatch_size or given.batch.size, given.batch.size):
                if not told:
                    first = self._furthest(surrogate, chunks[0])
                told.append(self._repeated(surrogate, chunks[0], rate))
                continue
            one = yield from self._gathered(surrogate, gradient, (epoch, chunks), joint)
            if isinstance(one.kl, float) and 0.0 < stop < one.kl:
                break
            if not told:
                first = torch.stack([added.log_ratios.abs().max() for _, added in one.found]).max()
            told_now, watched = one.told, None
            if not told or config.max_grad_norm > 0.0 or given.watched:
                told_now = told_now._replace(norm=self._vector.clip(config.max_grad_norm))
                if given.watched:
                    watched = self._watched(surrogate, one.found, told_now)
            if conditional is not None and isinstance(one.kl, Tensor):
                conditional.step(one.kl <= stop, lambda: self._move(joint, rate))
                held.append(conditional.holds.clone())
                drawn.append(self._generator.get_state())
            else:
                self._move(joint, rate)
            told.append(told_now)
            if watched is not None and seen is not None:
                change = seen.change(_kl_limit(config))
                yield watched.event(given.iteration, len(told), (epoch, config.epochs), change)
        if held:
            taken = int(sum(read(held)))
            told = told[:taken]
            self._generator.set_state(drawn[min(taken, len(drawn) - 1)])  # as if no more epochs had been drawn
        steps = _read(told, given.config, joint is not None)
        if joint is not None:
            fitting, baseline = joint
            fitting.require_finite(baseline, steps.value_loss or 0.0)
        return steps if first is None else replace(steps, first_ratio=first.item())

    @torch.no_grad()
    def _furthest(self, surrogate: Surrogate, chunk: Chunk) -> Tensor:
        """The largest of the log-ratios of a chunk's steps, either way."""
        return surrogate.log_ratios(chunk, self._policy.over(chunk.observations, chunk.sequences)).abs().max()

    def _gathered(
        self, surrogate: Surrogate, gradient: SurrogateGradient, minibatch: Minibatch, joint: JointFitting | None
    ) -> Heartbeats[_Gradient]:
        """Gather the gradient of one minibatch, chunk by chunk."""
        config, (epoch, chunks) = surrogate.config, minibatch
        self._zero(joint)
        size = sum(len(chunk.actions) for chunk in chunks)
        told = StepMetrics([], [], [], None)
        found: list[tuple[Chunk, Added]] = []
        kl: float | Tensor = 0.0
        for chunk in chunks:
            share = len(chunk.actions) / size
            found.append((chunk, self._add(surrogate, gradient, (chunk, share), joint, told)))
            if isinstance(config, PPOClip) and config.target_kl > 0.0:
                gone = approx_kl(found[-1][1].log_ratios)
                kl = kl + share * (gone if on_device(gone) else gone.item())
            if self._timer.due():
                yield Heartbeat("updating the policy", detail=f"epoch {epoch} of {config.epochs}")
        return _Gradient(told, kl, found)

    def _add(
        self,
        surrogate: Surrogate,
        gradient: SurrogateGradient,
        shared: tuple[Chunk, float],
        joint: JointFitting | None,
        told: StepMetrics,
    ) -> Added:
        """Add a chunk's share to the gradient, and what it came to to ``told``."""
        chunk, share = shared
        one = gradient.add(surrogate, chunk, share)
        told.shares.append(share)
        told.losses.append(one.loss)
        if joint is not None:
            fitting, baseline = joint
            told.value_losses.append(fitting.add_gradient(surrogate.given.batch, chunk.rows, baseline, share))
        elif one.value_loss is not None:
            told.value_losses.append(share * one.value_loss)
        return one

    def _zero(self, joint: JointFitting | None) -> None:
        self._vector.zero()
        if joint is not None:
            joint[0].vector.zero()

    def _move(self, joint: JointFitting | None, rate: float) -> None:
        """One step along the gradients that have been gathered."""
        self._optimizer.step(rate)
        if joint is not None:
            fitting, baseline = joint
            fitting.step(baseline)

    def _moving(self, joint: JointFitting | None) -> list[Tensor]:
        """All that a step changes."""
        mine = [self._vector.values, *self._optimizer.gathered]
        return mine if joint is None else [*mine, *joint[0].moving]

    def _same_every_time(self, given: UpdateInput, config: Proximal) -> bool:
        """Whether the numbers of a step stay the same from update to update, and every minibatch is one chunk."""
        constant = config.learning_rate_schedule == "constant" and not isinstance(config, PPOLagrangian)
        if isinstance(config, PPOClip):
            constant = constant and config.clip_range_schedule == "constant"
        size = min(config.minibatch_size or given.batch.size, given.batch.size)
        return constant and not given.watched and not given.batch.recurrent and size <= given.batch.at_once

    def _repeated(self, surrogate: Surrogate, chunk: Chunk, rate: float) -> StepMetrics:
        """One step on a minibatch, by a graph where it has been recorded."""
        given = surrogate.given
        configured = (given.config.update.model_dump_json(), given.config.estimator.model_dump_json())
        key = (len(chunk.actions), rate, self._policy.temperature, *configured)
        if self._recorded is None or self._recorded.key != key:
            joint = self._joint_fitting(given.config)

            def step(surrogate: Surrogate, chunk: Chunk) -> StepMetrics:
                self._zero(joint)
                told = StepMetrics([], [], [], None)
                gradient = gradient_for(surrogate, self._policy, self._vector)
                self._add(surrogate, gradient, (chunk, 1.0), joint, told)
                norm = self._vector.clip(surrogate.config.max_grad_norm)
                self._move(joint, rate)
                return told._replace(norm=norm)

            self._recorded = RecordedStep(key, surrogate, chunk, step)
        return self._recorded(surrogate, chunk)

    def _seen(self, surrogate: Surrogate) -> WatchedBatch:
        reverse = isinstance(surrogate.config, PPOLagrangian)
        return WatchedBatch(
            self._policy,
            surrogate.given,
            clip_range=surrogate.clip_range,
            reverse=reverse,
            old_log_probs=surrogate.old_log_probs,
        )

    def _watched(self, surrogate: Surrogate, found: list[tuple[Chunk, Added]], told: StepMetrics) -> WatchedStep:
        """The step that is about to be taken."""
        size, losses = sum(len(added.log_ratios) for _, added in found), dict[str, float]()
        for _, added in found:
            parts = added.losses if added.value_loss is None else added.losses | {"value": added.value_loss}
            add_parts(parts, len(added.log_ratios) / size, losses)
        if self._joint_fitting(surrogate.given.config) is not None:
            losses["value"] = sum(read(told.value_losses))
        numbers = torch.arange(surrogate.given.batch.size, device=surrogate.old_log_probs.device)
        cut_off = [surrogate.cut_off(chunk, added.log_ratios) for chunk, added in found]
        assert told.norm is not None
        return WatchedStep(
            self._policy,
            self._vector,
            losses,
            told.norm.item(),
            torch.cat([added.log_ratios for _, added in found]),
            torch.cat([numbers[chunk.rows] for chunk, _ in found]),
            None if surrogate.clip_range is None else torch.cat([some for some in cut_off if some is not None]),
        )

    def _minibatches(self, batch: Batch, config: Proximal) -> Iterator[Minibatch]:
        for epoch in range(1, config.epochs + 1):
            for chunks in batch.minibatches(config.minibatch_size, self._generator):
                yield epoch, chunks

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


def _kl_limit(config: Proximal) -> float | None:
    """What the rule holds a divergence to: where it stops an update, or what its multiplier aims at."""
    if isinstance(config, PPOClip):
        return STOP_AT * config.target_kl or None
    return config.target_kl if isinstance(config, PPOLagrangian) else None


def _read(told: list[StepMetrics], config: PolicyGradientConfig, joint: bool) -> _Steps:
    """Wait for the device, and put together what the steps came to."""
    first = [told[0].norm] if told and told[0].norm is not None else []
    losses = [loss for one in told for loss in one.losses]
    of_values = [value for one in told for value in one.value_losses]
    numbers = iter(read([*first, *losses, *of_values]))
    norm = next(numbers) if first else 0.0
    means = [sum(share * next(numbers) for share in one.shares) for one in told]
    errors = [sum(next(numbers) for _ in one.value_losses) for one in told]
    unweighed = errors if joint else [unweighted(error, config) for error in errors]
    fitted = [error for error in unweighed if error is not None]
    return _Steps(_mean(means), _mean(fitted) if fitted else None, norm, len(told))


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / max(len(numbers), 1)


def _made(update: Proximal, parts: RuleParts) -> UpdateRule:
    return ProximalRule(update, parts.policy, parts.generator, parts.fitting)


RULES: Rules = {PPOClip: _made, PPOPenalty: _made, PPOLagrangian: _made}
