"""What errors cost by horizon, measured: as the process says where that is exact, and no further than is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.analysis.horizon_cost import cost_by_horizon
from engine.config.environments import EnvironmentConfig
from engine.experience.demonstrations import Demonstration, Demonstrations
from engine.mdp.compounding import cost_of_clone, cost_of_corrected

ERROR, HORIZON, EPISODES = 0.02, 50, 3000


def episodes(*rewards: NDArray[np.float64] | list[float], terminated: bool = True) -> Demonstrations:
    return Demonstrations(
        EnvironmentConfig(id="X-v0"),
        tuple(
            Demonstration(
                np.zeros((len(paid), 1), np.float32),
                np.zeros(len(paid), np.int64),
                np.array(paid, float),
                terminated=terminated,
            )
            for paid in rewards
        ),
    )


@pytest.mark.parametrize(("finds_back", "cost_of"), [(False, cost_of_clone), (True, cost_of_corrected)])
def test_on_the_tightrope_it_is_what_is_computed_exactly(finds_back: bool, cost_of: object) -> None:
    wrong = np.random.default_rng(0).random((EPISODES, HORIZON)) < ERROR
    if not finds_back:
        wrong = np.logical_or.accumulate(wrong, 1)
    off = np.concatenate([np.zeros((EPISODES, 1), bool), wrong[:, :-1]], 1)  # a step after the error
    found = cost_by_horizon(episodes([0.0] * HORIZON, [0.0] * HORIZON), episodes(*-off.astype(float)))
    for horizon in (1, 10, HORIZON):
        at = horizon - 1
        assert found.horizons[at] == horizon
        exact = cost_of(ERROR, horizon)  # type: ignore[operator]
        assert abs(found.cost[at] - exact) <= 4.0 * found.error[at]
    assert found.error[-1] < 0.06 * cost_of(ERROR, HORIZON)  # type: ignore[operator]


def test_what_has_terminated_pays_nothing_more_and_what_was_cut_off_ends_what_is_known() -> None:
    found = cost_by_horizon(episodes([1.0] * 4), episodes([1.0], [1.0, 1.0]))
    assert found.cost.tolist() == [0.0, 0.5, 1.5, 2.5]
    assert np.isnan(found.error).all(), "the spread of one episode is not known"
    found = cost_by_horizon(episodes([1.0] * 4, [1.0] * 3, terminated=False), episodes([1.0], [1.0]))
    assert found.cost.tolist() == [0.0, 1.0, 2.0]
    assert found.error.tolist() == [0.0, 0.0, 0.0]
