"""The advantage estimator: credit, less a baseline, for every step of a rollout."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from engine.config.estimators import EstimatorConfig, OptimalBaseline
from engine.estimation.episode_gradients import episode_gradients
from engine.experience.batch import Batch
from engine.experience.rollouts import Rollout
from engine.maths.baselines import (
    average_baseline,
    leave_one_out_baseline,
    optimal_baseline,
    time_average_baseline,
)
from engine.maths.returns import (
    carried,
    discount_sequence,
    discounted_returns,
    discounted_sums,
    gae,
    n_step_sums,
    state_discounts,
    td_errors,
)
from engine.policies.policy import Policy
from engine.reports.events import Heartbeats
from engine.values.critics import Critic


def estimate(rollout: Rollout, config: EstimatorConfig, policy: Policy, critic: Critic | None) -> Heartbeats[Batch]:
    """Â_{i,t} = Ψ_{i,t} − b_{i,t} for every step.

    Credit Ψ is the whole return R(τ_i) = G_{i,0}, the reward-to-go G_{i,t}, the n-step return, or the λ-return of GAE.
    The baseline is 0, an average of the batch's credit, the constant of least variance, or the learned value of the
    state from which the credit is counted: V(s_{i,0}) for the whole return, V(s_{i,t}) for the others. With a learned
    value, what was cut off is completed with V of the true final observation; without one, only what was seen counts.

    Yields signs of life; returns the batch.

    Args:
        rollout: [T, N].
        policy: the one that acted; only the optimal baseline looks at it.
        critic: the learned value, None without one.

    Sources: [lecture] for total return, causality and average baseline; [textbook] for the average per time step and
        the learned value; [Jethro] for the optimal baseline; [Jabon 2023] and Schulman et al. (2016) for GAE.
    """
    if critic is None:
        batch = _without(rollout, config)
    else:
        values, final_values = yield from critic.values(rollout)
        batch = _with_value(rollout, config, values, final_values)
    if config.discount_states:
        batch = replace(batch, state_weights=rollout.flat(state_discounts(config.gamma, rollout.elapsed)))
    if isinstance(config.baseline, OptimalBaseline):
        batch = yield from _less_optimal(batch, config.baseline, policy)
    return batch


@torch.no_grad()
def _with_value(rollout: Rollout, config: EstimatorConfig, values: Tensor, final_values: Tensor) -> Batch:
    discounts = discount_sequence(config.gamma, rollout.terminated)
    carry = carried(discounts, rollout.truncated)
    errors = td_errors(rollout.rewards, discounts, rollout.truncated, values, final_values)
    to_go = rollout.mask * (values + discounted_sums(errors, carry))  # the errors telescope to G_t − V_t
    if config.credit.kind == "total-return":
        advantages, targets = (to_go[0] - values[0]).expand_as(to_go), to_go
    elif config.credit.kind == "reward-to-go":
        advantages, targets = to_go - values, to_go
    else:
        advantages = advantages_from(errors, carry, config)
        targets = advantages + values
    return Batch(rollout, rollout.flat(advantages), rollout.flat(targets), rollout.flat(values), errors=errors)


def advantages_from(errors: Tensor, carry: Tensor, config: EstimatorConfig) -> Tensor:
    """The advantages, [T, N], that the credits built on temporal-difference errors make of them."""
    if config.credit.kind == "n-step":
        return n_step_sums(errors, carry, config.credit.n)
    return gae(errors, carry, config.credit.gae_lambda if config.credit.kind == "gae" else 1.0)


@torch.no_grad()
def _without(rollout: Rollout, config: EstimatorConfig) -> Batch:
    discounts = discount_sequence(config.gamma, rollout.terminated)
    to_go = discounted_returns(rollout.rewards, discounts, rollout.truncated, torch.zeros_like(rollout.rewards))
    credit = to_go[0].expand_as(to_go) if config.credit.kind == "total-return" else to_go
    constant = _constant_baseline(credit, rollout, config)
    return Batch(rollout, rollout.flat(credit - constant), rollout.flat(to_go), constant=constant)


def _constant_baseline(credit: Tensor, rollout: Rollout, config: EstimatorConfig) -> Tensor:
    """The baselines that are averages of the credit [T, N], in a shape that broadcasts with it; 0 for all others."""
    if config.baseline.kind == "average":
        return average_baseline(credit, rollout.mask)
    if config.baseline.kind == "time-average":
        return time_average_baseline(credit, rollout.mask)
    if config.baseline.kind == "leave-one-out":
        return leave_one_out_baseline(credit, rollout.mask)
    return torch.zeros((), device=credit.device)


def _less_optimal(batch: Batch, config: OptimalBaseline, policy: Policy) -> Heartbeats[Batch]:
    scores, gradients = yield from episode_gradients(policy, batch)
    baseline = optimal_baseline(scores, gradients, pooled=not config.per_parameter)
    if config.per_parameter:
        return replace(batch, parameter_baseline=baseline)
    return replace(batch, advantages=batch.advantages - baseline, constant=baseline)


@torch.no_grad()
def per_decision(batch: Batch, config: EstimatorConfig, weights: Tensor) -> Tensor:
    """The advantages with every reward weighted by how likely it was to be met, ρ_{0:t} up to its own step.

    Written as a sum of terms x that each become known at their own step, Â_t = Σ_{t'≥t} c_{t,t'} x_{t'} − b_t, the
    weighted advantage is Σ_{t'≥t} c_{t,t'} ρ_{0:t'} x_{t'} − ρ_{0:t} b_t: later actions do not change an earlier term,
    so their ratios have mean 1 and are left out. x are the rewards, or the temporal-difference errors where V is
    learned. In a total return, terms from before t carry ρ_{0:t}, since the action at t is weighted by it. Where all
    weights are 1 these are the batch's own advantages.

    Args:
        batch: whole episodes.
        weights: ρ_{0:t}, [T, N].

    Returns:
        [M].

    Source: Precup, Sutton & Singh (2000), "Eligibility traces for off-policy policy evaluation"; [Jethro] for the
        per-trajectory form it improves on.
    """
    rollout = batch.rollout
    carry = carried(discount_sequence(config.gamma, rollout.terminated), rollout.truncated)
    terms = rollout.rewards if batch.errors is None else batch.errors
    if config.credit.kind == "total-return":
        discounted = state_discounts(config.gamma, rollout.elapsed) * terms * rollout.mask
        later = (weights * discounted).flip(0).cumsum(0).flip(0)
        advantages = later + weights * (discounted.cumsum(0) - discounted)
    elif batch.errors is None:
        advantages = discounted_sums(weights * terms, carry)
    else:
        advantages = advantages_from(weights * terms, carry, config)
    if batch.constant is not None:
        advantages = advantages - weights * batch.constant
    return rollout.flat(advantages)
