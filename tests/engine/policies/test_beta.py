"""Beta distributions on bounds: densities, divergences and samples against SciPy and torch, exact next to a limit."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import integrate, special, stats

from engine.policies.distributions import Beta, Bounds
from tests.engine.policies.bounded import BOUNDS, HIGH, LOW, density, double, generator, logit

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
        np.testing.assert_allclose(distribution.log_prob(logit(actions, BOX)), expected, rtol=1e-9)
    np.testing.assert_allclose(distribution.entropy(), reference.entropy().sum(-1), rtol=1e-9)


def test_the_betas_divergence_is_torchs() -> None:
    first, second = torch.distributions.Beta(ALPHA, BETA), torch.distributions.Beta(BETA + 0.5, ALPHA)
    reference = torch.distributions.kl_divergence(first, second).sum(-1)
    torch.testing.assert_close(Beta(ALPHA, BETA, BOX).kl(Beta(BETA + 0.5, ALPHA, BOX)), reference)


def test_the_beta_density_on_its_bounds_integrates_to_1() -> None:
    distribution = Beta(double([3.0]), double([1.5]), BOUNDS)
    assert integrate.quad(density(distribution.log_prob), LOW, HIGH)[0] == pytest.approx(1.0, abs=1e-7)


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("distance", [20.0, 1e3, 1e30])
def test_next_to_a_limit_the_betas_log_prob_is_exact_with_its_gradient(side: int, distance: float) -> None:
    """log x ≈ u far below 0: ∂ log π/∂α = log x − ψ(α) + ψ(α + β)."""
    alpha, beta = (torch.full((1, 1), 3.0, requires_grad=True) for _ in range(2))
    distribution = Beta(alpha, beta, Bounds(torch.zeros(1), torch.ones(1)))
    log_prob = distribution.log_prob(torch.full((1, 1), side * distance))
    log_prob.sum().backward()
    assert log_prob.item() == pytest.approx(-2.0 * distance + math.log(30.0), rel=1e-5)
    constant = special.digamma(6.0) - special.digamma(3.0)
    for shape, log_unit in ((alpha, -distance if side < 0 else 0.0), (beta, -distance if side > 0 else 0.0)):
        assert shape.grad is not None
        assert shape.grad.item() == pytest.approx(log_unit + constant, rel=1e-5)


@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (300.0, 280.0), (1e4, 2e4), (1e6, 1.0)])
def test_in_float32_large_betas_keep_their_digits(a: float, b: float) -> None:
    single, reference = Beta(torch.tensor([[a]]), torch.tensor([[b]]), UNIT), stats.beta(a, b)
    actions = single.sample(generator())
    x = 1.0 / (1.0 + math.exp(-actions.item()))
    assert single.log_prob(actions).item() == pytest.approx(reference.logpdf(x), abs=1e-4)
    assert single.entropy().item() == pytest.approx(reference.entropy(), abs=1e-5)


UNIT = Bounds(torch.zeros(1), torch.ones(1))


@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (2.0, 300.0), (300.0, 280.0), (1e4, 1e4), (1e6, 2e6)])
@pytest.mark.parametrize("change", [1e-4, 1e-3, 0.1, 3.0])
def test_in_float32_the_betas_divergence_is_the_integral_of_its_curvature(a: float, b: float, change: float) -> None:
    """KL = ∫₀¹ (1 − t) δᵀ ∇² log B(η + t δ) δ dt along the way δ from one's shapes to the other's; nothing cancels."""
    first = Beta(torch.tensor([[a]]), torch.tensor([[b]]), UNIT)
    second = Beta(first.alpha * (1.0 + change), first.beta * (1.0 + 0.7 * change), UNIT)
    (p, q), (da, db) = (
        (first.alpha.double().item(), first.beta.double().item()),
        ((second.alpha.double() - first.alpha.double()).item(), (second.beta.double() - first.beta.double()).item()),
    )

    def curvature(t: float) -> float:
        one, other = p + t * da, q + t * db
        of_total = special.polygamma(1, one + other) * (da + db) ** 2
        return (1.0 - t) * (special.polygamma(1, one) * da**2 + special.polygamma(1, other) * db**2 - of_total)

    assert first.kl(second).item() == pytest.approx(integrate.quad(curvature, 0.0, 1.0)[0], rel=1e-4)
    assert first.kl(first).item() == 0.0


def test_beta_samples_never_reach_the_ends() -> None:
    shapes = torch.tensor([[1.0, 1e6, 1e6]]).expand(20_000, -1), torch.tensor([[1e6, 1.0, 1e6]]).expand(20_000, -1)
    drawn = Beta(*shapes, Bounds(torch.zeros(3), torch.ones(3))).sample(generator())
    assert drawn.isfinite().all()
    assert drawn[:, 2].std().item() == pytest.approx(math.sqrt(2e-6), rel=0.03)


def test_a_flat_beta_is_uniform_and_takes_the_middle() -> None:
    flat = Beta(torch.ones(1, 1), torch.ones(1, 1), Bounds(torch.tensor([LOW]), torch.tensor([HIGH])))
    assert flat.mode().item() == 0.0
    assert flat.entropy().item() == pytest.approx(math.log(5.0))
    for latent in (-1e30, 0.3, 100.0):
        assert flat.log_prob(torch.tensor([[latent]])).item() == pytest.approx(-math.log(5.0))


def test_the_betas_mode_is_the_peak_and_tempering_leaves_it() -> None:
    distribution = Beta(ALPHA[:, 1:], BETA[:, 1:], Bounds(BOX.low[1:], BOX.high[1:]))
    peak = [[0.5 * 1.0 / 5.0, 10.0 + 29.0 / 30.0], [0.0, 10.0 + 6.0 / 205.0]]
    bounds = distribution.bounds
    np.testing.assert_allclose(bounds.squashed(distribution.mode()), peak, atol=1e-9)
    np.testing.assert_allclose(bounds.squashed(distribution.tempered(0.2).mode()), peak, atol=1e-9)


def test_beta_samples_are_scipys() -> None:
    count = 20_000
    distribution = Beta(ALPHA[:1].expand(count, -1), BETA[:1].expand(count, -1), BOX)
    drawn = BOX.squashed(distribution.sample(generator())).numpy()
    for j in range(3):
        reference = stats.beta(ALPHA[0, j].item(), BETA[0, j].item(), loc=BOX.low[j].item(), scale=BOX.width[j].item())
        assert stats.kstest(drawn[:, j], reference.cdf).pvalue > 1e-3
    assert np.abs(np.corrcoef(drawn.T) - np.eye(3)).max() < 0.03


def test_beta_samples_carry_no_gradient() -> None:
    alpha = ALPHA.clone().requires_grad_()
    assert not Beta(alpha, BETA, BOX).sample(generator()).requires_grad
