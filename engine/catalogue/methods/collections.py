"""What is collected for an update."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.methods.reasons import single_steps
from engine.catalogue.methods.spec import CollectionSpec, Entry, Method, by_kind
from engine.config.estimators import FixedLengthRollouts, WholeEpisodes
from engine.runtime.errors import Refusal


def _episodes_fit(method: Method) -> Iterator[Refusal]:
    collection = method.config.collection
    assert isinstance(collection, WholeEpisodes)
    if collection.episodes_per_update == 1:
        yield from method.baseline.one_episode(method)
        if not method.config.estimator.normalize_advantages:
            return
        if single_steps(method):
            yield Refusal(_ALONE, "use at least 2 episodes per update, or switch off “Normalise advantages”")
        elif method.credit.whole_return:
            yield Refusal(
                "With one episode per update all steps have the same credit, so normalised advantages are all 0",
                "use at least 2 episodes per update, or reward-to-go, or switch off “Normalise advantages”",
            )


_ALONE = "With one step per update there is no other to normalise its advantage by"


def _rollouts_fit(method: Method) -> Iterator[Refusal]:
    collection = method.config.collection
    assert isinstance(collection, FixedLengthRollouts)
    if collection.environments * collection.steps == 1 and method.config.estimator.normalize_advantages:
        yield Refusal(_ALONE, "take more steps or environments, or switch off “Normalise advantages”")
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
            pinned=("collection.episodes_per_update",),
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
            pinned=("collection.environments", "collection.steps"),
        ),
    )
)
