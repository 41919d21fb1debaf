"""The exact natural gradient: the direction in which the expected return grows fastest per nat that the policy moves.

Sources: Kakade (2001); [textbook], section 6.7.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.mdp.exact import (
    Dynamics,
    Probabilities,
    advantages,
    discounted_visitation,
    policy_gradient,
)


def fisher_matrix(dynamics: Dynamics, probabilities: Probabilities, parameters: Tensor, gamma: float) -> Tensor:
    """The Fisher information of the policy, over the states it visits.

    F = Σ_s d(s) Σ_a π(a|s) ∇log π(a|s) ∇log π(a|s)ᵀ, summed over t as well where there is a horizon.

    It is the Hessian at θ' = θ of Σ_s d(s) KL(π_θ(·|s) ‖ π_θ'(·|s)). As d is not normalised, F / Σ d is the mean over
    visited states. For tabular softmax logits F is singular: adding a constant to a state's logits changes nothing.

    Args:
        probabilities, parameters: as ``exact_gradient``; D numbers in all.

    Returns:
        F, [D, D], over the flattened parameters, detached.

    Source: Kakade (2001); [textbook].
    """
    theta = parameters.detach()
    policy = probabilities(theta)
    visits = discounted_visitation(dynamics, policy, gamma)
    if visits.ndim == policy.ndim:  # a policy that does not change with t, under a horizon
        visits = visits.sum(0)
    jacobian: Tensor = torch.func.jacrev(probabilities)(theta)
    scores = jacobian.reshape(policy.numel(), theta.numel()) / policy.reshape(-1, 1)
    # An action that is never taken has no score, and does not count.
    scores = torch.where(policy.reshape(-1, 1) > 0.0, scores, 0.0)
    weights = (visits.unsqueeze(-1) * policy).reshape(-1, 1)
    return scores.mT @ (weights * scores)


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


def natural_gradient_of_network(
    dynamics: Dynamics, policy: Tensor, jacobian: Tensor, gamma: float, damping: float = 0.0
) -> Tensor:
    """As ``natural_gradient``, of a softmax whose logits a network computes, without ever building F [D, D].

    With s = √π and M_s = diag(s) − π sᵀ for each state, M_s M_sᵀ = diag(π) − π πᵀ. So F̄ = CᵀC and ∇J / Σd = Cᵀc for

    C_s = √(d(s)/Σd) M_sᵀ J_s,   c_s = √(d(s)/Σd) s A(s, ·),

    and the direction is Cᵀ (C Cᵀ + ξ I)⁻¹ c: as many equations as there are pairs of state and action.

    Args:
        policy: π [S, A], the same at all steps.
        jacobian: J [S, A, D], the derivatives of the logits.

    Returns:
        The direction, [D].
    """
    roots, weighted = _weighted_scores(dynamics, policy, gamma)
    factor = _factor(roots, policy)
    rows = (factor.mT @ jacobian).flatten(0, 1)
    return rows.mT @ _solved(rows @ rows.mT, weighted.flatten(), damping)


def natural_gradient_of_logits(dynamics: Dynamics, policy: Tensor, gamma: float, damping: float = 0.0) -> Tensor:
    """As ``natural_gradient_of_network`` where each state and action has a logit of its own: J is the unit matrix, and
    each state has a system of its A equations to itself.

    Returns:
        The direction in the logits, [S, A].
    """
    roots, weighted = _weighted_scores(dynamics, policy, gamma)
    factor = _factor(roots, policy)
    return (factor @ _solved(factor.mT @ factor, weighted, damping).unsqueeze(-1)).squeeze(-1)


def _weighted_scores(dynamics: Dynamics, policy: Tensor, gamma: float) -> tuple[Tensor, Tensor]:
    """√(d(s)/Σd) [S], and c [S, A]; with a horizon, d is summed over t and A averaged over it by d."""
    visits, gains = discounted_visitation(dynamics, policy, gamma), advantages(dynamics, policy, gamma)
    if dynamics.horizon is not None:
        weighted = (visits.unsqueeze(-1) * gains).sum(0)
        visits = visits.sum(0)
        gains = torch.where(visits.unsqueeze(-1) > 0.0, weighted / visits.unsqueeze(-1), 0.0)
    roots = (visits / visits.sum()).sqrt()
    return roots, roots.unsqueeze(-1) * policy.sqrt() * gains


def _factor(roots: Tensor, policy: Tensor) -> Tensor:
    """√(d(s)/Σd) M_s, [S, A, A]."""
    s = policy.sqrt()
    return roots.reshape(-1, 1, 1) * (torch.diag_embed(s) - policy.unsqueeze(-1) * s.unsqueeze(-2))


def _solved(matrix: Tensor, right: Tensor, damping: float) -> Tensor:
    """x of (matrix + damping · I) x = right, with any number of leading axes; by the pseudoinverse without damping."""
    if damping == 0.0:
        inverse: Tensor = torch.linalg.pinv(matrix, hermitian=True)
        return (inverse @ right.unsqueeze(-1)).squeeze(-1)
    unit = torch.eye(matrix.shape[-1], dtype=matrix.dtype)
    solution: Tensor = torch.linalg.solve(matrix + damping * unit, right)
    return solution
