"""Ascent along the exact natural gradient, computed from known dynamics."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.parameter_count import parameter_count
from engine.catalogue.methods.planned import climbs_exactly
from engine.catalogue.methods.spec import Entry, PlanningSpec
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PlanningConfig
from engine.config.policies import TabularPolicy
from engine.runtime.errors import Refusal

# Of a network as many equations are solved as there are pairs, each with a derivative by every parameter; those of a
# table fall apart into one small system for each state.
_MOST_PAIRS, _MOST_DERIVATIVES = 600, 20_000_000


def _fits(config: PlanningConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    yield from climbs_exactly("The exact natural gradient", config, environment)
    if isinstance(config.policy, TabularPolicy) and not environment.aliased:
        return
    pairs = environment.observation.size * environment.action.size
    if pairs > _MOST_PAIRS or pairs * parameter_count(config.policy, environment) > _MOST_DERIVATIVES:
        yield Refusal(
            f"The exact natural gradient takes too long for {pairs:,} pairs of state and action that share parameters",
            "use a tabular policy of states that all look different, a smaller network, or the exact gradient",
        )


SPEC = PlanningSpec(
    order=83,
    entry=Entry(
        "exact-natural-gradient",
        "Exact natural gradient",
        "The true gradient as seen in the space of policies: seldom visited states learn as fast as others.",
        {"update": "exact-natural-gradient"},
    ),
    algorithms=(
        Entry(
            "exact-natural-gradient",
            "Exact natural gradient",
            "Ascent along the true natural gradient, where the dynamics are known.",
            {"update": "exact-natural-gradient"},
        ),
    ),
    fits=_fits,
    pinned=("update.learning_rate", "update.damping"),
    metrics=("loss", "entropy", "grad_norm", "exact_return"),
)
