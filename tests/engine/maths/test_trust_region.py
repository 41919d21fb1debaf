"""Trust-region mathematics: against explicit Fisher matrices, exact solutions, and a divergence that can be listed."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from engine.maths.trust_region import (
    acceptable,
    backtracking_fractions,
    conjugate_gradient_iterates,
    fisher_matrix,
    fisher_vector_product,
    flattened,
    kl_gradient,
    solve_exactly,
)

STATES = torch.tensor([[1.0, 0.5], [-0.3, 2.0], [0.7, -1.0]], dtype=torch.float64)


def conjugate_gradient(
    product: Callable[[Tensor], Tensor], b: Tensor, iterations: int, tolerance: float = 1e-10
) -> Tensor:
    """The last of the iterates."""
    *_, x = conjugate_gradient_iterates(product, b, iterations, tolerance)
    return x


def parameters() -> list[Tensor]:
    """A linear softmax policy: weights [3 actions, 2 features] and a bias."""
    weight = torch.tensor([[0.2, -0.4], [0.5, 0.1], [-0.3, 0.8]], dtype=torch.float64)
    bias = torch.tensor([0.1, 0.0, -0.2], dtype=torch.float64)
    return [weight.requires_grad_(), bias.requires_grad_()]


def log_policy(theta: list[Tensor]) -> Tensor:
    return (STATES @ theta[0].mT + theta[1]).log_softmax(-1)


def mean_kl(theta: list[Tensor], old: Tensor) -> Tensor:
    return (old.exp() * (old - log_policy(theta))).sum(-1).mean()


def here(theta: list[Tensor]) -> Tensor:
    """KL(π_old‖π_θ) at θ = θ_old."""
    return mean_kl(theta, log_policy(theta).detach())


def fisher_of(theta: list[Tensor]) -> Tensor:
    """1/M Σ_s Σ_a π(a|s) ∇ log π(a|s) ∇ log π(a|s)ᵀ, term by term."""
    size = sum(parameter.numel() for parameter in theta)
    total = torch.zeros(size, size, dtype=torch.float64)
    for row in log_policy(theta):
        for chosen in row:
            score = flattened(torch.autograd.grad(chosen, theta, retain_graph=True))
            total += chosen.exp().detach() * torch.outer(score, score) / len(STATES)
    return total


def random_vector(seed: int, size: int = 9) -> Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def positive_definite(seed: int, size: int) -> Tensor:
    root = torch.randn(size, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return root @ root.mT + torch.eye(size, dtype=torch.float64)


def test_the_gradient_of_the_divergence_is_0_where_the_policies_agree() -> None:
    theta = parameters()
    assert kl_gradient(here(theta), theta).abs().max().item() < 1e-12


@pytest.mark.parametrize("damping", [0.0, 0.1])
def test_fisher_vector_products_are_those_of_the_explicit_matrix(damping: float) -> None:
    theta = parameters()
    gradient, expected = kl_gradient(here(theta), theta), fisher_of(theta)
    for seed in range(3):  # one graph serves them all
        vector = random_vector(seed)
        got = fisher_vector_product(gradient, theta, vector, damping)
        torch.testing.assert_close(got, expected @ vector + damping * vector)
        assert not got.requires_grad


def test_the_fisher_matrix_is_the_explicit_one() -> None:
    theta = parameters()
    got = fisher_matrix(kl_gradient(here(theta), theta), theta, damping=0.1)
    torch.testing.assert_close(got, fisher_of(theta) + 0.1 * torch.eye(9, dtype=torch.float64))
    assert torch.equal(got, got.mT)


def test_a_fisher_matrix_larger_than_what_is_computed_at_once() -> None:
    logits = torch.linspace(-1.0, 1.0, 150, dtype=torch.float64).requires_grad_()
    log_probs = logits.log_softmax(-1)
    kl = (log_probs.detach().exp() * (log_probs.detach() - log_probs)).sum()
    chances = logits.detach().softmax(-1)
    got = fisher_matrix(kl_gradient(kl, [logits]), [logits], damping=0.0)
    torch.testing.assert_close(got, chances.diag() - torch.outer(chances, chances))


def test_away_from_the_old_policy_the_hessian_is_not_the_fisher_matrix() -> None:
    """For a Gaussian's log standard deviation: 2 at θ_old, but 2 σ_old²/σ² elsewhere."""
    log_std = torch.tensor([0.5], requires_grad=True)

    def curvature(old: float) -> float:
        kl = log_std - old + torch.exp(2.0 * (old - log_std)) / 2.0 - 0.5
        return fisher_matrix(kl_gradient(kl.squeeze(), [log_std]), [log_std], 0.0).item()

    assert curvature(0.5) == pytest.approx(2.0)
    assert curvature(0.0) == pytest.approx(2.0 * math.exp(-1.0))


def test_a_parameter_that_does_not_matter_has_curvature_0() -> None:
    theta, idle = parameters(), torch.ones(2, dtype=torch.float64, requires_grad=True)
    everything = [idle, *theta]
    gradient = kl_gradient(here(theta), everything)
    product = fisher_vector_product(gradient, everything, random_vector(0, 11), damping=0.0)
    matrix = fisher_matrix(gradient, everything, damping=0.0)
    assert product[:2].tolist() == [0.0, 0.0]
    assert not matrix[:2].any()
    torch.testing.assert_close(matrix[2:, 2:], fisher_of(theta))


def test_a_small_network_agrees_with_itself() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3))
    theta = list(network.parameters())
    log_probs = network(STATES.float()).log_softmax(-1)
    kl = (log_probs.detach().exp() * (log_probs.detach() - log_probs)).sum(-1).mean()
    gradient = kl_gradient(kl, theta)
    vector = random_vector(1, gradient.numel()).float()
    matrix = fisher_matrix(gradient, theta, damping=0.01)
    torch.testing.assert_close(fisher_vector_product(gradient, theta, vector, 0.01), matrix @ vector)
    assert torch.linalg.eigvalsh(matrix).min().item() > 0.0


def test_divergences_that_cannot_be_differentiated_twice_are_refused() -> None:
    theta = parameters()
    with pytest.raises(ValueError, match="scalar"):
        kl_gradient(log_policy(theta), theta)
    with pytest.raises(ValueError, match="second derivative"):
        kl_gradient(theta[1].sum(), theta)


@given(st.integers(0, 1000), st.integers(1, 8))
def test_conjugate_gradients_solve_exactly_in_as_many_products_as_there_are_numbers(seed: int, size: int) -> None:
    matrix, b = positive_definite(seed, size), random_vector(seed + 1, size)
    got = conjugate_gradient(lambda vector: matrix @ vector, b, iterations=2 * size, tolerance=1e-24)
    expected = torch.linalg.solve(matrix, b)
    torch.testing.assert_close(got, expected, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(solve_exactly(matrix, b), expected)


def test_conjugate_gradients_by_hand() -> None:
    """The first step goes along b as far as the quadratic falls, the second arrives."""
    matrix, b = torch.tensor([[4.0, 0.0], [0.0, 1.0]]), torch.tensor([1.0, 1.0])
    iterates = list(conjugate_gradient_iterates(lambda vector: matrix @ vector, b, iterations=10))
    assert [x.tolist() for x in iterates] == [
        [0.0, 0.0],
        pytest.approx([0.4, 0.4]),
        pytest.approx([0.25, 1.0]),
    ]


def test_a_gradient_of_0_needs_no_product() -> None:
    def refuse(vector: Tensor) -> Tensor:
        raise AssertionError("no product is needed")

    assert conjugate_gradient(refuse, torch.zeros(3), iterations=10).tolist() == [0.0, 0.0, 0.0]


def test_no_more_products_than_asked_for() -> None:
    matrix, b = positive_definite(0, 8), random_vector(1, 8)
    assert len(list(conjugate_gradient_iterates(lambda vector: matrix @ vector, b, iterations=3))) == 4


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_the_scale_of_the_gradient_does_not_matter(scale: float) -> None:
    matrix, b = positive_definite(0, 5), random_vector(1, 5)
    iterates = list(conjugate_gradient_iterates(lambda vector: matrix @ vector, scale * b, iterations=20))
    assert len(iterates) == len(list(conjugate_gradient_iterates(lambda vector: matrix @ vector, b, iterations=20)))
    torch.testing.assert_close(iterates[-1] / scale, torch.linalg.solve(matrix, b), rtol=1e-4, atol=1e-4)


def test_conjugate_gradients_stop_before_a_direction_that_curves_down() -> None:
    falling = torch.tensor([[2.0, 0.0], [0.0, -1.0]])
    got = conjugate_gradient(lambda vector: falling @ vector, torch.tensor([1.0, 0.5]), iterations=10)
    assert got.tolist() == pytest.approx([1.25 / 1.75, 0.625 / 1.75])
    assert conjugate_gradient(lambda vector: -vector, torch.ones(2), iterations=10).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_conjugate_gradients_stop_before_a_product_that_is_no_number(broken: float) -> None:
    got = conjugate_gradient(lambda vector: vector * broken, torch.ones(2), iterations=10)
    assert got.tolist() == [0.0, 0.0]


def test_conjugate_gradients_leave_b_as_it_was() -> None:
    b = torch.ones(3)
    conjugate_gradient(lambda vector: 2.0 * vector, b, iterations=3)
    assert b.tolist() == [1.0, 1.0, 1.0]


def test_a_singular_matrix_is_refused_until_it_is_damped() -> None:
    """Logits that all grow alike change no probability, so no policy over them has a Fisher matrix with an inverse."""
    theta = parameters()
    gradient, b = kl_gradient(here(theta), theta), random_vector(0)
    for dtype in (torch.float64, torch.float32):
        with pytest.raises(ValueError, match="singular"):
            solve_exactly(fisher_matrix(gradient, theta, damping=0.0).to(dtype), b.to(dtype))
    damped = fisher_matrix(gradient, theta, damping=0.01)
    torch.testing.assert_close(damped @ solve_exactly(damped, b), b)
    with pytest.raises(ValueError, match="singular"):
        solve_exactly(torch.zeros(2, 2), torch.ones(2))


def test_an_exact_solution_keeps_the_kind_of_number() -> None:
    assert solve_exactly(torch.eye(2) * 4.0, torch.ones(2)).dtype == torch.float32


def test_fractions_begin_with_the_whole_step() -> None:
    assert backtracking_fractions(0.5, 4) == (1.0, 0.5, 0.25, 0.125)


@pytest.mark.parametrize(
    ("improvement", "kl", "expected"),
    [
        (0.1, 0.005, True),
        (0.1, 0.01, True),
        (0.1, 0.011, False),
        (0.0, 0.0, False),
        (-0.1, 0.005, False),
        (math.nan, 0.005, False),
        (math.inf, 0.005, False),
        (0.1, math.nan, False),
        (0.1, -math.inf, False),
    ],
)
def test_acceptable(improvement: float, kl: float, expected: bool) -> None:
    assert acceptable(improvement, kl, max_kl=0.01) is expected


def test_the_exact_and_the_iterated_natural_gradient_agree() -> None:
    theta, b = parameters(), random_vector(5)
    gradient = kl_gradient(here(theta), theta)
    exact = solve_exactly(fisher_matrix(gradient, theta, 0.01), b)
    iterated = conjugate_gradient(lambda v: fisher_vector_product(gradient, theta, v, 0.01), b, 30, 1e-20)
    torch.testing.assert_close(iterated, exact, rtol=1e-5, atol=1e-5)


def test_what_does_not_fit_is_refused() -> None:
    theta = parameters()
    gradient, short = kl_gradient(here(theta), theta), torch.zeros(8, dtype=torch.float64)
    nine, square = torch.zeros(9, dtype=torch.float64), torch.eye(9, dtype=torch.float64)
    calls: list[tuple[Callable[[], object], str]] = [
        (lambda: flattened([]), "no tensors"),
        (lambda: fisher_vector_product(gradient, theta, short, 0.0), "9 numbers"),
        (lambda: fisher_vector_product(short, theta, nine, 0.0), "9 numbers"),
        (lambda: fisher_matrix(short, theta, 0.0), "9 numbers"),
        (lambda: solve_exactly(square, short), "must be"),
        (lambda: solve_exactly(square, square), "81 numbers"),
        (lambda: solve_exactly(square * math.nan, nine), "finite"),
        (lambda: conjugate_gradient(lambda v: v, square, 3), "81 numbers"),
        (lambda: conjugate_gradient(lambda v: v, nine, 0), "at least 1"),
        (lambda: backtracking_fractions(1.0, 3), "between 0 and 1"),
        (lambda: backtracking_fractions(0.5, 0), "at least 1"),
    ]
    for call, message in calls:
        with pytest.raises(ValueError, match=message):
            call()
    assert torch.equal(flattened(theta), flattened(parameters()))
