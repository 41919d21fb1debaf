"""Toys and policies whose episodes are played."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from engine.analysis.playback import Playback, PolicySnapshot, snapshot
from engine.config import RunConfig
from engine.environments.making.lookup import inspect
from engine.policies.policy import Policy
from engine.reports.frames import Frame, SoftmaxDecision
from tests.engine.support import Toy, configured, register


class Pictured(Toy):
    """A Toy with pictures, whose brightness is the number of steps still to come."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 - as Gymnasium wants it

    def render(self) -> Any:
        if self._what == "raises in render":
            raise OSError("no texture")
        return np.full((4, 6, 4 if self._what == "has alpha" else 3), self._left, np.uint8)


def frozen(config: RunConfig, iteration: int = 1, seed: int = 0) -> PolicySnapshot:
    environment = inspect(config.environment.id)
    policy = Policy(config.policy, environment, torch.Generator().manual_seed(seed))
    return snapshot(policy, config, environment, iteration)


def toy(id: str, **kwargs: Any) -> PolicySnapshot:
    return frozen(configured(environment=register(id, Pictured, **kwargs)))


def episode(playback: Playback, greedy: bool = False) -> list[Frame]:
    frames = [playback.advance(greedy)]
    while not frames[-1].ended:
        frames.append(playback.advance(greedy))
    return frames


def decided(frame: Frame) -> SoftmaxDecision:
    assert isinstance(frame.decision, SoftmaxDecision)
    return frame.decision
