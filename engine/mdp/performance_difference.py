"""What one policy gains over another, in every way it can be counted; and how a greedy step on approximate values may
lose where the gradient gains.

Shapes and units as in ``exact``. Sources: Kakade & Langford (2002) for the lemma and the bound; [Jethro] and
[textbook], sections 6.6 and 6.7, for the surrogate and the worst case.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from engine.mdp.exact import (
    Dynamics,
    action_values,
    backup_all,
    come_to,
    discounted_visitation,
    expected_return,
    policy_gradient,
    state_values,
)
from engine.mdp.greedy import greedy_policy
from engine.mdp.sharing import Sharing


@dataclass(frozen=True)
class Comparison:
    """A policy π' beside a policy π of the same process.

    Write Ā(s) = Σ_a π'(a|s) A_π(s, a) for what the new policy gains in s over doing there as the old one does, and d
    and d' for how often the old and the new one visit the states (``exact.discounted_visitation``).

    Attributes:
        old_return, new_return: J(π) and J(π').
        difference: J(π') − J(π).
        lemma: Σ_s d'(s) Ā(s), equal to ``difference`` but for rounding.
        surrogate: L = Σ_s d(s) Ā(s), with the old policy's states, as TRPO and PPO have it; equal to the difference to
            first order in the policies' distance.
        gains: Ā, [S] or [H, S]; 0 where neither policy comes to.
        old_visits, new_visits: d and d', [S] or [H, S].
        worst_gain, worst_state: the least Ā(s) of the states that either policy comes to, and its s; [H, S] counts as
            one row after the other.
        turns: how many discounted steps there can be at the most, Σ_t γ^t over the horizon: ∞ for γ = 1 without one.
        worst_case: turns · min(worst_gain, 0), below which the difference cannot be: if all steps fell on that state.
        moved: α, the largest total variation ½ Σ_a |π'(a|s) − π(a|s)| of any of these states.
        mismatch: max_s |Ā(s)| · Σ_t 2 γ^t (1 − (1 − α)^t), by which the surrogate can be wrong at the most.
        guaranteed: surrogate − mismatch, the bound that a small enough step makes positive.
    """

    old_return: float
    new_return: float
    difference: float
    lemma: float
    surrogate: float
    gains: Tensor
    old_visits: Tensor
    new_visits: Tensor
    worst_gain: float
    worst_state: int
    turns: float
    worst_case: float
    moved: float
    mismatch: float
    guaranteed: float


def compare(dynamics: Dynamics, new: Tensor, old: Tensor, gamma: float) -> Comparison:
    """``new`` beside ``old``, policies as ``exact`` takes them.

    States that neither policy comes to count for nothing: what a table of action values says of them is by chance, and
    undiscounted they need have no value.

    Why the mismatch bounds: as long as both policies have done the same they are in the same state, and that they part
    has at most the chance α at every step. So at step t their distributions over states differ by at most
    1 − (1 − α)^t in total variation, twice that in the sum of absolute differences. Without a horizon the sum is
    2 γ α / ((1 − γ) (1 − γ (1 − α))), the form in Kakade & Langford's theorem 4.1.

    Raises:
        ValueError: as the functions of ``exact``.
    """
    before, after = discounted_visitation(dynamics, old, gamma), discounted_visitation(dynamics, new, gamma)
    was, now = expected_return(dynamics, old, gamma).item(), expected_return(dynamics, new, gamma).item()
    visited = torch.ones_like(dynamics.initial) > 0.0
    if old.ndim == new.ndim == 2:
        visited = come_to(dynamics, old) | come_to(dynamics, new)
    values = state_values(dynamics, old, gamma, visited)
    gains = (new.expand(dynamics.shape) * (backup_all(dynamics, values, gamma) - values.unsqueeze(-1))).sum(-1)
    counted = torch.where(visited, gains, 0.0)
    surrogate, worst = (before * counted).sum().item(), int(torch.where(visited, gains, torch.inf).argmin())
    moved = (0.5 * (new - old).abs().sum(-1) * visited).max().item()
    turns = _discounted_steps(dynamics.horizon, gamma)
    least = gains.flatten()[worst].item()
    largest, parting = counted.abs().max().item(), _parting(dynamics.horizon, gamma, moved)
    mismatch = largest * parting if largest > 0.0 else 0.0  # 0 · ∞ is 0 here
    return Comparison(
        old_return=was,
        new_return=now,
        difference=now - was,
        lemma=(after * counted).sum().item(),
        surrogate=surrogate,
        gains=counted,
        old_visits=before,
        new_visits=after,
        worst_gain=least,
        worst_state=worst,
        turns=turns,
        worst_case=turns * least if least < 0.0 else 0.0,
        moved=moved,
        mismatch=mismatch,
        guaranteed=surrogate - mismatch,
    )


def _discounted_steps(horizon: int | None, gamma: float) -> float:
    """Σ_t γ^t, t = 0 … H−1."""
    if gamma == 1.0:
        return math.inf if horizon is None else float(horizon)
    return (1.0 - (0.0 if horizon is None else gamma**horizon)) / (1.0 - gamma)


def _parting(horizon: int | None, gamma: float, moved: float) -> float:
    """Σ_t 2 γ^t (1 − (1 − α)^t), t = 0 … H−1."""
    if moved == 0.0:
        return 0.0
    return 2.0 * (_discounted_steps(horizon, gamma) - _discounted_steps(horizon, gamma * (1.0 - moved)))


# --- values that some states share ------------------------------------------------------------------------------------


class Improved(NamedTuple):
    """A policy made better, or thought so: ``policy`` [S, A], and the shared values ``action_values`` [G, A] by which
    it was, zeros for a group that is never visited."""

    policy: Tensor
    action_values: Tensor


def shared_action_values(dynamics: Dynamics, policy: Tensor, groups: Tensor, gamma: float) -> Tensor:
    """What a table fits that has one row for each group of states: Q̄(g, a) = Σ_{s∈g} d(s) Q(s, a) / Σ_{s∈g} d(s).

    That is the least-squares fit to the policy's own action values over the states that it visits itself.

    Args:
        policy: π [S, A], the same in all states of a group and at all steps.
        groups: the group of each state, int64 [S], 0 … G−1.

    Returns:
        Q̄ [G, A].
    """
    weights = discounted_visitation(dynamics, policy, gamma)
    return Sharing(groups).fitted(action_values(dynamics, policy, gamma), weights)


def greedy_step(dynamics: Dynamics, policy: Tensor, groups: Tensor, gamma: float) -> Improved:
    """One step of policy iteration with values that the states of a group share: greedy in Q̄.

    The values are fitted where the old policy goes, and used where the new one goes.
    """
    shared = shared_action_values(dynamics, policy, groups, gamma)
    return Improved(greedy_policy(shared, _by_group(policy, groups))[groups], shared)


def gradient_step(dynamics: Dynamics, policy: Tensor, groups: Tensor, gamma: float, rate: float) -> Improved:
    """One step along ∇J of a softmax with one row of logits for each group: what Q̄ is fitted to is all that the
    gradient needs, ∇J = Σ_g d(g) Σ_a ∇π(a|g) Q̄(g, a), so both steps use the same values.

    Args:
        policy: as ``shared_action_values``; no probability is 0.
        rate: α > 0.
    """
    logits = _by_group(policy, groups).log()
    gradient = policy_gradient(dynamics, lambda theta: theta.softmax(-1)[groups], logits, gamma)
    stepped = (logits + rate * gradient).softmax(-1)[groups]
    return Improved(stepped, shared_action_values(dynamics, policy, groups, gamma))


def _by_group(policy: Tensor, groups: Tensor) -> Tensor:
    """π [G, A] of π [S, A]."""
    first = torch.stack([(groups == group).nonzero()[0, 0] for group in range(int(groups.max()) + 1)])
    return policy[first]
