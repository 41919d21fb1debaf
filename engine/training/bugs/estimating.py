"""Advantages estimated wrongly: a rollout or a batch that is changed before or after the right estimator has it.

Each change is a pure function of what it breaks; ``catalogue.bugs`` says what is wrong with each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.config.estimators import EstimatorConfig
from engine.estimation.estimators import estimate
from engine.experience.batch import Batch, LearnedValue, retargeted
from engine.experience.rollouts import Rollout
from engine.maths.losses import normalized
from engine.maths.returns import carried, discount_sequence, state_discounts
from engine.policies.policy import Policy
from engine.reports.events import Heartbeats
from engine.values.critics import Critic

ChangeRollout = Callable[[Rollout, EstimatorConfig], Rollout]


@dataclass(frozen=True)
class WrongEstimate:
    """The estimator, with what is changed before it and after it."""

    rollout: ChangeRollout = lambda rollout, config: rollout
    config: Callable[[EstimatorConfig], EstimatorConfig] = lambda config: config
    batch: Callable[[Batch], Batch] = lambda batch: batch

    def __call__(
        self, rollout: Rollout, config: EstimatorConfig, policy: Policy, critic: Critic | None
    ) -> Heartbeats[Batch]:
        """As ``estimation.estimate``."""
        changed = self.rollout(rollout, config)
        return self.batch((yield from estimate(changed, self.config(config), policy, critic)))


# --- rewards ----------------------------------------------------------------------------------------------------------


def discounted_once_more(rollout: Rollout, config: EstimatorConfig) -> Rollout:
    """γ^e r for a reward e steps after its episode's start."""
    return replace(rollout, rewards=state_discounts(config.gamma, rollout.elapsed) * rollout.rewards * rollout.mask)


def discounted_from_the_end(rollout: Rollout, config: EstimatorConfig) -> Rollout:
    """γ^(t−k) r_k with t the last step of k's episode, to be summed without any discount."""
    last = rollout.mask.sum(0) - 1
    left = (last - torch.arange(len(rollout.mask), device=last.device).unsqueeze(1)).clamp(min=0)
    return replace(rollout, rewards=state_discounts(config.gamma, left) * rollout.rewards * rollout.mask)


def undiscounted(config: EstimatorConfig) -> EstimatorConfig:
    return config.model_copy(update={"gamma": 1.0})


def from_the_next_step_on(rollout: Rollout, config: EstimatorConfig) -> Rollout:
    """c_t r_{t+1} in place of r_t, so that G_t = Σ_{k>t} γ^(k−t) r_k."""
    carry = carried(discount_sequence(config.gamma, rollout.terminated), rollout.truncated)
    return replace(rollout, rewards=carry * _next(rollout.rewards))


def clipped_to_1(rollout: Rollout, config: EstimatorConfig) -> Rollout:
    """min(1, max(−1, r))."""
    return replace(rollout, rewards=rollout.rewards.clamp(-1.0, 1.0))


# --- ends of episodes -------------------------------------------------------------------------------------------------


def ended_by_time(time_limit: int) -> ChangeRollout:
    """Every episode that the time limit has cut off counts as terminated; what the rollout's end cuts off does not."""

    def change(rollout: Rollout, config: EstimatorConfig) -> Rollout:
        ended = rollout.truncated & (rollout.elapsed + 1 >= time_limit)
        cut = rollout.truncated & ~ended
        kept = cut.transpose(0, 1)[rollout.truncated.transpose(0, 1)]
        final = rollout.final_observations[kept]
        return replace(rollout, terminated=rollout.terminated | ended, truncated=cut, final_observations=final)

    return change


def seen_after_the_reset(rollout: Rollout, config: EstimatorConfig) -> Rollout:
    """Final observations are those of the row after, in the next episode, wherever there is such a row."""
    after = torch.cat((rollout.observations[1:], rollout.observations[-1:])).transpose(0, 1)
    cut = rollout.truncated.transpose(0, 1)
    final = after[cut]
    last = torch.zeros_like(cut)
    last[:, -1] = True
    of_last = last[cut]
    final[of_last] = rollout.final_observations[of_last]
    return replace(rollout, final_observations=final)


# --- advantages -------------------------------------------------------------------------------------------------------


def of_the_step_after(batch: Batch) -> Batch:
    """Â_{t+1} in place of Â_t, 0 for the last step of an episode or rollout; V's targets are V_t + Â_{t+1}."""
    rollout = batch.rollout
    goes_on = ~(rollout.terminated | rollout.truncated)
    shifted = rollout.flat(goes_on * _next(rollout.unflat(batch.advantages)))
    if not isinstance(batch.baseline, LearnedValue):
        return replace(batch, advantages=shifted)
    return retargeted(replace(batch, advantages=shifted), batch.baseline.values + shifted)


def normalized_by_episode(batch: Batch) -> Batch:
    """(Â − mean) / std with the mean and deviation of each episode."""
    parts = torch.split(batch.advantages, batch.rollout.sequences.lengths.tolist())
    return replace(batch, advantages=torch.cat([normalized(part) for part in parts]))


def _next(rows: Tensor) -> Tensor:
    """x_{t+1} in row t, and 0 in the last."""
    return torch.cat((rows[1:], torch.zeros_like(rows[:1])))
