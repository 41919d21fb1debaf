"""What the form, the diagnostics and the histogram show of a configuration."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.models.form_rules import in_the_form, legends
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.catalogue.methods.reported import diagnosed, ratios_of
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.parameters import parameters_of, with_values
from engine.reports.metrics import METRICS
from tests.each import each


def of(algorithm: str = "", **values: Any) -> RunConfig:
    config = choose(PolicyGradientConfig(), ALGORITHMS[algorithm]) if algorithm else PolicyGradientConfig()
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
        ("evaluation.episodes", of("exact-gradient"), "FrozenLake-v1", True),
        ("update.learning_rate", of("exact-gradient"), "FrozenLake-v1", True),
    ],
)
def test_the_form_shows_what_the_choice_uses(path: str, config: RunConfig, environment: str, shown: bool) -> None:
    assert path in {parameter.path for parameter in parameters_of(config)}
    assert in_the_form(path, config, ENVIRONMENTS[environment]) is shown


OWN = EnvironmentInfo("Own-v0", "Own", "", Space("box", 3), Space("discrete", 2))
CHANGES = ("time_limit", "sticky_actions", "reward_offset", "reward_scale", "normalize_rewards")
OF_NUMBERS = ("hidden", "observation_noise", "frame_stack", "normalize_observations")


def offered(environment: EnvironmentInfo, config: RunConfig | None = None) -> set[str]:
    """The names of the changes that the form shows."""
    config = config or of()
    paths = [parameter.path for parameter in parameters_of(config) if parameter.path.startswith("environment.")]
    return {path.removeprefix("environment.") for path in paths if in_the_form(path, config, environment)}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (ENVIRONMENTS["CartPole-v1"], {*CHANGES, *OF_NUMBERS}),
        (ENVIRONMENTS["FrozenLake-v1"], set(CHANGES)),
        (ENVIRONMENTS["Taxi-v4"], set(CHANGES)),
        (replace(ENVIRONMENTS["Taxi-v4"], finite=False), {*CHANGES, "stepping", "patience"}),
        (ENVIRONMENTS["LunarLander-v3"], {*CHANGES, *OF_NUMBERS, "stepping", "patience"}),
        (ENVIRONMENTS["CarRacing-v3"], {*CHANGES, *OF_NUMBERS, "stepping", "patience"} - {"hidden"}),
        (OWN, {*CHANGES, *OF_NUMBERS, "stepping", "patience"}),
    ],
    ids=lambda value: value.id if isinstance(value, EnvironmentInfo) else "",
)
def test_the_changes_are_those_that_mean_something(environment: EnvironmentInfo, expected: set[str]) -> None:
    assert offered(environment) == expected


def test_of_a_single_component_none_can_be_hidden() -> None:
    assert "hidden" not in offered(EnvironmentInfo("Own-v0", "Own", "", Space("box", 1), Space("discrete", 2)))


@pytest.mark.parametrize(("stepping", "shown"), [("auto", True), ("processes", True), ("in-process", False)])
def test_patience_is_for_worker_processes(stepping: str, shown: bool) -> None:
    assert ("patience" in offered(OWN, of(environment__stepping=stepping))) is shown


def test_sticky_actions_do_not_make_a_table_steppable() -> None:
    assert "stepping" not in offered(ENVIRONMENTS["FrozenLake-v1"], of(environment__sticky_actions=0.1))


@pytest.mark.parametrize(("options", "shown"), [({}, False), ({"enable_wind": True}, True)])
def test_an_option_without_its_switch_is_left_out(options: dict[str, Any], shown: bool) -> None:
    lander = ENVIRONMENTS["LunarLander-v3"]
    config = of(environment={"id": lander.id, "options": options})
    assert in_the_form("environment.options.wind_power", config, lander) is shown
    assert in_the_form("environment.options.gravity", config, lander)


def test_every_switch_is_an_option_of_some_environment() -> None:
    for switched in ("wind_power", "turbulence_power", "success_rate", "rainy_probability", "fickle_probability"):
        with_it = [info for info in ENVIRONMENTS.values() if switched in {option.name for option in info.options}]
        assert not any(in_the_form(f"environment.options.{switched}", off(info), info) for info in with_it)


def off(info: EnvironmentInfo) -> RunConfig:
    """``info`` with all its switches off."""
    switches = {option.name: False for option in info.options if isinstance(option.default, bool)}
    return of(environment={"id": info.id, "options": switches})


def test_legends_name_what_a_value_is_made_of() -> None:
    found = legends(ENVIRONMENTS["MountainCar-v0"])
    assert found["environment.hidden"] == (("0", "position"), ("1", "velocity"))
    assert found["environment.time_limit"] == (("0", "200"),)
    assert legends(OWN)["environment.hidden"][2] == ("2", "component 2")
    assert legends(OWN)["environment.time_limit"] == (("0", "none"),)
    assert dict(legends(ENVIRONMENTS["GridWorld-v0"])["environment.options.map"])["#"] == "wall"
    assert "environment.hidden" not in legends(ENVIRONMENTS["CarRacing-v3"])


ALWAYS = ("loss", "entropy", "grad_norm")
LEARNED = ("explained_variance", "value_loss")


@pytest.mark.parametrize(
    ("config", "between"),
    [
        (of("reinforce"), ()),
        (of("reinforce-learned-baseline"), LEARNED),
        (of("npg"), ("kl", *LEARNED)),
        (of("trpo"), ("kl", "line_search", *LEARNED)),
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


@each("algorithm", ALGORITHMS)
def test_every_diagnostic_is_a_metric(algorithm: str) -> None:
    assert set(diagnosed(of(algorithm))) <= set(METRICS)


@pytest.mark.parametrize(
    ("algorithm", "kind"), [("ppo", "step"), ("ppo-penalty", "step"), ("off-policy-pg", "episode"), ("trpo", None)]
)
def test_ratios_are_of_steps_or_episodes(algorithm: str, kind: str | None) -> None:
    assert ratios_of(of(algorithm)) == kind
