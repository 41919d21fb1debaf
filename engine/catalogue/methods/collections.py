"""What is collected for an update."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.spec import CollectionSpec, Entry, Method, by_kind
from engine.config.estimators import WholeEpisodes
from engine.runtime.errors import Refusal


def _episodes_fit(method: Method) -> Iterator[Refusal]:
    collection = method.config.collection
    assert isinstance(collection, WholeEpisodes)
    if collection.episodes_per_update == 1:
        yield from method.baseline.one_episode(method)


def _rollouts_fit(method: Method) -> Iterator[Refusal]:
    for spec in (method.update, method.credit, method.baseline):
        if spec.whole_episodes is not None:
            yield spec.whole_episodes


COLLECTION_SPECS = by_kind(
    (
        CollectionSpec(
            entry=Entry(
                "episodes",
                "Whole episodes",
                "N episodes are played to their ends before the policy is updated.",
                {"collection": "episodes"},
            ),
            fits=_episodes_fit,
            cuts=False,
        ),
        CollectionSpec(
            entry=Entry(
                "fixed-length",
                "Fixed-length rollouts",
                "Each environment is stepped T times, wherever episodes begin and end; V stands in for what is cut "
                "off.",
                {"collection": "fixed-length"},
            ),
            fits=_rollouts_fit,
            cuts=True,
        ),
    )
)
