"""The equation shows exactly what is configured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.methods.entries import ALGORITHMS, BASELINES, COLLECTIONS, CREDITS, POLICIES, UPDATES
from engine.catalogue.methods.picking import choose
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config import PlanningConfig, PolicyGradientConfig, RunConfig
from engine.config.parameters import with_values
from engine.equations import Line, equation
from tests.each import each
from tests.engine.support import CLIMBING

CARTPOLE, PENDULUM, LAKE = (ENVIRONMENTS[id] for id in ("CartPole-v1", "Pendulum-v1", "FrozenLake-v1"))


def configured(values: dict[str, Any], algorithm: str = "") -> RunConfig:
    config = choose(PolicyGradientConfig(), ALGORITHMS[algorithm]) if algorithm else PolicyGradientConfig()
    return with_values(config, values)


def latex(
    values: dict[str, Any], algorithm: str = "", environment: EnvironmentInfo = CARTPOLE, part: str | None = None
) -> str:
    lines = equation(configured(values, algorithm), environment)
    return " ".join(term.latex for line in lines for term in line if part is None or term.part == part)


def acting(space: Space) -> EnvironmentInfo:
    return replace(CARTPOLE, action=space)


# --- the estimator ----------------------------------------------------------------------------------------------------


def test_a_discount_of_1_is_not_written() -> None:
    assert r"\gamma" not in latex({"estimator.gamma": 1.0})
    assert r"\gamma" in latex({"estimator.gamma": 0.99})


def test_causality_starts_the_sum_at_the_present_step() -> None:
    assert "t'=t" in latex({"estimator.credit": "reward-to-go"}, part="credit")
    assert "t'=0" in latex({"estimator.credit": "total-return"}, part="credit")


@pytest.mark.parametrize(
    ("credit", "baseline", "expected"),
    [
        ("reward-to-go", "none", ""),
        ("reward-to-go", "average", r"\bar{G}"),
        ("total-return", "average", r"\bar{R}"),
        ("reward-to-go", "time-average", r"\bar{G}_{t}"),
        ("total-return", "time-average", r"\bar{R}_{t}"),
        ("reward-to-go", "leave-one-out", r"\frac{1}{N - 1} \sum_{j \neq i} \bar{G}_j"),
        ("total-return", "leave-one-out", r"\frac{1}{N - 1} \sum_{j \neq i} R_j"),
    ],
)
def test_the_baseline_is_the_configured_one(credit: str, baseline: str, expected: str) -> None:
    assert latex({"estimator.credit": credit, "estimator.baseline": baseline}, part="baseline") == expected


@pytest.mark.parametrize(("credit", "state"), [("reward-to-go", "s_{i,t}"), ("total-return", "s_{i,0}")])
def test_a_learned_value_stands_for_the_state_that_credit_is_counted_from(credit: str, state: str) -> None:
    assert latex({"estimator.credit": credit}, part="baseline").startswith(rf"V_{{\phi}}({state})")


def test_the_optimal_baseline_weighs_returns_by_squared_scores() -> None:
    own = {"estimator.baseline": "optimal", "estimator.baseline.per_parameter": True}
    for_each = latex({"estimator.credit": "total-return"} | own, part="baseline")
    assert r"b_k = \frac{\sum_{i} g_{i,k}^2 \, R_i}{\sum_{i} g_{i,k}^2}" in for_each
    pooled = {"estimator.baseline": "optimal", "estimator.baseline.per_parameter": False}
    assert r"b = \frac{\sum_{i,k} g_{i,k} \, x_{i,k}}{\sum_{i,k} g_{i,k}^2}" in latex(pooled, part="baseline")


def test_n_steps_end_in_the_learned_value() -> None:
    several = latex({"estimator.credit": "n-step"})
    assert r"t+n-1" in several
    assert r"\gamma^{n} \,  V_{\phi}(s_{i,t+n})" in several
    one = latex({"estimator.credit": {"kind": "n-step", "n": 1}})
    assert r"\gamma \,  V_{\phi}(s_{i,t+1})" in one
    assert "t'=t" not in one


def test_gae_sums_errors_which_are_defined() -> None:
    gae = latex({"estimator.credit": "gae"})
    assert r"(\gamma\lambda)^{t'-t}" in gae
    assert r"\delta_{i,t} = " in gae
    undiscounted = latex({"estimator.credit": "gae", "estimator.gamma": 1.0})
    assert r"\lambda^{t'-t}" in undiscounted


def test_a_shared_value_has_the_policys_parameters_and_joins_its_objective() -> None:
    shared = latex({"estimator.baseline": "shared-value"}, "ppo", part="baseline")
    assert r"V_{\phi}" not in shared
    assert r"c_V \,  L_V" in shared


@pytest.mark.parametrize(("fitted_on", "first"), [("previous", False), ("same", True), ("independent", True)])
def test_a_value_is_fitted_before_the_advantage_or_after_the_update(fitted_on: str, first: bool) -> None:
    lines = equation(configured({"estimator.baseline.fitted_on": fitted_on}), CARTPOLE)
    starts = [line[0].latex for line in lines]
    fit = next(index for index, start in enumerate(starts) if start.startswith(r"\min_{\phi}"))
    advantage = next(index for index, start in enumerate(starts) if start.startswith(r"\hat{A}"))
    assert (fit < advantage) is first
    assert (r"\tilde{G}" in latex({"estimator.baseline.fitted_on": fitted_on})) is (fitted_on == "independent")


def test_value_clipping_is_shown_where_it_happens() -> None:
    assert r"\varepsilon_V" not in latex({})
    assert r"\varepsilon_V" in latex({"estimator.baseline.clip_range": 0.2}, part="baseline")


def test_states_weighed_by_their_time_have_its_discount_in_front() -> None:
    weighted = {"estimator.discount_states": True}
    assert r"\gamma^{t} \," in latex(weighted, part="credit")
    assert r"\gamma^{t} \," not in latex({})
    assert r"\gamma^{t} \," not in latex(weighted | {"estimator.gamma": 1.0})


def test_fixed_length_rollouts_bootstrap_and_average_over_all_their_steps() -> None:
    cut = latex({"collection": "fixed-length"})
    assert r"\gamma^{T-t} \, V_{\phi}(s_{i,T})" in cut
    assert r"\frac{1}{N T}" in cut
    assert r"\frac{1}{N} \sum_{i=1}^{N} \sum_{t=0}^{T_i - 1}" in latex({})


# --- the update -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("coefficient", "shown"), [(0.0, False), (0.01, True)])
def test_the_entropy_bonus_is_shown_where_it_counts(coefficient: float, shown: bool) -> None:
    assert (r"\beta" in latex({"update.entropy_coefficient": coefficient})) is shown


def test_normalisation_and_clipping_are_shown_where_they_happen() -> None:
    plain = latex({})
    assert "std" not in plain
    assert "clip" not in plain
    assert "std" in latex({"estimator.normalize_advantages": True})
    assert "clip" in latex({"update.max_grad_norm": 1.0}, part="update")


@pytest.mark.parametrize(
    ("optimizer", "shown"), [("adam", "Adam"), ("rmsprop", "RMSprop"), ("momentum", r"m \leftarrow 0.9 \, m")]
)
def test_the_optimiser_is_shown(optimizer: str, shown: str) -> None:
    assert shown in latex({"update.optimizer": optimizer}, part="update")
    assert shown not in latex({"update.optimizer": "sgd"}, part="update")


def test_a_schedule_counts_the_updates() -> None:
    assert r"\alpha_k" in latex({"update.learning_rate_schedule": "linear"})
    assert r"\varepsilon_k" in latex({"update.clip_range_schedule": "cosine"}, "ppo")


@pytest.mark.parametrize(
    ("algorithm", "values", "pieces"),
    [
        ("npg", {}, (r"F^{-1} \hat{g}", r"\min(\alpha", r"\frac{1}{M}", r"\xi I")),
        ("trpo", {}, (r"\max_{\theta} L(\theta)", r"\parallel \pi_{\theta}) \leq \delta")),
        ("ppo", {}, (r"\min(\rho_{i,t} \,", r"1 - \varepsilon, 1 + \varepsilon", r"\frac{1}{N T}")),
        ("ppo", {"collection": "episodes"}, (r"\frac{1}{M}",)),
        ("ppo-penalty", {}, (r"- \; \lambda \, \mathrm{KL}(\pi_{\mathrm{old}}(\cdot",)),
        ("ppo-penalty", {"update.form": "single-sample"}, (r"+ \; \lambda \log",)),
        ("ppo-lagrangian", {}, (r"- \; \lambda \, \mathrm{KL}(\pi_{\theta}(\cdot", r"\lambda \leftarrow \max(0")),
        ("off-policy-pg", {}, (r"\, w_{i,t'} \, r_{i,t'}", r"\prod_{k=0}^{t}", r"\frac{1}{N} \sum")),
        ("off-policy-pg", {"update.weighting": "per-trajectory"}, (r"w_i \,", r"\prod_{k=0}^{T_i - 1}")),
        ("off-policy-pg", {"update.truncation": 9.0}, (r"\min(c",)),
        ("off-policy-pg", {"update.self_normalized": True}, (r"\sum_j w_{j,t}",)),
    ],
)  # fmt: skip
def test_each_rule_climbs_what_it_is_named_for(algorithm: str, values: dict[str, Any], pieces: tuple[str, ...]) -> None:
    shown = latex(values, algorithm)
    assert [piece for piece in pieces if piece not in shown] == []


def test_a_natural_gradient_without_a_longest_step_has_none() -> None:
    assert r"\sqrt" not in latex({"update.max_kl": 0.0}, "npg")


def test_self_normalised_trajectories_are_divided_by_their_weights() -> None:
    values = {"update.weighting": "per-trajectory", "update.self_normalized": True}
    assert r"\frac{1}{\sum_j w_j}" in latex(values, "off-policy-pg")


def test_weights_compare_with_what_really_acted() -> None:
    assert r"\mu(a_{i,k}" not in latex({}, "off-policy-pg")
    assert r"\mu(a_{i,k}" in latex({"exploration.greedy_start": 0.5}, "off-policy-pg")


def test_the_exact_gradient_estimates_nothing() -> None:
    shown = latex({}, "exact-gradient", LAKE)
    assert r"d(s) \sum_a" in shown
    assert r"\hat{" not in shown
    assert r"\sum_{i=1}" not in shown


# --- the policy -------------------------------------------------------------------------------------------------------

BOX = Space("box", 2, bounds=((-1.0, 1.0),))


@pytest.mark.parametrize(
    ("space", "values", "pieces"),
    [
        (CARTPOLE.action, {"policy": "tabular"}, (r"\exp (\theta_{s, a})",)),
        (CARTPOLE.action, {"policy": "linear"}, (r"(W s + b)_{a}",)),
        (CARTPOLE.action, {"policy": "linear", "policy.features": "rbf"}, (r"(W \mathbf{x}(s) + b)_{a}",)),
        (CARTPOLE.action, {"policy": "gru"}, (r"h_t = \mathrm{GRU}", r"\pi_{\theta}(a_{i,t} \mid h_{i,t})")),
        (CARTPOLE.action, {"policy": "cnn"}, (r"\mathrm{CNN}",)),
        (Space("multi-discrete", 5, parts=(2, 3)), {}, (r"\prod_{j=1}^{2}", "_{j, a_j}")),
        (Space("multi-binary", 4), {}, (r"\prod_{j=1}^{4} \, p_j^{a_j}", r"\mathrm{sigmoid}")),
        (PENDULUM.action, {}, (r"\mathcal{N}(a; c + w \, \mathrm{MLP}", r"w^2 \, \sigma^2", r"c = \frac{a_{\min} +")),
        (PENDULUM.action, {"policy": "linear"}, (r"c + w \, (W s + b)",)),
        (BOX, {}, (r"\mathrm{diag}(\sigma^2)",)),
        (BOX, {"policy.spread": "per-state"}, (r"\sigma_{\theta}^2(s)", r"\log \, \sigma_{\theta}(s) = ")),
        (BOX, {"policy.distribution": "tanh-gaussian"}, (r"\log \left| \frac{\partial a_j}", r"\tanh u")),
        (BOX, {"policy.distribution": "beta"}, (r"\prod_j", r"\mathrm{Beta}(x_j", r"\mathrm{softplus}")),
    ],
)  # fmt: skip
def test_the_policy_is_written_out(space: Space, values: dict[str, Any], pieces: tuple[str, ...]) -> None:
    shown = latex(values, environment=acting(space), part="policy")
    assert [piece for piece in pieces if piece not in shown] == []


@pytest.mark.parametrize("bounds", [(), ((-1.0, 1.0),)])
def test_a_gaussian_that_is_not_scaled_says_nothing_of_bounds(bounds: tuple[tuple[float, float], ...]) -> None:
    assert "w" not in latex({}, environment=acting(Space("box", 1, bounds=bounds)), part="policy")


@pytest.mark.parametrize("distribution", ["gaussian", "tanh-gaussian", "beta", "softmax"])
def test_a_temperature_other_than_1_is_shown(distribution: str) -> None:
    environment = CARTPOLE if distribution == "softmax" else PENDULUM
    values = {"policy.distribution": distribution}
    assert r"\tau" not in latex(values, environment=environment)
    assert r"\tau" in latex(values | {"exploration.temperature": 2.0}, environment=environment, part="policy")


def test_greedy_actions_are_shown_where_there_are_some() -> None:
    assert r"\kappa" not in latex({})
    assert r"(1 - \kappa)" in latex({"exploration.greedy_end": 0.1}, part="policy")


# --- all of it --------------------------------------------------------------------------------------------------------

KINDS = (COLLECTIONS, CREDITS, BASELINES, {kind: UPDATES[kind] for kind in CLIMBING})
SPACES = (CARTPOLE.action, PENDULUM.action, BOX, Space("multi-discrete", 5, parts=(2, 3)), Space("multi-binary", 4))


def the_grid() -> Iterator[RunConfig]:
    """Every point of the grid that can be trained."""
    yield choose(PolicyGradientConfig(), UPDATES["exact-gradient"])
    for entries in product(*(kind.values() for kind in KINDS)):
        config: RunConfig = PolicyGradientConfig()
        for entry in entries:
            config = choose(config, entry)
        if isinstance(config, PlanningConfig):
            continue
        if config.estimator.baseline.kind == "optimal":
            config = with_values(config, {"estimator.baseline.per_parameter": False})
        if refusal(config, CARTPOLE) is None:
            yield config


def closed(line: Line) -> bool:
    text = "".join(term.latex for term in line)
    return all(text.count(start) == text.count(end) for start, end in ("{}", "()")) and all(
        term.latex.count("{") == term.latex.count("}") for term in line
    )


def test_every_point_of_the_grid_has_an_equation_with_closed_brackets() -> None:
    configs = list(the_grid())
    assert len(configs) > 60
    assert all(closed(line) for config in configs for line in equation(config, CARTPOLE))


@each("space", SPACES, ids=str)
@each("policy", POLICIES)
def test_every_policy_has_an_equation_with_closed_brackets(policy: str, space: Space) -> None:
    config = with_values(choose(PolicyGradientConfig(), POLICIES[policy]), {"exploration.temperature": 2.0})
    assert all(closed(line) for line in equation(config, acting(space)))


def terms(values: dict[str, Any], algorithm: str = "") -> Counter[Any]:
    return Counter(term for line in equation(configured(values, algorithm), CARTPOLE) for term in line)


@pytest.mark.parametrize(
    ("algorithm", "before", "after", "parts"),
    [
        ("", {"estimator.baseline": "average"}, {"estimator.baseline": "leave-one-out"}, {"baseline"}),
        ("", {"estimator.baseline": "average"}, {"estimator.baseline": "value"}, {"baseline"}),
        ("vpg", {}, {"estimator.baseline": "shared-value"}, {"baseline"}),
        ("", {"estimator.credit": "reward-to-go"}, {"estimator.credit": "total-return"}, {"credit", "baseline"}),
        ("", {"policy": "mlp"}, {"policy": "linear"}, {"policy"}),
        ("", {}, {"exploration.temperature": 2.0}, {"policy"}),
        ("", {}, {"update.optimizer": "sgd"}, {"update"}),
        ("ppo", {}, {"update.clip_range_schedule": "linear"}, {"update"}),
        ("ppo", {}, {"estimator.discount_states": True}, {"credit"}),
        ("off-policy-pg", {}, {"update.truncation": 5.0}, {"update"}),
    ],
)  # fmt: skip
def test_only_what_changed_changes_in_the_equation(
    algorithm: str, before: dict[str, Any], after: dict[str, Any], parts: set[str]
) -> None:
    old, new = terms(before, algorithm), terms(after, algorithm)
    changed = {term.part for term in (old - new) + (new - old)}
    assert changed == parts
