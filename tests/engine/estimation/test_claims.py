"""What the catalogue says of a method's bias, tried on processes that were not made for it: random ones, with rewards
of both signs, horizons of 1 to 3 steps and batches of 1 to 3 episodes. Means are sums over every batch there is."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.catalogue.methods.biases import biases
from engine.catalogue.methods.compatibility import refusal
from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.mdp import exact
from tests.engine.tiny_mdp import (
    ENDED,
    Enumeration,
    Process,
    assert_gradient,
    configured,
    greedily,
    mean,
    projection,
    values,
)

SHORTER = "so the gradient comes out too short"
SHORTER_STEPS = "so that step's part of the gradient comes out too short"


@lru_cache
def process(seed: int, horizon: int) -> Process:
    """Two actions in each of two states per time step, so that every parameter belongs to one step: state 2t + s."""
    draw = np.random.default_rng([seed, horizon])

    def outcomes(time: int) -> tuple[tuple[float, float, int], ...]:
        def one(chance: float) -> tuple[float, float, int]:
            ends = time + 1 == horizon or draw.uniform() < 0.3
            return chance, float(draw.integers(-4, 5)), ENDED if ends else 2 * (time + 1) + int(draw.integers(2))

        return (one(0.25), one(0.75)) if draw.uniform() < 0.3 else (one(1.0),)

    rows = tuple(tuple(outcomes(time) for _ in range(2)) for time in range(horizon) for _ in range(2))
    return Process(rows, torch.from_numpy(draw.normal(size=(2 * horizon, 2))).float(), horizon)


PLACES = [(0, 1, 1), (1, 1, 3), (2, 2, 1), (0, 2, 2), (1, 3, 1), (0, 3, 2)]
CREDITS = ("total-return", "reward-to-go")
BASELINES = ("none", "average", "time-average", "leave-one-out")
OFF_POLICY = {"kind": "off-policy", "optimizer": "sgd", "learning_rate": 1.0, "updates_per_batch": 1}
UPDATES: dict[str, tuple[Any, float]] = {
    "ascent": (None, 0.0),
    "reweighted": (OFF_POLICY | {"weighting": "per-trajectory"}, 0.4),
    "reweighted by step": (OFF_POLICY | {"weighting": "per-decision"}, 0.4),
    "all weights 1, of themselves": (OFF_POLICY | {"self_normalized": True}, 0.0),
    "all weights 1, truncated": (OFF_POLICY | {"truncation": 1.5}, 0.0),
}


def discounted(config: RunConfig, gamma: float) -> RunConfig:
    states = gamma < 1.0 and config.estimator.credit.kind == "reward-to-go"  # type: ignore[union-attr]
    return with_values(config, {"estimator.gamma": gamma, "estimator.discount_states": states})


def can_be_chosen(config: RunConfig, where: Process, size: int) -> bool:
    return refusal(with_values(config, {"collection.episodes_per_update": size}), where.info) is None


@pytest.mark.parametrize(("seed", "horizon", "size"), PLACES)
def test_what_is_said_of_averages_and_weights_holds_anywhere(seed: int, horizon: int, size: int) -> None:
    """Of all that can be chosen: nothing said is the exact gradient, and too short is too short."""
    where = process(seed, horizon)
    found = set()
    updates = list(UPDATES.values()) if horizon < 3 else [UPDATES["ascent"]]
    for credit, baseline, (update, share) in product(CREDITS, BASELINES, updates):
        config = greedily(discounted(configured(credit, baseline, update), 0.7), share)
        if not can_be_chosen(config, where, size):
            continue
        said = biases(config, where.info)
        got, true = mean(where, config, size, share=share), where.gradient(0.7)
        if not said:
            assert_gradient(got, true)
        elif any(SHORTER in sentence for sentence in said):
            assert_gradient(got, (1.0 - 1.0 / size) * true)
        elif any(SHORTER_STEPS in sentence for sentence in said):
            assert_every_step_is_shorter(got, true)
        found.add(said)
    assert () in found
    assert len(found) > 2 or size == 1


def assert_every_step_is_shorter(got: Tensor, true: Tensor) -> None:
    """Each step's four parameters move by one share of what they should, below 1."""
    for mine, whole in zip(got.view(-1, 4), true.view(-1, 4), strict=True):
        if whole.norm() > 1e-4:
            share = projection(mine, whole)
            assert -1e-4 < share < 1.0
            assert_gradient(mine, share * whole)


def test_an_average_reward_to_go_can_make_the_gradient_longer_and_is_not_said_to_shorten_it() -> None:
    """Action 0 pays 3, then −2; action 1 nothing, and it is over in either case after that."""
    where = Process(
        (
            (((1.0, 3.0, 1),), ((1.0, 0.0, ENDED),)),
            (((1.0, -2.0, ENDED),), ((1.0, -2.0, ENDED),)),
        ),
        torch.zeros(2, 2),
        2,
    )
    config = configured("reward-to-go", "average")
    assert projection(mean(where, config, 2), where.gradient(1.0)) == pytest.approx(1.25, abs=1e-4)
    (said,) = biases(config, where.info)
    assert "short" not in said


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("credit", "baseline"), [("gae", "value"), ("n-step", "value"), ("reward-to-go", "value")])
def test_a_value_that_is_right_misleads_nowhere(credit: str, baseline: str, seed: int) -> None:
    """The sentence is about where it is wrong."""
    where = process(seed, 2)
    dynamics = exact.dynamics_of(where.mdp(where.limit))
    by_time = exact.state_values(dynamics, where.probabilities, 1.0)
    table = torch.cat([by_time[t, 2 * t : 2 * t + 2] for t in range(2)])
    config = configured(credit, baseline)
    assert_gradient(mean(where, config, critic=values(table), cut=False), where.gradient(1.0))


@pytest.mark.parametrize("seed", range(3))
def test_off_policy_ascent_weighs_greedy_actions_rightly_unless_all_are(seed: int) -> None:
    where = process(seed, 2)
    plain = configured()
    for share in (0.3, 1.0):
        said = biases(greedily(plain, share), replace(where.info, time_limit=None))
        claims = any("would weigh them rightly" in sentence for sentence in said)
        reweighted = configured(update=OFF_POLICY | {"weighting": "per-trajectory"})
        got = Enumeration(where, share=share).moments(greedily(reweighted, share)).mean
        right = torch.allclose(got, where.gradient(1.0), atol=2e-5, rtol=1e-4)
        assert claims is (share < 1.0)
        assert right or not claims
