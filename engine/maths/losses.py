"""Losses, objectives and what is reported of them, as pure functions over the M steps of a batch.

Ratios are ρ_m = π_θ(a_m|s_m) / π_old(a_m|s_m), given as log ρ_m = log π_θ − log π_old with the second term a constant.
Advantages, targets and old values are constants too: no gradient flows through them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import mse_loss, softshrink

_ROUNDING = 5e-7  # of a number, a few units in float32's last place: sums in another order differ by as much


def policy_gradient_loss(log_probs: Tensor, advantages: Tensor, episodes: int) -> Tensor:
    """The loss whose negative gradient is the policy-gradient estimate.

    L = −1/N Σ_i Σ_t log π(a_{i,t}|s_{i,t}) Â_{i,t}

    The sum runs over all steps of N episodes and is divided by the number of episodes, not of steps: that is the
    gradient of the expected return. Advantages are constants; no gradient flows through them.

    Args:
        log_probs, advantages: [..., steps]; what comes before the steps stays.
        episodes: N ≥ 1.

    Raises:
        ValueError: the shapes differ, or N < 1.

    Source: Williams (1992), as in [lecture] and [Schaeffer].
    """
    _require_one_shape(log_probs=log_probs, advantages=advantages)
    if episodes < 1:
        raise ValueError(f"episodes must be at least 1, not {episodes}.")
    return -(log_probs * advantages.detach()).sum(-1) / episodes


def entropy_bonus(entropies: Tensor, episodes: int) -> Tensor:
    """1/N Σ_i Σ_t H(π(·|s_{i,t})), reduced like ``policy_gradient_loss`` so that their weights compare.

    Args:
        entropies: [..., steps], in nats.
        episodes: N ≥ 1.

    Raises:
        ValueError: N < 1.

    Source: Williams & Peng (1991), "Function optimization using connectionist reinforcement learning algorithms".
    """
    if episodes < 1:
        raise ValueError(f"episodes must be at least 1, not {episodes}.")
    return entropies.sum(-1) / episodes


def surrogate(log_ratios: Tensor, advantages: Tensor) -> Tensor:
    """What the step gains by the old policy's advantages, an objective to be maximised.

    L = 1/M Σ_m ρ_m Â_m

    At θ = θ_old it is the mean advantage, and its gradient that of 1/M Σ_m log π_θ(a_m|s_m) Â_m.

    Args:
        log_ratios, advantages: [M].

    Returns:
        L, a scalar tensor.

    Raises:
        ValueError: the shapes differ.

    Source: [Jethro] and [textbook]; Kakade & Langford (2002), "Approximately optimal approximate reinforcement
        learning".
    """
    _require_one_shape(log_ratios=log_ratios, advantages=advantages)
    return (log_ratios.exp() * advantages.detach()).mean()


def clipped_surrogate(log_ratios: Tensor, advantages: Tensor, clip_range: float) -> Tensor:
    """``surrogate`` without the reward for moving a ratio further than ε from 1, an objective to be maximised.

    L = 1/M Σ_m min(ρ_m Â_m, clip(ρ_m, 1−ε, 1+ε) Â_m)

    The minimum makes it a lower bound of the surrogate: a step that has gone too far in the right direction feels no
    pull onwards, one that has gone in the wrong direction is always pulled back.

    Args:
        log_ratios, advantages: [M].
        clip_range: ε > 0.

    Returns:
        L, a scalar tensor.

    Raises:
        ValueError: the shapes differ, or ε is not positive.

    Source: Schulman et al. (2017), "Proximal policy optimization algorithms"; [Jabon 2023] mentions it.
    """
    _require_one_shape(log_ratios=log_ratios, advantages=advantages)
    _require_positive("clip_range", clip_range)
    constants = advantages.detach()
    # The bound matters on one side only, and there it is (1 ± ε)Â: the same minimum with half the operations.
    gained, bounds = log_ratios.exp() * constants, _bounds(constants, clip_range)
    if not gained.requires_grad:
        return torch.minimum(gained, bounds).mean()
    # The gradient of minimum would be shared out where both are equal; the formula's is that of the surrogate there.
    return torch.where(gained > bounds, bounds, gained).mean()


def clipped_surrogate_gradient(log_ratios: Tensor, advantages: Tensor, clip_range: float) -> Tensor:
    """The gradient of ``clipped_surrogate`` in the log-ratios, written out, [M].

    ∂L/∂ log ρ_m = ρ_m Â_m / M, and 0 where the clipped term is the smaller.

    Args:
        as ``clipped_surrogate``.
    """
    gained = log_ratios.exp().mul_(advantages)
    return torch.where(gained > _bounds(advantages, clip_range), 0.0, gained).div_(len(gained))


def cut_off(log_ratios: Tensor, advantages: Tensor, clip_range: float) -> Tensor:
    """Which steps have no part in the gradient of ``clipped_surrogate``, [M] bool: those with the clipped term smaller.

    Args:
        as ``clipped_surrogate``.
    """
    return log_ratios.exp() * advantages > _bounds(advantages, clip_range)


def _bounds(advantages: Tensor, clip_range: float) -> Tensor:
    """Â + ε |Â|, rounded alike wherever it is compared with: a ratio at a bound is on one side of it for all."""
    return torch.add(advantages, advantages.abs(), alpha=clip_range)


def clip_fraction(log_ratios: Tensor, clip_range: float) -> Tensor:
    """The share of steps with |ρ_m − 1| > ε, a scalar tensor from 0 to 1.

    It counts the ratios that ``clipped_surrogate`` clips, whichever way their advantage points.

    Args:
        log_ratios: [M].
        clip_range: ε > 0.

    Raises:
        ValueError: ε is not positive.

    Source: Schulman et al. (2017), as its authors' programs report it.
    """
    _require_positive("clip_range", clip_range)
    return (log_ratios.detach().expm1().abs() > clip_range).to(log_ratios.dtype).mean()


def approx_kl(log_ratios: Tensor) -> Tensor:
    """KL(π_old‖π_θ) estimated from the actions taken under π_old.

    1/M Σ_m (ρ_m − 1 − log ρ_m)

    Unbiased, since E[ρ] = 1 under π_old, and no term is negative, which makes it much less noisy than −1/M Σ log ρ_m.
    Its gradient is an unbiased estimate of the divergence's, so it also serves as a penalty. Infinite where π_θ no
    longer allows an action that was taken.

    Args:
        log_ratios: [M].

    Returns:
        A scalar tensor, ≥ 0.

    Source: Schulman (2020), "Approximating KL divergence", where it is k3.
    """
    # expm1 keeps the digits that ρ − 1 loses near 1; what rounding leaves below 0 is 0.
    return (log_ratios.expm1() - log_ratios).clamp(min=0.0).mean()


def single_sample_penalty(log_probs: Tensor) -> Tensor:
    """The KL penalty in the form that needs only the probabilities of the actions taken.

    1/M Σ_m log π_θ(a_m|s_m)

    KL(π_old‖π_θ) = E[log π_old] − E[log π_θ] under π_old, whose first term does not depend on θ. So maximising
    ``surrogate`` + λ times this has the gradient of surrogate − λ KL(π_old‖π_θ), with the divergence's estimated from
    one action per state. At θ = θ_old the KL's gradient is 0; this estimate of it is so only on average.

    Args:
        log_probs: log π_θ(a_m|s_m) of actions sampled from π_old, [M].

    Returns:
        A scalar tensor.

    Source: [textbook], section 6.9.
    """
    return log_probs.mean()


def updated_multiplier(multiplier: float, kl: float, target_kl: float, step: float) -> float:
    """λ ← max(0, λ + α (KL − ε)): dual ascent on the constraint KL ≤ ε.

    The penalty grows while the policy moves further than allowed and shrinks while it moves less. It stops at 0,
    because a negative one would reward moving away.

    Args:
        multiplier: λ ≥ 0.
        kl, target_kl: KL and ε.
        step: α ≥ 0.

    Raises:
        ValueError: KL is not a finite number; max(0, NaN) would quietly be 0.

    Source: [Jethro].
    """
    if not math.isfinite(kl):
        raise ValueError(f"kl must be a finite number, not {kl}.")
    return max(0.0, multiplier + step * (kl - target_kl))


def value_loss(values: Tensor, targets: Tensor, shares: Tensor | None = None) -> Tensor:
    """Mean squared error, 1/M Σ (V_m − G_m)², over M steps; or Σ w_m (V_m − G_m)² with ``shares`` w that sum to 1.

    Args:
        values, targets: [M]; with shares [..., M], and what comes before the steps stays.
        shares: as ``values``.

    Raises:
        ValueError: the shapes differ.

    Source: [Jabon 2023].
    """
    if shares is None:
        _require_one_shape(values=values, targets=targets)
        return mse_loss(values, targets.detach())
    _require_one_shape(values=values, targets=targets, shares=shares)
    return ((values - targets.detach()).square() * shares).sum(-1)


def clipped_value_loss(values: Tensor, targets: Tensor, old_values: Tensor, clip_range: float) -> Tensor:
    """``value_loss`` without the reward for moving a prediction further than c from what it was.

    1/M Σ_m max((V_m − G_m)², (V_old,m + clip(V_m − V_old,m, −c, c) − G_m)²)

    A prediction that has moved by more than c towards its target, or beyond, feels no pull onwards; one that has moved
    away is always pulled back. Unlike ratios, c is on the scale of the returns. Whether one has moved by more than c is
    decided by |V − V_old|: within c both terms are the same, but rounding would make them differ.

    Args:
        values, targets, old_values: V, G and V_old, [M].
        clip_range: c > 0.

    Returns:
        A scalar tensor, never below ``value_loss``.

    Raises:
        ValueError: the shapes differ, or c is not positive.

    Source: the authors' program to Schulman et al. (2017), described in Engstrom et al. (2020), "Implementation matters
        in deep policy gradients".
    """
    _require_one_shape(values=values, targets=targets, old_values=old_values)
    _require_positive("clip_range", clip_range)
    errors = values - targets.detach()
    excess, cut = _excess(values - old_values.detach(), errors, clip_range)
    return (errors - torch.where(cut, excess, 0.0)).square().mean()


def value_gradient(
    values: Tensor, targets: Tensor, old_values: Tensor | None = None, clip_range: float = 0.0
) -> Tensor:
    """The gradient of ``value_loss`` in the predictions, written out, [M]; of ``clipped_value_loss`` given a range.

    ∂L/∂V_m = 2 (V_m − G_m) / M, and 0 where V_m has moved by more than c and the clipped term is the larger.

    Args:
        as ``clipped_value_loss``; without a range, or without old values, nothing is clipped.
    """
    errors = values - targets
    gradient = errors * (2.0 / len(errors))
    if old_values is None or not clip_range > 0.0:
        return gradient
    _, cut = _excess(values - old_values, errors, clip_range)
    return torch.where(cut, 0.0, gradient)


def _excess(moved: Tensor, errors: Tensor, clip_range: float) -> tuple[Tensor, Tensor]:
    """By how much predictions have ``moved`` beyond ±c, x, which is exactly 0 within; and where the clipped term is the
    larger, (e − x)² > e² for the errors e, which is x (x − 2e) > 0."""
    excess = softshrink(moved, clip_range)
    return excess, excess * torch.sub(excess, errors, alpha=2.0) > 0.0


def explained_variance(values: Tensor, targets: Tensor) -> float | None:
    """1 − Var(G − V) / Var(G), the coefficient of determination up to the predictions' mean error.

    Variances are those of the population; None where the targets do not vary beyond rounding. They are sums in which V
    is taken away and added again, so what is rounded may be as large as the differences.

    Args:
        values, targets: V and G, [steps].

    Raises:
        ValueError: the shapes differ.
    """
    _require_one_shape(values=values, targets=targets)
    _, spread = _centred(targets)
    differences = targets - values
    if spread <= 4.0 * _ROUNDING * differences.abs().max().item():
        return None
    return 1.0 - differences.var(correction=0).item() / spread**2


def normalized(advantages: Tensor) -> Tensor:
    """(Â − mean) / std, with the population standard deviation; all 0 where the advantages do not vary beyond rounding.

    A single advantage stays as it is: there is nothing to compare it with, and nothing would be learned from 0.

    Args:
        advantages: [steps].

    Returns:
        [steps], of mean 0 and standard deviation 1.

    Source: common practice since Schulman et al. (2017), "Proximal policy optimization algorithms"; it makes the step
        independent of the rewards' scale, and the estimate no longer unbiased.
    """
    if len(advantages) == 1:
        return advantages
    distances, spread = _centred(advantages)
    if spread == 0.0:
        return torch.zeros_like(advantages)
    return (distances - distances.mean()) / spread


def _centred(numbers: Tensor) -> tuple[Tensor, float]:
    """Numbers that have the differences of these, [M], and their population standard deviation, 0 where it is no more
    than ``_ROUNDING`` of the largest."""
    spread, largest = numbers.std(correction=0).item(), numbers.abs().max().item()
    if spread > 1e-3 * largest:
        return numbers, spread
    # The mean of numbers far from 0 is rounded by as much as they may differ. From one of them all distances are small.
    distances = numbers - numbers[0]
    spread = distances.std(correction=0).item()
    return distances, 0.0 if spread <= _ROUNDING * largest else spread


def _require_one_shape(**tensors: Tensor) -> None:
    if len({tensor.shape for tensor in tensors.values()}) > 1:
        shapes = " and ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in tensors.items())
        raise ValueError(f"{shapes} differ in shape.")


def _require_positive(name: str, number: float) -> None:
    if not number > 0.0:
        raise ValueError(f"{name} must be positive, not {number}.")
