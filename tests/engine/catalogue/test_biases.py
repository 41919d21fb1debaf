"""What is said to bias a gradient estimate appears exactly where it does."""

from __future__ import annotations

from typing import Any

import pytest

from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.biases import biases
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from tests.each import each

ENDLESS = EnvironmentInfo("Endless-v0", "X", "X.", Space("box", 2), Space("discrete", 2))
TIMED = EnvironmentInfo("Timed-v0", "X", "X.", Space("box", 2), Space("discrete", 2), time_limit=50)

STANDS_IN = "stands in for later rewards"
CUT_OFF = "Where an episode is cut off"
LATE = "Late steps weigh as much"
NORMALISED = "Normalised advantages rescale"
AVERAGE = "The average includes the very rewards"
SHORTER = "The average includes the very sample"
SHORTER_STEPS = "The average at a step includes the very sample"
OPTIMAL = "The constant is computed from the very samples"
SAME = "fitted to the very returns"
GREEDY = "off-policy ascent would weigh them rightly"
NEVER_TRIED = "where all are greedy the others are never tried"
ALL_GREEDY = "Where every action is greedy"
SELF_NORMALISED = "Self-normalised weights have a bias"
VISITED = "States count as often as the policy that acted"
CUT_RATIOS = "Ratios are cut off"
TRUNCATED = "Weights above the largest are cut down"
SHARED = "Fitting V also moves the layers"
PER_STEP = "The mean over steps divides by the number of steps"
ENTROPY = "The entropy bonus is climbed"
REUSED = "From the second update on"
CLIPPED = "Clipping shortens long gradients"
EVERYTHING = [
    *(STANDS_IN, CUT_OFF, LATE, NORMALISED, AVERAGE, SHORTER, SHORTER_STEPS, OPTIMAL, SAME),
    *(GREEDY, NEVER_TRIED, ALL_GREEDY, SELF_NORMALISED, TRUNCATED, SHARED, PER_STEP, ENTROPY, REUSED, CLIPPED),
    *(VISITED, CUT_RATIOS),
]

UNBIASED = {"estimator.credit": "reward-to-go", "estimator.baseline": "none", "estimator.discount_states": True}
TOTAL = {"estimator.credit": "total-return", "estimator.discount_states": False}
VALUE = {"estimator.baseline": "value"}
GAE = {"estimator.credit": "gae"}
OFF_POLICY = {"update": "off-policy", "update.updates_per_batch": 1}
V_TRACE = {"update.weighting": "v-trace"}
SOMETIMES = {"exploration.greedy_start": 0.5}
PROXIMAL = ("ppo-clip", "ppo-penalty", "ppo-lagrangian")


def said(values: dict[str, Any], environment: EnvironmentInfo = ENDLESS) -> set[str]:
    """The sentences for the unbiased configuration with these changes, each by the words it is known by here."""
    found = biases(with_values(PolicyGradientConfig(), UNBIASED | values), environment)
    words = [[known for known in EVERYTHING if known in sentence] for sentence in found]
    assert all(len(known) == 1 for known in words)
    assert len(found) == len(set(found))
    return {known for (known,) in words}


CASES: list[tuple[dict[str, Any], EnvironmentInfo, set[str]]] = [
    ({}, ENDLESS, set()),
    ({}, TIMED, set()),
    (TOTAL, ENDLESS, set()),
    (TOTAL, TIMED, set()),
    ({"estimator.baseline": "leave-one-out"}, TIMED, set()),
    # credit
    (VALUE, ENDLESS, set()),
    (VALUE, TIMED, {CUT_OFF}),
    (VALUE | {"collection": "fixed-length"}, ENDLESS, {CUT_OFF}),
    ({"estimator.baseline": "shared-value"}, ENDLESS, {SHARED}),
    ({"estimator.baseline": "shared-value", "estimator.baseline.coefficient": 0.0}, ENDLESS, set()),
    ({"estimator.baseline": "shared-value"}, TIMED, {CUT_OFF, SHARED}),
    (VALUE | GAE, ENDLESS, {STANDS_IN}),
    (VALUE | GAE, TIMED, {STANDS_IN}),
    (VALUE | GAE | {"estimator.credit.gae_lambda": 1.0}, ENDLESS, set()),
    (VALUE | GAE | {"estimator.credit.gae_lambda": 1.0}, TIMED, {CUT_OFF}),
    (VALUE | {"estimator.credit": "n-step"}, ENDLESS, {STANDS_IN}),
    (VALUE | {"estimator.credit": "n-step", "estimator.credit.n": 49}, TIMED, {STANDS_IN}),
    (VALUE | {"estimator.credit": "n-step", "estimator.credit.n": 50}, TIMED, {CUT_OFF}),
    (
        VALUE | {"estimator.credit": "n-step", "estimator.credit.n": 50, "collection": "fixed-length"},
        TIMED,
        {STANDS_IN},
    ),
    # how late steps count
    ({"estimator.discount_states": False}, ENDLESS, {LATE}),
    ({"estimator.discount_states": False, "estimator.gamma": 1.0}, ENDLESS, set()),
    (VALUE | GAE | {"estimator.discount_states": False}, ENDLESS, {STANDS_IN, LATE}),
    # what is done to the advantages
    ({"estimator.normalize_advantages": True}, ENDLESS, {NORMALISED}),
    ({"estimator.baseline": "average"}, ENDLESS, {AVERAGE}),
    ({"estimator.baseline": "time-average"}, ENDLESS, {SHORTER_STEPS}),
    (TOTAL | {"estimator.baseline": "average"}, ENDLESS, {SHORTER}),
    (TOTAL | {"estimator.baseline": "average", "update": "trpo"}, ENDLESS, {AVERAGE, PER_STEP}),
    (TOTAL | {"estimator.baseline": "average", "exploration.greedy_end": 0.1}, ENDLESS, {AVERAGE, GREEDY}),
    (TOTAL | {"estimator.baseline": "time-average"} | OFF_POLICY, ENDLESS, {AVERAGE}),
    ({"estimator.baseline": "optimal"}, ENDLESS, {OPTIMAL}),
    ({"estimator.baseline": "optimal", "estimator.baseline.per_parameter": True}, ENDLESS, {OPTIMAL}),
    (VALUE | {"estimator.baseline.fitted_on": "same"}, ENDLESS, {SAME}),
    (VALUE | {"estimator.baseline.fitted_on": "independent"}, ENDLESS, set()),
    # which actions are taken
    ({"exploration.temperature": 3.0}, ENDLESS, set()),
    ({"exploration.greedy_start": 0.1}, ENDLESS, {GREEDY}),
    ({"exploration.greedy_end": 0.1}, ENDLESS, {GREEDY}),
    (OFF_POLICY, ENDLESS, set()),
    (OFF_POLICY | {"exploration.greedy_start": 0.5}, ENDLESS, set()),
    (OFF_POLICY | {"exploration.greedy_start": 1.0}, ENDLESS, {ALL_GREEDY}),
    (OFF_POLICY | {"exploration.greedy_end": 1.0}, ENDLESS, {ALL_GREEDY}),
    ({"exploration.greedy_end": 1.0}, ENDLESS, {NEVER_TRIED}),
    # at first, all episodes of the policy's own weigh 1
    (OFF_POLICY | {"update.self_normalized": True}, ENDLESS, set()),
    (OFF_POLICY | {"update.truncation": 5.0}, ENDLESS, set()),
    (OFF_POLICY | {"update.truncation": 0.5}, ENDLESS, {TRUNCATED}),
    (OFF_POLICY | SOMETIMES | {"update.self_normalized": True}, ENDLESS, {SELF_NORMALISED}),
    (OFF_POLICY | SOMETIMES | {"update.truncation": 5.0}, ENDLESS, {TRUNCATED}),
    (OFF_POLICY | {"update.updates_per_batch": 2, "update.truncation": 5.0}, ENDLESS, {TRUNCATED, REUSED}),
    (OFF_POLICY | {"update.weighting": "per-trajectory"}, ENDLESS, set()),
    (OFF_POLICY | VALUE | V_TRACE, ENDLESS, set()),
    (OFF_POLICY | VALUE | V_TRACE | {"update.most_trace": 0.5}, ENDLESS, {CUT_RATIOS}),
    (OFF_POLICY | VALUE | V_TRACE | SOMETIMES, ENDLESS, {VISITED, CUT_RATIOS}),
    (OFF_POLICY | VALUE | V_TRACE | {"update.updates_per_batch": 2}, ENDLESS, {VISITED, CUT_RATIOS, REUSED}),
    (OFF_POLICY | VALUE | V_TRACE | {"update.truncation": 0.5, "update.self_normalized": True}, ENDLESS, set()),
    # where every episode is one step
    ({"estimator.discount_states": False}, ENVIRONMENTS["Bandit-v0"], set()),
    ({"estimator.discount_states": False, "update": "trpo"}, ENVIRONMENTS["Bandit-v0"], set()),
    # what the update adds
    *(({"update": rule}, TIMED, {PER_STEP}) for rule in ("natural-gradient", "trpo")),
    *(({"update": rule}, TIMED, {PER_STEP, CLIPPED}) for rule in PROXIMAL),
    *(({"update": rule, "update.max_grad_norm": 0.0}, TIMED, {PER_STEP}) for rule in PROXIMAL),
    (VALUE | {"update": "trpo", "collection": "fixed-length"}, TIMED, {CUT_OFF}),
    *((VALUE | {"update": rule, "collection": "fixed-length"}, TIMED, {CUT_OFF, CLIPPED}) for rule in PROXIMAL),
    ({"update.max_grad_norm": 1.0}, ENDLESS, {CLIPPED}),
    (OFF_POLICY | {"update.updates_per_batch": 2}, ENDLESS, {REUSED}),
    ({"update.entropy_coefficient": 0.1}, ENDLESS, {ENTROPY}),
    (OFF_POLICY | {"update.entropy_coefficient": 0.1}, ENDLESS, {ENTROPY}),
    # several at once
    (
        VALUE
        | GAE
        | {"estimator.normalize_advantages": True, "estimator.discount_states": False, "update": "ppo-clip"},
        TIMED,
        {STANDS_IN, LATE, NORMALISED, PER_STEP, CLIPPED},
    ),
    (
        {"estimator.baseline": "average", "exploration.greedy_start": 0.1, "estimator.discount_states": False},
        TIMED,
        {AVERAGE, GREEDY, LATE},
    ),
]


@each(("values", "environment", "expected"), CASES, ids=lambda x: str(x) if isinstance(x, dict) else "")
def test_a_bias_is_named_exactly_where_there_is_one(
    values: dict[str, Any], environment: EnvironmentInfo, expected: set[str]
) -> None:
    assert said(values, environment) == expected


def test_every_bias_there_is_has_a_case() -> None:
    assert set().union(*(expected for _, _, expected in CASES)) == set(EVERYTHING)


@pytest.mark.parametrize("values", [{}, {"exploration.greedy_start": 1.0}, {"update.max_grad_norm": 1.0}], ids=str)
def test_the_exact_gradient_has_none_whatever_else_is_chosen(values: dict[str, Any]) -> None:
    config = with_values(PolicyGradientConfig(), {"update": "exact-gradient"} | values)
    assert biases(config, ENDLESS) == ()


@each("algorithm", ALGORITHMS.values(), ids=lambda entry: entry.id)
@each("environment", ENVIRONMENTS.values(), ids=lambda info: info.id)
def test_every_bias_is_one_sentence(algorithm: Any, environment: EnvironmentInfo) -> None:
    for sentence in biases(choose(PolicyGradientConfig(), algorithm), environment):
        assert sentence.endswith(".")
        assert sentence.count(". ") == 0
        assert sentence[0].isupper()
