"""Update rules of the policy-gradient family: what is done with the advantages."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from engine.config.fields import Kind, Model, parameter
from engine.config.optimization import (
    Optimizer,
    Schedule,
    learning_rate_field,
    max_grad_norm_field,
    optimizer_field,
    schedule_field,
)


def _entropy_coefficient() -> Any:
    return parameter(
        0.0,
        title="Entropy bonus",
        symbol="β",
        help="Weight of the policy's entropy in the objective; above 0 keeps the policy exploring.",
        live=True,
        ge=0.0,
        le=10.0,
    )


def _max_kl() -> Any:
    return parameter(
        0.01,
        title="Trust region",
        symbol="δ",
        unit="nats",
        help="How far the policy may move in one update, as mean KL divergence over the visited states.",
        live=True,
        gt=0.0,
        le=10.0,
    )


def _damping() -> Any:
    return parameter(
        0.1,
        title="Damping",
        symbol="ξ",
        help="Added to the Fisher matrix's diagonal: keeps directions that hardly change the policy from exploding.",
        live=True,
        ge=0.0,
        le=100.0,
    )


def _solver() -> Any:
    return parameter(
        "auto",
        title="Solver",
        help="How F x = g is solved: the exact inverse, conjugate gradients that never build F, or auto: exact "
        "up to 200 parameters.",
    )


def _cg_iterations() -> Any:
    return parameter(
        10,
        title="CG iterations",
        unit="steps",
        help="Conjugate-gradient steps; each needs one Fisher-vector product. The exact solver does not use them.",
        live=True,
        ge=1,
        le=1000,
    )


def _epochs(default: int = 10) -> Any:
    return parameter(
        default,
        title="Epochs",
        unit="epochs",
        help="Times every collected step is used in one update.",
        live=True,
        ge=1,
        le=1000,
    )


def _minibatch_size(default: int = 256) -> Any:
    return parameter(
        default,
        title="Minibatch",
        unit="steps",
        help="Environment steps drawn for one gradient step; 0 takes the whole batch.",
        live=True,
        ge=0,
        le=1_000_000,
    )


class GradientAscent(Model):
    """One step along the estimated policy gradient per batch."""

    kind: Literal["gradient-ascent"] = "gradient-ascent"
    optimizer: Optimizer = optimizer_field()
    learning_rate: float = learning_rate_field(0.01)
    learning_rate_schedule: Schedule = schedule_field()
    entropy_coefficient: float = _entropy_coefficient()
    max_grad_norm: float = max_grad_norm_field()


class NaturalGradient(Model):
    """One step along the gradient as seen in the space of policies, F⁻¹g."""

    kind: Literal["natural-gradient"] = "natural-gradient"
    learning_rate: float = learning_rate_field(1.0)
    learning_rate_schedule: Schedule = schedule_field()
    max_kl: float = parameter(
        0.01,
        title="Longest step",
        symbol="δ",
        unit="nats",
        help="A step predicted to move the policy further than this in mean KL divergence is scaled down; 0 never.",
        live=True,
        ge=0.0,
        le=10.0,
    )
    damping: float = _damping()
    solver: Literal["auto", "exact", "cg"] = _solver()
    cg_iterations: int = _cg_iterations()
    entropy_coefficient: float = _entropy_coefficient()


class TRPO(Model):
    """The natural gradient's direction, as far as the trust region and a true improvement allow."""

    kind: Literal["trpo"] = "trpo"
    max_kl: float = _max_kl()
    damping: float = _damping()
    solver: Literal["auto", "exact", "cg"] = _solver()
    cg_iterations: int = _cg_iterations()
    line_search_steps: int = parameter(
        10,
        title="Line-search steps",
        unit="tries",
        help="How many lengths of the step are tried, the whole one first, before it is given up and the policy left "
        "as it was.",
        live=True,
        ge=1,
        le=100,
    )
    backtracking: float = parameter(
        0.8,
        title="Backtracking",
        help="Each try is this much of the one before.",
        live=True,
        gt=0.0,
        le=0.99,
    )
    entropy_coefficient: float = _entropy_coefficient()


class PPOClip(Model):
    """Several epochs of gradient steps on a surrogate that stops rewarding change beyond the clip range."""

    kind: Literal["ppo-clip"] = "ppo-clip"
    clip_range: float = parameter(
        0.2,
        title="Clip range",
        symbol="ε",
        help="How far the probability ratio may move from 1 before moving further earns nothing.",
        live=True,
        gt=0.0,
        le=10.0,
    )
    clip_range_schedule: Schedule = schedule_field("Clip-range schedule")
    epochs: int = _epochs()
    minibatch_size: int = _minibatch_size()
    target_kl: float = parameter(
        0.0,
        title="KL stop",
        unit="nats",
        help="The update ends early once the policy has moved 1.5 times as far as this; 0 never stops.",
        live=True,
        ge=0.0,
        le=10.0,
    )
    optimizer: Optimizer = optimizer_field()
    learning_rate: float = learning_rate_field(0.001)
    learning_rate_schedule: Schedule = schedule_field()
    entropy_coefficient: float = _entropy_coefficient()
    max_grad_norm: float = max_grad_norm_field(0.5)


class PPOPenalty(Model):
    """Several epochs of gradient steps on the surrogate less a fixed price on moving the policy."""

    kind: Literal["ppo-penalty"] = "ppo-penalty"
    kl_coefficient: float = parameter(
        1.0,
        title="KL penalty",
        symbol="λ",
        help="What a nat of KL divergence from the old policy costs, in units of advantage.",
        live=True,
        ge=0.0,
        le=1e6,
    )
    form: Literal["kl", "single-sample"] = parameter(
        "kl",
        title="Form of the penalty",
        help="kl: the divergence KL(π_old‖π) itself, in every visited state. single-sample: log π(a|s) of the action "
        "taken, which estimates it up to a constant.",
        live=True,
    )
    epochs: int = _epochs()
    minibatch_size: int = _minibatch_size()
    optimizer: Optimizer = optimizer_field()
    learning_rate: float = learning_rate_field(0.001)
    learning_rate_schedule: Schedule = schedule_field()
    entropy_coefficient: float = _entropy_coefficient()
    max_grad_norm: float = max_grad_norm_field(0.5)


class PPOLagrangian(Model):
    """The KL penalty with a price that rises while the policy moves too far and falls while it does not."""

    kind: Literal["ppo-lagrangian"] = "ppo-lagrangian"
    target_kl: float = parameter(
        0.01,
        title="KL allowed",
        symbol="ε",
        unit="nats",
        help="The mean divergence KL(π‖π_old) that one update may reach.",
        live=True,
        gt=0.0,
        le=10.0,
    )
    initial_multiplier: float = parameter(
        1.0, title="First multiplier", symbol="λ₀", help="The price of a nat before the first update.", ge=0.0, le=1e6
    )
    multiplier_step: float = parameter(
        10.0,
        title="Multiplier step",
        symbol="α_λ",
        help="λ ← λ + α_λ (KL − ε) after every update, never below 0.",
        live=True,
        ge=0.0,
        le=1e6,
    )
    epochs: int = _epochs()
    minibatch_size: int = _minibatch_size()
    optimizer: Optimizer = optimizer_field()
    learning_rate: float = learning_rate_field(0.001)
    learning_rate_schedule: Schedule = schedule_field()
    entropy_coefficient: float = _entropy_coefficient()
    max_grad_norm: float = max_grad_norm_field(0.5)


class OffPolicy(Model):
    """Several gradient steps on the same episodes, each reweighted to what the present policy would have played."""

    kind: Literal["off-policy"] = "off-policy"
    weighting: Literal["per-trajectory", "per-decision", "v-trace"] = parameter(
        "per-decision",
        title="Weighting",
        help="per-trajectory: each episode by its whole product of ratios. per-decision: each reward only by the "
        "ratios of the actions up to it, which usually varies less. v-trace: each surprise of a learned value by the "
        "ratio of its own action, cut off, and by how far its trace reaches; V is fitted to what comes out.",
    )
    most_ratio: float = parameter(
        1.0,
        title="Largest ratio",
        symbol="ρ̄",
        help="V-trace cuts the ratio that weighs a surprise off here: the less, the more V is that of the policy that "
        "acted. Other weightings do not use it.",
        live=True,
        gt=0.0,
        le=1e6,
    )
    most_trace: float = parameter(
        1.0,
        title="Largest trace",
        symbol="c̄",
        help="V-trace cuts the ratio by which later surprises count off here: the less, the sooner V stands in for "
        "them. Other weightings do not use it.",
        live=True,
        gt=0.0,
        le=1e6,
    )
    self_normalized: bool = parameter(
        False,
        title="Self-normalised",
        help="Divide by the sum of the weights instead of the number of episodes: usually far less variance, some "
        "bias.",
        live=True,
    )
    truncation: float = parameter(
        0.0,
        title="Largest weight",
        help="Weights above this are cut down to it: bounded variance, some bias; 0 never cuts.",
        live=True,
        ge=0.0,
        le=1e6,
    )
    updates_per_batch: int = parameter(
        4,
        title="Updates per batch",
        unit="steps",
        help="Gradient steps taken on the same episodes; from the second on they are off-policy.",
        live=True,
        ge=1,
        le=1000,
    )
    optimizer: Optimizer = optimizer_field()
    learning_rate: float = learning_rate_field(0.01)
    learning_rate_schedule: Schedule = schedule_field()
    entropy_coefficient: float = _entropy_coefficient()
    max_grad_norm: float = max_grad_norm_field()


UpdateConfig = Annotated[
    GradientAscent | NaturalGradient | TRPO | PPOClip | PPOPenalty | PPOLagrangian | OffPolicy,
    Field(discriminator="kind"),
    Kind,
]
