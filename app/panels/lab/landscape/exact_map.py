"""What is computed for the map of two parameters, away from the window's thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.plotting.axes import Range

if TYPE_CHECKING:  # with torch
    from engine.analysis.landscape.place import Place
    from engine.analysis.landscape.race import Instant, RacerName, RaceSettings
    from engine.analysis.landscape.worlds import World

Heights = NDArray[np.float64]


def heights_of(world: World, x: Range, y: Range, side: int) -> Heights:
    """J(θ) over a rectangle, [side, side], the lowest θ₂ first."""
    import torch

    across, up = (torch.linspace(*ends, side, dtype=torch.float64) for ends in (x, y))
    theta = torch.cartesian_prod(up, across).flip(-1)
    heights: Heights = world.returns(theta).view(side, side).numpy()
    return heights


def steepest(heights: Heights, x: Range, y: Range) -> float:
    """The length of the longest gradient on a map over this rectangle."""
    rows, columns = heights.shape
    up, across = np.gradient(heights, (y[1] - y[0]) / (rows - 1), (x[1] - x[0]) / (columns - 1))
    return float(np.hypot(up, across).max()) or 1.0


def place_of(world: World, theta: tuple[float, float], max_kl: float) -> Place:
    from engine.analysis.landscape.place import place_at

    return place_at(world, theta, max_kl)


def steps_of(
    world: World, start: tuple[float, float], settings: RaceSettings, racers: Sequence[RacerName], count: int
) -> Iterator[tuple[float, Instant]]:
    """The start and ``count`` steps of a race, each with the share that is done by then."""
    from engine.analysis.landscape.race import race

    for number, instant in enumerate(race(world, start, settings, racers)):
        yield number / count, instant
        if number >= count:
            return
