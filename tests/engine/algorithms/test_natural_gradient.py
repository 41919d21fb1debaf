"""The natural gradient: its metric is the oracle's, its step a closed form, and its coordinates do not matter."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.catalogue.environments import ENVIRONMENTS
from engine.collection.collectors import EpisodeCollector
from engine.config.policies import LinearPolicy, MLPPolicy, TabularPolicy
from engine.environments.batches.batched import finite_environments
from engine.environments.making.known_dynamics import finite_mdp
from engine.experience.batch import Batch
from engine.maths.trust_region import fisher_matrix, fisher_vector_product, flattened, kl_gradient
from engine.mdp import exact
from engine.mdp.natural_gradient import fisher_matrix as exact_fisher_matrix
from engine.policies.actor import Actor
from engine.policies.policy import Policy
from engine.runtime.errors import RunError
from tests.engine.sampling import CPU
from tests.engine.step_batches import (
    ADVANTAGES,
    PROBABILITIES,
    divergence,
    expected_batch,
    parameterized,
    policy,
    probabilities_of,
    updated,
)
from tests.engine.tiny_mdp import finish, parameters_of

NATURAL: dict[str, Any] = {"kind": "natural-gradient", "learning_rate": 0.5, "max_kl": 0.0, "damping": 1e-6}


# --- the metric -------------------------------------------------------------------------------------------------------


def mean_kl_gradient(learner: Policy, states: Tensor, shares: Tensor) -> Tensor:
    distribution = learner(states)
    kl = (shares.float() * distribution.detach().kl(distribution)).sum()
    return kl_gradient(kl, list(learner.parameters()))


def visits_of(id: str, learner: Policy, gamma: float) -> tuple[Tensor, Tensor]:
    """The oracle's Fisher matrix per visited step, and how often each state is visited, both in float64.

    Only the policy's own network is in float32.
    """
    mdp = finite_mdp(id)
    assert mdp is not None
    dynamics = exact.dynamics_of(mdp)
    names = [name for name, _ in learner.named_parameters()]
    shapes = [parameter.shape for parameter in learner.parameters()]

    def probabilities(vector: Tensor) -> Tensor:
        parts = torch.split(vector.float(), [shape.numel() for shape in shapes])
        named = {name: part.view(shape) for name, part, shape in zip(names, parts, shapes, strict=True)}
        found: Tensor = torch.func.functional_call(learner, named, torch.arange(mdp.states)).logits
        return found.double().softmax(-1)

    theta = flattened(parameter.detach() for parameter in learner.parameters()).double()
    visits = exact.discounted_visitation(dynamics, probabilities(theta).detach(), gamma).sum(0)
    return exact_fisher_matrix(dynamics, probabilities, theta, gamma) / visits.sum(), visits / visits.sum()


def of_kind(kind: str, id: str) -> Policy:
    config = {"tabular": TabularPolicy(), "linear": LinearPolicy(), "mlp": MLPPolicy(hidden_sizes=(3,))}[kind]
    learner = Policy(config, ENVIRONMENTS[id], torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in learner.parameters():
            parameter.add_(0.5 * torch.randn(parameter.shape, generator=generator))
    return learner


@pytest.mark.parametrize("kind", ["tabular", "linear", "mlp"])
def test_products_and_matrix_are_those_of_the_oracle(kind: str) -> None:
    learner = of_kind(kind, "Corridor-v0")
    matrix, shares = visits_of("Corridor-v0", learner, 0.9)
    parameters = list(learner.parameters())
    gradient = mean_kl_gradient(learner, torch.arange(len(shares)), shares)
    torch.testing.assert_close(fisher_matrix(gradient, parameters, 0.0).double(), matrix, atol=1e-6, rtol=1e-4)
    vector = torch.randn(len(matrix), generator=torch.Generator().manual_seed(2))
    product = fisher_vector_product(gradient, parameters, vector, 0.1).double()
    torch.testing.assert_close(product, (matrix + 0.1 * torch.eye(len(matrix))) @ vector.double(), atol=1e-5, rtol=1e-4)


def test_the_states_that_were_sampled_give_the_oracles_metric_within_their_errors() -> None:
    """Blocks π_a(1[a=b] − π_b) d(s): over batches of episodes their means are within 4 standard errors."""
    mdp, learner = finite_mdp("Corridor-v0"), of_kind("tabular", "Corridor-v0")
    assert mdp is not None
    actor = Actor(learner, torch.Generator().manual_seed(2), CPU)
    collector = EpisodeCollector(finite_environments(mdp, range(2000)), ENVIRONMENTS["Corridor-v0"], CPU)
    rollout = finish(collector.collect(actor))[0]
    seen = torch.nn.functional.one_hot(rollout.observations, mdp.states) * rollout.mask.unsqueeze(-1)
    often = seen.sum(0).double()  # per episode and state
    error = often.std(0) / 2000**0.5
    exactly, shares = visits_of("Corridor-v0", learner, 1.0)
    lengths = rollout.mask.sum().double() / 2000
    assert ((often.mean(0) - shares * lengths).abs() <= 4.0 * error + 0.01 * shares * lengths + 1e-9).all()
    gradient = mean_kl_gradient(learner, torch.arange(mdp.states), often.sum(0) / often.sum())
    got = fisher_matrix(gradient, list(learner.parameters()), 0.0)
    assert (got - exactly).abs().max().item() < 0.02 * exactly.abs().max().item()


# --- the step ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.1, 1.0])
@pytest.mark.parametrize("solver", ["exact", "cg"])
def test_a_table_moves_to_pi_times_e_to_the_alpha_advantage(rate: float, solver: str) -> None:
    """For tabular softmax F⁻¹∇J is the advantages (but for a constant per state), whatever the visits."""
    learner = policy()
    updated(learner, expected_batch(), NATURAL | {"learning_rate": rate, "solver": solver})
    weights = PROBABILITIES * (rate * ADVANTAGES).exp()
    torch.testing.assert_close(probabilities_of(learner), weights / weights.sum(-1, keepdim=True), atol=2e-5, rtol=1e-4)


def test_plain_ascent_does_not() -> None:
    learner = policy()
    updated(learner, expected_batch(), {"kind": "gradient-ascent", "optimizer": "sgd", "learning_rate": 1.0})
    weights = PROBABILITIES * ADVANTAGES.exp()
    assert (probabilities_of(learner) - weights / weights.sum(-1, keepdim=True)).abs().max().item() > 0.05


@pytest.mark.parametrize("damping", [1e-3, 0.1, 1.0])
def test_conjugate_gradients_and_the_exact_inverse_take_the_same_step(damping: float) -> None:
    one, other = policy(), policy()
    for learner, solver in ((one, "exact"), (other, "cg")):
        updated(learner, expected_batch(), NATURAL | {"damping": damping, "solver": solver, "cg_iterations": 20})
    torch.testing.assert_close(parameters_of(one), parameters_of(other), atol=1e-5, rtol=1e-4)


def test_auto_is_the_exact_inverse_for_few_parameters() -> None:
    one, other = policy(), policy()
    updated(one, expected_batch(), NATURAL | {"solver": "exact"})
    updated(other, expected_batch(), NATURAL | {"solver": "auto"})
    assert torch.equal(parameters_of(one), parameters_of(other))


@pytest.mark.parametrize("kind", ["natural-gradient", "trpo"])
@pytest.mark.parametrize("damping", [0.0, 1e-9, 1e-7])
def test_a_table_hardly_damped_is_refused_with_a_damping_that_is_enough(damping: float, kind: str) -> None:
    """Logits may all grow alike without changing the policy."""
    update = {"kind": kind, "damping": damping, "solver": "exact"}
    with pytest.raises(RunError, match=f"cannot be inverted at a damping of {damping:g}, ") as refused:
        updated(policy(), expected_batch(), update)
    enough = re.search(r"use a damping of (\S+) or more", str(refused.value))
    assert enough is not None
    assert damping < float(enough[1]) < 1e-4
    updated(policy(), expected_batch(), update | {"damping": float(enough[1])})


def test_damping_shortens_the_step() -> None:
    moved = []
    for damping in (1e-6, 0.01, 0.1, 1.0):
        learner = policy()
        updated(learner, expected_batch(), NATURAL | {"damping": damping})
        moved.append(divergence(PROBABILITIES, probabilities_of(learner)))
    assert moved == sorted(moved, reverse=True)


# --- other coordinates ------------------------------------------------------------------------------------------------

SIX = torch.eye(3, dtype=torch.float64)[:, :2]  # each state's last logit is 0
EMBED = torch.block_diag(SIX, SIX, SIX).float()
LOGITS = (PROBABILITIES / PROBABILITIES[:, 2:]).log()[:, :2].reshape(-1)
MIXED = torch.randn(6, 6, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
SCALED = torch.diag(torch.tensor([0.1, 1.0, 10.0, 1.0, 3.0, 0.3], dtype=torch.float64))


def linearly(matrix: Tensor) -> Policy:
    """The same policy, its six free logits being ``matrix`` φ."""
    single = matrix.float()
    return parameterized(torch.linalg.solve(matrix, LOGITS), lambda phi: EMBED @ (single @ phi))


def bent() -> Policy:
    """The same policy, its six free logits being sinh φ."""
    return parameterized(LOGITS.asinh(), lambda phi: EMBED @ phi.sinh())


def moved(make: Callable[[], Policy], update: dict[str, Any]) -> Tensor:
    learner = make()
    torch.testing.assert_close(probabilities_of(learner), PROBABILITIES, atol=1e-5, rtol=1e-5)
    updated(learner, expected_batch(), update)
    return probabilities_of(learner)


@pytest.mark.parametrize("matrix", [MIXED, SCALED], ids=["mixed", "scaled"])
@pytest.mark.parametrize("solver", ["exact", "cg"])
@pytest.mark.parametrize("max_kl", [0.0, 1e-3])
def test_the_natural_gradient_moves_the_policy_alike_in_any_linear_coordinates(
    matrix: Tensor, solver: str, max_kl: float
) -> None:
    natural = NATURAL | {"damping": 0.0, "solver": solver, "cg_iterations": 50, "max_kl": max_kl}
    one, other = (moved(lambda m=m: linearly(m), natural) for m in (torch.eye(6).double(), matrix))
    torch.testing.assert_close(one, other, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("matrix", [MIXED, SCALED], ids=["mixed", "scaled"])
def test_the_plain_gradient_does_not(matrix: Tensor) -> None:
    plain = {"kind": "gradient-ascent", "optimizer": "sgd", "learning_rate": 0.5}
    one, other = (moved(lambda m=m: linearly(m), plain) for m in (torch.eye(6).double(), matrix))
    assert (one - other).abs().max().item() > 0.05


def test_in_bent_coordinates_the_steps_agree_to_first_order() -> None:
    """Ten times shorter steps differ a hundred times less."""
    apart = []
    for rate in (0.1, 0.01):
        natural = NATURAL | {"damping": 0.0, "solver": "exact", "learning_rate": rate}
        one, other = moved(lambda: linearly(torch.eye(6).double()), natural), moved(bent, natural)
        apart.append((one - other).abs().max().item())
    assert apart[1] < 0.02 * apart[0]
    assert apart[0] > 1e-4


# --- the longest step -------------------------------------------------------------------------------------------------


def test_the_longest_step_is_kept_to_second_order() -> None:
    """KL(π_old‖π) = δ (1 + O(√δ)): the true divergence, not the model's, which is δ exactly."""
    for most in (0.3, 0.1, 1e-2, 1e-3):
        learner = policy()
        outcome = updated(learner, expected_batch(), NATURAL | {"learning_rate": 100.0, "max_kl": most})
        kl = divergence(PROBABILITIES, probabilities_of(learner))
        assert outcome.metrics["kl"] == pytest.approx(kl, rel=1e-3)
        assert kl == pytest.approx(most, rel=0.3 * most**0.5)


def test_damping_keeps_the_step_inside_the_bound() -> None:
    """The predicted divergence then counts the damping too."""
    learner = policy()
    updated(learner, expected_batch(), NATURAL | {"learning_rate": 100.0, "max_kl": 1e-3, "damping": 0.1})
    assert 0.1e-3 < divergence(PROBABILITIES, probabilities_of(learner)) < 0.95e-3


def test_a_step_shorter_than_the_longest_is_left_as_it_is() -> None:
    free, capped = policy(), policy()
    updated(free, expected_batch(), NATURAL | {"learning_rate": 0.01})
    updated(capped, expected_batch(), NATURAL | {"learning_rate": 0.01, "max_kl": 0.01})
    assert torch.equal(parameters_of(free), parameters_of(capped))


def test_state_weights_enter_the_gradient() -> None:
    """Weighting every step by ½ halves the step."""
    half, whole = policy(), policy()
    batch: Batch = expected_batch()
    updated(half, replace(batch, state_weights=torch.full_like(batch.advantages, 0.5)), NATURAL)
    updated(whole, batch, NATURAL | {"learning_rate": 0.25})
    torch.testing.assert_close(parameters_of(half), parameters_of(whole))


@pytest.mark.parametrize("kind", ["natural-gradient", "trpo", "ppo-clip"])
def test_a_step_does_not_depend_on_how_many_episodes_the_steps_come_from(kind: str) -> None:
    """All three take means over steps; the plain gradient is a sum for each episode."""
    batch = expected_batch()

    def joined(tensor: Tensor) -> Tensor:  # eight episodes of four steps, where there were 32 of one
        return tensor.view(8, 4).T

    last = torch.tensor([[False], [False], [False], [True]]).expand(4, 8)
    rollout = replace(
        batch.rollout,
        observations=joined(batch.rollout.observations),
        actions=joined(batch.rollout.actions),
        rewards=torch.zeros(4, 8),
        terminated=last,
        truncated=torch.zeros_like(last),
        mask=torch.ones_like(last),
        elapsed=torch.arange(4).unsqueeze(1).expand(4, 8),
    )
    longer = replace(batch, rollout=rollout)
    assert (batch.divisor, longer.divisor, longer.size) == (32, 8, 32)
    assert torch.equal(longer.actions, batch.actions)
    update = {"kind": kind, "entropy_coefficient": 0.1}
    of_short, of_long = policy(), policy()
    one, other = updated(of_short, batch, update), updated(of_long, longer, update)
    assert (parameters_of(of_short) - parameters_of(policy())).abs().max().item() > 1e-4
    torch.testing.assert_close(parameters_of(of_long), parameters_of(of_short), atol=1e-6, rtol=1e-5)
    for name, number in one.metrics.items():
        assert other.metrics[name] == (None if number is None else pytest.approx(number, rel=1e-4, abs=1e-6)), name
    plain = {"kind": "gradient-ascent", "optimizer": "sgd", "learning_rate": 0.1}
    of_short, of_long = policy(), policy()
    updated(of_short, batch, plain), updated(of_long, longer, plain)
    short, long = (parameters_of(moved) - parameters_of(policy()) for moved in (of_short, of_long))
    torch.testing.assert_close(long, 4.0 * short, atol=1e-6, rtol=1e-4)
