"""How the share of random actions falls over a run."""

from __future__ import annotations

from engine.config.value_based import EpsilonGreedyConfig


def epsilon_at(config: EpsilonGreedyConfig, progress: float) -> float:
    """ε at a share of the run: evenly from its first to its last value over the exploration fraction, then the last."""
    share = min(progress / config.fraction, 1.0) if config.fraction > 0.0 else 1.0
    return config.epsilon_start + (config.epsilon_end - config.epsilon_start) * share
