"""What steps ask of their actions' probabilities, and what came of it, against numbers computed otherwise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.analysis.pushes import moved, pushes
from engine.catalogue.methods.entries import ALGORITHMS
from engine.catalogue.methods.picking import choose
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.reports.update_events import Inspected, UpdateStep
from engine.training.training import Training

SMALL = {"environment": "Corridor-v0", "policy": "tabular", "budget.environment_steps": 1}


@pytest.mark.parametrize("algorithm", ["reinforce-average-baseline", "ppo", "trpo"])
def test_pushes_and_changes_are_those_of_the_table(algorithm: str) -> None:
    training = Training(choose(with_values(PolicyGradientConfig(), SMALL), ALGORITHMS[algorithm]))
    training.watched = True
    before = training.policy.head.rows.detach().clone().double()  # type: ignore[union-attr, operator]
    told = list(training)
    after = training.policy.head.rows.detach().clone().double()  # type: ignore[union-attr, operator]
    training.close()
    (batch,) = (event for event in told if isinstance(event, Inspected))
    last = [event for event in told if isinstance(event, UpdateStep)][-1]
    assert last.policy is not None
    found = moved(batch, last.policy, discrete=True)
    states, actions = torch.from_numpy(batch.observations), torch.from_numpy(batch.actions)
    old, new = (table.softmax(-1)[states, actions].numpy() for table in (before, after))
    assert np.array_equal(found.rows, np.arange(len(states)))
    assert np.allclose(found.change, new - old, atol=1e-5)

    def gained(table: torch.Tensor) -> np.ndarray:
        """w log π(a|s) of every step."""
        return batch.weights * table.log_softmax(-1)[states, actions].numpy()

    nudge, size = torch.zeros_like(before), 1e-6
    asked = np.zeros(len(states))
    for state, action in {(int(s), int(a)) for s, a in zip(states, actions, strict=True)}:
        nudge.zero_()[state, action] = size
        own = ((states == state) & (actions == action)).numpy()
        asked[own] = ((gained(before + nudge) - gained(before - nudge)) / (2 * size))[own]
    assert np.allclose(found.push, asked, rtol=1e-4, atol=1e-4)
    assert np.array_equal(pushes(batch, discrete=False), batch.weights.astype(np.float64))
    agrees = np.sign(new - old) == np.sign(batch.weights)
    assert found.as_asked == pytest.approx(agrees[batch.weights != 0].mean(), abs=0.02)
