"""What learning sees of the rewards; reported returns are always of the rewards as the environment pays them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from engine.config.environments import EnvironmentConfig
from engine.experience.rollouts import Rollout
from engine.maths.returns import discounted_sums
from engine.networks.normalizer import Moments, merged
from engine.runtime.state import State

_LEAST_DEVIATION = 1e-4  # of returns that differ at all; those that do not say nothing of a unit
_ROUNDING = 1e-6  # of their mean, by which equal ones may differ, as they are summed in float32


class RewardScaling:
    """r' = scale·r + offset, then where asked in units of the spread of the discounted return.

    That spread is σ, the standard deviation over all steps so far of R_t = r'_t + γ R_{t−1}, the discounted sum of an
    episode's rewards up to step t. The rewards of one batch are all divided by the same σ, which includes the batch
    itself, so that it changes the length of an estimate and not its direction; dividing without taking off the mean
    leaves the sign of rewards alone.

    Source: Engstrom et al. (2020), "Implementation matters in deep policy gradients", reward scaling.
    """

    def __init__(self, environment: EnvironmentConfig) -> None:
        self._scale, self._offset = environment.reward_scale, environment.reward_offset
        self._normalize = environment.normalize_rewards
        mean, variance, count = (torch.zeros((), dtype=torch.float64) for _ in range(3))
        self._moments: Moments = (mean, variance, count)
        self._so_far: Tensor | None = None  # R of the episodes that the last rollout left unfinished, [N]

    def state(self) -> State:
        """The moments of all sums so far, and the sums that the next rollout goes on with."""
        so_far = None if self._so_far is None else self._so_far.clone()
        return {"moments": [moment.clone() for moment in self._moments], "so_far": so_far}

    def load(self, state: Mapping[str, Any]) -> None:
        mean, variance, count = (moment.clone() for moment in state["moments"])
        self._moments = (mean, variance, count)
        self._so_far = None if state["so_far"] is None else state["so_far"].clone()

    def learned(self, rollout: Rollout, gamma: float) -> Rollout:
        """``rollout`` with the rewards that learning is to see."""
        rewards = rollout.rewards
        if self._scale != 1.0 or self._offset != 0.0:
            rewards = (self._scale * rewards + self._offset) * rollout.mask
        if self._normalize:
            rewards = rewards / self._deviation(rewards, rollout, gamma)
        return rollout if rewards is rollout.rewards else replace(rollout, rewards=rewards)

    def _deviation(self, rewards: Tensor, rollout: Rollout, gamma: float) -> Tensor:
        """σ after this batch."""
        begun = rollout.elapsed == 0
        sums = self._sums_so_far(rewards, gamma * (~begun).to(rewards.dtype))
        counted = sums[rollout.mask].cpu().double()  # in this order, as Apple's GPUs hold no doubles
        found = (counted.mean(), counted.var(correction=0), torch.tensor(float(len(counted)), dtype=torch.float64))
        self._moments = merged(self._moments, found)
        if not rollout.whole_episodes:
            self._so_far = sums[-1]
        mean, variance, _ = self._moments
        deviation = variance.sqrt()
        least = (_ROUNDING * mean.abs()).clamp(min=_LEAST_DEVIATION)
        return torch.where(deviation < least, 1.0, deviation).to(rewards)

    def _sums_so_far(self, rewards: Tensor, carry: Tensor) -> Tensor:
        """R_t = r_t + c_t R_{t−1} [T, N], going on from the last rollout."""
        first = rewards.clone()
        if self._so_far is not None:
            first[0] += carry[0] * self._so_far.to(first)
        # Backwards in time this is the recurrence of discounted_sums.
        return discounted_sums(first.flip(0), carry.flip(0)).flip(0)
