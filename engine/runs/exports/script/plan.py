"""What a script is written from: a configuration and its environment, and what follows from both."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.catalogue.configured import changed, described
from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.methods.distribution import DistributionName, distribution_of
from engine.catalogue.methods.entries import DISTRIBUTIONS, POLICIES
from engine.catalogue.methods.spec import Entry
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.estimators import SharedValueBaseline, ValueBaseline
from engine.config.policies import LinearPolicy
from engine.config.updates import (
    TRPO,
    GradientAscent,
    NaturalGradient,
    OffPolicy,
    PPOClip,
    PPOLagrangian,
    PPOPenalty,
)
from engine.runtime.errors import RefusedError, RequestError

# The families of environments that gymnasium.make gives just as learning sees them.
FAMILIES = {
    "classic": "gymnasium[classic-control]",
    "toy": "gymnasium[toy-text]",
    "box2d": "gymnasium[box2d]",
    "mujoco": "gymnasium[mujoco]",
}
Update = GradientAscent | NaturalGradient | TRPO | PPOClip | PPOPenalty | PPOLagrangian
Number = float | tuple[float, ...]
_ELSEWHERE = (
    "A script knows Gymnasium's own environments as Gymnasium makes them (classic control, toy text, Box2D, MuJoCo), "
    "and {id} is none of them; use one of those."
)


@dataclass(frozen=True)
class Plan:
    """A configuration that can be written as a script, and its environment as learning sees it."""

    config: PolicyGradientConfig
    environment: EnvironmentInfo
    changes: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """What became of single constants of the script while the run trained, by the iteration that began with it."""

    @property
    def distribution(self) -> DistributionName:
        return distribution_of(self.config.policy, self.environment)

    @property
    def continuous(self) -> bool:
        """Whether actions are numbers."""
        return self.distribution == "gaussian"

    @property
    def tabular(self) -> bool:
        return self.config.policy.kind == "tabular"

    @property
    def states(self) -> bool:
        """Whether observations are numbers of states."""
        return self.environment.observation.kind == "discrete"

    @property
    def whole_episodes(self) -> bool:
        return self.config.collection.kind == "episodes"

    @property
    def per_state(self) -> bool:
        """Whether the spread of actions is an output of the network."""
        policy = self.config.policy
        return self.continuous and policy.kind != "tabular" and policy.spread == "per-state"

    @property
    def scale(self) -> tuple[Number, Number]:
        """The middle and half the width of each component's bounds, one number where all are alike; those of −1 … 1 for
        a component without bounds."""
        action = self.environment.action
        limits = action.bounds or tuple((-1.0, 1.0) if math.isinf(high) else (low, high) for low, high in action.ranges)
        if not limits:
            return 0.0, 1.0
        middles = tuple((low + high) / 2.0 for low, high in limits)
        halves = tuple((high - low) / 2.0 for low, high in limits)
        return (middles[0], halves[0]) if len(set(limits)) == 1 else (middles, halves)

    @property
    def scaled(self) -> bool:
        """Whether the environment takes other numbers than a Gaussian in half-widths gives."""
        return self.scale != (0.0, 1.0)

    @property
    def value(self) -> ValueBaseline | None:
        """A learned value with a network of its own."""
        baseline = self.config.estimator.baseline
        return baseline if isinstance(baseline, ValueBaseline) else None

    @property
    def shared(self) -> SharedValueBaseline | None:
        """A learned value on the policy's network."""
        baseline = self.config.estimator.baseline
        return baseline if isinstance(baseline, SharedValueBaseline) else None

    @property
    def learned(self) -> ValueBaseline | SharedValueBaseline | None:
        return self.value or self.shared

    @property
    def ppo(self) -> PPOClip | PPOPenalty | PPOLagrangian | None:
        update = self.config.update
        return update if isinstance(update, PPOClip | PPOPenalty | PPOLagrangian) else None

    @property
    def update(self) -> Update:
        assert not isinstance(self.config.update, OffPolicy)
        return self.config.update

    @property
    def has_optimizer(self) -> bool:
        """Whether the policy's steps are an optimiser's."""
        return not isinstance(self.update, NaturalGradient | TRPO)

    @property
    def jointly(self) -> bool:
        """Whether the value takes a step with each of the policy's."""
        value = self.value
        return self.ppo is not None and value is not None and value.fit_steps == 0 and value.fitted_on == "previous"

    @property
    def subtracts_per_parameter(self) -> bool:
        baseline = self.config.estimator.baseline
        return baseline.kind == "optimal" and baseline.per_parameter

    @property
    def normalizes(self) -> bool:
        return self.config.environment.normalize_observations

    @property
    def scales_rewards(self) -> bool:
        seen = self.config.environment
        return seen.reward_scale != 1.0 or seen.reward_offset != 0.0

    @property
    def learns_other_rewards(self) -> bool:
        """Whether learning sees other rewards than the environment pays."""
        return self.scales_rewards or self.config.environment.normalize_rewards


def plan_of(config: RunConfig) -> Plan:
    """What to write for ``config``.

    Raises:
        RequestError: it cannot be written as a script, or cannot work at all.
    """
    if not isinstance(config, PolicyGradientConfig):
        raise RequestError("Only runs that estimate a policy gradient from episodes can be written as a script.")
    known = described(config.environment)
    if known is None or known.family not in FAMILIES:
        raise RequestError(_ELSEWHERE.format(id=config.environment.id))
    environment = changed(known, config.environment)
    problem = refusal(config, environment)
    if problem is not None:
        raise RefusedError(problem)
    plan = Plan(config, environment)
    reason = _unwritable(plan)
    if reason:
        raise RequestError(f"This run cannot be written as a script: {reason}.")
    return plan


def _unwritable(plan: Plan) -> str:
    """What of the configuration a script does not know, and what it does; empty where it knows all."""
    config, policy, seen = plan.config, plan.config.policy, plan.config.environment
    if isinstance(config.update, OffPolicy):
        return "it does not know off-policy ascent, only the rules that learn from the policy's own actions"
    if policy.kind not in ("tabular", "linear", "mlp"):
        return f"it knows tabular, linear and MLP policies, not {_plain(POLICIES[policy.kind])}"
    if isinstance(policy, LinearPolicy) and policy.features != "raw":
        return f"it knows linear policies of the observation itself, not of {policy.features} features"
    if plan.distribution not in ("softmax", "gaussian"):
        return f"it knows softmax and Gaussian policies, not {_plain(DISTRIBUTIONS[plan.distribution])}"
    if plan.environment.action.kind not in ("discrete", "box"):
        return "it knows actions that are one choice, or numbers"
    if config.exploration.greedy_start > 0.0 or config.exploration.greedy_end > 0.0:
        return "it samples every action from the policy, so the greedy share has to be 0"
    changes = {
        "hidden components": bool(seen.hidden),
        "observation noise": seen.observation_noise > 0.0,
        "frame stacks": seen.frame_stack > 1,
        "sticky actions": seen.sticky_actions > 0.0,
    }
    asked = [name for name, wanted in changes.items() if wanted]
    return f"it takes observations and actions as they are, without {' and '.join(asked)}" if asked else ""


def _plain(entry: Entry) -> str:
    """What it goes by within a sentence."""
    return entry.title.partition(",")[0]
