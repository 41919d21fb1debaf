"""All methods by the kind of their configuration, in the order in which they are shown.

Every module in ``updates`` is an update rule and holds its record, ``SPEC``; being there is enough to be found. A kind
that has no record is a ``KeyError``, never something else's.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from engine.catalogue.methods import updates
from engine.catalogue.methods.baselines import BASELINE_SPECS
from engine.catalogue.methods.collections import COLLECTION_SPECS
from engine.catalogue.methods.credits import CREDIT_SPECS
from engine.catalogue.methods.policies import POLICY_SPECS
from engine.catalogue.methods.spec import (
    ActorCriticSpec,
    ImitationSpec,
    Method,
    PlanningSpec,
    RuleSpec,
    UpdateSpec,
    ValueSpec,
    by_kind,
)
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import PolicyGradientConfig, RunConfig


def _found() -> dict[str, RuleSpec]:
    """The records of all update rules.

    Raises:
        ValueError, KeyError: two have the same place, or as ``by_kind``.
    """
    modules = (import_module(f"{updates.__name__}.{module.name}") for module in iter_modules(updates.__path__))
    found: list[RuleSpec] = sorted((module.SPEC for module in modules), key=lambda spec: spec.order)
    if len({spec.order for spec in found}) < len(found):
        raise ValueError(
            f"Two update rules have the same place among {[(spec.entry.id, spec.order) for spec in found]}."
        )
    return by_kind(found)


RULE_SPECS = _found()
UPDATE_SPECS = {kind: spec for kind, spec in RULE_SPECS.items() if isinstance(spec, UpdateSpec)}
PLANNING_SPECS = {kind: spec for kind, spec in RULE_SPECS.items() if isinstance(spec, PlanningSpec)}
VALUE_SPECS = {kind: spec for kind, spec in RULE_SPECS.items() if isinstance(spec, ValueSpec)}
ACTOR_CRITIC_SPECS = {kind: spec for kind, spec in RULE_SPECS.items() if isinstance(spec, ActorCriticSpec)}
IMITATION_SPECS = {kind: spec for kind, spec in RULE_SPECS.items() if isinstance(spec, ImitationSpec)}


def method_of(config: PolicyGradientConfig, environment: EnvironmentInfo) -> Method:
    """The configuration with the records of its choices."""
    return Method(
        config=config,
        environment=environment,
        policy=POLICY_SPECS[config.policy.kind],
        collection=COLLECTION_SPECS[config.collection.kind],
        credit=CREDIT_SPECS[config.estimator.credit.kind],
        baseline=BASELINE_SPECS[config.estimator.baseline.kind],
        update=UPDATE_SPECS[config.update.kind],
    )


def rule_of(config: RunConfig) -> RuleSpec:
    """The record of the update rule."""
    return RULE_SPECS[config.update.kind]
