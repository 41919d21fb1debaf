"""What is learned in: an environment, its keyword arguments, and changes to what it shows and pays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from engine.config.fields import Model, parameter

MOST_FRAMES = 64
_PLAIN = "a number, a text, a switch, or a list of these"
Stepping = Literal["auto", "in-process", "processes", "envpool"]


def _distinct(components: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(set(components)))


Components = Annotated[
    tuple[Annotated[int, Field(ge=0, le=1_000_000)], ...], Field(max_length=1000), AfterValidator(_distinct)
]


def as_plain(value: Any) -> Any:
    """``value`` with lists as tuples, at any depth, so that equal values compare equal however they were written."""
    if isinstance(value, list | tuple):
        return tuple(map(as_plain, value))
    return {name: as_plain(each) for name, each in value.items()} if isinstance(value, Mapping) else value


def _options(given: dict[str, Any]) -> dict[str, Any]:
    for name, value in given.items():
        if not _is_plain(value):
            raise PydanticCustomError(
                "option_value", "an option has a plain value", {"name": name, "value": value, "wanted": _PLAIN}
            )
    return {name: as_plain(value) for name, value in given.items()}


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, Mapping):
        return all(isinstance(name, str) and _is_plain(each) for name, each in value.items())
    return isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value))


class EnvironmentConfig(Model):
    """An environment and the changes made to it; episodes' returns are reported as the environment pays them."""

    id: str = parameter(
        "CartPole-v1", title="Environment", help="The id under which Gymnasium has registered it, or module:id."
    )
    options: Annotated[dict[str, Any], AfterValidator(_options)] = parameter(
        {},
        title="Options",
        help="Keyword arguments that the environment is made with, where they are not its defaults.",
    )
    time_limit: int = parameter(
        0,
        title="Time limit",
        unit="steps",
        help="Episodes are cut off after so many steps; 0, or nothing at all, keeps the environment's own limit.",
        ge=0,
        le=1_000_000,
    )
    hidden: Components = parameter(
        (),
        title="Hidden components",
        help="Components of the observation that are left out, counted from 0: what cannot be seen has to be "
        "remembered, or done without.",
    )
    observation_noise: float = parameter(
        0.0,
        title="Observation noise",
        help="Standard deviation of the Gaussian noise added to every component of what is observed.",
        ge=0.0,
        le=1e6,
    )
    frame_stack: int = parameter(
        1,
        title="Frame stack",
        unit="steps",
        help="So many of the latest observations are seen side by side; before an episode's first there are zeros.",
        ge=1,
        le=MOST_FRAMES,
    )
    normalize_observations: bool = parameter(
        False,
        title="Normalise observations",
        help="Networks see each component less its running mean, in units of its running standard deviation, which "
        "are taken anew after every iteration.",
    )
    sticky_actions: float = parameter(
        0.0,
        title="Sticky actions",
        help="Probability with which the environment repeats the previous action in place of the chosen one.",
        ge=0.0,
        le=0.99,
    )
    reward_offset: float = parameter(
        0.0,
        title="Reward offset",
        help="Learning sees scale × reward + offset. Where all episodes are equally long, an offset changes only how "
        "noisy the gradient is, and a baseline takes that away again; where they are not, it pays for long episodes "
        "if positive, for short ones if negative.",
        ge=-1e6,
        le=1e6,
    )
    reward_scale: float = parameter(
        1.0, title="Reward scale", help="Learning sees scale × reward + offset.", ge=-1e6, le=1e6
    )
    normalize_rewards: bool = parameter(
        False,
        title="Normalise rewards",
        help="Learning sees rewards in units of the running standard deviation of the discounted return.",
    )
    stepping: Stepping = parameter(
        "auto",
        title="Stepping",
        help="Where environments are stepped; auto takes batched dynamics of our own where there are any, worker "
        "processes for what comes from elsewhere, and else what is measured to be fastest. In this process, an "
        "environment from elsewhere that hangs or crashes takes the program with it.",
    )
    patience: float = parameter(
        4.0,
        title="Time-out",
        unit="s",
        help="An environment in a worker process that takes longer than this for one step, reset or picture counts as "
        "hung; being made, and its first of each, may take a minute if that is longer.",
        gt=0.0,
        le=3600.0,
    )
