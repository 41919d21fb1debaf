"""The advantage estimator: credit, less a baseline, for every step of a rollout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from engine.catalogue.methods.baselines import BASELINE_SPECS
from engine.catalogue.methods.credits import CREDIT_SPECS
from engine.catalogue.methods.spec import require_same_kinds
from engine.config.estimators import GAE, EstimatorConfig, NStepTD, OptimalBaseline
from engine.estimation.episode_gradients import episode_gradients
from engine.experience.batch import (
    NO_BASELINE,
    Baseline,
    Batch,
    ConstantBaseline,
    LearnedValue,
    ParameterBaseline,
)
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
    baseline: Baseline
    if critic is None:
        found, baseline = _less_average(rollout, config)
    else:
        values, final_values = yield from critic.values(rollout)
        found, baseline = _less_value(rollout, config, values, final_values)
    of_steps = rollout.flat(found)
    if config.discount_states:
        state_weights = rollout.flat(state_discounts(config.gamma, rollout.elapsed))
    else:
        state_weights = torch.ones_like(of_steps)
    batch = Batch(rollout, of_steps, state_weights, baseline)
    if isinstance(config.baseline, OptimalBaseline):
        batch = yield from _less_optimal(batch, config.baseline, policy)
    return batch


@torch.no_grad()
def advantages(rollout: Rollout, config: EstimatorConfig, baseline: Baseline, weights: Tensor | None = None) -> Tensor:
    """Â_t = Σ_{t'≥t} c_{t,t'} ρ_{0:t'} x_{t'} − ρ_{0:t} b_t, with a baseline that is known already.

    The terms x are the rewards, or the temporal-difference errors where V is learned, and c is what the credit makes of
    them. Each becomes known at its own step: later actions do not change it, so their ratios have mean 1 and are left
    out of its weight ρ_{0:t'}, how likely it was to be met. In a total return, terms from before t carry ρ_{0:t}, since
    the action at t is weighted by it.

    Args:
        rollout: [T, N].
        weights: ρ_{0:t} of whole episodes, [T, N]; None where all are 1.

    Returns:
        [T, N].

    Source: Precup, Sutton & Singh (2000), "Eligibility traces for off-policy policy evaluation"; [Jethro] for the
        per-trajectory form it improves on.
    """
    carry = carried(discount_sequence(config.gamma, rollout.terminated), rollout.truncated)
    if isinstance(baseline, LearnedValue):
        return _credit(rollout, config, baseline.errors, carry, weights)
    credit = _credit(rollout, config, rollout.rewards, carry, weights)
    if isinstance(baseline, ParameterBaseline):
        return credit
    return credit - (baseline.amount if weights is None else weights * baseline.amount)


class _Terms(NamedTuple):
    """What is summed: rewards or temporal-difference errors [T, N], what is carried from each step to the one before,
    and how much each counts, where not all do alike."""

    rollout: Rollout
    terms: Tensor
    carry: Tensor
    weights: Tensor | None

    @property
    def weighted(self) -> Tensor:
        return self.terms if self.weights is None else self.weights * self.terms


def _total_return(given: _Terms, config: EstimatorConfig) -> Tensor:
    if given.weights is None:
        return discounted_sums(given.terms, given.carry)[0].expand_as(given.terms)
    discounted = state_discounts(config.gamma, given.rollout.elapsed) * given.terms * given.rollout.mask
    later = (given.weights * discounted).flip(0).cumsum(0).flip(0)
    return later + given.weights * (discounted.cumsum(0) - discounted)


def _reward_to_go(given: _Terms, config: EstimatorConfig) -> Tensor:
    return discounted_sums(given.weighted, given.carry)


def _n_step(given: _Terms, config: EstimatorConfig) -> Tensor:
    assert isinstance(config.credit, NStepTD)
    return n_step_sums(given.weighted, given.carry, config.credit.n)


def _gae(given: _Terms, config: EstimatorConfig) -> Tensor:
    assert isinstance(config.credit, GAE)
    return gae(given.weighted, given.carry, config.credit.gae_lambda)


_CREDITS: dict[str, Callable[[_Terms, EstimatorConfig], Tensor]] = {
    "total-return": _total_return,
    "reward-to-go": _reward_to_go,
    "n-step": _n_step,
    "gae": _gae,
}
require_same_kinds(_CREDITS, CREDIT_SPECS)


def _credit(
    rollout: Rollout, config: EstimatorConfig, terms: Tensor, carry: Tensor, weights: Tensor | None = None
) -> Tensor:
    """What the credit makes of the terms [T, N], which are rewards or temporal-difference errors, and their weights."""
    return _CREDITS[config.credit.kind](_Terms(rollout, terms, carry, weights), config)


@torch.no_grad()
def _less_value(
    rollout: Rollout, config: EstimatorConfig, values: Tensor, final_values: Tensor
) -> tuple[Tensor, LearnedValue]:
    """Â [T, N], and V with what it is to be fitted to."""
    discounts = discount_sequence(config.gamma, rollout.terminated)
    carry = carried(discounts, rollout.truncated)
    errors = td_errors(rollout.rewards, discounts, rollout.truncated, values, final_values)
    spec = CREDIT_SPECS[config.credit.kind]
    if spec.bootstraps:
        credited = _credit(rollout, config, errors, carry)
        targets = credited + values
    else:
        targets = rollout.mask * (values + discounted_sums(errors, carry))  # the errors telescope to G_t − V_t
        credited = (targets[0] - values[0]).expand_as(targets) if spec.whole_return else targets - values
    return credited, LearnedValue(rollout.flat(values), rollout.flat(targets), errors)


# The baselines that are averages of credit and mask, [T, N] each; the others are found otherwise, or are none.
_BASELINES: dict[str, Callable[[Tensor, Tensor], Tensor] | None] = {
    "none": None,
    "average": average_baseline,
    "time-average": time_average_baseline,
    "leave-one-out": leave_one_out_baseline,
    "optimal": None,
    "value": None,
    "shared-value": None,
}
require_same_kinds(_BASELINES, BASELINE_SPECS)


@torch.no_grad()
def _less_average(rollout: Rollout, config: EstimatorConfig) -> tuple[Tensor, ConstantBaseline]:
    """Â [T, N] of the rewards alone, and what was subtracted: an average of the credit where the baseline is one."""
    carry = carried(discount_sequence(config.gamma, rollout.terminated), rollout.truncated)
    credit = _credit(rollout, config, rollout.rewards, carry)
    average = _BASELINES[config.baseline.kind]
    if average is None:
        return credit.contiguous(), NO_BASELINE  # sums over one number seen many times would be rounded otherwise
    amount = average(credit, rollout.mask)
    return credit - amount, ConstantBaseline(amount)


def _less_optimal(batch: Batch, config: OptimalBaseline, policy: Policy) -> Heartbeats[Batch]:
    scores, gradients = yield from episode_gradients(policy, batch)
    amount = optimal_baseline(scores, gradients, pooled=not config.per_parameter)
    if config.per_parameter:
        return replace(batch, baseline=ParameterBaseline(amount))
    return replace(batch, advantages=batch.advantages - amount, baseline=ConstantBaseline(amount))
