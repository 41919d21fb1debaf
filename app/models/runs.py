"""A run as the window speaks of it: its number and name, what it has told, and how two choices differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from app.style.format import NOTHING, setting
from engine.catalogue.methods.entries import ALGORITHMS, UPDATES
from engine.catalogue.methods.picking import picked
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.config.parameters import Parameter, parameters_of
from engine.reports.events import Change

if TYPE_CHECKING:  # with numpy, which the first picture of the window does not wait for
    from app.models.history import History


@dataclass(frozen=True)
class Run:
    """One run of this window, with the choices it began with; ``number`` counts from 1."""

    id: str
    number: int
    config: RunConfig
    environment: EnvironmentInfo
    history: History

    @property
    def name(self) -> str:
        """What it is, for a person: "PPO · Cart pole · seed 1"."""
        entry = picked(self.config, ALGORITHMS, self.environment)
        method = entry.title if entry else UPDATES[self.config.update.kind].title
        return f"{method} · {self.environment.title} · seed {self.config.seed}"


@dataclass(frozen=True)
class Difference:
    """A parameter that one choice has otherwise than another; what one of them lacks is None there."""

    path: str
    title: str
    symbol: str
    old: Any
    new: Any

    @property
    def text(self) -> str:
        """In a few characters: "α 0.01 → 0.001"."""
        old, new = (NOTHING if value is None else setting(value) for value in (self.old, self.new))
        return f"{self.symbol or self.title.lower()} {old} → {new}"


def differences(old: RunConfig, new: RunConfig) -> list[Difference]:
    """What ``new`` has otherwise than ``old``, in the order of the parameters; of a choice that is of another kind only
    that is told, and not what its parameters are."""
    known = {parameter.path: parameter for parameter in (*parameters_of(old), *parameters_of(new))}
    return list(_between(old, new, "", known))


def difference_made(change: Change, config: RunConfig) -> Difference:
    """A change while training in the words of the run's choice: "α 0.01 → 0.001" for a learning rate."""
    parameter = next((known for known in parameters_of(config) if known.path == change.path), None)
    title = parameter.title if parameter else change.path.rpartition(".")[2].replace("_", " ")
    return Difference(change.path, title, parameter.symbol if parameter else "", change.old, change.new)


def _between(old: BaseModel, new: BaseModel, prefix: str, known: dict[str, Parameter]) -> Iterator[Difference]:
    for name in {**type(old).model_fields, **type(new).model_fields}:
        first, second = getattr(old, name, None), getattr(new, name, None)
        path = f"{prefix}{name}"
        if isinstance(first, BaseModel) and isinstance(second, BaseModel):
            if getattr(first, "kind", None) == getattr(second, "kind", None):
                yield from _between(first, second, f"{path}.", known)
                continue
            first, second = getattr(first, "kind", None), getattr(second, "kind", None)
        if first != second:
            parameter = known.get(path)
            title, symbol = (parameter.title, parameter.symbol) if parameter else (name.replace("_", " "), "")
            yield Difference(path, title, symbol, first, second)
