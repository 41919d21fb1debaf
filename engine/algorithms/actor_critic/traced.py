"""Targets over several steps that other policies took, each counted by how the present one would have taken it."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from engine.algorithms.actor_critic.all_actions import AllActionsImprovement
from engine.config.actor_critic import QActorCritic
from engine.experience.replay_buffer import Windows
from engine.maths.action_values import one_step_errors, taken_values
from engine.maths.traces import (
    action_value_corrections,
    importance_traces,
    retrace_traces,
    tree_backup_traces,
)
from engine.values.action_critics import Critics

# By log π(a|s), log π(a|s) − log μ(a|s) and λ.
_TRACES: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {
    "retrace": lambda log_probs, log_ratios, decay: retrace_traces(log_ratios, decay),
    "tree-backup": lambda log_probs, log_ratios, decay: tree_backup_traces(log_probs, decay),
    "importance": lambda log_probs, log_ratios, decay: importance_traces(log_ratios, decay),
}


def traced_targets(windows: Windows, config: QActorCritic, policy: AllActionsImprovement, target: Critics) -> Tensor:
    """y_t = Q⁻(s_t, a_t) + Σ_{l<n} γ^l (Π_{1≤j≤l} c_{t+j}) δ_{t+l} for the first step of each window, [B], with
    δ_t = r_t + γ Σ_a π(a|s_{t+1}) Q⁻(s_{t+1}, a) − Q⁻(s_t, a_t) and

    c_t = λ min(1, π(a_t|s_t)/μ(a_t|s_t))    Retrace
    c_t = λ π(a_t|s_t)                        tree backup
    c_t = λ π(a_t|s_t)/μ(a_t|s_t)             importance sampling

    On average it is Q^π where Q⁻ is, whatever acted; from another Q⁻ it leads nearer to Q^π, with Retrace for every μ.

    Source: Munos et al. (2016), "Safe and efficient off-policy reinforcement learning"; with target networks as
        in its section 5.
    """
    steps, shape = windows.steps, windows.carry.shape
    taken = taken_values(target.judge(steps.observations).smallest, steps.actions)
    errors = one_step_errors(taken, steps.rewards, steps.discounts, policy.next_values(steps, target)).view(shape)
    log_probs = policy.log_probs(steps.observations, steps.actions).view(shape)
    traces = _TRACES[config.traces](log_probs, log_probs - windows.log_probs, config.trace_lambda)
    return taken.view(shape)[0] + action_value_corrections(errors, windows.carry, traces)[0]
