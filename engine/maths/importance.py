"""Importance weights: how likely what was seen under one policy μ would have been under another, π, as pure functions.

Products of many ratios explode or vanish, so everything is kept in logarithms until the last moment. A log ratio of −∞
(π never takes that action) is a weight of 0; one of +∞ cannot occur, because μ took the action. Gradients flow through,
so weights that are to be constants are detached by the caller.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

LARGEST_LOG = 88.72  # e to this is 3.4·10³⁸, just below the largest float32


def prefix_log_weights(log_ratios: Tensor, mask: Tensor) -> Tensor:
    """The logarithm of how much likelier each episode was up to and including step t.

    log ρ_{0:t} = Σ_{k=0}^{t} log π(a_k|s_k)/μ(a_k|s_k),   t = 0 … T−1

    Weighting the reward of step t with ρ_{0:t} alone is enough, since later actions do not change it. Padding keeps the
    last value: an episode that has ended weighs on as it was.

    Args:
        log_ratios: log π − log μ of the actions taken, [T, …].
        mask: True on the steps of an episode, [T, …].

    Returns:
        log ρ, [T, …].

    Raises:
        ValueError: the shapes differ.

    Source: [textbook], section 6.3.2; Precup, Sutton & Singh (2000), "Eligibility traces for off-policy policy
        evaluation".
    """
    return _only_steps(log_ratios, mask).cumsum(0)


def trajectory_log_weights(log_ratios: Tensor, mask: Tensor) -> Tensor:
    """The logarithm of how much likelier whole episodes were, Σ_t log π(a_t|s_t)/μ(a_t|s_t).

    The dynamics are the same under both policies and cancel. It is the last row of ``prefix_log_weights``.

    Args:
        log_ratios: log π − log μ of the actions taken, [T, N].
        mask: True on the steps of an episode, [T, N].

    Returns:
        [N].

    Raises:
        ValueError: the shapes differ.

    Source: [textbook], section 6.3.2.
    """
    return _only_steps(log_ratios, mask).sum(0)


def weights(log_weights: Tensor, self_normalized: bool, truncation: float) -> Tensor:
    """Weights from their logarithms, tamed as asked.

    w_i = exp(log ρ_i);   w_i ← min(w_i, c) where c > 0;   w_i ← w_i / (1/N Σ_j w_j) where ``self_normalized``

    Truncation bounds the variance at the price of a bias towards μ. Self-normalisation makes the weights average 1 over
    the episodes, which bounds each by N; its bias vanishes as N grows. Where neither holds a product of ratios in
    check, it counts as at most e^88.72, the largest float32, so that it stays a number; what it multiplies may still
    overflow. Beyond that bound and beyond c a weight no longer depends on the policy and has gradient 0.

    Args:
        log_weights: log ρ, […, N], episodes last.
        self_normalized: whether to divide by the mean over the last dimension.
        truncation: c; 0 for none.

    Returns:
        w ≥ 0, […, N]; all 0 where no episode of a row is possible under π.

    Raises:
        ValueError: ``log_weights`` is a scalar or holds no episode, or c < 0.

    Source: [textbook], section 6.3.2; Ionides (2008), "Truncated importance sampling", where c = √N is advised.
    """
    if log_weights.ndim < 1 or log_weights.shape[-1] < 1:
        raise ValueError(f"log_weights {tuple(log_weights.shape)} must be [..., N], N at least 1.")
    if not truncation >= 0.0:
        raise ValueError(f"truncation must be positive, or 0 for none, not {truncation}.")
    if truncation > 0.0:
        log_weights = log_weights.clamp(max=math.log(truncation))
    if self_normalized:
        # Relative to the greatest, so that no sum over- or underflows; 0 stands in for it where all are −∞.
        greatest = log_weights.detach().amax(-1, keepdim=True)
        relative = (log_weights - torch.where(greatest == -torch.inf, 0.0, greatest)).exp()
        total = relative.sum(-1, keepdim=True)
        return relative * (log_weights.shape[-1] / torch.where(total == 0.0, 1.0, total))
    return log_weights.clamp(max=LARGEST_LOG).exp()


def effective_sample_size(log_weights: Tensor) -> float:
    """How many equally weighted episodes would tell as much as these: (Σ w)² / Σ w².

    From 1, where one episode outweighs all others, to N, where all weigh alike; 0 where no episode is possible under π.
    Computed relative to the greatest weight, so it does not depend on the weights' scale and cannot overflow.

    Args:
        log_weights: log w, [N] with N ≥ 1.

    Raises:
        ValueError: ``log_weights`` is not [N], N ≥ 1.

    Source: Kong (1992), "A note on importance sampling using standardized weights".
    """
    if log_weights.ndim != 1 or len(log_weights) < 1:
        raise ValueError(f"log_weights {tuple(log_weights.shape)} must be [N], N at least 1.")
    greatest = log_weights.max()
    if greatest.item() == -math.inf:
        return 0.0
    relative = (log_weights - greatest).exp()
    size = relative.sum().square() / relative.square().sum()
    return size.clamp(1.0, len(log_weights)).item()


def _only_steps(log_ratios: Tensor, mask: Tensor) -> Tensor:
    """The log ratios, 0 on padding."""
    if log_ratios.shape != mask.shape:
        raise ValueError(f"log_ratios {tuple(log_ratios.shape)} and mask {tuple(mask.shape)} must have one shape.")
    return torch.where(mask, log_ratios, 0.0)
