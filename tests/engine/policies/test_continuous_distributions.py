"""Gaussian, squashed Gaussian and beta: against scipy, torch and numerical integration, up to and at the limits."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import Tensor

from engine.policies.distributions import Beta, Bounds, DiagonalGaussian, TanhGaussian


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def double(*values: float | list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


# --- normal -----------------------------------------------------------------------------------------------------------

MEAN = torch.tensor([[0.0, 1.0, -3.0], [2.5, -1.0, 0.0]])
LOG_STD = torch.tensor([0.0, -1.5, 0.7])
LOG_STD_PER_STATE = torch.tensor([[0.0, -1.5, 0.7], [-4.0, 1.0, 0.3]])
ACTIONS = torch.tensor([[0.3, 0.9, -2.0], [10.0, -1.0, 1.0]])
SPREADS = pytest.mark.parametrize("log_std", [LOG_STD, LOG_STD_PER_STATE], ids=["one spread", "per state"])


@SPREADS
def test_a_gaussian_is_scipys(log_std: Tensor) -> None:
    distribution = DiagonalGaussian(MEAN.double(), log_std.double())
    reference = stats.norm(MEAN.double().numpy(), log_std.double().exp().numpy())
    actions = ACTIONS.double()
    np.testing.assert_allclose(distribution.log_prob(actions), reference.logpdf(actions.numpy()).sum(-1), rtol=1e-12)
    entropy = np.broadcast_to(reference.entropy(), (2, 3)).sum(-1)
    np.testing.assert_allclose(distribution.entropy(), entropy, rtol=1e-12)


@SPREADS
def test_the_gaussians_divergence_is_torchs(log_std: Tensor) -> None:
    first, second = DiagonalGaussian(MEAN, log_std), DiagonalGaussian(MEAN.flip(0), log_std - 0.3)
    reference = torch.distributions.kl_divergence(
        *(torch.distributions.Normal(d.mean, d.log_std.exp().expand_as(MEAN)) for d in (first, second))
    )
    torch.testing.assert_close(first.kl(second), reference.sum(-1))


def test_a_standard_normals_density_at_its_mean_in_closed_form() -> None:
    standard = DiagonalGaussian(torch.zeros(1, 2), torch.zeros(2))
    assert standard.log_prob(torch.zeros(1, 2)).item() == pytest.approx(-math.log(2 * math.pi))


def test_a_tiny_spread_is_exact() -> None:
    narrow = DiagonalGaussian(double([1.0]), double(-25.0))
    actions = double([1.0 + 2.0 * math.exp(-25.0)])
    expected = stats.norm(1.0, math.exp(-25.0)).logpdf(actions.item())
    assert narrow.log_prob(actions).item() == pytest.approx(expected, rel=1e-6)
    assert DiagonalGaussian(torch.ones(1, 1), torch.tensor([-25.0])).log_prob(torch.ones(1, 1)).item() > 24.0


def test_the_divergence_of_a_tiny_step_keeps_its_digits_in_float32() -> None:
    """KL = ½ (e^{2δ} − 1) − δ ≈ δ² for a step of δ = −0.001 in log σ."""
    wide, narrow = (DiagonalGaussian(torch.zeros(1, 1), torch.tensor([x])) for x in (0.0, 0.001))
    assert wide.kl(narrow).item() == pytest.approx(1e-6, rel=2e-3)


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
    DiagonalGaussian(MEAN, log_std).log_prob(ACTIONS).sum().backward()
    expected = (((ACTIONS - MEAN) / LOG_STD.exp()).square() - 1.0).sum(0)
    torch.testing.assert_close(log_std.grad, expected)


def test_tempering_a_gaussian_widens_it_by_the_root_of_the_temperature() -> None:
    tempered = DiagonalGaussian(MEAN, LOG_STD).tempered(4.0)
    assert tempered.mean is MEAN
    torch.testing.assert_close(tempered.log_std.exp(), 2.0 * LOG_STD.exp())


# --- bounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        ([0.0], [0.0], "low < high"),
        ([1.0], [0.0], "low < high"),
        ([-math.inf], [0.0], "finite"),
        ([math.nan], [0.0], "finite"),
        ([0.0, 0.0], [1.0], "but high is"),
    ],
)
def test_bounds_that_enclose_nothing_or_everything_are_refused(
    low: list[float], high: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Bounds(torch.tensor(low), torch.tensor(high))


@pytest.mark.parametrize(("low", "high"), [(-0.3, 0.7), (0.1, 1.0 / 3.0), (-1e3, 1e-3), (5.0, 5.5)])
def test_the_ends_of_the_unit_interval_are_the_bounds_to_the_bit(low: float, high: float) -> None:
    bounds = Bounds(torch.tensor([low]), torch.tensor([high]))
    assert bounds.from_unit(torch.zeros(1, 1)).item() == bounds.low.item()
    assert bounds.from_unit(torch.ones(1, 1)).item() == bounds.high.item()
    inner = bounds.from_unit(torch.rand(10_000, 1, generator=generator()))
    assert ((inner >= bounds.low) & (inner <= bounds.high)).all()


# --- squashed normal --------------------------------------------------------------------------------------------------

LOW, HIGH = -2.0, 3.0
BOUNDS = Bounds(double(LOW), double(HIGH))


def squashed(mean: float, std: float, count: int = 1) -> TanhGaussian:
    return TanhGaussian(DiagonalGaussian(double([mean]).expand(count, -1), double(math.log(std))), BOUNDS)


def density(log_prob: Callable[[Tensor], Tensor]) -> Callable[[float], float]:
    return lambda action: log_prob(double([action])).exp().item()


@pytest.mark.parametrize(("mean", "std"), [(0.0, 0.5), (0.7, 0.3), (-1.0, 0.8), (0.0, 0.05)])
def test_the_squashed_density_integrates_to_1_and_without_its_log_det_it_does_not(mean: float, std: float) -> None:
    distribution, peak = squashed(mean, std), squashed(mean, std).mode().item()
    total = integrate.quad(density(distribution.log_prob), LOW, HIGH, points=[peak], limit=200)[0]
    assert total == pytest.approx(1.0, abs=1e-6)

    def unadjusted(actions: Tensor) -> Tensor:
        return distribution.base.log_prob((2.0 * BOUNDS.to_unit(actions) - 1.0).atanh())

    assert abs(integrate.quad(density(unadjusted), LOW, HIGH, points=[peak], limit=200)[0] - 1.0) > 0.1


def test_the_squashed_log_prob_is_torchs_transformed_normals() -> None:
    mean, log_std = MEAN.double() / 3.0, LOG_STD_PER_STATE.double()
    low, high = double(-2.0, 0.0, 10.0), double(3.0, 0.5, 11.0)
    actions = low + (high - low) * torch.rand(2, 3, generator=generator(), dtype=torch.float64)
    transforms = [
        torch.distributions.TanhTransform(),
        torch.distributions.AffineTransform((low + high) / 2.0, (high - low) / 2.0),
    ]
    normal = torch.distributions.Normal(mean, log_std.exp())
    reference = torch.distributions.TransformedDistribution(normal, transforms).log_prob(actions).sum(-1)
    distribution = TanhGaussian(DiagonalGaussian(mean, log_std), Bounds(low, high))
    torch.testing.assert_close(distribution.log_prob(actions), reference)


@pytest.mark.parametrize("latent", [-14.0, -8.0, -3.0, 0.0, 5.0, 8.0, 14.0])
def test_near_the_limits_the_log_det_is_exact(latent: float) -> None:
    """In float64, on [0, 1] and mirrored on [−1, 0], where the action itself keeps the digits of e^(−2|u|)."""
    low, high = (0.0, 1.0) if latent < 0.0 else (-1.0, 0.0)
    action = math.copysign(1.0 / (1.0 + math.exp(2.0 * abs(latent))), -latent)
    distribution = TanhGaussian(DiagonalGaussian(double([1.0]), double(0.5)), Bounds(double(low), double(high)))
    if latent == 0.0:
        action = -0.5
    log_det = math.log(2.0) - 2.0 * abs(latent) - 2.0 * math.log1p(math.exp(-2.0 * abs(latent)))
    expected = stats.norm(1.0, math.exp(0.5)).logpdf(latent) - log_det
    # 1 − 1e-12 is 1e-12 only to 4 digits in float64; towards 0 nothing is lost.
    assert distribution.log_prob(double([action])).item() == pytest.approx(expected, abs=1e-3 if latent > 8.0 else 1e-8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("side", [-1, 1])
def test_at_a_limit_and_beyond_the_squashed_log_prob_is_finite_and_pulls_the_right_way(
    side: int, dtype: torch.dtype
) -> None:
    mean = torch.zeros(1, 1, dtype=dtype, requires_grad=True)
    bounds = Bounds(BOUNDS.low.to(dtype), BOUNDS.high.to(dtype))
    distribution = TanhGaussian(DiagonalGaussian(mean, torch.zeros(1, dtype=dtype)), bounds)
    limit = HIGH if side > 0 else LOW
    at_limit = distribution.log_prob(torch.tensor([[limit]], dtype=dtype))
    beyond = distribution.log_prob(torch.tensor([[limit + side]], dtype=dtype))
    assert at_limit.isfinite().all()
    assert at_limit.item() == beyond.item()
    margin = torch.finfo(dtype).eps / 2.0
    assert at_limit.item() == pytest.approx(
        stats.norm.logpdf(0.5 * math.log(margin)) - math.log(2.0 * (HIGH - LOW) * margin), rel=1e-4
    )
    at_limit.sum().backward()
    assert mean.grad is not None
    assert side * mean.grad.item() == pytest.approx(-0.5 * math.log(margin), rel=1e-4)


def test_a_saturated_policy_samples_the_limits_and_keeps_finite_ratios() -> None:
    low, high = torch.tensor([-0.3, 0.1]), torch.tensor([0.7, 1.0 / 3.0])
    old = TanhGaussian(DiagonalGaussian(torch.tensor([[50.0, -50.0]] * 100), torch.zeros(2)), Bounds(low, high))
    actions = old.sample(generator())
    assert torch.equal(actions, torch.stack((high[:1], low[1:]), -1).expand(100, -1))
    new = TanhGaussian(DiagonalGaussian(old.base.mean * 0.999, old.base.log_std), old.bounds)
    assert (new.log_prob(actions) - old.log_prob(actions)).isfinite().all()


@pytest.mark.parametrize("std", [math.exp(-5.0), 0.1, 1.0, 3.0, math.exp(2.0)])
@pytest.mark.parametrize("mean", [0.0, 0.3, -1.5, 6.0, -30.0])
def test_the_squashed_entropy_is_the_integral(mean: float, std: float) -> None:
    def log_det(z: float) -> float:
        latent = abs(mean + std * z)
        return math.log(2.0 * (HIGH - LOW)) - 2.0 * latent - 2.0 * math.log1p(math.exp(-2.0 * latent))

    kink = [-mean / std] if abs(mean / std) < 12.0 else None
    expected = integrate.quad(lambda z: stats.norm.pdf(z) * log_det(z), -12.0, 12.0, points=kink, limit=200)[0]
    expected += stats.norm(mean, std).entropy()
    tolerance = 1e-5 if std <= 3.0 else 1e-3
    # Up to a mean of 30 the tails beyond 5 standard deviations, which the rule leaves out, stay below that.
    assert squashed(mean, std).entropy().item() == pytest.approx(expected, abs=tolerance)
    single = TanhGaussian(
        DiagonalGaussian(torch.tensor([[mean]]), torch.tensor([math.log(std)])),
        Bounds(BOUNDS.low.float(), BOUNDS.high.float()),
    )
    assert single.entropy().item() == pytest.approx(expected, abs=1e-3)


def test_the_squashed_entropy_of_extreme_parameters_stays_finite_with_its_gradient() -> None:
    mean, log_std = torch.tensor([[1e4], [-1e4], [0.0]], requires_grad=True), torch.tensor([5.0], requires_grad=True)
    entropy = TanhGaussian(DiagonalGaussian(mean, log_std), Bounds(-torch.ones(1), torch.ones(1))).entropy()
    entropy.sum().backward()
    assert entropy.isfinite().all()
    assert mean.grad is not None
    torch.testing.assert_close(mean.grad, torch.tensor([[-2.0], [2.0], [0.0]]))


def test_the_squashed_divergence_is_the_integral_over_actions() -> None:
    first, second = squashed(0.2, 0.4), squashed(-0.3, 0.6)

    def integrand(action: float) -> float:
        log_p, log_q = (d.log_prob(double([action])).item() for d in (first, second))
        return math.exp(log_p) * (log_p - log_q)

    expected = integrate.quad(integrand, LOW, HIGH, limit=200)[0]
    assert first.kl(second).item() == pytest.approx(expected, rel=1e-6)


def test_squashed_samples_are_the_squashed_normal() -> None:
    drawn = squashed(0.5, 0.7, 20_000).sample(generator())
    latent = np.arctanh(2.0 * (drawn[:, 0].numpy() - LOW) / (HIGH - LOW) - 1.0)
    assert stats.kstest(latent, stats.norm(0.5, 0.7).cdf).pvalue > 1e-3


def test_the_squashed_greedy_action_is_the_squashed_mean() -> None:
    expected = LOW + (HIGH - LOW) * (math.tanh(0.7) + 1.0) / 2.0
    assert squashed(0.7, 0.3).mode().item() == pytest.approx(expected, rel=1e-12)


# --- beta -------------------------------------------------------------------------------------------------------------

ALPHA = double([1.0, 2.0, 30.0], [1.5, 1.0, 7.0])
BETA = double([1.0, 5.0, 2.0], [1.5, 3.0, 200.0])
BOX = Bounds(double(-2.0, 0.0, 10.0), double(3.0, 0.5, 11.0))


def reference_beta() -> stats.rv_continuous:
    return stats.beta(ALPHA.numpy(), BETA.numpy(), loc=BOX.low.numpy(), scale=BOX.width.numpy())


def test_a_beta_is_scipys() -> None:
    distribution, reference = Beta(ALPHA, BETA, BOX), reference_beta()
    for seed in range(5):
        actions = BOX.from_unit(torch.rand(2, 3, generator=generator(seed), dtype=torch.float64))
        expected = reference.logpdf(actions.numpy()).sum(-1)
        np.testing.assert_allclose(distribution.log_prob(actions), expected, rtol=1e-9)
    np.testing.assert_allclose(distribution.entropy(), reference.entropy().sum(-1), rtol=1e-9)


def test_the_betas_divergence_is_torchs() -> None:
    first, second = torch.distributions.Beta(ALPHA, BETA), torch.distributions.Beta(BETA + 0.5, ALPHA)
    reference = torch.distributions.kl_divergence(first, second).sum(-1)
    torch.testing.assert_close(Beta(ALPHA, BETA, BOX).kl(Beta(BETA + 0.5, ALPHA, BOX)), reference)


def test_the_beta_density_on_its_bounds_integrates_to_1() -> None:
    distribution = Beta(double([3.0]), double([1.5]), BOUNDS)
    assert integrate.quad(density(distribution.log_prob), LOW, HIGH)[0] == pytest.approx(1.0, abs=1e-7)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("limit", [0.0, 1.0])
def test_at_a_limit_the_betas_log_prob_is_finite_and_pulls_the_right_way(limit: float, dtype: torch.dtype) -> None:
    alpha, beta = (torch.full((1, 1), 3.0, dtype=dtype, requires_grad=True) for _ in range(2))
    distribution = Beta(alpha, beta, Bounds(torch.zeros(1, dtype=dtype), torch.ones(1, dtype=dtype)))
    log_prob = distribution.log_prob(torch.full((1, 1), limit, dtype=dtype))
    log_prob.sum().backward()
    margin = torch.finfo(dtype).eps / 2.0
    assert log_prob.item() == pytest.approx(stats.beta(3.0, 3.0).logpdf(margin), rel=1e-4)
    assert alpha.grad is not None
    assert beta.grad is not None
    assert math.copysign(1.0, (alpha.grad - beta.grad).item()) == (1.0 if limit == 1.0 else -1.0)


def test_a_flat_beta_is_uniform_and_takes_the_middle() -> None:
    flat = Beta(torch.ones(1, 1), torch.ones(1, 1), Bounds(torch.tensor([LOW]), torch.tensor([HIGH])))
    assert flat.mode().item() == pytest.approx(0.5)
    assert flat.entropy().item() == pytest.approx(math.log(5.0))
    for action in (LOW, 0.3, HIGH):
        assert flat.log_prob(torch.tensor([[action]])).item() == pytest.approx(-math.log(5.0))


def test_the_betas_mode_is_the_peak_and_tempering_leaves_it() -> None:
    distribution = Beta(ALPHA[:, 1:], BETA[:, 1:], Bounds(BOX.low[1:], BOX.high[1:]))
    peak = [[0.5 * 1.0 / 5.0, 10.0 + 29.0 / 30.0], [0.0, 10.0 + 6.0 / 205.0]]
    np.testing.assert_allclose(distribution.mode(), peak, atol=1e-9)
    np.testing.assert_allclose(distribution.tempered(0.2).mode(), peak, atol=1e-9)


def test_beta_samples_are_scipys() -> None:
    count = 20_000
    distribution = Beta(ALPHA[:1].expand(count, -1), BETA[:1].expand(count, -1), BOX)
    drawn = distribution.sample(generator()).numpy()
    for j in range(3):
        reference = stats.beta(ALPHA[0, j].item(), BETA[0, j].item(), loc=BOX.low[j].item(), scale=BOX.width[j].item())
        assert stats.kstest(drawn[:, j], reference.cdf).pvalue > 1e-3
    assert np.abs(np.corrcoef(drawn.T) - np.eye(3)).max() < 0.03


def test_beta_samples_carry_no_gradient() -> None:
    alpha = ALPHA.clone().requires_grad_()
    assert not Beta(alpha, BETA, BOX).sample(generator()).requires_grad
