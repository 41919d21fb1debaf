"""The script's update: of the policy, and of a value function of its own."""

from __future__ import annotations

from engine.runs.exports.script.ascent import ascent
from engine.runs.exports.script.natural import natural
from engine.runs.exports.script.plan import Plan
from engine.runs.exports.script.proximal import SHUFFLED, proximal
from engine.runs.exports.script.stepping import FALLING, old_values, schedules
from engine.runs.exports.script.text import lines, section

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
    return section(
        "updates",
        *(FALLING[schedule] for schedule in sorted(schedules(plan))),
        (_CLIPPED_VALUE_LOSS if clips else _VALUE_LOSS) if plan.learned is not None else None,
        *_policy(plan),
        _DRAWN if value is not None and value.minibatch_size and not plan.jointly else None,
        _fit(plan) if value is not None and not plan.jointly else None,
    )


def _policy(plan: Plan) -> tuple[str, ...]:
    if plan.ppo is not None:
        return (SHUFFLED if plan.ppo.minibatch_size else "", proximal(plan))
    return (ascent(plan),) if plan.has_optimizer else natural(plan)


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
        f"        loss = value_loss(value(batch.observations{rows}), batch.targets{rows}{old_values(plan, rows)})",
        "        optimizer.zero_grad()",
        "        loss.backward()",
        "        optimizer.step()",
        "    return loss.item()",
    )
