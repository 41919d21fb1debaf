"""Small batches over the whole grid of estimators: what can never have a gradient is refused, where it is foreseen."""

from __future__ import annotations

from itertools import product
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.config.parameters import with_values
from engine.environments.making.lookup import inspect
from engine.reports.events import Updated
from engine.runtime.errors import RequestError
from engine.training.training import Training
from tests.engine.support import configured, register


class Noisy(gymnasium.Env[Any, Any]):
    """Every step pays another amount."""

    observation_space = spaces.Box(-1.0, 1.0, (2,))
    action_space = spaces.Discrete(2)

    def __init__(self, length: int = 1) -> None:
        self._length = length

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._left = self._length
        return np.ones(2, np.float32), {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self._left -= 1
        return np.ones(2, np.float32), float(self.np_random.normal()), self._left == 0, False, {}


CREDITS: list[Any] = ["total-return", "reward-to-go", {"kind": "n-step", "n": 1}, {"kind": "gae", "gae_lambda": 0.9}]
BASELINES: list[Any] = [
    *("none", "average", "time-average", "leave-one-out", "optimal", "shared-value"),
    *({"kind": "value", "hidden_sizes": [], "fitted_on": on} for on in ("previous", "same", "independent")),
]
COLLECTIONS: list[dict[str, Any]] = [
    *({"kind": "episodes", "episodes_per_update": count} for count in (1, 2)),
    *({"kind": "fixed-length", "environments": 1, "steps": steps} for steps in (1, 2)),
]
ENOUGH = 4  # updates, of which at least one has a gradient where there can be any


def never_moves(config: RunConfig, values: dict[str, Any], environment: EnvironmentInfo) -> bool:
    """Whether these values can be chosen, and leave the policy where it is."""
    try:
        config = with_values(config, values)
    except RequestError:
        return False
    if refusal(config, environment) is not None:
        return False
    training = Training(config)
    updates = (event for event in training if isinstance(event, Updated))
    still = all(next(updates).metrics["grad_norm"] == 0.0 for _ in range(ENOUGH))
    training.close()
    return still


@pytest.mark.parametrize(("length", "limit"), [(1, None), (1, 1), (3, 3)])
def test_only_an_average_of_one_step_that_nobody_foretold_never_moves_the_policy(
    length: int, limit: int | None
) -> None:
    """Which is told while it runs."""
    environment = inspect(register("test/Noisy-v0", Noisy, limit, length=length), {})
    config = configured(environment=environment.id, budget__environment_steps=1000)
    found = [
        (credit, baseline)
        for credit, baseline, collection, normalize in product(CREDITS, BASELINES, COLLECTIONS, (False, True))
        if never_moves(
            config,
            {
                "estimator.credit": credit,
                "estimator.baseline": baseline,
                "collection": collection,
                "estimator.normalize_advantages": normalize,
            },
            environment,
        )
    ]
    assert set(found) == ({("reward-to-go", "average")} if (length, limit) == (1, None) else set())
