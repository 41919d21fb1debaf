"""What every action distribution promises, whatever its family: consistency, gradients, temperature, rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.autograd.functional import hessian
from torch.nn.functional import softplus

from engine.policies import discrete, gaussian
from engine.policies.distributions import (
    Bernoulli,
    Beta,
    Bounds,
    Categorical,
    DiagonalGaussian,
    MultiCategorical,
    TanhGaussian,
)

BOUNDS = Bounds(torch.tensor([-2.0, 0.0], dtype=torch.float64), torch.tensor([3.0, 0.5], dtype=torch.float64))


def _gaussian(parameters: Tensor) -> DiagonalGaussian:
    return DiagonalGaussian(parameters[:, :2], 0.5 * parameters[:, 2:4])


def _beta(parameters: Tensor) -> Beta:
    concentrations = 1.0 + softplus(3.0 * parameters)
    return Beta(concentrations[:, :2], concentrations[:, 2:4], BOUNDS)


FAMILIES: dict[str, Callable[[Tensor], Any]] = {
    "categorical": Categorical,
    "multi-categorical": lambda parameters: MultiCategorical(parameters, (2, 3)),
    "bernoulli": Bernoulli,
    "gaussian": _gaussian,
    "gaussian, one spread": lambda parameters: DiagonalGaussian(parameters[:, :2], 0.5 * parameters[0, 2:4]),
    "tanh-gaussian": lambda parameters: TanhGaussian(_gaussian(parameters), BOUNDS),
    "beta": _beta,
}
families = pytest.mark.parametrize("family", FAMILIES)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def parameters_of(batch: int, seed: int = 0) -> Tensor:
    return torch.randn(batch, 5, generator=generator(seed), dtype=torch.float64)


def repeated(family: str, seed: int, count: int) -> Any:
    """One distribution, ``count`` times."""
    return FAMILIES[family](parameters_of(1, seed).expand(count, -1))


def assert_mean(values: Tensor, expected: float) -> None:
    """A mean within 4 of its standard errors: 6 in 100 000 correct tests would fail, and none does with this seed."""
    error = (values.std() / math.sqrt(len(values))).item()
    assert values.mean().item() == pytest.approx(expected, abs=4.0 * error)


@families
def test_the_entropy_is_the_mean_of_minus_log_prob(family: str) -> None:
    distribution = repeated(family, 3, 20_000)
    surprise = -distribution.log_prob(distribution.sample(generator()))
    assert_mean(surprise, distribution.entropy()[0].item())


@families
def test_the_divergence_is_the_mean_log_ratio_under_the_first(family: str) -> None:
    first, second = repeated(family, 3, 20_000), repeated(family, 4, 20_000)
    actions = first.sample(generator())
    divergence = first.kl(second)[0].item()
    assert_mean(first.log_prob(actions) - second.log_prob(actions), divergence)
    assert divergence > 0.05


@families
def test_the_divergence_is_positive_and_0_from_itself(family: str) -> None:
    first, second = FAMILIES[family](parameters_of(50, 1)), FAMILIES[family](parameters_of(50, 2))
    assert (first.kl(second) > 0.0).all()
    torch.testing.assert_close(first.kl(first), torch.zeros(50, dtype=torch.float64))


@families
def test_the_mean_log_ratio_has_importance_weight_1(family: str) -> None:
    """E_π[π'/π] = 1, here with π' close enough to π that the weights have a small variance."""
    parameters = parameters_of(1, 3).expand(20_000, -1)
    first, second = FAMILIES[family](parameters), FAMILIES[family](parameters + 0.1)
    actions = first.sample(generator())
    weights = (second.log_prob(actions) - first.log_prob(actions)).exp()
    assert_mean(weights, 1.0)


@families
def test_gradients_agree_with_finite_differences(family: str) -> None:
    make = FAMILIES[family]
    first, second = parameters_of(2, 1).requires_grad_(), parameters_of(2, 2).requires_grad_()
    actions = make(parameters_of(2)).sample(generator())
    assert gradcheck(lambda p: make(p).log_prob(actions), first)
    assert gradcheck(lambda p: make(p).entropy(), first)
    assert gradcheck(lambda p, q: make(p).kl(make(q)), (first, second))


@families
def test_the_divergence_can_be_differentiated_twice(family: str) -> None:
    make = FAMILIES[family]
    old = make(parameters_of(2, 1))
    assert gradgradcheck(lambda p: old.kl(make(p)), parameters_of(2, 1).requires_grad_())


@families
def test_the_divergences_curvature_is_the_fisher_matrix(family: str) -> None:
    """∂²KL(π_old ‖ π_θ)/∂θ² at θ = old equals E[∇ log π ∇ log πᵀ]."""
    make, parameters, count = FAMILIES[family], parameters_of(1, 1), 20_000
    old = make(parameters).detach()
    curvature = hessian(lambda p: old.kl(make(p)).sum(), parameters).reshape(5, 5)
    copies = parameters.repeat(count, 1).requires_grad_()
    model = make(copies) if family != "gaussian, one spread" else _gaussian(copies)
    model.log_prob(model.sample(generator()).detach()).sum().backward()
    scores = copies.grad
    assert scores is not None
    torch.testing.assert_close(curvature, scores.T @ scores / count, atol=0.03, rtol=0.05)


@families
def test_in_float32_the_small_divergences_of_trust_regions_keep_their_digits(family: str) -> None:
    make, parameters, step = FAMILIES[family], parameters_of(200, 1), 0.03 * parameters_of(200, 2)
    exact = make(parameters).kl(make(parameters + step)).mean().item()
    rounded = make(parameters.float()).kl(make((parameters + step).float()))
    assert rounded.dtype == torch.float32
    assert rounded.mean().item() == pytest.approx(exact, rel=0.01)
    assert exact < 0.01


@families
@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_a_tempered_distribution_is_proportional_to_the_power(family: str, temperature: float) -> None:
    plain = repeated(family, 2, 300)
    tempered = plain.tempered(temperature)
    actions = plain.sample(generator())
    if family == "tanh-gaussian":  # tempered before the squashing, by definition
        log_det = plain.base.log_prob(actions) - plain.log_prob(actions)
        difference = tempered.log_prob(actions) + log_det - plain.base.log_prob(actions) / temperature
    else:
        difference = tempered.log_prob(actions) - plain.log_prob(actions) / temperature
    torch.testing.assert_close(difference, difference[:1].expand(300))
    assert type(tempered) is type(plain)


@families
def test_temperature_1_changes_nothing_and_heat_adds_entropy(family: str) -> None:
    plain = FAMILIES[family](parameters_of(20, 1))
    torch.testing.assert_close(plain.tempered(1.0).entropy(), plain.entropy())
    if family != "tanh-gaussian":  # a wide Gaussian, squashed, gathers at the limits
        assert (plain.tempered(2.0).entropy() > plain.entropy()).all()


@families
@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan])
def test_a_temperature_must_be_above_0(family: str, temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature must be above 0"):
        FAMILIES[family](parameters_of(2)).tempered(temperature)


ROWS = [slice(1, 3), torch.tensor([4, 0, 0]), torch.tensor([True, False, True, True, False])]


@families
@pytest.mark.parametrize("index", ROWS, ids=["slice", "indices", "mask"])
def test_rows_of_a_batch_are_the_distributions_of_those_rows(family: str, index: Any) -> None:
    whole, other = FAMILIES[family](parameters_of(5)), FAMILIES[family](parameters_of(5, 1))
    actions = whole.sample(generator())
    part = whole.rows(index)
    torch.testing.assert_close(part.log_prob(actions[index]), whole.log_prob(actions)[index])
    torch.testing.assert_close(part.entropy(), whole.entropy()[index])
    torch.testing.assert_close(part.kl(other.rows(index)), whole.kl(other)[index])
    assert torch.equal(part.mode(), whole.mode()[index])


@families
def test_a_detached_distribution_is_the_same_without_gradients(family: str) -> None:
    live = FAMILIES[family](parameters_of(5).requires_grad_())
    frozen, actions = live.detach(), live.mode().detach()
    assert torch.equal(frozen.log_prob(actions), live.log_prob(actions))
    assert not frozen.log_prob(actions).requires_grad
    assert not frozen.entropy().requires_grad
    assert live.entropy().requires_grad
    assert frozen.kl(live).requires_grad


@families
def test_the_same_generator_state_gives_the_same_actions_whatever_the_global_one(family: str) -> None:
    distribution = FAMILIES[family](parameters_of(50))
    torch.manual_seed(1)
    first = distribution.sample(generator(7))
    torch.manual_seed(2)
    assert torch.equal(first, distribution.sample(generator(7)))
    assert not torch.equal(first, distribution.sample(generator(8)))


@families
def test_every_quantity_has_one_number_per_element_of_the_batch(family: str) -> None:
    distribution = FAMILIES[family](parameters_of(7))
    actions = distribution.sample(generator())
    assert actions.shape == distribution.mode().shape
    assert actions.dtype == distribution.mode().dtype
    for values in (distribution.log_prob(actions), distribution.entropy(), distribution.kl(distribution)):
        assert values.shape == (7,)


@pytest.mark.parametrize(
    "family", sorted(FAMILIES.keys() - {"tanh-gaussian"})
)  # whose greedy action is the squashed mean
def test_no_other_draw_is_likelier_than_the_mode(family: str) -> None:
    distribution = repeated(family, 5, 2_000)
    drawn = distribution.log_prob(distribution.sample(generator()))
    assert (drawn <= distribution.log_prob(distribution.mode()) + 1e-12).all()


@families
def test_what_is_computed_in_inference_mode_does_not_spoil_later_gradients(family: str) -> None:
    gaussian._normal_quadrature.cache_clear()
    gaussian._corner_quadrature.cache_clear()
    discrete._offsets.cache_clear()
    with torch.inference_mode():
        early = FAMILIES[family](parameters_of(3))
        actions = early.sample(generator())
        early.log_prob(actions)
        early.entropy()
    late = FAMILIES[family](parameters_of(3).requires_grad_())
    (late.log_prob(actions.clone()) + late.entropy()).sum().backward()
