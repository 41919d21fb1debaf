"""The script's settings: what of the configuration it needs, as constants."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from engine.config.estimators import GAE, NStepTD
from engine.config.updates import TRPO, NaturalGradient, PPOClip, PPOLagrangian, PPOPenalty
from engine.runs.exports.script.natural import solves_exactly
from engine.runs.exports.script.plan import Plan
from engine.runs.exports.script.text import literal, section

Setting = tuple[str, Any, str]
"""A constant's name, its value, and what it is."""


def settings(plan: Plan) -> str:
    """All of them, and what became of them while the run trained."""
    lines = [f"{name} = {literal(value)}  # {what}" for name, value, what in _found(plan)]
    if plan.changes:
        rows = [f"    {iteration}: {literal(values)}," for iteration, values in plan.changes.items()]
        lines += [
            "",
            "# What was changed by hand while the run trained: from which iteration on, and to what.",
            "CHANGES = {",
            *rows,
            "}",
        ]
    return section("settings", "\n".join(lines))


def constants(plan: Plan) -> dict[str, Any]:
    """Their values by name."""
    return {name: value for name, value, _ in _found(plan)}


def _found(plan: Plan) -> Iterator[Setting]:
    yield from _of_the_run(plan)
    yield from _of_the_environment(plan)
    yield from _of_the_estimator(plan)
    yield from _of_the_update(plan)


def _of_the_run(plan: Plan) -> Iterator[Setting]:
    config = plan.config
    yield "SEED", config.seed, "all of the run's randomness flows from this number"
    yield "BUDGET", config.budget.environment_steps, "environment steps, after which no new iteration begins"
    if config.collection.kind == "episodes":
        yield "EPISODES", config.collection.episodes_per_update, "N, whole episodes for an update, side by side"
    else:
        yield "ENVIRONMENTS", config.collection.environments, "N, stepped side by side"
        yield "STEPS", config.collection.steps, "T, steps in each of them for an update"
    if config.exploration.temperature != 1.0:
        yield (
            "TEMPERATURE",
            config.exploration.temperature,
            "τ, above 1 the policy is less decided than its outputs say",
        )


def _of_the_environment(plan: Plan) -> Iterator[Setting]:
    seen, policy = plan.config.environment, plan.config.policy
    if plan.continuous:
        middle, half_width = plan.scale
        if plan.scaled:
            yield "MIDDLE", middle, "of the actions' bounds"
            yield "HALF_WIDTH", half_width, "of the actions' bounds, the unit of a Gaussian"
    if plan.continuous and policy.kind != "tabular":
        yield "INITIAL_LOG_STD", policy.initial_log_std, "log σ₀ in half-widths, how widely actions vary at first"
    if plan.scales_rewards:
        yield "REWARD_SCALE", seen.reward_scale, "learning sees scale × reward + offset"
        yield "REWARD_OFFSET", seen.reward_offset, ""


def _of_the_estimator(plan: Plan) -> Iterator[Setting]:
    estimator, value, shared = plan.config.estimator, plan.value, plan.shared
    yield "GAMMA", estimator.gamma, "γ, a reward k steps ahead counts γᵏ"
    if isinstance(estimator.credit, GAE):
        yield "LAMBDA", estimator.credit.gae_lambda, "λ, from 0 (trust V) to 1 (trust what was seen)"
    if isinstance(estimator.credit, NStepTD):
        yield "N_STEPS", estimator.credit.n, "n, rewards that are counted before V stands in for the rest"
    if value is not None:
        yield "VALUE_LEARNING_RATE", value.learning_rate, "α_V"
        if not plan.jointly:
            yield "FIT_STEPS", max(value.fit_steps, 1), "of V at every update"
        if value.minibatch_size and not plan.jointly:
            yield "VALUE_MINIBATCH", value.minibatch_size, "steps drawn for one of them"
    if shared is not None:
        yield "VALUE_COEFFICIENT", shared.coefficient, "c_V, weight of V's error in the loss"
    if plan.learned is not None and plan.learned.clip_range > 0.0:
        yield "VALUE_CLIP_RANGE", plan.learned.clip_range, "ε_V, how far predictions may move in one update"


def _of_the_update(plan: Plan) -> Iterator[Setting]:
    update = plan.update
    if not isinstance(update, TRPO):
        yield "LEARNING_RATE", update.learning_rate, f"α{_falls(update.learning_rate_schedule)}"
    if plan.ppo is not None:
        yield from _of_ppo(plan.ppo)
    if isinstance(update, NaturalGradient | TRPO):
        yield from _of_the_natural_gradient(plan, update)
    if update.entropy_coefficient > 0.0:
        yield "ENTROPY_COEFFICIENT", update.entropy_coefficient, "β, weight of the policy's entropy in the objective"
    if not isinstance(update, NaturalGradient | TRPO):
        yield "MAX_GRAD_NORM", update.max_grad_norm or math.inf, "longer gradients are scaled down to this length"


def _of_ppo(ppo: PPOClip | PPOPenalty | PPOLagrangian) -> Iterator[Setting]:
    if isinstance(ppo, PPOClip):
        yield "CLIP_RANGE", ppo.clip_range, f"ε{_falls(ppo.clip_range_schedule)}"
        if ppo.target_kl > 0.0:
            yield "TARGET_KL", ppo.target_kl, "an update ends once the policy has moved 1.5 times as far, in nats"
    elif isinstance(ppo, PPOPenalty):
        yield "KL_COEFFICIENT", ppo.kl_coefficient, "λ, what a nat of KL divergence from the old policy costs"
    else:
        yield "TARGET_KL", ppo.target_kl, "ε, nats by which one update may move the policy"
        yield "INITIAL_MULTIPLIER", ppo.initial_multiplier, "λ₀, the price of a nat before the first update"
        yield "MULTIPLIER_STEP", ppo.multiplier_step, "α_λ, by which λ follows KL − ε after every update"
    yield "EPOCHS", ppo.epochs, "times every step is used in one update"
    if ppo.minibatch_size:
        yield "MINIBATCH", ppo.minibatch_size, "steps drawn for one gradient step"


def _of_the_natural_gradient(plan: Plan, update: NaturalGradient | TRPO) -> Iterator[Setting]:
    if isinstance(update, TRPO) or update.max_kl > 0.0:
        yield "MAX_KL", update.max_kl, "δ, nats by which one update may move the policy"
    yield "DAMPING", update.damping, "ξ, added to the Fisher matrix's diagonal"
    if not solves_exactly(plan):
        yield "CG_ITERATIONS", update.cg_iterations, "conjugate-gradient steps"
    if isinstance(update, TRPO):
        yield "LINE_SEARCH_STEPS", update.line_search_steps, "lengths of the step that are tried"
        yield "BACKTRACKING", update.backtracking, "each try is this much of the one before"


def _falls(schedule: str) -> str:
    return {"linear": ", falls evenly to 0", "cosine": ", falls to 0 along half a cosine"}.get(schedule, "")
