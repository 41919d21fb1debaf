"""Symbols, finite differences and automatic differentiation against each other."""

from __future__ import annotations

import numpy as np
import pytest

from engine.analysis.lab.settings import Settings
from engine.analysis.lab.subject import subject_of
from engine.analysis.lab.symbolic import episodes_log10
from engine.analysis.lab.three_ways import STEPS, Of, ThreeWays, three_ways
from engine.analysis.playback import PolicySnapshot
from engine.config.policies import GRUPolicy, MLPPolicy
from engine.runtime.errors import RequestError
from tests.engine.analysis.lab.test_estimators import kept


def found(snapshot: PolicySnapshot, of: Of = "return", **settings: object) -> ThreeWays:
    *_, (share, ways) = three_ways(snapshot, Settings(gamma=1.0, **settings), of)  # type: ignore[arg-type]
    assert share == 1.0
    assert ways is not None
    return ways


def slope(errors: np.ndarray, low: float, high: float) -> float:
    """Of log error over log h."""
    inside = (low <= STEPS) & (high >= STEPS) & (errors > 0.0)
    return float(np.polyfit(np.log(STEPS[inside]), np.log(errors[inside]), 1)[0])


def test_all_three_agree_on_a_bandit_and_differences_are_off_as_theory_says() -> None:
    ways = found(kept("Bandit-v0"))
    assert ways.told == "J(θ)"
    np.testing.assert_allclose(ways.symbolic_components, ways.automatic, atol=1e-15)
    best = np.abs(ways.two_sided - ways.automatic).max(1)
    assert best.min() < 1e-10
    assert r"\frac{\partial J}{\partial \theta_{1}}" in ways.symbolic.formula
    double, single = ways.errors
    assert slope(double.one_sided, 1e-6, 1e-2) == pytest.approx(1.0, abs=0.1)
    assert slope(double.two_sided, 1e-3, 1e-1) == pytest.approx(2.0, abs=0.2)
    assert slope(double.one_sided, 1e-13, 1e-9) == pytest.approx(-1.0, abs=0.4)
    assert 1e-9 < STEPS[np.argmin(double.one_sided)] < 1e-6  # about √ε
    assert 1e-7 < STEPS[np.argmin(double.two_sided)] < 1e-3  # about ε^(1/3)
    assert double.two_sided.min() < double.one_sided.min()
    assert single.one_sided.min() > 1e3 * double.one_sided.min()
    assert single.two_sided.min() > single.automatic
    assert double.automatic < 1e-14
    assert single.automatic < 1e-5


def test_the_automatic_gradient_is_that_of_the_theorem_and_of_a_network_as_well() -> None:
    for policy in (None, MLPPolicy(hidden_sizes=(6,))):
        snapshot = kept(policy=policy)
        ways = found(snapshot, horizon=20)
        subject = subject_of(snapshot, 20)
        assert subject is not None
        theorem = subject.gradient(1.0)
        largest = np.sort(np.abs(theorem))[::-1][: len(ways.automatic)]
        np.testing.assert_allclose(np.abs(ways.automatic), largest, rtol=1e-5, atol=1e-6)
        assert ways.errors[0].two_sided.min() < 1e-7
        assert ways.symbolic.gradient is None
        assert ways.symbolic.why
    table = found(kept(), horizon=20).symbolic.why
    assert "a sum over all episodes, about 10 to the power of" in table


def test_the_score_is_written_down_and_known_of_any_policy_without_memory() -> None:
    ways = found(kept(), "log-probability")
    np.testing.assert_allclose(ways.symbolic_components, ways.automatic, atol=1e-15)
    assert r"\log \pi" in ways.symbolic.formula
    assert (ways.automatic[4:] == 0.0).all()  # of other states' parameters
    network = found(kept("CartPole-v1", MLPPolicy(hidden_sizes=(4,))), "log-probability")
    assert network.errors[0].two_sided.min() < 1e-7
    gaussian = found(kept("Pendulum-v1", MLPPolicy(hidden_sizes=(4,))), "log-probability")
    assert gaussian.errors[0].two_sided.min() < 1e-7
    with pytest.raises(RequestError, match="dynamics are no tables"):
        found(kept("CartPole-v1", MLPPolicy(hidden_sizes=(4,))))
    with pytest.raises(RequestError, match="without memory"):
        found(kept("CartPole-v1", GRUPolicy(hidden_size=4)), "log-probability")


def test_episodes_are_counted_by_states_and_actions() -> None:
    """A corridor of three squares within three steps: left or right; → → ends it. By hand: RR, LRR, RLR, RLL, LLR, LLL,
    LRL."""
    subject = subject_of(kept("Corridor-v0", length=3), 3)
    assert subject is not None
    assert 10 ** episodes_log10(subject) == pytest.approx(7.0)
    arms = subject_of(kept("Bandit-v0"))
    assert arms is not None
    assert 10 ** episodes_log10(arms) == pytest.approx(5.0)
