"""Returns and advantages of time-major rewards, as pure functions.

Shapes: every argument is [T, …] with the same batch dimensions behind time. An episode ends where ``terminated``
(nothing follows) or ``truncated`` (cut here, by a time limit or by the end of what was collected: the rest was not
seen); a sum never crosses an end. The last step of a sequence is an end, or padding behind the last end, with
reward 0. ``discounts`` is γ_t = γ·(1 − terminated_t), so what is both is a termination.
"""

from __future__ import annotations

import torch
from torch import Tensor


def discount_sequence(gamma: float, terminated: Tensor) -> Tensor:
    """γ·(1 − terminated): how much what follows a step counts, shape [T, …]."""
    return gamma * (~terminated).to(torch.float32)


def carried(discounts: Tensor, truncated: Tensor) -> Tensor:
    """c_t = γ_t·(1 − truncated_t): how much of what was collected after a step belongs to the same episode.

    It is 0 at either end, where ``discounts`` is 0 at a termination only: a truncated episode goes on, but unseen.

    Args:
        discounts, truncated: [T, …].

    Returns:
        c, [T, …].

    Raises:
        ValueError: the shapes differ.
    """
    _require_one_shape(discounts=discounts, truncated=truncated)
    return discounts * (~truncated).to(discounts.dtype)


def discounted_sums(terms: Tensor, carry: Tensor) -> Tensor:
    """The sums from each step on, each term weighted by all the factors before it.

    S_t = x_t + c_t S_{t+1} = Σ_{l≥0} (Π_{j<l} c_{t+j}) x_{t+l},   t = T−1 … 0,   S_T = 0

    Args:
        terms, carry: x and c, [T, …].

    Returns:
        S, [T, …].

    Raises:
        ValueError: the shapes differ.
    """
    return n_step_sums(terms, carry, max(len(terms), 1))


def n_step_sums(terms: Tensor, carry: Tensor, n: int) -> Tensor:
    """``discounted_sums`` of the first n terms only.

    S^{(n)}_t = x_t + c_t S^{(n−1)}_{t+1} = Σ_{0≤l<n} (Π_{j<l} c_{t+j}) x_{t+l},   t = 0 … T−1,   S^{(0)} = S_T = 0

    With temporal-difference errors as terms this is the n-step advantage: all values but the first and the last cancel,
    which leaves Σ_{l<n} γ^l r_{t+l} + γ^n V_{t+n} − V_t, or less of it where the episode ends before. n ≥ T sums
    everything.

    Args:
        terms, carry: x and c, [T, …].
        n: how many terms, ≥ 1.

    Returns:
        S^{(n)}, [T, …].

    Raises:
        ValueError: the shapes differ, or n < 1.

    Source: [Jabon 2023]; Mnih et al. (2016), "Asynchronous methods for deep reinforcement learning".
    """
    _require_one_shape(terms=terms, carry=carry)
    _require_steps(n)
    return _windows(terms, carry, n)[0]


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

    Source: the reward-to-go of [lecture] and [textbook] with the γ^{t'−t} of [Jabon 2023], its sum starting at t' = t;
        bootstrapping at time limits after Pardo et al. (2018), "Time limits in reinforcement learning".
    """
    _require_one_shape(rewards=rewards, discounts=discounts, truncated=truncated, final_values=final_values)
    unseen = torch.where(truncated, final_values, 0.0)
    return discounted_sums(rewards + discounts * unseen, carried(discounts, truncated))


def n_step_returns(rewards: Tensor, discounts: Tensor, truncated: Tensor, next_values: Tensor, n: int) -> Tensor:
    """The rewards of n steps, and the value of where they lead.

    G^{(n)}_t = r_t + γ_t · (v_t if n = 1 or truncated_t or t = T−1 else G^{(n−1)}_{t+1}),   t = 0 … T−1

    which is Σ_{l<h} γ^l r_{t+l} + γ^h v_{t+h−1} over the h ≤ n steps that are left of the episode and of the sequence,
    without the last term where the episode terminates. The values may be of any kind: of states, of greedy or expected
    actions.

    Args:
        rewards, discounts, truncated: [T, …].
        next_values: v_t, the finite value of the state that step t led to, [T, …]: at a truncation and at the end of
            the sequence that of the true final observation, as ``following_values`` gives it, anything at a
            termination.
        n: how many rewards, ≥ 1.

    Returns:
        G^{(n)}, [T, …].

    Raises:
        ValueError: the shapes differ, or n < 1.

    Source: Sutton & Barto (2018), chapter 7; Watkins (1989), "Learning from delayed rewards".
    """
    _require_one_shape(rewards=rewards, discounts=discounts, truncated=truncated, next_values=next_values)
    _require_steps(n)
    cut = truncated.clone()
    cut[-1:] = True
    unseen = torch.where(cut, next_values, 0.0)
    sums, weights = _windows(rewards + discounts * unseen, carried(discounts, cut), n)
    return sums + weights * _shifted(next_values, min(n, len(rewards)) - 1)


def following_values(values: Tensor, truncated: Tensor, final_values: Tensor) -> Tensor:
    """The value of the state that each step led to.

    v_t if truncated_t else V_{t+1},   t = 0 … T−1,   V_T = 0

    where v_t is the value of the true final observation of an episode truncated at t. Row t+1 may already belong to the
    next episode, so its value never stands in for v_t. Behind a termination it is that of some other state, which the
    discount sequence counts for nothing.

    Args:
        values, truncated, final_values: [T, …]; ``final_values`` matters only where ``truncated``.

    Returns:
        [T, …].

    Raises:
        ValueError: the shapes differ.
    """
    _require_one_shape(values=values, truncated=truncated, final_values=final_values)
    return torch.where(truncated, final_values, _shifted(values, 1))


def td_errors(rewards: Tensor, discounts: Tensor, truncated: Tensor, values: Tensor, final_values: Tensor) -> Tensor:
    """The temporal-difference errors: how much better one step went than the values foretold.

    δ_t = r_t + γ_t · (v_t if truncated_t else V_{t+1}) − V_t,   t = 0 … T−1,   V_T = 0

    with what follows as in ``following_values``.

    Args:
        rewards, discounts, truncated, values, final_values: [T, …]; ``final_values`` matters only where ``truncated``,
            and ``values`` is 0 on padding.

    Returns:
        δ, [T, …].

    Raises:
        ValueError: the shapes differ.

    Source: [Jabon 2023], on generalized advantage estimation; Sutton & Barto (2018), chapter 6.
    """
    _require_one_shape(
        rewards=rewards, discounts=discounts, truncated=truncated, values=values, final_values=final_values
    )
    return rewards + discounts * following_values(values, truncated, final_values) - values


def gae(errors: Tensor, carry: Tensor, gae_lambda: float | Tensor) -> Tensor:
    """The generalized advantage estimate, between one step of evidence (λ = 0) and all of it (λ = 1).

    Â_t = δ_t + λ_t c_t Â_{t+1} = Σ_{l≥0} (Π_{j<l} λ_{t+j} c_{t+j}) δ_{t+l} up to the episode's end,   t = T−1 … 0,
    Â_T = 0

    λ = 0 gives δ_t, λ = 1 the Monte-Carlo advantage G_t − V_t. Â_t + V_t is the λ-return, a target for a value
    function. One λ_t for each step gives the other recursions of the field:

    - 0 after some steps, 1 elsewhere: returns that are cut there, and go on with the value of the state that follows;
    - λ_t = λ·min(c̄, ρ_t) with errors min(ρ̄, ρ_t)·δ_t: V-trace, and without the bounds per-decision importance sampling,
      with ρ_t = π(a_t|s_t)/μ(a_t|s_t);
    - λ_t = λ where a_{t+1} is greedy, else 0, with errors r_t + γ max_a Q(s_{t+1}, a) − Q(s_t, a_t): Watkins's Q(λ);
      λ·min(1, ρ_{t+1}), with the expectation in place of the maximum: Retrace(λ).

    ``traces`` has them by their names.

    Args:
        errors: δ, [T, …].
        carry: c from ``carried``, [T, …]; it must be 0 at truncations too, or advantages leak between episodes.
        gae_lambda: λ, from 0 to 1; or λ_t ≥ 0, [T, …], with 1 in place of any dimension along which it does not vary.
            Products of λ_t c_t along an episode must stay finite.

    Returns:
        Â, [T, …].

    Raises:
        ValueError: the shapes differ or do not fit, λ is not from 0 to 1, or a λ_t is negative or not finite.

    Source: [Jabon 2023]; Schulman et al. (2016), "High-dimensional continuous control using generalized advantage
        estimation"; Espeholt et al. (2018), "IMPALA"; Munos et al. (2016), "Safe and efficient off-policy reinforcement
        learning"; one recursion for all of them after rlax.
    """
    _require_one_shape(errors=errors, carry=carry)
    if isinstance(gae_lambda, Tensor):
        _require_traces(gae_lambda, errors)
    else:
        _require_share("gae_lambda", gae_lambda)
    return discounted_sums(errors, gae_lambda * carry)


def state_discounts(gamma: float, elapsed: Tensor) -> Tensor:
    """γ^e for a step taken e steps after the start of its episode, with 0^0 = 1.

    Weighting step e of the policy gradient so makes it the gradient of the discounted return from the start; without
    it, as is common, every visited state counts alike.

    Args:
        elapsed: e ≥ 0, whole numbers, [T, …]; counted from the episode's start, which may lie before row 0.

    Returns:
        float32, [T, …].

    Raises:
        ValueError: γ is not from 0 to 1, or an ``elapsed`` is negative.

    Source: the γ^t of [Jethro]; Thomas (2014), "Bias in natural actor-critic algorithms".
    """
    _require_share("gamma", gamma)
    if bool((elapsed < 0).any()):
        raise ValueError("elapsed counts steps since the start of an episode, so it cannot be negative.")
    return torch.pow(gamma, elapsed.to(torch.float32))


def _windows(terms: Tensor, carry: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """S^{(n)} of ``n_step_sums``, and Π_{j<n} c_{t+j}, how much comes through from behind the n steps; n at most T."""
    # By doubling, n = Σ 2^k: from the sums of 2^k terms come those of 2^(k+1), and the sums of n are put together from
    # them; log n operations on all of [T, …] in place of T on a row each.
    sums, weights, reach = torch.zeros_like(terms), torch.ones_like(carry), 0
    double, factors, width = terms, carry, 1
    left = min(n, len(terms))
    while left:
        if left % 2:
            sums = sums + weights * _shifted(double, reach)
            weights, reach = weights * _shifted(factors, reach), reach + width
        left //= 2
        if left:
            double = double + factors * _shifted(double, width)
            factors, width = factors * _shifted(factors, width), 2 * width
    return sums, weights


def _shifted(tensor: Tensor, steps: int) -> Tensor:
    """x_{t+steps} in row t, and 0 where there is none."""
    return torch.cat((tensor[steps:], torch.zeros_like(tensor[:steps]))) if steps else tensor


def _require_one_shape(**tensors: Tensor) -> None:
    if len({tensor.shape for tensor in tensors.values()}) > 1:
        shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in tensors.items())
        raise ValueError(f"These must have one shape: {shapes}.")


def _require_steps(n: int) -> None:
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}.")


def _require_share(name: str, number: float) -> None:
    if not 0.0 <= number <= 1.0:
        raise ValueError(f"{name} must be from 0 to 1, not {number}.")


def _require_traces(traces: Tensor, errors: Tensor) -> None:
    fits = traces.ndim == errors.ndim and all(
        size in (1, whole) for size, whole in zip(traces.shape, errors.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"gae_lambda {tuple(traces.shape)} must have the shape {tuple(errors.shape)}, or 1s in it.")
    if not bool(((traces >= 0.0) & traces.isfinite()).all()):
        raise ValueError("gae_lambda must be finite and not negative.")
