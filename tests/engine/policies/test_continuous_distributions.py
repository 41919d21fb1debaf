"""Gaussian and squashed Gaussian: against scipy, torch and numerical integration, however far out they lie."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import Tensor

from engine.policies.distributions import Bounds, DiagonalGaussian, TanhGaussian
from tests.each import each
from tests.engine.policies.bounded import BOUNDS, HIGH, LOW, density, double, generator, logit

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


@pytest.mark.parametrize("step", [1e-4, 1e-3, -1e-3, 0.3, -3.0])
def test_the_divergence_of_a_tiny_step_keeps_its_digits_in_float32(step: float) -> None:
    """KL = ½ (e^{2δ} − 1) − δ ≈ δ² for a step of −δ in log σ."""
    one, other = (DiagonalGaussian(torch.zeros(1, 1), torch.tensor([x])) for x in (step, 0.0))
    delta = one.log_std.double()
    expected = (0.5 * torch.expm1(2.0 * delta) - delta).item()
    assert one.kl(other).item() == pytest.approx(expected, rel=2e-3)


def test_on_bounds_a_gaussians_density_is_that_of_what_the_environment_takes() -> None:
    bounds = Bounds(torch.tensor([5.0, 0.0, -2.0]), torch.tensor([10.0, 0.5, 2.0]))
    distribution = DiagonalGaussian(MEAN, LOG_STD, bounds.half_width.log().mean().item())
    taken = torch.distributions.Normal(bounds.scaled(MEAN), bounds.half_width * LOG_STD.exp())
    torch.testing.assert_close(distribution.log_prob(ACTIONS), taken.log_prob(bounds.scaled(ACTIONS)).sum(-1))
    torch.testing.assert_close(distribution.entropy(), taken.entropy().sum(-1))
    assert torch.equal(
        distribution.gradients(ACTIONS, torch.ones(2), 0.5)[0],
        DiagonalGaussian(MEAN, LOG_STD).gradients(ACTIONS, torch.ones(2), 0.5)[0],
    )
    for same in (distribution.tempered(1.0), distribution.detach(), distribution.rows(slice(0, 2))):
        torch.testing.assert_close(same.entropy(), distribution.entropy())
    torch.testing.assert_close(bounds.scaled(-torch.ones(3)), bounds.low)
    torch.testing.assert_close(bounds.scaled(torch.ones(3)), bounds.high)


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


def squashed(mean: float, std: float, count: int = 1) -> TanhGaussian:
    return TanhGaussian(DiagonalGaussian(double([mean]).expand(count, -1), double(math.log(std))), BOUNDS)


@pytest.mark.parametrize(("mean", "std"), [(0.0, 0.5), (0.7, 0.3), (-1.0, 0.8), (0.0, 0.05)])
def test_the_squashed_density_integrates_to_1_and_without_its_log_det_it_does_not(mean: float, std: float) -> None:
    distribution, peak = squashed(mean, std), BOUNDS.squashed(double(2.0 * mean)).item()
    total = integrate.quad(density(distribution.log_prob, 0.5), LOW, HIGH, points=[peak], limit=200)[0]
    assert total == pytest.approx(1.0, abs=1e-6)
    unadjusted = integrate.quad(density(distribution.base.log_prob, 0.5), LOW, HIGH, points=[peak], limit=200)[0]
    assert abs(unadjusted - 1.0) > 0.1


def test_the_squashed_log_prob_is_torchs_transformed_normals() -> None:
    mean, log_std = MEAN.double() / 3.0, LOG_STD_PER_STATE.double()
    low, high = double(-2.0, 0.0, 10.0), double(3.0, 0.5, 11.0)
    latent = torch.randn(2, 3, generator=generator(), dtype=torch.float64)
    transforms = [
        torch.distributions.TanhTransform(),
        torch.distributions.AffineTransform((low + high) / 2.0, (high - low) / 2.0),
    ]
    normal = torch.distributions.Normal(mean, log_std.exp())
    bounds = Bounds(low, high)
    taken = bounds.squashed(2.0 * latent)
    reference = torch.distributions.TransformedDistribution(normal, transforms).log_prob(taken).sum(-1)
    distribution = TanhGaussian(DiagonalGaussian(mean, log_std), bounds)
    torch.testing.assert_close(distribution.log_prob(latent), reference)


@pytest.mark.parametrize("latent", [-1e30, -1e3, -14.0, -1e-3, 0.0, 5.0, 8.5, 12.0, 1e3, 1e30])
def test_the_log_det_and_its_gradient_are_exact_for_every_number_that_float32_holds(latent: float) -> None:
    actions = torch.tensor([[latent]], requires_grad=True)
    std = max(abs(latent), 1.0)
    distribution = TanhGaussian(DiagonalGaussian(torch.zeros(1, 1), torch.tensor([math.log(std)])), M1)
    log_det = distribution.base.log_prob(actions) - distribution.log_prob(actions)
    distance = abs(latent)
    expected = 2.0 * math.log(2.0) - 2.0 * distance - 2.0 * math.log1p(math.exp(-2.0 * distance))
    assert log_det.item() == pytest.approx(expected, rel=1e-5, abs=1e-5)
    log_det.sum().backward()
    assert actions.grad is not None
    assert actions.grad.item() == pytest.approx(-2.0 * math.tanh(latent), rel=1e-5, abs=1e-6)


M1 = Bounds(-torch.ones(1), torch.ones(1))


@pytest.mark.parametrize("mean", [0.0, -5.0, 12.0, 50.0, -1000.0])
def test_however_saturated_the_mean_score_is_0_and_its_square_the_fisher_information(mean: float) -> None:
    count = 100_000
    parameters = [torch.full((1, 1), mean, requires_grad=True), torch.full((1,), -0.5, requires_grad=True)]
    distribution = TanhGaussian(DiagonalGaussian(parameters[0].expand(count, -1), parameters[1].expand(count, -1)), M1)
    actions = distribution.sample(generator()).detach()
    scores = [
        torch.autograd.grad(distribution.log_prob(actions).sum(), parameter, retain_graph=True)[0].item() / count
        for parameter in parameters
    ]
    precision = math.exp(0.5)
    assert abs(scores[0]) < 4.0 * precision / math.sqrt(count)
    assert abs(scores[1]) < 4.0 * math.sqrt(2.0 / count)
    by_mean = (actions - mean).double() * precision**2
    assert by_mean.square().mean().item() == pytest.approx(precision**2, rel=0.03)


def test_where_the_best_action_is_at_the_limit_ascent_stays_calm_after_it_is_found() -> None:
    """Every action is paid alike there, −2: without a baseline the mean takes a walk without a direction."""
    mean, log_std = torch.full((1, 1), 12.0, requires_grad=True), torch.zeros(1, requires_grad=True)
    drawing = generator()
    for _ in range(300):
        distribution = TanhGaussian(DiagonalGaussian(mean.expand(16, 1), log_std), M1)
        with torch.no_grad():
            actions = distribution.sample(drawing)
            paid = M1.squashed(2.0 * actions).squeeze(-1) - 3.0
        gradients = torch.autograd.grad((distribution.log_prob(actions) * paid).mean(), (mean, log_std))
        with torch.no_grad():
            for parameter, gradient in zip((mean, log_std), gradients, strict=True):
                parameter += 0.05 * gradient
    assert abs(mean.item() - 12.0) < 3.0
    assert abs(log_std.item()) < 2.0


def test_a_saturated_policy_acts_at_the_limits_and_keeps_the_ratios_of_what_it_drew() -> None:
    bounds = Bounds(torch.tensor([-0.3, 0.1]), torch.tensor([0.7, 1.0 / 3.0]))
    old = TanhGaussian(DiagonalGaussian(torch.tensor([[50.0, -50.0]] * 100), torch.zeros(2)), bounds)
    actions = old.sample(generator())
    assert torch.equal(
        bounds.squashed(2.0 * actions), torch.stack((bounds.high[:1], bounds.low[1:]), -1).expand(100, -1)
    )
    new = TanhGaussian(DiagonalGaussian(old.base.mean * 0.999, old.base.log_std), old.bounds)
    ratios = new.log_prob(actions) - old.log_prob(actions)
    torch.testing.assert_close(ratios, new.base.log_prob(actions) - old.base.log_prob(actions), atol=1e-4, rtol=0.0)
    assert ratios.std() > 0.01


@each("std", [math.exp(-10.0), 0.1, 1.0, 1.99, 2.01, 7.0, 20.0, math.exp(4.0)])
@each("mean", [0.0, 0.3, -1.5, 6.0, -30.0, 1000.0])
def test_the_squashed_entropy_is_the_integral(mean: float, std: float) -> None:
    def log_det(z: float) -> float:
        latent = abs(mean + std * z)
        return math.log(2.0 * (HIGH - LOW)) - 2.0 * latent - 2.0 * math.log1p(math.exp(-2.0 * latent))

    near = [(u - mean) / std for u in (-1.0, 0.0, 1.0) if abs((u - mean) / std) < 12.0] or None
    expected = integrate.quad(lambda z: stats.norm.pdf(z) * log_det(z), -12.0, 12.0, points=near, limit=400)[0]
    expected += stats.norm(mean, std).entropy()
    assert squashed(mean, std).entropy().item() == pytest.approx(expected, abs=1e-5)
    single = TanhGaussian(
        DiagonalGaussian(torch.tensor([[mean]]), torch.tensor([math.log(std)])),
        Bounds(BOUNDS.low.float(), BOUNDS.high.float()),
    )
    assert single.entropy().item() == pytest.approx(expected, abs=1e-5, rel=1e-6)


def test_the_squashed_entropy_of_extreme_parameters_stays_finite_with_its_gradient() -> None:
    for spread in (-10.0, 0.0, 4.0):
        mean = torch.tensor([[1e4], [-1e30], [0.0]], requires_grad=True)
        log_std = torch.tensor([spread], requires_grad=True)
        entropy = TanhGaussian(DiagonalGaussian(mean, log_std), M1).entropy()
        entropy.sum().backward()
        assert entropy.isfinite().all()
        assert mean.grad is not None
        assert log_std.grad is not None
        torch.testing.assert_close(mean.grad, torch.tensor([[-2.0], [2.0], [0.0]]))
        assert log_std.grad.isfinite().all()


def test_the_squashed_divergence_is_the_integral_over_actions() -> None:
    first, second = squashed(0.2, 0.4), squashed(-0.3, 0.6)

    def integrand(action: float) -> float:
        log_p, log_q = (d.log_prob(0.5 * logit(double([action]), BOUNDS)).item() for d in (first, second))
        return math.exp(log_p) * (log_p - log_q)

    expected = integrate.quad(integrand, LOW, HIGH, limit=200)[0]
    assert first.kl(second).item() == pytest.approx(expected, rel=1e-6)


def test_squashed_samples_are_the_squashed_normal() -> None:
    drawn = BOUNDS.squashed(2.0 * squashed(0.5, 0.7, 20_000).sample(generator()))
    latent = np.arctanh(2.0 * (drawn[:, 0].numpy() - LOW) / (HIGH - LOW) - 1.0)
    assert stats.kstest(latent, stats.norm(0.5, 0.7).cdf).pvalue > 1e-3


def test_the_squashed_greedy_action_is_the_squashed_mean() -> None:
    expected = LOW + (HIGH - LOW) * (math.tanh(0.7) + 1.0) / 2.0
    assert BOUNDS.squashed(2.0 * squashed(0.7, 0.3).mode()).item() == pytest.approx(expected, rel=1e-12)
