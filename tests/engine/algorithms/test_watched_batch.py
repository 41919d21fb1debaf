"""What a watched update tells of the policy in its batch's states, of its trust region and of its line search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.algorithms.outcome import Outcome
from engine.algorithms.policy_gradient.rule import UpdateInput
from engine.algorithms.policy_gradient.rules import make_rule
from engine.algorithms.policy_gradient.watched import plane_of
from engine.policies.policy import Policy
from engine.reports.events import Event
from engine.reports.update_events import LineSearchTry, TrustRegion, UpdateStep
from tests.engine.step_batches import (
    ADVANTAGES,
    PROBABILITIES,
    SHARES,
    configured,
    divergence,
    expected_batch,
    parameterized,
    policy,
    probabilities_of,
)

DAMPING = 1e-3
PPO: dict[str, Any] = {"kind": "ppo-clip", "clip_range": 0.05, "epochs": 3, "minibatch_size": 10, "learning_rate": 0.1}
RULES: dict[str, dict[str, Any]] = {
    "gradient ascent": {"kind": "gradient-ascent", "learning_rate": 0.5},
    "natural gradient": {"kind": "natural-gradient", "learning_rate": 0.5, "damping": DAMPING},
    "trpo": {"kind": "trpo", "max_kl": 0.01, "damping": DAMPING},
    "clip": PPO,
    "penalty": {**{key: PPO[key] for key in PPO if key != "clip_range"}, "kind": "ppo-penalty"},
    "off-policy": {
        "kind": "off-policy",
        "weighting": "per-trajectory",
        "updates_per_batch": 2,
        "learning_rate": 0.5,
    },
}


def told(learner: Policy, update: dict[str, Any], advantages: Tensor = ADVANTAGES) -> tuple[list[Event], Outcome]:
    """All that one watched update of ``learner`` tells."""
    config = configured(update)
    doing = make_rule(config, learner, torch.Generator().manual_seed(0), None).update(
        UpdateInput(expected_batch(advantages), config, 0.0, watched=True, iteration=3)
    )
    events: list[Event] = []
    while True:
        try:
            events.append(next(doing))
        except StopIteration as stop:
            return events, stop.value


def of_kind(events: Sequence[Event], kind: type[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("rule", RULES)
def test_the_last_step_says_where_the_policy_has_come_to(rule: str) -> None:
    learner, batch = policy(), expected_batch()
    events, _ = told(learner, RULES[rule])
    steps: list[UpdateStep] = of_kind(events, UpdateStep)
    change, new = steps[-1].policy, probabilities_of(learner)
    assert change is not None
    assert change.rows.tolist() == list(range(batch.size))
    moved = (new / PROBABILITIES).log()[batch.observations, batch.actions]
    assert np.allclose(change.log_ratios, moved.numpy(), atol=1e-5)
    assert change.kl == pytest.approx(divergence(PROBABILITIES, new), rel=1e-3, abs=1e-7)
    assert {step.iteration for step in steps} == {3}


def test_importance_weights_are_told_with_what_they_weigh() -> None:
    events, _ = told(policy(), RULES["off-policy"])
    first, second = of_kind(events, UpdateStep)
    credited = expected_batch().advantages.numpy()
    assert np.allclose(first.weights, credited, atol=1e-5)  # by the policy that acted, all count alike
    assert second.log_ratios.any()
    weighed = credited * np.exp(second.log_ratios)
    normalizer = np.exp(second.log_ratios).mean() if configured(RULES["off-policy"]).update.self_normalized else 1.0
    assert np.allclose(second.weights, weighed / normalizer, atol=1e-4)


def test_a_lagrangians_divergence_is_the_one_that_it_bounds() -> None:
    learner = policy()
    fields = {key: PPO[key] for key in PPO if key != "clip_range"} | {"kind": "ppo-lagrangian", "target_kl": 0.02}
    events, _ = told(learner, fields)
    change = of_kind(events, UpdateStep)[-1].policy
    assert change.kl == pytest.approx(divergence(probabilities_of(learner), PROBABILITIES), rel=1e-3)
    assert change.kl_limit == 0.02


def test_steps_beyond_the_clip_on_the_side_they_are_pushed_to_drop_out() -> None:
    events, _ = told(policy(), PPO | {"learning_rate": 0.01})
    credited = expected_batch().advantages.numpy()
    last = of_kind(events, UpdateStep)[-1]
    ratios, reach = np.exp(last.policy.log_ratios), PPO["clip_range"]
    out = ((credited > 0) & (ratios > 1 + reach)) | ((credited < 0) & (ratios < 1 - reach))
    assert 0 < out.sum() < len(out)
    assert np.array_equal(last.policy.cut_off, out)
    assert (last.epoch, last.epochs) == (3, 3)


@pytest.mark.parametrize("rule", ["gradient ascent", "clip"])
def test_layers_and_largest_parameters_are_those_of_the_step(rule: str) -> None:
    learner = policy()
    before = learner.head.rows.detach().clone().numpy()  # type: ignore[union-attr]
    first = of_kind(told(learner, RULES[rule])[0], UpdateStep)[0]
    (table,) = first.layers
    assert table.name == "θ"
    assert table.change == pytest.approx(np.linalg.norm(first.parameter_change), rel=1e-5)
    assert table.before == pytest.approx(np.linalg.norm(before), rel=1e-5)
    sizes = [abs(one.change) for one in first.largest]
    assert sizes == sorted(sizes, reverse=True)
    changed = first.parameter_change.reshape(before.shape)
    assert all(one.change == pytest.approx(changed[one.index]) for one in first.largest)
    assert all(one.before == pytest.approx(before[one.index]) for one in first.largest)
    assert sizes[0] == pytest.approx(np.abs(changed).max())


# Logits φ₀ U + φ₁ V, for which the Fisher matrix is the covariance of U and V under the policy.
DIRECTIONS = torch.tensor(
    [[1.0, 0.0, -1.0, 0.5, 0.0, 0.3, -0.2, 0.0, 0.0], [0.0, 2.0, 0.0, 0.1, -0.4, 0.0, 1.0, 0.2, 0.0]]
)
START = torch.tensor([0.3, -0.2])


def two_parameters() -> Policy:
    return parameterized(START, lambda phi: phi @ DIRECTIONS)


def fisher_and_gradient() -> tuple[Tensor, Tensor]:
    """F + ξI and the gradient of the mean objective in φ, from covariances alone."""
    table = (START @ DIRECTIONS).view(3, 3).double().softmax(-1)
    across = DIRECTIONS.view(2, 3, 3).double()
    centred = across - (table * across).sum(-1, keepdim=True)
    visits = SHARES.unsqueeze(-1) * table
    fisher = torch.einsum("isa,jsa,sa->ij", centred, centred, visits)
    acted = SHARES.unsqueeze(-1) * PROBABILITIES  # of what is in the batch
    return fisher + DAMPING * torch.eye(2), torch.einsum("isa,sa,sa->i", centred, acted, ADVANTAGES)


@pytest.mark.parametrize("kind", ["trpo", "natural-gradient"])
@pytest.mark.parametrize("solver", ["exact", "cg"])
def test_the_ellipse_of_a_policy_of_two_parameters_is_that_of_its_fisher_matrix(kind: str, solver: str) -> None:
    fields = {"kind": kind, "max_kl": 0.01, "damping": DAMPING, "solver": solver}
    events, _ = told(two_parameters(), fields | ({"learning_rate": 50.0} if kind == "natural-gradient" else {}))
    (region,) = of_kind(events, TrustRegion)
    fisher, gradient = fisher_and_gradient()
    natural = torch.linalg.solve(fisher, gradient)
    # The plane is turned, so all that does not depend on the axes has to agree.
    assert np.allclose(np.linalg.eigvalsh(region.fisher), torch.linalg.eigvalsh(fisher).numpy(), rtol=1e-3)
    assert np.allclose(region.gradient, [gradient.norm(), 0.0], rtol=1e-3, atol=1e-6)
    assert np.linalg.norm(region.natural) == pytest.approx(natural.norm().item(), rel=2e-3)
    assert region.gradient @ region.natural == pytest.approx(gradient.dot(natural).item(), rel=2e-3)
    assert np.allclose(region.fisher @ region.natural, region.gradient, rtol=5e-3, atol=1e-5)
    assert np.allclose(region.step / np.linalg.norm(region.step), region.natural / np.linalg.norm(region.natural))
    assert region.limit == 0.01
    assert region.predicted == pytest.approx(0.01, rel=1e-3)  # both go as far as they may


def test_a_natural_gradient_that_points_along_the_gradient_still_has_a_plane() -> None:
    gradient = torch.tensor([0.3, -0.1, 2.0])
    basis = plane_of(gradient, 4.0 * gradient)
    assert torch.allclose(basis @ basis.mT, torch.eye(2, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(basis[0] * gradient.norm().double(), gradient.double())


RARE = torch.tensor([[3.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 3.0]]).double()


def test_the_line_search_is_told_try_by_try_up_to_the_one_that_is_reported() -> None:
    rare = RARE - (PROBABILITIES * RARE).sum(-1, keepdim=True)
    learner = policy()
    events, outcome = told(learner, {"kind": "trpo", "max_kl": 0.2, "damping": 1e-6, "backtracking": 0.9}, rare)
    tries: list[LineSearchTry] = of_kind(events, LineSearchTry)
    assert len(tries) > 1
    assert [one.number for one in tries] == list(range(1, len(tries) + 1))
    assert [one.fraction for one in tries] == pytest.approx([0.9**k for k in range(len(tries))])
    assert [one.accepted for one in tries] == [False] * (len(tries) - 1) + [True]
    assert all(one.gain <= 0.0 or one.kl > one.kl_limit for one in tries[:-1])
    assert tries[-1].fraction == outcome.metrics["line_search"]
    assert tries[-1].kl == outcome.metrics["kl"]
    new = probabilities_of(learner)
    assert tries[-1].gain == pytest.approx((SHARES @ ((new - PROBABILITIES) * rare).sum(-1)).item(), rel=1e-3)
    assert [type(event) for event in events[-2:]] == [LineSearchTry, UpdateStep]


def test_a_search_that_finds_nothing_is_told_and_makes_no_step() -> None:
    rare = RARE - (PROBABILITIES * RARE).sum(-1, keepdim=True)
    fields = {"kind": "trpo", "max_kl": 5.0, "damping": 1e-6, "backtracking": 0.99, "line_search_steps": 3}
    events, outcome = told(policy(), fields, rare)
    assert [one.accepted for one in of_kind(events, LineSearchTry)] == [False] * 3
    assert not of_kind(events, UpdateStep)
    assert outcome.metrics["line_search"] == 0.0
