"""The numbers that make up a point of a continuous state space, and what a policy observes there; importable without
torch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config import RunConfig
from engine.config.environments import EnvironmentConfig
from engine.environments.making.set_state import why_not_set
from engine.environments.making.state_spaces import STATE_SPACES, Component, States

_WIDE = 1e3  # a range beyond which bounds say nothing of where states are
_MOST = 400  # numbers of which two can be chosen
_HIDDEN = "Components are hidden, so that no point tells the whole state, and no episode can begin there."
_USUAL = 3.0  # where nothing is known of a component's range


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The d coordinates of the points of one environment: the numbers of its state where what is seen follows from
    these, or else the components of what is seen.

    Where several observations are seen side by side, those before a point are zeros, as at an episode's first step.

    Attributes:
        components: one for each coordinate.
        why_not: why no episode can begin at a point, in a sentence; empty where one can.
    """

    components: tuple[Component, ...]
    why_not: str
    _environment: EnvironmentConfig
    _size: int  # of what is seen before the changes
    _plain: Callable[[States], NDArray[np.float32]] | None
    _state: Callable[[NDArray[np.float32]], States] | None

    @property
    def usual(self) -> bool:
        """Whether it is known where states usually are, and the components' ranges are that."""
        return self._plain is not None

    @property
    def size(self) -> int:
        """How many numbers a policy sees."""
        shown = len(self._kept) if self._plain is not None else len(self.components)
        return shown * self._environment.frame_stack

    def observed(self, points: States) -> NDArray[np.float32]:
        """What a policy sees, [n, k], at points [n, d]; without the noise that may be added."""
        seen = points.astype(np.float32) if self._plain is None else self._plain(points)
        if self._plain is not None:
            seen = seen[:, self._kept]
        frames = self._environment.frame_stack
        if frames == 1:
            return seen
        before = np.zeros((len(seen), (frames - 1) * seen.shape[1]), np.float32)
        return np.concatenate((before, seen), 1)

    def points(self, observations: NDArray[Any]) -> States:
        """Where these are seen [n, k], [n, d]; NaN in coordinates of which they do not tell."""
        count, frames = len(observations), self._environment.frame_stack
        newest: NDArray[Any] = observations.reshape(count, frames, -1)[:, -1]
        if self._plain is None:
            return np.asarray(newest, np.float64)
        seen = np.full((count, self._size), np.nan, np.float32)
        seen[:, self._kept] = newest
        if self._state is not None:
            return self._state(seen)
        points = np.full((count, len(self.components)), np.nan)  # positions without velocities
        points[:, :: len(self.components) // self._size] = seen
        return points

    @property
    def _kept(self) -> list[int]:
        hidden = set(self._environment.hidden)
        return [component for component in range(self._size) if component not in hidden]


def coordinates_of(config: RunConfig, environment: EnvironmentInfo) -> Coordinates | str:
    """The coordinates in which a slice can be laid; or why not, in a sentence.

    Args:
        environment: as learning sees it.
    """
    changes, seen = config.environment, environment.observation
    if seen.kind != "box":
        return f"The states of {environment.title} are numbered, and do not lie beside each other in cells."
    if seen.image:
        return f"{environment.title} is seen in pictures, and a slice needs a few numbers to be laid along."
    if seen.size > _MOST * changes.frame_stack:
        return f"{environment.title} shows {seen.size:,} numbers, too many for a slice along two of them to say much."
    known = STATE_SPACES.get(changes.id)
    if known is not None:
        shown = ENVIRONMENTS[changes.id].observation.size
        components, observe, state = known
        return Coordinates(components, "", changes, shown, observe, state)
    size = seen.size // changes.frame_stack
    if size < 2:
        return f"{environment.title} shows a single number, and a slice has two axes."
    why_not = why_not_set(changes) or (_HIDDEN if changes.hidden else "")
    return Coordinates(_components(changes, seen, size), why_not, changes, size, None, None)


def _components(changes: EnvironmentConfig, seen: Space, size: int) -> tuple[Component, ...]:
    """Those of what is seen, with the names and bounds that the catalogue knows."""
    info = ENVIRONMENTS.get(changes.id)
    plain = seen if info is None else info.observation
    hidden = set(changes.hidden)
    kept = [component for component in range(size + len(hidden)) if component not in hidden]
    names = plain.labels if len(plain.labels) == len(kept) + len(hidden) else ()
    bounds = plain.bounds * (len(kept) + len(hidden) if len(plain.bounds) == 1 else 1)
    found = []
    for component in kept:
        low, high = bounds[component] if component < len(bounds) else (-math.inf, math.inf)
        if not high - low < _WIDE:
            low, high = -_USUAL, _USUAL
        found.append(Component(names[component] if names else f"component {component + 1}", low, high))
    return tuple(found)
