"""What can be picked: titles, sentences, which choices fit together, and how many parameters a policy has.

Everything here is plain data and pure functions over ``RunConfig``, importable without torch or gymnasium, so that the
window can show it at once.
"""

from __future__ import annotations

from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.environments.configured import changed, described
from engine.catalogue.methods.biases import biases
from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.methods.distribution import distribution_of
from engine.catalogue.methods.entries import (
    ALGORITHMS,
    BASELINES,
    COLLECTIONS,
    CREDITS,
    DEVICES,
    DISTRIBUTIONS,
    POLICIES,
    UPDATES,
    Entry,
)
from engine.catalogue.methods.parameter_count import parameter_count
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config import RunConfig
from engine.config.parameters import with_values

__all__ = [
    "ALGORITHMS",
    "BASELINES",
    "COLLECTIONS",
    "CREDITS",
    "DEVICES",
    "DISTRIBUTIONS",
    "ENVIRONMENTS",
    "POLICIES",
    "UPDATES",
    "Entry",
    "EnvironmentInfo",
    "Space",
    "biases",
    "changed",
    "choose",
    "described",
    "distribution_of",
    "parameter_count",
    "picked",
    "refusal",
]


def choose(config: RunConfig, entry: Entry) -> RunConfig:
    """``config`` with ``entry`` picked; what the entry leaves unchanged keeps its parameters.

    Raises:
        RequestError: never for entries of this catalogue on a valid configuration.
    """
    return with_values(config, {path: value for path, value in entry.values.items() if _at(config, path) != value})


def picked(config: RunConfig, entries: dict[str, Entry], environment: EnvironmentInfo) -> Entry | None:
    """The entry of ``entries`` that ``config`` amounts to in ``environment``, or None where it is none of them."""
    here = {"policy.distribution": distribution_of(config.policy, environment)}
    return next(
        (
            entry
            for entry in entries.values()
            if all(here.get(path, _at(config, path)) == value for path, value in entry.identity.items())
        ),
        None,
    )


def _at(config: RunConfig, path: str) -> object:
    """The value at a dotted path, a choice's kind where it leads to one, None where it leads nowhere."""
    current: object = config
    for name in path.split("."):
        current = getattr(current, name, None)
    return getattr(current, "kind", current)
