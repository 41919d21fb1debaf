"""Learning from what another policy did, over many steps: one recursion, and the traces that make it each method.

The recursion is that of generalized advantage estimation, ``returns.gae``, with a trace of its own for each step:

Δ_t = δ_t + γ_t k_t Δ_{t+1}

so a value is corrected by its own error and, as far as the trace reaches, by those of later steps. Methods differ in
the errors and in the traces alone:

| method | δ_t | k_t |
|---|---|---|
| TD(λ), GAE | r_t + γ_t V(s_{t+1}) − V(s_t) | λ |
| V-trace | min(ρ̄, ρ_t) (r_t + γ_t V(s_{t+1}) − V(s_t)) | λ min(c̄, ρ_t) |
| Watkins's Q(λ) | r_t + γ_t max_a Q(s_{t+1}, a) − Q(s_t, a_t) | λ where a_{t+1} is greedy, else 0 |
| Q^π(λ) | r_t + γ_t E_π Q(s_{t+1}, ·) − Q(s_t, a_t) | λ |
| tree backup | the same | λ π(a_{t+1}|s_{t+1}) |
| importance sampling | the same | λ ρ_{t+1} |
| Retrace | the same | λ min(1, ρ_{t+1}) |

with ρ_t = π(a_t|s_t)/μ(a_t|s_t), given as its logarithm. What concerns the action a_{t+1} is weighed with its own
trace, one row later than where a value of states has it: Q(s_t, a_t) takes a_t as given.

Shapes: all is [T, …], time first, as in ``returns``: the traces are those of each row's own action, and ``carry`` is
``returns.carried``, 0 at terminations and truncations, so no correction crosses an end. Errors at a truncation are
made with the value of the true final observation.

Source: Harutyunyan et al. (2016), "Q(λ) with off-policy corrections"; Munos et al. (2016), "Safe and efficient
off-policy reinforcement learning", table 1; Espeholt et al. (2018), "IMPALA"; one recursion for all of them after rlax.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.maths.importance import LARGEST_LOG
from engine.maths.returns import gae


def action_value_corrections(errors: Tensor, carry: Tensor, traces: Tensor) -> Tensor:
    """What is to be added to each Q(s_t, a_t), so that the target is Q(s_t, a_t) + Δ_t.

    Δ_t = δ_t + c_t κ_{t+1} Δ_{t+1} = Σ_{l≥0} (Π_{0≤j<l} c_{t+j} κ_{t+j+1}) δ_{t+l},   Δ_T = 0

    Args:
        errors: δ_t = r_t + γ_t v_t − Q(s_t, a_t) with the value v_t of the state that step t led to, [T, …].
        carry: c from ``carried``, [T, …].
        traces: κ_t ≥ 0 of the action a_t, [T, …], by one of the functions ``…_traces``; those of a row that begins an
            episode have no part in anything.

    Returns:
        Δ, [T, …].

    Raises:
        ValueError: the shapes differ, or a trace is negative or not finite.

    Source: Munos et al. (2016), the operator whose traces their table 1 lists.
    """
    if traces.shape != errors.shape:
        raise ValueError(f"traces {tuple(traces.shape)} and errors {tuple(errors.shape)} must have one shape.")
    return gae(errors, carry, torch.cat((traces[1:], torch.zeros_like(traces[:1]))))


def watkins_traces(action_values: Tensor, actions: Tensor, trace_lambda: float) -> Tensor:
    """κ_t = λ where a_t has the greatest value, else 0: after another action it is not the greedy policy.

    Args:
        action_values: Q(s_t, ·), [T, …, A].
        actions: int64, [T, …].
        trace_lambda: λ, from 0 to 1.

    Source: Watkins (1989), "Learning from delayed rewards".
    """
    _require_share(trace_lambda)
    taken = action_values.gather(-1, actions.unsqueeze(-1)).squeeze(-1)
    return trace_lambda * (taken == action_values.amax(-1)).to(action_values.dtype)


def tree_backup_traces(log_probs: Tensor, trace_lambda: float) -> Tensor:
    """κ_t = λ π(a_t|s_t): needs no μ, and is short where π and μ agree but many actions are likely.

    Args:
        log_probs: log π(a_t|s_t), [T, …].
        trace_lambda: λ, from 0 to 1.

    Source: Precup, Sutton & Singh (2000), "Eligibility traces for off-policy policy evaluation".
    """
    _require_share(trace_lambda)
    return trace_lambda * log_probs.exp()


def importance_traces(log_ratios: Tensor, trace_lambda: float) -> Tensor:
    """κ_t = λ ρ_t: with λ = 1 the unbiased estimate over all steps, whose variance is unbounded.

    Args:
        log_ratios: log π(a_t|s_t) − log μ(a_t|s_t), [T, …].
        trace_lambda: λ, from 0 to 1.

    Source: Precup, Sutton & Singh (2000).
    """
    return _cut_ratios(log_ratios, LARGEST_LOG) * _require_share(trace_lambda)


def retrace_traces(log_ratios: Tensor, trace_lambda: float) -> Tensor:
    """κ_t = λ min(1, ρ_t): long where π and μ agree, and never greater than 1, so the variance stays bounded.

    Args:
        log_ratios: log π(a_t|s_t) − log μ(a_t|s_t), [T, …].
        trace_lambda: λ, from 0 to 1.

    Source: Munos et al. (2016).
    """
    return _cut_ratios(log_ratios, 0.0) * _require_share(trace_lambda)


def v_trace(
    errors: Tensor, carry: Tensor, log_ratios: Tensor, most_ratio: float = 1.0, most_trace: float = 1.0
) -> Tensor:
    """What is to be added to each V(s_t), so that the target is v_t = V(s_t) + Δ_t.

    Δ_t = min(ρ̄, ρ_t) δ_t + c_t min(c̄, ρ_t) Δ_{t+1},   Δ_T = 0

    ρ̄ says what is learned: V^π without a bound, and else that of a policy between μ and π. c̄ says how fast. On policy,
    with bounds of 1 or more, the target is the return up to the episode's end or the cut: ``discounted_returns``.

    Args:
        errors: δ from ``td_errors``, [T, …].
        carry: c from ``carried``; a λ below 1 goes with it, as λ·c.
        log_ratios: log π(a_t|s_t) − log μ(a_t|s_t), [T, …].
        most_ratio, most_trace: ρ̄ and c̄, positive, ∞ for none.

    Returns:
        Δ, [T, …].

    Raises:
        ValueError: the shapes differ, or a bound is not positive.

    Source: Espeholt et al. (2018), equation 1 and remark 1.
    """
    if log_ratios.shape != errors.shape:
        raise ValueError(f"log_ratios {tuple(log_ratios.shape)} and errors {tuple(errors.shape)} must have one shape.")
    weighted = _cut_ratios(log_ratios, _log_of("most_ratio", most_ratio)) * errors
    return gae(weighted, carry, _cut_ratios(log_ratios, _log_of("most_trace", most_trace)))


def v_trace_advantages(
    errors: Tensor, carry: Tensor, log_ratios: Tensor, corrections: Tensor, most_ratio: float = 1.0
) -> Tensor:
    """What ∇ log π(a_t|s_t) is multiplied with: min(ρ̄, ρ_t) (r_t + γ_t v_{t+1} − V(s_t)).

    v_{t+1} is the corrected target, and the plain value of the true final observation at a truncation. As
    r_t + γ_t v_{t+1} − V(s_t) = δ_t + c_t Δ_{t+1}, values and rewards are not needed again.

    Args:
        errors, carry, log_ratios: as in ``v_trace``.
        corrections: Δ from ``v_trace``, [T, …].
        most_ratio: ρ̄, positive, ∞ for none.

    Returns:
        [T, …].

    Raises:
        ValueError: the shapes differ, or ρ̄ is not positive.

    Source: Espeholt et al. (2018), section 4.2.
    """
    shapes = {tuple(tensor.shape) for tensor in (errors, carry, log_ratios, corrections)}
    if len(shapes) > 1:
        raise ValueError(f"errors, carry, log_ratios and corrections must have one shape, not {sorted(shapes)}.")
    following = torch.cat((corrections[1:], torch.zeros_like(corrections[:1])))
    return _cut_ratios(log_ratios, _log_of("most_ratio", most_ratio)) * (errors + carry * following)


def _cut_ratios(log_ratios: Tensor, most_log: float) -> Tensor:
    """min(ρ, e^most), a number even where ρ is none in float32."""
    return log_ratios.clamp(max=min(most_log, LARGEST_LOG)).exp()


def _log_of(name: str, bound: float) -> float:
    if not bound > 0.0:
        raise ValueError(f"{name} must be positive, or infinite for none, not {bound}.")
    return math.log(bound)


def _require_share(trace_lambda: float) -> float:
    if not 0.0 <= trace_lambda <= 1.0:
        raise ValueError(f"trace_lambda must be from 0 to 1, not {trace_lambda}.")
    return trace_lambda
