"""Losses and fit measures: fixed values, closed forms, and gradients by finite differences."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engine.maths.losses import (
    approx_kl,
    clip_fraction,
    clipped_surrogate,
    clipped_surrogate_gradient,
    clipped_value_loss,
    cut_off,
    entropy_bonus,
    explained_variance,
    normalized,
    policy_gradient_loss,
    single_sample_penalty,
    surrogate,
    updated_multiplier,
    value_loss,
)
from engine.maths.returns import discounted_sums


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


@pytest.mark.parametrize("gamma", [0.9, 0.999])
def test_returns_that_are_all_0_have_no_variance_whatever_is_predicted(gamma: float) -> None:
    """As they are until FrozenLake rewards for the first time; rounding leaves what V was there."""
    values = torch.linspace(-0.3, 0.9, 500).unsqueeze(1)
    carry = gamma * (torch.arange(500) < 499).unsqueeze(1)
    targets = values + discounted_sums(carry * values.roll(-1, 0) - values, carry)
    assert targets.abs().max() > 0.0
    assert explained_variance(values.squeeze(1), targets.squeeze(1)) is None


@pytest.mark.parametrize("constant", [0.1, 99.34, 1000.1])
def test_equal_targets_have_no_variance_even_where_their_mean_is_rounded(constant: float) -> None:
    """A solved CartPole with total-return credit has exactly such targets: every episode returns Σ_{t<500} γ^t."""
    assert explained_variance(torch.linspace(0.0, 1.0, 1000), torch.full((1000,), constant)) is None


def test_normalized_has_mean_0_and_population_deviation_1() -> None:
    got = normalized(torch.tensor([1.0, 2.0, 3.0, 6.0]))
    assert got.tolist() == pytest.approx([(x - 3.0) / math.sqrt(3.5) for x in (1.0, 2.0, 3.0, 6.0)], abs=1e-5)


def test_a_single_advantage_stays_since_there_is_none_to_compare_it_with() -> None:
    assert normalized(torch.tensor([5.0])).tolist() == [5.0]


@pytest.mark.parametrize("constant", [0.0, 0.1, 99.34, 1000.1])
def test_equal_advantages_normalise_to_0_even_where_their_mean_is_rounded(constant: float) -> None:
    assert normalized(torch.full((1000,), constant)).abs().max().item() < 1e-2


@pytest.mark.parametrize("constant", [0.1, 1000.1, 1e6 / 3.0])
def test_advantages_that_differ_by_no_more_than_the_order_of_a_sum_normalise_to_0(constant: float) -> None:
    numbers = torch.full((1000,), constant)
    numbers[::3] = torch.nextafter(numbers[::3], torch.tensor(torch.inf))
    assert not normalized(numbers).any()


@pytest.mark.parametrize("size", [16, 65536])
def test_a_small_spread_far_from_0_is_normalised_as_any_other(size: int) -> None:
    """At 1e6 float32 has steps of 1/16, so these are numbers like any others; their mean it would round by as much."""
    signs = torch.ones(size)
    signs[::4] = -1.0
    torch.testing.assert_close(normalized(1e6 + signs), normalized(signs))
    assert explained_variance(1e6 + 0.5 * signs, 1e6 + signs) == pytest.approx(0.75)


def test_a_ratio_at_its_bound_has_the_gradient_that_autograd_finds() -> None:
    generator = torch.Generator().manual_seed(0)
    advantages = torch.randn(4096, generator=generator)
    for clip_range in (0.05, 0.2, 0.3777):
        log_ratios = torch.full((4096,), math.log1p(clip_range)).requires_grad_()
        (expected,) = torch.autograd.grad(clipped_surrogate(log_ratios, advantages, clip_range), log_ratios)
        got = clipped_surrogate_gradient(log_ratios.detach(), advantages, clip_range)
        assert torch.equal(got == 0.0, expected == 0.0)
        assert torch.equal(got == 0.0, cut_off(log_ratios.detach(), advantages, clip_range))


ADVANTAGES = torch.tensor([2.0, -1.0, 4.0, -3.0])


def logs(*ratios: float) -> Tensor:
    return torch.tensor(ratios).log()


def test_the_surrogate_by_hand() -> None:
    assert surrogate(logs(0.5, 2.0, 1.0, 1.5), ADVANTAGES).item() == pytest.approx((1.0 - 2.0 + 4.0 - 4.5) / 4)


@pytest.mark.parametrize(
    ("ratio", "advantage", "expected", "pulled"),
    [
        (1.5, 2.0, 1.2 * 2.0, False),  # gone far enough in the right direction
        (0.5, 2.0, 0.5 * 2.0, True),
        (1.5, -2.0, 1.5 * -2.0, True),  # gone in the wrong direction
        (0.5, -2.0, 0.8 * -2.0, False),
        (1.1, 2.0, 1.1 * 2.0, True),
    ],
)
def test_the_clipped_surrogate_by_hand(ratio: float, advantage: float, expected: float, pulled: bool) -> None:
    log_ratios = logs(ratio).requires_grad_()
    objective = clipped_surrogate(log_ratios, torch.tensor([advantage]), 0.2)
    assert objective.item() == pytest.approx(expected)
    (gradient,) = torch.autograd.grad(objective, log_ratios)
    assert gradient.item() == pytest.approx(ratio * advantage if pulled else 0.0)


def test_before_the_first_step_clipping_changes_nothing() -> None:
    """Ratio 1: the objective is the mean advantage and its gradient the policy gradient's, clipped or not."""
    log_probs = torch.tensor([-1.0, -2.0, -0.5, -3.0], requires_grad=True)
    log_ratios = log_probs - log_probs.detach()
    objectives = surrogate(log_ratios, ADVANTAGES), clipped_surrogate(log_ratios, ADVANTAGES, 0.2)
    expected = -policy_gradient_loss(log_probs, ADVANTAGES, episodes=4)
    (wanted,) = torch.autograd.grad(expected, log_probs)
    for objective in objectives:
        assert objective.item() == pytest.approx(ADVANTAGES.mean().item())
        (got,) = torch.autograd.grad(objective, log_probs, retain_graph=True)
        torch.testing.assert_close(got, wanted)
    assert clip_fraction(log_ratios, 0.2).item() == 0.0
    assert approx_kl(log_ratios).item() == 0.0


@given(st.lists(st.tuples(st.floats(-3.0, 3.0), st.floats(-5.0, 5.0)), min_size=1, max_size=6), st.floats(0.01, 0.9))
def test_clipping_only_ever_lowers_the_objective(steps: list[tuple[float, float]], clip_range: float) -> None:
    log_ratios, advantages = torch.tensor(steps, dtype=torch.float64).unbind(-1)
    assert clipped_surrogate(log_ratios, advantages, clip_range) <= surrogate(log_ratios, advantages)


def test_clipping_the_ratio_alone_would_let_a_wrong_step_go() -> None:
    """Without the minimum a bad action that became likelier has gradient 0 and is never made unlikely again."""
    log_ratios = logs(1.5).requires_grad_()
    (gradient,) = torch.autograd.grad((log_ratios.exp().clamp(0.8, 1.2) * -2.0).mean(), log_ratios)
    assert gradient.item() == 0.0


def test_the_objectives_treat_advantages_as_constants() -> None:
    advantages = ADVANTAGES.clone().requires_grad_()
    log_ratios = torch.zeros(4, requires_grad=True)
    (surrogate(log_ratios, advantages) + clipped_surrogate(log_ratios, advantages, 0.2)).backward()
    assert advantages.grad is None


def test_the_clip_fraction_counts_both_sides() -> None:
    assert clip_fraction(logs(0.5, 0.9, 1.1, 1.5, 1.3), 0.2).item() == pytest.approx(3 / 5)


def test_approx_kl_by_hand() -> None:
    assert approx_kl(logs(0.5, 2.0)).item() == pytest.approx((0.5 - 1 + math.log(2) + 2 - 1 - math.log(2)) / 2)


def test_approx_kl_keeps_its_digits_where_policies_hardly_differ() -> None:
    """Half the squared log ratio; with ρ − 1 − log ρ, float32 gives 0 or worse."""
    assert approx_kl(torch.tensor([1e-4, -1e-4])).item() == pytest.approx(5e-9, rel=1e-2)


def test_approx_kl_is_infinite_where_an_action_taken_has_become_impossible() -> None:
    assert approx_kl(torch.tensor([0.0, -math.inf])).item() == math.inf


@given(st.lists(st.floats(-20.0, 20.0, width=32), min_size=1, max_size=4))
def test_approx_kl_is_never_negative(log_ratios: list[float]) -> None:
    assert approx_kl(torch.tensor(log_ratios)).item() >= 0.0


OLD = torch.tensor([0.3, -0.2, 1.0], dtype=torch.float64).log_softmax(-1)
NEW = torch.tensor([-0.5, 0.4, 0.1], dtype=torch.float64)


def exact_kl(logits: Tensor) -> Tensor:
    return (OLD.exp() * (OLD - logits.log_softmax(-1))).sum()


def test_over_all_actions_approx_kl_is_the_divergence_in_the_right_direction() -> None:
    """Each action as often as the old policy takes it."""
    ratios = NEW.log_softmax(-1) - OLD
    mean = sum(OLD.exp()[a].item() * approx_kl(ratios[a : a + 1]).item() for a in range(3))
    assert mean == pytest.approx(exact_kl(NEW).item())
    backwards = (NEW.softmax(-1) * ratios).sum().item()
    assert mean != pytest.approx(backwards)


def test_over_all_actions_both_penalties_have_the_divergences_gradient() -> None:
    logits = NEW.clone().requires_grad_()
    log_probs = logits.log_softmax(-1)
    (wanted,) = torch.autograd.grad(exact_kl(logits), logits)
    k3 = sum(OLD.exp()[a] * approx_kl((log_probs - OLD)[a : a + 1]) for a in range(3))
    single = sum(OLD.exp()[a] * single_sample_penalty(log_probs[a : a + 1]) for a in range(3))
    assert isinstance(k3, Tensor)
    assert isinstance(single, Tensor)
    torch.testing.assert_close(torch.autograd.grad(k3, logits, retain_graph=True)[0], wanted)
    torch.testing.assert_close(torch.autograd.grad(single, logits)[0], -wanted)


def test_the_single_sample_penalty_is_the_mean_log_probability() -> None:
    assert single_sample_penalty(torch.tensor([-1.0, -3.0])).item() == -2.0


@pytest.mark.parametrize(("kl", "expected"), [(0.03, 1.2), (0.01, 1.0), (0.0, 0.9), (-0.2, 0.0)])
def test_the_multiplier_grows_where_the_divergence_is_too_large(kl: float, expected: float) -> None:
    assert updated_multiplier(1.0, kl, target_kl=0.01, step=10.0) == pytest.approx(expected)


@pytest.mark.parametrize("kl", [math.nan, math.inf])
def test_the_multiplier_is_not_reset_by_a_divergence_that_is_no_number(kl: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        updated_multiplier(1.0, kl, target_kl=0.01, step=10.0)


@pytest.mark.parametrize(
    ("value", "expected", "pulled"),
    [
        (0.5, 0.5**2, True),  # within the range
        (0.9, 0.5**2, False),  # further towards the target 1 than c = 0.5: counts as if it had stopped there
        (-0.9, 1.9**2, True),  # away from the target
        (3.0, 2.0**2, True),  # far beyond it: worse than where clipping would have stopped
    ],
)
def test_the_clipped_value_loss_by_hand(value: float, expected: float, pulled: bool) -> None:
    values = torch.tensor([value], requires_grad=True)
    loss = clipped_value_loss(values, torch.tensor([1.0]), torch.tensor([0.0]), 0.5)
    assert loss.item() == pytest.approx(expected)
    (gradient,) = torch.autograd.grad(loss, values)
    assert gradient.item() == pytest.approx(2.0 * (value - 1.0) if pulled else 0.0)


def test_before_the_first_fit_the_clipped_value_loss_is_the_plain_one() -> None:
    values = torch.tensor([1.0, 2.0, -4.0], requires_grad=True)
    targets = torch.tensor([0.0, 5.0, 5.0])
    losses = value_loss(values, targets), clipped_value_loss(values, targets, values.detach(), 0.2)
    assert losses[0].item() == losses[1].item()
    gradients = [torch.autograd.grad(loss, values)[0] for loss in losses]
    torch.testing.assert_close(*gradients)


def test_targets_and_old_values_are_constants() -> None:
    values, targets, old = (torch.ones(2, requires_grad=True) for _ in range(3))
    clipped_value_loss(values, targets, old, 0.2).backward()
    assert targets.grad is None
    assert old.grad is None


def test_objectives_of_differing_shapes_are_refused() -> None:
    three, wide = torch.zeros(3), torch.zeros(3, 1)
    for call in (
        lambda: surrogate(three, wide),
        lambda: clipped_surrogate(three, wide, 0.2),
        lambda: clipped_value_loss(three, three, wide, 0.2),
    ):
        with pytest.raises(ValueError, match="differ in shape"):
            call()


@pytest.mark.parametrize("wrong", [0.0, -0.2, math.nan])
def test_clip_ranges_that_are_not_positive_are_refused(wrong: float) -> None:
    one = torch.zeros(1)
    for call in (
        lambda: clipped_surrogate(one, one, wrong),
        lambda: clip_fraction(one, wrong),
        lambda: clipped_value_loss(one, one, one, wrong),
    ):
        with pytest.raises(ValueError, match="positive"):
            call()
