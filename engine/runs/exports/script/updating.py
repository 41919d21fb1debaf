"""The script's update: of the policy, and of a value function of its own."""

from __future__ import annotations

from collections.abc import Iterator

from engine.runs.exports.script.plan import Plan
from engine.runs.exports.script.text import lines, section, signature

_FALLING = {
    "linear": '''
def falling(number: float, progress: float) -> float:
    """``number`` at a share of the run, falling evenly to 0; never quite, so that the last iteration learns."""
    return number * max(1 - progress, 1e-6)
''',
    "cosine": '''
def falling_as_cosine(number: float, progress: float) -> float:
    """``number`` at a share of the run, falling to 0 along half a cosine; never quite."""
    return number * max(0.5 * (1 + math.cos(math.pi * progress)), 1e-6)
''',
}
_CALLED = {"linear": "falling({}, progress)", "cosine": "falling_as_cosine({}, progress)", "constant": "{}"}

_VALUE_LOSS = '''
def value_loss(values: Tensor, targets: Tensor) -> Tensor:
    """1/M Σ (V(s) − G)²."""
    return (values - targets).square().mean()
'''

_CLIPPED_VALUE_LOSS = '''
def value_loss(values: Tensor, targets: Tensor, old: Tensor) -> Tensor:
    """1/M Σ max((V − G)², (V_old + clip(V − V_old, ±ε_V) − G)²)."""
    clipped = old + (values - old).clamp(-VALUE_CLIP_RANGE, VALUE_CLIP_RANGE)
    return torch.maximum((values - targets).square(), (clipped - targets).square()).mean()
'''

_SHUFFLED = '''
def shuffled(size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """The rows of all minibatches of an update: all steps in random order, epoch after epoch."""
    for _ in range(EPOCHS):
        if size > MINIBATCH:
            yield from torch.randperm(size, generator=generator).split(MINIBATCH)
        else:
            yield torch.arange(size)
'''

_DRAWN = '''
def drawn(size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """The rows for each step of a fit: whole minibatches of the steps in random order, which is drawn anew when they
    are used up."""
    left: list[Tensor] = []
    for _ in range(FIT_STEPS):
        if size <= VALUE_MINIBATCH:
            yield torch.arange(size)
            continue
        if not left:
            order = torch.randperm(size, generator=generator)
            left = [rows for rows in order.split(VALUE_MINIBATCH) if len(rows) == VALUE_MINIBATCH]
        yield left.pop()
'''


def updating(plan: Plan) -> str:
    value, clips = plan.value, plan.learned is not None and plan.learned.clip_range > 0.0
    schedules = {plan.update.learning_rate_schedule, plan.ppo.clip_range_schedule if plan.ppo else "constant"}
    return section(
        "updates",
        *(text for schedule, text in _FALLING.items() if schedule in schedules),
        (_CLIPPED_VALUE_LOSS if clips else _VALUE_LOSS) if plan.learned is not None else None,
        _SHUFFLED if plan.ppo is not None and plan.ppo.minibatch_size else None,
        _proximal(plan) if plan.ppo is not None else _ascent(plan),
        _DRAWN if value is not None and value.minibatch_size and not plan.jointly else None,
        _fit(plan) if value is not None and not plan.jointly else None,
    )


def passes(plan: Plan) -> dict[str, str]:
    """What ``improve`` is given beside the policy, its optimiser and the batch, and of which type."""
    found: dict[str, str] = {}
    if plan.jointly:
        found |= {"value": "Value", "value_optimizer": "torch.optim.Optimizer"}
    if plan.ppo is not None and plan.ppo.minibatch_size:
        found["minibatches"] = "torch.Generator"
    schedules = (plan.update.learning_rate_schedule, plan.ppo.clip_range_schedule if plan.ppo else "constant")
    if schedules != ("constant", "constant"):
        found["progress"] = "float"
    return found


def _improve(plan: Plan) -> Iterator[str]:
    given = {"policy": "Policy", "optimizer": "torch.optim.Optimizer", "batch": "Batch"} | passes(plan)
    yield signature("improve", given, "dict[str, float]")


def _step(plan: Plan, indent: str) -> Iterator[str]:
    """One step of the policy along the gradient of ``loss``."""
    yield f"{indent}optimizer.zero_grad()"
    yield f"{indent}loss.backward()"
    if plan.subtracts_per_parameter:
        yield f"{indent}sizes = [parameter.numel() for parameter in policy.parameters()]"
        yield f"{indent}for parameter, part in zip(policy.parameters(), batch.subtracted.split(sizes), strict=True):"
        yield f"{indent}    parameter.grad += part.view_as(parameter)  # as the loss is the negative objective"
    yield f"{indent}norm = nn.utils.clip_grad_norm_(policy.parameters(), MAX_GRAD_NORM)"
    yield f"{indent}optimizer.step()"


def _rate(plan: Plan) -> Iterator[str]:
    schedule = plan.update.learning_rate_schedule
    if schedule != "constant":
        yield f'    optimizer.param_groups[0]["lr"] = {_CALLED[schedule].format("LEARNING_RATE")}'


def _weights(plan: Plan) -> str:
    """What each step's ∇ log π is multiplied with."""
    advantages = "normalized(batch.advantages)" if plan.config.estimator.normalize_advantages else "batch.advantages"
    return f"batch.state_weights * {advantages}" if plan.config.estimator.discount_states else advantages


def _old(plan: Plan, rows: str = "") -> str:
    """The last argument of a clipped value loss."""
    clips = plan.learned is not None and plan.learned.clip_range > 0.0
    return f", batch.values{rows}" if clips else ""


def _ascent(plan: Plan) -> str:
    divisor, over = ("EPISODES", "1/N Σ_i Σ_t") if plan.whole_episodes else ("len(weights)", "1/M Σ_m")
    bonus = plan.update.entropy_coefficient > 0.0
    return lines(
        *_improve(plan),
        f'    """One step up the estimated policy gradient {over} ∇ log π(a|s) Â{_plus_bonus(plan)}."""',
        *_rate(plan),
        f"    weights = {_weights(plan)}",
        "    distribution = policy(batch.observations)",
        "    entropies = distribution.entropy()",
        f"    loss = -(distribution.log_prob(batch.actions) * weights).sum() / {divisor}",
        bonus and f"    loss = loss - ENTROPY_COEFFICIENT * entropies.sum() / {divisor}",
        plan.shared is not None
        and lines(
            f"    error = value_loss(policy.value(batch.observations), batch.targets{_old(plan)})",
            "    loss = loss + VALUE_COEFFICIENT * error",
        ),
        *_step(plan, "    "),
        "    return {",
        '        "loss": loss.item(),',
        '        "entropy": entropies.mean().item(),',
        '        "grad_norm": norm.item(),',
        '        "gradient_steps": 1,',
        plan.shared is not None and '        "value_loss": error.item(),',
        "    }",
    )


def _plus_bonus(plan: Plan) -> str:
    shared = " − c_V ∇ 1/M Σ (V − G)²" if plan.shared is not None else ""
    return (" + β ∇ H" if plan.update.entropy_coefficient > 0.0 else "") + shared


def _proximal(plan: Plan) -> str:
    ppo = plan.ppo
    assert ppo is not None
    whole = "[torch.arange(len(weights))] * EPOCHS"
    drawn = "shuffled(len(weights), minibatches)" if ppo.minibatch_size else whole
    return lines(
        *_improve(plan),
        '    """Epochs of steps up 1/M Σ min(ρ Â, clip(ρ, 1 − ε, 1 + ε) Â)'
        + (" + β H" if ppo.entropy_coefficient > 0.0 else "")
        + ' with ρ = π(a|s)/π_old(a|s)."""',
        *_rate(plan),
        f"    clip_range = {_CALLED[ppo.clip_range_schedule].format('CLIP_RANGE')}",
        f"    weights = {_weights(plan)}",
        "    with torch.no_grad():",
        "        old_log_probs = policy(batch.observations).log_prob(batch.actions)",
        f"    losses, norms{', errors' if plan.learned and _reports_error(plan) else ''} = "
        + ("[], [], []" if _reports_error(plan) else "[], []"),
        f"    for rows in {drawn}:",
        "        distribution = policy(batch.observations[rows])",
        "        log_ratios = distribution.log_prob(batch.actions[rows]) - old_log_probs[rows]",
        ppo.target_kl > 0.0
        and lines(
            "        if approximate_kl(log_ratios) > 1.5 * TARGET_KL:",
            "            break",
        ),
        "        ratios = log_ratios.exp()",
        "        clipped = ratios.clamp(1 - clip_range, 1 + clip_range)",
        "        loss = -torch.min(ratios * weights[rows], clipped * weights[rows]).mean()",
        ppo.entropy_coefficient > 0.0 and "        loss = loss - ENTROPY_COEFFICIENT * distribution.entropy().mean()",
        "        losses.append(loss.item())",
        plan.shared is not None
        and lines(
            "        error = value_loss(policy.value(batch.observations[rows]), batch.targets[rows]"
            f"{_old(plan, '[rows]')})",
            "        loss = loss + VALUE_COEFFICIENT * error",
            "        errors.append(error.item())",
        ),
        *_step(plan, "        "),
        "        norms.append(norm.item())",
        plan.jointly and _joint_step(plan),
        *_after(plan),
    )


def _reports_error(plan: Plan) -> bool:
    """Whether PPO itself reports the value's error."""
    return plan.jointly or plan.shared is not None


def _joint_step(plan: Plan) -> str:
    return lines(
        f"        error = value_loss(value(batch.observations[rows]), batch.targets[rows]{_old(plan, '[rows]')})",
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
    yield "    return {"
    yield '        "loss": mean(losses),'
    yield '        "entropy": distribution.entropy().mean().item(),'
    yield '        "grad_norm": norms[0] if norms else 0.0,'
    yield '        "gradient_steps": len(norms),'
    yield '        "approx_kl": approximate_kl(log_ratios),'
    yield '        "clip_fraction": (log_ratios.expm1().abs() > clip_range).float().mean().item(),'
    if _reports_error(plan):
        yield '        "value_loss": mean(errors),'
    yield "    }"
    yield lines(
        "",
        "",
        "def approximate_kl(log_ratios: Tensor) -> float:",
        '    """KL(π_old‖π), estimated from the actions taken: 1/M Σ (ρ − 1 − log ρ)."""',
        "    return (log_ratios.expm1() - log_ratios).clamp(min=0).mean().item()",
        "",
        "",
        "def mean(numbers: list[float]) -> float:",
        "    return sum(numbers) / max(len(numbers), 1)",
    )


def _fit(plan: Plan) -> str:
    value = plan.value
    assert value is not None
    drawn = value.minibatch_size > 0
    rows = "[rows]" if drawn else ""
    return lines(
        "def fit(value: Value, optimizer: torch.optim.Optimizer, batch: Batch"
        + (", minibatches: torch.Generator" if drawn else "")
        + ") -> float:",
        '    """Steps down V\'s squared error; that before the last one."""',
        "    for rows in drawn(len(batch.targets), minibatches):" if drawn else "    for _ in range(FIT_STEPS):",
        f"        loss = value_loss(value(batch.observations{rows}), batch.targets{rows}{_old(plan, rows)})",
        "        optimizer.zero_grad()",
        "        loss.backward()",
        "        optimizer.step()",
        "    return loss.item()",
    )
