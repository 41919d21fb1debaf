"""The advantage estimator: credit, less a baseline, for every step of a rollout."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.baselines import average_baseline
from engine.config import EstimatorConfig
from engine.policies.policy import ValueFunction
from engine.pulse import ROWS
from engine.returns import discount_sequence, discounted_returns
from engine.rollouts import Rollout


@dataclass(frozen=True)
class Estimate:
    """What an update rule needs, for the M steps really taken of N = ``episodes`` episodes, padding left out.

    ``observations`` [M, …], ``actions`` [M, …], ``advantages`` [M] before normalisation, ``returns`` [M] the
    reward-to-go that a value function is fitted to, ``values`` [M] its prediction before that, or None without one.
    """

    observations: Tensor
    actions: Tensor
    advantages: Tensor
    returns: Tensor
    values: Tensor | None
    episodes: int


@torch.no_grad()
def estimate(rollout: Rollout, config: EstimatorConfig, value: ValueFunction | None) -> Estimate:
    """Â_{i,t} = Ψ_{i,t} − b_{i,t} for every step.

    Credit Ψ is the whole return R(τ_i) = G_{i,0} or the reward-to-go G_{i,t}. The baseline is 0, the batch's average
    credit, or the learned value of the state from which the credit is counted: V(s_{i,0}) for the whole return,
    V(s_{i,t}) for the reward-to-go; either depends on no later action, so the estimate stays unbiased. With a learned
    value, returns of truncated episodes are completed with V of the true final observation; without one they count
    what was seen.

    Args:
        rollout: N whole episodes, [T, N].
        value: the value function of a learned baseline, None without one.

    Sources: 001… for total return, causality and average baseline; 002… for the learned value.
    """
    mask = rollout.mask
    values = torch.zeros_like(rollout.rewards)
    final_values = values
    if value is not None:
        values[mask] = torch.cat([value(rows) for rows in torch.split(rollout.observations[mask], ROWS)])
        final_values = value(rollout.final_observations).expand_as(rollout.rewards)
    discounts = discount_sequence(config.gamma, rollout.terminated)
    returns = discounted_returns(rollout.rewards, discounts, rollout.truncated, final_values)
    whole = config.credit.kind == "total-return"
    credit = returns[0].expand_as(returns) if whole else returns
    if config.baseline.kind == "average":
        advantages = credit - average_baseline(credit, mask)
    elif config.baseline.kind == "value":
        advantages = credit - (values[0].expand_as(values) if whole else values)
    else:
        advantages = credit
    return Estimate(
        observations=rollout.observations[mask],
        actions=rollout.actions[mask],
        advantages=advantages[mask],
        returns=returns[mask],
        values=values[mask] if value is not None else None,
        episodes=mask.shape[1],
    )
