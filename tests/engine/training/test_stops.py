"""Inside a watched iteration of every algorithm of the policy gradient there is something to stop at, in the order of
the work; and the run is the same as one that nobody watches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.reports.events import Collected, EpisodeEnded, Event, Heartbeat, Updated
from engine.reports.update_events import Inspected, LineSearchTry, TrustRegion, UpdateStep
from engine.training.training import Training

SMALL = {"environment": "Corridor-v0", "policy": "tabular", "budget.environment_steps": 1}
ESTIMATED = [
    name
    for name, entry in ALGORITHMS.items()
    if isinstance(choose(with_values(PolicyGradientConfig(), SMALL), entry), PolicyGradientConfig)
]
ORDER = (EpisodeEnded, Collected, Inspected, TrustRegion, LineSearchTry, UpdateStep, Updated)


def iteration_of(algorithm: str, *, watched: bool, **values: Any) -> tuple[list[Event], list[float]]:
    """All that the first iteration tells, and the parameters after it."""
    config = with_values(choose(with_values(PolicyGradientConfig(), SMALL), ALGORITHMS[algorithm]), values)
    training = Training(config)
    training.watched = watched
    told = [event for event in training if not isinstance(event, Heartbeat)]
    parameters = [value for tensor in training.policy.state_dict().values() for value in tensor.flatten().tolist()]
    training.close()
    return told, parameters


@pytest.mark.parametrize("algorithm", ESTIMATED)
def test_a_watched_iteration_has_its_stops_in_order_and_is_the_same(algorithm: str) -> None:
    told, watched = iteration_of(algorithm, watched=True)
    plain, alone = iteration_of(algorithm, watched=False)
    assert watched == alone
    kinds = [type(event) for event in told if isinstance(event, ORDER)]
    assert kinds == sorted(kinds, key=ORDER.index)
    assert {Collected, Inspected, UpdateStep, Updated} <= set(kinds)
    assert kinds.count(EpisodeEnded) == sum(len(event.returns) for event in told if isinstance(event, Collected))
    assert ({TrustRegion} <= set(kinds)) == (algorithm in ("npg", "trpo"))
    assert ({LineSearchTry} <= set(kinds)) == (algorithm == "trpo")
    assert not any(isinstance(event, EpisodeEnded | Inspected | UpdateStep) for event in plain)


@pytest.mark.parametrize("algorithm", ["reinforce", "ppo"])
def test_every_episode_that_is_collected_is_told_as_it_ends(algorithm: str) -> None:
    fixed = {} if algorithm == "reinforce" else {"collection.steps": 64, "collection.environments": 2}
    told, _ = iteration_of(algorithm, watched=True, **fixed)
    ended = [event for event in told if isinstance(event, EpisodeEnded)]
    (collected,) = (event for event in told if isinstance(event, Collected))
    assert sorted(event.total for event in ended) == sorted(collected.returns.tolist())
    assert sorted(event.length for event in ended) == sorted(collected.lengths.tolist())
    assert all(event.total == pytest.approx(event.rewards.sum(), abs=1e-5) for event in ended)
    assert all(len(event.rewards) == event.length for event in ended)
    taken = [event.environment_steps for event in ended]
    assert taken == sorted(taken)
    assert taken[-1] <= collected.environment_steps
    assert np.isin([event.environment for event in ended], range(16)).all()
