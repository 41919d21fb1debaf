"""Continuous actions wherever their range lies and however wide it is."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from tests.engine.support import register
from tests.learning.test_learning import trained


class Aim(gymnasium.Env[Any, Any]):
    """One step, which costs the action's distance from ``best`` as a share of the range's width."""

    observation_space = spaces.Box(-1.0, 1.0, (1,))

    def __init__(self, low: float, high: float, best: float, render_mode: str | None = None) -> None:
        self.render_mode, self._best, self._width = render_mode, best, high - low
        self.action_space = spaces.Box(low, high, (1,), np.float64)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action)
        return np.zeros(1, np.float32), -abs(float(action[0]) - self._best) / self._width, True, False, {}


def last_returns(values: dict[str, Any]) -> float:
    _, updates, returns = trained(
        {"policy": "linear", "collection.episodes_per_update": 32, "update.learning_rate": 0.05} | values
    )
    assert all(
        np.isfinite([value for value in update.metrics.values() if value is not None]).all() for update in updates
    )
    found: float = returns[-500:].mean()
    return found


@pytest.mark.parametrize(
    ("distribution", "low", "high", "best"),
    [
        ("gaussian", 100.0, 200.0, 180.0),
        ("gaussian", -1e-3, 2e-3, -5e-4),
        ("tanh-gaussian", 100.0, 200.0, 180.0),
        ("beta", 5.0, 10.0, 6.0),
    ],
)
def test_an_aim_is_found_wherever_the_range_lies(distribution: str, low: float, high: float, best: float) -> None:
    """The middle costs 0.3 or a third, and so does a uniform draw, about."""
    values = {
        "environment": register("Tests/Aim-v0", Aim, low=low, high=high, best=best),
        "policy.distribution": distribution,
        "estimator.normalize_advantages": True,
        "update.learning_rate": 0.1,
        "budget.environment_steps": 3_000,
    }
    assert last_returns(values) > -0.15
