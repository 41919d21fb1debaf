"""What one policy gains over another, counted in every way, and a process in which greedy improvement falls."""

from __future__ import annotations

import math

import pytest
import torch

from engine.mdp.exact import (
    action_values,
    advantages,
    discounted_visitation,
    dynamics_of,
    expected_return,
    policy_gradient,
    softmax_policy,
)
from engine.mdp.greedy import greedy_policy
from engine.mdp.natural_gradient import (
    natural_gradient,
    natural_gradient_of_logits,
    natural_gradient_of_network,
)
from engine.mdp.performance_difference import compare, gradient_step, greedy_step, shared_action_values
from engine.mdp.small_worlds import ledge
from tests.engine.processes import CASES, close, policy_of, random_dynamics, random_logits

LEDGE = ledge()
GROUPS, FIRST = torch.tensor(LEDGE.groups), torch.tensor(LEDGE.policy, dtype=torch.float64)
DYNAMICS = dynamics_of(LEDGE.mdp)


# --- the lemma --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("horizon", "gamma"), CASES)
def test_the_difference_is_the_lemmas_sum_and_no_bound_is_crossed(horizon: int | None, gamma: float) -> None:
    dynamics = random_dynamics(horizon)
    for far in (1.0, 0.1, 0.01):
        new, old = softmax_policy(random_logits(seed=3) + far * random_logits(seed=2)), policy_of(3)
        told = compare(dynamics, new, old, gamma)
        assert told.lemma == pytest.approx(told.difference, abs=1e-10)
        assert told.new_return - told.old_return == told.difference
        assert told.old_return == pytest.approx(expected_return(dynamics, old, gamma).item())
        assert told.worst_case <= told.difference
        assert told.guaranteed <= told.difference + 1e-12
        assert abs(told.difference - told.surrogate) <= told.mismatch + 1e-12
        gains = (new * advantages(dynamics, old, gamma)).sum(-1)
        close(told.gains, gains)
        assert told.worst_gain == gains.flatten()[told.worst_state] == gains.min()
        close(told.old_visits, discounted_visitation(dynamics, old, gamma))
        if gamma > 0.0 and horizon != 1:  # the surrogate is another number, off by the square of how far it is
            assert told.surrogate != pytest.approx(told.difference, abs=1e-3 * far**2)
            assert abs(told.surrogate - told.difference) < 2.0 * told.moved**2 / (0.1 if horizon is None else 1.0)
        else:
            assert told.surrogate == pytest.approx(told.difference, abs=1e-12)


def test_the_turns_and_the_mismatch_by_hand() -> None:
    told = compare(random_dynamics(None), policy_of(2), policy_of(3), 0.9)
    alpha = (policy_of(2) - policy_of(3)).abs().sum(-1).max().item() / 2.0
    assert told.moved == pytest.approx(alpha)
    assert told.turns == pytest.approx(10.0)
    largest = told.gains.abs().max().item()
    assert told.mismatch == pytest.approx(largest * 2 * 0.9 * alpha / (0.1 * (1.0 - 0.9 * (1.0 - alpha))))
    short = compare(random_dynamics(3), policy_of(2), policy_of(3), 1.0)
    largest = short.gains.abs().max().item()
    assert short.turns == 3.0
    assert short.mismatch == pytest.approx(largest * 2.0 * (alpha + 1.0 - (1.0 - alpha) ** 2))
    same = compare(random_dynamics(None), policy_of(2), policy_of(2), 1.0)
    assert (same.turns, same.mismatch, same.moved) == (math.inf, 0.0, 0.0)


def test_where_no_state_loses_the_worst_case_is_that_nothing_is_gained() -> None:
    dynamics, old = random_dynamics(None), policy_of(3)
    told = compare(dynamics, greedy_policy(action_values(dynamics, old, 0.9)), old, 0.9)
    assert told.worst_gain > 0.0
    assert told.worst_case == 0.0 < told.difference


# --- falling ----------------------------------------------------------------------------------------------------------


def going_on(policy: torch.Tensor) -> float:
    assert torch.equal(policy[0], policy[1])
    return policy[0, 1].item()


def test_greedy_improvement_falls_off_the_ledge_and_back_for_ever() -> None:
    returns, policy = [], FIRST
    for _ in range(6):
        returns.append(expected_return(DYNAMICS, policy, 1.0).item())
        policy = greedy_step(DYNAMICS, policy, GROUPS, 1.0).policy
    assert returns == pytest.approx([0.07, -2.0, 0.0, -2.0, 0.0, -2.0])


def test_the_gradient_climbs_to_the_best_of_what_can_be_told_apart() -> None:
    policy, before = FIRST, -math.inf
    for _ in range(60):
        now = expected_return(DYNAMICS, policy, 1.0).item()
        assert now > before - 1e-12
        before, policy = now, gradient_step(DYNAMICS, policy, GROUPS, 1.0, 2.0).policy
    assert before == pytest.approx(1.0 / 12.0, abs=1e-6)
    assert going_on(policy) == pytest.approx(1.0 / 6.0, abs=1e-3)


def test_both_steps_see_the_same_values_and_the_lemma_says_why_one_falls() -> None:
    """At p = 1/10: J = p − 3 p², d = (1, p), A(going on) = (1 − p) (1 − 3 p) and −3 (1 − p)."""
    greedy, small = greedy_step(DYNAMICS, FIRST, GROUPS, 1.0), gradient_step(DYNAMICS, FIRST, GROUPS, 1.0, 1.0)
    close(greedy.action_values, small.action_values)
    assert greedy.action_values.tolist() == [[0.0, pytest.approx(0.4 / 1.1)]]
    fall = compare(DYNAMICS, greedy.policy, FIRST, 1.0)
    assert fall.gains.tolist() == pytest.approx([0.7 - 0.07, -3.0 + 0.3])
    assert fall.surrogate == pytest.approx(0.63 - 0.27)  # a gain, where the old policy goes
    assert fall.difference == pytest.approx(fall.lemma) == pytest.approx(0.63 - 2.7)  # a loss, where the new one goes
    assert (fall.worst_state, fall.moved) == (1, pytest.approx(0.9))
    climb = compare(DYNAMICS, small.policy, FIRST, 1.0)
    assert 0.0 < climb.difference < climb.surrogate
    # With as little as one step to be taken back, the smallest steps are sure to gain.
    sure = compare(DYNAMICS, gradient_step(DYNAMICS, FIRST, GROUPS, 0.5, 0.1).policy, FIRST, 0.5)
    assert 0.0 < sure.guaranteed < sure.difference
    assert compare(DYNAMICS, greedy_step(DYNAMICS, FIRST, GROUPS, 0.5).policy, FIRST, 0.5).guaranteed < -1.0


def test_shared_values_are_fitted_to_what_is_visited() -> None:
    dynamics, groups = random_dynamics(4), torch.tensor([0, 1, 0, 1, 1])
    policy = policy_of()[:2][groups]
    shared = shared_action_values(dynamics, policy, groups, 0.9)
    logits = policy[:2].log()
    gradient = policy_gradient(dynamics, lambda theta: theta.softmax(-1)[groups], logits, 0.9)
    visits = discounted_visitation(dynamics, policy, 0.9).sum(0)
    weights = torch.stack([visits[groups == group].sum() for group in range(2)])
    centred = shared - (policy[:2] * shared).sum(-1, keepdim=True)
    close(gradient, weights.unsqueeze(-1) * policy[:2] * centred)


FEATURES = torch.linspace(-1.0, 1.0, 10, dtype=torch.float64).reshape(5, 2).sin()


def linear(weights: torch.Tensor) -> torch.Tensor:
    return softmax_policy(FEATURES @ weights)


# --- the natural gradient ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("horizon", "gamma"), [(None, 0.9), (6, 1.0)])
def test_the_natural_gradient_of_a_table(horizon: int | None, gamma: float) -> None:
    dynamics, theta = random_dynamics(horizon), random_logits()
    policy = softmax_policy(theta)
    for damping in (0.0, 0.1):
        whole = natural_gradient(dynamics, softmax_policy, theta, gamma, damping)
        close(natural_gradient_of_logits(dynamics, policy, gamma, damping), whole, 1e-8)
        weights = random_logits((2, 3))
        shared = natural_gradient(dynamics, linear, weights, gamma, damping)
        jacobian = torch.einsum("sf,ab->safb", FEATURES, torch.eye(3).double()).flatten(2)
        found = natural_gradient_of_network(dynamics, linear(weights), jacobian, gamma, damping)
        close(found.reshape(2, 3), shared, 1e-8)
    if horizon is None:  # it steps by the advantages, however seldom a state is visited
        gains = advantages(dynamics, policy, gamma)
        undamped = natural_gradient(dynamics, softmax_policy, theta, gamma)
        close(undamped, gains - gains.mean(-1, keepdim=True), 1e-8)
        assert not torch.allclose(whole, undamped, rtol=0.05)
        plain = policy_gradient(dynamics, softmax_policy, theta, gamma)
        cosine = torch.nn.functional.cosine_similarity(plain.flatten(), undamped.flatten(), 0)
        assert 0.1 < cosine < 0.95  # another way uphill


def test_the_natural_gradient_does_not_depend_on_how_the_policy_is_written() -> None:
    """Twice the parameters mean half the step in each: the policy moves the same way, as it does not along ∇J."""
    dynamics, theta = random_dynamics(None), random_logits()
    one = natural_gradient(dynamics, softmax_policy, theta, 0.9)
    other = natural_gradient(dynamics, lambda wide: softmax_policy(3.0 * wide), theta / 3.0, 0.9)
    close(3.0 * other, one, 1e-8)
