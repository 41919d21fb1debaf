"""Estimators broken on purpose: the check that passes the right ones must fail each of these.

Every break is one that a program, or a text, has really had. The break is made between estimating and following, so
that the rest is the engine's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.experience.batch import Batch
from tests.engine.tiny_mdp import TINY, assert_gradient, configured, greedily, mean, values

Break = Callable[[Batch], Batch]
PULLED = 0.02  # how far off the mean must be for a break to count as one that the tests would see


def assert_caught(got: Tensor, expected: Tensor) -> None:
    """The very check of the unbiased estimators fails, and not by rounding."""
    with pytest.raises(AssertionError):
        assert_gradient(got, expected)
    assert (got - expected).norm().item() > PULLED


def crediting(credit: Callable[[Tensor], Tensor]) -> Break:
    """Replaces the advantages of a single episode by what ``credit`` makes of its rewards [T]."""
    return lambda batch: replace(batch, advantages=credit(batch.rollout.flat(batch.rollout.rewards)))


def to_go(rewards: Tensor, gamma: float = 1.0) -> Tensor:
    steps = torch.arange(len(rewards))
    ahead = steps - steps.unsqueeze(-1)
    return (rewards * torch.where(ahead >= 0, gamma ** ahead.clamp(min=0).float(), 0.0)).sum(-1)


def test_the_right_credit_passes_the_same_way() -> None:
    assert_gradient(mean(TINY, configured(), change=crediting(to_go)), TINY.gradient(1.0))


OFF_BY_ONE: dict[str, Callable[[Tensor], Tensor]] = {
    "the present reward is left out, as [Jabon 2023] words it": lambda r: to_go(r) - r,
    "the last reward is left out": lambda r: to_go(torch.cat((r[:-1], torch.zeros(1)))),
    "only the present reward counts": lambda r: r,
    "the rewards up to now count, not those from now on": lambda r: r.cumsum(0),
    "the sign is wrong": lambda r: -to_go(r),
    "the rewards are averaged over the steps that are left": lambda r: to_go(r) / torch.arange(len(r), 0, -1),
}


@pytest.mark.parametrize("broken", OFF_BY_ONE.values(), ids=OFF_BY_ONE.keys())
def test_a_wrong_reward_to_go_is_caught(broken: Callable[[Tensor], Tensor]) -> None:
    assert_caught(mean(TINY, configured(), change=crediting(broken)), TINY.gradient(1.0))


def counted_from_the_end(rewards: Tensor, gamma: float) -> Tensor:
    """Σ_{k≥i} γ^{t−k} r_k with t the last step, as [Jethro] prints it: the later a reward, the more it counts."""
    weights = gamma ** torch.arange(len(rewards) - 1, -1, -1).float()
    return to_go(rewards * weights)


WRONG_DISCOUNTS: dict[str, Callable[[Tensor], Tensor]] = {
    "γ^(t−k), as [Jethro] prints it": lambda r: counted_from_the_end(r, 0.5),
    "γ^k from the episode's start, and γ^t besides": lambda r: to_go(r * 0.5 ** torch.arange(len(r)).float()),
    "γ^(k−i+1)": lambda r: 0.5 * to_go(r, 0.5),
    "none": lambda r: to_go(r),
}


@pytest.mark.parametrize("broken", WRONG_DISCOUNTS.values(), ids=WRONG_DISCOUNTS.keys())
def test_a_wrong_discount_is_caught(broken: Callable[[Tensor], Tensor]) -> None:
    config = configured(gamma=0.5, discount_states=True)
    assert_gradient(mean(TINY, config), TINY.gradient(0.5))
    assert_caught(mean(TINY, config, change=crediting(broken)), TINY.gradient(0.5))


def test_a_past_reward_is_forgiven_because_no_action_can_change_it() -> None:
    """Causality, the other way round: what came before adds noise to the estimate, but no bias."""

    def with_the_past(rewards: Tensor) -> Tensor:
        return to_go(rewards, 0.5) + rewards.cumsum(0) - rewards

    config = configured(gamma=0.5, discount_states=True)
    assert_gradient(mean(TINY, config, change=crediting(with_the_past)), TINY.gradient(0.5))


@pytest.mark.parametrize("shift", [1, -1])
def test_states_weighted_for_another_step_are_caught(shift: int) -> None:
    def shifted(batch: Batch) -> Batch:
        return replace(batch, state_weights=batch.state_weights * 0.5**shift)

    config = configured(gamma=0.5, discount_states=True)
    assert_caught(mean(TINY, config, change=shifted), TINY.gradient(0.5))


# --- ends of episodes -------------------------------------------------------------------------------------------------

HIGH = (5.0, -3.0)


def ending(terminated: Callable[[Batch], Tensor]) -> Break:
    """Advantages of a single episode whose end is taken for another kind than it is."""

    def broken(batch: Batch) -> Batch:
        rollout = batch.rollout
        rewards, value = rollout.flat(rollout.rewards), torch.tensor(HIGH)
        completed = rewards.clone()
        goes_on = ~rollout.flat(terminated(batch))[-1]
        last = rollout.final_observations[-1] if len(rollout.final_observations) else rollout.observations[-1, 0]
        completed[-1] += goes_on * value[last]
        return replace(batch, advantages=to_go(completed) - batch.learned.values)

    return broken


ENDS: dict[str, tuple[Callable[[Batch], Tensor], bool]] = {
    "as it is": (lambda batch: batch.rollout.terminated, True),
    "every end a termination": (lambda batch: batch.rollout.terminated | batch.rollout.truncated, False),
    "every end a truncation": (lambda batch: torch.zeros_like(batch.rollout.terminated), False),
    "the two the wrong way round": (lambda batch: batch.rollout.truncated, False),
}


@pytest.mark.parametrize(("ended", "right"), ENDS.values(), ids=ENDS.keys())
def test_termination_and_truncation_cannot_be_mistaken_for_each_other(
    ended: Callable[[Batch], Tensor], right: bool
) -> None:
    got = mean(TINY, configured("reward-to-go", "value"), critic=values(HIGH), change=ending(ended))
    check = assert_gradient if right else assert_caught
    check(got, TINY.gradient(1.0, tail=HIGH))


# --- sums over steps --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2])
def test_dividing_by_steps_instead_of_episodes_is_caught(size: int) -> None:
    def per_step(batch: Batch) -> Batch:
        return replace(batch, advantages=batch.advantages * batch.divisor / batch.size)

    assert_caught(mean(TINY, configured(), size, change=per_step), TINY.gradient(1.0))


def test_advantages_one_row_off_are_caught() -> None:
    """As where two tensors are flattened in different orders."""

    def rolled(batch: Batch) -> Batch:
        return replace(batch, advantages=batch.advantages.roll(1))

    assert_caught(mean(TINY, configured(), change=rolled), TINY.gradient(1.0))


def test_a_rollout_flattened_time_first_is_caught() -> None:
    def time_first(batch: Batch) -> Batch:
        grid = batch.rollout.unflat(batch.advantages)
        return replace(batch, advantages=grid[batch.rollout.mask])

    assert_gradient(mean(TINY, configured(), change=time_first), TINY.gradient(1.0))  # one episode has one order
    assert_caught(mean(TINY, configured(), 2, change=time_first), TINY.gradient(1.0))


def test_an_average_that_is_not_taken_over_the_others_is_caught() -> None:
    def all_of_them(batch: Batch) -> Batch:
        return replace(batch, advantages=batch.advantages - batch.advantages.mean())

    assert_caught(mean(TINY, configured("reward-to-go"), 2, change=all_of_them), TINY.gradient(1.0))


# --- ratios -----------------------------------------------------------------------------------------------------------


def off_policy(weighting: str) -> dict[str, Any]:
    return {
        "kind": "off-policy",
        "optimizer": "sgd",
        "learning_rate": 1.0,
        "updates_per_batch": 1,
        "weighting": weighting,
    }


@pytest.mark.parametrize("weighting", ["per-trajectory", "per-decision"])
@pytest.mark.parametrize("claimed", [0.2, 0.8])
def test_another_share_of_greedy_actions_than_was_acted_is_caught(weighting: str, claimed: float) -> None:
    config = greedily(configured(update=off_policy(weighting)), 0.5)

    def misreport(batch: Batch) -> Batch:
        return replace(batch, rollout=replace(batch.rollout, greedy_share=claimed))

    assert_gradient(mean(TINY, config, share=0.5), TINY.gradient(1.0))
    assert_caught(mean(TINY, config, share=0.5, change=misreport), TINY.gradient(1.0))
