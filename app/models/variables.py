"""What may vary between the runs of an experiment: choices of method, the environment, and every parameter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.models.form_rules import in_the_form
from app.style.format import setting
from app.style.parameter_text import in_words
from engine.catalogue.configured import options_of
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.entries import ALGORITHMS, CHOICES
from engine.catalogue.methods.picking import picked
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import FAMILY_OF, RunConfig
from engine.config.parameters import Parameter, parameters_of
from engine.config.problems import ParameterError, sentence
from engine.runtime.errors import RequestError

ALGORITHM = "algorithm"
_ENVIRONMENT = "environment.id"
_ELSEWHERE = ("seed",)  # has a place of its own
_GROUPS = {  # the longest prefix that fits decides
    "environment.": "environment",
    "policy.": "policy",
    "exploration.": "exploration",
    "collection.": "collection",
    "imitation.": "teacher",
    "evaluation.": "evaluation",
    "estimator.": "advantage",
    "estimator.baseline.": "baseline",
    "update.": "update",
    "": "run",
}


@dataclass(frozen=True)
class Variable:
    """One thing that can vary. ``choices`` are the values that it can have with their titles, where they are a fixed
    few; else ``parameter`` says what it is. ``now`` is what the configuration has."""

    path: str
    title: str
    group: str
    now: Any
    symbol: str = ""
    help: str = ""
    choices: tuple[tuple[Any, str], ...] = ()
    parameter: Parameter | None = None

    @property
    def is_number(self) -> bool:
        return self.parameter is not None and not self.choices and self.parameter.type in (int, float)

    @property
    def listed(self) -> str:
        """How it stands in a list to be found by: "Learning rate α · update". A symbol with an index, for which plain
        text has no place, is left out: it stands beside the name in the row."""
        symbol = f" {self.symbol}" if self.symbol and "_" not in self.symbol else ""
        return f"{self.title}{symbol} · {self.group}"

    def words(self, value: Any) -> str:
        """A value as a person reads it."""
        return dict(self.choices).get(value) or (setting(value) if self.is_number else in_words(value))


def variables_of(config: RunConfig, plain: EnvironmentInfo) -> list[Variable]:
    """All that can vary in ``config``: methods first, then the environment, then parameters in their order.

    Args:
        plain: its environment before the changes that it makes to it.
    """
    algorithm = picked(config, ALGORITHMS, plain)
    entries = tuple((entry.id, entry.title) for entry in ALGORITHMS.values())
    whole = Variable(ALGORITHM, "Algorithm", "method", algorithm.id if algorithm else "", choices=entries)
    return [whole, *_choices(config), _environment(config), *_parameters(config, plain)]


def _choices(config: RunConfig) -> Iterator[Variable]:
    for path, (title, entries) in CHOICES.items():
        choice: Any = config
        for name in path.split("."):
            choice = getattr(choice, name, None)
        kind = getattr(choice, "kind", None)
        if kind in entries:
            fitting = {k: e for k, e in entries.items() if path != "update" or FAMILY_OF[k] is type(config)}
            yield Variable(path, title, "method", kind, choices=tuple((k, e.title) for k, e in fitting.items()))


def _environment(config: RunConfig) -> Variable:
    known = tuple((id, info.title) for id, info in ENVIRONMENTS.items())
    return Variable(_ENVIRONMENT, "Environment", "environment", config.environment.id, choices=known)


def _parameters(config: RunConfig, plain: EnvironmentInfo) -> Iterator[Variable]:
    for one in (*parameters_of(config), *options_of(config, plain)):
        if one.path not in _ELSEWHERE and in_the_form(one.path, config, plain):
            choices: tuple[tuple[Any, str], ...] = tuple((choice, choice) for choice in one.choices)
            if one.type is bool:
                choices = ((False, "off"), (True, "on"))
            group = _GROUPS[max((prefix for prefix in _GROUPS if one.path.startswith(prefix)), key=len)]
            yield Variable(one.path, one.title, group, one.value, one.symbol, one.help, choices, one)


def found_by(variables: Sequence[Variable], words: str) -> list[Variable]:
    """Those in whose title, symbol, group or path all words are; those whose title begins so first."""
    wanted = words.lower().split()
    found = [
        one
        for one in variables
        if all(word in f"{one.title} {one.symbol} {one.group} {one.path}".lower() for word in wanted)
    ]
    return sorted(found, key=lambda one: not one.title.lower().startswith(words.lower().strip()))


def in_its_words(error: RequestError, title: str) -> str:
    """What is wrong with a value, in a sentence in which its parameter goes by ``title``."""
    return sentence(error.problem, title, "−") if isinstance(error, ParameterError) else str(error)
