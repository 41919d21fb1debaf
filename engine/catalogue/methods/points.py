"""Named points of the grid whose axes are the two halves of an advantage estimator and the update rule."""

from __future__ import annotations

from typing import Any, NamedTuple

from engine.catalogue.methods.spec import Entry
from engine.config.estimators import WholeEpisodes
from engine.config.fields import Model

_AXES = ("estimator.credit", "estimator.baseline", "update")


class Point(NamedTuple):
    """The choices of each axis by the class of their configuration, and what else a named algorithm comes with."""

    credit: type[Model]
    baseline: type[Model]
    update: type[Model]
    collection: type[Model] = WholeEpisodes
    normalize: bool = False


def algorithm(id: str, title: str, summary: str, point: Point, **exact: Any) -> Entry:
    """A named algorithm; ``exact`` are further values that picking it sets, by path."""
    values: dict[str, Any] = {
        "collection": kind_of(point.collection),
        "estimator.credit": kind_of(point.credit),
        "estimator.baseline": kind_of(point.baseline),
        "update": kind_of(point.update),
        "estimator.normalize_advantages": point.normalize,
        "estimator.discount_states": False,
    }
    return Entry(id, title, summary, values | exact, _AXES)


def kind_of(config: type[Model]) -> str:
    """The word by which a choice is told from others of its axis."""
    kind: str = config.model_fields["kind"].default
    return kind
