"""Baselines that need no learning, as pure functions over what N whole episodes of a batch were credited with."""

from __future__ import annotations

import torch
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

    Source: [lecture], "subtract average reward".
    """
    return _averages(credit, mask).mean()


def time_average_baseline(credit: Tensor, mask: Tensor) -> Tensor:
    """The average credit at each time step, over the episodes that still run then.

    b_t = Σ_i m_{i,t} Ψ_{i,t} / Σ_i m_{i,t},   t = 0 … T−1

    where m is the mask; 0 where no episode runs. Like ``average_baseline`` it includes the sample it is subtracted
    from: with n episodes running, the estimate of that step shrinks by 1 − 1/n, and the last one running learns nothing
    from its last steps.

    Args:
        credit: Ψ, [T, N].
        mask: True on the steps of an episode, [T, N].

    Returns:
        b, [T, 1].

    Raises:
        ValueError: the shapes differ, or are not [T, N].

    Source: [textbook], the average reward-to-go at a given time step.
    """
    _require_matching(credit, mask)
    running = mask.sum(1, keepdim=True)
    if credit.numel() == 0:
        return torch.zeros_like(running, dtype=credit.dtype)
    # Averaged as distances from the least: equal credits then give exactly themselves, and their advantages exactly 0
    # instead of rounding errors that normalisation would blow up.
    least = torch.where(mask, credit, torch.inf).amin(1, keepdim=True)
    least = torch.where(running > 0, least, 0.0)
    distances = torch.where(mask, credit - least, 0.0)
    return least + distances.sum(1, keepdim=True) / running.clamp(min=1)


def leave_one_out_baseline(credit: Tensor, mask: Tensor) -> Tensor:
    """For each episode the average credit of the others, so that no sample is compared with itself.

    b_i = 1/(N−1) Σ_{j≠i} 1/T_j Σ_t Ψ_{j,t},   i = 1 … N

    It is independent of episode i, so unlike ``average_baseline`` it leaves the estimate unbiased. For total-return
    credit R_i − b_i is N/(N−1) times R_i less the average return.

    Args:
        credit: Ψ, [T, N] with N ≥ 2.
        mask: True on the steps of an episode, [T, N]; every episode has at least one.

    Returns:
        b, [1, N].

    Raises:
        ValueError: the shapes differ, an episode has no step, or N < 2.

    Source: Kool et al. (2019), "Buy 4 REINFORCE samples, get a baseline for free!"; Ahmadian et al. (2024), "Back to
        basics", who name it RLOO.
    """
    averages = _averages(credit, mask)
    others = len(averages) - 1
    if others < 1:
        raise ValueError("the leave-one-out baseline needs at least 2 episodes.")
    mean = averages.mean()
    # (N mean − the episode's) / (N−1), written so that large numbers do not cancel.
    return (mean + (mean - averages) / others).unsqueeze(0)


def optimal_baseline(scores: Tensor, gradients: Tensor, pooled: bool) -> Tensor:
    """The constant that, subtracted from all credit, gives the gradient estimate the least variance.

    b_k = Σ_i S_{ik} X_{ik} / Σ_i S_{ik}²,   k = 1 … P,   or pooled   b = Σ_{ik} S_{ik} X_{ik} / Σ_{ik} S_{ik}²

    with the score S_i = Σ_t ∇ log π(a_{i,t}|s_{i,t}) and the gradient X_i = Σ_t ∇ log π(a_{i,t}|s_{i,t}) Ψ_{i,t} of
    episode i. The estimate with the baseline is 1/N Σ_i (X_{ik} − b_k S_{ik}); since E[S] = 0, its variance is least
    where E[(X − b S)²] is, which is this ratio. For total-return credit, X = S R and b = E[S² R] / E[S²]: the expected
    return weighted by the squared size of the gradient. Taken from the batch it is applied to, it includes the sample
    it is subtracted from.

    Args:
        scores, gradients: S and X, [N, P], of N ≥ 1 episodes and P parameters.
        pooled: one baseline for all parameters, which minimises the sum of their variances.

    Returns:
        b, [P], or a scalar where ``pooled``; 0 where a score vanishes, as no baseline can change anything there.

    Raises:
        ValueError: the shapes differ, are not [N, P], or N < 1.

    Source: [Jethro], "Computing the optimal baseline"; Weaver & Tao (2001), "The optimal reward baseline for
        gradient-based reinforcement learning"; per parameter as in Peters & Schaal (2008), "Reinforcement learning of
        motor skills with policy gradients".
    """
    if scores.shape != gradients.shape or scores.ndim != 2 or len(scores) < 1:
        raise ValueError(
            f"scores {tuple(scores.shape)} and gradients {tuple(gradients.shape)} must both be [N, P], N at least 1."
        )
    covered, size = (scores * gradients).sum(0), scores.square().sum(0)
    if pooled:
        covered, size = covered.sum(), size.sum()
    return torch.where(size > 0.0, covered / size, 0.0)


def _averages(credit: Tensor, mask: Tensor) -> Tensor:
    """1/T_i Σ_t Ψ_{i,t} of every episode, [N]."""
    _require_matching(credit, mask)
    lengths = mask.sum(0)
    if not bool((lengths > 0).all()):
        raise ValueError("every episode needs at least one step.")
    return (credit * mask).sum(0) / lengths


def _require_matching(credit: Tensor, mask: Tensor) -> None:
    if credit.shape != mask.shape:
        raise ValueError(f"credit {tuple(credit.shape)} and mask {tuple(mask.shape)} must have one shape.")
    if credit.ndim != 2:
        raise ValueError(f"credit {tuple(credit.shape)} must be [T, N].")
