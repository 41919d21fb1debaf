"""Ascent along the exact gradient, computed from known dynamics."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.policies import POLICY_SPECS
from engine.catalogue.methods.spec import Entry, PlanningSpec
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PlanningConfig
from engine.runtime.errors import Refusal


def _fits(config: PlanningConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    if config.environment.sticky_actions > 0.0:
        yield Refusal(
            "With sticky actions what happens depends on the action before as well, which the exact gradient does not "
            "know",
            "set sticky actions to 0, or choose another update rule",
        )
    if config.environment.normalize_rewards:
        yield Refusal("The exact gradient has no samples to normalise rewards by", "set a reward scale instead")
    if not environment.finite:
        yield Refusal(
            f"The exact gradient needs known dynamics with finitely many states, which {environment.id} does not have",
            "try GridWorld-v0 or FrozenLake-v1, or another update rule",
        )
    policy = POLICY_SPECS[config.policy.kind]
    if policy.remembers or policy.sees_images:
        yield Refusal(
            "The exact gradient needs a policy of the present state alone", "use a tabular, linear or MLP policy"
        )


SPEC = PlanningSpec(
    order=80,
    entry=Entry(
        "exact-gradient",
        "Exact gradient",
        "No estimate at all: the gradient is computed from the known dynamics, and episodes only show the way.",
        {"update": "exact-gradient"},
    ),
    algorithms=(
        Entry(
            "exact-gradient",
            "Exact policy gradient",
            "Ascent along the true gradient, where the dynamics are known: what all the others estimate.",
            {"update": "exact-gradient"},
        ),
    ),
    fits=_fits,
    pinned=("update.learning_rate",),
    metrics=("loss", "entropy", "grad_norm", "exact_return"),
)
