"""Every credit with every baseline, by hand, on three episodes of unequal length."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from engine.config import EstimatorConfig
from engine.estimators import Estimate, estimate
from engine.policies.policy import ValueFunction
from engine.returns import discount_sequence, discounted_returns
from engine.rollouts import Rollout


class TenTimes(ValueFunction):
    """V(s) = 10 s₀, so that a value tells which observation it was asked for."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)

    def forward(self, observations: Tensor) -> Tensor:
        return 10.0 * observations[..., 0]


def three_episodes() -> Rollout:
    """A of 3 steps, terminated; B of 1 step, terminated; C of 2 steps, truncated at an observation worth 10·0.9 = 9.

    Padding holds absurd observations and actions, which nothing may see.
    """
    no = torch.zeros(3, 3, dtype=torch.bool)
    terminated, truncated = no.clone(), no.clone()
    terminated[2, 0] = terminated[0, 1] = truncated[1, 2] = True
    return Rollout(
        observations=torch.tensor([[0.1, 0.4, 0.5], [0.2, 1e9, 0.6], [0.3, 1e9, 1e9]]).unsqueeze(-1),
        actions=torch.tensor([[0, 3, 4], [1, 99, 5], [2, 99, 99]]),
        rewards=torch.tensor([[1.0, 8.0, 16.0], [2.0, 0.0, 32.0], [4.0, 0.0, 0.0]]),
        terminated=terminated,
        truncated=truncated,
        mask=torch.tensor([[1, 1, 1], [1, 0, 1], [1, 0, 0]], dtype=torch.bool),
        final_observations=torch.tensor([[7.0], [8.0], [0.9]]),
    )


def advantages(estimated: Estimate) -> dict[int, float]:
    """The advantage of each step by its action, which is unique in ``three_episodes``."""
    return dict(zip(estimated.actions.tolist(), estimated.advantages.tolist(), strict=True))


def estimated(credit: str, baseline: str, gamma: float = 1.0) -> Estimate:
    config = EstimatorConfig.model_validate({"credit": credit, "baseline": baseline, "gamma": gamma})
    return estimate(three_episodes(), config, TenTimes() if baseline == "value" else None)


# By action: 0, 1, 2 are A's, 3 is B's, 4 and 5 are C's.
BY_HAND: list[tuple[str, str, float, list[float]]] = [
    ("total-return", "none", 1.0, [7, 7, 7, 8, 48, 48]),
    ("reward-to-go", "none", 1.0, [7, 6, 4, 8, 48, 32]),
    ("total-return", "none", 0.5, [3, 3, 3, 8, 32, 32]),
    ("reward-to-go", "none", 0.5, [3, 4, 4, 8, 32, 32]),
    ("reward-to-go", "none", 0.0, [1, 2, 4, 8, 16, 32]),
    ("total-return", "average", 1.0, [-14, -14, -14, -13, 27, 27]),  # (7 + 8 + 48) / 3 = 21
    # (17/3 + 8 + 40) / 3 = 161/9: each episode's own average first
    ("reward-to-go", "average", 1.0, [x - 161 / 9 for x in (7, 6, 4, 8, 48, 32)]),
    ("total-return", "value", 1.0, [7 - 1, 7 - 1, 7 - 1, 8 - 4, 57 - 5, 57 - 5]),
    ("reward-to-go", "value", 1.0, [7 - 1, 6 - 2, 4 - 3, 8 - 4, 57 - 5, 41 - 6]),
    ("total-return", "value", 0.5, [3 - 1, 3 - 1, 3 - 1, 8 - 4, 34.25 - 5, 34.25 - 5]),
    ("reward-to-go", "value", 0.5, [3 - 1, 4 - 2, 4 - 3, 8 - 4, 34.25 - 5, 36.5 - 6]),
]


@pytest.mark.parametrize(("credit", "baseline", "gamma", "expected"), BY_HAND)
def test_advantages_by_hand(credit: str, baseline: str, gamma: float, expected: list[float]) -> None:
    got = advantages(estimated(credit, baseline, gamma))
    assert [got[action] for action in range(6)] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("baseline", ["none", "average", "value"])
@pytest.mark.parametrize("credit", ["total-return", "reward-to-go"])
def test_observations_actions_values_and_returns_stand_at_the_same_step(credit: str, baseline: str) -> None:
    got = estimated(credit, baseline)
    seen = dict(zip(got.actions.tolist(), got.observations[:, 0].tolist(), strict=True))
    assert seen == pytest.approx({0: 0.1, 1: 0.2, 2: 0.3, 3: 0.4, 4: 0.5, 5: 0.6})
    bootstrapped = 9.0 if baseline == "value" else 0.0
    targets = dict(zip(got.actions.tolist(), got.returns.tolist(), strict=True))
    assert targets == pytest.approx({0: 7.0, 1: 6.0, 2: 4.0, 3: 8.0, 4: 48.0 + bootstrapped, 5: 32.0 + bootstrapped})
    if got.values is not None:
        assert torch.allclose(got.values, 10.0 * got.observations[:, 0])


def test_padding_is_left_out() -> None:
    got = estimated("reward-to-go", "value")
    assert len(got.actions) == len(got.advantages) == len(got.returns) == 6
    assert got.episodes == 3


def test_values_are_left_out_without_a_value_function() -> None:
    assert estimated("reward-to-go", "average").values is None


def test_no_gradient_reaches_the_value_function() -> None:
    config = EstimatorConfig.model_validate({"baseline": "value"})
    value = TenTimes()
    value.weight = torch.nn.Parameter(torch.ones(1))
    value.forward = lambda observations: value.weight * observations[..., 0]  # type: ignore[method-assign]
    assert not estimate(three_episodes(), config, value).advantages.requires_grad


def test_a_termination_at_the_time_limit_is_not_completed_with_a_value() -> None:
    rollout = three_episodes()
    both = rollout.terminated | rollout.truncated
    ended = Rollout(**{**vars(rollout), "terminated": both})
    config = EstimatorConfig.model_validate({"baseline": "value", "gamma": 1.0})
    got = dict(
        zip(rollout.actions[rollout.mask].tolist(), estimate(ended, config, TenTimes()).returns.tolist(), strict=True)
    )
    assert got[5] == pytest.approx(32.0)


def test_the_total_return_exceeds_the_reward_to_go_by_the_rewards_that_came_before() -> None:
    rollout = three_episodes()
    total = estimated("total-return", "none").advantages
    to_go = estimated("reward-to-go", "none").advantages
    before = (rollout.rewards.cumsum(0) - rollout.rewards)[rollout.mask]
    torch.testing.assert_close(total - to_go, before)


def test_one_episode_of_one_step() -> None:
    yes = torch.ones(1, 1, dtype=torch.bool)
    rollout = Rollout(
        torch.zeros(1, 1, 2),
        torch.zeros(1, 1, dtype=torch.int64),
        torch.tensor([[5.0]]),
        yes,
        ~yes,
        yes,
        torch.ones(1, 2),
    )
    config = EstimatorConfig.model_validate({"baseline": "value"})
    got = estimate(rollout, config, TenTimes())
    assert got.advantages.tolist() == [5.0]
    assert got.observations.shape == (1, 2)


@pytest.mark.parametrize("kind", ["reward-to-go", "total-return"])
def test_continuous_actions_keep_their_dimensions(kind: str) -> None:
    rollout = three_episodes()
    boxed = Rollout(**{**vars(rollout), "actions": rollout.actions.unsqueeze(-1).expand(3, 3, 2).float()})
    config = EstimatorConfig.model_validate({"credit": kind, "baseline": "none"})
    assert estimate(boxed, config, None).actions.shape == (6, 2)


def test_the_estimator_agrees_with_the_pure_functions_it_is_made_of() -> None:
    generator = torch.Generator().manual_seed(3)
    rollout: Any = three_episodes()
    rewards = torch.randn(3, 3, generator=generator) * rollout.mask
    random = Rollout(**{**vars(rollout), "rewards": rewards})
    config = EstimatorConfig.model_validate({"baseline": "none", "gamma": 0.9})
    discounts = discount_sequence(0.9, rollout.terminated)
    expected = discounted_returns(rewards, discounts, rollout.truncated, torch.zeros(3, 3))[rollout.mask]
    torch.testing.assert_close(estimate(random, config, None).advantages, expected)
