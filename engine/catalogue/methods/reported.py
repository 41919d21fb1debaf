"""Which metrics and probability ratios a run of a configuration reports."""

from __future__ import annotations

from typing import Literal

from engine.config import PlanningConfig, RunConfig


def diagnosed(config: RunConfig) -> tuple[str, ...]:
    """The metrics that a run of ``config`` defines, in the order in which they are shown."""
    update, planned = config.update, isinstance(config, PlanningConfig)
    learned = not isinstance(config, PlanningConfig) and config.estimator.baseline.kind in ("value", "shared-value")
    shown = {
        "loss": True,
        "entropy": True,
        "grad_norm": True,
        "exact_return": planned,
        "kl": update.kind in ("natural-gradient", "trpo"),
        "approx_kl": update.kind.startswith("ppo-"),
        "clip_fraction": update.kind == "ppo-clip",
        "multiplier": update.kind == "ppo-lagrangian",
        "line_search": update.kind == "trpo",
        "effective_sample_size": update.kind == "off-policy",
        "largest_weight": update.kind == "off-policy",
        "learning_rate": getattr(update, "learning_rate_schedule", "constant") != "constant",
        "explained_variance": learned,
        "value_loss": learned,
        "steps_per_second": True,
    }
    return tuple(name for name, applies in shown.items() if applies)


def ratios_of(config: RunConfig) -> Literal["step", "episode"] | None:
    """What the run's probability ratios stand for; None where it has none."""
    if config.update.kind == "off-policy":
        return "episode"
    return "step" if config.update.kind.startswith("ppo-") else None
