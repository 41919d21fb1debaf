"""Some settings of a sweep once more, on seeds that have not judged them."""

from __future__ import annotations

from collections.abc import Collection

from engine.config.parameters import values_between
from engine.runs.sweeps.plan import planned
from engine.runs.sweeps.spec import Setting, Sweep, Varied

_LONGEST = 80  # letters of a title


def with_other_seeds(sweep: Sweep, points: Collection[int]) -> Sweep:
    """A sweep of these ``points`` alone, each a setting of its own, with as many seeds as before: those that come after
    the highest that was used.

    Raises:
        RequestError: the sweep cannot be trained any more.
    """
    plan = planned(sweep)
    chosen = [point for point in plan.points if point.index in points]
    first = max(plan.seeds) + 1
    base = chosen[0].of_seed(plan.seeds[0]) if len(chosen) == 1 else sweep.config
    settings = tuple(
        Setting(title=_titled(point.words, point.index), set=values_between(base, point.of_seed(base.seed)))
        for point in chosen
    )
    return Sweep(
        title=f"{sweep.title[: _LONGEST - 13]}, other seeds",
        shows=sweep.shows,
        config=base,
        vary=(Varied(title="Setting", settings=settings),) if len(chosen) > 1 else (),
        seeds=tuple(range(first, first + len(plan.seeds))),
    )


def _titled(words: str, index: int) -> str:
    return (words or f"setting {index + 1}")[:_LONGEST]
