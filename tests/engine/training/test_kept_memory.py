"""What a run has given away shares no memory with it: later iterations leave it as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from engine.analysis.playback import snapshot
from engine.reports.events import Updated
from engine.training.training import Training
from tests.engine.states import held
from tests.engine.support import Toy, configured, register

WAYS: dict[str, dict[str, Any]] = {
    "whole episodes": {},
    "one episode": {"collection.episodes_per_update": 1},
    "fixed length": {"collection": {"kind": "fixed-length", "environments": 3, "steps": 7}},
    "one environment": {"collection": {"kind": "fixed-length", "environments": 1, "steps": 7}},
    "memory": {"policy": "gru", "collection": {"kind": "fixed-length", "environments": 3, "steps": 7}},
    "normalised": {"environment.normalize_observations": True, "environment.normalize_rewards": True},
    "off policy": {"estimator.baseline": "none", "update": "off-policy", "exploration.greedy_start": 0.5},
    "shared value": {"estimator.baseline": "shared-value", "update": "ppo-clip"},
}


# Policies with a memory do not learn for several seeds at once.
RUNS = [(way, ()) for way in WAYS] + [(way, (1, 2)) for way in WAYS if way != "memory"]


@pytest.mark.parametrize(("way", "seeds"), RUNS)
def test_what_is_given_away_stays_as_it_was(way: str, seeds: tuple[int, ...]) -> None:
    environment = register("test/Uneven-v0", Toy, lengths=(3, 5), action=spaces.Box(-1.0, 1.0, (2,)))
    training = Training(configured(environment=environment, **WAYS[way]), seeds=seeds)
    training.watched = True
    given: list[tuple[Any, Any]] = []
    updates = 0
    for event in training:
        told: list[Any] = [event]
        if isinstance(event, Updated):
            updates += 1
            told += [
                snapshot(training.policy, training.config, training.environment, 1),
                training.learner.parts.state(),
            ]
        for one in told:
            given.extend((each, each.copy() if isinstance(each, np.ndarray) else each.clone()) for each in held(one))
        if updates == 6:
            break
    training.close()
    assert len(given) > 100
    for now, then in given:
        equal = np.array_equal(now, then) if isinstance(now, np.ndarray) else torch.equal(now, then)
        assert equal
