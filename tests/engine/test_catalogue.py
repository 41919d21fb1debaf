"""What can be picked: every combination either works or says why not, and picking is found again."""

from __future__ import annotations

from itertools import product

import pytest

from engine.catalogue import (
    ALGORITHMS,
    BASELINES,
    CREDITS,
    ENVIRONMENTS,
    POLICIES,
    UPDATES,
    Entry,
    EnvironmentInfo,
    Space,
    choose,
    distribution_of,
    picked,
    refusal,
)
from engine.config import LinearPolicy, MLPPolicy, RunConfig, TabularPolicy
from engine.metrics import METRICS
from engine.parameters import with_values
from engine.training import Training
from tests.engine.support import register

AXES = {"policy": POLICIES, "credit": CREDITS, "baseline": BASELINES, "update": UPDATES, "algorithm": ALGORITHMS}
ENTRIES = [(axis, entry) for axis, entries in AXES.items() for entry in entries.values()]
STARTS = [choose(RunConfig(), policy) for policy in POLICIES.values()]
CARTPOLE = ENVIRONMENTS["CartPole-v1"]


@pytest.mark.parametrize("start", STARTS, ids=lambda c: f"{c.policy.kind}-{c.policy.distribution}")
@pytest.mark.parametrize(("axis", "entry"), ENTRIES, ids=lambda x: x if isinstance(x, str) else x.id)
def test_what_was_picked_is_found_again(axis: str, entry: Entry, start: RunConfig) -> None:
    environment = ENVIRONMENTS["Pendulum-v1"] if entry.id.endswith("gaussian") else CARTPOLE
    assert picked(choose(start, entry), AXES[axis], environment) is entry


@pytest.mark.parametrize(("axis", "entry"), ENTRIES, ids=lambda x: x if isinstance(x, str) else x.id)
def test_picking_what_is_there_already_keeps_its_parameters(axis: str, entry: Entry) -> None:
    once = choose(RunConfig(), entry)
    tuned = with_values(once, {"update.learning_rate": 0.123, "estimator.gamma": 0.5})
    assert choose(tuned, entry) == tuned


def test_an_algorithm_sets_both_axes_and_nothing_else() -> None:
    start = with_values(RunConfig(), {"policy": "linear", "estimator.gamma": 0.5, "seed": 9})
    changed = choose(start, ALGORITHMS["reinforce"])
    assert (changed.estimator.credit.kind, changed.estimator.baseline.kind) == ("total-return", "none")
    assert changed.model_copy(update={"estimator": start.estimator}) == start
    assert changed.estimator.gamma == 0.5


def test_a_point_of_the_grid_without_a_name_is_no_algorithm() -> None:
    unnamed = with_values(RunConfig(), {"estimator.credit": "total-return", "estimator.baseline": "value"})
    assert picked(unnamed, ALGORITHMS, CARTPOLE) is None


def test_no_two_algorithms_are_the_same_point() -> None:
    points = {tuple(sorted(entry.values.items())) for entry in ALGORITHMS.values()}
    assert len(points) == len(ALGORITHMS)


@pytest.mark.parametrize("environment", [*ENVIRONMENTS.values()], ids=lambda info: info.id)
def test_the_default_policy_fits_every_environment(environment: EnvironmentInfo) -> None:
    assert refusal(RunConfig(), environment) is None


def test_auto_is_found_as_the_distribution_that_it_follows() -> None:
    softmax, gaussian = POLICIES["mlp"], POLICIES["mlp-gaussian"]
    assert picked(RunConfig(), POLICIES, CARTPOLE) is softmax
    assert picked(RunConfig(), POLICIES, ENVIRONMENTS["Pendulum-v1"]) is gaussian


@pytest.mark.parametrize(
    ("policy", "action", "expected"),
    [
        (MLPPolicy(), "discrete", "softmax"),
        (MLPPolicy(), "box", "gaussian"),
        (LinearPolicy(distribution="softmax"), "box", "softmax"),
        (MLPPolicy(distribution="gaussian"), "discrete", "gaussian"),
        (TabularPolicy(), "box", "softmax"),
    ],
)
def test_the_distribution_follows_the_action_space_unless_it_is_set(policy: object, action: str, expected: str) -> None:
    environment = EnvironmentInfo("X-v0", "X", "X.", Space("discrete", 2), Space(action, 2))  # type: ignore[arg-type]
    assert distribution_of(policy, environment) == expected  # type: ignore[arg-type]


COMBINATIONS = list(product(POLICIES.values(), CREDITS.values(), BASELINES.values(), (1, 2)))
SPACES = [(o, a) for o in ("discrete", "box") for a in ("discrete", "box")]


@pytest.mark.parametrize("spaces", SPACES, ids=lambda s: "-".join(s))
def test_every_combination_works_or_has_a_reason(spaces: tuple[str, str]) -> None:
    """Those that are not refused really run an iteration."""
    from gymnasium import spaces as gym

    made = {"discrete": gym.Discrete(3), "box": gym.Box(-1.0, 1.0, (2,))}
    id = register("Tests/Combination-v0", observation=made[spaces[0]], action=made[spaces[1]])
    environment = EnvironmentInfo(
        id,
        id,
        "A test.",
        *(Space(kind, 3 if kind == "discrete" else 2) for kind in spaces),  # type: ignore[arg-type]
    )
    worked = 0
    for policy, credit, baseline, episodes in COMBINATIONS:
        config = with_values(
            RunConfig(),
            {
                "environment": id,
                "device": "cpu",
                "collection.episodes_per_update": episodes,
                "budget.environment_steps": 1,
            },
        )
        for entry in (policy, credit, baseline):
            config = choose(config, entry)
        reason = refusal(config, environment)
        if reason is None:
            training = Training(config)
            assert [type(phase).__name__ for phase in training if type(phase).__name__ != "Working"] == [
                "Collected",
                "Estimated",
                "Updated",
            ]
            training.close()
            worked += 1
        else:
            assert reason.endswith(".")
            assert "; use " in reason
    assert worked > 0


@pytest.mark.parametrize(
    ("policy", "environment", "words"),
    [
        (
            "tabular",
            "CartPole-v1",
            "A tabular policy needs discrete states, but CartPole-v1 observes 4 continuous numbers",
        ),
        ("mlp", "Pendulum-v1", "Pendulum-v1 takes 1 continuous number;"),
        ("mlp-gaussian", "CartPole-v1", "CartPole-v1 has 2 discrete ones"),
    ],
)
def test_a_refusal_names_what_does_not_fit(policy: str, environment: str, words: str) -> None:
    reason = refusal(choose(RunConfig(), POLICIES[policy]), ENVIRONMENTS[environment])
    assert reason is not None
    assert words in reason


def test_the_average_of_one_return_is_refused_as_its_own_baseline() -> None:
    config = with_values(
        RunConfig(),
        {"estimator.credit": "total-return", "estimator.baseline": "average", "collection.episodes_per_update": 1},
    )
    reason = refusal(config, CARTPOLE)
    assert reason is not None
    assert "every advantage is 0" in reason


@pytest.mark.parametrize(("axis", "entry"), ENTRIES, ids=lambda x: x if isinstance(x, str) else x.id)
def test_every_entry_has_words(axis: str, entry: Entry) -> None:
    assert entry.title
    assert entry.summary.endswith(".")


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_known_by_its_own_name_and_explained(name: str) -> None:
    assert METRICS[name].name == name
    assert METRICS[name].meaning.endswith(".")
