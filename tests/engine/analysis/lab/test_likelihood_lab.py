"""The policy gradient beside maximum likelihood, on the same batch."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.analysis.lab.likelihood_lab import Compared, compare
from engine.analysis.lab.settings import Pair, Settings
from engine.analysis.playback import PolicySnapshot
from engine.config.policies import MLPPolicy
from engine.runtime.errors import RequestError
from tests.engine.analysis.lab.test_estimators import kept

AVERAGE = Pair("reward-to-go", "average")


def found(snapshot: PolicySnapshot, settings: Settings, pair: Pair = AVERAGE, divergence: float = 0.01) -> Compared:
    *_, (share, compared) = compare(snapshot, settings, pair, divergence)
    assert share == 1.0
    assert compared is not None
    return compared


def test_on_a_bandit_both_gradients_are_those_of_the_formulas() -> None:
    snapshot = kept("Bandit-v0")
    both = found(snapshot, Settings(gamma=1.0, episodes=200))
    pi = torch.softmax(snapshot.state["head.rows"][0].double(), -1).numpy()
    assert len(both.advantages) == 200
    assert both.advantages.mean() == pytest.approx(0.0, abs=1e-6)
    # 1/N Σ (e_a − π): how often each arm was pulled, less how often it is on average.
    shares = both.likelihood.gradient + pi
    np.testing.assert_allclose(shares * 200, np.round(shares * 200), atol=1e-4)
    assert shares.sum() == pytest.approx(1.0, abs=1e-6)
    assert {each.name for each in both.components} == {"arm 1", "arm 2", "arm 3", "arm 4", "arm 5"}
    for one, other in ((both.likelihood, both.gradient), (both.gradient, both.likelihood)):
        assert one.length == pytest.approx(np.linalg.norm(one.gradient))
        assert 0.5 * np.square(one.moved).mean() == pytest.approx(0.01, rel=0.03)
        assert both.cosine == pytest.approx(one.gradient @ other.gradient / one.length / other.length)


def test_of_its_own_samples_likelihood_learns_nothing_and_the_policy_gradient_climbs() -> None:
    settings = Settings(gamma=1.0, episodes=20)
    batches = [found(kept(), replace(settings, seed=seed)) for seed in range(12)]
    mean = np.mean([each.likelihood.gradient for each in batches], 0)
    apart = np.mean([each.likelihood.length for each in batches])
    assert np.linalg.norm(mean) < 0.5 * apart  # E ∇ log π = 0: what is left of 12 batches is 1/√12
    uphill = np.array([(each.likelihood.uphill, each.gradient.uphill) for each in batches])
    assert uphill[:, 1].mean() > 0.25
    assert abs(uphill[:, 0].mean()) < 0.2
    gained = np.array([(each.likelihood.reached, each.gradient.reached) for each in batches]) - batches[0].before
    assert gained[:, 1].mean() > 3.0 * abs(gained[:, 0].mean())
    # Whatever was done becomes likelier by the one, what went well by the other.
    one = batches[0]
    assert one.likelihood.moved.mean() > 0.0
    good = one.advantages > np.quantile(one.advantages, 0.8)
    assert one.gradient.moved[good].mean() > 0.0 > one.gradient.moved[~good].mean()


def test_networks_are_looked_at_as_well_and_stay_as_they_are() -> None:
    snapshot = kept("CartPole-v1", MLPPolicy(hidden_sizes=(4,)))
    both = found(snapshot, Settings(episodes=4, horizon=20))
    again = found(snapshot, Settings(episodes=4, horizon=20))
    np.testing.assert_array_equal(both.gradient.moved, again.gradient.moved)
    assert both.before is None
    assert both.gradient.uphill is None
    assert all(re.match(r"(layer \d|output) [Wb]\[\d+(,\d+)?\]$", each.name) for each in both.components)
    with pytest.raises(RequestError, match="no part of this comparison"):
        found(snapshot, Settings(), Pair("gae", "value"))
