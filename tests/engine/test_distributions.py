"""The light distributions against torch's, against closed forms, and by counting samples."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from engine.policies.distributions import Categorical, DiagonalGaussian


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


LOGITS = torch.tensor([[0.0, 1.0, -2.0, 0.5], [3.0, 3.0, 3.0, 3.0], [-10.0, 20.0, 5.0, 0.0]])
MEAN = torch.tensor([[0.0, 1.0, -3.0], [2.5, -1.0, 0.0]])
LOG_STD = torch.tensor([0.0, -1.5, 0.7])


def test_categorical_log_probabilities_are_torchs() -> None:
    reference = torch.distributions.Categorical(logits=LOGITS)
    for action in range(4):
        actions = torch.full((3,), action)
        torch.testing.assert_close(Categorical(LOGITS).log_prob(actions), reference.log_prob(actions))


def test_categorical_entropy_is_torchs() -> None:
    reference = torch.distributions.Categorical(logits=LOGITS)
    torch.testing.assert_close(Categorical(LOGITS).entropy(), reference.entropy())


@pytest.mark.parametrize("actions", [2, 3, 18])
def test_the_entropy_of_a_blind_choice_is_the_log_of_the_number_of_actions(actions: int) -> None:
    assert Categorical(torch.full((1, actions), 7.0)).entropy().item() == pytest.approx(math.log(actions), rel=1e-5)


def test_probabilities_sum_to_1() -> None:
    torch.testing.assert_close(Categorical(LOGITS).probabilities.sum(-1), torch.ones(3))


def test_categorical_mode_is_the_largest_logit() -> None:
    assert Categorical(LOGITS).mode().tolist() == [1, 0, 1]


def frequencies(logits: Tensor, count: int, seed: int = 0) -> Tensor:
    drawn = Categorical(logits.expand(count, -1)).sample(generator(seed))
    return torch.bincount(drawn, minlength=logits.shape[-1]) / count


@pytest.mark.parametrize("logits", [[0.0, 1.0, -2.0, 0.5], [5.0, 5.0, 5.0], [-4.0, 0.0, 3.0, 3.5, 1.0], [0.0, 0.0]])
def test_gumbel_max_samples_the_softmax(logits: list[float]) -> None:
    """Pearson's χ² over 100 000 samples; its 99.9 % quantile for at most 4 degrees of freedom is 18.5."""
    count = 100_000
    expected = torch.tensor(logits, dtype=torch.float64).softmax(-1)
    observed = frequencies(torch.tensor(logits), count)
    statistic = (count * (observed - expected).square() / expected).sum().item()
    assert statistic < 18.5


def test_the_same_test_rejects_gumbel_noise_of_the_wrong_sign() -> None:
    count, logits = 100_000, torch.tensor([0.0, 1.0, -2.0, 0.5])
    noise = torch.empty(count, 4).exponential_(generator=generator()).log()
    observed = torch.bincount((logits + noise).argmax(-1), minlength=4) / count
    expected = logits.softmax(-1)
    assert (count * (observed - expected).square() / expected).sum().item() > 100.0


def test_elements_of_a_batch_are_sampled_independently() -> None:
    pairs = Categorical(torch.zeros(100_000, 2)).sample(generator()).reshape(-1, 2)
    joint = torch.bincount(2 * pairs[:, 0] + pairs[:, 1], minlength=4) / 50_000
    assert joint.tolist() == pytest.approx([0.25] * 4, abs=0.01)


def test_sampling_leaves_the_logits_as_they_were() -> None:
    logits = LOGITS.clone()
    Categorical(logits).sample(generator())
    assert torch.equal(logits, LOGITS)


def test_sampling_again_from_the_same_generator_state_gives_the_same_actions() -> None:
    first, second = (Categorical(torch.zeros(50, 3)).sample(generator(7)) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize("extreme", [1e4, 1e30, -1e30])
def test_extreme_logits_give_no_nan(extreme: float) -> None:
    logits = torch.tensor([[extreme, 0.0, -extreme]], requires_grad=True)
    distribution = Categorical(logits)
    loss = distribution.entropy().sum() + distribution.log_prob(torch.tensor([0])).sum()
    loss.backward()
    assert logits.grad is not None
    assert not logits.grad.isnan().any()
    assert distribution.entropy().item() == pytest.approx(0.0, abs=1e-6)
    assert distribution.sample(generator()).item() == (0 if extreme > 0 else 2)


def reference_gaussian() -> torch.distributions.Distribution:
    return torch.distributions.Independent(torch.distributions.Normal(MEAN, LOG_STD.exp().expand_as(MEAN)), 1)


def test_gaussian_log_probabilities_are_torchs() -> None:
    actions = torch.tensor([[0.3, 0.9, -2.0], [10.0, -1.0, 1.0]])
    torch.testing.assert_close(
        DiagonalGaussian(MEAN, LOG_STD).log_prob(actions), reference_gaussian().log_prob(actions)
    )


def test_gaussian_entropy_is_torchs() -> None:
    torch.testing.assert_close(DiagonalGaussian(MEAN, LOG_STD).entropy(), reference_gaussian().entropy())


def test_a_standard_normals_density_at_its_mean_in_closed_form() -> None:
    standard = DiagonalGaussian(torch.zeros(1, 2), torch.zeros(2))
    assert standard.log_prob(torch.zeros(1, 2)).item() == pytest.approx(-math.log(2 * math.pi))


def test_gaussian_mode_is_its_mean() -> None:
    assert torch.equal(DiagonalGaussian(MEAN, LOG_STD).mode(), MEAN)


def test_gaussian_samples_have_the_mean_and_the_covariance() -> None:
    count = 200_000
    drawn = DiagonalGaussian(MEAN[:1].expand(count, -1), LOG_STD).sample(generator())
    std = LOG_STD.exp()
    assert ((drawn.mean(0) - MEAN[0]).abs() < 4.0 * std / math.sqrt(count)).all()
    torch.testing.assert_close(drawn.T.cov(), torch.diag(std.square()), atol=0.05, rtol=0.02)


def test_the_log_std_learns_from_log_prob_in_closed_form() -> None:
    """∂ log π/∂ log σ_j = ((a_j − μ_j)/σ_j)² − 1, summed over the batch."""
    log_std = LOG_STD.clone().requires_grad_()
    actions = torch.tensor([[0.3, 0.9, -2.0], [10.0, -1.0, 1.0]])
    DiagonalGaussian(MEAN, log_std).log_prob(actions).sum().backward()
    expected = (((actions - MEAN) / LOG_STD.exp()).square() - 1.0).sum(0)
    torch.testing.assert_close(log_std.grad, expected)
