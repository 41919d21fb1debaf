"""Losses and fit measures: fixed values, closed forms, and gradients by finite differences."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from engine.losses import entropy_bonus, explained_variance, normalized, policy_gradient_loss, value_loss


def test_policy_gradient_loss_by_hand() -> None:
    loss = policy_gradient_loss(torch.tensor([-1.0, -2.0, -0.5]), torch.tensor([2.0, -1.0, 4.0]), episodes=2)
    assert loss.item() == pytest.approx(-(-2.0 + 2.0 - 2.0) / 2)


def test_its_gradient_is_the_sum_over_steps_divided_by_the_episodes() -> None:
    log_probs = torch.tensor([-1.0, -2.0, -0.5], requires_grad=True)
    advantages = torch.tensor([2.0, -1.0, 4.0])
    policy_gradient_loss(log_probs, advantages, episodes=2).backward()
    assert log_probs.grad is not None
    assert torch.allclose(log_probs.grad, -advantages / 2)


def test_its_gradient_agrees_with_finite_differences() -> None:
    logits = torch.tensor([[0.3, -0.2, 0.1], [1.0, 0.0, -1.0]], dtype=torch.float64, requires_grad=True)
    actions = torch.tensor([2, 0])
    advantages = torch.tensor([1.5, -0.7], dtype=torch.float64)

    def loss(values: Tensor) -> Tensor:
        chosen = values.log_softmax(-1).gather(-1, actions.unsqueeze(-1)).squeeze(-1)
        return policy_gradient_loss(chosen, advantages, episodes=2)

    assert torch.autograd.gradcheck(loss, (logits,))


def test_no_gradient_flows_through_the_advantages() -> None:
    advantages = torch.tensor([1.0, 2.0], requires_grad=True)
    log_probs = torch.tensor([-1.0, -1.0], requires_grad=True)
    policy_gradient_loss(log_probs, advantages, episodes=1).backward()
    assert advantages.grad is None


def test_policy_gradient_loss_refuses_differing_shapes() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        policy_gradient_loss(torch.zeros(3), torch.zeros(3, 1), episodes=1)


def test_policy_gradient_loss_refuses_no_episodes() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        policy_gradient_loss(torch.zeros(3), torch.zeros(3), episodes=0)


def test_entropy_bonus_is_reduced_like_the_policy_gradient_loss() -> None:
    entropies = torch.tensor([1.0, 2.0, 3.0])
    assert entropy_bonus(entropies, episodes=2).item() == pytest.approx(3.0)
    assert entropy_bonus(entropies, 2) == -policy_gradient_loss(entropies, torch.ones(3), 2)


def test_value_loss_by_hand() -> None:
    assert value_loss(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 5.0])).item() == pytest.approx(5.0)


def test_value_targets_are_constants() -> None:
    targets = torch.tensor([1.0], requires_grad=True)
    value_loss(torch.tensor([0.0], requires_grad=True), targets).backward()
    assert targets.grad is None


@pytest.mark.parametrize("function", [value_loss, explained_variance])
def test_fits_of_differing_shapes_are_refused(function: object) -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        function(torch.zeros(3), torch.zeros(3, 1))  # type: ignore[operator]


TARGETS = torch.tensor([1.0, 2.0, 3.0, 6.0])


def test_a_perfect_prediction_explains_everything() -> None:
    assert explained_variance(TARGETS.clone(), TARGETS) == pytest.approx(1.0)


def test_a_prediction_off_by_a_constant_explains_everything_too() -> None:
    assert explained_variance(TARGETS + 5.0, TARGETS) == pytest.approx(1.0)


def test_a_constant_explains_nothing() -> None:
    assert explained_variance(torch.full((4,), 3.0), TARGETS) == pytest.approx(0.0, abs=1e-6)


def test_the_opposite_of_a_prediction_is_worse_than_a_constant() -> None:
    assert explained_variance(-TARGETS, TARGETS) == pytest.approx(1.0 - 4.0)


def test_targets_without_variance_cannot_be_explained() -> None:
    assert explained_variance(TARGETS, torch.full((4,), 2.0)) is None


def test_a_single_target_cannot_be_explained() -> None:
    assert explained_variance(torch.tensor([1.0]), torch.tensor([2.0])) is None


@pytest.mark.parametrize("constant", [0.1, 99.34, 1000.1])
def test_equal_targets_have_no_variance_even_where_their_mean_is_rounded(constant: float) -> None:
    """A solved CartPole with total-return credit has exactly such targets: every episode returns Σ_{t<500} γ^t."""
    assert explained_variance(torch.linspace(0.0, 1.0, 1000), torch.full((1000,), constant)) is None


def test_normalized_has_mean_0_and_population_deviation_1() -> None:
    got = normalized(torch.tensor([1.0, 2.0, 3.0, 6.0]))
    assert got.tolist() == pytest.approx([(x - 3.0) / math.sqrt(3.5) for x in (1.0, 2.0, 3.0, 6.0)], abs=1e-5)


def test_a_single_advantage_normalises_to_0() -> None:
    assert normalized(torch.tensor([5.0])).tolist() == [0.0]


@pytest.mark.parametrize("constant", [0.0, 0.1, 99.34, 1000.1])
def test_equal_advantages_normalise_to_0_even_where_their_mean_is_rounded(constant: float) -> None:
    assert normalized(torch.full((1000,), constant)).abs().max().item() < 1e-2
