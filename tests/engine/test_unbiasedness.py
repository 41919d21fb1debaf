"""The estimators against the exact policy gradient of a process whose episodes can all be listed.

Most expectations here are exact sums over every possible batch, so nothing is left to chance; the last tests sample
whole rollouts through the collector and use confidence intervals.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.config import EstimatorConfig
from engine.estimators import Estimate
from engine.rollouts import Collector, Rollout
from tests.engine.tiny_mdp import (
    ALL,
    INFO,
    THETA,
    FixedValue,
    TinyBatch,
    exact_gradient,
    expectation,
    gradient_estimate,
    policy,
)

WRONG_VALUES = (5.0, -3.0)


def config(credit: str, baseline: str = "none", gamma: float = 1.0) -> EstimatorConfig:
    return EstimatorConfig.model_validate({"credit": credit, "baseline": baseline, "gamma": gamma})


def test_the_listed_episodes_are_all_there_are() -> None:
    total = sum(episode.probability(THETA.double()).item() for episode in ALL)
    assert total == pytest.approx(1.0)


def test_the_listed_episodes_end_in_both_ways() -> None:
    assert {episode.terminated for episode in ALL} == {True, False}
    assert {len(episode.states) for episode in ALL} == {1, 2, 3}


def assert_gradient(got: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(got.double(), expected.double(), atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("credit", ["total-return", "reward-to-go"])
@pytest.mark.parametrize("size", [1, 2])
def test_without_a_baseline_the_estimate_is_unbiased(credit: str, size: int) -> None:
    mean, _ = expectation(size, config(credit))
    assert_gradient(mean, exact_gradient(1.0))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9])
def test_the_discounted_total_return_is_unbiased_for_the_discounted_objective(gamma: float) -> None:
    mean, _ = expectation(1, config("total-return", gamma=gamma))
    assert_gradient(mean, exact_gradient(gamma))


def test_the_discounted_reward_to_go_leaves_out_the_weights_of_late_steps() -> None:
    """γ^{t'−t} in place of γ^{t'}: the field's convention is not the gradient of the discounted objective."""
    mean, _ = expectation(1, config("reward-to-go", gamma=0.5))
    assert (mean - exact_gradient(0.5)).abs().max().item() > 0.02


@pytest.mark.parametrize("credit", ["total-return", "reward-to-go"])
def test_a_value_baseline_is_unbiased_however_wrong_its_values(credit: str) -> None:
    """With the time limit as part of the process, so that nothing is completed with the wrong values."""
    mean, _ = expectation(1, config(credit, "value"), FixedValue(WRONG_VALUES), cut=False)
    assert_gradient(mean, exact_gradient(1.0))


@pytest.mark.parametrize("credit", ["total-return", "reward-to-go"])
def test_a_truncated_episode_goes_on_with_the_value_of_its_final_state(credit: str) -> None:
    """The estimate is then unbiased for the objective in which V(s_T) is paid at the time limit."""
    mean, _ = expectation(1, config(credit, "value"), FixedValue(WRONG_VALUES))
    assert_gradient(mean, exact_gradient(1.0, tail=WRONG_VALUES))


def test_taking_truncation_for_termination_is_biased() -> None:
    mean, _ = expectation(1, config("reward-to-go", "value"), FixedValue(WRONG_VALUES), cut=False)
    assert (mean - exact_gradient(1.0, tail=WRONG_VALUES)).abs().max().item() > 0.02


def starts_at_the_next_step(estimate: Estimate) -> Tensor:
    """Advantages that leave out the present step's reward, as 003… words it."""
    following = torch.zeros_like(estimate.returns)
    following[: len(estimate.returns) - 1] = estimate.returns[1:]
    return following


def test_leaving_out_the_present_reward_is_biased() -> None:
    # A batch of one episode lies in the order of time, so a shift by one place is a shift by one step.
    mean, _ = expectation(1, config("reward-to-go"), tamper=starts_at_the_next_step)
    assert (mean - exact_gradient(1.0)).abs().max().item() > 0.1


def test_dividing_by_steps_instead_of_episodes_is_biased() -> None:
    def per_step(estimate: Estimate) -> Tensor:
        return estimate.advantages * estimate.episodes / len(estimate.advantages)

    mean, _ = expectation(2, config("reward-to-go"), tamper=per_step)
    assert (mean - exact_gradient(1.0)).abs().max().item() > 0.1


def test_the_average_baseline_shrinks_the_total_return_estimate_by_1_over_n() -> None:
    mean, _ = expectation(2, config("total-return", "average"))
    assert_gradient(mean, (1.0 - 1.0 / 2.0) * exact_gradient(1.0))


def test_with_one_episode_the_average_baseline_leaves_no_total_return_estimate() -> None:
    mean, variance = expectation(1, config("total-return", "average"))
    assert_gradient(mean, torch.zeros(2, 2))
    assert variance.item() == pytest.approx(0.0, abs=1e-9)


def true_values() -> tuple[float, float]:
    """Roughly V of the two states, averaged over the steps at which they are visited."""
    totals, weights = [0.0, 0.0], [0.0, 0.0]
    for episode in ALL:
        probability = episode.probability(THETA.double()).item()
        for t, state in enumerate(episode.states):
            totals[state] += probability * sum(episode.rewards[t:])
            weights[state] += probability
    return totals[0] / weights[0], totals[1] / weights[1]


def test_variance_falls_from_total_return_to_reward_to_go_to_a_good_baseline() -> None:
    _, total = expectation(1, config("total-return"), cut=False)
    _, to_go = expectation(1, config("reward-to-go"), cut=False)
    _, learned = expectation(1, config("reward-to-go", "value"), FixedValue(true_values()), cut=False)
    assert total > 1.05 * to_go
    assert to_go > 1.05 * learned


def test_a_wrong_value_baseline_costs_variance() -> None:
    _, to_go = expectation(1, config("reward-to-go"), cut=False)
    _, wrong = expectation(1, config("reward-to-go", "value"), FixedValue(WRONG_VALUES), cut=False)
    assert wrong > to_go


# --- sampled through the collector ------------------------------------------------------------------------------------


def finish(generator: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(generator)
        except StopIteration as stop:
            return stop.value


@pytest.fixture(scope="module")
def rollout() -> Rollout:
    collector = Collector(TinyBatch(20_000, seed=11), INFO, torch.device("cpu"))
    collected, _ = finish(collector.collect(policy(), torch.Generator().manual_seed(5), 0))
    assert isinstance(collected, Rollout)
    return collected


def part(rollout: Rollout, low: int, high: int) -> Rollout:
    fields = {name: value[:, low:high] for name, value in vars(rollout).items() if name != "final_observations"}
    return Rollout(**fields, final_observations=rollout.final_observations[low:high])


def deviation(rollout: Rollout, estimator: EstimatorConfig, exact: Tensor, value: FixedValue | None = None) -> float:
    """How many standard errors the mean of 200 batches of 100 episodes lies from ``exact``, in its worst component."""
    batches = [part(rollout, low, low + 100) for low in range(0, 20_000, 100)]
    gradients = torch.stack([gradient_estimate(batch, estimator, value) for batch in batches]).double()
    error = gradients.std(0) / math.sqrt(len(batches))
    return ((gradients.mean(0) - exact).abs() / error).max().item()


def test_the_sampled_lengths_have_the_listed_frequencies(rollout: Rollout) -> None:
    lengths = rollout.mask.sum(0)
    for length in (1, 2, 3):
        expected = sum(e.probability(THETA.double()).item() for e in ALL if len(e.states) == length)
        error = math.sqrt(expected * (1.0 - expected) / 20_000)
        assert abs((lengths == length).double().mean().item() - expected) < 4.0 * error


@pytest.mark.parametrize("credit", ["total-return", "reward-to-go"])
def test_sampled_estimates_lie_within_their_confidence_interval(rollout: Rollout, credit: str) -> None:
    assert deviation(rollout, config(credit), exact_gradient(1.0)) < 4.0


def test_sampled_estimates_with_a_wrong_value_lie_within_their_confidence_interval(rollout: Rollout) -> None:
    value = FixedValue(WRONG_VALUES)
    exact = exact_gradient(1.0, tail=WRONG_VALUES)
    assert deviation(rollout, config("reward-to-go", "value"), exact, value) < 4.0


def test_the_first_episodes_to_finish_would_give_a_biased_estimate(rollout: Rollout) -> None:
    """Why the collector waits for all: of the same episodes, those that ended early are no fair sample."""
    order = rollout.mask.sum(0).argsort(stable=True)[:10_000].sort().values
    fields = {name: value[:, order] for name, value in vars(rollout).items() if name != "final_observations"}
    early = Rollout(**fields, final_observations=rollout.final_observations[order])
    got = gradient_estimate(early, config("reward-to-go"))
    assert (got - exact_gradient(1.0)).abs().max().item() > 0.1
