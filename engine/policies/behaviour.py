"""How likely the policy that acted was to take the actions it took."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.policies.distributions import Distribution


def behaviour_log_probs(distribution: Distribution, actions: Tensor, greedy: Tensor | None, share: float) -> Tensor:
    """log μ(a|s) of a policy π that takes its most likely action with probability κ and samples else.

    Discrete actions: μ(a) = (1 − κ) π(a) + κ·1[a = argmax π].
    Continuous actions: μ has the density (1 − κ) π and an atom at the mode. Against a density an atom is infinitely
    likely, so greedy actions have log μ = +∞ and thus the importance weight π/μ = 0, sampled ones π/μ = 1/(1 − κ).

    Args:
        distribution: π(·|s) as it was, [M].
        actions: [M, …].
        greedy: which actions were taken greedily, [M]; None where none could be.
        share: κ.

    Returns:
        [M].

    Source: [textbook] for importance sampling, [Jabon 2023] for greedy action selection.
    """
    log_probs = distribution.log_prob(actions)
    if greedy is None or share == 0.0:
        return log_probs
    sampled = log_probs + (math.log1p(-share) if share < 1.0 else -math.inf)
    if actions.is_floating_point():
        return torch.where(greedy, math.inf, sampled)
    same = distribution.mode() == actions
    # What was greedy was the mode when it was taken, even where rounding makes another of two equal actions it now.
    likeliest = greedy | (same if same.dim() == 1 else same.all(-1))
    return torch.where(likeliest, torch.logaddexp(sampled, torch.full_like(log_probs, math.log(share))), sampled)
