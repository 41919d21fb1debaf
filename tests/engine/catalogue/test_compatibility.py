"""Choices that do not fit together: each is refused in one sentence that says what would."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest

from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.methods.entries import ALGORITHMS, BASELINES, COLLECTIONS, CREDITS, POLICIES
from engine.catalogue.methods.imitated import supplied
from engine.catalogue.methods.nearest import nearest_fit
from engine.catalogue.methods.picking import choose
from engine.catalogue.methods.specs import UPDATE_SPECS
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config import ImitationConfig, PolicyGradientConfig
from engine.config.parameters import with_values
from engine.runtime.errors import RequestError
from engine.training.training import Training
from tests.each import each
from tests.engine.support import CLIMBING_ALGORITHMS

CARTPOLE, PENDULUM, BANDIT = (ENVIRONMENTS[id] for id in ("CartPole-v1", "Pendulum-v1", "Bandit-v0"))
SWITCHES = EnvironmentInfo("Switches-v0", "X", "X.", Space("box", 2), Space("multi-binary", 3))
PARTS = EnvironmentInfo("Parts-v0", "X", "X.", Space("box", 2), Space("multi-discrete", 5, parts=(2, 3)))
UNBOUNDED = EnvironmentInfo("Free-v0", "X", "X.", Space("box", 2), Space("box", 2))
MANY = EnvironmentInfo("Many-v0", "X", "X.", Space("box", 60), Space("discrete", 2))
PLACES = [CARTPOLE, PENDULUM, BANDIT, SWITCHES, PARTS, UNBOUNDED, MANY]
ONE = {"collection.episodes_per_update": 1}
FIXED_LENGTH = {"collection": "fixed-length"}
SINGLE = {"collection.environments": 1, "collection.steps": 1}
NORMALISED = {"estimator.normalize_advantages": True}
ALL_GREEDY = {"exploration.greedy_start": 1.0, "exploration.greedy_end": 1.0}
AT_ONCE = EnvironmentInfo("Once-v0", "X", "X.", Space("box", 2), Space("discrete", 2), time_limit=1)
OWN = {"estimator.baseline": "optimal", "estimator.baseline.per_parameter": True}


def refused(values: dict[str, Any], environment: EnvironmentInfo = CARTPOLE) -> str:
    reason = refusal(with_values(PolicyGradientConfig(), values), environment)
    assert reason is not None
    return str(reason)


def require_one_sentence(reason: str) -> None:
    """One line, one full stop at its end, and what to do after a semicolon."""
    assert "\n" not in reason
    assert reason.endswith(".")
    assert not re.search(r"\. [A-Z]", reason)
    assert re.match(r"[A-Z0-9]|n-step TD ", reason)
    assert "  " not in reason
    assert re.search(r"[;:,] (use|choose|try|collect|switch off|do not|or) ", reason)


def words_of(x: Any) -> str:
    return x if isinstance(x, str) else ""


EVERY_REFUSAL: list[tuple[dict[str, Any], EnvironmentInfo, str]] = [
    ({"policy": "tabular"}, CARTPOLE, "A tabular policy needs discrete states, but CartPole-v1 observes 4 continuous"),
    ({"policy": "cnn"}, CARTPOLE, "A CNN looks at images, but CartPole-v1 observes none"),
    (
        {"policy": "linear", "policy.features": "rbf"},
        BANDIT,
        "RBF features are made of continuous numbers, but Bandit-v0 has 1 discrete state;",
    ),
    ({"policy": "linear", "policy.features": "polynomial"}, MANY, "60 numbers make 39710 monomials up to degree 3"),
    (
        {"policy": "linear", "policy.features": "fourier", "policy.feature_order": 10},
        MANY,
        "60 numbers make 600 Fourier features of order 10",
    ),
    (
        {"update": "trpo", "update.solver": "exact"},
        CARTPOLE,
        "The exact solver builds a matrix of 4,610 × 4,610 numbers for this policy",
    ),
    (
        {"estimator.baseline": "optimal", "collection.episodes_per_update": 1024, "policy.hidden_sizes": [400, 400]},
        CARTPOLE,
        "The optimal baseline keeps a gradient of 163,202 numbers for each of 1,024 episodes",
    ),
    ({"policy.distribution": "softmax"}, PENDULUM, "Pendulum-v1 takes 1 continuous number; use a Gaussian policy."),
    ({"policy.distribution": "softmax"}, UNBOUNDED, "Free-v0 takes 2 continuous numbers; use a Gaussian policy."),
    ({"policy.distribution": "softmax"}, SWITCHES, "Switches-v0 takes 3 switches; use a Bernoulli policy."),
    ({"policy.distribution": "bernoulli"}, CARTPOLE, "A Bernoulli policy sets switches, but CartPole-v1 has none"),
    ({"policy.distribution": "gaussian"}, CARTPOLE, "CartPole-v1 has 2 discrete ones; use a softmax policy."),
    ({"policy.distribution": "gaussian"}, PARTS, "Parts-v0 has 2 × 3 discrete ones; use a softmax policy."),
    ({"policy.distribution": "beta"}, SWITCHES, "Switches-v0 has 3 switches; use a Bernoulli policy."),
    ({"policy.distribution": "beta"}, UNBOUNDED, "needs bounded actions, but those of Free-v0 are not"),
    ({"policy.distribution": "tanh-gaussian"}, UNBOUNDED, "needs bounded actions, but those of Free-v0 are not"),
    ({"update": "exact-gradient"}, CARTPOLE, "The exact gradient needs known dynamics with finitely many states"),
    (
        {"update": "value-iteration", "policy": "tabular"},
        CARTPOLE,
        "Value iteration needs known dynamics with finitely many states",
    ),
    ({"update": "exact-gradient", "policy": "gru"}, BANDIT, "needs a policy of the present state alone"),
    ({"update": "off-policy"} | FIXED_LENGTH, CARTPOLE, "Products of ratios weigh whole episodes"),
    ({"estimator.credit": "gae", "estimator.baseline": "average"}, CARTPOLE, "GAE lets a learned value stand in"),
    ({"estimator.credit": "n-step", "estimator.baseline": "none"}, CARTPOLE, "n-step TD lets a learned value stand in"),
    (
        {"estimator.credit": "total-return", "estimator.discount_states": True},
        CARTPOLE,
        "discounted from the episode's start already",
    ),
    ({"estimator.baseline": "shared-value", "policy": "linear"}, CARTPOLE, "has no hidden layers for V to share"),
    ({"estimator.baseline": "shared-value", "policy": "tabular"}, BANDIT, "has no hidden layers for V to share"),
    ({"estimator.baseline": "shared-value", "update": "trpo"}, CARTPOLE, "behind this rule's back"),
    ({"estimator.baseline": "shared-value", "update": "natural-gradient"}, CARTPOLE, "behind this rule's back"),
    ({"estimator.baseline": "shared-value", "update": "off-policy"}, CARTPOLE, "behind this rule's back"),
    (OWN | {"update": "trpo"}, CARTPOLE, "no single advantage per step"),
    (
        OWN | {"estimator.normalize_advantages": True},
        CARTPOLE,
        "leaves no advantages to normalise",
    ),
    ({"estimator.credit": "total-return"} | FIXED_LENGTH, CARTPOLE, "A total return needs the whole episode"),
    ({"estimator.baseline": "average"} | FIXED_LENGTH, CARTPOLE, "only a learned value can stand in for the rest"),
    ({"estimator.credit": "total-return", "estimator.baseline": "average"} | ONE, CARTPOLE, "every advantage is 0"),
    ({"estimator.baseline": "time-average"} | ONE, CARTPOLE, "every advantage is 0"),
    ({"estimator.baseline": "leave-one-out"} | ONE, CARTPOLE, "Leaving one episode out leaves none of one"),
    ({"estimator.baseline": "optimal"} | ONE, CARTPOLE, "the optimal baseline is that episode's own credit"),
    ({"estimator.credit": "reward-to-go", "estimator.baseline": "average"} | ONE, BANDIT, "that step's own reward"),
    ({"estimator.credit": "reward-to-go", "estimator.baseline": "average"} | ONE, AT_ONCE, "that step's own reward"),
    (NORMALISED | {"estimator.credit": "total-return"} | ONE, CARTPOLE, "all steps have the same credit"),
    (NORMALISED | {"estimator.baseline": "none"} | ONE, BANDIT, "no other to normalise its advantage by"),
    (NORMALISED | FIXED_LENGTH | SINGLE, CARTPOLE, "no other to normalise its advantage by"),
    ({"update": "off-policy"} | ALL_GREEDY, PENDULUM, "so every weight is 0"),
]


@each(("values", "environment", "words"), EVERY_REFUSAL, ids=lambda x: x if isinstance(x, str) else "")
def test_a_refusal_names_what_does_not_fit_in_one_sentence(
    values: dict[str, Any], environment: EnvironmentInfo, words: str
) -> None:
    reason = refused(values, environment)
    assert words in reason
    require_one_sentence(reason)


FITTING: list[tuple[dict[str, Any], EnvironmentInfo]] = [
    ({"policy": "tabular"}, BANDIT),
    ({"policy": "linear", "policy.features": "rbf"}, CARTPOLE),
    ({"policy": "linear", "policy.features": "polynomial", "policy.feature_order": 2}, MANY),
    ({"policy.distribution": "tanh-gaussian"}, PENDULUM),
    ({"policy.distribution": "beta"}, PENDULUM),
    ({"policy.distribution": "bernoulli"}, SWITCHES),
    ({"policy.distribution": "softmax"}, PARTS),
    ({"update": "exact-gradient", "evaluation.episodes": 1}, BANDIT),
    ({"update": "off-policy"} | ONE, CARTPOLE),
    ({"estimator.credit": "total-return", "estimator.discount_states": True, "estimator.gamma": 1.0}, CARTPOLE),
    ({"estimator.credit": "total-return", "estimator.baseline": "value"} | ONE, CARTPOLE),
    ({"estimator.credit": "reward-to-go", "estimator.baseline": "average"} | ONE, CARTPOLE),
    ({"estimator.baseline": "shared-value", "update": "ppo-clip"} | FIXED_LENGTH, CARTPOLE),
    ({"estimator.baseline": "optimal", "update": "trpo"}, CARTPOLE),
    (OWN | {"update": "natural-gradient"}, CARTPOLE),
    (NORMALISED | {"estimator.credit": "reward-to-go", "estimator.baseline": "none"} | ONE, CARTPOLE),
    (NORMALISED | {"estimator.credit": "total-return", "estimator.baseline": "none"}, BANDIT),
    (NORMALISED | FIXED_LENGTH | SINGLE | {"collection.steps": 2}, CARTPOLE),
    (FIXED_LENGTH | SINGLE, CARTPOLE),
    ({"update": "off-policy"} | ALL_GREEDY, CARTPOLE),
    ({"update": "off-policy"} | ALL_GREEDY | {"exploration.greedy_start": 0.0}, PENDULUM),
]


@pytest.mark.parametrize(("values", "environment"), FITTING, ids=str)
def test_what_is_nearly_the_same_but_fits_is_not_refused(values: dict[str, Any], environment: EnvironmentInfo) -> None:
    assert refusal(with_values(PolicyGradientConfig(), values), environment) is None


@pytest.mark.parametrize("update", UPDATE_SPECS)
def test_whatever_of_the_grid_is_refused_is_refused_in_one_sentence(update: str) -> None:
    reasons = set()
    for policy, collection, credit, baseline in product(POLICIES, COLLECTIONS, CREDITS, BASELINES):
        values = {"policy": policy, "collection": collection, "estimator.credit": credit, "update": update}
        config = with_values(PolicyGradientConfig(), values | {"estimator.baseline": baseline})
        few = with_values(config, ONE) if collection == "episodes" else config
        reasons |= {refusal(one, place) for one in (config, few) for place in PLACES}
    assert len(reasons - {None}) > 5
    for reason in reasons - {None}:
        assert reason is not None
        require_one_sentence(str(reason))


@each(
    ("values", "environment"),
    [(values, place) for values, place, _ in EVERY_REFUSAL if place.id in ENVIRONMENTS],
    ids=str,
)
def test_training_what_is_refused_is_refused_with_the_same_sentence(
    values: dict[str, Any], environment: EnvironmentInfo
) -> None:
    config = with_values(PolicyGradientConfig(), values | {"environment": environment.id})
    with pytest.raises(RequestError) as caught:
        Training(config)
    assert str(caught.value) == str(refusal(config, environment))


@each("environment", ENVIRONMENTS.values(), ids=lambda info: info.id)
def test_the_default_configuration_fits_every_environment(environment: EnvironmentInfo) -> None:
    assert refusal(PolicyGradientConfig(), environment) is None


@each("algorithm", [id for id in CLIMBING_ALGORITHMS if id != "exact-gradient"])
@each("environment", ENVIRONMENTS.values(), ids=lambda info: info.id)
def test_every_algorithm_fits_every_environment(environment: EnvironmentInfo, algorithm: str) -> None:
    assert refusal(choose(PolicyGradientConfig(), ALGORITHMS[algorithm]), environment) is None


@each("first", ALGORITHMS)
def test_whichever_algorithm_was_picked_before_the_next_one_fits(first: str) -> None:
    for entry in ALGORITHMS.values():
        environment = ENVIRONMENTS["Pendulum-v1"] if entry.id in ("td3", "ddpg") else BANDIT
        config = choose(choose(PolicyGradientConfig(), ALGORITHMS[first]), entry)
        if isinstance(config, ImitationConfig):  # which names nobody to learn from
            config = supplied(config, environment)
        assert refusal(config, environment) is None


@pytest.mark.parametrize("algorithm", ["sarsa", "q-learning"])
def test_where_no_table_has_room_for_the_states_the_same_is_learned_by_dqn(algorithm: str) -> None:
    table = choose(PolicyGradientConfig(), ALGORITHMS[algorithm])
    assert "use DQN" in str(refusal(table, CARTPOLE))
    nearest = nearest_fit(table, CARTPOLE)
    assert nearest is not None
    assert (nearest.update.kind, nearest.policy.kind) == ("dqn", "mlp")


@pytest.mark.parametrize(
    ("algorithm", "id", "update"),
    [
        ("td3", "CartPole-v1", "sac"),
        ("ddpg", "CartPole-v1", "sac"),
        ("q-actor-critic", "Pendulum-v1", "sac"),
        ("sac", "CartPole-v1", "sac"),
        ("sac", "Pendulum-v1", "sac"),
        ("td3", "Pendulum-v1", "td3"),
        ("q-actor-critic", "CartPole-v1", "q-actor-critic"),
    ],
)
def test_what_climbs_values_gives_way_to_sac_where_its_actions_are_of_another_kind(
    algorithm: str, id: str, update: str
) -> None:
    found = nearest_fit(choose(PolicyGradientConfig(), ALGORITHMS[algorithm]), ENVIRONMENTS[id])
    assert found is not None
    assert found.update.kind == update


def test_a_deterministic_policy_is_refused_where_actions_are_to_become_likelier() -> None:
    config = with_values(PolicyGradientConfig(), {"policy.distribution": "deterministic"})
    found = refusal(config, ENVIRONMENTS["Pendulum-v1"])
    assert found is not None
    assert found.why == "A deterministic policy has no probabilities, so nothing can be made likelier"
