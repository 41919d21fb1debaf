"""REINFORCE with a learned baseline: the engine learns what the reference learns, and not what a wrong one learns."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from tests.engine.references.compared import APART, CLOSE, ENDS, History, assert_reported, by_iteration, distance
from tests.engine.references.recorded import COLLECTIONS, ENVIRONMENTS, ITERATIONS, Recorded, record
from tests.engine.references.reinforce import reinforce

REINFORCE: dict[str, Any] = {"gamma": 0.97, "learning_rate": 0.02, "value_learning_rate": 0.01, "fit_steps": 4}
REINFORCE_VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "with everything": {
        "normalize": True,
        "discount_states": True,
        "entropy_coefficient": 0.05,
        "max_grad_norm": 0.3,
    },
}


@cache
def played_by_reinforce(space: str, variant: str) -> Recorded:
    settings = REINFORCE | REINFORCE_VARIANTS[variant]
    return record(
        **ENVIRONMENTS[space],
        **COLLECTIONS["episodes"],
        estimator__credit="reward-to-go",
        estimator__baseline="value",
        estimator__gamma=settings["gamma"],
        estimator__normalize_advantages=settings.get("normalize", False),
        estimator__discount_states=settings.get("discount_states", False),
        estimator__baseline__learning_rate=settings["value_learning_rate"],
        estimator__baseline__fit_steps=settings["fit_steps"],
        update="gradient-ascent",
        update__learning_rate=settings["learning_rate"],
        update__entropy_coefficient=settings.get("entropy_coefficient", 0.0),
        update__max_grad_norm=settings.get("max_grad_norm", 0.0),
    )


def by_reinforce(recorded: Recorded, variant: str, **wrong: Any) -> History:
    settings = REINFORCE | REINFORCE_VARIANTS[variant] | wrong
    return reinforce(recorded.batches, recorded.policy, recorded.value, **settings)


@pytest.mark.parametrize("variant", REINFORCE_VARIANTS)
@pytest.mark.parametrize("space", ENVIRONMENTS)
def test_reinforce_with_a_learned_baseline(space: str, variant: str) -> None:
    recorded = played_by_reinforce(space, variant)
    history = by_reinforce(recorded, variant)
    assert len(recorded.policy_steps) == ITERATIONS
    assert distance(recorded, history) < CLOSE
    assert_reported(recorded, "loss", history["loss"])
    assert_reported(recorded, "grad_norm", history["grad_norm"])
    assert_reported(recorded, "value_loss", [losses[-1] for losses in by_iteration(history["value_loss"])])


@pytest.mark.parametrize("wrong", ENDS)
def test_reinforce_tells_ends_apart(wrong: str) -> None:
    recorded = played_by_reinforce("continuous", "plain")
    assert distance(recorded, by_reinforce(ENDS[wrong](recorded), "plain")) > APART * CLOSE


@pytest.mark.parametrize(
    "wrong",
    [
        {"gamma": 1.0},
        {"normalize": False},
        {"discount_states": False},
        {"entropy_coefficient": 0.0},
        {"value_learning_rate": 0.02},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
@pytest.mark.parametrize("space", ENVIRONMENTS)
def test_another_reinforce_learns_something_else(space: str, wrong: dict[str, Any]) -> None:
    recorded = played_by_reinforce(space, "with everything")
    assert distance(recorded, by_reinforce(recorded, "with everything", **wrong)) > APART * CLOSE
