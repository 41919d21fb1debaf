"""What has to hold of numbers that are learned from, whatever is learned: checked apart from the code that made them.

Each is an identity that a right estimate fulfils but for rounding, so that it needs no threshold that depends on the
problem. Everything is computed in another way than where it is used, or mistakes would agree with each other.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

LEAST_LIKELY = -50.0  # log π of an action that cannot be, in place of −∞
_FAR = 12.0  # from 0, where tanh is 1 but for 1e-10
_FEW = 10.0  # nats² of variance, from which on a sum of surprises is about normal


class Steps(NamedTuple):
    """What credit is made of, [T, …]: rewards, where episodes end or are cut off, where there is no padding, how many
    steps went before in the episode, V(s_t), and, where one was cut off, V of what was seen then; both are 0 without a
    learned value."""

    rewards: Tensor
    terminated: Tensor
    truncated: Tensor
    mask: Tensor
    elapsed: Tensor
    values: Tensor
    final_values: Tensor


class Residuals(NamedTuple):
    """How far credit is from its definition, [T, …], and where that has to do with what was cut off."""

    errors: Tensor
    cut: Tensor


def of_recursion(steps: Steps, credit: Tensor, gamma: float, decay: float) -> Tensor:
    """By how much each step's credit differs from what the next one's makes of it, [T, …].

    e_t = C_t − r_t − γ [(1 − λ) V_{t+1} + λ C_{t+1}]    within an episode
    e_t = C_t − r_t − γ V(s_T)                           where it is cut off, s_T what was seen then
    e_t = C_t − r_t                                      where it ends

    All of them are 0 for λ-returns C (which GAE plus V is), and for λ = 1 for the reward-to-go; and only for these.

    Args:
        credit: C, the advantages with what was subtracted from them added again.
        decay: λ.

    Source: Schulman et al. (2016), "High-dimensional continuous control using generalized advantage estimation".
    """
    ends = steps.terminated | steps.truncated
    following = (1.0 - decay) * _after(steps.values) + decay * _after(credit)
    following = torch.where(ends, torch.where(steps.terminated, 0.0, steps.final_values), following)
    return torch.where(steps.mask, credit - steps.rewards - gamma * following, 0.0)


def of_window(steps: Steps, credit: Tensor, gamma: float, n: int) -> Residuals:
    """The same for n-step returns: C_t − Σ_{l<h} γ^l r_{t+l} − γ^h V(s_{t+h}), h = n or as far as the episode goes."""
    wanted, weight = torch.zeros_like(credit), torch.ones_like(credit)
    cut = torch.zeros_like(steps.mask)
    rewards, ended, broken = steps.rewards, steps.terminated, steps.truncated
    values, after = steps.values, steps.final_values
    for _ in range(n):
        wanted = wanted + weight * (rewards + gamma * torch.where(broken & ~ended, after, 0.0))
        cut = cut | (broken & ~ended & (weight > 0.0))
        weight = weight * gamma * ~(ended | broken)
        rewards, ended, broken, after, values = map(_after, (rewards, ended, broken, after, values))
    wanted = wanted + weight * values
    return Residuals(torch.where(steps.mask, credit - wanted, 0.0), cut)


def of_whole(steps: Steps, credit: Tensor, gamma: float) -> Residuals:
    """The same for the total return Σ_t γ^t r_t of whole episodes, [T, N], which every step of one is credited with."""
    weight = torch.pow(gamma, steps.elapsed.to(credit.dtype)) * steps.mask
    broken = steps.truncated & ~steps.terminated
    total = (weight * (steps.rewards + gamma * torch.where(broken, steps.final_values, 0.0))).sum(0, keepdim=True)
    cut = broken.any(0, keepdim=True).expand_as(steps.mask)
    return Residuals(torch.where(steps.mask, credit - total, 0.0), cut & steps.mask)


def _after(rows: Tensor) -> Tensor:
    """x_{t+1} in row t, and nothing in the last."""
    return torch.cat((rows[1:], torch.zeros_like(rows[:1])))


def surprise(log_probs: Tensor, entropies: Tensor, variances: Tensor) -> Tensor:
    """By how many standard deviations the actions that were taken are less likely than the policy has it.

    z = Σ_t (−log π(a_t|s_t) − H(π(·|s_t))) / √(Σ_t Var[log π(a|s_t)] + 10)

    Where a_t is drawn from π each term has the mean 0 whatever went before, so that z is about standard normal; the 10
    keep few steps, or rare actions, from looking like much.

    Args:
        log_probs, entropies, variances: of every step, [M].

    Returns:
        z, a scalar tensor.

    Source: Shannon (1948), the entropy as the mean of −log π; the terms are a martingale's differences.
    """
    surprises = -log_probs.double().clamp(min=LEAST_LIKELY) - entropies.double()
    return surprises.sum() / (variances.double().clamp(min=0.0).sum() + _FEW).sqrt()


def squashed_log_probs(latent: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """log π(a), a = tanh u, u ~ N(μ, σ²), per unit of a, [n]: by the change of variables as it is written, in float64.

    log π(a) = Σ_j [ log N(u_j; μ_j, σ_j) − log(1 − tanh² u_j) ]

    Beyond |u| = 12 the last logarithm is taken to be log 4 − 2 |u|, which it comes to within 1e-10 there.

    Args:
        latent, mean, log_std: u, μ and log σ, [n, d].
    """
    u, m, s = latent.double(), mean.double(), log_std.double()
    normal = -0.5 * ((u - m) / s.exp()).square() - s - 0.5 * math.log(2.0 * math.pi)
    near = u.clamp(-_FAR, _FAR)
    slope = torch.where(near == u, (1.0 - near.tanh().square()).log(), math.log(4.0) - 2.0 * u.abs())
    return (normal - slope).sum(-1)
