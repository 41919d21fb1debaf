"""Baselines that need no learning, as pure functions over credit [T, N] of N whole episodes."""

from __future__ import annotations

from torch import Tensor


def average_baseline(credit: Tensor, mask: Tensor) -> Tensor:
    """The batch's average credit, one number for all steps.

    b = 1/N Σ_i 1/T_i Σ_t Ψ_{i,t}

    For total-return credit, where Ψ_{i,t} = R(τ_i), this is the average return 1/N Σ_i R(τ_i). It includes the sample
    it is subtracted from, so the estimate shrinks by a factor of about 1 − 1/N.

    Args:
        credit: Ψ, [T, N].
        mask: True on the steps of an episode, [T, N]; every episode has at least one.

    Returns:
        b, a scalar tensor.

    Raises:
        ValueError: the shapes differ, or an episode has no step.

    Source: 001…, "subtract average reward".
    """
    if credit.shape != mask.shape:
        raise ValueError(f"credit {tuple(credit.shape)} and mask {tuple(mask.shape)} must have one shape.")
    lengths = mask.sum(0)
    if not bool((lengths > 0).all()):
        raise ValueError("every episode needs at least one step.")
    per_episode = (credit * mask).sum(0) / lengths
    return per_episode.mean()
