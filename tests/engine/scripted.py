"""A batch of environments whose every number can be told beforehand, and collecting from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.collection.collector import Collector, FinishedEpisodes
from engine.collection.collectors import EpisodeCollector, FixedLengthCollector
from engine.config.policies import LinearPolicy, PolicyConfig
from engine.environments.batches.interface import Indices, Transitions
from engine.experience.rollouts import Rollout
from engine.policies.actor import Actor
from engine.policies.policy import Policy
from engine.reports.events import Heartbeat

CPU = torch.device("cpu")
INFO = EnvironmentInfo("Scripted", "Scripted", "A test.", Space("box", 3), Space("discrete", 4), 50)


class Scripted:
    """Environment n runs episodes of ``lengths[n]`` steps in turn, the last of them for ever.

    Observations are (n, episode, step); rewards 100 n + 10 episode + step. Episodes of the environments in
    ``truncated`` are cut off, all others terminate; those in ``both`` do both at once.
    """

    def __init__(
        self,
        lengths: Sequence[int | Sequence[int]],
        truncated: Sequence[int] = (),
        both: Sequence[int] = (),
    ) -> None:
        self.size = len(lengths)
        self.lengths = [(one,) if isinstance(one, int) else tuple(one) for one in lengths]
        indices = np.arange(self.size)
        self._truncates = np.isin(indices, [*truncated, *both])
        self._terminates = ~np.isin(indices, list(truncated))
        self._episodes = np.full(self.size, -1)
        self._elapsed = np.zeros(self.size, np.int64)
        self.calls: list[list[int]] = []
        self.actions: dict[tuple[int, int, int], int] = {}

    def reset(self, indices: Indices) -> NDArray[Any]:
        self._episodes[indices] += 1
        self._elapsed[indices] = 0
        return self._observe(indices)

    def _observe(self, indices: Indices) -> NDArray[Any]:
        return np.stack((indices, self._episodes[indices], self._elapsed[indices]), 1).astype(np.float32)

    def step(self, actions: NDArray[Any], indices: Indices) -> Transitions:
        self.calls.append(indices.tolist())
        for index, action in zip(indices.tolist(), actions.tolist(), strict=True):
            self.actions[index, int(self._episodes[index]), int(self._elapsed[index])] = action
        rewards = 100.0 * indices + 10.0 * self._episodes[indices] + self._elapsed[indices]
        self._elapsed[indices] += 1
        ended = np.array([self._elapsed[index] == self._length(index) for index in indices.tolist()])
        return Transitions(
            self._observe(indices), rewards, ended & self._terminates[indices], ended & self._truncates[indices]
        )

    def _length(self, index: int) -> int:
        lengths = self.lengths[index]
        return lengths[min(int(self._episodes[index]), len(lengths) - 1)]

    def close(self) -> None:
        pass


def actor_of(policy: Policy, seed: int = 0, greedy_share: float = 0.0) -> Actor:
    actor = Actor(policy, torch.Generator().manual_seed(seed), CPU)
    actor.greedy_share = greedy_share
    return actor


def policy_of(config: PolicyConfig | None = None, seed: int = 0, with_value: bool = False) -> Policy:
    """A policy for the scripted batch whose weights, drawn anew, make it decided and far from 0 everywhere."""
    policy = Policy(config or LinearPolicy(), INFO, torch.Generator().manual_seed(seed), with_value)
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    return policy


def limit_episodes(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Let whole episodes be of so many steps at most."""
    for module in ("collector", "collectors", "device_collector"):
        monkeypatch.setattr(f"engine.collection.{module}.LONGEST_EPISODE", steps)


def episodes_of(batch: Any) -> EpisodeCollector:
    return EpisodeCollector(batch, INFO, CPU)


def fixed_length_of(batch: Any, steps: int) -> FixedLengthCollector:
    return FixedLengthCollector(batch, INFO, CPU, steps)


def collected(collector: Collector, actor: Actor | None = None) -> tuple[Rollout, FinishedEpisodes, list[Heartbeat]]:
    """What one collection gives, and the signs of life until then."""
    events = collector.collect(actor or actor_of(policy_of()))
    heard = []
    while True:
        try:
            heard.append(next(events))
        except StopIteration as stop:
            return *stop.value, heard
