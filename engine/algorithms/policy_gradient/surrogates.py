"""What PPO descends, and two ways to its gradient: written out where the network allows it, by autograd elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from engine.algorithms.outcome import scheduled
from engine.algorithms.policy_gradient.rule import UpdateInput, added, with_shared_value
from engine.config.updates import PPOClip, PPOLagrangian, PPOPenalty
from engine.experience.batch import Chunk
from engine.maths.losses import (
    clipped_surrogate,
    clipped_surrogate_gradient,
    cut_off,
    single_sample_penalty,
    surrogate,
)
from engine.networks.optimizers import ParameterVector, add_gradient
from engine.policies.distributions import Distribution
from engine.policies.policy import Policy

Proximal = PPOClip | PPOPenalty | PPOLagrangian


@dataclass(frozen=True)
class Surrogate:
    """The loss of one update, all of whose settings stay as they are until its end.

    Args:
        old, old_log_probs: π_old, and log π_old(a|s) of every step of the batch, [M].
        multiplier: λ of the Lagrangian.
    """

    given: UpdateInput
    config: Proximal
    old: Policy
    old_log_probs: Tensor
    multiplier: float
    clip_range: float | None = field(init=False)
    """The ε in force; None where nothing is clipped."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "clip_range", clip_range_of(self.config, self.given.progress))

    def log_ratios(self, chunk: Chunk, distribution: Distribution) -> Tensor:
        """log π(a|s) − log π_old(a|s) of a chunk's steps."""
        return distribution.log_prob(chunk.actions) - self.old_log_probs[chunk.rows]

    def losses(self, chunk: Chunk, distribution: Distribution, log_ratios: Tensor) -> dict[str, Tensor]:
        """The loss's parts by name, means over the chunk's steps; what holds the policy back is ``penalty``, unless it
        is the clipping."""
        config, weights = self.config, self.given.weights[chunk.rows]
        if self.clip_range is None:
            found = {"policy": -surrogate(log_ratios, weights), "penalty": self._penalty(chunk, distribution)}
        else:
            found = {"policy": -clipped_surrogate(log_ratios, weights, self.clip_range)}
        if config.entropy_coefficient > 0.0:
            found["entropy"] = -config.entropy_coefficient * distribution.entropy().mean()
        return found

    def _penalty(self, chunk: Chunk, distribution: Distribution) -> Tensor:
        config = self.config
        if isinstance(config, PPOLagrangian):
            return self.multiplier * distribution.kl(self.old_over(chunk)).mean()
        assert isinstance(config, PPOPenalty)
        if config.form == "single-sample":
            return -config.kl_coefficient * single_sample_penalty(distribution.log_prob(chunk.actions))
        return config.kl_coefficient * self.old_over(chunk).kl(distribution).mean()

    def old_over(self, chunk: Chunk) -> Distribution:
        """π_old(·|s) of a chunk's steps."""
        with torch.no_grad():
            return self.old.over(chunk.observations, chunk.sequences)

    def cut_off(self, chunk: Chunk, log_ratios: Tensor) -> Tensor | None:
        """Which of a chunk's steps have no part in the gradient any more; None where nothing is clipped."""
        if self.clip_range is None:
            return None
        return cut_off(log_ratios, self.given.weights[chunk.rows], self.clip_range)


class Added(NamedTuple):
    """What a chunk of a minibatch came to: its mean loss and the parts of it, its log-ratios, and c_V·L_V of a value
    that the policy's network predicts, which is descended as well; None without one."""

    loss: Tensor
    losses: dict[str, Tensor]
    log_ratios: Tensor
    value_loss: Tensor | None


class SurrogateGradient(Protocol):
    """Gathers the gradient of ``Surrogate`` in the policy's ``ParameterVector``."""

    def add(self, surrogate: Surrogate, chunk: Chunk, share: float) -> Added:
        """Add ``share`` times the gradient of the chunk's loss."""


class AutogradGradient:
    """For every policy."""

    def __init__(self, policy: Policy, vector: ParameterVector) -> None:
        self._policy, self._vector = policy, vector

    def add(self, surrogate: Surrogate, chunk: Chunk, share: float) -> Added:
        distribution, value_loss = with_shared_value(self._policy, surrogate.given, chunk)
        log_ratios = surrogate.log_ratios(chunk, distribution)
        losses = surrogate.losses(chunk, distribution, log_ratios)
        loss = added(losses)
        add_gradient(share * (loss if value_loss is None else loss + value_loss), self._vector)
        return Added(loss.detach(), losses, log_ratios.detach(), None if value_loss is None else value_loss.detach())


class WrittenOutGradient:
    """By the chain rule through log π and H to the policy's parameters, for a policy that is ``written_out`` and the
    clipped surrogate. In networks as small as these it takes two thirds of autograd's time."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    @torch.no_grad()
    def add(self, surrogate: Surrogate, chunk: Chunk, share: float) -> Added:
        assert surrogate.clip_range is not None
        distribution, passed = self._policy.forward_pass(chunk.observations)
        log_ratios = surrogate.log_ratios(chunk, distribution)
        losses = surrogate.losses(chunk, distribution, log_ratios)
        weights = surrogate.given.weights[chunk.rows]
        by_log_prob = clipped_surrogate_gradient(log_ratios, weights, surrogate.clip_range).mul_(-share)
        by_entropy = -share * surrogate.config.entropy_coefficient / len(weights)
        self._policy.backward(passed, distribution.gradients(chunk.actions, by_log_prob, by_entropy))
        return Added(added(losses), losses, log_ratios, None)


def gradient_for(surrogate: Surrogate, policy: Policy, vector: ParameterVector) -> SurrogateGradient:
    """The fastest way to the gradient that there is."""
    if surrogate.clip_range is not None and policy.written_out:
        return WrittenOutGradient(policy)
    return AutogradGradient(policy, vector)


def clip_range_of(config: Proximal, progress: float) -> float | None:
    """The ε in force; None where nothing is clipped."""
    if not isinstance(config, PPOClip):
        return None
    return scheduled(config.clip_range, config.clip_range_schedule, progress)
