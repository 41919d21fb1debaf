"""The return of a policy around where it is: along a line and over a plane of its parameters, coarse to fine."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.analysis.landscape.directions import Direction
from engine.analysis.landscape.episodes import CommonEpisodes, Mean, Returns, mean_of

LINE, PLANE = 65, 33  # places along a line, and along each side of a plane: 2ᵏ + 1 of them
_COARSEST = 4  # parts of a side at first


@dataclass(frozen=True)
class Spot:
    """What is known of a place: its numbers along the directions, the mean return there, and how much more that is than
    at the centre, in the same episodes; both with half of their 95 % intervals."""

    at: tuple[int, ...]
    value: Mean
    gained: Mean


@dataclass(frozen=True)
class Scan:
    """Where is looked: ``places`` x along each of the ``directions``, around the parameters ``centre`` [P]."""

    centre: Tensor
    directions: tuple[Direction, ...]
    places: NDArray[np.float64]

    def parameters(self, at: Sequence[int]) -> Tensor:
        """θ + Σ x v of a place, [P]."""
        theta = self.centre
        for direction, number in zip(self.directions, at, strict=True):
            theta = theta + float(self.places[number]) * direction.vector
        return theta

    @property
    def count(self) -> int:
        """How many places there are."""
        return int(len(self.places) ** len(self.directions))

    def spots(self, episodes: CommonEpisodes) -> Iterator[list[Spot]]:
        """All places, the centre and the ends first and then ever finer between them, some at a time; and no place as a
        sign of life.

        Raises:
            RunError: as ``CommonEpisodes.returns``.
        """
        side, centre = len(self.places), None
        for some in _grouped(coarse_to_fine(side, len(self.directions)), episodes.together):
            playing = episodes.returns(torch.stack([self.parameters(at) for at in some]))
            found = yield from _quietly(playing)
            centre = found[0] if centre is None else centre  # which comes first
            yield [
                Spot(at, mean_of(returns), mean_of(returns - centre)) for at, returns in zip(some, found, strict=True)
            ]


def _quietly(playing: Generator[None, None, Returns]) -> Generator[list[Spot], None, Returns]:
    while True:
        try:
            next(playing)
        except StopIteration as stop:
            found: Returns = stop.value
            return found
        yield []


def line(centre: Tensor, direction: Direction, reach: float, side: int = LINE) -> Scan:
    """From −``reach`` to ``reach`` along one direction."""
    return Scan(centre, (direction,), np.linspace(-reach, reach, side))


def plane(centre: Tensor, directions: tuple[Direction, Direction], reach: float, side: int = PLANE) -> Scan:
    """The same along each of two."""
    return Scan(centre, directions, np.linspace(-reach, reach, side))


def coarse_to_fine(side: int, axes: int) -> list[tuple[int, ...]]:
    """Every place of a line or a square of ``side`` = 2ᵏ + 1 places a side, once: first those of a coarse grid, the
    nearest to the centre first, then those that halve its distances, and so on."""
    apart, seen, order = (side - 1) // _COARSEST, set[tuple[int, ...]](), list[tuple[int, ...]]()
    while apart >= 1:
        at = range(0, side, apart)
        grid = [(i,) for i in at] if axes == 1 else [(i, j) for i in at for j in at]
        fresh = [place for place in grid if place not in seen]
        fresh.sort(key=lambda place: sum((index - side // 2) ** 2 for index in place))
        order += fresh
        seen.update(fresh)
        apart //= 2
    return order


def _grouped(places: list[tuple[int, ...]], size: int) -> Iterator[list[tuple[int, ...]]]:
    """At most ``size`` at a time, fewer at first, so that something is seen soon."""
    start, some = 0, max(size // 4, 1)
    while start < len(places):
        yield places[start : start + some]
        start, some = start + some, size
