"""A look around a policy: along which directions, how far, and what is found there, as it becomes known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor

from engine.analysis.landscape_directions import (
    Direction,
    Gradients,
    Kind,
    across,
    acting_part,
    along,
    gradients_at,
    parameters_of,
    random_direction,
    scale_of,
)
from engine.analysis.landscape_episodes import CommonEpisodes
from engine.analysis.landscape_scan import Scan, Spot, line, plane
from engine.analysis.playback import PolicySnapshot
from engine.runtime.errors import RequestError

NO_STEP = (
    "No update is known that led to this policy: nothing was kept of the run before it. Train on, or look along "
    "another direction."
)
_GRADIENT_EPISODES = 4  # times as many for the gradient as for a return


@dataclass(frozen=True)
class Wanted:
    """Where to look: along one direction, or over the plane that two span, up to ``reach`` times ‖θ‖ each way, by so
    many ``episodes`` at each place; ``seed`` draws the random direction, and the episodes."""

    first: Kind
    second: Kind | None
    reach: float
    episodes: int
    seed: int


@dataclass(frozen=True)
class Change:
    """What ``updates`` of the run's own added to the parameters to come to the policy, [P]."""

    vector: Tensor
    updates: int = 1


FindChange = Callable[[], Change | None]


@dataclass(frozen=True)
class Begun:
    """What is about to be looked at. ``scale`` is ‖θ‖, in which places are measured."""

    snapshot: PolicySnapshot
    scan: Scan
    scale: float


@dataclass(frozen=True)
class Taken:
    """The last update: ``length`` is ‖Δθ‖ / ‖θ‖, and ``at`` how far along each direction that is, in the same unit, of
    ``updates`` together."""

    length: float
    at: tuple[float, ...]
    updates: int


Found = Begun | list[Spot] | Taken


def look_around(
    snapshot: PolicySnapshot, wanted: Wanted, find_change: FindChange
) -> Iterator[tuple[float, Found | None]]:
    """All that is found, each with the share of the work that is done by then; None as a sign of life.

    Args:
        find_change: finds the last update, which may take a while; asked for at once where that is a direction, else at
            the end.

    Raises:
        RequestError: there is no such direction, or the environment cannot be made.
        RunError: the environment fails, or a number is not finite.
    """
    yield 0.0, None
    kinds = [wanted.first, *([wanted.second] if wanted.second else [])]
    change = find_change() if "step" in kinds else None
    if "step" in kinds and change is None:
        raise RequestError(NO_STEP)
    gradients: Gradients | None = None
    if {"gradient", "natural"} & set(kinds):
        estimating = gradients_at(snapshot, _GRADIENT_EPISODES * wanted.episodes, wanted.seed)
        while gradients is None:
            try:
                next(estimating)
                yield 0.0, None
            except StopIteration as stop:
                gradients = stop.value
    directions = [_direction(kind, snapshot, (gradients, change, wanted.seed + n)) for n, kind in enumerate(kinds)]
    centre = parameters_of(snapshot)
    if len(directions) == 1:
        scan = line(centre, directions[0], wanted.reach)
    else:
        scan = plane(centre, (directions[0], across(directions[1], directions[0])), wanted.reach)
    scale = scale_of(snapshot)
    yield 0.0, Begun(snapshot, scan, scale)
    known = 0
    for spots in scan.spots(CommonEpisodes(snapshot, wanted.episodes, wanted.seed)):
        known += len(spots)
        yield known / scan.count, spots or None
    change = change or find_change()
    if change is not None:
        yield 1.0, taken(change, scan, snapshot)


def _direction(kind: Kind, snapshot: PolicySnapshot, made: tuple[Gradients | None, Change | None, int]) -> Direction:
    gradients, change, seed = made
    if kind == "random":
        return random_direction(snapshot, seed)
    if kind == "step":
        assert change is not None
        return along(kind, change.vector, snapshot)
    assert gradients is not None
    return along(kind, gradients.gradient if kind == "gradient" else gradients.natural, snapshot)


def taken(change: Change, scan: Scan, snapshot: PolicySnapshot) -> Taken:
    """How far the last update went."""
    vector, scale = change.vector * acting_part(snapshot), scale_of(snapshot)
    at = tuple(float(vector @ each.vector / (each.vector @ each.vector)) for each in scan.directions)
    return Taken(float(vector.norm()) / scale, at, change.updates)
