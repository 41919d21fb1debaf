"""What can be shown of every point of a slice: names, units, and the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from app.panels.episode.action_drawings import action_label
from app.style.format import short_number
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config import ActorCriticConfig, RunConfig, ValueBasedConfig

if TYPE_CHECKING:  # with torch
    from engine.analysis.slices import Found

Kind = Literal["value", "action value", "greedy", "chance", "middle", "spread", "returns", "against"]
MOST = 12  # actions of which each is offered


@dataclass(frozen=True)
class Quantity:
    """``title`` is how it is chosen, ``symbol`` how a colour bar and a reading name it, and ``unit`` what it is in."""

    kind: Kind
    title: str
    symbol: str
    index: int = 0
    unit: str = ""

    @property
    def signed(self) -> bool:
        """Whether it lies to either side of a middle."""
        return self.kind in ("chance", "middle")


RETURNS = Quantity("returns", "Mean return played", "mean G", unit="reward")
AGAINST = Quantity("against", "V against played returns", "V", unit="reward")


def offered(found: Found, config: RunConfig, environment: EnvironmentInfo) -> list[Quantity]:
    """What there is to be shown, in the order in which it is offered."""
    action = environment.action
    there = []
    if found.values is not None:
        there.append(_value(config, action))
    if found.greedy is not None and (action.size > 2 or found.action_values is not None):
        likely = "Greedy action" if isinstance(config, ValueBasedConfig) else "Most likely action"
        there.append(Quantity("greedy", likely, "action"))
    if found.chances is not None and not isinstance(config, ValueBasedConfig):
        first = 1 if action.kind == "discrete" and action.size == 2 else 0
        for index in range(first, min(len(found.chances), MOST)):
            named = f"π({_label(action, index)})"
            there.append(Quantity("chance", f"Probability {named}", named, index))
    if found.action_values is not None:
        for index in range(min(len(found.action_values), MOST)):
            named = f"Q({_label(action, index)})"
            there.append(Quantity("action value", f"{named}, learned", named, index, "reward"))
    for index in range(min(0 if found.middle is None else len(found.middle), MOST)):
        name = action.labels[index] if action.labels else f"action {index + 1}"
        there.append(Quantity("middle", f"Greedy {name}", name, index))
        there.append(Quantity("spread", f"Spread of {name}", f"σ({name})", index))
    return there


def _value(config: RunConfig, action: Space) -> Quantity:
    if isinstance(config, ValueBasedConfig):
        return Quantity("value", "V = max Q, learned", "V", unit="reward")
    if isinstance(config, ActorCriticConfig):
        how = "Σ π Q" if action.kind == "discrete" else "Q(greedy action)"
        return Quantity("value", f"V = {how}, learned", "V", unit="reward")
    return Quantity("value", "V(s), learned by the critic", "V", unit="reward")


def _label(action: Space, index: int) -> str:
    return action_label(action, index) if action.kind == "discrete" else f"choice {index + 1}"


def numbers(quantity: Quantity, found: Found) -> NDArray[np.float32] | None:
    """What is shown of each point, [n]; None where there is none."""
    of_all = {
        "value": found.values,
        "action value": found.action_values,
        "greedy": found.greedy,
        "chance": found.chances,
        "middle": found.middle,
        "spread": found.spread,
    }.get(quantity.kind)
    if of_all is None:
        return None
    if quantity.kind in ("value", "greedy"):
        return np.asarray(of_all)
    return of_all[quantity.index] if quantity.index < len(of_all) else None


def read(quantities: Sequence[Quantity], found: Found, index: int, action: Space) -> list[str]:
    """What each of these is at one of the points."""
    told = []
    for quantity in quantities:
        values = numbers(quantity, found)
        if values is None:
            continue
        value = values[index]
        known = action_names(action)[int(value)] if quantity.kind == "greedy" else short_number(float(value))
        told.append(f"{quantity.symbol} {known}")
    return told


def action_names(action: Space) -> list[str]:
    """What each of the actions is called."""
    return [action_label(action, index) for index in range(action.size)]


def limits(quantity: Quantity, action: Space) -> tuple[float, float] | None:
    """Between which numbers its colours always are; None where they follow what there is."""
    if quantity.kind == "chance":
        return 0.0, 1.0
    if quantity.kind == "middle" and action.bounds:
        return action.bounds[quantity.index if len(action.bounds) > 1 else 0]
    return None
