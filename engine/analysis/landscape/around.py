"""A look around a policy: along which directions, how far, and what is found there, as it becomes known.

Source: Sullivan et al. (2022), "Cliff diving: exploring reward surfaces in reinforcement learning environments", for
returns along the gradient and over filter-normalised planes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor

from engine.analysis.landscape.directions import (
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
from engine.analysis.landscape.episodes import CommonEpisodes
from engine.analysis.landscape.scan import Scan, Spot, line, plane
from engine.analysis.playback import PolicySnapshot
from engine.runtime.errors import RequestError

UNKNOWN = {
    "step": "No update is known that led to this policy: nothing was kept of the run before it. Train on, or look "
    "along another direction.",
    "newest": "Nothing was kept of the run after this policy; look back at an earlier one, or along another direction.",
}
_BEYOND = 1.25  # times as far as the newest policy is looked, where that is a direction
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
    """What ``updates`` of the run's own add to the parameters, [P]."""

    vector: Tensor
    updates: int = 1


FindChange = Callable[[Kind], Change | None]
"""Finds what leads to the policy, of the kind ``step``, or from there to the ``newest``; None where that is unknown."""


@dataclass(frozen=True)
class Begun:
    """What is about to be looked at. ``scale`` is ‖θ‖, in which places are measured; ``updates`` are those of which
    each direction's length is, 0 where it is of none."""

    snapshot: PolicySnapshot
    scan: Scan
    scale: float
    updates: tuple[int, ...]


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
        find_change: may take a while; the last update is asked for at once where that is a direction, else at the end.

    Raises:
        RequestError: there is no such direction, or the environment cannot be made.
        RunError: the environment fails, or a number is not finite.
    """
    yield 0.0, None
    kinds = [wanted.first, *([wanted.second] if wanted.second else [])]
    changes = {kind: find_change(kind) for kind in kinds if kind in UNKNOWN}
    for kind, change in changes.items():
        if change is None:
            raise RequestError(UNKNOWN[kind])
    gradients: Gradients | None = None
    if {"gradient", "natural"} & set(kinds):
        estimating = gradients_at(snapshot, _GRADIENT_EPISODES * wanted.episodes, wanted.seed)
        while gradients is None:
            try:
                next(estimating)
                yield 0.0, None
            except StopIteration as stop:
                gradients = stop.value
    directions = [
        _direction(kind, snapshot, (gradients, changes.get(kind), wanted.seed + number))
        for number, kind in enumerate(kinds)
    ]
    centre, scale = parameters_of(snapshot), scale_of(snapshot)
    newest = [_BEYOND * direction.length / scale for direction in directions if direction.kind == "newest"]
    reach = max(wanted.reach, *newest, 0.0)
    if len(directions) == 1:
        scan = line(centre, directions[0], reach)
    else:
        scan = plane(centre, (directions[0], across(directions[1], directions[0])), reach)
    yield (
        0.0,
        Begun(snapshot, scan, scale, tuple(change.updates if change else 0 for change in map(changes.get, kinds))),
    )
    known = 0
    for spots in scan.spots(CommonEpisodes(snapshot, wanted.episodes, wanted.seed)):
        known += len(spots)
        yield known / scan.count, spots or None
    last = changes["step"] if "step" in changes else find_change("step")
    if last is not None:
        yield 1.0, taken(last, scan, snapshot)


def _direction(kind: Kind, snapshot: PolicySnapshot, made: tuple[Gradients | None, Change | None, int]) -> Direction:
    gradients, change, seed = made
    if kind == "random":
        return random_direction(snapshot, seed)
    if kind in UNKNOWN:
        assert change is not None
        return along(kind, change.vector, snapshot)
    assert gradients is not None
    return along(kind, gradients.gradient if kind == "gradient" else gradients.natural, snapshot)


def taken(change: Change, scan: Scan, snapshot: PolicySnapshot) -> Taken:
    """How far the last update went."""
    vector, scale = change.vector * acting_part(snapshot), scale_of(snapshot)
    at = tuple(float(vector @ each.vector / (each.vector @ each.vector)) for each in scan.directions)
    return Taken(float(vector.norm()) / scale, at, change.updates)
