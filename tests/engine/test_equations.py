"""The equation shows exactly what is configured."""

from __future__ import annotations

from typing import Any

import pytest

from engine.catalogue import ENVIRONMENTS, POLICIES, choose
from engine.config import RunConfig
from engine.equations import equation
from engine.parameters import with_values

CARTPOLE = ENVIRONMENTS["CartPole-v1"]


def latex(values: dict[str, Any], environment: str = "CartPole-v1", part: str | None = None) -> str:
    lines = equation(with_values(RunConfig(), values), ENVIRONMENTS[environment])
    return " ".join(term.latex for line in lines for term in line if part is None or term.part == part)


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
        ("reward-to-go", "value", r"V_{\phi}(s_{i,t})"),
        ("total-return", "value", r"V_{\phi}(s_{i,0})"),
    ],
)
def test_the_baseline_is_the_configured_one(credit: str, baseline: str, expected: str) -> None:
    assert latex({"estimator.credit": credit, "estimator.baseline": baseline}, part="baseline") == expected


@pytest.mark.parametrize(("coefficient", "shown"), [(0.0, False), (0.01, True)])
def test_the_entropy_bonus_is_shown_where_it_counts(coefficient: float, shown: bool) -> None:
    assert (r"\beta" in latex({"update.entropy_coefficient": coefficient})) is shown


def test_normalisation_and_clipping_are_shown_where_they_happen() -> None:
    plain = latex({})
    assert "std" not in plain
    assert "clip" not in plain
    assert "std" in latex({"estimator.normalize_advantages": True})
    assert "clip" in latex({"update.max_grad_norm": 1.0}, part="update")


def test_the_optimiser_is_shown() -> None:
    assert "Adam" in latex({"update.optimizer": "adam"}, part="update")
    assert "Adam" not in latex({"update.optimizer": "sgd"}, part="update")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("policy", POLICIES)
def test_brackets_and_environments_are_closed(policy: str, environment: str) -> None:
    for line in equation(choose(RunConfig(), POLICIES[policy]), ENVIRONMENTS[environment]):
        text = "".join(term.latex for term in line)
        assert text.count("{") == text.count("}")
        assert text.count("(") == text.count(")")


def test_only_what_changed_changes_in_the_equation() -> None:
    before = equation(with_values(RunConfig(), {"estimator.baseline": "average"}), CARTPOLE)
    after = equation(with_values(RunConfig(), {"estimator.baseline": "value"}), CARTPOLE)
    differing = {
        new.part
        for line, other in zip(before, after, strict=True)
        for _, new in zip(line, other, strict=True)
        if _ != new
    }
    assert differing == {"baseline"}
