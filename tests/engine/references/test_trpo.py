"""TRPO: the engine learns what the reference learns, and not what a wrong one learns."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from tests.engine.references.compared import APART, ENDS, History, assert_reported, by_iteration, distance
from tests.engine.references.recorded import COLLECTIONS, ENVIRONMENTS, ITERATIONS, Recorded, record
from tests.engine.references.trpo import trpo

TRPO: dict[str, Any] = {
    "gamma": 0.97,
    "gae_lambda": 0.9,
    "cg_iterations": 4,
    "backtracking": 0.7,
    "line_search_steps": 10,
    "value_learning_rate": 0.004,
    "fit_steps": 3,
}
TRPO_VARIANTS: dict[str, dict[str, Any]] = {
    "short steps": {"max_kl": 0.01, "damping": 0.1, "entropy_coefficient": 0.05, "normalize": True},
    "steps that are cut": {"max_kl": 1.0, "damping": 0.1, "normalize": True},
}
# The longer the steps, the more of the digits that conjugate gradients lose in single precision shows.
TRPO_CLOSE = {"short steps": 2e-5, "steps that are cut": 5e-4}


@cache
def played_by_trpo(space: str, collection: str, variant: str) -> Recorded:
    settings = TRPO | TRPO_VARIANTS[variant]
    return record(
        **ENVIRONMENTS[space],
        **COLLECTIONS[collection],
        estimator__credit="gae",
        estimator__credit__gae_lambda=settings["gae_lambda"],
        estimator__baseline="value",
        estimator__baseline__learning_rate=settings["value_learning_rate"],
        estimator__baseline__fit_steps=settings["fit_steps"],
        estimator__gamma=settings["gamma"],
        estimator__normalize_advantages=settings.get("normalize", False),
        update="trpo",
        update__solver="cg",
        update__entropy_coefficient=settings.get("entropy_coefficient", 0.0),
        **{
            f"update.{name}": settings[name]
            for name in ("max_kl", "damping", "cg_iterations", "backtracking", "line_search_steps")
        },
    )


def by_trpo(recorded: Recorded, variant: str, **wrong: Any) -> History:
    settings = TRPO | TRPO_VARIANTS[variant] | wrong
    return trpo(recorded.batches, recorded.policy, recorded.value, **settings)


@pytest.mark.parametrize("variant", TRPO_VARIANTS)
@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("space", ENVIRONMENTS)
def test_trpo(space: str, collection: str, variant: str) -> None:
    recorded = played_by_trpo(space, collection, variant)
    history = by_trpo(recorded, variant)
    assert len(recorded.policy_steps) == ITERATIONS
    assert distance(recorded, history) < TRPO_CLOSE[variant]
    for name in ("kl", "line_search", "grad_norm"):
        assert_reported(recorded, name, history[name])
    assert_reported(recorded, "value_loss", [losses[-1] for losses in by_iteration(history["value_loss"])])


def test_some_of_trpos_steps_are_cut() -> None:
    recorded = played_by_trpo("continuous", "fixed length", "steps that are cut")
    assert [metrics["line_search"] for metrics in recorded.metrics] == pytest.approx([0.7**2, 0.7])


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("wrong", ENDS)
def test_trpo_tells_ends_apart(wrong: str, collection: str) -> None:
    recorded = played_by_trpo("continuous", collection, "short steps")
    assert distance(recorded, by_trpo(ENDS[wrong](recorded), "short steps")) > APART * TRPO_CLOSE["short steps"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"gamma": 1.0},
        {"gae_lambda": 1.0},
        {"normalize": False},
        {"max_kl": 0.012},
        {"damping": 0.0},
        {"cg_iterations": 2},
        {"entropy_coefficient": 0.0},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
@pytest.mark.parametrize("space", ENVIRONMENTS)
def test_another_trpo_learns_something_else(space: str, wrong: dict[str, Any]) -> None:
    recorded = played_by_trpo(space, "fixed length", "short steps")
    assert distance(recorded, by_trpo(recorded, "short steps", **wrong)) > APART * TRPO_CLOSE["short steps"]
