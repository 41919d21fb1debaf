"""What every update rule is to the run, and what several of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from engine.algorithms.outcome import UpdateEvents
from engine.config import PolicyGradientConfig
from engine.config.estimators import SharedValueBaseline
from engine.config.fields import Model
from engine.experience.batch import Batch, Chunk, ParameterBaseline
from engine.maths.losses import entropy_bonus, normalized, policy_gradient_loss
from engine.maths.trust_region import flattened
from engine.networks.optimizers import ParameterVector, add_gradient
from engine.policies.distributions import Distribution
from engine.policies.policy import Policy
from engine.reports.events import Heartbeat, Heartbeats
from engine.runtime.heartbeat import HeartbeatTimer
from engine.runtime.state import Parts
from engine.values.fitting import ValueFitting, fit_loss

_T = TypeVar("_T")


@dataclass(frozen=True)
class UpdateInput:
    """One update: the batch, the configuration as it is now, and how much of the budget is used, 0 … 1.

    ``watched`` asks for an ``UpdateStep`` after every gradient step, as of the iteration of that number; nothing else
    depends on either. ``normalized`` are the advantages as the update uses them where it normalises them, else None,
    and ``weights`` what each step's ∇ log π is multiplied with, [M] each.
    """

    batch: Batch
    config: PolicyGradientConfig
    progress: float
    watched: bool = False
    iteration: int = 0
    normalized: Tensor | None = field(init=False)
    weights: Tensor = field(init=False)

    def __post_init__(self) -> None:
        normalize = self.config.estimator.normalize_advantages
        object.__setattr__(self, "normalized", normalized(self.batch.advantages) if normalize else None)
        object.__setattr__(self, "weights", self.batch.weights(self.normalized))


class UpdateRule(Protocol):
    """Improves a policy with one batch."""

    parts: Parts
    """What it remembers from update to update; the policy is not among it."""

    def update(self, given: UpdateInput) -> UpdateEvents:
        """Yields signs of life, and every gradient step where the update is watched.

        Raises:
            RunError: a number is no longer finite.
        """


@dataclass(frozen=True)
class RuleParts:
    """What a rule may be made with; ``generator`` draws minibatches, and ``fitting`` fits a value function of its own,
    which PPO can do jointly with the policy."""

    policy: Policy
    generator: torch.Generator
    fitting: ValueFitting | None


# How a module makes its rules, by the class of their configuration, which is the first argument.
Rules = dict[type[Model], Callable[[Any, RuleParts], UpdateRule]]


def with_shared_value(policy: Policy, given: UpdateInput, chunk: Chunk) -> tuple[Distribution, Tensor | None]:
    """π(·|s) over a chunk, and c_V·L_V where the policy's network also predicts the value, else None."""
    baseline, batch = given.config.estimator.baseline, given.batch
    if not isinstance(baseline, SharedValueBaseline):
        return policy.over(chunk.observations, chunk.sequences), None
    distribution, values = policy.evaluate(chunk.observations, chunk.sequences)
    targets, old = batch.learned.targets[chunk.rows], batch.learned.values[chunk.rows]
    return distribution, baseline.coefficient * fit_loss(values, targets, old, baseline.clip_range)


def unweighted(loss: float, config: PolicyGradientConfig) -> float | None:
    """L_V of a shared value from c_V·L_V; None without one, or where c_V is 0."""
    baseline = config.estimator.baseline
    if not isinstance(baseline, SharedValueBaseline) or baseline.coefficient == 0.0:
        return None
    return loss / baseline.coefficient


def over_batch(policy: Policy, batch: Batch, what: Callable[[Distribution, Chunk], _T]) -> Heartbeats[list[_T]]:
    """What ``what`` makes of π(·|s) over each chunk of the batch, without a graph; yields signs of life."""
    found, timer = [], HeartbeatTimer()
    for chunk in batch.chunks():
        with torch.no_grad():
            found.append(what(policy.over(chunk.observations, chunk.sequences), chunk))
        if timer.due():
            yield Heartbeat("updating the policy")
    return found


def log_probs_of(policy: Policy, batch: Batch) -> Heartbeats[Tensor]:
    """log π(a|s) of every step under the present policy, [M]; yields signs of life."""
    found = yield from over_batch(policy, batch, lambda distribution, chunk: distribution.log_prob(chunk.actions))
    return torch.cat(found)


def measured(policy: Policy, batch: Batch) -> Heartbeats[tuple[Tensor, float]]:
    """As ``log_probs_of``, and the policy's mean entropy; the device is waited for once, at the end."""

    def of_chunk(distribution: Distribution, chunk: Chunk) -> tuple[Tensor, Tensor]:
        return distribution.log_prob(chunk.actions), distribution.entropy().sum()

    log_probs, entropies = zip(*(yield from over_batch(policy, batch, of_chunk)), strict=True)
    return torch.cat(log_probs), sum(read(entropies)) / batch.size


def read(scalars: Sequence[Tensor]) -> list[float]:
    """Scalar tensors as numbers, all in one go: each on its own would be a wait for the device."""
    return torch.stack(list(scalars)).tolist() if scalars else []


def ascent_losses(
    log_probs: Tensor, entropies: Tensor, weights: Tensor, divisor: int, bonus: float
) -> dict[str, Tensor]:
    """The parts by name of the loss whose negative gradient is the estimate, with ``bonus`` as the entropy's weight.

    Sums over the last dimension, that of steps, are divided by ``divisor``.
    """
    losses = {"policy": policy_gradient_loss(log_probs, weights, divisor)}
    if bonus > 0.0:
        losses["entropy"] = -bonus * entropy_bonus(entropies, divisor)
    return losses


def added(losses: Mapping[str, Tensor]) -> Tensor:
    """The sum of a loss's parts, in their order."""
    total, *others = losses.values()
    for part in others:
        total = total + part
    return total


def add_parts(losses: Mapping[str, Tensor], share: float, into: dict[str, float]) -> None:
    """Add ``share`` times each part of a loss to those of its name."""
    for name, part in losses.items():
        into[name] = into.get(name, 0.0) + share * part.item()


@dataclass(frozen=True)
class LossSums:
    """What the batch came to: the whole loss, the mean entropy, the shared value's mean squared error, and the loss's
    parts by name where the update is watched."""

    loss: float
    entropy: float
    value_loss: float | None
    losses: Mapping[str, float] = field(default_factory=dict)


class WithEntropyBonus(Protocol):
    """The configuration of a rule that may climb the policy's entropy as well."""

    @property
    def entropy_coefficient(self) -> float: ...


def accumulate_gradient(
    policy: Policy,
    vector: ParameterVector,
    given: UpdateInput,
    config: WithEntropyBonus,
) -> Heartbeats[LossSums]:
    """Put −ĝ, the gradient of the loss over the whole batch, into ``vector.gradient``; yields signs of life.

    It is summed over chunks of the batch, which changes nothing but how long each takes. With a baseline per parameter
    b, what is subtracted is b times the mean score, component by component.
    """
    batch, bonus = given.batch, config.entropy_coefficient
    total = entropy = value_loss = torch.zeros((), device=given.weights.device)
    timer, parts = HeartbeatTimer(), dict[str, float]()
    subtracted = batch.baseline.amounts if isinstance(batch.baseline, ParameterBaseline) else None
    scores = None if subtracted is None else torch.zeros_like(subtracted)
    vector.zero()
    for chunk in batch.chunks():
        distribution, shared = with_shared_value(policy, given, chunk)
        entropies = distribution.entropy()
        log_probs = distribution.log_prob(chunk.actions)
        losses = ascent_losses(log_probs, entropies, given.weights[chunk.rows], batch.divisor, bonus)
        if shared is not None:
            losses["value"] = shared * (len(log_probs) / batch.size)
            value_loss = value_loss + losses["value"].detach()
        loss = added(losses)
        if given.watched:
            add_parts(losses, 1.0, parts)
        if scores is not None:
            plain = (batch.state_weights[chunk.rows] * log_probs).sum()
            scores += flattened(
                torch.autograd.grad(plain, vector.parameters, retain_graph=True, materialize_grads=True)
            )
        add_gradient(loss, vector)
        total, entropy = total + loss.detach(), entropy + entropies.detach().sum()
        if timer.due():
            yield Heartbeat("updating the policy")
    if scores is not None and subtracted is not None:
        vector.gradient.add_(subtracted * scores / batch.divisor)
    return LossSums(total.item(), entropy.item() / batch.size, unweighted(value_loss.item(), given.config), parts)
