"""What is known at one place of the map of J(θ): the gradients, and which steps a trust region allows there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from engine.analysis.landscape.worlds import GAMMA, Pair, World
from engine.mdp.exact import discounted_visitation, expected_return, policy_gradient
from engine.mdp.natural_gradient import fisher_matrix, natural_gradient

_CORNERS = 64
_FURTHEST = 1e3  # as far as the ellipse goes where a direction does not change the policy at all


@dataclass(frozen=True)
class Place:
    """``theta`` [2] and what is exact there.

    Attributes:
        value: J(θ).
        gradient: ∇J(θ) [2].
        natural: F̄⁻¹ ∇J / Σd [2], with F̄ the mean Fisher matrix of the visited states.
        fisher: F̄ [2, 2].
        ellipse: the steps s with ½ sᵀ F̄ s = δ, as points around 0, [n, 2].
    """

    theta: Pair
    value: float
    gradient: NDArray[np.float64]
    natural: NDArray[np.float64]
    fisher: NDArray[np.float64]
    ellipse: NDArray[np.float64]


def place_at(world: World, theta: Pair, max_kl: float) -> Place:
    """All of it, with δ = ``max_kl`` nats."""
    at = torch.tensor(theta, dtype=torch.float64)
    given = (world.dynamics, world.probabilities, at, GAMMA)
    policy = world.probabilities(at)
    visits = discounted_visitation(world.dynamics, policy, GAMMA).sum()
    fisher = (fisher_matrix(*given) / visits).numpy()
    return Place(
        theta,
        float(expected_return(world.dynamics, policy, GAMMA)),
        policy_gradient(*given).numpy(),
        natural_gradient(*given).numpy(),
        fisher,
        allowed_steps(fisher, max_kl),
    )


def allowed_steps(fisher: NDArray[np.float64], max_kl: float) -> NDArray[np.float64]:
    """The steps s with ½ sᵀ F s = δ: along an eigenvector of F with the eigenvalue λ they are √(2 δ / λ) long.

    Args:
        fisher: F, [2, 2], symmetric; singular where a direction changes nothing, in which the steps have no end.
        max_kl: δ in nats.

    Returns:
        Points of the ellipse in their order, [n, 2].

    Source: Kakade (2001); Schulman et al. (2015).
    """
    eigenvalues, eigenvectors = np.linalg.eigh(fisher)
    least = 2.0 * max_kl / _FURTHEST**2
    lengths = np.sqrt(2.0 * max_kl / np.maximum(eigenvalues, least))
    turn = np.linspace(0.0, 2.0 * math.pi, _CORNERS, endpoint=False)
    points: NDArray[np.float64] = np.stack((np.cos(turn), np.sin(turn)), -1) * lengths @ eigenvectors.T
    return points
