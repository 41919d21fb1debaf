"""DQN: the engine learns what the reference learns, and not what a wrong one learns."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.engine.references.compared import APART, CLOSE, furthest
from tests.engine.references.dqn import dqn
from tests.engine.references.replayed import Recorded, record

# Some episodes end by themselves, the others at the limit; the buffer is full long before the end.
TAKEN: dict[str, Any] = {
    "environment.id": "CartPole-v1",
    "environment.time_limit": 14,
    "collection.environments": 3,
    "collection.train_frequency": 2,
    "collection.steps": 24,
    "update.replay.capacity": 90,
    "update.replay.learning_starts": 12,
    "update.replay.minibatch_size": 16,
    "update.learning_rate": 0.03,
}
ITERATIONS = 2
PLAIN: dict[str, Any] = {
    "gamma": 0.97,
    "n": 1,
    "double": False,
    "dueling": False,
    "huber": False,
    "learning_rate": 0.03,
    "max_grad_norm": 0.8,
    "rate": 1.0,
    "every": 12,
}
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "double, over 3 steps": {"double": True, "n": 3, "huber": True},
    "dueling, a soft target": {"dueling": True, "double": True, "rate": 0.1, "every": 1},
    "prioritized": {"priority_exponent": 0.7, "huber": True, "importance_exponents": (0.4, 0.7), "n": 2},
}


@cache
def played(variant: str) -> Recorded:
    settings = PLAIN | VARIANTS[variant]
    replay = {"update.replay.sampling": "prioritized", "update.replay.priority_exponent": 0.7}
    return record(
        ITERATIONS,
        **TAKEN,
        **(replay if "priority_exponent" in settings else {}),
        estimator__gamma=settings["gamma"],
        estimator__n=settings["n"],
        update__double=settings["double"],
        update__dueling=settings["dueling"],
        update__loss="huber" if settings["huber"] else "squared",
        update__max_grad_norm=settings["max_grad_norm"],
        update__gradient_steps=2,
        update__target__rate=settings["rate"],
        update__target__every=settings["every"],
    )


def learned(recorded: Recorded, variant: str, **wrong: Any) -> dict[str, list[Any]]:
    settings = PLAIN | VARIANTS[variant] | wrong
    of_iterations = settings.pop("importance_exponents", ())
    counts = [int(metrics["gradient_steps"] or 0) for metrics in recorded.metrics]
    exponents = [each for each, count in zip(of_iterations, counts, strict=False) for _ in range(count)]
    return dqn(recorded.steps, recorded.draws, recorded.weights, importance_exponents=exponents, **settings)


def distance(recorded: Recorded, history: dict[str, list[Any]]) -> float:
    return furthest(recorded.after, history["weights"])


@pytest.mark.parametrize("variant", VARIANTS)
def test_dqn(variant: str) -> None:
    recorded = played(variant)
    ends = [torch.stack([step[name] for step in recorded.steps]) for name in ("terminated", "truncated")]
    assert all(end.any() for end in ends)
    assert len(recorded.after) > 40
    history = learned(recorded, variant)
    assert distance(recorded, history) < CLOSE
    last = int(recorded.metrics[-1]["gradient_steps"] or 0)
    for name, told in (("loss", "value_loss"), ("grad_norm", "grad_norm"), ("target", "target_mean")):
        expected = torch.stack(history[name][-last:]).mean().item()
        assert recorded.metrics[-1][told] == pytest.approx(expected, rel=1e-3), name


def test_steps_are_drawn_from_the_latest() -> None:
    recorded = played("plain")
    for taken, minibatches in recorded.draws.items():
        times = [time for minibatch in minibatches for time, _ in minibatch]
        assert max(0, taken - 30) <= min(times) <= max(times) < taken


def changed(recorded: Recorded, change: Any) -> Recorded:
    return replace(
        recorded,
        steps=[
            step | change(step, later)
            for step, later in zip(recorded.steps, [*recorded.steps[1:], recorded.steps[0]], strict=True)
        ],
    )


def truncations_as_terminations(step: dict[str, Tensor], later: dict[str, Tensor]) -> dict[str, Tensor]:
    return {"terminated": step["terminated"] | step["truncated"]}


def episodes_run_into_each_other(step: dict[str, Tensor], later: dict[str, Tensor]) -> dict[str, Tensor]:
    """The next episode's first observation stands behind a time limit."""
    return {
        "truncated": torch.zeros_like(step["truncated"]),
        "next_observations": torch.where(
            step["truncated"].unsqueeze(1), later["observations"], step["next_observations"]
        ),
    }


def terminations_bootstrap(step: dict[str, Tensor], later: dict[str, Tensor]) -> dict[str, Tensor]:
    return {"terminated": torch.zeros_like(step["terminated"]), "truncated": step["truncated"] | step["terminated"]}


def rewards_of_others(step: dict[str, Tensor], later: dict[str, Tensor]) -> dict[str, Tensor]:
    return {"rewards": step["rewards"] + 0.1 * step["actions"]}


@pytest.mark.parametrize(
    "wrong",
    [truncations_as_terminations, episodes_run_into_each_other, terminations_bootstrap, rewards_of_others],
    ids=lambda wrong: wrong.__name__,
)
def test_dqn_tells_ends_apart(wrong: Any) -> None:
    for variant in ("plain", "double, over 3 steps"):
        recorded = played(variant)
        assert distance(recorded, learned(changed(recorded, wrong), variant)) > APART * CLOSE


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("plain", {"gamma": 1.0}),
    ("plain", {"double": True}),
    ("plain", {"huber": True}),
    ("plain", {"every": 1}),
    ("plain", {"rate": 0.5}),
    ("plain", {"max_grad_norm": torch.inf}),
    ("double, over 3 steps", {"n": 1}),
    ("double, over 3 steps", {"n": 4}),
    ("double, over 3 steps", {"double": False}),
    ("dueling, a soft target", {"rate": 0.2}),
    ("prioritized", {"importance_exponents": ()}),
    ("prioritized", {"importance_exponents": (0.4, 0.4)}),
    ("prioritized", {"priority_exponent": 0.4}),
]


@pytest.mark.parametrize(("variant", "wrong"), WRONG)
def test_another_dqn_learns_something_else(variant: str, wrong: dict[str, Any]) -> None:
    recorded = played(variant)
    assert distance(recorded, learned(recorded, variant, **wrong)) > APART * CLOSE
