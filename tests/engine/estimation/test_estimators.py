"""Every credit with every baseline, by hand, on three episodes of unequal length."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config.policies import LinearPolicy
from engine.estimation.estimators import advantages, estimate
from engine.experience.batch import Batch, ConstantBaseline, LearnedValue, ParameterBaseline
from engine.experience.rollouts import Rollout
from engine.maths.returns import discount_sequence, discounted_returns
from engine.policies.policy import Policy
from engine.values.critics import Critic, SeparateCritic
from engine.values.value_function import ValueFunction
from tests.each import each
from tests.engine.tiny_mdp import configured, finish


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
        elapsed=torch.tensor([0, 1, 2]).unsqueeze(-1).expand(3, 3),
        final_observations=torch.tensor([[0.9]]),
    )


def undecided() -> Policy:
    """All six actions alike."""
    info = EnvironmentInfo("Six", "Six", "", Space("box", 1), Space("discrete", 6))
    return Policy(LinearPolicy(), info, torch.Generator())


def batch_of(rollout: Rollout, credit: Any, baseline: Any, critic: Critic | None = None, **estimator: Any) -> Batch:
    learned = SeparateCritic(TenTimes()) if baseline == "value" and critic is None else critic
    config = configured(credit, baseline, **estimator).estimator
    return finish(estimate(rollout, config, undecided(), learned))


def estimated(credit: Any, baseline: Any, **estimator: Any) -> Batch:
    return batch_of(three_episodes(), credit, baseline, **estimator)


def by_action(batch: Batch, numbers: Tensor) -> list[float]:
    """What belongs to each step, by its action, which is unique in ``three_episodes``."""
    return numbers[batch.actions.argsort()].tolist()


N_STEP_1, N_STEP_2 = {"kind": "n-step", "n": 1}, {"kind": "n-step", "n": 2}
GAE_0, GAE_HALF, GAE_1 = ({"kind": "gae", "gae_lambda": share} for share in (0.0, 0.5, 1.0))

# The one-step errors at γ = 1, with V = 1, 2, 3 in A, 4 in B, 5, 6 and in the end 9 in C.
ERRORS = (1 + 2 - 1, 2 + 3 - 2, 4 - 3, 8 - 4, 16 + 6 - 5, 32 + 9 - 6)

# By action: 0, 1, 2 are A's, 3 is B's, 4 and 5 are C's.
BY_HAND: list[tuple[Any, str, float, list[float]]] = [
    ("total-return", "none", 1.0, [7, 7, 7, 8, 48, 48]),
    ("reward-to-go", "none", 1.0, [7, 6, 4, 8, 48, 32]),
    ("total-return", "none", 0.5, [3, 3, 3, 8, 32, 32]),
    ("reward-to-go", "none", 0.5, [3, 4, 4, 8, 32, 32]),
    ("reward-to-go", "none", 0.0, [1, 2, 4, 8, 16, 32]),
    ("total-return", "average", 1.0, [-14, -14, -14, -13, 27, 27]),  # (7 + 8 + 48) / 3 = 21
    # (17/3 + 8 + 40) / 3 = 161/9: each episode's own average first
    ("reward-to-go", "average", 1.0, [x - 161 / 9 for x in (7, 6, 4, 8, 48, 32)]),
    # At t = 0 all three run, 63 / 3; at t = 1 A and C, 38 / 2; at t = 2 A alone.
    ("reward-to-go", "time-average", 1.0, [7 - 21, 6 - 19, 0, 8 - 21, 48 - 21, 32 - 19]),
    ("total-return", "time-average", 1.0, [7 - 21, 7 - 27.5, 0, 8 - 21, 48 - 21, 48 - 27.5]),
    ("total-return", "leave-one-out", 1.0, [7 - 28] * 3 + [8 - 27.5] + [48 - 7.5] * 2),
    # The averages of A, B and C are 17/3, 8 and 40.
    (
        "reward-to-go",
        "leave-one-out",
        1.0,
        [7 - 24, 6 - 24, 4 - 24, 8 - 137 / 6, 48 - 41 / 6, 32 - 41 / 6],
    ),
    ("total-return", "value", 1.0, [7 - 1, 7 - 1, 7 - 1, 8 - 4, 57 - 5, 57 - 5]),
    ("reward-to-go", "value", 1.0, [7 - 1, 6 - 2, 4 - 3, 8 - 4, 57 - 5, 41 - 6]),
    ("total-return", "value", 0.5, [3 - 1, 3 - 1, 3 - 1, 8 - 4, 34.25 - 5, 34.25 - 5]),
    ("reward-to-go", "value", 0.5, [3 - 1, 4 - 2, 4 - 3, 8 - 4, 34.25 - 5, 36.5 - 6]),
    (N_STEP_1, "value", 1.0, list(ERRORS)),
    (N_STEP_2, "value", 1.0, [1 + 2 + 3 - 1, 2 + 4 - 2, 4 - 3, 8 - 4, 16 + 32 + 9 - 5, 32 + 9 - 6]),
    (N_STEP_2, "value", 0.5, [1 + 1 + 0.75 - 1, 2 + 2 - 2, 4 - 3, 8 - 4, 16 + 16 + 2.25 - 5, 32 + 4.5 - 6]),
    (GAE_0, "value", 1.0, list(ERRORS)),
    (GAE_HALF, "value", 1.0, [2 + 3 / 2 + 1 / 4, 3 + 1 / 2, 1, 4, 17 + 35 / 2, 35]),
    (GAE_1, "value", 1.0, [7 - 1, 6 - 2, 4 - 3, 8 - 4, 57 - 5, 41 - 6]),
]


@pytest.mark.parametrize(("credit", "baseline", "gamma", "expected"), BY_HAND)
def test_advantages_by_hand(credit: Any, baseline: str, gamma: float, expected: list[float]) -> None:
    got = estimated(credit, baseline, gamma=gamma)
    assert by_action(got, got.advantages) == pytest.approx(expected, rel=1e-5)


def test_steps_lie_episode_after_episode_each_in_the_order_of_time() -> None:
    assert estimated("reward-to-go", "none").actions.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("credit", ["total-return", "reward-to-go"])
def test_observations_actions_values_and_targets_stand_at_the_same_step(credit: str) -> None:
    got = estimated(credit, "value")
    assert by_action(got, got.observations[:, 0]) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert by_action(got, got.learned.targets) == pytest.approx([7.0, 6.0, 4.0, 8.0, 48.0 + 9.0, 32.0 + 9.0])
    assert torch.allclose(got.learned.values, 10.0 * got.observations[:, 0])


@pytest.mark.parametrize("credit", [GAE_HALF, N_STEP_2])
def test_the_value_function_is_fitted_to_the_credit_itself(credit: Any) -> None:
    got = estimated(credit, "value")
    torch.testing.assert_close(got.learned.targets, got.advantages + got.learned.values)


def test_padding_is_left_out() -> None:
    got = estimated("reward-to-go", "value")
    assert len(got.actions) == len(got.advantages) == len(got.learned.targets) == 6
    assert got.divisor == 3


def test_fixed_length_rollouts_are_divided_by_their_steps() -> None:
    whole = three_episodes()
    assert batch_of(replace(whole, whole_episodes=False), "reward-to-go", "value").divisor == 6


@pytest.mark.parametrize(
    ("baseline", "kind"),
    [
        ("none", ConstantBaseline),
        ("average", ConstantBaseline),
        ({"kind": "optimal", "per_parameter": False}, ConstantBaseline),
        ({"kind": "optimal", "per_parameter": True}, ParameterBaseline),
        ("value", LearnedValue),
    ],
)
def test_the_batch_says_what_kind_of_baseline_its_advantages_were_made_with(baseline: Any, kind: type) -> None:
    got = estimated("reward-to-go", baseline)
    assert type(got.baseline) is kind
    if kind is not LearnedValue:
        with pytest.raises(TypeError, match=f"{kind.__name__}, not a learned value"):
            _ = got.learned


def test_states_count_alike_unless_they_are_weighted() -> None:
    assert estimated("reward-to-go", "none", gamma=0.5).state_weights.tolist() == [1.0] * 6


def test_states_are_weighted_by_the_steps_since_their_episodes_start() -> None:
    got = estimated("reward-to-go", "none", gamma=0.5, discount_states=True)
    assert by_action(got, got.weights()) == pytest.approx([3, 4 / 2, 4 / 4, 8, 32, 32 / 2])


@pytest.mark.parametrize("credit", ["total-return", "reward-to-go"])
def test_no_constant_gives_less_variance_than_the_pooled_optimal_one(credit: str) -> None:
    """A score of the undecided linear policy is (1[a] − 1/6)·(s, 1); the mean squares are compared by hand."""
    best = estimated(credit, {"kind": "optimal", "per_parameter": False})
    plain = estimated(credit, "none")
    (constant,) = (plain.advantages - best.advantages).unique(dim=0)[:1]
    torch.testing.assert_close(plain.advantages - best.advantages, constant.expand(6), rtol=1e-5, atol=1e-5)

    def spread(b: float) -> float:
        total = torch.zeros(3, 12)
        for m, episode in enumerate((0, 0, 0, 1, 2, 2)):
            away = torch.nn.functional.one_hot(plain.actions[m], 6) - 1 / 6
            score = torch.cat([away * plain.observations[m, 0], away])
            total[episode] += (plain.advantages[m] - b) * score
        return total.square().sum().item()

    assert spread(constant.item()) < min(spread(constant.item() + 0.1), spread(constant.item() - 0.1))


def test_one_optimal_constant_per_parameter_leaves_the_advantages_alone() -> None:
    got = estimated("reward-to-go", {"kind": "optimal", "per_parameter": True})
    assert isinstance(got.baseline, ParameterBaseline)
    assert got.baseline.amounts.shape == (12,)
    assert torch.equal(got.advantages, estimated("reward-to-go", "none").advantages)


def test_no_gradient_reaches_the_value_function() -> None:
    value = TenTimes()
    value.weight = torch.nn.Parameter(torch.ones(1))
    value.forward = lambda observations: value.weight * observations[..., 0]  # type: ignore[method-assign]
    got = batch_of(three_episodes(), "reward-to-go", "value", SeparateCritic(value))
    assert not got.advantages.requires_grad


def test_a_termination_at_the_time_limit_is_not_completed_with_a_value() -> None:
    rollout = three_episodes()
    ended = replace(rollout, terminated=rollout.terminated | rollout.truncated)
    got = batch_of(ended, "reward-to-go", "value")
    assert by_action(got, got.learned.targets)[5] == pytest.approx(32.0)


def test_the_total_return_exceeds_the_reward_to_go_by_the_rewards_that_came_before() -> None:
    rollout = three_episodes()
    total = estimated("total-return", "none").advantages
    to_go = estimated("reward-to-go", "none").advantages
    torch.testing.assert_close(total - to_go, rollout.flat(rollout.rewards.cumsum(0) - rollout.rewards))


def test_one_episode_of_one_step() -> None:
    yes = torch.ones(1, 1, dtype=torch.bool)
    rollout = Rollout(
        observations=torch.zeros(1, 1, 2),
        actions=torch.zeros(1, 1, dtype=torch.int64),
        rewards=torch.tensor([[5.0]]),
        terminated=yes,
        truncated=~yes,
        mask=yes,
        elapsed=torch.zeros(1, 1, dtype=torch.int64),
        final_observations=torch.zeros(0, 2),
    )
    got = batch_of(rollout, "reward-to-go", "value")
    assert got.advantages.tolist() == [5.0]
    assert got.observations.shape == (1, 2)


@pytest.mark.parametrize("kind", ["reward-to-go", "total-return"])
def test_continuous_actions_keep_their_dimensions(kind: str) -> None:
    rollout = three_episodes()
    boxed = replace(rollout, actions=rollout.actions.unsqueeze(-1).expand(3, 3, 2).float())
    assert batch_of(boxed, kind, "none").actions.shape == (6, 2)


def test_the_estimator_agrees_with_the_pure_functions_it_is_made_of() -> None:
    generator = torch.Generator().manual_seed(3)
    rollout = three_episodes()
    rewards = torch.randn(3, 3, generator=generator) * rollout.mask
    discounts = discount_sequence(0.9, rollout.terminated)
    expected = rollout.flat(discounted_returns(rewards, discounts, rollout.truncated, torch.zeros(3, 3)))
    got = batch_of(replace(rollout, rewards=rewards), "reward-to-go", "none", gamma=0.9)
    torch.testing.assert_close(got.advantages, expected)


def weighted(got: Batch, weights: Tensor | None, credit: Any, baseline: str, **estimator: Any) -> list[float]:
    """By action, with the baseline that the batch has."""
    config = configured(credit, baseline, **estimator).estimator
    return by_action(got, got.rollout.flat(advantages(got.rollout, config, got.baseline, weights)))


@each("weights", [None, torch.ones(3, 3)], ids=["no weights", "all weights 1"])
@each(("credit", "baseline", "gamma", "expected"), BY_HAND)
def test_with_all_weights_1_per_decision_weighting_changes_nothing(
    credit: Any, baseline: str, gamma: float, expected: list[float], weights: Tensor | None
) -> None:
    got = estimated(credit, baseline, gamma=gamma)
    assert weighted(got, weights, credit, baseline, gamma=gamma) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("per_parameter", [False, True])
def test_an_optimal_baseline_that_is_known_is_subtracted_again(per_parameter: bool) -> None:
    baseline: Any = {"kind": "optimal", "per_parameter": per_parameter}
    got = estimated("reward-to-go", baseline)
    assert weighted(got, None, "reward-to-go", baseline) == by_action(got, got.advantages)


# ρ_{0:t} by episode; what stands on padding does not matter.
WEIGHTS = torch.tensor([[2.0, 3.0, 10.0], [4.0, 3.0, 20.0], [8.0, 3.0, 20.0]])


@pytest.mark.parametrize(
    ("credit", "baseline", "expected"),
    [
        ("reward-to-go", "none", [2 + 8 + 32, 8 + 32, 32, 24, 160 + 640, 640]),
        # Earlier rewards carry the weight of the action they are credited to.
        ("total-return", "none", [2 + 8 + 32, 4 * 1 + 8 + 32, 8 * 3 + 32, 24, 160 + 640, 20 * 16 + 640]),
        ("total-return", "average", [42 - 2 * 21, 44 - 4 * 21, 56 - 8 * 21, 24 - 3 * 21, 800 - 210, 960 - 420]),
        (GAE_0, "value", [2 * 2, 4 * 3, 8 * 1, 3 * 4, 10 * 17, 20 * 35]),
        (GAE_1, "value", [4 + 12 + 8, 12 + 8, 8, 12, 170 + 700, 700]),
        ("reward-to-go", "value", [4 + 12 + 8, 12 + 8, 8, 12, 170 + 700, 700]),
    ],
)
def test_per_decision_weights_by_hand(credit: Any, baseline: str, expected: list[float]) -> None:
    got = estimated(credit, baseline)
    assert weighted(got, WEIGHTS, credit, baseline) == pytest.approx(expected, rel=1e-5)
