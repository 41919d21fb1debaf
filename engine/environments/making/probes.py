"""The probes whose actions are numbers, as environments of Gymnasium's."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

IDS = {"ProbeNumber-v0": True, "ProbeIdle-v0": False}  # and whether they pay
_WANTED = 0.5

_Seen = NDArray[np.float32]


def register() -> None:
    """Make them known to Gymnasium; calling it again changes nothing."""
    for id, pays in IDS.items():
        if id not in gymnasium.registry:
            gymnasium.register(id, f"{__name__}:NumberProbe", kwargs={"pays": pays})


class NumberProbe(gymnasium.Env[_Seen, _Seen]):
    """One step; the action a in −1 … 1 pays −(a − ½)², or nothing."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - as Gymnasium has it

    def __init__(self, pays: bool, render_mode: str | None = None) -> None:
        self.render_mode, self._pays = render_mode, pays
        self.observation_space: spaces.Space[Any] = spaces.Box(-1.0, 1.0, (1,), np.float32)
        self.action_space: spaces.Space[Any] = spaces.Box(-1.0, 1.0, (1,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[_Seen, dict[str, Any]]:
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action: _Seen) -> tuple[_Seen, float, bool, bool, dict[str, Any]]:
        reward = -float((action[0] - _WANTED) ** 2) if self._pays else 0.0
        return np.zeros(1, np.float32), reward, True, False, {}
