"""A batch that is looked into says of every step what the update makes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.reports.events import Estimated
from engine.reports.update_events import Inspected
from engine.training.training import Training

GAMMA = 0.9
WHOLE = {"environment": "Corridor-v0", "policy": "tabular", "estimator.gamma": GAMMA, "budget.environment_steps": 1}


def looked_into(values: dict[str, Any], algorithm: str = "reinforce") -> tuple[Inspected, Estimated]:
    """The batch of the first iteration, and what was told of its advantages."""
    config = with_values(choose(with_values(PolicyGradientConfig(), WHOLE), ALGORITHMS[algorithm]), values)
    training = Training(config)
    training.watched = True
    told = list(training)
    training.close()
    (batch,) = (event for event in told if isinstance(event, Inspected))
    (estimated,) = (event for event in told if isinstance(event, Estimated))
    return batch, estimated


def returns_to_go(batch: Inspected) -> NDArray[np.float64]:
    """G of every step, summed up from behind."""
    found, following = np.zeros(len(batch.rewards)), 0.0
    for index in reversed(range(len(found))):
        ended = batch.terminated[index] or batch.truncated[index]
        following = found[index] = batch.rewards[index] + (0.0 if ended else GAMMA * following)
    return found


def firsts(batch: Inspected, of_steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the first step of each step's episode has."""
    return of_steps[np.maximum.accumulate(np.where(batch.elapsed == 0, np.arange(len(of_steps)), 0))]


def test_credit_and_baseline_are_told_apart() -> None:
    batch, told = looked_into({"estimator.credit": "reward-to-go", "estimator.baseline": "average"})
    assert np.allclose(batch.credit, returns_to_go(batch), atol=1e-5)
    episodes = np.split(returns_to_go(batch), np.flatnonzero(batch.elapsed == 0)[1:])
    assert np.allclose(batch.baseline, np.mean([episode.mean() for episode in episodes]), atol=1e-5)
    assert np.array_equal(batch.advantages, told.advantages)


def test_a_total_return_is_credited_to_every_step_of_its_episode() -> None:
    batch, _ = looked_into({"estimator.credit": "total-return", "estimator.baseline": "none"})
    assert np.allclose(batch.credit, firsts(batch, returns_to_go(batch)), atol=1e-5)
    assert not batch.baseline.any()


def test_a_learned_value_is_that_of_the_state_from_which_credit_is_counted() -> None:
    whole, _ = looked_into({"estimator.credit": "total-return", "estimator.baseline": "value"})
    assert whole.values is not None
    assert np.array_equal(whole.baseline, firsts(whole, whole.values))
    lambda_return, _ = looked_into({"estimator.credit": "gae", "estimator.baseline": "value"})
    assert lambda_return.values is not None
    assert lambda_return.targets is not None
    assert np.array_equal(lambda_return.baseline, lambda_return.values)
    assert np.allclose(lambda_return.credit, lambda_return.targets, atol=1e-5)


def test_a_step_weighs_its_normalised_advantage_times_its_discount() -> None:
    batch, told = looked_into(
        {"estimator.credit": "reward-to-go", "estimator.discount_states": True, "estimator.normalize_advantages": True}
    )
    assert np.allclose(batch.weights, GAMMA**batch.elapsed * told.normalized, atol=1e-5)


def test_the_untrained_table_draws_either_action_alike() -> None:
    batch, _ = looked_into({})
    assert np.allclose(batch.log_probs, np.log(0.5), atol=1e-6)


@pytest.mark.parametrize("algorithm", ["ppo", "reinforce-optimal-baseline"])
def test_looking_changes_nothing(algorithm: str) -> None:
    config = with_values(choose(with_values(PolicyGradientConfig(), WHOLE), ALGORITHMS[algorithm]), {})
    ends = []
    for watched in (False, True):
        training = Training(config)
        training.watched = watched
        for _ in training:
            pass
        ends.append({name: tensor.clone() for name, tensor in training.policy.state_dict().items()})
        training.close()
    unseen, seen = ends
    assert all(bool((unseen[name] == seen[name]).all()) for name in unseen)
