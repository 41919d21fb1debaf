"""Which parameters of a configuration a person reaches for first."""

from __future__ import annotations

from engine.catalogue.methods.collections import COLLECTION_SPECS
from engine.catalogue.methods.credits import CREDIT_SPECS
from engine.catalogue.methods.specs import rule_of
from engine.config import PolicyGradientConfig, RunConfig

_DISCOUNT = "estimator.gamma"  # which every method has


def pinned(config: RunConfig) -> tuple[str, ...]:
    """The paths of the parameters that matter most for the method of ``config``, in the order in which they are shown:
    those of its update rule, of its advantage, of its collection."""
    rule = rule_of(config).pinned
    if not isinstance(config, PolicyGradientConfig):
        return (*rule, _DISCOUNT)
    credit, collection = CREDIT_SPECS[config.estimator.credit.kind], COLLECTION_SPECS[config.collection.kind]
    return (*rule, _DISCOUNT, *credit.pinned, *collection.pinned)
