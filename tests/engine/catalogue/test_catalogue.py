"""What can be picked: titles, what picking sets, and finding again what was picked."""

from __future__ import annotations

from typing import Any

import pytest

from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.methods.distribution import distribution_of
from engine.catalogue.methods.entries import (
    ALGORITHMS,
    BASELINES,
    COLLECTIONS,
    CREDITS,
    DISTRIBUTIONS,
    POLICIES,
    UPDATES,
)
from engine.catalogue.methods.picking import choose, picked, unused
from engine.catalogue.methods.spec import Entry
from engine.catalogue.methods.specs import UPDATE_SPECS
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.config.policies import LinearPolicy, MLPPolicy, TabularPolicy
from engine.reports.metrics import METRICS
from engine.runtime.errors import RequestError
from tests.each import each

AXES = {
    "policy": POLICIES,
    "distribution": DISTRIBUTIONS,
    "collection": COLLECTIONS,
    "credit": CREDITS,
    "baseline": BASELINES,
    "update": UPDATES,
    "algorithm": ALGORITHMS,
}
ENTRIES = [(axis, entry) for axis, entries in AXES.items() for entry in entries.values()]
EVERY_ENTRY = each(("axis", "entry"), ENTRIES, ids=lambda x: x if isinstance(x, str) else x.id)
STARTS = [choose(PolicyGradientConfig(), entry) for entries in (POLICIES, ALGORITHMS) for entry in entries.values()]
CARTPOLE = ENVIRONMENTS["CartPole-v1"]


def environment_for(entry: Entry) -> EnvironmentInfo:
    """One whose actions a distribution can choose."""
    action = {
        "bernoulli": Space("multi-binary", 3),
        "gaussian": Space("box", 1, bounds=((-1.0, 1.0),)),
        "tanh-gaussian": Space("box", 1, bounds=((-1.0, 1.0),)),
        "beta": Space("box", 1, bounds=((-1.0, 1.0),)),
    }.get(entry.id, Space("discrete", 2))
    return EnvironmentInfo("X-v0", "X", "X.", Space("box", 4), action)


@EVERY_ENTRY
def test_what_was_picked_is_found_again_whatever_was_there_before(axis: str, entry: Entry) -> None:
    for start in STARTS:
        if axis == "distribution":  # a table has no spread to put into a Gaussian
            start = choose(start, POLICIES["mlp"])
        if unused(start, entry) is None:
            assert picked(choose(start, entry), AXES[axis], environment_for(entry)) is entry


@EVERY_ENTRY
def test_picking_what_is_there_already_keeps_its_parameters(axis: str, entry: Entry) -> None:
    once = choose(choose(PolicyGradientConfig(), UPDATES["gradient-ascent"]), entry)
    rates = [name for name in ("learning_rate", "max_kl") if hasattr(once.update, name)]
    tuned = with_values(once, {f"update.{name}": 0.123 for name in rates[:1]} | {"estimator.gamma": 0.5})
    assert choose(tuned, entry) == tuned


def test_an_algorithm_sets_the_axes_it_is_told_by_and_what_it_usually_comes_with() -> None:
    start = with_values(PolicyGradientConfig(), {"policy": "linear", "estimator.gamma": 0.5, "seed": 9})
    changed = choose(start, ALGORITHMS["ppo"])
    estimator = changed.estimator
    assert (estimator.credit.kind, estimator.baseline.kind, changed.update.kind) == ("gae", "value", "ppo-clip")
    assert (changed.collection.kind, estimator.normalize_advantages) == ("fixed-length", True)
    kept = {"estimator": start.estimator, "update": start.update, "collection": start.collection}
    assert changed.model_copy(update=kept) == start
    assert estimator.gamma == 0.5


@pytest.mark.parametrize("axis", ["collection", "credit", "baseline"])
def test_where_nothing_is_estimated_there_is_nothing_to_choose_for_it(axis: str) -> None:
    planning = choose(PolicyGradientConfig(), ALGORITHMS["exact-gradient"])
    for entry in AXES[axis].values():
        assert (unused(planning, entry) or "").startswith("What is planned is computed")
        assert unused(PolicyGradientConfig(), entry) is None
        with pytest.raises(RequestError, match="There is no parameter"):
            choose(planning, entry)


ESTIMATING = [entry for spec in UPDATE_SPECS.values() for entry in spec.algorithms]


@each("entry", ESTIMATING, ids=lambda entry: entry.id)
@each(
    "values",
    [
        {"estimator.normalize_advantages": True},
        {"estimator.discount_states": True},
        {"collection": "episodes"},
        {"collection": "fixed-length"},
        {"estimator.gamma": 0.5},
        {"exploration.temperature": 2.0},
    ],
    ids=str,
)
def test_an_algorithm_keeps_its_name_when_what_it_is_not_told_by_changes(entry: Entry, values: dict[str, Any]) -> None:
    changed = with_values(choose(PolicyGradientConfig(), entry), values)
    assert picked(changed, ALGORITHMS, CARTPOLE) is entry


@pytest.mark.parametrize("n", [2, 5, 100])
def test_actor_critic_of_more_than_one_step_is_a2c(n: int) -> None:
    changed = with_values(choose(PolicyGradientConfig(), ALGORITHMS["actor-critic"]), {"estimator.credit.n": n})
    assert picked(changed, ALGORITHMS, CARTPOLE) is ALGORITHMS["a2c"]


def test_a_point_of_the_grid_without_a_name_is_no_algorithm() -> None:
    unnamed = with_values(PolicyGradientConfig(), {"estimator.credit": "total-return", "estimator.baseline": "value"})
    assert picked(unnamed, ALGORITHMS, CARTPOLE) is None


def test_no_two_algorithms_are_the_same_point() -> None:
    points = {tuple(sorted(entry.identity.items())) for entry in ALGORITHMS.values()}
    assert len(points) == len(ALGORITHMS)


@each("environment", [*ENVIRONMENTS.values()], ids=lambda info: info.id)
def test_the_default_policy_fits_every_environment(environment: EnvironmentInfo) -> None:
    assert refusal(PolicyGradientConfig(), environment) is None


def test_auto_is_found_as_the_distribution_that_it_follows() -> None:
    assert picked(PolicyGradientConfig(), DISTRIBUTIONS, CARTPOLE) is DISTRIBUTIONS["softmax"]
    assert picked(PolicyGradientConfig(), DISTRIBUTIONS, ENVIRONMENTS["Pendulum-v1"]) is DISTRIBUTIONS["gaussian"]


@pytest.mark.parametrize(
    ("policy", "action", "expected"),
    [
        (MLPPolicy(), "discrete", "softmax"),
        (MLPPolicy(), "box", "gaussian"),
        (LinearPolicy(distribution="softmax"), "box", "softmax"),
        (MLPPolicy(distribution="gaussian"), "discrete", "gaussian"),
        (MLPPolicy(), "multi-discrete", "softmax"),
        (MLPPolicy(), "multi-binary", "bernoulli"),
        (MLPPolicy(distribution="beta"), "box", "beta"),
        (TabularPolicy(), "discrete", "softmax"),
        (TabularPolicy(), "multi-binary", "bernoulli"),
        (TabularPolicy(), "box", "softmax"),
    ],
)
def test_the_distribution_follows_the_action_space_unless_it_is_set(policy: object, action: str, expected: str) -> None:
    environment = EnvironmentInfo("X-v0", "X", "X.", Space("discrete", 2), Space(action, 2))  # type: ignore[arg-type]
    assert distribution_of(policy, environment) == expected  # type: ignore[arg-type]


@EVERY_ENTRY
def test_every_entry_has_words(axis: str, entry: Entry) -> None:
    assert entry.title
    assert entry.summary.endswith(".")


@each("name", METRICS)
def test_every_metric_is_known_by_its_own_name_and_explained(name: str) -> None:
    assert METRICS[name].name == name
    assert METRICS[name].meaning.endswith(".")
