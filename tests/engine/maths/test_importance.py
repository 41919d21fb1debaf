"""Importance weights by hand, at their extremes, and against expectations under the other policy."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engine.maths.importance import effective_sample_size, prefix_log_weights, trajectory_log_weights, weights

MASK = torch.tensor([[1, 1, 1], [1, 0, 1], [1, 0, 0]], dtype=torch.bool)
RATIOS = torch.tensor([[2.0, 0.5, 1.0], [3.0, 9.0, 0.25], [0.5, 9.0, 9.0]])

IMPOSSIBLE = -math.inf


def test_prefixes_multiply_what_has_happened_so_far() -> None:
    got = prefix_log_weights(RATIOS.log(), MASK).exp()
    expected = [[2.0, 0.5, 1.0], [6.0, 0.5, 0.25], [3.0, 0.5, 0.25]]
    torch.testing.assert_close(got, torch.tensor(expected))


def test_whole_episodes_multiply_everything_but_padding() -> None:
    got = trajectory_log_weights(RATIOS.log(), MASK)
    assert got.exp().tolist() == pytest.approx([3.0, 0.5, 0.25])
    torch.testing.assert_close(got, prefix_log_weights(RATIOS.log(), MASK)[-1])


def test_an_impossible_action_makes_all_that_follows_impossible_and_nothing_before() -> None:
    log_ratios = torch.tensor([[0.5, 0.0], [IMPOSSIBLE, 0.0], [0.5, 0.0]])
    everything = torch.ones(3, 2, dtype=torch.bool)
    got = weights(prefix_log_weights(log_ratios, everything), self_normalized=False, truncation=0.0)
    assert got[:, 0].tolist() == pytest.approx([math.exp(0.5), 0.0, 0.0])
    assert got[:, 1].tolist() == [1.0, 1.0, 1.0]


def test_what_stands_on_padding_does_not_count() -> None:
    log_ratios = torch.where(MASK, RATIOS.log(), math.nan)
    torch.testing.assert_close(prefix_log_weights(log_ratios, MASK), prefix_log_weights(RATIOS.log(), MASK))
    torch.testing.assert_close(trajectory_log_weights(log_ratios, MASK), trajectory_log_weights(RATIOS.log(), MASK))


LOGS = torch.tensor([1.0, 2.0, 5.0]).log()


@pytest.mark.parametrize(
    ("self_normalized", "truncation", "expected"),
    [
        (False, 0.0, [1.0, 2.0, 5.0]),
        (False, 3.0, [1.0, 2.0, 3.0]),
        (True, 0.0, [3 / 8, 6 / 8, 15 / 8]),
        (True, 3.0, [3 / 6, 6 / 6, 9 / 6]),  # truncated first, so that the mean is still 1
    ],
)
def test_weights_by_hand(self_normalized: bool, truncation: float, expected: list[float]) -> None:
    assert weights(LOGS, self_normalized, truncation).tolist() == pytest.approx(expected)


def test_each_time_step_is_normalised_on_its_own() -> None:
    log_weights = torch.tensor([[1.0, 3.0], [5.0, 5.0]]).log()
    got = weights(log_weights, self_normalized=True, truncation=0.0)
    torch.testing.assert_close(got, torch.tensor([[0.5, 1.5], [1.0, 1.0]]))


def test_a_plain_product_that_explodes_stays_a_number() -> None:
    got = weights(torch.tensor([0.0, 1e4]), self_normalized=False, truncation=0.0)
    assert got.tolist() == [1.0, pytest.approx(torch.finfo(torch.float32).max, rel=1e-2)]
    assert weights(torch.tensor([1e4]), self_normalized=False, truncation=10.0).item() == pytest.approx(10.0)


def test_normalised_weights_do_not_depend_on_the_scale_however_large_or_small() -> None:
    expected = [3 / 8, 6 / 8, 15 / 8]
    for shift in (-1e4, 0.0, 1e4):
        got = weights(LOGS.double() + shift, self_normalized=True, truncation=0.0)
        assert got.tolist() == pytest.approx(expected)


@pytest.mark.parametrize("self_normalized", [False, True])
def test_where_every_episode_is_impossible_all_weights_are_0(self_normalized: bool) -> None:
    log_weights = torch.tensor([[IMPOSSIBLE, IMPOSSIBLE], [IMPOSSIBLE, 0.0]])
    got = weights(log_weights, self_normalized, truncation=0.0)
    assert got.tolist() == [[0.0, 0.0], [0.0, 2.0 if self_normalized else 1.0]]


@pytest.mark.parametrize("self_normalized", [False, True])
@pytest.mark.parametrize("truncation", [0.0, 2.0])
def test_gradients_are_numbers_at_every_extreme(self_normalized: bool, truncation: float) -> None:
    log_weights = torch.tensor([IMPOSSIBLE, 0.5, 1e4, -1e4], requires_grad=True)
    got = weights(log_weights, self_normalized, truncation)
    assert got.isfinite().all()
    (gradient,) = torch.autograd.grad(got[1], log_weights)
    assert gradient.isfinite().all()


def test_the_gradient_of_a_plain_weight_is_the_weight() -> None:
    log_weights = LOGS.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(weights(log_weights, False, 3.0).sum(), log_weights)
    assert gradient.tolist() == pytest.approx([1.0, 2.0, 0.0])


@given(st.lists(st.floats(-200.0, 200.0), min_size=1, max_size=8), st.sampled_from([0.0, 0.1, 1.0, 50.0]))
def test_normalised_weights_average_1(log_weights: list[float], truncation: float) -> None:
    got = weights(torch.tensor(log_weights), self_normalized=True, truncation=truncation)
    assert got.mean().item() == pytest.approx(1.0, rel=1e-4)
    assert ((got >= 0.0) & (got <= len(log_weights) * (1.0 + 1e-5))).all()


OLD = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
NEW = torch.tensor([0.6, 0.4, 0.0], dtype=torch.float64)


def expectation_of(self_normalized: bool, truncation: float) -> float:
    """Σ_a μ(a) w(a) r(a) for the one-step process with rewards 1, 2, 4; each action as often as μ takes it in 10."""
    taken = torch.tensor([0] * 2 + [1] * 3 + [2] * 5)
    log_ratios = (NEW.log() - OLD.log())[taken].unsqueeze(0)
    log_weights = trajectory_log_weights(log_ratios, torch.ones_like(log_ratios, dtype=torch.bool))
    rewards = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)[taken]
    return (weights(log_weights, self_normalized, truncation) * rewards).mean().item()


def test_weighted_rewards_of_one_policy_average_those_of_the_other() -> None:
    assert expectation_of(False, 0.0) == pytest.approx(0.6 * 1.0 + 0.4 * 2.0)
    assert expectation_of(True, 0.0) == pytest.approx(0.6 * 1.0 + 0.4 * 2.0)


def test_truncation_biases_towards_the_policy_that_acted() -> None:
    assert expectation_of(False, 2.0) == pytest.approx(0.2 * 2.0 * 1.0 + 0.4 * 2.0)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [([1.0, 1.0, 1.0, 1.0], 4.0), ([1.0, 0.0, 0.0], 1.0), ([1.0, 2.0], 9.0 / 5.0), ([7.0], 1.0), ([0.0, 0.0], 0.0)],
)
def test_effective_sample_size_by_hand(raw: list[float], expected: float) -> None:
    assert effective_sample_size(torch.tensor(raw).log()) == pytest.approx(expected)


@given(
    st.lists(st.one_of(st.floats(-1e4, 1e4, width=32), st.just(IMPOSSIBLE)), min_size=1, max_size=8),
    st.floats(-1e3, 1e3, width=32),
)
def test_effective_sample_size_has_bounds_and_no_scale(log_weights: list[float], shift: float) -> None:
    size = effective_sample_size(torch.tensor(log_weights))
    if all(number == IMPOSSIBLE for number in log_weights):
        assert size == 0.0
    else:
        assert 1.0 <= size <= len(log_weights)
        moved = torch.tensor(log_weights, dtype=torch.float64) + shift
        assert effective_sample_size(moved) == pytest.approx(size, rel=1e-3)


def test_an_effective_sample_size_of_no_numbers_is_no_number() -> None:
    assert math.isnan(effective_sample_size(torch.tensor([0.0, math.nan])))


@pytest.mark.parametrize("function", [prefix_log_weights, trajectory_log_weights])
def test_differing_shapes_are_refused(function: object) -> None:
    with pytest.raises(ValueError, match="one shape"):
        function(torch.zeros(2, 3), MASK)  # type: ignore[operator]


@pytest.mark.parametrize("empty", [torch.zeros(()), torch.zeros(3, 0)])
def test_weights_of_no_episodes_are_refused(empty: Tensor) -> None:
    with pytest.raises(ValueError, match="N at least 1"):
        weights(empty, self_normalized=True, truncation=0.0)


@pytest.mark.parametrize("wrong", [torch.zeros(()), torch.zeros(0), torch.zeros(2, 2)])
def test_sample_sizes_of_other_shapes_are_refused(wrong: Tensor) -> None:
    with pytest.raises(ValueError, match="N at least 1"):
        effective_sample_size(wrong)


@pytest.mark.parametrize("wrong", [-1.0, math.nan])
def test_a_negative_truncation_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="truncation"):
        weights(LOGS, self_normalized=False, truncation=wrong)
