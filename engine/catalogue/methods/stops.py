"""Where within an iteration whoever watches it can stop, in the order of the work, and why not by a method."""

from __future__ import annotations

from typing import Literal

from engine.config import (
    ActorCriticConfig,
    ImitationConfig,
    PlanningConfig,
    PolicyGradientConfig,
    RunConfig,
    ValueBasedConfig,
    plans_by_sweeps,
)

Stop = Literal["episode", "collect", "credit", "baseline", "weight", "step", "iteration"]
Until = Stop | Literal["next"]
"""What a run goes on to: a stop, or the next one that is not an episode's end."""

STOPS: tuple[Stop, ...] = ("episode", "collect", "credit", "baseline", "weight", "step", "iteration")
BATCH: tuple[Stop, ...] = ("collect", "credit", "baseline", "weight")
"""Those at which all that is learned from is there, before the update."""


def reason_against(config: RunConfig, stop: Stop) -> str:
    """Why a run of this choice cannot stop there, in a sentence; empty where it can."""
    if stop in ("episode", "iteration") or isinstance(config, PolicyGradientConfig):
        return ""
    if stop == "step":
        if isinstance(config, PlanningConfig) and plans_by_sweeps(config):
            return "Planning sweeps over states; no parameters θ take a step."
        return ""
    if isinstance(config, PlanningConfig):
        return "Nothing is estimated from a batch here: the dynamics are known."
    if isinstance(config, ValueBasedConfig):
        return "Action values are learned from single steps, without credit, baseline or weights."
    if isinstance(config, ActorCriticConfig):
        return "This actor-critic learns from single steps out of a replay buffer, without a batch of its own."
    assert isinstance(config, ImitationConfig)
    return "What the teacher does is imitated; rewards are not credited to actions."
