"""PPO with the clipped surrogate: the engine learns what the reference learns, and not what a wrong one learns."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch

from tests.engine.references.compared import APART, CLOSE, ENDS, History, assert_reported, by_iteration, distance
from tests.engine.references.ppo import ppo
from tests.engine.references.recorded import COLLECTIONS, ENVIRONMENTS, ITERATIONS, Recorded, record

PPO: dict[str, Any] = {
    "gamma": 0.97,
    "gae_lambda": 0.9,
    "clip_range": 0.1,
    "learning_rate": 0.01,
    "value_learning_rate": 0.004,
    "entropy_coefficient": 0.05,
    "max_grad_norm": 0.3,
}
PPO_VARIANTS: dict[str, dict[str, Any]] = {
    "value jointly": {"fit_steps": 0},
    "value jointly, clipped": {"fit_steps": 0, "value_clip_range": 0.05},
    "value separately": {"fit_steps": 5},
    "stopped early": {"fit_steps": 0, "target_kl": 0.0005},
}
EPOCHS, MINIBATCH = 3, 13  # which leaves a smaller minibatch at the end of each epoch


@cache
def played_by_ppo(space: str, collection: str, variant: str) -> Recorded:
    settings = PPO | PPO_VARIANTS[variant]
    return record(
        **ENVIRONMENTS[space],
        **COLLECTIONS[collection],
        estimator__credit="gae",
        estimator__credit__gae_lambda=settings["gae_lambda"],
        estimator__baseline="value",
        estimator__baseline__learning_rate=settings["value_learning_rate"],
        estimator__baseline__fit_steps=settings["fit_steps"],
        estimator__baseline__clip_range=settings.get("value_clip_range", 0.0),
        estimator__gamma=settings["gamma"],
        estimator__normalize_advantages=True,
        update="ppo-clip",
        update__epochs=EPOCHS,
        update__minibatch_size=MINIBATCH,
        update__clip_range=settings["clip_range"],
        update__learning_rate=settings["learning_rate"],
        update__entropy_coefficient=settings["entropy_coefficient"],
        update__max_grad_norm=settings["max_grad_norm"],
        update__target_kl=settings.get("target_kl", 0.0),
    )


def by_ppo(recorded: Recorded, variant: str, **wrong: Any) -> History:
    settings = PPO | PPO_VARIANTS[variant] | wrong
    return ppo(recorded.batches, recorded.minibatches, recorded.policy, recorded.value, **settings)


@pytest.mark.parametrize("variant", ["value jointly", "value jointly, clipped", "value separately"])
@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("space", ENVIRONMENTS)
def test_ppo(space: str, collection: str, variant: str) -> None:
    recorded = played_by_ppo(space, collection, variant)
    history = by_ppo(recorded, variant)
    sizes = [len(batch["rewards"]) for batch in recorded.batches]
    steps = [EPOCHS * -(-size // MINIBATCH) for size in sizes]
    assert len(recorded.policy_steps) == sum(steps)
    assert distance(recorded, history) < CLOSE
    losses, norms = (torch.stack(history[name]).split(steps) for name in ("loss", "grad_norm"))
    assert_reported(recorded, "loss", [of_steps.mean() for of_steps in losses])
    assert_reported(recorded, "grad_norm", [of_steps[0] for of_steps in norms])
    if variant == "value separately":
        assert_reported(recorded, "value_loss", [of_steps[-1] for of_steps in by_iteration(history["value_loss"])])
    else:
        fitted = torch.stack(history["value_loss"]).split(steps)
        assert_reported(recorded, "value_loss", [of_steps.mean() for of_steps in fitted])


@pytest.mark.parametrize("space", ENVIRONMENTS)
def test_ppo_stops_early(space: str) -> None:
    recorded = played_by_ppo(space, "fixed length", "stopped early")
    drawn = sum(len(rows) for rows in recorded.minibatches)
    assert len(recorded.policy_steps) == drawn - ITERATIONS  # the last one drawn tells that it has gone too far
    assert distance(recorded, by_ppo(recorded, "stopped early")) < CLOSE
    assert distance(recorded, by_ppo(recorded, "stopped early", target_kl=0.001)) == torch.inf


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("wrong", ENDS)
def test_ppo_tells_ends_apart(wrong: str, collection: str) -> None:
    recorded = played_by_ppo("continuous", collection, "value jointly")
    assert distance(recorded, by_ppo(ENDS[wrong](recorded), "value jointly")) > APART * CLOSE


@pytest.mark.parametrize(
    "wrong",
    [
        {"gamma": 1.0},
        {"gae_lambda": 1.0},
        {"clip_range": 0.15},
        {"normalize": "never"},
        {"normalize": "minibatch"},
        {"entropy_coefficient": 0.0},
        {"max_grad_norm": torch.inf},
        {"value_clip_range": torch.inf},
    ],
    ids=lambda wrong: f"{next(iter(wrong))} {next(iter(wrong.values()))}",
)
@pytest.mark.parametrize("space", ENVIRONMENTS)
def test_another_ppo_learns_something_else(space: str, wrong: dict[str, Any]) -> None:
    recorded = played_by_ppo(space, "fixed length", "value jointly, clipped")
    assert distance(recorded, by_ppo(recorded, "value jointly, clipped", **wrong)) > APART * CLOSE


def test_ppo_with_other_minibatches_learns_something_else() -> None:
    recorded = played_by_ppo("discrete", "fixed length", "value jointly")
    shuffled = replace(recorded, minibatches=[rows[::-1] for rows in recorded.minibatches])
    assert distance(recorded, by_ppo(shuffled, "value jointly")) > APART * CLOSE
