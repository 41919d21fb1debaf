"""What rules share that plan in known dynamics: where they cannot."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.policies import POLICY_SPECS
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PlanningConfig
from engine.config.planning import MOST_TRIPLES
from engine.config.policies import TabularPolicy
from engine.runtime.errors import Refusal

_NUMBERED = {"Blackjack-v1": "BlackjackHands-v0"}  # the same as a table sees it


def in_known_dynamics(what: str, config: PlanningConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    """Why ``what``, the beginning of a sentence, cannot be computed."""
    lower = what[0].lower() + what[1:]
    if config.environment.sticky_actions > 0.0:
        yield Refusal(
            f"With sticky actions what happens depends on the action before as well, which {lower} does not know",
            "set sticky actions to 0, or choose another update rule",
        )
    if config.environment.normalize_rewards:
        yield Refusal(f"{what} has no samples to normalise rewards by", "set a reward scale instead")
    if not (environment.finite or environment.aliased):
        try_ = _NUMBERED.get(environment.id, "GridWorld-v0 or FrozenLake-v1")
        yield Refusal(
            f"{what} needs known dynamics with finitely many states, which {environment.id} does not have",
            f"try {try_}, or another update rule",
        )
    elif environment.observation.size**2 * environment.action.size > MOST_TRIPLES:
        most = int((MOST_TRIPLES / environment.action.size) ** 0.5)
        yield Refusal(
            f"{what} takes too long for {environment.observation.size:,} states, as it looks at all pairs of them",
            f"use an environment with at most {most:,} states, or another family of methods",
        )


def climbs_exactly(what: str, config: PlanningConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    """As ``in_known_dynamics``, of what climbs the gradient of the policy's own parameters."""
    yield from in_known_dynamics(what, config, environment)
    policy = POLICY_SPECS[config.policy.kind]
    if policy.remembers or policy.sees_images:
        yield Refusal(f"{what} needs a policy of the present state alone", "use a tabular, linear or MLP policy")


def in_a_plan(what: str, config: PlanningConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    """As ``in_known_dynamics``, of what plans in a table that the policy is greedy in."""
    yield from in_known_dynamics(what, config, environment)
    if not isinstance(config.policy, TabularPolicy):
        yield Refusal(f"{what} keeps its values in a table", "choose the tabular policy")
    if getattr(config.update, "horizon", "") == "time-limit" and environment.time_limit is None:
        yield Refusal(f"{environment.id} has no time limit to plan for", "set one, or an infinite horizon")
    if getattr(config.update, "horizon", "") == "time-limit" and environment.aliased:
        yield Refusal(f"{environment.id} does not show how many turns are left", "use an infinite horizon")
    if getattr(config.update, "order", "synchronous") != "synchronous" and environment.aliased:
        yield Refusal(f"In {environment.id} states look alike and share their values", "use synchronous sweeps")
