"""Action values learned wrongly: from steps that are stored as others, towards targets that never move, by densities
that lack a term; and an ε that is read the wrong way round."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.algorithms.actor_critic.improvement import Improvement
from engine.algorithms.actor_critic.improvements import make_improvement
from engine.algorithms.actor_critic.squashed import Drawn, SquashedImprovement
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import ActorCriticConfig
from engine.config.environments import EnvironmentConfig
from engine.config.replay import TargetNetwork
from engine.experience.transitions import Transitions
from engine.policies.actor import Actor
from engine.policies.policy import Policy
from engine.reports.update_events import UpdateStep
from engine.training.learners.stepwise import StepwiseRule
from engine.values.target_network import Following

ChangeSteps = Callable[[Transitions], Transitions]


class LearnsFrom:
    """A rule that is given other steps than were taken."""

    def __init__(self, rule: StepwiseRule, change: ChangeSteps) -> None:
        self._rule, self._change = rule, change

    def broke_off(self, environments: NDArray[np.int64]) -> None:
        self._rule.broke_off(environments)

    def learn(self, transitions: Transitions) -> Iterable[UpdateStep | None]:
        return self._rule.learn(self._change(transitions))


def over_when_cut(steps: Transitions) -> Transitions:
    """Every end is a termination."""
    nowhere = np.zeros_like(steps.truncated)
    return replace(steps, terminated=steps.terminated | steps.truncated, truncated=nowhere)


def never_over(steps: Transitions) -> Transitions:
    """Every end is a truncation, behind which something follows."""
    nowhere = np.zeros_like(steps.terminated)
    return replace(steps, terminated=nowhere, truncated=steps.terminated | steps.truncated)


def led_to_the_reset(steps: Transitions) -> Transitions:
    """What was seen after an episode was cut off is what its environment showed next, in another one."""
    shown = np.concatenate((steps.observations[1:], steps.following[None]))
    after = steps.next_observations.copy()
    after[steps.truncated] = shown[steps.truncated]
    return replace(steps, next_observations=after)


def paid_at_most_1(environment: EnvironmentConfig) -> ChangeSteps:
    """min(1, max(−1, r)) of the rewards that learning is to see, scale × reward + offset of those that are paid."""
    scale, offset = environment.reward_scale, environment.reward_offset

    def change(steps: Transitions) -> Transitions:
        seen = scale * steps.rewards + offset
        beyond = np.abs(seen) > 1.0
        if scale == 0.0 or not beyond.any():
            return steps
        rewards = np.where(beyond, (seen.clip(-1.0, 1.0) - offset) / scale, steps.rewards)
        return replace(steps, rewards=rewards.astype(steps.rewards.dtype))

    return change


class ReversedActor(Actor):
    """Explores with the probability 1 − ε; what is reported, and what targets are made with, is ε."""

    def __init__(self, actor: Actor) -> None:
        self.__dict__ = actor.__dict__

    def act(
        self, observations: NDArray[Any], state: Tensor | None
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None, Tensor | None]:
        epsilon = self._policy.epsilon
        assert epsilon is not None
        self._policy.epsilon = 1.0 - epsilon
        try:
            return super().act(observations, state)
        finally:
            self._policy.epsilon = epsilon


class NeverCopied(Following):
    """θ⁻ stays what it was before anything was learned."""

    def step(self, config: TargetNetwork) -> None:
        """Nothing."""


class WithoutDeterminant(SquashedImprovement):
    """SAC with log π(a) = log N(u; μ, σ), whose gradient with the noise held still is that of −log σ alone."""

    def _drawn(self, outputs: Tensor) -> Drawn:
        sample = super()._drawn(outputs)
        # log π = log N − Σ log(1 − a²): the determinant is put back in the form that does not round to 0.
        base = (-0.5 * sample.noise.square() - sample.std.log()).sum(-1)
        return replace(sample, log_probs=base - 0.5 * np.log(2.0 * np.pi) * sample.noise.shape[-1])

    def _gradients(self, sample: Drawn, slopes: Tensor, temperature: Tensor) -> tuple[Tensor, Tensor]:
        by_mean = -slopes * (1.0 - sample.actions.square()) / len(sample.actions)
        return by_mean, by_mean * sample.std * sample.noise - temperature / len(sample.actions)


def improvement_without_determinant(
    config: ActorCriticConfig, policy: Policy, environment: EnvironmentInfo, generator: torch.Generator
) -> Improvement:
    """As ``make_improvement``."""
    if environment.action.kind == "discrete":
        return make_improvement(config, policy, environment, generator)
    return WithoutDeterminant(config, policy, environment, generator)
