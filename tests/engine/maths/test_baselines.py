"""Baselines on episodes of unequal length by hand, and the optimal one against the variance it minimises."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engine.maths.baselines import average_baseline, leave_one_out_baseline, optimal_baseline, time_average_baseline

MASK = torch.tensor([[1, 1, 1], [1, 0, 1], [1, 0, 0]], dtype=torch.bool)


def test_every_episode_weighs_alike_whatever_its_length() -> None:
    credit = torch.tensor([[6.0, 10.0, 1.0], [3.0, 0.0, 5.0], [0.0, 0.0, 0.0]])
    assert average_baseline(credit, MASK).item() == pytest.approx((3.0 + 10.0 + 3.0) / 3.0)


def test_averaging_over_steps_instead_would_differ() -> None:
    credit = torch.tensor([[6.0, 10.0, 1.0], [3.0, 0.0, 5.0], [0.0, 0.0, 0.0]])
    assert average_baseline(credit, MASK).item() != pytest.approx(credit[MASK].mean().item())


def test_with_total_returns_it_is_the_mean_return() -> None:
    totals = torch.tensor([2.0, -4.0, 11.0])
    assert average_baseline(totals.expand(3, 3), MASK).item() == pytest.approx(3.0)


def test_padding_does_not_count() -> None:
    credit = torch.where(MASK, 2.0, 1e6)
    assert average_baseline(credit, MASK).item() == pytest.approx(2.0)


def test_one_episode_of_one_step_is_its_own_average() -> None:
    assert average_baseline(torch.tensor([[7.0]]), torch.tensor([[True]])).item() == 7.0


def test_differing_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        average_baseline(torch.zeros(3, 2), MASK)


CREDIT = torch.tensor([[6.0, 10.0, 1.0], [3.0, 0.0, 5.0], [-2.0, 0.0, 0.0]])


def test_the_time_average_is_over_the_episodes_still_running() -> None:
    got = time_average_baseline(CREDIT, MASK)
    assert got.shape == (3, 1)
    assert got[:, 0].tolist() == pytest.approx([17.0 / 3.0, 4.0, -2.0])


def test_averaging_over_all_episodes_instead_would_differ() -> None:
    got = time_average_baseline(CREDIT, MASK)
    assert got[:, 0].tolist() != pytest.approx(CREDIT.mean(1).tolist())


def test_padding_does_not_count_in_the_time_average() -> None:
    credit = torch.where(MASK, CREDIT, -1e6)
    torch.testing.assert_close(time_average_baseline(credit, MASK), time_average_baseline(CREDIT, MASK))


def test_where_no_episode_runs_the_time_average_is_0() -> None:
    mask = torch.tensor([[True, True], [False, False]])
    assert time_average_baseline(torch.full((2, 2), 7.0), mask)[:, 0].tolist() == [7.0, 0.0]
    assert time_average_baseline(torch.zeros(0, 2), torch.zeros(0, 2, dtype=torch.bool)).shape == (0, 1)
    assert time_average_baseline(torch.zeros(2, 0), torch.zeros(2, 0, dtype=torch.bool)).tolist() == [[0.0], [0.0]]


@pytest.mark.parametrize("episodes", [3, 7, 48])
def test_equal_credits_are_their_own_time_average_to_the_last_bit(episodes: int) -> None:
    """As in a solved CartPole; what rounding leaves would be blown up when advantages are normalised."""
    to_go = ((1.0 - 0.99 ** torch.arange(500.0, 0.0, -1.0)) / 0.01).unsqueeze(1).expand(500, episodes)
    assert torch.equal(time_average_baseline(to_go, torch.ones_like(to_go, dtype=torch.bool)), to_go[:, :1])


def test_the_others_average_by_hand() -> None:
    """The episodes' own averages are 7/3, 10 and 3."""
    got = leave_one_out_baseline(CREDIT, MASK)
    assert got.shape == (1, 3)
    assert got[0].tolist() == pytest.approx([13.0 / 2.0, 16.0 / 6.0, 37.0 / 6.0])


def test_an_episode_does_not_enter_its_own_baseline() -> None:
    changed = CREDIT.clone()
    changed[:, 1] = 1e4
    before, after = leave_one_out_baseline(CREDIT, MASK)[0], leave_one_out_baseline(changed, MASK)[0]
    assert after[1].item() == pytest.approx(before[1].item(), rel=1e-3)
    assert after[0].item() != pytest.approx(before[0].item(), rel=1e-3)


def test_with_total_returns_it_stretches_the_distance_from_the_mean() -> None:
    totals = torch.tensor([2.0, -4.0, 11.0])
    advantages = totals - leave_one_out_baseline(totals.expand(3, 3), MASK)[0]
    assert advantages.tolist() == pytest.approx(((totals - totals.mean()) * 3.0 / 2.0).tolist())


def test_one_episode_has_no_others() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        leave_one_out_baseline(torch.ones(3, 1), torch.ones(3, 1, dtype=torch.bool))


@pytest.mark.parametrize("baseline", [average_baseline, leave_one_out_baseline])
def test_an_episode_without_steps_is_refused(baseline: Callable[[Tensor, Tensor], Tensor]) -> None:
    with pytest.raises(ValueError, match="at least one step"):
        baseline(torch.zeros(2, 2), torch.tensor([[True, False], [True, False]]))


@pytest.mark.parametrize("baseline", [average_baseline, leave_one_out_baseline, time_average_baseline])
def test_credit_of_another_shape_is_refused(baseline: Callable[[Tensor, Tensor], Tensor]) -> None:
    with pytest.raises(ValueError, match="one shape"):
        baseline(torch.zeros(3, 2), MASK)
    with pytest.raises(ValueError, match=r"\[T, N\]"):
        baseline(torch.zeros(3), torch.ones(3, dtype=torch.bool))


def test_the_optimal_baseline_by_hand() -> None:
    scores, gradients = torch.tensor([[1.0, 0.0], [2.0, 3.0]]), torch.tensor([[4.0, 0.0], [1.0, 6.0]])
    assert optimal_baseline(scores, gradients, pooled=False).tolist() == pytest.approx([6.0 / 5.0, 18.0 / 9.0])
    assert optimal_baseline(scores, gradients, pooled=True).item() == pytest.approx(24.0 / 14.0)


def test_with_total_returns_it_is_the_return_weighted_by_the_squared_score() -> None:
    scores, totals = torch.tensor([[1.0], [3.0]]), torch.tensor([[10.0], [20.0]])
    got = optimal_baseline(scores, scores * totals, pooled=False)
    assert got.item() == pytest.approx((1.0 * 10.0 + 9.0 * 20.0) / 10.0)
    assert got.item() != pytest.approx(15.0)


@pytest.mark.parametrize("pooled", [False, True])
def test_where_a_score_vanishes_it_is_0(pooled: bool) -> None:
    got = optimal_baseline(torch.zeros(3, 2), torch.zeros(3, 2), pooled)
    assert got.shape == (() if pooled else (2,))
    assert not got.any()


@given(st.integers(0, 10_000), st.integers(2, 8), st.integers(1, 4))
def test_no_other_constant_gives_less_variance(seed: int, episodes: int, parameters: int) -> None:
    """Scores that average 0, as in expectation, make the second moment it minimises the variance itself."""
    generator = torch.Generator().manual_seed(seed)
    scores, gradients = torch.randn(2, episodes, parameters, generator=generator, dtype=torch.float64).unbind()
    scores = scores - scores.mean(0)

    def variances(baseline: Tensor) -> Tensor:
        return (gradients - baseline * scores).var(0, correction=0)

    separate, pooled = optimal_baseline(scores, gradients, False), optimal_baseline(scores, gradients, True)
    for shift in torch.linspace(-2.0, 2.0, 41, dtype=torch.float64):
        assert (variances(separate) <= variances(separate + shift) + 1e-12).all()
        assert variances(pooled).sum() <= variances(pooled + shift).sum() + 1e-12


def test_on_a_bandit_it_beats_the_average_return() -> None:
    """All actions of a softmax policy, each as often as it is taken: 1, 2 and 5 times in 8."""
    chances = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64) / 8.0
    taken = torch.tensor([0] + 2 * [1] + 5 * [2])
    scores = torch.eye(3, dtype=torch.float64)[taken] - chances
    totals = torch.tensor([9.0, 1.0, 4.0], dtype=torch.float64)[taken].unsqueeze(1)

    def variance(baseline: Tensor) -> float:
        return (scores * (totals - baseline)).var(0, correction=0).sum().item()

    best = optimal_baseline(scores, scores * totals, pooled=True)
    weighted = (scores.square().sum(1, keepdim=True) * totals).sum() / scores.square().sum()
    assert best.item() == pytest.approx(weighted.item())
    assert variance(best) < variance(totals.mean()) < variance(torch.zeros(()))


@pytest.mark.parametrize(("scores", "gradients"), [((3, 2), (3, 1)), ((3,), (3,)), ((0, 2), (0, 2))])
def test_scores_of_another_shape_are_refused(scores: tuple[int, ...], gradients: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\[N, P\]"):
        optimal_baseline(torch.zeros(scores), torch.zeros(gradients), pooled=False)
