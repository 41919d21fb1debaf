"""What every rule that steps along a gradient has: its optimiser, its learning rate, and how it is held back."""

from __future__ import annotations

from typing import Any, Literal

from engine.config.fields import parameter

Optimizer = Literal["sgd", "momentum", "rmsprop", "adam"]
Schedule = Literal["constant", "linear", "cosine"]


def optimizer_field() -> Any:
    return parameter(
        "adam",
        title="Optimiser",
        help="sgd steps along the gradient itself; momentum adds 0.9 of the step before; rmsprop and adam rescale it "
        "per parameter by its recent size.",
    )


def learning_rate_field(default: float) -> Any:
    return parameter(
        default,
        title="Learning rate",
        symbol="α",
        help="Step size along the gradient. Too small learns slowly, too large destroys the policy.",
        live=True,
        gt=0.0,
        le=100.0,
    )


def schedule_field(title: str = "Learning-rate schedule") -> Any:
    return parameter(
        "constant",
        title=title,
        help="How it falls over the run: not at all, evenly to 0, or to 0 along half a cosine.",
        live=True,
    )


def max_grad_norm_field(default: float = 0.0) -> Any:
    return parameter(
        default,
        title="Gradient clipping",
        help="The gradient is scaled down to this norm when it is longer; 0 never clips.",
        live=True,
        ge=0.0,
        le=1e6,
    )
