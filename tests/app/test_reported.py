"""What the doctor is told of the runs of a window."""

from __future__ import annotations

import numpy as np

from app.models.history import History
from app.models.reported import reported
from app.models.runs import Run
from engine.catalogue.environments import ENVIRONMENTS
from engine.config import PolicyGradientConfig
from engine.config.parameters import with_values
from engine.reports.events import Collected, Updated

BATCH = 150  # episodes of an iteration, of which the longest, which return most, end last


def _run(seed: int) -> Run:
    config, history = with_values(PolicyGradientConfig(), {"seed": seed}), History()
    for iteration in (1, 2):
        ends = np.arange(BATCH) + 1 + (iteration - 1) * BATCH
        at = {"iteration": iteration, "environment_steps": int(ends[-1])}
        history.add(Collected(**at, returns=np.arange(BATCH) / 1.0, lengths=np.ones(BATCH, np.int64), ends=ends))
        history.add(Updated(iteration, environment_steps=int(ends[-1]), episodes=BATCH * iteration))
    return Run(f"run {seed}", seed, config, ENVIRONMENTS["CartPole-v1"], history)


def test_what_runs_beside_it_return_is_not_that_of_their_longest_episodes_alone() -> None:
    told = reported(_run(1), _run(1).config, others=[_run(2)])
    (other,) = told.others
    assert other.config.seed == 2
    assert other.returns.mean() == told.mean_return == (BATCH - 1) / 2
