"""Returns of time-major rewards, as pure functions.

Shapes: every argument is [T, …] with the same batch dimensions behind time. Episodes end where ``terminated`` (nothing
follows) or ``truncated`` (the rest was cut off); a recursion never crosses an end. Steps after a sequence's last end
are padding and carry reward 0.
"""

from __future__ import annotations

import torch
from torch import Tensor


def discount_sequence(gamma: float, terminated: Tensor) -> Tensor:
    """γ·(1 − terminated): how much what follows a step counts, shape [T, …]."""
    return gamma * (~terminated).to(torch.float32)


def discounted_returns(rewards: Tensor, discounts: Tensor, truncated: Tensor, final_values: Tensor) -> Tensor:
    """The return from each step on (reward-to-go).

    G_t = r_t + γ_t · (v_t if truncated_t else G_{t+1}),   t = T−1 … 0,   G_T = 0

    where γ_t is the discount sequence and v_t estimates the value of the true final observation of an episode that was
    truncated at t (0 where no estimate is at hand: the return then counts only what was seen).

    Args:
        rewards, discounts, truncated, final_values: [T, …]; ``final_values`` matters only where ``truncated``.

    Returns:
        G, [T, …].

    Raises:
        ValueError: the shapes differ.

    Source: the reward-to-go of 001… and 002… with the γ^{t'−t} of 003…, its sum starting at t' = t; bootstrapping at
        time limits after Pardo et al. (2018), "Time limits in reinforcement learning".
    """
    if not rewards.shape == discounts.shape == truncated.shape == final_values.shape:
        raise ValueError(
            f"rewards {tuple(rewards.shape)}, discounts {tuple(discounts.shape)}, truncated {tuple(truncated.shape)} "
            f"and final_values {tuple(final_values.shape)} must have one shape."
        )
    if len(rewards) == 0:
        return rewards.clone()
    cut = truncated.to(rewards.dtype)
    own = rewards + discounts * cut * final_values
    carry = discounts * (1.0 - cut)
    following = torch.zeros_like(own[0])
    backwards = []
    for reward, factor in zip(own.flip(0).unbind(), carry.flip(0).unbind(), strict=True):
        following = torch.addcmul(reward, factor, following)
        backwards.append(following)
    return torch.stack(backwards).flip(0)
