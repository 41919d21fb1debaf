"""A2C: the engine learns what the reference learns, and not what a wrong one learns."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch

from tests.engine.references.a2c import a2c
from tests.engine.references.compared import APART, CLOSE, ENDS, History, assert_reported, by_iteration, distance
from tests.engine.references.recorded import ENVIRONMENTS, FIXED_LENGTH, ITERATIONS, Recorded, record

A2C: dict[str, Any] = {"gamma": 0.97, "learning_rate": 0.01, "entropy_coefficient": 0.05, "max_grad_norm": 0.5}
A2C_VALUES: dict[str, dict[str, Any]] = {
    "shared-value": {"value_coefficient": 0.2},
    "value": {"value_learning_rate": 0.004, "fit_steps": 3},
}


@cache
def played_by_a2c(space: str, value: str) -> Recorded:
    of_value = A2C_VALUES[value]
    fields = (
        {"coefficient": of_value["value_coefficient"]}
        if value == "shared-value"
        else {
            "optimizer": "rmsprop",
            "learning_rate": of_value["value_learning_rate"],
            "fit_steps": of_value["fit_steps"],
        }
    )
    return record(
        **ENVIRONMENTS[space],
        **FIXED_LENGTH,
        estimator__credit="n-step",
        estimator__credit__n=FIXED_LENGTH["collection.steps"],
        estimator__baseline=value,
        estimator__gamma=A2C["gamma"],
        **{f"estimator.baseline.{name}": number for name, number in fields.items()},
        update="gradient-ascent",
        update__optimizer="rmsprop",
        update__learning_rate=A2C["learning_rate"],
        update__entropy_coefficient=A2C["entropy_coefficient"],
        update__max_grad_norm=A2C["max_grad_norm"],
    )


def by_a2c(recorded: Recorded, value: str, **wrong: Any) -> History:
    settings = A2C | A2C_VALUES[value] | wrong
    return a2c(recorded.batches, recorded.policy, recorded.value_head, recorded.value, **settings)


@pytest.mark.parametrize("value", A2C_VALUES)
@pytest.mark.parametrize("space", ENVIRONMENTS)
def test_a2c(space: str, value: str) -> None:
    recorded = played_by_a2c(space, value)
    history = by_a2c(recorded, value)
    assert len(recorded.policy_steps) == ITERATIONS
    assert distance(recorded, history) < CLOSE
    assert_reported(recorded, "loss", history["loss"])
    assert_reported(recorded, "grad_norm", history["grad_norm"])
    assert_reported(recorded, "value_loss", [losses[-1] for losses in by_iteration(history["value_loss"])])


@pytest.mark.parametrize("value", A2C_VALUES)
@pytest.mark.parametrize("wrong", ENDS)
def test_a2c_tells_ends_apart(wrong: str, value: str) -> None:
    recorded = played_by_a2c("continuous", value)
    assert distance(recorded, by_a2c(ENDS[wrong](recorded), value)) > APART * CLOSE


@pytest.mark.parametrize(
    "wrong",
    [{"gamma": 1.0}, {"entropy_coefficient": 0.0}, {"value_coefficient": 0.1}, {"max_grad_norm": torch.inf}],
    ids=lambda wrong: next(iter(wrong)),
)
@pytest.mark.parametrize("space", ENVIRONMENTS)
def test_another_a2c_learns_something_else(space: str, wrong: dict[str, Any]) -> None:
    recorded = played_by_a2c(space, "shared-value")
    assert distance(recorded, by_a2c(recorded, "shared-value", **wrong)) > APART * CLOSE
