"""Targets of action values, by hand at every kind of end, and against what defines them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engine.maths.action_values import (
    double_values,
    dueling,
    expected_values,
    greedy_values,
    huber_gradient,
    huber_loss,
    one_step_errors,
    one_step_targets,
    sampled_soft_values,
    soft_update,
    soft_values,
    taken_values,
)
from engine.maths.exploration import boltzmann_probabilities, epsilon_greedy_probabilities
from engine.maths.priorities import priorities, prioritized_weights
from engine.maths.returns import (
    carried,
    discount_sequence,
    discounted_returns,
    following_values,
    n_step_returns,
    n_step_sums,
    td_errors,
)

Q = torch.tensor([[1.0, 4.0, 2.0], [3.0, -1.0, 0.0]])
OTHER = torch.tensor([[10.0, -20.0, 30.0], [5.0, 6.0, 7.0]])


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# --- the value of the next state --------------------------------------------------------------------------------------


def test_each_kind_of_next_value_by_hand() -> None:
    actions, policy = torch.tensor([2, 1]), torch.tensor([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
    assert greedy_values(Q).tolist() == [4.0, 3.0]
    assert taken_values(Q, actions).tolist() == [2.0, -1.0]
    assert expected_values(Q, policy).tolist() == [0.5 + 1.0 + 0.5, -1.0]
    assert double_values(Q, OTHER).tolist() == [-20.0, 5.0]  # of actions 1 and 0
    entropy = -(0.5 * math.log(0.5) + 2 * 0.25 * math.log(0.25))
    assert soft_values(Q, policy.log(), 0.1).tolist() == pytest.approx([2.0 + 0.1 * entropy, -1.0])
    surprises = torch.tensor([-2.0, 3.0])
    assert sampled_soft_values(torch.tensor([1.0, 1.0]), surprises, 0.5).tolist() == [2.0, -0.5]


@pytest.mark.parametrize("batch", [(), (5,), (4, 3)])
def test_expected_sarsa_lies_between_q_learning_and_sarsa(batch: tuple[int, ...]) -> None:
    """A greedy policy makes it Q-learning's target; drawn actions make SARSA's, of which it is the mean."""
    q = torch.randn(*batch, 6, generator=generator(), dtype=torch.float64)
    torch.testing.assert_close(expected_values(q, epsilon_greedy_probabilities(q, 0.0)), greedy_values(q))
    policy = epsilon_greedy_probabilities(q, 0.3)
    mean = sum(policy[..., a] * taken_values(q, torch.full(batch, a)) for a in range(6))
    torch.testing.assert_close(expected_values(q, policy), mean)
    assert double_values(q, q).equal(greedy_values(q))


def test_the_soft_value_is_the_mean_of_the_sampled_ones_and_greatest_at_the_boltzmann_policy() -> None:
    """max_π E_π[Q − α log π] = α log Σ exp(Q/α), at π ∝ exp(Q/α)."""
    alpha, q = 0.7, Q.double()
    for policy in (boltzmann_probabilities(q, alpha), torch.tensor([[0.2, 0.5, 0.3]] * 2, dtype=torch.float64)):
        each = torch.stack([sampled_soft_values(q[:, a], policy[:, a].log(), alpha) for a in range(3)], -1)
        torch.testing.assert_close(soft_values(q, policy.log(), alpha), (policy * each).sum(-1))
    best = alpha * (q / alpha).logsumexp(-1)
    torch.testing.assert_close(soft_values(q, (q / alpha).log_softmax(-1), torch.tensor(alpha)), best)
    assert (soft_values(q, policy.log(), alpha) < best).all()


def test_the_maximum_of_noisy_values_is_too_high_and_two_estimates_are_not() -> None:
    """All actions are worth 0. The greatest of ten normal errors has mean 1.54, another estimate of it mean 0."""
    first, second = torch.randn(2, 4_000, 10, generator=generator()).unbind()
    assert greedy_values(first).mean().item() == pytest.approx(1.539, abs=0.05)
    assert double_values(first, second).mean().item() == pytest.approx(0.0, abs=0.05)


# --- one step ---------------------------------------------------------------------------------------------------------


def test_the_next_value_counts_behind_a_truncation_and_not_behind_a_termination() -> None:
    rewards, next_values = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([10.0, 20.0, 40.0])
    terminated = torch.tensor([False, True, False])
    discounts = discount_sequence(0.5, terminated)  # the third was truncated: its value is the final observation's
    assert one_step_targets(rewards, discounts, next_values).tolist() == [6.0, 2.0, 24.0]
    assert one_step_errors(torch.ones(3), rewards, discounts, next_values).tolist() == [5.0, 1.0, 23.0]
    done = discount_sequence(0.5, torch.tensor([False, True, True]))
    assert one_step_targets(rewards, done, next_values).tolist() != [6.0, 2.0, 24.0]


def test_errors_of_state_values_are_those_of_their_own_next_values() -> None:
    shape = (7, 3)
    rewards, values, final = torch.randn(3, *shape, generator=generator()).unbind()
    terminated, truncated = (torch.rand(2, *shape, generator=generator(1)) < 0.3).unbind()
    discounts = discount_sequence(0.9, terminated)
    got = one_step_errors(values, rewards, discounts, following_values(values, truncated, final))
    assert got.equal(td_errors(rewards, discounts, truncated, values, final))


# --- n steps ----------------------------------------------------------------------------------------------------------

NO, YES = False, True
REWARDS = torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
NEXT = torch.tensor([100.0, 200.0, 300.0, 400.0, 500.0, 600.0])
TERMINATED = torch.tensor([NO, NO, YES, NO, NO, NO])
TRUNCATED = torch.tensor([NO, NO, NO, YES, NO, NO])


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (1, [51, 102, 4, 208, 266, 332]),
        (2, [1 + 1 + 50, 4, 4, 208, 16 + 16 + 150, 332]),  # three steps end the first episode: 2 + 4/2 is all of it
        (3, [1 + 1 + 1, 4, 4, 208, 182, 332]),
        (99, [3, 4, 4, 208, 182, 332]),
    ],
)
def test_n_step_returns_by_hand(n: int, expected: list[float]) -> None:
    """γ = ½: a termination after three steps, a truncation after one more, and two steps up to the rollout's end."""
    got = n_step_returns(REWARDS, discount_sequence(0.5, TERMINATED), TRUNCATED, NEXT, n)
    assert got.tolist() == pytest.approx(expected)


@given(
    steps=st.integers(1, 7),
    n=st.integers(1, 9),
    gamma=st.sampled_from([0.0, 0.6, 1.0]),
    seed=st.integers(0, 10_000),
    often=st.floats(0.0, 0.6),
)
def test_n_step_returns_are_their_sums(steps: int, n: int, gamma: float, seed: int, often: float) -> None:
    drawn = generator(seed)
    rewards, following = torch.randn(2, steps, 2, generator=drawn, dtype=torch.float64).unbind()
    terminated, truncated = (torch.rand(2, steps, 2, generator=drawn) < often).unbind()
    got = n_step_returns(rewards, discount_sequence(gamma, terminated).double(), truncated, following, n)
    for i in range(2):
        for t in range(steps):
            expected, k = 0.0, t
            while True:
                expected += gamma ** (k - t) * rewards[k, i].item()
                if terminated[k, i] or truncated[k, i] or k == steps - 1 or k - t == n - 1:
                    break
                k += 1
            if not terminated[k, i]:
                expected += gamma ** (k - t + 1) * following[k, i].item()
            assert got[t, i].item() == pytest.approx(expected, abs=1e-6)


def test_n_step_returns_of_state_values_are_n_step_advantages_and_all_steps_the_return() -> None:
    shape = (12, 4)
    rewards, values, final = torch.randn(3, *shape, generator=generator(), dtype=torch.float64).unbind()
    terminated, truncated = (torch.rand(2, *shape, generator=generator(1)) < 0.2).unbind()
    truncated[-1] = True
    discounts = discount_sequence(0.9, terminated).double()
    following, carry = following_values(values, truncated, final), carried(discounts, truncated)
    errors = td_errors(rewards, discounts, truncated, values, final)
    for n in (1, 2, 5, 40):
        got = n_step_returns(rewards, discounts, truncated, following, n)
        torch.testing.assert_close(got, values + n_step_sums(errors, carry, n))
    torch.testing.assert_close(got, discounted_returns(rewards, discounts, truncated, final))


# --- losses, networks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delta", [0.5, 1.0, 3.0])
def test_the_huber_loss_and_its_gradient_are_torchs(delta: float) -> None:
    errors = torch.tensor([-9.0, -0.5, 0.0, 0.25, 1.0, 3.0, 7.0], dtype=torch.float64, requires_grad=True)
    loss = huber_loss(errors, delta)
    torch.testing.assert_close(
        loss, torch.nn.functional.huber_loss(errors, torch.zeros_like(errors), reduction="none", delta=delta)
    )
    (gradient,) = torch.autograd.grad(loss.sum(), errors)
    torch.testing.assert_close(huber_gradient(errors, delta), gradient)
    assert huber_gradient(errors, delta).abs().max().item() == delta


def test_dueling_values_have_the_state_value_as_mean_and_the_advantages_differences() -> None:
    values, advantages = torch.tensor([10.0, -1.0]), torch.tensor([[1.0, 2.0, 6.0], [0.0, 0.0, 0.0]])
    assert dueling(values, advantages).tolist() == [[8.0, 9.0, 13.0], [-1.0, -1.0, -1.0]]
    assert dueling(values, advantages + 100.0).equal(dueling(values, advantages))


def test_a_target_network_lags_behind_by_a_power_of_what_is_left() -> None:
    target, online = torch.tensor([0.0, 8.0]), torch.tensor([1.0, -8.0])
    assert soft_update(target, online, 0.25).tolist() == [0.25, 4.0]
    assert target.tolist() == [0.0, 8.0]
    assert soft_update(target, online, 1.0).equal(online)
    assert soft_update(target, online, 0.0).equal(target)
    for _ in range(30):
        target = soft_update(target, online, 0.1)
    torch.testing.assert_close(online - target, 0.9**30 * torch.tensor([1.0, -16.0]))


# --- priorities -------------------------------------------------------------------------------------------------------


def test_priorities_and_weights_by_hand() -> None:
    assert priorities(torch.tensor([3.0, -3.0, 0.0]), 0.5, 1.0).tolist() == [2.0, 2.0, 1.0]
    assert priorities(torch.tensor([3.0, 0.0]), 0.0, 0.1).tolist() == [1.0, 1.0]
    drawn = torch.tensor([0.5, 0.25, 0.01])
    assert prioritized_weights(drawn, 8, 1.0, normalized=False).tolist() == pytest.approx([0.25, 0.5, 12.5])
    assert prioritized_weights(drawn, 8, 0.5).tolist() == pytest.approx([math.sqrt(0.02), 0.2, 1.0])
    assert prioritized_weights(drawn, 8, 0.0).tolist() == [1.0, 1.0, 1.0]


def test_weighted_draws_have_the_uniform_mean_and_unweighted_ones_have_not() -> None:
    numbers = torch.tensor([1.0, -2.0, 5.0, 0.5, 3.0], dtype=torch.float64)
    chances = priorities(numbers, 0.6, 0.01)
    chances = chances / chances.sum()
    for correction, exact in ((1.0, True), (0.5, False), (0.0, False)):
        weights = prioritized_weights(chances, 5, correction, normalized=False)
        mean = (chances * weights * numbers).sum().item()
        assert (abs(mean - numbers.mean().item()) < 1e-12) == exact


# --- exploration ------------------------------------------------------------------------------------------------------


def test_epsilon_is_the_share_of_random_actions_and_equal_values_share_the_rest() -> None:
    q = torch.tensor([[0.0, 3.0, 1.0, 2.0], [5.0, 1.0, 5.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    got = epsilon_greedy_probabilities(q, 0.2)
    expected = [[0.05, 0.85, 0.05, 0.05], [0.45, 0.05, 0.45, 0.05], [0.25] * 4]
    torch.testing.assert_close(got, torch.tensor(expected))
    shares = torch.tensor([0.0, 1.0, 0.4])
    by_row = [[0.0, 1.0, 0.0, 0.0], [0.25] * 4, [0.25] * 4]
    torch.testing.assert_close(epsilon_greedy_probabilities(q, shares), torch.tensor(by_row))


def test_boltzmann_odds_are_exponential_in_the_difference() -> None:
    got = boltzmann_probabilities(Q, 2.0)
    torch.testing.assert_close(got[:, 0] / got[:, 2], ((Q[:, 0] - Q[:, 2]) / 2.0).exp())
    torch.testing.assert_close(got.sum(-1), torch.ones(2))
    assert boltzmann_probabilities(1e6 * Q, 1e-3).tolist() == [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]


# --- what does not fit ------------------------------------------------------------------------------------------------

ROW = torch.zeros(2)
WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "actions": (lambda: taken_values(Q, torch.zeros(3, dtype=torch.int64)), "one for each row"),
    "probabilities": (lambda: expected_values(Q, Q[:1]), "one shape"),
    "judging": (lambda: double_values(Q, Q[:, :2]), "one shape"),
    "log-probabilities": (lambda: soft_values(Q, Q[0], 0.1), "one shape"),
    "log-probs": (lambda: sampled_soft_values(ROW, Q, 0.1), "one shape"),
    "next values": (lambda: one_step_targets(ROW, ROW, Q), "one shape"),
    "taken": (lambda: one_step_errors(Q, ROW, ROW, ROW), "one shape"),
    "n": (lambda: n_step_returns(ROW, ROW, ROW.bool(), ROW, 0), "n must be at least 1"),
    "n-step rows": (lambda: n_step_returns(ROW, ROW, ROW[:1].bool(), ROW, 1), "one shape"),
    "following rows": (lambda: following_values(ROW, ROW.bool(), Q), "one shape"),
    "delta": (lambda: huber_loss(ROW, 0.0), "delta must be positive"),
    "delta of the gradient": (lambda: huber_gradient(ROW, -1.0), "delta must be positive"),
    "value": (lambda: dueling(Q, Q), "one for each row"),
    "share": (lambda: soft_update(ROW, ROW, 1.5), "share must be from 0 to 1"),
    "target": (lambda: soft_update(ROW, Q, 0.5), "one shape"),
    "alpha": (lambda: priorities(ROW, -1.0, 0.1), "exponent"),
    "least": (lambda: priorities(ROW, 1.0, 0.0), "least must be positive"),
    "beta": (lambda: prioritized_weights(ROW, 3, 1.1), "correction must be from 0 to 1"),
    "size": (lambda: prioritized_weights(ROW, 0, 1.0), "size"),
    "epsilon": (lambda: epsilon_greedy_probabilities(Q, -0.1), "epsilon must be from 0 to 1"),
    "epsilons": (lambda: epsilon_greedy_probabilities(Q, torch.zeros(3)), "one for each"),
    "temperature": (lambda: boltzmann_probabilities(Q, 0.0), "temperature must be positive"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_fit_is_refused(what: str) -> None:
    call, message = WRONG[what]
    with pytest.raises(ValueError, match=message):
        call()


def test_rows_have_one_answer_each_wherever_they_stand() -> None:
    q: Tensor = torch.randn(4, 3, 5, generator=generator())
    policy = epsilon_greedy_probabilities(q, 0.1)
    actions = torch.randint(5, (4, 3), generator=generator())
    for of in (
        greedy_values(q),
        taken_values(q, actions),
        expected_values(q, policy),
        double_values(q, -q),
        soft_values(q, policy.log(), 0.2),
    ):
        assert of.shape == (4, 3)
    assert taken_values(q, actions)[2, 1] == taken_values(q[2, 1], actions[2, 1])
