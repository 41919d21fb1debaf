"""What methods have that learn from old experience: a replay buffer, and target networks."""

from __future__ import annotations

from typing import Literal

from engine.config.fields import Model, parameter


class ReplayConfig(Model):
    """Where experience is kept, and how it is drawn."""

    capacity: int = parameter(
        100_000,
        title="Replay capacity",
        unit="steps",
        help="Steps that are kept; the oldest make room for the newest.",
        ge=1,
        le=10_000_000,
    )
    learning_starts: int = parameter(
        1_000,
        title="Steps before learning",
        unit="steps",
        help="Steps that are taken, with random actions, before anything is learned from them.",
        ge=0,
        le=10_000_000,
    )
    minibatch_size: int = parameter(
        128,
        title="Minibatch",
        symbol="B",
        unit="steps",
        help="Steps drawn from the replay buffer for one gradient step.",
        live=True,
        ge=1,
        le=65_536,
    )
    sampling: Literal["uniform", "prioritized"] = parameter(
        "uniform",
        title="Sampling",
        help="All steps alike, or those the more often whose value was furthest off when last looked at.",
    )
    priority_exponent: float = parameter(
        0.6,
        title="Priority exponent",
        symbol="ω",
        help="How much an error counts in drawing: 0 not at all, 1 in proportion. Uniform sampling does not use it.",
        live=True,
        ge=0.0,
        le=1.0,
    )
    importance_exponent: float = parameter(
        0.4,
        title="Importance exponent, first",
        symbol="β₀",
        help="How far weights undo that some steps are drawn more often, when the run begins: 0 not at all, 1 wholly; "
        "it rises evenly to 1 at the end. Uniform sampling does not use it.",
        live=True,
        ge=0.0,
        le=1.0,
    )


class TargetNetwork(Model):
    """A copy of the value network that follows it slowly, from which targets are taken."""

    rate: float = parameter(
        0.005,
        title="Target rate",
        symbol="τ",
        help="The share of the way that the target network follows at every renewal; 1 copies the network whole.",
        live=True,
        gt=0.0,
        le=1.0,
    )
    every: int = parameter(
        1,
        title="Target renewed every",
        unit="gradient steps",
        help="Gradient steps from one renewal of the target network to the next.",
        live=True,
        ge=1,
        le=1_000_000,
    )
