"""With which settings an environment can be chosen, and what the present choice goes by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.catalogue.methods.entries import ALGORITHMS, POLICIES, UPDATES
from engine.catalogue.methods.picking import picked
from engine.catalogue.methods.starting import starting_choice
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.config.presets import Preset, shipped

Terms = Preset | Literal["starting", "kept"]
"""A preset, a starting choice for the environment's spaces, or the settings that there are."""

STARTING = "starting choice"
KEPT = "Keep my settings"


@dataclass(frozen=True)
class Offer:
    """``label`` says what one gets, and ``note`` what that is known to do."""

    terms: Terms
    label: str
    note: str


@dataclass(frozen=True)
class ChoiceName:
    """What a choice goes by, the sentence to it, and whether it was edited since."""

    title: str
    summary: str
    edited: bool = False


def presets_for(id: str) -> list[Preset]:
    """The shipped presets in an environment, in their order."""
    return [preset for preset in shipped().values() if preset.config.environment.id == id]


def offers(id: str, environment: EnvironmentInfo | None) -> list[Offer]:
    """With what an environment can be had, the best first; the settings that there are can always be kept.

    Args:
        environment: None where it has to be looked at first.
    """
    found = [Offer(preset, f"With its preset: {short_title(preset)}", preset.measured) for preset in presets_for(id)]
    if not found and (environment is None or starting_choice(environment) is not None):
        found = [Offer("starting", "With a starting choice for its spaces", "nothing is promised")]
    return [*found, Offer("kept", KEPT, "what does not fit gives way")]


def short_title(preset: Preset) -> str:
    """Without the environment, which titles name first."""
    return preset.title.partition(": ")[2] or preset.title


def starting_preset(environment: EnvironmentInfo) -> Preset | None:
    """The starting choice for an environment's spaces; None where nothing works in them."""
    config = starting_choice(environment)
    if config is None:
        return None
    return Preset(
        title=f"{environment.title[:60]}: {STARTING}",
        summary=f"{method_in_words(config, environment)}: what usually learns in spaces like these, to begin with. "
        "Nothing is promised.",
        config=config,
    )


def method_in_words(config: RunConfig, environment: EnvironmentInfo) -> str:
    """The algorithm and the policy: "PPO · MLP"."""
    entry = picked(config, ALGORITHMS, environment)
    method = entry.title if entry else UPDATES[config.update.kind].title
    return f"{method} · {POLICIES[config.policy.kind].title}"
