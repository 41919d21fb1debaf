"""The exact natural gradient: the direction in which the expected return grows fastest per nat that the policy moves.

Sources: Kakade (2001); [textbook], section 6.7.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.mdp.exact import (
    Dynamics,
    Probabilities,
    action_values,
    discounted_visitation,
    fisher_matrix,
    policy_gradient,
)


def natural_gradient(
    dynamics: Dynamics, probabilities: Probabilities, parameters: Tensor, gamma: float, damping: float = 0.0
) -> Tensor:
    """(F + ξ Σd · I)⁻¹ ∇J(θ), with F and ∇J exact and weighted by the same visits d.

    That is (F̄ + ξ I)⁻¹ ∇J / Σd with F̄ = F / Σd the mean over visited states, so that the damping ξ means what it does
    where F̄ and the gradient are means over sampled steps. Without damping F's pseudoinverse is taken: F is singular for
    softmax logits, and in directions that do not change the policy the step is 0.

    Args:
        probabilities, parameters: as ``exact.exact_gradient``; D numbers in all.
        damping: ξ ≥ 0, without a unit.

    Returns:
        The direction, shaped as ``parameters``, detached. For tabular softmax logits and ξ = 0 it is the advantage
        A(s, a) less its mean over actions, wherever s is visited.
    """
    theta = parameters.detach()
    matrix = fisher_matrix(dynamics, probabilities, theta, gamma)
    gradient = policy_gradient(dynamics, probabilities, theta, gamma).flatten()
    visits = discounted_visitation(dynamics, probabilities(theta), gamma).sum()
    return _solved(matrix / visits, gradient / visits, damping).reshape(theta.shape)


def natural_gradient_of_logits(dynamics: Dynamics, policy: Tensor, gamma: float, damping: float = 0.0) -> Tensor:
    """As ``natural_gradient`` for a softmax over one logit for each state and action, π [S, A], state by state.

    There F is made of a block d(s) (diag π(·|s) − π(·|s) π(·|s)ᵀ) for each state, and each is solved alone: S systems
    of A equations in place of one of S · A.

    Returns:
        The direction in the logits, [S, A].
    """
    visits = discounted_visitation(dynamics, policy, gamma)
    table = action_values(dynamics, policy, gamma)
    weighted = visits.unsqueeze(-1) * table
    if dynamics.horizon is not None:  # the policy does not change with t
        visits, weighted = visits.sum(0), weighted.sum(0)
    total = visits.sum()
    gradient = policy * (weighted - (policy * weighted).sum(-1, keepdim=True))
    blocks = torch.diag_embed(policy) - policy.unsqueeze(-1) * policy.unsqueeze(-2)
    return _solved(visits.reshape(-1, 1, 1) * blocks / total, gradient / total, damping)


def _solved(matrix: Tensor, right: Tensor, damping: float) -> Tensor:
    """x of (matrix + damping · I) x = right, with any number of leading axes; by the pseudoinverse without damping."""
    if damping == 0.0:
        inverse: Tensor = torch.linalg.pinv(matrix, hermitian=True)
        return (inverse @ right.unsqueeze(-1)).squeeze(-1)
    unit = torch.eye(matrix.shape[-1], dtype=matrix.dtype)
    solution: Tensor = torch.linalg.solve(matrix + damping * unit, right)
    return solution
