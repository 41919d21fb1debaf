"""Returns and advantages against values worked out by hand, and against the double sums that define them."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engine.maths.returns import (
    carried,
    discount_sequence,
    discounted_returns,
    discounted_sums,
    gae,
    n_step_sums,
    state_discounts,
    td_errors,
)

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


def test_final_values_may_be_anything_where_nothing_is_truncated() -> None:
    unknown = column(math.nan, math.inf)
    assert returns(column(1.0, 2.0), 0.5, column(NO, YES), column(NO, NO), unknown) == pytest.approx([2.0, 2.0])
    errors = td_errors(column(1.0, 2.0), column(0.5, 0.0), column(NO, NO), column(0.0, 0.0), unknown)
    assert errors[:, 0].tolist() == pytest.approx([1.0, 2.0])


def test_sums_by_hand() -> None:
    got = discounted_sums(column(1.0, 2.0, 4.0), column(0.5, 0.0, 9.0))
    assert got[:, 0].tolist() == pytest.approx([2.0, 2.0, 4.0])


def test_only_what_was_collected_of_the_same_episode_is_carried() -> None:
    discounts = discount_sequence(0.5, column(NO, YES, NO))
    assert discounts[:, 0].tolist() == [0.5, 0.0, 0.5]
    assert carried(discounts, column(NO, NO, YES))[:, 0].tolist() == [0.5, 0.0, 0.0]


# Two episodes in one sequence: the first cut off after two steps, the second terminated after two more.
REWARDS = column(1.0, 2.0, 4.0, 8.0)
VALUES = column(10.0, 20.0, 40.0, 80.0)
DISCOUNTS = discount_sequence(0.5, column(NO, NO, NO, YES))
CUT = column(NO, YES, NO, NO)
FINAL = column(0.0, 6.0, 0.0, 0.0)
ERRORS = td_errors(REWARDS, DISCOUNTS, CUT, VALUES, FINAL)
CARRY = carried(DISCOUNTS, CUT)


def test_td_errors_by_hand() -> None:
    assert ERRORS[:, 0].tolist() == pytest.approx([1 + 10 - 10, 2 + 3 - 20, 4 + 40 - 40, 8 + 0 - 80])


def test_a_sequence_that_just_stops_is_worth_nothing_afterwards() -> None:
    got = td_errors(column(1.0), column(0.5), column(NO), column(10.0), column(99.0))
    assert got[:, 0].tolist() == pytest.approx([1.0 - 10.0])


def test_gae_by_hand() -> None:
    """λγ = 1/4 within an episode, 0 across its end."""
    assert gae(ERRORS, CARRY, 0.5)[:, 0].tolist() == pytest.approx([1 - 15 / 4, -15, 4 - 72 / 4, -72])


def test_two_step_advantages_by_hand() -> None:
    """The second and the fourth step are the last of their episodes: one step is all there is."""
    got = n_step_sums(ERRORS, CARRY, 2)[:, 0].tolist()
    assert got == pytest.approx([1 + 0.5 * 2 + 0.25 * 6 - 10, 2 + 0.5 * 6 - 20, 4 + 0.5 * 8 - 40, 8 - 80])


def test_the_next_episodes_value_in_place_of_the_final_one_gives_another_answer() -> None:
    crossing = td_errors(REWARDS, DISCOUNTS, torch.zeros_like(CUT), VALUES, FINAL)
    assert crossing[1].item() == pytest.approx(2 + 20 - 20)
    assert crossing[1].item() != pytest.approx(ERRORS[1].item())


def test_carrying_across_a_truncation_gives_another_answer() -> None:
    leaking = gae(ERRORS, DISCOUNTS, 0.5)[:, 0].tolist()
    assert leaking[2:] == pytest.approx([4 - 72 / 4, -72])
    assert leaking[1] == pytest.approx(-15 + leaking[2] / 4)
    assert leaking[1] != pytest.approx(-15)


def test_merging_truncation_with_termination_gives_other_advantages() -> None:
    merged = discount_sequence(0.5, column(NO, YES, NO, YES))
    nothing = torch.zeros_like(CUT)
    errors = td_errors(REWARDS, merged, nothing, VALUES, FINAL)
    assert errors[1].item() == pytest.approx(2 - 20)
    wrong = gae(errors, carried(merged, nothing), 0.5)
    assert wrong[:2, 0].tolist() != pytest.approx(gae(ERRORS, CARRY, 0.5)[:2, 0].tolist())
    assert wrong[2:, 0].tolist() == pytest.approx(gae(ERRORS, CARRY, 0.5)[2:, 0].tolist())


@st.composite
def sequences(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Rewards, discounts, truncated, values and final values, float64, with ends anywhere and of both kinds."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 10_000)))
    shape = (draw(st.integers(1, 8)), draw(st.integers(1, 3)))
    rewards, values, final = torch.randn(3, *shape, generator=generator, dtype=torch.float64).unbind()
    terminated, truncated = (torch.rand(2, *shape, generator=generator) < draw(st.floats(0.0, 0.6))).unbind()
    discounts = discount_sequence(draw(st.sampled_from([0.0, 0.3, 0.9, 1.0])), terminated).double()
    return rewards, discounts, truncated, values, final


@given(sequences())
def test_lambda_1_is_monte_carlo_and_lambda_0_one_step(sequence: tuple[Tensor, ...]) -> None:
    rewards, discounts, truncated, values, final = sequence
    errors, carry = td_errors(*sequence), carried(discounts, truncated)
    monte_carlo = discounted_returns(rewards, discounts, truncated, final) - values
    torch.testing.assert_close(gae(errors, carry, 1.0), monte_carlo)
    assert torch.equal(gae(errors, carry, 0.0), errors)


@given(sequences(), st.integers(1, 12))
def test_n_steps_go_from_one_step_to_monte_carlo(sequence: tuple[Tensor, ...], n: int) -> None:
    errors, carry = td_errors(*sequence), carried(sequence[1], sequence[2])
    assert torch.equal(n_step_sums(errors, carry, 1), errors)
    everything = gae(errors, carry, 1.0)
    torch.testing.assert_close(n_step_sums(errors, carry, len(errors)), everything)
    torch.testing.assert_close(n_step_sums(errors, carry, len(errors) + n), everything)
    torch.testing.assert_close(n_step_sums(errors, carry, n), by_n_rewards(*sequence, n))


def by_n_rewards(
    rewards: Tensor, discounts: Tensor, truncated: Tensor, values: Tensor, final: Tensor, n: int
) -> Tensor:
    """Σ_{l<n} γ^l r_{t+l} + γ^n V_{t+n} − V_t, or up to the episode's end if that comes before."""
    result = -values
    steps, size = rewards.shape
    for i in range(size):
        for t in range(steps):
            weight = 1.0
            for k in range(t, min(t + n, steps)):
                result[t, i] += weight * rewards[k, i]
                weight *= discounts[k, i].item()
                if truncated[k, i] or weight == 0.0:
                    result[t, i] += weight * final[k, i]
                    break
            else:
                if t + n < steps:
                    result[t, i] += weight * values[t + n, i]
    return result


@given(sequences(), st.floats(0.0, 1.0))
def test_gae_is_the_weighted_average_of_all_n_step_advantages(sequence: tuple[Tensor, ...], share: float) -> None:
    """(1 − λ) Σ_{n≥1} λ^{n−1} A^{(n)}, where A^{(n)} = A^{(T)} for all n ≥ T."""
    errors, carry = td_errors(*sequence), carried(sequence[1], sequence[2])
    steps = len(errors)
    average = share ** (steps - 1) * n_step_sums(errors, carry, steps)
    for n in range(1, steps):
        average += (1.0 - share) * share ** (n - 1) * n_step_sums(errors, carry, n)
    torch.testing.assert_close(gae(errors, carry, share), average)


def test_padding_behind_an_end_earns_no_advantage_and_changes_none() -> None:
    padded = [torch.cat((x, torch.zeros(2, 1, dtype=x.dtype))) for x in (REWARDS, CUT, VALUES, FINAL)]
    discounts = discount_sequence(0.5, column(NO, NO, NO, YES, NO, NO))
    errors = td_errors(padded[0], discounts, *padded[1:])
    got = gae(errors, carried(discounts, padded[1]), 0.5)
    assert torch.equal(got[:4], gae(ERRORS, CARRY, 0.5))
    assert got[4:].tolist() == [[0.0], [0.0]]


def test_sums_of_no_steps_are_no_sums() -> None:
    empty = torch.zeros(0, 3)
    assert td_errors(empty, empty, empty.bool(), empty, empty).shape == (0, 3)
    assert gae(empty, empty, 0.5).shape == (0, 3)
    assert n_step_sums(empty, empty, 4).shape == (0, 3)


def test_the_terms_are_left_as_they_were() -> None:
    terms, carry = REWARDS.clone(), CARRY.clone()
    for n in (1, 2, 9):
        assert n_step_sums(terms, carry, n) is not terms
    assert torch.equal(terms, REWARDS)
    assert torch.equal(carry, CARRY)


def test_other_functions_refuse_differing_shapes_too() -> None:
    three, two, nothing = torch.zeros(3, 1), torch.zeros(2, 1), torch.zeros(3, 1, dtype=torch.bool)
    calls: list[Callable[[], Tensor]] = [
        lambda: carried(three, nothing[:2]),
        lambda: discounted_sums(three, two),
        lambda: n_step_sums(three, two, 1),
        lambda: td_errors(three, three, nothing, two, three),
        lambda: gae(three, two, 0.5),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="one shape"):
            call()


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        n_step_sums(REWARDS, CARRY, 0)
    for wrong in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="from 0 to 1"):
            gae(ERRORS, CARRY, wrong)
        with pytest.raises(ValueError, match="from 0 to 1"):
            state_discounts(wrong, torch.tensor([0]))
    with pytest.raises(ValueError, match="negative"):
        state_discounts(0.9, torch.tensor([1, -1]))


@pytest.mark.parametrize(
    ("gamma", "expected"), [(1.0, [1.0, 1.0, 1.0, 1.0]), (0.5, [1.0, 0.5, 0.25, 1.0]), (0.0, [1.0, 0.0, 0.0, 1.0])]
)
def test_late_states_count_less_from_the_start_of_their_own_episode(gamma: float, expected: list[float]) -> None:
    got = state_discounts(gamma, torch.tensor([[0], [1], [2], [0]]))
    assert got.dtype == torch.float32
    assert got[:, 0].tolist() == expected


def test_a_fixed_length_rollout_may_begin_in_the_middle_of_an_episode() -> None:
    assert state_discounts(0.9, torch.tensor([100, 101])).tolist() == pytest.approx([0.9**100, 0.9**101], rel=1e-4)
