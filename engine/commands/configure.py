"""The configuration that a command line describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from engine.catalogue.methods.entries import ALGORITHMS, POLICIES
from engine.catalogue.methods.picking import choose
from engine.catalogue.methods.spec import Entry
from engine.config import PolicyGradientConfig, RunConfig, own_presets
from engine.config.parameters import parse_value, with_values
from engine.runtime.errors import RequestError


def configuration(
    preset: str | None,
    environment: str | None,
    policy: str | None,
    algorithm: str | None,
    values: Mapping[str, Any],
    settings: Sequence[str],
) -> RunConfig:
    """The configuration that command-line flags describe: a preset or the defaults, then choices, then ``KEY=VALUE``s.

    Raises:
        RequestError: something named is not there or does not fit.
    """
    config = own_presets.named(preset).config if preset is not None else PolicyGradientConfig()
    choices: dict[str, Any] = {}
    if environment is not None:
        choices["environment"] = environment
    if policy is not None:
        choices |= _entry("policy", policy, POLICIES).values
    elif environment is not None and preset is None:
        choices["policy.distribution"] = "auto"
    config = with_values(config, choices)
    if algorithm is not None:
        config = choose(config, _entry("algorithm", algorithm, ALGORITHMS))
        if policy is not None:  # it was asked for, be it one that this algorithm does not come with
            config = choose(config, POLICIES[policy])
    given = {path: value for path, value in values.items() if value is not None}
    return with_values(config, given | settings_of(settings))


def _entry(what: str, name: str, entries: Mapping[str, Entry]) -> Entry:
    if name in entries:
        return entries[name]
    near = get_close_matches(name, entries, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(entries)}."
    raise RequestError(f"There is no {what} {name}; {hint}")


def settings_of(settings: Sequence[str]) -> dict[str, Any]:
    """What ``KEY=VALUE``s set, by dotted path.

    Raises:
        RequestError: one is none.
    """
    return dict(map(_setting, settings))


def _setting(text: str) -> tuple[str, Any]:
    path, separator, value = text.partition("=")
    if not separator:
        raise RequestError(f"--set takes KEY=VALUE, for example update.learning_rate=0.01, not {text}.")
    return path.strip(), parse_value(value.strip())
