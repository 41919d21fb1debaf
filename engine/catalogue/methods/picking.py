"""Taking an entry of the catalogue, and telling which entry a configuration amounts to."""

from __future__ import annotations

from engine.catalogue.methods.distribution import distribution_of
from engine.catalogue.methods.entries import Entry
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.config.parameters import with_values


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
