"""Discounted returns against values worked out by hand, and against the double sum that defines them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engine.returns import discount_sequence, discounted_returns

NO, YES = False, True


def column(*values: float | bool) -> Tensor:
    kind = torch.bool if isinstance(values[0], bool) else torch.float32
    return torch.tensor(values, dtype=kind).unsqueeze(1)


def returns(
    rewards: Tensor, gamma: float, terminated: Tensor, truncated: Tensor, final_values: Tensor | None = None
) -> list[float]:
    final = torch.zeros_like(rewards) if final_values is None else final_values
    discounts = discount_sequence(gamma, terminated)
    return discounted_returns(rewards, discounts, truncated, final)[:, 0].tolist()


@pytest.mark.parametrize(
    ("gamma", "expected"),
    [(1.0, [7.0, 6.0, 4.0]), (0.5, [3.0, 4.0, 4.0]), (0.0, [1.0, 2.0, 4.0])],
)
def test_a_terminated_episode_by_hand(gamma: float, expected: list[float]) -> None:
    got = returns(column(1.0, 2.0, 4.0), gamma, column(NO, NO, YES), column(NO, NO, NO))
    assert got == pytest.approx(expected)


def test_nothing_follows_a_termination_whatever_the_final_value() -> None:
    nothing = column(NO, NO)
    got = returns(column(1.0, 2.0), 1.0, column(NO, YES), nothing, column(100.0, 100.0))
    assert got == pytest.approx([3.0, 2.0])


@pytest.mark.parametrize(("gamma", "expected"), [(1.0, [13.0, 12.0]), (0.5, [4.5, 7.0]), (0.0, [1.0, 2.0])])
def test_a_truncated_episode_goes_on_with_its_final_value(gamma: float, expected: list[float]) -> None:
    got = returns(column(1.0, 2.0), gamma, column(NO, NO), column(NO, YES), column(99.0, 10.0))
    assert got == pytest.approx(expected)


def test_a_truncated_episode_without_an_estimate_counts_what_was_seen() -> None:
    assert returns(column(1.0, 2.0), 0.5, column(NO, NO), column(NO, YES)) == pytest.approx([2.0, 2.0])


def test_an_end_that_is_both_is_a_termination() -> None:
    got = returns(column(1.0, 2.0), 1.0, column(NO, YES), column(NO, YES), column(0.0, 10.0))
    assert got == pytest.approx([3.0, 2.0])


def test_the_recursion_never_crosses_an_end() -> None:
    rewards = column(1.0, 2.0, 4.0, 8.0)
    assert returns(rewards, 1.0, column(NO, YES, NO, YES), column(NO, NO, NO, NO)) == pytest.approx(
        [3.0, 2.0, 12.0, 8.0]
    )
    cut = returns(rewards, 1.0, column(NO, NO, NO, YES), column(NO, YES, NO, NO), column(0.0, 5.0, 0.0, 0.0))
    assert cut == pytest.approx([8.0, 7.0, 12.0, 8.0])


def test_padding_behind_an_end_changes_nothing_before_it() -> None:
    got = returns(column(1.0, 2.0, 0.0, 0.0), 0.5, column(NO, YES, NO, NO), column(NO, NO, NO, NO))
    assert got == pytest.approx([2.0, 2.0, 0.0, 0.0])


def test_a_sequence_of_no_steps_has_no_returns() -> None:
    empty = torch.zeros(0, 3)
    assert discounted_returns(empty, empty, empty.bool(), empty).shape == (0, 3)


def test_any_batch_dimensions_may_stand_behind_time() -> None:
    rewards = torch.arange(12.0).reshape(3, 2, 2)
    never = torch.zeros(3, 2, 2, dtype=torch.bool)
    got = discounted_returns(rewards, discount_sequence(0.5, never), never, torch.zeros_like(rewards))
    assert torch.allclose(got[0], rewards[0] + 0.5 * rewards[1] + 0.25 * rewards[2])


@pytest.mark.parametrize("wrong", range(4))
def test_differing_shapes_are_refused(wrong: int) -> None:
    arguments = [torch.zeros(3, 2), torch.zeros(3, 2), torch.zeros(3, 2, dtype=torch.bool), torch.zeros(3, 2)]
    arguments[wrong] = arguments[wrong][:2]
    with pytest.raises(ValueError, match="one shape"):
        discounted_returns(*arguments)


def test_the_arguments_are_left_as_they_were() -> None:
    rewards, ends = column(1.0, 2.0), column(NO, YES)
    discounts, final = discount_sequence(0.5, ~ends), column(3.0, 4.0)
    copies = [rewards.clone(), discounts.clone(), ends.clone(), final.clone()]
    discounted_returns(rewards, discounts, ends, final)
    for now, before in zip((rewards, discounts, ends, final), copies, strict=True):
        assert torch.equal(now, before)


def by_double_sum(rewards: Tensor, gamma: float, terminated: Tensor, truncated: Tensor, final: Tensor) -> Tensor:
    """G_t = Σ_{k=t}^{e} γ^{k−t} r_k, and γ^{e−t+1} v_e more where e, the first end from t on, is only a cut."""
    result = torch.zeros_like(rewards)
    steps, size = rewards.shape
    for n in range(size):
        for t in range(steps):
            for k in range(t, steps):
                result[t, n] += gamma ** (k - t) * rewards[k, n]
                if truncated[k, n] and not terminated[k, n]:
                    result[t, n] += gamma ** (k - t + 1) * final[k, n]
                if truncated[k, n] or terminated[k, n]:
                    break
    return result


@given(
    steps=st.integers(1, 8),
    size=st.integers(1, 3),
    gamma=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
    seed=st.integers(0, 10_000),
    often=st.floats(0.0, 0.6),
)
def test_the_recursion_is_the_double_sum(steps: int, size: int, gamma: float, seed: int, often: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    rewards, final = torch.randn(2, steps, size, generator=generator, dtype=torch.float64).unbind()
    terminated, truncated = (torch.rand(2, steps, size, generator=generator) < often).unbind()
    discounts = discount_sequence(gamma, terminated).double()
    got = discounted_returns(rewards, discounts, truncated, final)
    expected = by_double_sum(rewards, gamma, terminated, truncated, final)
    torch.testing.assert_close(got, expected, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0])
def test_discounts_are_gamma_except_at_a_termination(gamma: float) -> None:
    assert discount_sequence(gamma, torch.tensor([NO, YES])).tolist() == [gamma, 0.0]


def test_merging_truncation_with_termination_gives_another_answer() -> None:
    rewards, ends, final = column(1.0, 2.0), column(NO, YES), column(0.0, 10.0)
    nothing = column(NO, NO)
    right = returns(rewards, 0.5, nothing, ends, final)
    merged = returns(rewards, 0.5, ends, ends, final)
    assert right == pytest.approx([4.5, 7.0])
    assert merged == pytest.approx([2.0, 2.0])


def test_leaving_out_the_present_reward_gives_another_answer() -> None:
    rewards = column(1.0, 2.0, 4.0)
    right = returns(rewards, 1.0, column(NO, NO, YES), column(NO, NO, NO))
    off_by_one = [*right[1:], 0.0]
    assert right == pytest.approx([7.0, 6.0, 4.0])
    assert off_by_one != pytest.approx(right)
