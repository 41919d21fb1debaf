"""What the form, the diagnostics and the histogram show of a configuration."""

from __future__ import annotations

from typing import Any

import pytest

from app.models.history import History
from app.models.relevance import clip_range, diagnosed, in_the_form, largest_weight, ratios_of
from engine.catalogue import ALGORITHMS, ENVIRONMENTS, choose
from engine.config import RunConfig
from engine.metrics import METRICS
from engine.parameters import parameters_of, with_values
from engine.phases import Change, Updated


def of(algorithm: str = "", **values: Any) -> RunConfig:
    config = choose(RunConfig(), ALGORITHMS[algorithm]) if algorithm else RunConfig()
    return with_values(config, {path.replace("__", "."): value for path, value in values.items()})


@pytest.mark.parametrize(
    ("path", "config", "environment", "shown"),
    [
        ("device", of(), "CartPole-v1", False),
        ("policy.distribution", of(), "CartPole-v1", False),
        ("policy.initial_log_std", of(), "CartPole-v1", False),
        ("policy.initial_log_std", of(), "Pendulum-v1", True),
        ("policy.spread", of(policy__distribution="tanh-gaussian"), "Pendulum-v1", True),
        ("policy.spread", of(policy__distribution="beta"), "Pendulum-v1", False),
        ("policy.feature_order", of(policy="linear"), "CartPole-v1", False),
        ("policy.feature_order", of(policy={"kind": "linear", "features": "fourier"}), "CartPole-v1", True),
        ("update.cg_iterations", of("npg"), "CartPole-v1", True),
        ("update.cg_iterations", of("npg", update__solver="exact"), "CartPole-v1", False),
        ("estimator.discount_states", of(), "CartPole-v1", True),
        ("estimator.discount_states", of(estimator__gamma=1.0), "CartPole-v1", False),
        ("estimator.gamma", of("exact-gradient"), "FrozenLake-v1", True),
        ("estimator.normalize_advantages", of("exact-gradient"), "FrozenLake-v1", False),
        ("estimator.baseline.learning_rate", of("exact-gradient"), "FrozenLake-v1", False),
        ("update.learning_rate", of("exact-gradient"), "FrozenLake-v1", True),
    ],
)
def test_the_form_shows_what_the_choice_uses(path: str, config: RunConfig, environment: str, shown: bool) -> None:
    assert path in {parameter.path for parameter in parameters_of(config)}
    assert in_the_form(path, config, ENVIRONMENTS[environment]) is shown


ALWAYS = ("loss", "entropy", "grad_norm")
LEARNED = ("explained_variance", "value_loss")


@pytest.mark.parametrize(
    ("config", "between"),
    [
        (of("reinforce"), ()),
        (of("reinforce-learned-baseline"), LEARNED),
        (of("npg"), ("approx_kl", *LEARNED)),
        (of("trpo"), ("approx_kl", "line_search", *LEARNED)),
        (of("ppo"), ("approx_kl", "clip_fraction", *LEARNED)),
        (of("ppo", estimator__baseline="shared-value"), ("approx_kl", "clip_fraction", *LEARNED)),
        (of("ppo-lagrangian"), ("approx_kl", "multiplier", *LEARNED)),
        (of("off-policy-pg"), ("effective_sample_size", "largest_weight")),
        (of("exact-gradient", update__learning_rate_schedule="linear"), ("exact_return", "learning_rate")),
    ],
    ids=["reinforce", "value", "npg", "trpo", "ppo", "shared", "lagrangian", "off-policy", "exact"],
)
def test_the_diagnostics_are_those_that_the_method_has(config: RunConfig, between: tuple[str, ...]) -> None:
    assert diagnosed(config) == (*ALWAYS, *between, "steps_per_second")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_diagnostic_is_a_metric(algorithm: str) -> None:
    assert set(diagnosed(of(algorithm))) <= set(METRICS)


@pytest.mark.parametrize(
    ("algorithm", "kind"), [("ppo", "step"), ("ppo-penalty", "step"), ("off-policy-pg", "episode"), ("trpo", None)]
)
def test_ratios_are_of_steps_or_episodes(algorithm: str, kind: str | None) -> None:
    assert ratios_of(of(algorithm)) == kind


def after(steps: int, *changes: Change) -> History:
    history = History()
    history.add_iteration(Updated(1, steps, 1, 1.0, {}, changes))
    return history


def test_the_clip_range_is_that_of_the_present_moment() -> None:
    change = Change("update.clip_range", 0.2, 0.4, 1, 0, 0, 0.0)
    assert clip_range(of("trpo"), None) is None
    assert clip_range(of("ppo"), None) == 0.2
    assert clip_range(of("ppo"), after(10, change)) == 0.4


@pytest.mark.parametrize(("schedule", "expected"), [("linear", 0.1), ("cosine", 0.1), ("constant", 0.2)])
def test_a_scheduled_clip_range_has_halved_halfway(schedule: str, expected: float) -> None:
    config = of("ppo", update__clip_range_schedule=schedule, budget__environment_steps=1000)
    assert clip_range(config, after(500)) == pytest.approx(expected)


def test_the_cut_of_weights_is_that_of_the_present_moment() -> None:
    change = Change("update.truncation", 0.0, 7.0, 1, 0, 0, 0.0)
    assert largest_weight(of("off-policy-pg"), None) == 0.0
    assert largest_weight(of("off-policy-pg"), after(10, change)) == 7.0
