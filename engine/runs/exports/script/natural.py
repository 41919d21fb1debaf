"""The script's natural gradient, and trust region policy optimisation."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.parameter_count import parameter_count
from engine.config.updates import TRPO, NaturalGradient
from engine.runs.exports.script.plan import Plan
from engine.runs.exports.script.stepping import bonus, improve, scheduled, weights
from engine.runs.exports.script.text import lines

_EXACT_UP_TO = 200  # parameters, for which the solver "auto" inverts the Fisher matrix itself

_FLAT = '''
def flat(tensors: Iterable[Tensor]) -> Tensor:
    """All numbers as one vector, [P]."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


def set_parameters(policy: Policy, numbers: Tensor) -> None:
    nn.utils.vector_to_parameters(numbers, policy.parameters())


class Fisher:
    """F + ξ I, with F as the Hessian of the mean KL(π_old‖π) where π is π_old: how much each direction changes the
    policy. At most 4096 of the steps, evenly spread, tell it."""

    def __init__(self, policy: Policy, observations: Tensor) -> None:
        seen = observations[:: math.ceil(len(observations) / 4096)]
        with torch.no_grad():
            old = policy(seen)
        divergence = kl_divergence(old, policy(seen)).mean()
        self.parameters = list(policy.parameters())
        self.slope = flat(torch.autograd.grad(divergence, self.parameters, create_graph=True))

    def times(self, vector: Tensor) -> Tensor:
        """(F + ξ I) v, without ever forming F: the gradient of slope · v (Pearlmutter, 1994)."""
        product = torch.autograd.grad(self.slope, self.parameters, vector, retain_graph=True, materialize_grads=True)
        return flat(product) + DAMPING * vector
'''

_EXACTLY = '''
def solve(fisher: Fisher, gradient: Tensor) -> Tensor:
    """The x with (F + ξ I) x = g, exactly; there are few enough parameters to form the matrix."""
    matrix = torch.stack([fisher.times(unit) for unit in torch.eye(len(gradient))]).double()
    return torch.linalg.solve((matrix + matrix.mT) / 2, gradient.double()).float()
'''

_CONJUGATE = '''
def solve(fisher: Fisher, gradient: Tensor) -> Tensor:
    """The x with (F + ξ I) x ≈ g, by conjugate gradients (Hestenes & Stiefel, 1952)."""
    x, residual, direction = torch.zeros_like(gradient), gradient.clone(), gradient.clone()
    size = residual @ residual
    enough = 1e-10 * size
    for _ in range(CG_ITERATIONS):
        if size <= enough:
            break
        image = fisher.times(direction)
        curvature = direction @ image
        if not curvature > 0:  # by rounding; nothing beyond could be trusted
            break
        length = size / curvature
        x, residual = x + length * direction, residual - length * image
        size, before = residual @ residual, size
        direction = residual + (size / before) * direction
    return x
'''


def natural(plan: Plan) -> tuple[str, ...]:
    """The functions of the update."""
    update = plan.update
    assert isinstance(update, NaturalGradient | TRPO)
    step = _trust_region(plan) if isinstance(update, TRPO) else _natural_step(plan, update)
    return _FLAT, _EXACTLY if solves_exactly(plan) else _CONJUGATE, lines(improve(plan), *step)


def solves_exactly(plan: Plan) -> bool:
    """Whether the Fisher matrix itself is inverted."""
    update = plan.update
    assert isinstance(update, NaturalGradient | TRPO)
    few = parameter_count(plan.config.policy, plan.environment) <= _EXACT_UP_TO
    return update.solver == "exact" or (update.solver == "auto" and few)


def _gradient(plan: Plan) -> Iterator[str]:
    """g, and F⁻¹g."""
    yield f"    weights = {weights(plan)}"
    yield "    distribution = policy(batch.observations)"
    yield "    entropy = distribution.entropy().mean()"
    yield "    objective = (distribution.log_prob(batch.actions) * weights).mean()"
    if bonus(plan):
        yield "    objective = objective + ENTROPY_COEFFICIENT * entropy"
    yield "    gradient = flat(torch.autograd.grad(objective, list(policy.parameters()), materialize_grads=True))"
    if plan.subtracts_per_parameter:
        yield "    gradient = gradient - batch.subtracted * EPISODES / len(weights)"
    yield "    fisher = Fisher(policy, batch.observations)"
    yield "    natural = solve(fisher, gradient)"
    yield "    told = {"
    yield '        "loss": -objective.item(),'
    yield '        "entropy": entropy.item(),'
    yield '        "grad_norm": gradient.norm().item(),'
    yield "    }"


def _curvature(plan: Plan) -> str:
    return "gradient @ natural" if solves_exactly(plan) else "natural @ fisher.times(natural)"


def _natural_step(plan: Plan, update: NaturalGradient) -> Iterator[str]:
    limited, more = update.max_kl > 0.0, " + β H" if bonus(plan) else ""
    yield f'    """θ ← θ + α F⁻¹ g, for the gradient g of 1/M Σ log π(a|s) Â{more}.' + ('"""' if not limited else "")
    if limited:
        yield ""
        yield "    A step s that is predicted to move the policy further than δ, by ½ sᵀ F s, is scaled down to that."
        yield '    """'
    yield from _gradient(plan)
    yield f"    learning_rate = {scheduled('LEARNING_RATE', update.learning_rate_schedule)}"
    yield "    step = learning_rate * natural"
    if limited:
        yield f"    predicted = 0.5 * learning_rate**2 * ({_curvature(plan)})"
        yield "    if predicted > MAX_KL:"
        yield "        step = step * (MAX_KL / predicted).sqrt()"
    yield "    with torch.no_grad():"
    yield "        old = policy(batch.observations)"
    yield "        set_parameters(policy, flat(policy.parameters()) + step)"
    yield "        kl = kl_divergence(old, policy(batch.observations)).mean().item()"
    yield '    return told | {"kl": kl, "gradient_steps": 1}'


def _trust_region(plan: Plan) -> Iterator[str]:
    more = " + β H" if bonus(plan) else ""
    yield f'    """As far along F⁻¹ g as a true gain allows, for the gradient g of 1/M Σ log π(a|s) Â{more}.'
    yield ""
    yield "    The longest step that promises to stay within the trust region, KL(π_old‖π) ≤ δ, comes first, then less"
    yield "    of it, until the promise is kept and the surrogate rises. If no try does, the policy stays as it was."
    yield '    """'
    yield from _gradient(plan)
    yield f"    curvature = {_curvature(plan)}"
    yield "    if curvature <= 0:  # a gradient of 0"
    yield '        return told | {"kl": 0.0, "line_search": 0.0, "gradient_steps": 0}'
    yield "    step = (2 * MAX_KL / curvature).sqrt() * natural"
    yield "    with torch.no_grad():"
    yield "        start, old = flat(policy.parameters()), policy(batch.observations)"
    yield "        old_log_probs = old.log_prob(batch.actions)"
    yield "        before = surrogate(policy, batch, weights, old_log_probs)"
    yield "        for fraction in [BACKTRACKING**k for k in range(LINE_SEARCH_STEPS)]:"
    yield "            set_parameters(policy, start + fraction * step)"
    yield "            kl = kl_divergence(old, policy(batch.observations)).mean().item()"
    yield "            if kl <= MAX_KL and surrogate(policy, batch, weights, old_log_probs) > before:"
    yield '                return told | {"kl": kl, "line_search": fraction, "gradient_steps": 1}'
    yield "        set_parameters(policy, start)"
    yield '    return told | {"kl": 0.0, "line_search": 0.0, "gradient_steps": 0}'
    yield lines(
        "",
        "",
        "def surrogate(policy: Policy, batch: Batch, weights: Tensor, old_log_probs: Tensor) -> float:",
        '    """What the policy gains by the old one\'s advantages, 1/M Σ ρ Â'
        + (' + β H."""' if bonus(plan) else '."""'),
        "    distribution = policy(batch.observations)",
        "    ratios = (distribution.log_prob(batch.actions) - old_log_probs).exp()",
        "    gained = (ratios * weights).mean()",
        bonus(plan) and "    gained = gained + ENTROPY_COEFFICIENT * distribution.entropy().mean()",
        "    return gained.item()",
    )
