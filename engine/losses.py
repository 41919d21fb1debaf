"""Losses and what is reported of a fit, as pure functions over the steps of a batch."""

from __future__ import annotations

import torch
from torch import Tensor


def policy_gradient_loss(log_probs: Tensor, advantages: Tensor, episodes: int) -> Tensor:
    """The loss whose negative gradient is the policy-gradient estimate.

    L = −1/N Σ_i Σ_t log π(a_{i,t}|s_{i,t}) Â_{i,t}

    The sum runs over all steps of N episodes and is divided by the number of episodes, not of steps: that is the
    gradient of the expected return. Advantages are constants; no gradient flows through them.

    Args:
        log_probs, advantages: [steps].
        episodes: N ≥ 1.

    Raises:
        ValueError: the shapes differ, or N < 1.

    Source: Williams (1992), as in 001… and 004….
    """
    if log_probs.shape != advantages.shape:
        raise ValueError(
            f"log_probs {tuple(log_probs.shape)} and advantages {tuple(advantages.shape)} differ in shape."
        )
    if episodes < 1:
        raise ValueError(f"episodes must be at least 1, not {episodes}.")
    return -(log_probs * advantages.detach()).sum() / episodes


def entropy_bonus(entropies: Tensor, episodes: int) -> Tensor:
    """1/N Σ_i Σ_t H(π(·|s_{i,t})), a scalar, reduced like ``policy_gradient_loss`` so that their weights compare.

    Args:
        entropies: [steps], in nats.
        episodes: N ≥ 1.

    Raises:
        ValueError: N < 1.

    Source: Williams & Peng (1991), "Function optimization using connectionist reinforcement learning algorithms".
    """
    if episodes < 1:
        raise ValueError(f"episodes must be at least 1, not {episodes}.")
    return entropies.sum() / episodes


def value_loss(values: Tensor, targets: Tensor) -> Tensor:
    """Mean squared error, 1/M Σ (V_m − G_m)², over M steps; [M] each. Source: 003….

    Raises:
        ValueError: the shapes differ.
    """
    if values.shape != targets.shape:
        raise ValueError(f"values {tuple(values.shape)} and targets {tuple(targets.shape)} differ in shape.")
    return (values - targets.detach()).square().mean()


def explained_variance(values: Tensor, targets: Tensor) -> float | None:
    """1 − Var(G − V) / Var(G), the coefficient of determination up to the predictions' mean error.

    Variances are those of the population; None where the targets do not vary.

    Args:
        values, targets: V and G, [steps].

    Raises:
        ValueError: the shapes differ.
    """
    if values.shape != targets.shape:
        raise ValueError(f"values {tuple(values.shape)} and targets {tuple(targets.shape)} differ in shape.")
    spread = _spread(targets)
    if spread == 0.0:
        return None
    return 1.0 - (targets - values).var(correction=0).item() / spread**2


def normalized(advantages: Tensor) -> Tensor:
    """(Â − mean) / std, with the population standard deviation; all 0 where the advantages do not vary.

    Args:
        advantages: [steps].

    Returns:
        [steps], of mean 0 and standard deviation 1.

    Source: common practice since Schulman et al. (2017), "Proximal policy optimization algorithms"; it makes the step
        independent of the rewards' scale, and the estimate no longer unbiased.
    """
    spread = _spread(advantages)
    if spread == 0.0:
        return torch.zeros_like(advantages)
    return (advantages - advantages.mean()) / spread


def _spread(numbers: Tensor) -> float:
    """The population standard deviation, 0 where it is no more than float32's rounding of equal numbers."""
    spread = numbers.std(correction=0).item()
    return 0.0 if spread <= 1e-5 * numbers.abs().max().item() else spread
