"""Everything that can be picked in a list, each with the configuration values that picking it sets."""

from __future__ import annotations

from collections.abc import Iterable

from engine.catalogue.methods.baselines import BASELINE_SPECS
from engine.catalogue.methods.collections import COLLECTION_SPECS
from engine.catalogue.methods.credits import CREDIT_SPECS
from engine.catalogue.methods.distributions import DISTRIBUTION_SPECS
from engine.catalogue.methods.policies import POLICY_SPECS
from engine.catalogue.methods.spec import Entry
from engine.catalogue.methods.specs import RULE_SPECS


def _by_id(entries: Iterable[Entry]) -> dict[str, Entry]:
    return {entry.id: entry for entry in entries}


POLICIES = _by_id(spec.entry for spec in POLICY_SPECS.values())
DISTRIBUTIONS = _by_id(spec.entry for spec in DISTRIBUTION_SPECS.values())
COLLECTIONS = _by_id(spec.entry for spec in COLLECTION_SPECS.values())
CREDITS = _by_id(spec.entry for spec in CREDIT_SPECS.values())
BASELINES = _by_id(spec.entry for spec in BASELINE_SPECS.values())
UPDATES = _by_id(spec.entry for spec in RULE_SPECS.values())
ALGORITHMS = _by_id(entry for spec in RULE_SPECS.values() for entry in spec.algorithms)

# The choices that a configuration is made of, by their paths: what each is called, and its entries by their kinds.
CHOICES: dict[str, tuple[str, dict[str, Entry]]] = {
    "policy": ("Policy", POLICIES),
    "collection": ("Collection", COLLECTIONS),
    "estimator.credit": ("Credit", CREDITS),
    "estimator.baseline": ("Baseline", BASELINES),
    "update": ("Update rule", UPDATES),
}

DEVICES = ("auto", "cpu", "cuda", "mps")
