"""Observation and action spaces, and what is known of an environment without making it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.errors import RequestError
from engine.policies.feature_count import image_layers


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


@dataclass(frozen=True)
class EnvironmentInfo:
    """What is known of an environment without making it; ``solved_at`` is the mean return at which it counts solved.

    ``finite`` says that its dynamics are known as tables, so that exact answers can be computed.
    """

    id: str
    title: str
    summary: str
    observation: Space
    action: Space
    time_limit: int | None = None
    solved_at: float | None = None
    finite: bool = False


def discrete(size: int, *labels: str) -> Space:
    return Space("discrete", size, labels)


def box(size: int, *labels: str, bounds: tuple[tuple[float, float], ...] = ()) -> Space:
    return Space("box", size, labels, bounds)
