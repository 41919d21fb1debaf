"""Batches too large to be computed at once: split into chunks, an iteration comes to what it comes to in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.experience import batch as batches
from engine.experience.batch import Batch, Chunk
from engine.reports.events import Updated
from engine.reports.update_events import UpdateStep
from engine.runtime.heartbeat import ROWS
from engine.training.learner import Moment
from engine.training.learners.policy_gradient import PolicyGradientLearner
from engine.values import critics, fitting
from tests.engine.references.recorded import make_decided

FEW = 13  # rows of a chunk
MINIBATCH = 30  # rows: two full chunks and a part of one
SMALL: dict[str, Any] = {
    "device": "cpu",
    "environment.time_limit": 20,
    "policy": {"kind": "mlp", "hidden_sizes": (7,)},
    "collection": {"kind": "episodes", "episodes_per_update": 6},
    "estimator.credit": "gae",
}
FIXED: dict[str, Any] = {"collection": {"kind": "fixed-length", "environments": 4, "steps": 20}}
# Steps that are as long as the gradient times a high rate, so that what a fault adds shows beside rounding.
SGD: dict[str, Any] = {"update.optimizer": "sgd", "update.learning_rate": 0.05}


def value(**fields: Any) -> dict[str, Any]:
    """A value function of its own; fitted jointly by PPO where ``fit_steps`` is 0."""
    own = {"kind": "value", "optimizer": "sgd", "learning_rate": 0.01, "fit_steps": 3, "hidden_sizes": (6,)}
    return {"estimator.baseline": own | fields}


SHARED: dict[str, Any] = {"estimator.baseline": {"kind": "shared-value", "coefficient": 0.3}}
PLAIN: dict[str, Any] = {"estimator.credit": "reward-to-go", "estimator.baseline": "average"}
OPTIMAL: dict[str, Any] = PLAIN | {"estimator.baseline": {"kind": "optimal", "per_parameter": True}}
BONUS: dict[str, Any] = {"update.entropy_coefficient": 0.1}
JOINTLY, TEMPERED = value(fit_steps=0), {"exploration.temperature": 0.7}  # whose gradient is not written out
ASCENT: dict[str, Any] = {"update": "gradient-ascent"} | SGD
OFF_POLICY = {"update": "off-policy", "update.updates_per_batch": 3} | SGD | PLAIN
NATURAL, TRPO = ({"update": update, "update.damping": 0.1} for update in ("natural-gradient", "trpo"))
PPO, PENALTY, LAGRANGIAN = (
    {"update": f"ppo-{kind}", "update.epochs": 3, "update.minibatch_size": MINIBATCH} | SGD
    for kind in ("clip", "penalty", "lagrangian")
)
MEMORY: dict[str, Any] = {"policy": {"kind": "gru", "hidden_size": 5}, "environment.time_limit": 6}
CASES: dict[str, dict[str, Any]] = {
    "ascent": ASCENT | BONUS | PLAIN,
    "ascent, a baseline for each parameter": ASCENT | OPTIMAL,
    "ascent, V apart, rollouts of a fixed length": ASCENT | value() | FIXED,
    "ascent, V in minibatches": ASCENT | value(minibatch_size=MINIBATCH),
    "ascent, V in clipped steps": ASCENT | value(clip_range=0.02),
    "ascent, V on the same": ASCENT | value(fitted_on="same"),
    "ascent, V on others": ASCENT | value(fitted_on="independent"),
    "ascent, V shared": ASCENT | SHARED | BONUS,
    "natural": NATURAL | BONUS | value(),
    "trpo": TRPO | BONUS | value(),
    "ppo": PPO | BONUS | JOINTLY,
    "ppo, all at once": PPO | JOINTLY | {"update.minibatch_size": 0, "update.clip_range": 0.05},
    "ppo, until a divergence": PPO
    | JOINTLY
    | {"update.target_kl": 2e-3, "update.epochs": 20, "update.learning_rate": 0.01},
    "ppo by autograd": PPO | BONUS | JOINTLY | TEMPERED,
    "ppo by autograd, V shared": PPO | BONUS | SHARED,
    "ppo, V apart": PPO | value(),
    "penalty": PENALTY | JOINTLY,
    "penalty of one sample": PENALTY | JOINTLY | {"update.form": "single-sample"},
    "lagrangian": LAGRANGIAN | BONUS | JOINTLY,
    "off-policy": OFF_POLICY,
    "off-policy, greedy now and then": OFF_POLICY | {"exploration.greedy_start": 0.5, "exploration.greedy_end": 0.5},
    "off-policy, by trajectory": OFF_POLICY | {"update.weighting": "per-trajectory"},
    "memory, ascent, V shared": ASCENT | MEMORY | SHARED,
    "memory, trpo": TRPO | MEMORY | value(),
    "memory, ppo, V shared": PPO | MEMORY | SHARED | FIXED,
    "memory, penalty": PENALTY | MEMORY | JOINTLY,
}


@dataclass(frozen=True)
class Result:
    """Two iterations: their metrics, the gradient steps they showed, all weights at last, and the largest chunk."""

    metrics: list[dict[str, float | None]]
    steps: list[UpdateStep]
    weights: Tensor
    largest: int


def learned(values: dict[str, Any], rows: int) -> Result:
    """With at most so many rows in a chunk."""
    config = with_values(PolicyGradientConfig(), SMALL | values)
    assert isinstance(config, PolicyGradientConfig)
    learner = PolicyGradientLearner(config, "run")
    networks = [learner.policy] if learner._fitting is None else [learner.policy, learner._fitting.value]
    make_decided(*networks)
    metrics, steps, largest, chunks = [], [], 0, Batch.chunks

    def seen(batch: Batch) -> list[Chunk]:
        nonlocal largest
        found = chunks(batch, rows)
        largest = max(largest, *(len(chunk.actions) for chunk in found))
        return found

    with pytest.MonkeyPatch.context() as patch:
        for module in (batches, critics, fitting):
            patch.setattr(module, "ROWS", rows)
        patch.setattr(Batch, "chunks", seen)
        for iteration in (1, 2):
            for event in learner.iterate([Moment("run", config, iteration, 0.0, watched=True)]):
                if isinstance(event, Updated):
                    metrics.append(event.metrics)
                elif isinstance(event, UpdateStep):
                    steps.append(event)
    learner.close()
    weights = torch.cat([weight.detach().flatten() for network in networks for weight in network.parameters()])
    return Result(metrics, steps, weights, largest)


def reported(metrics: dict[str, float | None]) -> dict[str, float]:
    return {name: number for name, number in metrics.items() if number is not None}


@pytest.mark.parametrize("case", CASES)
def test_split_into_chunks_an_iteration_comes_to_the_same(case: str) -> None:
    whole, split = learned(CASES[case], ROWS), learned(CASES[case], FEW)
    assert split.largest <= FEW < 2 * FEW < whole.largest
    torch.testing.assert_close(split.weights, whole.weights, atol=2e-6, rtol=2e-5)
    for one, other in zip(split.metrics, whole.metrics, strict=True):
        assert reported(one) == pytest.approx(reported(other), rel=1e-4, abs=1e-6)
    assert len(split.steps) >= 2
    for mine, theirs in zip(split.steps, whole.steps, strict=True):
        assert mine.losses == pytest.approx(theirs.losses, rel=1e-4, abs=1e-6)
        assert mine.grad_norm == pytest.approx(theirs.grad_norm, rel=1e-4)
        assert np.array_equal(mine.rows, theirs.rows)
        np.testing.assert_allclose(mine.log_ratios, theirs.log_ratios, atol=1e-5)
