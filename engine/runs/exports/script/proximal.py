"""The script's proximal policy optimisation: clipped, with a KL penalty, or with a Lagrange multiplier."""

from __future__ import annotations

from collections.abc import Iterator

from engine.config.updates import PPOClip, PPOLagrangian, PPOPenalty
from engine.runs.exports.script.plan import Plan
from engine.runs.exports.script.stepping import bonus, improve, old_values, rate, scheduled, shared_loss, step, weights
from engine.runs.exports.script.text import lines

SHUFFLED = '''
def shuffled(size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """The rows of all minibatches of an update: all steps in random order, epoch after epoch."""
    for _ in range(EPOCHS):
        if size > MINIBATCH:
            yield from torch.randperm(size, generator=generator).split(MINIBATCH)
        else:
            yield torch.arange(size)
'''

_HELPERS = '''

def approximate_kl(log_ratios: Tensor) -> float:
    """KL(π_old‖π), estimated from the actions taken: 1/M Σ (ρ − 1 − log ρ)."""
    return (log_ratios.expm1() - log_ratios).clamp(min=0).mean().item()


def mean(numbers: list[float]) -> float:
    return sum(numbers) / max(len(numbers), 1)'''


def proximal(plan: Plan) -> str:
    ppo = plan.ppo
    assert ppo is not None
    drawn = "shuffled(len(weights), minibatches)" if ppo.minibatch_size else "[torch.arange(len(weights))] * EPOCHS"
    errors = reports_error(plan)
    return lines(
        improve(plan),
        f'    """Epochs of steps up {_objective(plan)} with ρ = π(a|s)/π_old(a|s)."""',
        *rate(plan),
        isinstance(ppo, PPOClip) and f"    clip_range = {scheduled('CLIP_RANGE', ppo.clip_range_schedule)}",
        f"    weights = {weights(plan)}",
        needs_old_policy(plan) and "    old_policy = copy.deepcopy(policy)",
        "    with torch.no_grad():",
        "        old_log_probs = policy(batch.observations).log_prob(batch.actions)",
        "    losses, norms, errors = [], [], []" if errors else "    losses, norms = [], []",
        f"    for rows in {drawn}:",
        "        distribution = policy(batch.observations[rows])",
        "        log_ratios = distribution.log_prob(batch.actions[rows]) - old_log_probs[rows]",
        *_held_back(ppo),
        bonus(plan) and "        loss = loss - ENTROPY_COEFFICIENT * distribution.entropy().mean()",
        "        losses.append(loss.item())",
        plan.shared is not None
        and lines(shared_loss(plan, "        ", "[rows]"), "        errors.append(error.item())"),
        *step(plan, "        "),
        "        norms.append(norm.item())",
        plan.jointly and _joint_step(plan),
        *_after(plan),
    )


def _objective(plan: Plan) -> str:
    ppo, more = plan.ppo, " + β H" if bonus(plan) else ""
    if isinstance(ppo, PPOClip):
        return f"1/M Σ min(ρ Â, clip(ρ, 1 − ε, 1 + ε) Â){more}"
    if isinstance(ppo, PPOLagrangian):
        return f"1/M Σ ρ Â − λ (KL(π‖π_old) − ε){more}"
    assert isinstance(ppo, PPOPenalty)
    return f"1/M Σ ρ Â {'− λ KL(π_old‖π)' if ppo.form == 'kl' else '+ λ 1/M Σ log π(a|s)'}{more}"


def needs_old_policy(plan: Plan) -> bool:
    """Whether a divergence from the whole old distribution is computed."""
    return isinstance(plan.ppo, PPOLagrangian) or (isinstance(plan.ppo, PPOPenalty) and plan.ppo.form == "kl")


def _held_back(ppo: PPOClip | PPOPenalty | PPOLagrangian) -> Iterator[str]:
    """The loss, with what keeps the policy near the old one."""
    if isinstance(ppo, PPOClip):
        if ppo.target_kl > 0.0:
            yield "        if approximate_kl(log_ratios) > 1.5 * TARGET_KL:"
            yield "            break"
        yield "        gained = log_ratios.exp() * weights[rows]"
        yield "        bounds = torch.add(weights[rows], weights[rows].abs(), alpha=clip_range)  # (1 ± ε) Â above"
        yield "        loss = -torch.where(gained > bounds, bounds, gained).mean()"
        return
    yield "        loss = -(log_ratios.exp() * weights[rows]).mean()"
    if isinstance(ppo, PPOPenalty) and ppo.form == "single-sample":
        yield "        loss = loss - KL_COEFFICIENT * distribution.log_prob(batch.actions[rows]).mean()"
        return
    yield "        with torch.no_grad():"
    yield "            old = old_policy(batch.observations[rows])"
    if isinstance(ppo, PPOPenalty):
        yield "        loss = loss + KL_COEFFICIENT * kl_divergence(old, distribution).mean()"
    else:
        yield "        loss = loss + multiplier * kl_divergence(distribution, old).mean()"


def reports_error(plan: Plan) -> bool:
    """Whether PPO itself reports the value's error."""
    return plan.jointly or plan.shared is not None


def _joint_step(plan: Plan) -> str:
    seen = f"value(batch.observations[rows]), batch.targets[rows]{old_values(plan, '[rows]')}"
    return lines(
        f"        error = value_loss({seen})",
        "        value_optimizer.zero_grad()",
        "        error.backward()",
        "        value_optimizer.step()",
        "        errors.append(error.item())",
    )


def _after(plan: Plan) -> Iterator[str]:
    """What PPO reports: how far all of its steps have led."""
    yield "    with torch.no_grad():"
    yield "        distribution = policy(batch.observations)"
    yield "        log_ratios = distribution.log_prob(batch.actions) - old_log_probs"
    if isinstance(plan.ppo, PPOLagrangian):
        yield "        divergence = kl_divergence(distribution, old_policy(batch.observations)).mean().item()"
    yield "    return {"
    yield '        "loss": mean(losses),'
    yield '        "entropy": distribution.entropy().mean().item(),'
    yield '        "grad_norm": norms[0] if norms else 0.0,'
    yield '        "gradient_steps": len(norms),'
    yield '        "approx_kl": approximate_kl(log_ratios),'
    if isinstance(plan.ppo, PPOClip):
        yield '        "clip_fraction": (log_ratios.expm1().abs() > clip_range).float().mean().item(),'
    if isinstance(plan.ppo, PPOLagrangian):
        yield '        "multiplier": max(0.0, multiplier + MULTIPLIER_STEP * (divergence - TARGET_KL)),'
    if reports_error(plan):
        yield '        "value_loss": mean(errors),'
    yield "    }"
    yield _HELPERS
