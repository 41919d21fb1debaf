"""How likely the acting policy was to act as it did, where some of its actions are greedy."""

from __future__ import annotations

import math

import pytest
import torch

from engine.policies.behaviour import behaviour_log_probs
from engine.policies.distributions import Bernoulli, Beta, Bounds, Categorical, DiagonalGaussian, MultiCategorical

SHARES = [0.0, 0.25, 0.9, 1.0]
LOGITS = torch.tensor([0.3, -1.0, 1.2, 0.4])


def greedy_where_likeliest(
    distribution: Categorical | MultiCategorical | Bernoulli, actions: torch.Tensor
) -> torch.Tensor:
    same = distribution.mode() == actions
    return same if same.dim() == 1 else same.all(-1)


@pytest.mark.parametrize("share", SHARES)
def test_probabilities_of_all_discrete_actions_sum_to_1(share: float) -> None:
    distribution, actions = Categorical(LOGITS.expand(4, 4)), torch.arange(4)
    greedy = greedy_where_likeliest(distribution, actions)
    assert behaviour_log_probs(distribution, actions, greedy, share).exp().sum().item() == pytest.approx(1.0)


@pytest.mark.parametrize("share", SHARES)
def test_probabilities_of_all_actions_with_parts_sum_to_1(share: float) -> None:
    actions = torch.cartesian_prod(torch.arange(3), torch.arange(2))
    distribution = MultiCategorical(torch.tensor([0.3, -1.0, 1.2, 0.4, 0.1]).expand(6, 5), (3, 2))
    greedy = greedy_where_likeliest(distribution, actions)
    assert behaviour_log_probs(distribution, actions, greedy, share).exp().sum().item() == pytest.approx(1.0)


@pytest.mark.parametrize("share", SHARES)
def test_probabilities_of_all_switch_settings_sum_to_1(share: float) -> None:
    actions = torch.cartesian_prod(*[torch.arange(2)] * 3)
    distribution = Bernoulli(torch.tensor([0.3, -1.0, 1.2]).expand(8, 3))
    greedy = greedy_where_likeliest(distribution, actions)
    assert behaviour_log_probs(distribution, actions, greedy, share).exp().sum().item() == pytest.approx(1.0)


def test_the_likeliest_action_gains_what_the_others_lose() -> None:
    distribution, actions = Categorical(LOGITS.expand(4, 4)), torch.arange(4)
    found = behaviour_log_probs(distribution, actions, torch.zeros(4, dtype=torch.bool), 0.25).exp()
    expected = 0.75 * LOGITS.softmax(-1) + 0.25 * torch.tensor([0.0, 0.0, 1.0, 0.0])
    torch.testing.assert_close(found, expected)


def test_frequencies_of_mixed_actions_are_the_probabilities() -> None:
    """100 000 draws of a policy that is greedy in 3 of 10 cases: five standard deviations are at most 0.008."""
    generator = torch.Generator().manual_seed(5)
    many = Categorical(LOGITS.expand(100_000, 4))
    greedy = torch.rand(100_000, generator=generator) < 0.3
    actions = torch.where(greedy, many.mode(), many.sample(generator))
    frequencies = actions.bincount(minlength=4) / 100_000
    found = behaviour_log_probs(Categorical(LOGITS.expand(4, 4)), torch.arange(4), torch.zeros(4).bool(), 0.3).exp()
    torch.testing.assert_close(frequencies, found, rtol=0.0, atol=0.008)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_without_marks_of_greedy_actions_the_policy_itself_acted(share: float) -> None:
    distribution, actions = Categorical(LOGITS.expand(4, 4)), torch.arange(4)
    found = behaviour_log_probs(distribution, actions, None, share)
    assert torch.equal(found, distribution.log_prob(actions))


def test_always_greedy_the_likeliest_action_is_certain_and_the_others_impossible() -> None:
    distribution, actions = Categorical(LOGITS.expand(4, 4)), torch.arange(4)
    greedy = greedy_where_likeliest(distribution, actions)
    found = behaviour_log_probs(distribution, actions, greedy, 1.0)
    assert found.tolist() == [-math.inf, -math.inf, 0.0, -math.inf]


def test_an_action_marked_greedy_counts_as_likeliest_whatever_rounding_says() -> None:
    """Two logits that tie may change places when the batch they are computed in does."""
    distribution = Categorical(torch.tensor([[1.0, 1.0 + 1e-7]]))
    assert distribution.mode().item() == 1
    found = behaviour_log_probs(distribution, torch.tensor([0]), torch.tensor([True]), 1.0)
    assert found.item() == pytest.approx(0.0, abs=1e-6)


def gaussian(rows: int) -> DiagonalGaussian:
    return DiagonalGaussian(torch.zeros(rows, 2), torch.zeros(2))


def test_sampled_continuous_actions_have_the_density_less_the_greedy_share() -> None:
    actions = torch.tensor([[0.5, -1.0], [2.0, 0.0]])
    found = behaviour_log_probs(gaussian(2), actions, torch.zeros(2, dtype=torch.bool), 0.25)
    torch.testing.assert_close(found, gaussian(2).log_prob(actions) + math.log(0.75))


def test_a_greedy_continuous_action_is_an_atom_infinitely_likely_against_any_density() -> None:
    found = behaviour_log_probs(gaussian(2), torch.zeros(2, 2), torch.tensor([True, False]), 0.25)
    assert found[0].item() == math.inf
    assert math.isfinite(found[1].item())


def test_always_greedy_continuous_actions_are_all_atoms() -> None:
    beta = Beta(torch.full((3, 1), 2.0), torch.full((3, 1), 3.0), Bounds(torch.zeros(1), torch.ones(1)))
    found = behaviour_log_probs(beta, beta.mode(), torch.ones(3, dtype=torch.bool), 1.0)
    assert found.tolist() == [math.inf] * 3


@pytest.mark.parametrize("share", [0.25, 0.9])
def test_weights_of_continuous_actions_average_1_over_what_acted(share: float) -> None:
    """E_μ[π/μ] = 1: sampled actions carry 1/(1 − κ), greedy ones 0."""
    generator = torch.Generator().manual_seed(5)
    many = gaussian(100_000)
    greedy = torch.rand(100_000, generator=generator) < share
    actions = torch.where(greedy[:, None], many.mode(), many.sample(generator))
    weights = (many.log_prob(actions) - behaviour_log_probs(many, actions, greedy, share)).exp()
    assert not weights[greedy].any()
    torch.testing.assert_close(weights[~greedy], torch.full_like(weights[~greedy], 1.0 / (1.0 - share)))
    # The standard deviation of a weight is sqrt(κ/(1 − κ)): five standard errors are 0.047 at most.
    assert weights.mean().item() == pytest.approx(1.0, abs=0.05)
