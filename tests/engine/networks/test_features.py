"""Fixed features of observations: their number, their values by definition, their limits, and what they make linear."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.catalogue.network_sizes import FOURIER_LIMIT, RBF_LIMIT, feature_count, fourier_coupling, rbf_on_grid
from engine.networks.features import Fourier, Polynomial, RadialBasis, Raw, UnitScale, feature_map
from engine.runtime.errors import RequestError
from tests.each import each

INFINITE = (-math.inf, math.inf)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def observations_of(size: int, count: int = 6) -> Tensor:
    return torch.randn(count, size, generator=generator(size))


def unit(size: int) -> list[tuple[float, float]]:
    return [(0.0, 1.0)] * size


@each("kind", ["raw", "polynomial", "fourier", "rbf"])
@each(("size", "degree"), [(1, 1), (1, 7), (2, 3), (4, 3), (4, 4), (6, 2), (17, 1), (17, 2), (9, 2)])
def test_the_count_is_the_modules(kind: Any, size: int, degree: int) -> None:
    module = feature_map(kind, size, degree, (), generator())
    count = feature_count(kind, size, degree)
    assert module(observations_of(size)).shape == (6, count)
    assert module.outputs == count
    assert not list(module.parameters())


def test_counting_loads_no_torch() -> None:
    code = "import sys, engine.catalogue.network_sizes; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("kind", ["raw", "polynomial", "fourier", "rbf"])
def test_features_survive_being_saved(kind: Any) -> None:
    first, second = (feature_map(kind, 12, 2, (), generator(seed)) for seed in (1, 2))
    second.load_state_dict(first.state_dict())
    observations = observations_of(12)
    assert torch.equal(first(observations), second(observations))


@pytest.mark.parametrize("kind", ["raw", "polynomial", "fourier", "rbf"])
def test_no_feature_is_constant_and_no_two_are_the_same(kind: Any) -> None:
    values = feature_map(kind, 3, 3, [(-4.0, 4.0)], generator())(observations_of(3, 200))
    centred = values - values.mean(0)
    assert (centred.norm(dim=0) > 1e-3).all()
    normalised = centred / centred.norm(dim=0)
    assert ((normalised.T @ normalised).fill_diagonal_(0.0) < 0.9999).all()


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "size", "degree", "message"),
    [
        ("polynomial", 17, 4, "5984 monomials up to degree 4, more than 4096; use at most degree 3"),
        ("polynomial", 5000, 2, "use raw features"),
        ("polynomial", 100, 2, "5150 monomials up to degree 2, more than 4096; use at most degree 1"),
        ("fourier", 100, 6, "600 Fourier features of order 6, more than 512; use at most order 5"),
        ("fourier", 600, 1, "use raw features"),
        ("raw", 0, 1, "at least 1 number"),
        ("rbf", 3, 0, "at least 1 number"),
    ],
)
def test_too_many_features_are_refused_with_what_would_do(kind: Any, size: int, degree: int, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        feature_count(kind, size, degree)
    if kind not in ("raw", "rbf"):
        with pytest.raises(RequestError, match=message):
            feature_map(kind, size, degree, (), generator())


def test_the_degree_that_a_refusal_names_is_accepted() -> None:
    assert feature_count("polynomial", 17, 3) == 1139
    assert feature_count("polynomial", 100, 1) == 100
    assert feature_count("fourier", 100, 5) == 500


def test_raw_features_and_bumps_have_no_limit() -> None:
    assert feature_count("raw", 100_000, 1) == 100_000
    assert feature_count("rbf", 100_000, 9) == RBF_LIMIT


@pytest.mark.parametrize(
    ("size", "order", "coupling", "count"),
    [(2, 3, 2, 15), (4, 3, 4, 255), (8, 3, 2, 276), (17, 3, 1, 51), (3, 7, 3, 511)],
)
def test_cosines_couple_as_many_numbers_as_the_limit_allows(size: int, order: int, coupling: int, count: int) -> None:
    assert fourier_coupling(size, order) == coupling
    assert feature_count("fourier", size, order) == count <= FOURIER_LIMIT


@pytest.mark.parametrize(
    ("size", "degree", "grid"), [(2, 22, True), (2, 23, False), (9, 2, True), (10, 2, False), (50, 1, True)]
)
def test_bumps_stand_on_a_grid_where_it_is_small_enough(size: int, degree: int, grid: bool) -> None:
    assert rbf_on_grid(size, degree) is grid
    assert grid is (degree**size <= RBF_LIMIT)


# --- scaling ----------------------------------------------------------------------------------------------------------


def test_known_ranges_become_0_to_1_and_others_are_squashed() -> None:
    scale = UnitScale(3, [(-2.0, 6.0), INFINITE, (0.0, math.inf)])
    got = scale(torch.tensor([[-2.0, 0.0, 0.5], [6.0, 100.0, -100.0], [0.0, 1.0, 1.0]]))
    squashed = [(math.tanh(x) + 1.0) / 2.0 for x in (0.5, 1.0)]
    expected = torch.tensor([[0.0, 0.5, squashed[0]], [1.0, 1.0, 0.0], [0.25, squashed[1], squashed[1]]])
    torch.testing.assert_close(got, expected)


def test_one_range_is_everyones_and_none_means_unbounded() -> None:
    observations = observations_of(3)
    assert torch.equal(UnitScale(3, [(-1.0, 2.0)])(observations), UnitScale(3, [(-1.0, 2.0)] * 3)(observations))
    assert torch.equal(UnitScale(3, ())(observations), observations.tanh() * 0.5 + 0.5)


def test_float32s_largest_number_is_no_range() -> None:
    largest = torch.finfo(torch.float32).max
    assert torch.equal(UnitScale(1, [(-largest, largest)])(torch.ones(1, 1)), UnitScale(1, ())(torch.ones(1, 1)))


@pytest.mark.parametrize("ranges", [[(0.0, 1.0)] * 2, [(1.0, 0.0)], [(0.0, 0.0)], [(math.nan, 1.0)]])
def test_ranges_that_do_not_fit_are_refused(ranges: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match=r"range|low"):
        UnitScale(3, ranges)


# --- values -----------------------------------------------------------------------------------------------------------


def test_raw_features_are_the_observation() -> None:
    observations = observations_of(3)
    assert Raw(3)(observations) is observations


def test_monomials_of_two_numbers_up_to_degree_3() -> None:
    x, y = 2.0, -3.0
    expected = [x, y, x * x, x * y, y * y, x**3, x * x * y, x * y * y, y**3]
    assert Polynomial(2, 3)(torch.tensor([[x, y]])).tolist() == [expected]


def test_every_monomial_is_there_once() -> None:
    """At distinct primes, each monomial has a value of its own: a product of primes."""
    primes = torch.tensor([[2.0, 3.0, 5.0, 7.0]], dtype=torch.float64)
    got = Polynomial(4, 3)(primes)[0].tolist()
    expected = {
        math.prod(p**e for p, e in zip((2, 3, 5, 7), exponents, strict=True))
        for exponents in product(range(4), repeat=4)
        if 1 <= sum(exponents) <= 3
    }
    assert sorted(got) == sorted(expected)


def test_the_full_fourier_basis_has_every_frequency_once() -> None:
    module = Fourier(2, 3, unit(2))
    frequencies = {tuple(row) for row in (module.frequencies.T / torch.pi).round().int().tolist()}
    assert frequencies == set(product(range(4), repeat=2)) - {(0, 0)}
    observations = torch.rand(5, 2, generator=generator())
    for index, row in enumerate((module.frequencies.T / torch.pi).round().tolist()):
        expected = torch.cos(math.pi * (observations * torch.tensor(row)).sum(-1))
        torch.testing.assert_close(module(observations)[:, index], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("size", "order"), [(8, 3), (17, 3)])
def test_a_reduced_fourier_basis_has_all_frequencies_of_its_coupling_once(size: int, order: int) -> None:
    rows = (Fourier(size, order, ()).frequencies.T / torch.pi).round().int()
    coupled = (rows != 0).sum(-1)
    assert coupled.min() == 1
    assert coupled.max() == fourier_coupling(size, order)
    assert rows.min() == 0
    assert rows.max() == order
    assert len(rows.unique(dim=0)) == len(rows)


def test_bumps_on_a_grid_are_gaussians_around_the_middles_of_its_cells() -> None:
    observations = torch.rand(5, 2, generator=generator())
    got = RadialBasis(2, 3, unit(2), generator())(observations)
    for index, centre in enumerate(product((1 / 6, 1 / 2, 5 / 6), repeat=2)):
        distance = (observations - torch.tensor(centre)).square().sum(-1)
        torch.testing.assert_close(got[:, index], (-distance / (2.0 / 9.0)).exp(), atol=1e-5, rtol=1e-4)


def test_random_bumps_come_from_the_generator_and_cover_the_square() -> None:
    first, again, other = (RadialBasis(12, 3, unit(12), generator(seed)) for seed in (1, 1, 2))
    observations = torch.rand(200, 12, generator=generator())
    assert torch.equal(first(observations), again(observations))
    assert not torch.equal(first(observations), other(observations))
    centres = torch.rand(RBF_LIMIT, 12, generator=generator(1))
    distance = (observations.unsqueeze(1) - centres).square().sum(-1)
    torch.testing.assert_close(first(observations), (-distance / 2.0).exp(), atol=1e-5, rtol=1e-4)
    assert first(observations).mean().item() == pytest.approx(math.exp(-1.0), rel=0.1)


@pytest.mark.parametrize(("kind", "degree"), [("polynomial", 4), ("fourier", 5), ("rbf", 6)])
def test_a_linear_fit_on_features_follows_a_curve_that_a_raw_one_cannot(kind: Any, degree: int) -> None:
    observations = torch.rand(500, 2, generator=generator()) * 4.0 - 2.0
    target = (observations[:, 0] * observations[:, 1]).sin() + observations[:, :1].square().squeeze(-1)

    def unexplained(values: Tensor) -> float:
        columns = torch.cat([values, torch.ones(500, 1)], -1).double()
        solution = torch.linalg.lstsq(columns, target.double().unsqueeze(-1)).solution
        return ((columns @ solution).squeeze(-1) - target).var().item() / target.var().item()

    assert unexplained(observations) > 0.8
    assert unexplained(feature_map(kind, 2, degree, [(-2.0, 2.0)], generator())(observations)) < 0.05
