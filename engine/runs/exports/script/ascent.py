"""The script's gradient ascent."""

from __future__ import annotations

from engine.runs.exports.script.plan import Plan
from engine.runs.exports.script.stepping import bonus, improve, rate, shared_loss, step, weights
from engine.runs.exports.script.text import lines


def ascent(plan: Plan) -> str:
    divisor, over = ("EPISODES", "1/N Σ_i Σ_t") if plan.whole_episodes else ("len(weights)", "1/M Σ_m")
    shared = " − c_V ∇ 1/M Σ (V − G)²" if plan.shared is not None else ""
    more = (" + β ∇ H" if bonus(plan) else "") + shared
    return lines(
        improve(plan),
        f'    """One step up the estimated policy gradient {over} ∇ log π(a|s) Â{more}."""',
        *rate(plan),
        f"    weights = {weights(plan)}",
        "    distribution = policy(batch.observations)",
        "    entropies = distribution.entropy()",
        f"    loss = -(distribution.log_prob(batch.actions) * weights).sum() / {divisor}",
        bonus(plan) and f"    loss = loss - ENTROPY_COEFFICIENT * entropies.sum() / {divisor}",
        plan.shared is not None and shared_loss(plan, "    "),
        *step(plan, "    "),
        "    return {",
        '        "loss": loss.item(),',
        '        "entropy": entropies.mean().item(),',
        '        "grad_norm": norm.item(),',
        '        "gradient_steps": 1,',
        plan.shared is not None and '        "value_loss": error.item(),',
        "    }",
    )
