"""The whole grid trains: every algorithm, every pair of choices, every policy in every kind of environment."""

from __future__ import annotations

import math
from itertools import product
from typing import Any, get_args

import numpy as np
import pytest
import torch
from gymnasium import spaces

from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.methods.entries import ALGORITHMS, BASELINES, CREDITS, POLICIES
from engine.catalogue.methods.picking import choose
from engine.catalogue.methods.specs import UPDATE_SPECS
from engine.config import PlanningConfig, PolicyGradientConfig, RunConfig
from engine.config.parameters import parameters_of, with_values
from engine.config.policies import Distribution
from engine.environments.making.lookup import inspect
from engine.reports.events import Updated
from engine.reports.metrics import METRICS
from engine.training.training import Training
from tests.engine.support import CLIMBING, CLIMBING_ALGORITHMS, COMPUTED_TWICE, register, reported, untimed, updates_of

SMALL = {
    "policy.hidden_sizes": (4,),
    "policy.hidden_size": 4,
    "collection.episodes_per_update": 2,
    "collection.environments": 2,
    "collection.steps": 5,
    "evaluation.episodes": 2,
    "estimator.baseline.hidden_sizes": (4,),
    "estimator.baseline.fit_steps": 2,
    "update.epochs": 2,
    "update.minibatch_size": 4,
    "update.updates_per_batch": 2,
}
ALWAYS = {"mean_return", "mean_length", "loss", "entropy", "grad_norm", "advantage_mean", "advantage_std"} | {
    *("gradient_steps", "steps_per_second", "largest_advantage")
}
OWN = {
    "gradient-ascent": set(),
    "natural-gradient": {"kl"},
    "trpo": {"kl", "line_search"},
    "ppo-clip": {"approx_kl", "clip_fraction", "first_ratio", "largest_ratio"},
    "ppo-penalty": {"approx_kl", "first_ratio", "largest_ratio"},
    "ppo-lagrangian": {"approx_kl", "multiplier", "first_ratio", "largest_ratio"},
    "off-policy": {"effective_sample_size", "largest_weight"},
    "exact-gradient": {"exact_return"},
}


def small(values: dict[str, Any]) -> RunConfig:
    """A configuration with these choices and as little work as possible."""
    return shrunk(with_values(PolicyGradientConfig(), values), values)


def shrunk(config: RunConfig, but: dict[str, Any]) -> RunConfig:
    """On the CPU, with the numbers of ``SMALL`` wherever they mean something, save those of ``but``."""
    there = {parameter.path for parameter in parameters_of(config)}
    little = {path: value for path, value in SMALL.items() if path in there and path not in but}
    return with_values(config, {"device": "cpu", "budget.environment_steps": 1} | little | but)


def expected_of(config: RunConfig) -> set[str]:
    """The metrics that are defined once an episode has ended."""
    planning = isinstance(config, PlanningConfig)
    learned = not planning and config.estimator.baseline.kind in ("value", "shared-value")
    sees_numbers = config.environment.id == "CartPole-v1" and config.policy.kind == "mlp"
    of_network = {"observation_scale", "saturated_units"} if sees_numbers else set()
    of_value = {"value_loss", "explained_variance"} if learned else set()
    if learned and config.collection.kind == "episodes" and config.environment.id == "CartPole-v1":  # no time is up
        of_value |= {"first_value", "discounted_return"}
    return ALWAYS | OWN[config.update.kind] | of_network | of_value


def two_updates(config: RunConfig) -> list[Updated]:
    training, updates = Training(config), []
    for event in training:
        if isinstance(event, Updated):
            updates.append(event)
            if event.iteration == 1:
                training.change("budget.environment_steps", event.environment_steps + 1)
    training.close()
    assert len(updates) == 2
    assert all(parameter.isfinite().all() for parameter in training.policy.parameters())
    return updates


def require_finite(updates: list[Updated]) -> None:
    for update in updates:
        assert set(update.metrics) == set(METRICS)
        defined = {name: value for name, value in update.metrics.items() if value is not None}
        assert {name: value for name, value in defined.items() if not math.isfinite(value)} == {}
        apart = {name: defined[name] for name, most in COMPUTED_TWICE.items() if abs(defined.get(name, 0.0)) > most}
        assert apart == {}


@pytest.fixture(autouse=True)
def _toy() -> None:
    register("Tests/Grid-v0", lengths=(3, 2), observation=spaces.Discrete(3), truncates=True)


def for_algorithm(id: str) -> RunConfig:
    """A named algorithm in an environment that it fits, with enough steps for an episode to end."""
    environment = "Corridor-v0" if id == "exact-gradient" else "CartPole-v1"
    chosen = choose(with_values(PolicyGradientConfig(), {"environment": environment}), ALGORITHMS[id])
    fixed = not isinstance(chosen, PlanningConfig) and chosen.collection.kind == "fixed-length"
    return shrunk(chosen, {"collection.environments": 4, "collection.steps": 40} if fixed else {})


# --- named algorithms -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", CLIMBING_ALGORITHMS)
def test_every_named_algorithm_trains_and_reports_what_its_method_has(id: str) -> None:
    config = for_algorithm(id)
    updates = two_updates(config)
    require_finite(updates)
    assert reported(updates[-1]) == expected_of(config)


@pytest.mark.parametrize("id", CLIMBING_ALGORITHMS)
def test_every_named_algorithm_does_the_same_again_bit_for_bit(id: str) -> None:
    config = for_algorithm(id)
    runs = []
    for _ in range(2):
        training = Training(with_values(config, {"budget.environment_steps": 300}))
        found = [untimed(event) for event in training if isinstance(event, Updated)]
        training.close()
        runs.append((found, [parameter.detach().clone() for parameter in training.policy.parameters()]))
    assert len(runs[0][0]) > 1
    assert runs[0][0] == runs[1][0]
    assert all(torch.equal(*pair) for pair in zip(runs[0][1], runs[1][1], strict=True))


@pytest.mark.parametrize("id", CLIMBING_ALGORITHMS)
def test_every_named_algorithm_depends_on_the_seed(id: str) -> None:
    config = for_algorithm(id)
    first, other = (updates_of(with_values(config, {"seed": seed}))[0] for seed in (1, 2))
    assert untimed(first) != untimed(other)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
@pytest.mark.parametrize("id", [id for id in CLIMBING if id != "trpo"])
def test_the_learning_rate_is_reported_where_a_schedule_changes_it(id: str, schedule: str) -> None:
    environment = "Corridor-v0" if id == "exact-gradient" else "Tests/Grid-v0"
    config = small({"environment": environment, "update": id, "update.learning_rate_schedule": schedule})
    assert "learning_rate" in reported(updates_of(config)[0])


@pytest.mark.parametrize("update", ["gradient-ascent", "ppo-clip", "ppo-penalty", "ppo-lagrangian"])
def test_a_shared_value_has_a_loss_whatever_fits_it(update: str) -> None:
    values = {"environment": "Tests/Grid-v0", "update": update, "estimator.baseline": "shared-value"}
    assert updates_of(small(values))[0].metrics["value_loss"] is not None


# --- every pair -------------------------------------------------------------------------------------------------------

COLLECTIONS = [("episodes", 1), ("episodes", 2), ("fixed-length", None)]


@pytest.mark.parametrize("policy", ["mlp", "gru"])
@pytest.mark.parametrize("update", UPDATE_SPECS)
def test_every_point_of_the_grid_trains_or_is_refused(update: str, policy: str) -> None:
    environment = "Tests/Grid-v0"
    info = inspect(environment)
    worked = 0
    for credit, baseline, (collection, episodes) in product(CREDITS, BASELINES, COLLECTIONS):
        values = {
            "environment": environment,
            "policy": policy,
            "collection": collection,
            "estimator.credit": credit,
            "estimator.baseline": baseline,
            "update": update,
        }
        config = small(values | ({"collection.episodes_per_update": episodes} if episodes else {}))
        if refusal(config, info) is None:
            updates = updates_of(config)
            require_finite(updates)
            worked += 1
    assert worked > 0


@pytest.mark.parametrize("fitted_on", ["previous", "same", "independent"])
@pytest.mark.parametrize("collection", ["episodes", "fixed-length"])
def test_a_value_function_can_be_fitted_on_any_trajectories(fitted_on: str, collection: str) -> None:
    config = small(
        {
            "environment": "Tests/Grid-v0",
            "collection": collection,
            "estimator.credit": "gae",
            "estimator.baseline.fitted_on": fitted_on,
        }
    )
    updates = two_updates(config)
    require_finite(updates)
    assert reported(updates[-1]) == expected_of(config)


@pytest.mark.parametrize("update", ["gradient-ascent", "natural-gradient"])
def test_a_baseline_per_parameter_trains(update: str) -> None:
    baseline = {"estimator.baseline": "optimal", "estimator.baseline.per_parameter": True}
    config = small({"environment": "Tests/Grid-v0", "update": update} | baseline)
    require_finite(two_updates(config))


@pytest.mark.parametrize("kind", CLIMBING)
def test_every_rule_trains_with_greedy_actions_and_a_temperature(kind: str) -> None:
    environment = "Corridor-v0" if kind == "exact-gradient" else "Tests/Grid-v0"
    values = {"environment": environment, "update": kind, "exploration.greedy_start": 0.5}
    require_finite(two_updates(small(values | {"exploration.temperature": 2.0})))


@pytest.mark.parametrize("weighting", ["per-trajectory", "per-decision"])
@pytest.mark.parametrize("share", [0.5, 1.0])
@pytest.mark.parametrize("action", [spaces.Discrete(2), spaces.Box(-1.0, 1.0, (2,))], ids=["discrete", "continuous"])
def test_off_policy_ascent_stays_finite_whatever_share_of_the_actions_is_greedy(
    action: Any, share: float, weighting: str
) -> None:
    """Of continuous actions a single greedy one makes its episode impossible for the policy: all weights may be 0. Only
    where they always would be, from start to end, it is refused."""
    id = register("Tests/Greedy-v0", lengths=(12,), action=action)
    values = {"environment": id, "update": "off-policy", "update.weighting": weighting}
    updates = two_updates(small(values | {"exploration.greedy_start": share, "exploration.greedy_end": 0.5}))
    require_finite(updates)


# --- policies and spaces ----------------------------------------------------------------------------------------------

SEEN = {
    "tabular": spaces.Discrete(4),
    "linear": spaces.Box(-1.0, 1.0, (2,)),
    "mlp": spaces.Box(-np.inf, np.inf, (2, 3), np.float64),
    "gru": spaces.Discrete(4),
    "cnn": spaces.Box(0, 255, (8, 9, 3), np.uint8),
}
ACTIONS = {
    "discrete": spaces.Discrete(3, start=2),
    "multi-discrete": spaces.MultiDiscrete([2, 3]),
    "multi-discrete, two axes": spaces.MultiDiscrete([[2, 3], [4, 2]]),
    "multi-binary": spaces.MultiBinary(3),
    "multi-binary, two axes": spaces.MultiBinary([2, 2]),
    "bounded": spaces.Box(np.array([-1.0, 0.0], np.float32), np.array([1.0, 5.0], np.float32)),
    "bounded, two axes": spaces.Box(-2.0, 2.0, (2, 2)),
    "unbounded": spaces.Box(-np.inf, np.inf, (2,)),
}
FITTING = {
    "discrete": {"auto", "softmax"},
    "multi-discrete": {"auto", "softmax"},
    "multi-binary": {"auto", "bernoulli"},
    "bounded": {"auto", "gaussian", "tanh-gaussian", "beta"},
    "unbounded": {"auto", "gaussian"},
}


@pytest.mark.parametrize("update", ["gradient-ascent", "ppo-clip", "ppo-lagrangian", "trpo"])
@pytest.mark.parametrize("actions", ACTIONS)
@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_and_distribution_trains_with_the_actions_it_fits(policy: str, actions: str, update: str) -> None:
    id = register("Tests/Spaces-v0", lengths=(3, 2), observation=SEEN[policy], action=ACTIONS[actions])
    info = inspect(id)
    fitting = FITTING[actions.split(",")[0]]
    if policy == "tabular":
        fitting = fitting & {"auto", "softmax", "bernoulli"} if info.action.kind != "box" else set()
    allowed = ("auto", "softmax", "bernoulli") if policy == "tabular" else get_args(Distribution)
    worked = set()
    for distribution in allowed:
        collection = "fixed-length" if update == "ppo-clip" else "episodes"
        values = {"environment": id, "policy": policy, "policy.distribution": distribution, "update": update}
        config = small(values | {"collection": collection})
        if refusal(config, info) is None:
            require_finite(updates_of(config))
            worked.add(distribution)
    assert worked == fitting


@pytest.mark.parametrize("policy", ["linear", "mlp", "gru", "cnn"])
def test_a_spread_per_state_trains(policy: str) -> None:
    id = register("Tests/Spaces-v0", observation=SEEN[policy], action=ACTIONS["bounded"])
    for distribution in ("gaussian", "tanh-gaussian"):
        values = {"environment": id, "policy": policy, "policy.distribution": distribution}
        require_finite(two_updates(small(values | {"policy.spread": "per-state", "update": "ppo-clip"})))


@pytest.mark.parametrize("features", ["raw", "polynomial", "fourier", "rbf"])
@pytest.mark.parametrize("bound", [1.0, np.inf])
def test_every_kind_of_features_trains(features: str, bound: float) -> None:
    id = register("Tests/Features-v0", observation=spaces.Box(-bound, bound, (2,)), what="ones")
    require_finite(two_updates(small({"environment": id, "policy": "linear", "policy.features": features})))


@pytest.mark.parametrize(
    "space",
    [
        spaces.Box(0, 255, (8, 8), np.uint8),
        spaces.Box(0.0, 1.0, (8, 9, 1)),
        spaces.Box(0, 255, (4, 36, 37), np.uint8),
    ],
    ids=str,
)
def test_a_cnn_trains_on_images_of_any_layout_and_so_does_its_value_function(space: Any) -> None:
    id = register("Tests/Images-v0", lengths=(2,), observation=space)
    for baseline in ("value", "shared-value"):
        values = {"environment": id, "policy": "cnn", "estimator.baseline": baseline}
        require_finite(two_updates(small(values)))
