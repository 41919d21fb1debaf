"""Families of methods: what they learn, in the order in which they are shown."""

from __future__ import annotations

from engine.catalogue.methods.spec import Entry
from engine.config import FAMILY_OF, RunConfig


def _family(config: type[RunConfig], title: str, summary: str) -> Entry:
    """The entry that picks a family by its first update rule."""
    rule = next(kind for kind, family in FAMILY_OF.items() if family is config)
    return Entry(config.family, title, summary, {"update": rule})


_TOLD = {
    "policy-gradient": (
        "Policy gradient",
        "The policy itself is learned: what did better than expected is made likelier.",
    ),
    "planning": (
        "Planning",
        "The rules of the environment are known, so that the best can be computed; nothing is tried out.",
    ),
    "value-based": (
        "Action values",
        "What each action is worth is learned; the policy takes the best one, and now and then a random one.",
    ),
    "actor-critic": (
        "Actor-critic with Q",
        "What each action is worth is learned from old experience, and a policy of its own climbs these values.",
    ),
    "imitation": (
        "Imitation",
        "A teacher shows what to do, and the policy learns to do the same; rewards are not looked at.",
    ),
}

FAMILIES = {config.family: _family(config, *_TOLD[config.family]) for config in dict.fromkeys(FAMILY_OF.values())}


def family_of(config: RunConfig) -> Entry:
    """That of a configuration."""
    return FAMILIES[config.family]


def family_of_entry(entry: Entry) -> Entry:
    """That of an algorithm or update rule."""
    return FAMILIES[FAMILY_OF[entry.values["update"]].family]


def members(entries: dict[str, Entry], family: Entry) -> dict[str, Entry]:
    """Those of ``entries`` that are of one family: algorithms, or update rules."""
    return {id: entry for id, entry in entries.items() if family_of_entry(entry) is family}
