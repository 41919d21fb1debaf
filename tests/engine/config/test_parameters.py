"""Configuration: bounds, unknown keys, shorthands, and messages that a person can act on."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from pydantic import ValidationError

from engine.catalogue.methods.entries import ALGORITHMS, BASELINES, COLLECTIONS, CREDITS, POLICIES, UPDATES
from engine.catalogue.methods.picking import choose
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.estimators import FixedLengthRollouts, ValueBaseline
from engine.config.parameters import Parameter, parameters_of, parse_value, with_values
from engine.config.policies import LinearPolicy, TabularPolicy
from engine.config.updates import TRPO
from engine.config.validation import validated
from engine.runtime.errors import RequestError
from tests.each import each

DEFAULT = PolicyGradientConfig()
# Every policy and every named algorithm, and every choice of the grid once.
EVERY_CONFIG = [
    *(choose(choose(DEFAULT, policy), algorithm) for policy in POLICIES.values() for algorithm in ALGORITHMS.values()),
    *(choose(DEFAULT, entry) for axis in (COLLECTIONS, CREDITS, BASELINES, UPDATES) for entry in axis.values()),
]


def id_of(config: RunConfig) -> str:
    if not isinstance(config, PolicyGradientConfig):
        return f"{config.policy.kind}-{config.update.kind}"
    estimator = config.estimator
    return "-".join(
        (config.policy.kind, config.collection.kind, estimator.credit.kind, estimator.baseline.kind, config.update.kind)
    )


def refused(values: dict[str, Any], config: RunConfig = DEFAULT) -> str:
    with pytest.raises(RequestError) as caught:
        with_values(config, values)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith((".", "?"))
    return message


@each("config", EVERY_CONFIG, ids=id_of)
def test_every_parameter_explains_itself(config: RunConfig) -> None:
    for parameter in parameters_of(config):
        assert parameter.title
        assert parameter.title != parameter.path
        assert parameter.help.endswith(".")


@each("config", EVERY_CONFIG, ids=id_of)
def test_every_parameter_can_be_set_to_the_value_it_has(config: RunConfig) -> None:
    for parameter in parameters_of(config):
        assert with_values(config, {parameter.path: parameter.value}) == config


# Each parameter that has a bound, with a configuration that has the parameter.
BOUNDED = {
    f"{config.update.kind}:{p.path}" if p.path.startswith("update.") else p.path: (config, p)
    for config in EVERY_CONFIG
    for p in parameters_of(config)
    if p.minimum is not None or p.maximum is not None
}
WITH_BOUNDS = each(("config", "parameter"), BOUNDED.values(), ids=BOUNDED.keys())


@WITH_BOUNDS
def test_values_beyond_the_lower_bound_are_refused(config: RunConfig, parameter: Parameter) -> None:
    assert parameter.minimum is not None
    below = parameter.minimum if parameter.exclusive_minimum else parameter.minimum - 1
    assert refused({parameter.path: below}, config).startswith(f"{parameter.path} cannot be ")


@WITH_BOUNDS
def test_values_beyond_the_upper_bound_are_refused_and_the_bound_is_named(
    config: RunConfig, parameter: Parameter
) -> None:
    assert parameter.maximum is not None
    assert "at most" in refused({parameter.path: parameter.maximum * 2 + 1}, config)


@WITH_BOUNDS
def test_the_bounds_themselves_are_allowed(config: RunConfig, parameter: Parameter) -> None:
    bounds = [parameter.maximum] if parameter.exclusive_minimum else [parameter.minimum, parameter.maximum]
    for bound in bounds:
        assert bound is not None
        assert with_values(config, {parameter.path: bound})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(value: float) -> None:
    assert refused({"update.learning_rate": value}).startswith("update.learning_rate cannot be ")


def test_the_live_parameters_are_those_that_can_change_between_two_updates() -> None:
    assert {p.path for p in parameters_of(DEFAULT) if p.live} == {
        "exploration.temperature",
        "exploration.greedy_start",
        "exploration.greedy_end",
        "estimator.baseline.learning_rate",
        "estimator.baseline.fit_steps",
        "estimator.baseline.minibatch_size",
        "estimator.baseline.clip_range",
        "estimator.gamma",
        "estimator.discount_states",
        "estimator.normalize_advantages",
        "update.learning_rate",
        "update.learning_rate_schedule",
        "update.entropy_coefficient",
        "update.max_grad_norm",
        "budget.environment_steps",
    }


@each("config", EVERY_CONFIG, ids=id_of)
def test_what_is_built_once_cannot_change_while_training(config: RunConfig) -> None:
    """Networks, optimisers and environments are made before the first iteration."""
    built = {
        *("hidden_sizes", "hidden_size", "activation", "initialization", "initial_log_std", "spread", "distribution"),
        *("features", "feature_order", "optimizer", "environments", "steps", "episodes_per_update", "id", "fitted_on"),
        *("seed", "device", "initial_multiplier"),
    }
    assert not [p.path for p in parameters_of(config) if p.live and p.path.rpartition(".")[2] in built]


def test_a_parameter_shows_its_metadata() -> None:
    (rate,) = [p for p in parameters_of(DEFAULT) if p.path == "update.learning_rate"]
    assert (rate.symbol, rate.live, rate.minimum, rate.exclusive_minimum, rate.maximum) == ("α", True, 0.0, True, 100.0)
    (device,) = [p for p in parameters_of(DEFAULT) if p.path == "device"]
    assert device.choices == ("auto", "cpu", "cuda", "mps")


def test_the_kind_of_a_choice_is_no_parameter() -> None:
    assert not [p for p in parameters_of(DEFAULT) if p.path.endswith("kind")]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("policy", "linear", LinearPolicy()),
        ("policy", "tabular", TabularPolicy()),
        ("policy", {"kind": "linear", "initial_log_std": -1.0}, LinearPolicy(initial_log_std=-1.0)),
        ("collection", "fixed-length", FixedLengthRollouts()),
        ("collection", {"kind": "fixed-length", "steps": 5}, FixedLengthRollouts(steps=5)),
        ("update", "trpo", TRPO()),
    ],
)
def test_a_choice_is_replaced_by_its_kind(path: str, value: Any, expected: Any) -> None:
    assert getattr(with_values(DEFAULT, {path: value}), path) == expected


def test_an_environment_is_replaced_by_its_id() -> None:
    assert with_values(DEFAULT, {"environment": "Acrobot-v1"}).environment.id == "Acrobot-v1"


def test_a_choice_inside_a_choice_is_replaced_by_its_kind() -> None:
    changed = with_values(DEFAULT, {"estimator.baseline": "none"})
    assert changed.estimator.baseline.kind == "none"
    assert changed.estimator.gamma == DEFAULT.estimator.gamma


def test_the_configuration_given_is_left_as_it_was() -> None:
    before = DEFAULT.model_dump()
    with_values(DEFAULT, {"update.learning_rate": 0.5, "policy": "linear"})
    assert DEFAULT.model_dump() == before


def test_several_values_are_set_at_once() -> None:
    changed = with_values(DEFAULT, {"update.learning_rate": 0.5, "seed": 7})
    assert (changed.update.learning_rate, changed.seed) == (0.5, 7)


def test_a_choice_and_a_parameter_of_what_it_chose_can_be_set_together() -> None:
    """What a command line asks for with --set policy=linear --set policy.initial_log_std=-1."""
    changed = with_values(DEFAULT, {"policy": "linear", "policy.initial_log_std": -1.0})
    assert changed.policy == LinearPolicy(initial_log_std=-1.0)


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("update.learning_rat", "did you mean update.learning_rate?"),
        ("updat.learning_rate", "did you mean update?"),
        ("polcy", "did you mean policy?"),
        ("estimator.baseline.fit_step", "did you mean estimator.baseline.fit_steps?"),
        ("zzz", "there is environment, policy, exploration, collection, estimator, update, budget, seed, device, bug."),
    ],
)
def test_an_unknown_path_is_refused_with_the_nearest(path: str, hint: str) -> None:
    assert refused({path: 1}) == f"There is no parameter {path} for this choice; {hint}"


@pytest.mark.parametrize(
    "path", ["", ".", "update.", ".update", "update..learning_rate", "seed.x", "policy.hidden_sizes.0"]
)
def test_a_malformed_path_is_refused(path: str) -> None:
    assert refused({path: 1}).startswith("There is no parameter ")


@pytest.mark.parametrize("value", ["foo", 5, [1], None])
def test_options_as_a_whole_are_names_with_values(value: Any) -> None:
    assert refused({"environment.options": value}).endswith(": it should be names with values.")
    assert with_values(DEFAULT, {"environment.options": {"a": [1]}}).environment.options == {"a": (1,)}


def test_an_option_may_be_called_as_a_choice_is() -> None:
    changed = with_values(DEFAULT, {"environment.options.kind": "a", "environment.options.id": 2})
    assert changed.environment.options == {"kind": "a", "id": 2}
    assert with_values(changed, {"environment.options.kind": "b"}).environment.options == {"kind": "b", "id": 2}


@pytest.mark.parametrize("options", [{}, {"a": 1}, {"a": {"b": 1}}], ids=str)
def test_an_option_has_no_parts(options: dict[str, Any]) -> None:
    config = with_values(DEFAULT, {"environment.options": options})
    message = refused({"environment.options.a.c": 1}, config)
    assert message == (
        "There is no parameter environment.options.a.c; an option is set whole, as environment.options.NAME."
    )


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("environment.hidden", "foo", "a list"),
        ("environment.id", 5, "a text"),
        ("environment.normalize_observations", 2, "true or false"),
        ("environment", 5, "names with values"),
    ],
)
def test_what_would_be_right_is_said_in_plain_words(path: str, value: Any, words: str) -> None:
    assert refused({path: value}).endswith(f": it should be {words}.")


def test_an_unknown_kind_is_refused_with_those_there_are() -> None:
    message = refused({"policy": "transformer"})
    assert message == "policy cannot be \"transformer\"; it is one of 'tabular', 'linear', 'mlp', 'gru' or 'cnn'."


def test_a_value_of_a_fixed_few_is_refused_with_them() -> None:
    message = refused({"update.optimizer": "lion"})
    assert message == "update.optimizer cannot be \"lion\"; it is one of 'sgd', 'momentum', 'rmsprop' or 'adam'."


def test_a_value_of_the_wrong_type_is_shown() -> None:
    assert refused({"update.learning_rate": "fast"}).startswith('update.learning_rate cannot be "fast": it should be ')


def test_a_long_wrong_value_is_shortened() -> None:
    assert len(refused({"update.learning_rate": "x" * 10_000})) < 300


@each("value", [None, [], {}, 3, "nothing", [1, 2], {"kind": 3}])
@each(
    "path",
    [
        "policy",
        "exploration",
        "collection",
        "estimator",
        "estimator.credit",
        "update",
        "estimator.baseline",
        "environment",
        "budget",
    ],
)
def test_no_value_for_a_whole_choice_escapes_as_another_error(path: str, value: Any) -> None:
    try:
        with_values(DEFAULT, {path: value})
    except RequestError as error:
        assert "\n" not in str(error)  # noqa: PT017 - some of these values are no error


@pytest.mark.parametrize("sizes", [[], [0], [-1], [5000], [1.5], ["a"], [8] * 9, 64, "64", None])
def test_hidden_layers_that_make_no_network_are_refused(sizes: Any) -> None:
    assert refused({"policy.hidden_sizes": sizes}).startswith("policy.hidden_sizes")


def test_a_value_network_may_have_no_hidden_layers() -> None:
    changed = with_values(DEFAULT, {"estimator.baseline.hidden_sizes": []})
    assert changed.estimator.baseline == ValueBaseline(hidden_sizes=())


@pytest.mark.parametrize("key", ["speed", "value", "average", "linear", "none"])
def test_an_unknown_key_is_named_even_where_it_is_also_the_name_of_a_kind(key: str) -> None:
    with pytest.raises(RequestError, match=rf"There is no parameter {key}\b"):
        validated({key: 3})


def test_an_unknown_key_inside_a_choice_is_named_with_its_path() -> None:
    with pytest.raises(RequestError, match=r"^There is no parameter update\.speed for this choice\.$"):
        validated({"update": {"kind": "gradient-ascent", "speed": 3}})


def test_a_configuration_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError):
        DEFAULT.seed = 3  # type: ignore[misc]


@each("config", EVERY_CONFIG, ids=id_of)
def test_a_configuration_survives_json(config: RunConfig) -> None:
    assert validated(json.loads(config.model_dump_json())) == config


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.01", 0.01),
        ("1e3", 1000.0),
        ("16", 16),
        ("true", True),
        ("[64, 64]", [64, 64]),
        ("[]", []),
        ('"16"', "16"),
        ("linear", "linear"),
        ("CartPole-v1", "CartPole-v1"),
        ("", ""),
        ("True", "True"),
        ("9" * 5000, "9" * 5000),
    ],
    ids=lambda value: str(value)[:12],
)
def test_what_a_set_value_means(text: str, expected: Any) -> None:
    got = parse_value(text)
    assert got == expected
    assert type(got) is type(expected)
