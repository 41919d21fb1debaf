"""The exact answers: by hand, by listing every episode, by sampling, and each number against another way to it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.environments.batches.batched import finite_environments
from engine.environments.making.known_dynamics import finite_mdp
from engine.mdp.exact import (
    Dynamics,
    action_values,
    advantages,
    backup,
    discounted_visitation,
    dynamics_of,
    exact_gradient,
    expected_return,
    policy_gradient,
    policy_iteration,
    softmax_policy,
    state_values,
    value_iteration,
)
from engine.mdp.finite import corridor, from_outcomes
from engine.mdp.natural_gradient import fisher_matrix
from tests.engine.processes import CASES, close, known, policy_of, random_dynamics, random_logits, uniform

TWO = from_outcomes(
    "two",
    [
        [[(0.75, 1, 1.0, False), (0.25, 0, 0.0, True)], [(0.5, 0, -1.0, False), (0.5, 1, 2.0, False)]],
        [[(1.0, 0, -1.0, True)], [(0.75, 0, 3.0, False), (0.25, 0, 0.5, True)]],
    ],
    [0.625, 0.375],
    3,
)


def episodes(policy: Tensor, state: int, gamma: float, t: int = 0) -> Iterator[tuple[Tensor, float, int]]:
    """Probability, discounted return and length of every episode of ``TWO`` that is at ``state`` after t steps."""
    for action in range(2):
        for k in range(2):
            chance, paid = TWO.probabilities[state, action, k], gamma**t * TWO.rewards[state, action, k]
            if TWO.ends[state, action, k] or t == 2:
                yield policy[state, action] * chance, paid, t + 1
            else:
                for probability, rest, length in episodes(policy, int(TWO.next_states[state, action, k]), gamma, t + 1):
                    yield policy[state, action] * chance * probability, paid + rest, length


# --- one policy -------------------------------------------------------------------------------------------------------


def test_values_by_hand() -> None:
    """One state: 2 a step, and on with probability 3/4: V = 2 / (1 − 3γ/4); over 3 steps 2 (1 + x + x²), x = 3γ/4."""
    mdp = from_outcomes("one", [[[(0.75, 0, 2.0, False), (0.25, 0, 2.0, True)]]], [1.0], None)
    always = torch.ones(1, 1, dtype=torch.float64)
    for gamma in (1.0, 0.8, 0.0):
        dynamics, x = dynamics_of(mdp), 0.75 * gamma
        assert state_values(dynamics, always, gamma).tolist() == pytest.approx([2.0 / (1.0 - x)])
        assert discounted_visitation(dynamics, always, gamma).tolist() == pytest.approx([1.0 / (1.0 - x)])
        cut = dataclasses.replace(dynamics, horizon=3)
        expected = [2.0 * (1.0 + x + x * x), 2.0 * (1.0 + x), 2.0]
        assert state_values(cut, always, gamma).flatten().tolist() == pytest.approx(expected)
        assert discounted_visitation(cut, always, gamma).flatten().tolist() == pytest.approx([1.0, x, x * x])


def test_a_fair_walk_through_the_corridor() -> None:
    """Left or right by a coin, from n states a wall and an end: n (n + 1) steps."""
    dynamics = dynamics_of(corridor(7, horizon=None))
    walk = uniform(dynamics)
    assert discounted_visitation(dynamics, walk, 1.0).sum().item() == pytest.approx(42.0)
    assert expected_return(dynamics, walk, 1.0).item() == pytest.approx(10.0 - 41.0)


@pytest.mark.parametrize("gamma", [1.0, 0.7])
def test_returns_and_gradients_equal_those_of_listed_episodes(gamma: float) -> None:
    dynamics, theta = dynamics_of(TWO), torch.tensor([[0.4, -0.3], [0.2, 0.9]]).double().requires_grad_()
    policy = softmax_policy(theta)
    returns, lengths = torch.zeros(2, dtype=torch.float64).unbind()
    for state, begins in enumerate(TWO.initial.tolist()):
        for probability, paid, length in episodes(policy, state, gamma):
            returns, lengths = returns + begins * probability * paid, lengths + begins * probability * length
    close(expected_return(dynamics, policy, gamma), returns)
    close(discounted_visitation(dynamics, policy, 1.0).sum(), lengths)
    (gradient,) = torch.autograd.grad(returns, theta)
    close(exact_gradient(dynamics, softmax_policy, theta, gamma), gradient)
    close(policy_gradient(dynamics, softmax_policy, theta, gamma), gradient)


@pytest.mark.parametrize(("horizon", "gamma"), CASES)
def test_identities(horizon: int | None, gamma: float) -> None:
    dynamics, policy = random_dynamics(horizon), policy_of()
    values, table = state_values(dynamics, policy, gamma), action_values(dynamics, policy, gamma)
    gains, visits = advantages(dynamics, policy, gamma), discounted_visitation(dynamics, policy, gamma)
    assert tuple(table.shape) == tuple(gains.shape) == dynamics.shape
    assert tuple(values.shape) == tuple(visits.shape) == dynamics.shape[:-1]
    close((policy * table).sum(-1), values)
    close(gains, table - values.unsqueeze(-1))
    close((policy * gains).sum(-1), torch.zeros_like(values))
    # What is earned is what is paid at the states that are visited.
    rewards = (policy * dynamics.rewards).sum(-1)
    close((visits * rewards).sum(), expected_return(dynamics, policy, gamma))


@pytest.mark.parametrize("gamma", [1.0, 0.9])
def test_a_distant_horizon_is_no_horizon(gamma: float) -> None:
    near, far, policy = random_dynamics(None), random_dynamics(400), policy_of()
    close(state_values(far, policy, gamma)[0], state_values(near, policy, gamma))
    close(discounted_visitation(far, policy, gamma).sum(0), discounted_visitation(near, policy, gamma))
    close(
        exact_gradient(far, softmax_policy, random_logits(), gamma),
        exact_gradient(near, softmax_policy, random_logits(), gamma),
    )
    close(value_iteration(far, gamma).values[0], value_iteration(near, gamma).values, 1e-8)


@pytest.mark.parametrize("horizon", [None, 6])
def test_what_is_impossible_may_be_left_out(horizon: int | None) -> None:
    """Of 500 states, nearly all steps lead from one to one other."""
    sparse = known("Taxi-v4", horizon=horizon)
    dense = dataclasses.replace(sparse)
    assert sparse.possible is not None
    vars(dense)["possible"] = None
    theta, values = random_logits((500, 6)), torch.linspace(-1.0, 1.0, 500).double()
    policy = softmax_policy(theta)
    close(backup(sparse, values, 0.9), backup(dense, values, 0.9))
    for answer in (state_values, action_values, discounted_visitation):
        close(answer(sparse, policy, 0.9), answer(dense, policy, 0.9))
    for gradient in (exact_gradient, policy_gradient):
        close(gradient(sparse, softmax_policy, theta, 0.9), gradient(dense, softmax_policy, theta, 0.9))


def test_a_policy_may_change_with_time() -> None:
    """First right, then left: out of the corridor's start and back again."""
    dynamics = dynamics_of(corridor(4, horizon=2))
    right, left = torch.eye(2, dtype=torch.float64)[[1, 0]].unsqueeze(1).expand(2, 4, 2).unbind()
    visits = discounted_visitation(dynamics, torch.stack((right, left)), 1.0)
    assert visits.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]
    close(state_values(dynamics, torch.stack((right, left)), 1.0)[0], torch.tensor([-2.0, -2.0, 10.0, 0.0]).double())


def test_returns_agree_with_sampled_episodes() -> None:
    mdp, size = finite_mdp("GridWorld-v0"), 4000
    assert mdp is not None
    dynamics, gamma = dynamics_of(mdp), 0.97
    policy = softmax_policy(random_logits((25, 4)))
    batch, indices = finite_environments(mdp, range(size)), np.arange(size)
    generator, returns, visits = np.random.default_rng(3), np.zeros(size), np.zeros(25)
    states, cumulative = batch.reset(indices), policy.numpy().cumsum(-1)
    for t in range(100):
        np.add.at(visits, states, gamma**t / size)
        actions = (cumulative[states] > generator.random(len(indices))[:, None]).argmax(-1)
        moved = batch.step(actions, indices)
        returns[indices] += gamma**t * moved.rewards
        goes_on = ~(moved.terminated | moved.truncated)
        indices, states = indices[goes_on], moved.observations[goes_on]
    assert len(indices) == 0
    error = returns.std() / math.sqrt(size)
    assert abs(returns.mean() - expected_return(dynamics, policy, gamma).item()) < 4.0 * error
    exact = discounted_visitation(dynamics, policy, gamma).sum(0)
    assert np.abs(visits - exact.numpy()).max() < 0.05 * exact.max().item()


# --- gradients --------------------------------------------------------------------------------------------------------


def by_differences(
    dynamics: Dynamics, probabilities: Callable[[Tensor], Tensor], theta: Tensor, gamma: float
) -> Tensor:
    gradient, step = torch.zeros_like(theta), 1e-5
    for index in range(theta.numel()):
        moved = torch.zeros_like(theta)
        moved.view(-1)[index] = step
        above = expected_return(dynamics, probabilities(theta + moved), gamma)
        below = expected_return(dynamics, probabilities(theta - moved), gamma)
        gradient.view(-1)[index] = (above - below) / (2.0 * step)
    return gradient


def shared(theta: Tensor) -> Tensor:
    """A policy of five states and three actions with two features for all of them: fewer numbers than logits."""
    features = torch.linspace(-1.0, 1.0, 10, dtype=torch.float64).reshape(5, 2).sin()
    return (features @ theta).softmax(-1)


@pytest.mark.parametrize(("horizon", "gamma"), CASES)
@pytest.mark.parametrize("kind", ["tabular", "shared"])
def test_the_gradient_in_three_ways(kind: str, horizon: int | None, gamma: float) -> None:
    dynamics = random_dynamics(horizon)
    probabilities = softmax_policy if kind == "tabular" else shared
    theta = random_logits((5, 3) if kind == "tabular" else (2, 3))
    gradient = exact_gradient(dynamics, probabilities, theta, gamma)
    close(gradient, policy_gradient(dynamics, probabilities, theta, gamma))
    close(gradient, by_differences(dynamics, probabilities, theta, gamma), 1e-7)
    assert gradient.shape == theta.shape
    assert gradient.abs().max().item() > 1e-3
    assert not theta.requires_grad
    assert not gradient.requires_grad


def test_the_gradient_of_a_policy_that_changes_with_time() -> None:
    dynamics, theta = random_dynamics(4), random_logits((4, 5, 3))
    gradient = exact_gradient(dynamics, softmax_policy, theta, 0.9)
    close(gradient, policy_gradient(dynamics, softmax_policy, theta, 0.9))
    close(gradient, by_differences(dynamics, softmax_policy, theta, 0.9), 1e-7)


def test_leaving_gamma_to_the_t_out_is_another_direction() -> None:
    dynamics, theta, gamma = random_dynamics(None), random_logits(), 0.6
    leaf = theta.clone().requires_grad_()
    policy = softmax_policy(leaf)
    undiscounted = discounted_visitation(dynamics, policy.detach(), 1.0).unsqueeze(-1)
    surrogate = (undiscounted * policy * action_values(dynamics, policy.detach(), gamma)).sum()
    (without,) = torch.autograd.grad(surrogate, leaf)
    exact = exact_gradient(dynamics, softmax_policy, theta, gamma)
    assert torch.nn.functional.cosine_similarity(without.flatten(), exact.flatten(), dim=0).item() < 0.99


def test_small_steps_along_the_gradient_only_improve() -> None:
    dynamics, theta = known("GridWorld-v0"), torch.zeros(25, 4, dtype=torch.float64)
    returns = []
    for _ in range(40):
        returns.append(expected_return(dynamics, softmax_policy(theta), 1.0).item())
        theta = theta + 0.1 * exact_gradient(dynamics, softmax_policy, theta, 1.0)
    assert all(after > before for before, after in pairwise(returns))
    assert returns[0] < -9.0
    assert returns[-1] > 7.5


@pytest.mark.parametrize(
    ("kind", "horizon", "gamma"),
    [
        ("tabular", None, 0.9),
        ("tabular", None, 1.0),
        ("tabular", 6, 0.9),
        ("shared", None, 0.9),
        ("shared", 6, 0.9),
        ("timed", 6, 0.9),
    ],
)
def test_the_fisher_matrix_is_the_hessian_of_the_divergence(kind: str, horizon: int | None, gamma: float) -> None:
    dynamics = random_dynamics(horizon)
    probabilities = shared if kind == "shared" else softmax_policy
    theta = random_logits({"tabular": (5, 3), "shared": (2, 3), "timed": (6, 5, 3)}[kind])
    old = probabilities(theta)
    visits = discounted_visitation(dynamics, old, gamma)

    def divergence(other: Tensor) -> Tensor:
        return (visits * (old * (old.log() - probabilities(other).log())).sum(-1)).sum()

    fisher = fisher_matrix(dynamics, probabilities, theta, gamma)
    hessian = torch.autograd.functional.hessian(divergence, theta).reshape(theta.numel(), theta.numel())
    close(fisher, hessian)
    close(fisher, fisher.mT)
    assert torch.linalg.eigvalsh(fisher).min().item() > -1e-12


def test_the_fisher_matrix_of_a_table_by_hand() -> None:
    """A block d(s) (diag π − π πᵀ) for each state, in which a constant added to its logits counts for nothing."""
    dynamics, theta = random_dynamics(None), random_logits()
    fisher = fisher_matrix(dynamics, softmax_policy, theta, 0.9).reshape(5, 3, 5, 3)
    policy = softmax_policy(theta)
    visits = discounted_visitation(dynamics, policy, 0.9)
    for s in range(5):
        close(fisher[s, :, s], visits[s] * (policy[s].diag() - policy[s].outer(policy[s])))
        close(fisher[s, :, s].sum(-1), torch.zeros(3, dtype=torch.float64))
        assert not fisher[s, :, torch.arange(5) != s].any()


def test_actions_that_are_never_taken_have_no_fisher_information() -> None:
    theta = random_logits()
    theta[2, 1] = -2000.0
    fisher = fisher_matrix(random_dynamics(None), softmax_policy, theta, 0.9)
    assert fisher.isfinite().all()
    assert not fisher[7].any()


def test_the_natural_gradient_of_a_table_is_its_advantages() -> None:
    """Kakade (2001): F⁺ ∇J is A(s, a), but for a constant in each state."""
    dynamics, theta = random_dynamics(None), random_logits()
    fisher = fisher_matrix(dynamics, softmax_policy, theta, 0.9)
    gradient = exact_gradient(dynamics, softmax_policy, theta, 0.9)
    natural = (torch.linalg.pinv(fisher, hermitian=True) @ gradient.flatten()).reshape(5, 3)
    gains = advantages(dynamics, softmax_policy(theta), 0.9)
    close(natural - natural.mean(-1, keepdim=True), gains - gains.mean(-1, keepdim=True), 1e-8)


# --- what is refused --------------------------------------------------------------------------------------------------


def test_without_discounting_every_episode_must_end() -> None:
    dynamics = dynamics_of(corridor(5, horizon=None))
    left = torch.tensor([1.0, 0.0]).double().expand(5, 2)
    said = "not defined where the episode never ends, as from state 0; use a discount below 1, a time limit"
    for function in (state_values, action_values, advantages, discounted_visitation, expected_return):
        with pytest.raises(ValueError, match=said):
            function(dynamics, left, 1.0)
    close(state_values(dynamics, left, 0.9)[0], torch.tensor(-10.0).double())
    close(expected_return(dataclasses.replace(dynamics, horizon=8), left, 1.0), torch.tensor(-8.0).double())
    # From a start that never ends it, policy iteration cannot begin; from one that does, every policy does.
    with pytest.raises(ValueError, match=said):
        policy_iteration(dynamics, 1.0, left)
    assert policy_iteration(dynamics, 1.0).values[0].item() == pytest.approx(7.0)


def test_bad_policies_and_discounts_are_refused() -> None:
    dynamics, policy = random_dynamics(None), policy_of()
    with pytest.raises(ValueError, match=r"The policy has the shape \[5, 2\], but this process needs \[5, 3\]"):
        state_values(dynamics, policy[:, :2], 0.9)
    with pytest.raises(ValueError, match=r"needs \[6, 5, 3\]"):
        state_values(random_dynamics(6), policy.expand(4, 5, 3), 0.9)
    with pytest.raises(ValueError, match=r"must be float64 for exact answers, not torch\.float32"):
        state_values(dynamics, policy.float(), 0.9)
    for bad in (policy * 0.9, policy - torch.tensor([2.0, -1.0, -1.0]).double(), policy * torch.nan):
        with pytest.raises(ValueError, match="probabilities that sum to 1"):
            discounted_visitation(dynamics, bad, 0.9)
    for gamma in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="The discount must lie between 0 and 1"):
            expected_return(dynamics, policy, gamma)
        with pytest.raises(ValueError, match="The discount must lie between 0 and 1"):
            value_iteration(dynamics, gamma)
