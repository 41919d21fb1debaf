"""What the updates of several rules have in common."""

from __future__ import annotations

from collections.abc import Iterator

from engine.config.updates import PPOLagrangian
from engine.runs.exports.script.plan import Plan
from engine.runs.exports.script.text import lines, signature

FALLING = {
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


def schedules(plan: Plan) -> set[str]:
    """Those by which a number of the policy's update changes over the run."""
    update = plan.update
    found = {getattr(update, "learning_rate_schedule", "constant"), getattr(update, "clip_range_schedule", "constant")}
    return found - {"constant"}


def scheduled(name: str, schedule: str) -> str:
    """A constant as it is at this share of the run."""
    return _CALLED[schedule].format(name)


def passes(plan: Plan) -> dict[str, str]:
    """What ``improve`` is given beside the policy, its optimiser and the batch, and of which type."""
    found: dict[str, str] = {}
    if plan.jointly:
        found |= {"value": "Value", "value_optimizer": "torch.optim.Optimizer"}
    if plan.ppo is not None and plan.ppo.minibatch_size:
        found["minibatches"] = "torch.Generator"
    if isinstance(plan.ppo, PPOLagrangian):
        found["multiplier"] = "float"
    if schedules(plan):
        found["progress"] = "float"
    return found


def improve(plan: Plan) -> str:
    """How the update's function begins."""
    optimizer = {"optimizer": "torch.optim.Optimizer"} if plan.has_optimizer else {}
    return signature(
        "improve", {"policy": "Policy"} | optimizer | {"batch": "Batch"} | passes(plan), "dict[str, float]"
    )


def rate(plan: Plan) -> Iterator[str]:
    """Set the learning rate where it changes over the run."""
    schedule = getattr(plan.update, "learning_rate_schedule", "constant")
    if schedule != "constant":
        yield f'    optimizer.param_groups[0]["lr"] = {scheduled("LEARNING_RATE", schedule)}'


def weights(plan: Plan) -> str:
    """What each step's ∇ log π is multiplied with."""
    advantages = "normalized(batch.advantages)" if plan.config.estimator.normalize_advantages else "batch.advantages"
    return f"batch.state_weights * {advantages}" if plan.config.estimator.discount_states else advantages


def bonus(plan: Plan) -> bool:
    """Whether the policy's entropy is climbed as well."""
    return plan.update.entropy_coefficient > 0.0


def old_values(plan: Plan, rows: str = "") -> str:
    """The last argument of a clipped value loss."""
    clips = plan.learned is not None and plan.learned.clip_range > 0.0
    return f", batch.values{rows}" if clips else ""


def step(plan: Plan, indent: str) -> Iterator[str]:
    """One step of the policy along the gradient of ``loss``."""
    yield f"{indent}optimizer.zero_grad()"
    yield f"{indent}loss.backward()"
    if plan.subtracts_per_parameter:
        yield f"{indent}sizes = [parameter.numel() for parameter in policy.parameters()]"
        yield f"{indent}for parameter, part in zip(policy.parameters(), batch.subtracted.split(sizes), strict=True):"
        yield f"{indent}    parameter.grad += part.view_as(parameter)  # as the loss is the negative objective"
    yield f"{indent}norm = nn.utils.clip_grad_norm_(policy.parameters(), MAX_GRAD_NORM)"
    yield f"{indent}optimizer.step()"


def shared_loss(plan: Plan, indent: str, rows: str = "") -> str:
    """Add the error of a value on the policy's network to ``loss``."""
    seen = f"policy.value(batch.observations{rows}), batch.targets{rows}{old_values(plan, rows)}"
    return lines(f"{indent}error = value_loss({seen})", f"{indent}loss = loss + VALUE_COEFFICIENT * error")
