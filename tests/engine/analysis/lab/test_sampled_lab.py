"""Where a process is not known, the lab holds estimates against a larger batch, by training's own code."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.analysis.lab import sampled_lab
from engine.analysis.lab.comparison import Comparison
from engine.analysis.lab.estimator_lab import EstimatorLab
from engine.analysis.lab.policies import untrained
from engine.analysis.lab.settings import Pair, Settings
from engine.analysis.lab.subject import subject_of
from engine.config import presets
from engine.config.policies import GRUPolicy
from engine.runtime.errors import RequestError
from tests.engine.analysis.lab.test_estimators import TO_GO, kept

VALUE = Pair("reward-to-go", "value")


def last(told: object) -> Comparison:
    *_, (share, found) = told
    assert share == pytest.approx(1.0)
    return found


def test_a_larger_batch_stands_in_for_the_gradient_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled_lab, "LARGER", 40)
    snapshot, settings = kept(), Settings(gamma=1.0, episodes=8, batches=25, horizon=30)
    found = last(sampled_lab.compare(snapshot, settings, [TO_GO, VALUE]))
    subject = subject_of(snapshot, 30)
    assert subject is not None
    exact = subject.gradient(1.0)
    assert found.truth.episodes == 320
    assert abs(found.truth.length - float(exact @ found.truth.direction)) < 3.0 * found.truth.error
    off = found.truth.gradient - exact
    assert 0.6 < float(off @ off) / found.truth.noise < 1.5  # of some 100 parameters
    plain, less_value = found.estimates
    assert plain.unbiased
    assert less_value.variance < plain.variance
    whole, to_go = found.by_hand
    np.testing.assert_allclose(to_go.at(0.0), plain.along)
    assert whole.variance(np.zeros(1))[0] > 0.0


def test_what_is_taken_for_the_truth_is_freed_of_the_noise_that_it_has_in_common_with_itself() -> None:
    generator = np.random.default_rng(0)
    gradient = np.r_[1.0, np.zeros(399)]
    lengths, ratios = [], []
    for _ in range(200):
        truth = sampled_lab.truth_of(gradient + generator.normal(0.0, 0.5, (100, 400)), 1)
        lengths.append(truth.length)
        ratios.append(gradient @ truth.direction)
    assert np.mean(lengths) == pytest.approx(np.mean(ratios), abs=0.01)
    assert np.mean(ratios) < 0.8  # noise across as long as the gradient itself turns it


def test_any_policy_in_any_environment_can_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled_lab, "LARGER", 3)
    snapshot = kept("CartPole-v1", GRUPolicy(hidden_size=4))
    settings = Settings(episodes=2, batches=2, horizon=12, added=0.5)
    pairs = [TO_GO, Pair("gae", "value"), Pair("total-return", "optimal, per parameter")]
    found = last(EstimatorLab().compare(snapshot, settings, pairs))
    assert [len(each.along) for each in found.estimates] == [2, 2, 2]
    assert all(np.isfinite(each.along).all() for each in found.estimates)
    sarsa = presets.shipped()["grid-world-sarsa"].config
    with pytest.raises(RequestError, match="no probabilities"):
        untrained(sarsa, snapshot.environment)
    with pytest.raises(RequestError, match="no probabilities"):
        last(EstimatorLab().compare(replace(snapshot, epsilon=0.1), settings, pairs))
    with pytest.raises(RequestError, match="V fit to other episodes"):
        last(EstimatorLab().compare(snapshot, Settings(value="exact", batches=1), pairs))


def test_the_gradient_is_found_once_for_all_estimators_of_a_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What changes it or V has it found anew, what only estimates otherwise has not."""
    monkeypatch.setattr(sampled_lab, "LARGER", 2)
    times, truth = [], sampled_lab._truth
    monkeypatch.setattr(sampled_lab, "_truth", lambda *given: (times.append(1), truth(*given))[1])
    lab, snapshot = EstimatorLab(), kept("CartPole-v1", GRUPolicy(hidden_size=4))
    settings = Settings(episodes=2, batches=1, horizon=5)
    first = last(lab.compare(snapshot, settings, [TO_GO]))
    for others in ({"gae_lambda": 0.5}, {"n": 2}, {"batches": 2}, {"discount_states": True}):
        found = last(lab.compare(snapshot, replace(settings, **others), [VALUE]))
        np.testing.assert_array_equal(found.truth.gradient, first.truth.gradient)
        assert len(times) == 1, others
    anew = ({"gamma": 0.5}, {"episodes": 3}, {"horizon": 6}, {"added": 1.0}, {"objective": "discounted"}, {"seed": 2})
    for number, others in enumerate(anew, 2):
        last(lab.compare(snapshot, replace(settings, **others), [TO_GO]))
        assert len(times) == number, others
    # A policy that is loaded once more is the same, one with other parameters or at another temperature is not.
    state = {name: values.clone() for name, values in snapshot.state.items()}
    last(lab.compare(replace(snapshot, state=state, iteration=3), replace(settings, seed=2), [TO_GO]))
    assert len(times) == len(anew) + 1
    moved = {**state, next(iter(state)): state[next(iter(state))] + 1e-6}
    for number, other in enumerate((replace(snapshot, state=moved), replace(snapshot, temperature=2.0)), 2):
        last(lab.compare(other, replace(settings, seed=2), [TO_GO]))
        assert len(times) == len(anew) + number
