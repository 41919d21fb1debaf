"""Observation and action spaces, and what is known of an environment without making it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.catalogue.network_sizes import image_layers
from engine.runtime.errors import RequestError


@dataclass(frozen=True)
class Space:
    """A Gymnasium space as far as choices depend on it.

    ``size`` is n for a discrete space, the number of components for a box, of switches for a multi-binary space, and
    for a multi-discrete one the sum of its ``parts``, the number of choices in each. ``labels`` name a discrete space's
    actions, or components, where a person would not guess them. ``bounds`` are a box's (low, high), one pair for all
    components or one for each, and empty where any is infinite. ``shape`` is a box's where it has more than one axis.
    """

    kind: Literal["discrete", "box", "multi-discrete", "multi-binary"]
    size: int
    labels: tuple[str, ...] = ()
    bounds: tuple[tuple[float, float], ...] = ()
    shape: tuple[int, ...] = ()
    parts: tuple[int, ...] = ()

    def __str__(self) -> str:
        if self.kind == "multi-discrete":
            return f"{' × '.join(map(str, self.parts))} discrete"
        if self.shape:
            return f"{' × '.join(map(str, self.shape))} image" if self.image else f"{self.size} continuous"
        return f"{self.size} {_NOUNS[self.kind]}"

    @property
    def image(self) -> bool:
        """Whether a convolutional network can look at it."""
        try:
            image_layers(self.shape)
        except RequestError:
            return False
        return True


_NOUNS = {"discrete": "discrete", "box": "continuous", "multi-binary": "binary"}


OptionValue = bool | int | float | str | tuple[str, ...] | tuple[float, ...]


@dataclass(frozen=True)
class Option:
    """A keyword argument with which an environment can be made, as ``environment.options.NAME``.

    ``default`` is the environment's own, and tells the type. ``choices`` is empty unless the value is one of a few.
    ``letters`` is set where the value is a map, one string per row: what each letter stands for, by letter.
    ``reshapes`` says that another value may change the spaces, so that the environment has to be looked at again.
    ``switch`` names the option that has to be on for this one to mean anything.
    """

    name: str
    title: str
    default: OptionValue
    help: str = ""
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    letters: tuple[tuple[str, str], ...] = ()
    reshapes: bool = False
    switch: str = ""


@dataclass(frozen=True)
class BestKnown:
    """The best mean return known for an environment, and where it is known from; ``exact`` if nothing can be better."""

    value: float
    source: str
    exact: bool = False


@dataclass(frozen=True)
class EnvironmentInfo:
    """What is known of an environment without making it; ``solved_at`` is the mean return at which it counts solved.

    ``teaches`` is one line on what is to be learned from it. ``finite`` says that its dynamics are known as tables, so
    that exact answers can be computed, and ``one_step`` that every episode of it is over after one step. ``family`` is
    the name of the group that describes it, "own" for what a person brings along.
    """

    id: str
    title: str
    summary: str
    observation: Space
    action: Space
    time_limit: int | None = None
    solved_at: float | None = None
    finite: bool = False
    one_step: bool = False
    family: str = "own"
    teaches: str = ""
    best_known: BestKnown | None = None
    options: tuple[Option, ...] = ()


def discrete(size: int, *labels: str) -> Space:
    return Space("discrete", size, labels)


def box(size: int, *labels: str, bounds: tuple[tuple[float, float], ...] = ()) -> Space:
    return Space("box", size, labels, bounds)
