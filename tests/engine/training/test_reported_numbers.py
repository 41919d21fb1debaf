"""What a run reports of its returns and of its value function."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.reports.events import Estimated, Updated
from engine.training.totals import MEAN_OVER
from engine.training.training import Training
from tests.engine.support import collections_of, configured, register, updates_of

# --- mean return ------------------------------------------------------------------------------------------------------


def test_the_mean_return_covers_all_episodes_while_they_are_fewer_than_100() -> None:
    config = configured(budget__environment_steps=400)
    seen: list[float] = []
    for collected, update in zip(collections_of(config), updates_of(config), strict=True):
        seen.extend(collected.returns.tolist())
        assert len(seen) < MEAN_OVER
        assert update.metrics["mean_return"] == pytest.approx(sum(seen) / len(seen))


def test_the_mean_return_forgets_all_but_the_last_100_episodes() -> None:
    id = register("Tests/Counted-v0", lengths=(*([1] * 30), *([2] * 30)))
    config = configured(environment=id, collection__episodes_per_update=4, budget__environment_steps=360)
    last = updates_of(config)[-1]
    assert last.episodes == 240
    assert last.metrics["mean_return"] == pytest.approx(2.0)


def test_the_mean_return_is_of_raw_rewards_undiscounted() -> None:
    id = register("Tests/Raw-v0", lengths=(3,), reward=7.0)
    update = updates_of(configured(environment=id, estimator__gamma=0.0, estimator__normalize_advantages=True))[0]
    assert update.metrics["mean_return"] == 21.0


def test_the_mean_return_of_a_large_batch_is_no_mean_of_its_longest_episodes() -> None:
    """300 episodes end within one iteration; if the 100 that end last are averaged, only the longest count."""
    config = configured(collection__episodes_per_update=300, budget__environment_steps=1)
    collected, update = collections_of(config)[0], updates_of(config)[0]
    error = collected.returns.std() / math.sqrt(100)
    assert update.metrics["mean_return"] == pytest.approx(collected.returns.mean(), abs=4.0 * error)


def test_the_mean_return_is_not_swayed_by_which_episodes_of_the_iteration_before_were_long() -> None:
    """60 episodes an iteration, of 1 or 9 steps each: 40 of the iteration before still count, a fair 40."""
    id = register("Tests/Swayed-v0", lengths=(1, 9), shuffled=True)
    config = configured(environment=id, collection__episodes_per_update=60, budget__environment_steps=400)
    last = updates_of(config)[1]
    assert last.episodes == 120
    everything = np.concatenate([collected.returns for collected in collections_of(config)])[:120]
    assert last.metrics["mean_return"] == pytest.approx(everything.mean(), abs=0.5)


# --- explained variance and the fit -----------------------------------------------------------------------------------


def test_explained_variance_is_of_the_values_before_the_fit() -> None:
    """However long the first fit lasts, what it started from is the same."""
    little, much = (updates_of(configured(estimator__baseline__fit_steps=steps))[0] for steps in (1, 200))
    assert little.metrics["explained_variance"] == much.metrics["explained_variance"]
    assert little.metrics["value_loss"] != much.metrics["value_loss"]


def test_fitting_lowers_the_value_loss() -> None:
    little, much = (updates_of(configured(estimator__baseline__fit_steps=steps))[0] for steps in (1, 200))
    assert much.metrics["value_loss"] < 0.5 * little.metrics["value_loss"]  # type: ignore[operator]


def test_the_value_loss_is_that_of_the_last_fitting_step() -> None:
    """As metrics.py words it: with a single fitting step it is the loss of the values before."""
    training = Training(configured(estimator__baseline__fit_steps=1, estimator__baseline__learning_rate=0.1))
    before = None
    for event in training:
        if isinstance(event, Estimated):
            before = float(np.square(event.advantages).mean())  # Â = G − V, so its mean square is the loss before
        if isinstance(event, Updated):
            assert event.metrics["value_loss"] == pytest.approx(before, rel=1e-5)
            return
