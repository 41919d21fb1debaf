"""Runs that plan sweep by sweep: to the optimum, seen as they go, refused where nothing can be planned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from engine.algorithms.planning.exact_ascent import ExactAscentRule
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.catalogue.methods.specs import PLANNING_SPECS
from engine.config import PlanningConfig, PolicyGradientConfig, RunConfig, acts_by_values
from engine.config.parameters import with_values
from engine.config.planning import ExactNaturalGradient
from engine.config.policies import LinearPolicy, PolicyConfig, TabularPolicy
from engine.environments.making.known_dynamics import finite_mdp
from engine.mdp import exact
from engine.mdp.natural_gradient import natural_gradient
from engine.policies.policy import Policy
from engine.reports.events import Planned, Updated
from engine.runtime.errors import RunError
from engine.training.training import Training, resumed
from tests.engine.processes import known
from tests.engine.tiny_mdp import finish, parameters_of

GRID = "GridWorld-v0"
WIDE = {"environment.options.map": ("S" + 69 * ".",) * 69 + (70 * "G",), "environment.options.block": 10}
CLOSED = {"environment.options.map": ("S.#", "..#", "##G")}


def plans(algorithm: str, id: str = GRID, **values: Any) -> RunConfig:
    config = choose(PolicyGradientConfig(), ALGORITHMS[algorithm])
    changes = {path.replace("__", "."): value for path, value in values.items()}
    return with_values(config, {"environment": id, "evaluation.episodes": 2, "device": "cpu"} | changes)


PLANNING = [entry.id for spec in PLANNING_SPECS.values() for entry in spec.algorithms]
SWEEPING = [id for id in PLANNING if acts_by_values(plans(id))]
LEDGE = {"environment": "Ledge-v0", "policy": "tabular", "estimator.gamma": 1.0}


def told(training: Training, iterations: int) -> tuple[list[Planned], list[Updated]]:
    planned, updates = [], []
    for event in training:
        if isinstance(event, Planned):
            planned.append(event)
        if isinstance(event, Updated):
            updates.append(event)
            if len(updates) == iterations:
                break
    return planned, updates


@pytest.mark.parametrize("algorithm", SWEEPING)
@pytest.mark.parametrize("flushed", [False, True])
def test_every_plan_ends_at_the_optimum_and_is_followed(algorithm: str, flushed: bool) -> None:
    torch.set_flush_denormal(flushed)  # as in the thread that trains, and not
    training = Training(plans(algorithm))
    planned, updates = told(training, 80)
    best = exact.policy_iteration(known(GRID, horizon=None), 0.99)
    np.testing.assert_allclose(planned[-1].values, best.values, atol=1e-9)
    np.testing.assert_allclose(planned[-1].action_values, best.action_values, atol=1e-9)
    assert np.array_equal(planned[-1].policy, best.policy)
    last, first = updates[-1].metrics, updates[0].metrics
    assert last["value_error"] == pytest.approx(0.0, abs=1e-9)
    assert last["bellman_residual"] == planned[-1].residual < 1e-9
    assert last["exact_return"] == pytest.approx(exact.expected_return(known(GRID), best.policy, 0.99).item())
    uniform = torch.full_like(best.policy, 0.25)  # before anything is known all actions are equal
    assert first["exact_return"] == pytest.approx(exact.expected_return(known(GRID), uniform, 0.99).item())
    assert (first["value_error"] or 0.0) > 1.0
    assert last["backups"] == sum(len(event.backed_up) for event in planned) * (5 if "truncated" in algorithm else 1)
    followed = training.policy(torch.arange(25)).probabilities  # type: ignore[union-attr]
    assert np.array_equal(followed, planned[-1].policy)


@pytest.mark.parametrize("algorithm", ["prioritised-sweeping", "truncated-policy-iteration", "value-iteration"])
def test_a_run_goes_on_from_its_state(algorithm: str) -> None:
    horizon = {"update.horizon": "time-limit"} if algorithm == "value-iteration" else {}
    training = Training(with_values(plans(algorithm), horizon))
    told(training, 3)
    again = resumed(training.state())
    for one, other in zip(*(told(run, 3)[0] for run in (training, again)), strict=True):
        for name in ("values", "action_values", "policy", "backed_up"):
            assert np.array_equal(getattr(one, name), getattr(other, name))
        assert (one.residual, one.turns_left) == (other.residual, other.turns_left)


def test_with_the_turns_counted_a_sweep_is_a_turn() -> None:
    planned, updates = told(Training(plans("value-iteration", "Corridor-v0", update__horizon="time-limit")), 60)
    assert [event.turns_left for event in planned] == [*range(1, 51), *[50] * 10]
    best = exact.value_iteration(known("Corridor-v0"), 0.99)
    np.testing.assert_allclose(planned[-1].values, best.values)
    assert planned[3].values.shape == (50, 7)
    assert planned[3].values[0].tolist() == best.values[-4].tolist()
    assert updates[-1].metrics["value_error"] == pytest.approx(0.0)
    assert len(planned[-1].backed_up) == 0


def test_a_discount_and_the_number_of_backups_change_on_the_way() -> None:
    training = Training(plans("asynchronous-value-iteration", update__backups=3))
    planned, _ = told(training, 2)
    training.change("update.backups", 400)
    training.change("estimator.gamma", 0.5)
    later, updates = told(training, 4)
    assert [len(event.backed_up) for event in (*planned, *later[:1])] == [3, 3, 400]
    assert updates[-1].metrics["value_error"] == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(later[-1].values, exact.policy_iteration(known(GRID, horizon=None), 0.5).values)


@pytest.mark.parametrize(
    ("algorithm", "id", "values", "said"),
    [
        ("value-iteration", "Blackjack-v1", {"policy": "mlp"}, "try BlackjackHands-v0"),
        ("policy-iteration", "CartPole-v1", {"policy": "mlp"}, "needs known dynamics"),
        ("value-iteration", "Taxi-v4", {"environment.options.fickle_passenger": True}, "needs known dynamics"),
        ("policy-iteration", GRID, {"policy": "mlp"}, "keeps its values in a table"),
        ("prioritised-sweeping", GRID, {"update.horizon": "time-limit"}, "no order to choose"),
        ("value-iteration", "BlackjackHands-v0", {"update.horizon": "time-limit"}, "no time limit to plan for"),
        ("policy-iteration", GRID, {"environment.sticky_actions": 0.1}, "policy iteration does not know"),
        ("value-iteration", GRID, {"environment.options.map": ("S" + 79 * ".",) * 79 + (80 * "G",)}, "at most 2,000"),
    ],
)
def test_where_nothing_can_be_planned_it_is_said(algorithm: str, id: str, values: dict[str, Any], said: str) -> None:
    info = ENVIRONMENTS[id]
    if any(part in str(values) for part in ("fickle", "sticky", "map")):
        with pytest.raises(Exception, match=said):
            Training(with_values(plans(algorithm, id), values))
    else:
        assert said in str(refusal(with_values(plans(algorithm, id), values), info))


def test_where_no_policy_ever_ends_it_is_said_what_would_help() -> None:
    closed = CLOSED | {"estimator.gamma": 1.0}
    training = Training(with_values(plans("policy-iteration"), closed))
    with pytest.raises(RunError, match="row 1, column 1; use a discount below 1, or plan for the time limit"):
        told(training, 1)
    _, updates = told(Training(with_values(plans("value-iteration"), closed)), 2)
    assert updates[-1].metrics["value_error"] is None


# --- the exact natural gradient ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [TabularPolicy(), LinearPolicy()], ids=lambda kind: kind.kind)
@pytest.mark.parametrize("damping", [0.0, 0.1])
def test_a_step_is_along_the_exact_natural_gradient(kind: PolicyConfig, damping: float) -> None:
    mdp, policy = finite_mdp("Corridor-v0"), Policy(kind, ENVIRONMENTS["Corridor-v0"], torch.Generator().manual_seed(0))
    assert mdp is not None
    generator = torch.Generator().manual_seed(1)
    for parameter in policy.parameters():
        parameter.data.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    config = plans("exact-natural-gradient", "Corridor-v0", policy=kind.kind, update__damping=damping)
    assert isinstance(config, PlanningConfig)
    assert isinstance(config.update, ExactNaturalGradient)
    before = parameters_of(policy).double()
    shapes = [parameter.shape for parameter in policy.parameters()]

    def probabilities(theta: torch.Tensor) -> torch.Tensor:
        parts = torch.split(theta, [shape.numel() for shape in shapes])
        if len(parts) == 1:
            return theta.reshape(shapes[0]).softmax(-1)
        weight, bias = (part.reshape(shape) for part, shape in zip(parts, shapes, strict=True))
        return (weight.T + bias).softmax(-1)

    expected = natural_gradient(exact.dynamics_of(mdp), probabilities, before, 0.99, damping)
    rule = ExactAscentRule(config.update, policy, mdp)
    finish(rule.update(torch.zeros(1, dtype=torch.int64), config, 0.0))
    moved = parameters_of(policy).double() - before
    torch.testing.assert_close(moved, expected, rtol=2e-3, atol=2e-4)


def course(algorithm: str, iterations: int, **values: Any) -> list[float | None]:
    """J of each policy that a run on the ledge plays."""
    training = Training(with_values(plans(algorithm), LEDGE | values))
    found = [event.metrics["exact_return"] for event in told(training, iterations)[1]]
    training.close()
    return found


def test_on_the_ledge_policy_iteration_falls_where_the_exact_gradient_climbs() -> None:
    assert course("policy-iteration", 6) == pytest.approx([-0.25, 0.0, -2.0, 0.0, -2.0, 0.0])
    assert course("value-iteration", 4) == pytest.approx([-0.25, 0.0, -2.0, 0.0])
    assert course("policy-iteration", 4, **{"update.weighting": "equal"}) == pytest.approx([-0.25, 0.0, 0.0, 0.0])
    for algorithm, rate in (("exact-gradient", 1.0), ("exact-natural-gradient", 0.1)):
        plain = {"update.optimizer": "sgd"} if algorithm == "exact-gradient" else {}
        climbed = course(algorithm, 60, **{"update.learning_rate": rate} | plain)
        assert climbed == sorted(climbed)
        assert climbed[-1] == pytest.approx(1.0 / 12.0, abs=1e-3)


def test_in_a_grid_whose_cells_look_alike_it_goes_round_and_the_gradient_climbs() -> None:
    blocks = {"environment": GRID, "environment.options.block": 2, "estimator.gamma": 0.99}
    found = course("policy-iteration", 12, **blocks)
    assert found[-4:] == pytest.approx([found[-2], found[-1]] * 2)
    high, low = max(found[-2:]), min(found[-2:])  # type: ignore[type-var]
    assert (high, low) == pytest.approx((6.901, 0.312), abs=1e-3)
    still = course("value-iteration", 12, **blocks, **{"update.weighting": "equal"})
    assert still[-1] == pytest.approx(still[-2])
    climbed = course("exact-gradient", 40, **blocks, **{"update.optimizer": "sgd", "update.learning_rate": 0.2})
    assert climbed == sorted(climbed)  # type: ignore[type-var]
    assert (climbed[-1] or 0.0) > 6.0
    # Where each cell looks like itself alone, the same algorithm comes to rest at the best.
    assert course("policy-iteration", 6, environment=GRID, **{"estimator.gamma": 0.99})[-1] == pytest.approx(
        8.388, abs=1e-3
    )


def test_a_mixed_plan_is_played_as_it_is_mixed() -> None:
    training = Training(with_values(plans("conservative-policy-iteration"), LEDGE))
    planned, updates = told(training, 3)
    chances = training.policy(torch.arange(1)).probabilities[0]  # type: ignore[union-attr]
    assert chances.tolist() == pytest.approx([1.0 - 0.5 * 0.9**3, 0.5 * 0.9**3])
    assert planned[-1].policy[0].tolist() == pytest.approx(chances.tolist())
    p = 0.5 * 0.9**2
    assert updates[-1].metrics["exact_return"] == pytest.approx(p - 3.0 * p * p)


@pytest.mark.parametrize(
    ("algorithm", "values", "said"),
    [
        ("prioritised-sweeping", {}, "use synchronous sweeps"),
        ("policy-iteration", {"environment.time_limit": 9, "update.horizon": "time-limit"}, "an infinite horizon"),
        ("policy-iteration", {"environment.sticky_actions": 0.1}, "sticky actions to 0"),
        ("policy-iteration", {"environment": GRID} | WIDE, "4,900 states are too many; use a smaller world"),
    ],
)
def test_what_cannot_be_planned_where_states_look_alike(algorithm: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises(Exception, match=said):
        Training(with_values(plans(algorithm), LEDGE | values))
