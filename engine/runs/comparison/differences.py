"""What differs between the configurations of runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.bugs import mark_of
from engine.catalogue.methods.entries import CHOICES
from engine.config import RunConfig
from engine.config.bugs import NO_BUG
from engine.config.parameters import parameters_of
from engine.config.problems import OPTIONS

_ENVIRONMENT, _BUG = "environment.id", "bug"


@dataclass(frozen=True)
class Varying:
    """A parameter or a choice that is not alike in all runs.

    ``values`` has for each run what it began with and what that was changed to while it trained, if it was; nothing
    where the run has no such parameter. Choices and environments have their titles for values, bugs of the museum the
    mark by which they are known.
    """

    path: str
    title: str
    symbol: str
    values: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Told:
    """What a configuration has at a path."""

    title: str
    symbol: str
    value: Any


Flattened = Mapping[str, Told]
"""Every choice, parameter and environment's option of a configuration by its path."""


def flattened(config: RunConfig) -> Flattened:
    """All that a configuration has, to be kept where it is compared again and again."""
    return dict(_parts(config))


def varying(runs: Sequence[tuple[Flattened, Mapping[str, Any]]]) -> list[Varying]:
    """What is not alike in these configurations, with the changes made to each by path: first what is chosen, then
    parameters, each in the order of the fields.

    Of what only some have, because they have chosen otherwise, only what differs among these.
    """
    told = [parts for parts, _ in runs]
    paths = list(dict.fromkeys(path for parts in told for path in parts))
    found = []
    for path in paths:
        values = tuple(
            _history(parts[path], changes, path) if path in parts else ()
            for parts, (_, changes) in zip(told, runs, strict=True)
        )
        if len({repr(value) for value in values if value}) > 1:
            one = next(parts[path] for parts in told if path in parts)
            found.append(Varying(path, one.title, one.symbol, values))
    return sorted(found, key=lambda one: one.path not in (*CHOICES, _ENVIRONMENT))


def _history(told: Told, changes: Mapping[str, Any], path: str) -> tuple[Any, ...]:
    now = changes.get(path, told.value)
    return (told.value,) if now == told.value else (told.value, now)


def _parts(config: RunConfig) -> Iterator[tuple[str, Told]]:
    for path, (title, entries) in CHOICES.items():
        choice: Any = config
        for name in path.split("."):
            choice = getattr(choice, name, None)
        kind = getattr(choice, "kind", None)
        if kind in entries:  # else there is nothing to choose in its family
            yield path, Told(title, "", entries[kind].title)
    for parameter in parameters_of(config):
        value = parameter.value
        if parameter.path == _ENVIRONMENT and value in ENVIRONMENTS:
            value = ENVIRONMENTS[value].title
        elif parameter.path == _BUG:
            value = mark_of(value) or NO_BUG
        yield parameter.path, Told(parameter.title, parameter.symbol, value)
    info = ENVIRONMENTS.get(config.environment.id)
    known = {option.name: option for option in info.options} if info else {}
    for name, value in {**{n: o.default for n, o in known.items()}, **config.environment.options}.items():
        title = known[name].title if name in known else name.replace("_", " ")
        yield f"{OPTIONS}.{name}", Told(title, "", value)
