"""Importance weights against closed forms, and against the same by another way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.analysis.lab import weights_lab
from engine.analysis.lab.policies import tempered, untrained
from engine.analysis.lab.settings import Settings
from engine.analysis.lab.subject import subject_of
from engine.analysis.lab.weights_lab import Weights, exact_moments, exact_returns, found_in, weights_of
from engine.analysis.playback import PolicySnapshot
from engine.config.policies import MLPPolicy
from engine.maths.importance import effective_sample_size
from engine.runtime.errors import RequestError
from tests.engine.analysis.lab.test_estimators import kept

MANY = Settings(gamma=1.0, episodes=4000, horizon=12)


def found(target: PolicySnapshot, behaviour: PolicySnapshot, settings: Settings) -> Weights:
    *_, (share, weights) = weights_of(target, behaviour, settings)
    assert share == 1.0
    assert weights is not None
    return weights


def test_on_a_bandit_the_variance_is_the_chi_squared_divergence() -> None:
    target, behaviour = kept("Bandit-v0"), untrained(kept("Bandit-v0").config, kept("Bandit-v0").environment)
    pi = torch.softmax(target.state["head.rows"].double(), -1).numpy()
    weights = found(target, behaviour, replace(MANY, episodes=20_000))
    expected = float((pi**2 / 0.2).sum()) - 1.0  # χ²(π‖μ) = Σ π²/μ − 1
    assert weights.exact_variance == pytest.approx([expected], rel=1e-6)
    assert weights.variance == pytest.approx([expected], rel=0.05)
    # For many episodes ESS / E → 1 / (1 + χ²).
    assert weights.effective[0] / 20_000 == pytest.approx(1.0 / (1.0 + expected), rel=0.03)
    for estimate in (weights.whole, weights.per_decision, weights.normalized):
        assert abs(estimate.values[0] - weights.exact[0]) < 3.0 * estimate.errors[0]


def test_the_variance_grows_exponentially_where_nothing_ends_as_in_closed_form() -> None:
    snapshot = kept("Corridor-v0", length=40)  # whose goal is out of reach
    half = {name: torch.full_like(value, 0.0) for name, value in snapshot.state.items()}
    leaning = {name: torch.tensor([0.0, 1.0]).expand_as(value).clone() for name, value in snapshot.state.items()}
    weights = found(replace(snapshot, state=leaning), replace(snapshot, state=half), MANY)
    right = 1.0 / (1.0 + np.exp(-1.0))
    per_step = (right**2 + (1.0 - right) ** 2) / 0.5
    np.testing.assert_allclose(weights.exact_variance, per_step ** np.arange(1, 13) - 1.0, rtol=1e-6)
    np.testing.assert_allclose(weights.variance, weights.exact_variance, rtol=0.25)
    growth = np.diff(np.log(weights.exact_variance + 1.0))
    np.testing.assert_allclose(growth, np.log(per_step))


def test_the_moments_are_those_of_all_trajectories_and_weighed_estimates_are_right() -> None:
    target, behaviour = kept(), tempered(kept(), 2.0)
    of, by = subject_of(target, 12), subject_of(behaviour, 12)
    assert of is not None
    assert by is not None
    weights = found(target, behaviour, MANY)
    assert weights.logs.shape == (12, 4000)
    assert exact_returns(of, 12, 1.0)[-1] == pytest.approx(of.expected_return(1.0))
    np.testing.assert_allclose(exact_moments(of, of, 12), 1.0)
    for row in (0, 5, 11):
        ess = effective_sample_size(torch.from_numpy(weights.logs[row]))
        assert weights.effective[row] == pytest.approx(ess)
    np.testing.assert_allclose(weights.variance[:6], weights.exact_variance[:6], rtol=0.2)
    assert abs(weights.whole.values[-1] - weights.exact[-1]) < 3.5 * weights.whole.errors[-1]
    assert abs(weights.per_decision.values[-1] - weights.exact[-1]) < 3.5 * weights.per_decision.errors[-1]
    # A reward is not made noisy by what is done after it.
    assert weights.per_decision.errors[-1] < weights.whole.errors[-1]
    same = found(target, target, MANY)
    np.testing.assert_allclose(same.logs, 0.0, atol=1e-12)
    assert same.effective[-1] == pytest.approx(4000)


def test_weights_of_many_steps_stay_numbers() -> None:
    weights = found_in(np.full((400, 3), 5.0), np.ones((400, 3)), 1.0)
    for numbers in (weights.effective, weights.whole.values, weights.per_decision.values):
        assert np.isfinite(numbers[:100]).all()
    assert weights.effective == pytest.approx(3.0)


def test_episodes_that_are_played_have_the_same_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights_lab, "subject_of", lambda *_: None)
    target, behaviour = kept(), tempered(kept(), 2.0)
    weights = found(target, behaviour, replace(MANY, episodes=320))
    of, by = subject_of(target, 12), subject_of(behaviour, 12)
    assert of is not None
    assert by is not None
    assert weights.exact is None
    assert weights.logs.shape == (12, 320)
    ratios = np.exp(weights.logs[0])
    assert set(np.round(ratios, 4)) <= set(np.round((of.table[0] / by.table[0]), 4))
    exact = exact_returns(of, 12, 1.0)[-1]
    assert abs(weights.per_decision.values[-1] - exact) < 3.5 * weights.per_decision.errors[-1]
    with pytest.raises(RequestError, match="different kinds"):
        found(target, kept(policy=MLPPolicy()), MANY)


def test_as_many_episodes_are_weighed_as_were_asked_for() -> None:
    snapshot = kept("CartPole-v1", MLPPolicy(hidden_sizes=(4,)))
    for episodes in (1, 50, 67, 100):
        settings = Settings(episodes=episodes, horizon=3)
        assert found(snapshot, snapshot, settings).episodes == episodes
