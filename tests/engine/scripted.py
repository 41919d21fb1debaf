"""A batch of environments whose every number can be told beforehand, and collecting from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.collection.collectors import Collector, EpisodeCollector, Finished, SegmentCollector
from engine.config.policies import LinearPolicy, PolicyConfig
from engine.environments.batches.interface import Slots, Transitions
from engine.experience.rollouts import Rollout
from engine.policies.actor import Actor
from engine.policies.policy import Policy
from engine.reports.events import Heartbeat

CPU = torch.device("cpu")
INFO = EnvironmentInfo("Scripted", "Scripted", "A test.", Space("box", 3), Space("discrete", 4), 50)


class Scripted:
    """Slot n runs episodes of ``lengths[n]`` steps in turn, the last of them for ever.

    Observations are (slot, episode, step); rewards 100 slot + 10 episode + step. Episodes of the slots in ``truncated``
    are cut off, all others terminate; those in ``both`` do both at once.
    """

    def __init__(
        self,
        lengths: Sequence[int | Sequence[int]],
        truncated: Sequence[int] = (),
        both: Sequence[int] = (),
    ) -> None:
        self.size = len(lengths)
        self.lengths = [(one,) if isinstance(one, int) else tuple(one) for one in lengths]
        slots = np.arange(self.size)
        self._truncates = np.isin(slots, [*truncated, *both])
        self._terminates = ~np.isin(slots, list(truncated))
        self._episodes = np.full(self.size, -1)
        self._elapsed = np.zeros(self.size, np.int64)
        self.calls: list[list[int]] = []
        self.actions: dict[tuple[int, int, int], int] = {}

    def reset(self, slots: Slots) -> NDArray[Any]:
        self._episodes[slots] += 1
        self._elapsed[slots] = 0
        return self._observe(slots)

    def _observe(self, slots: Slots) -> NDArray[Any]:
        return np.stack((slots, self._episodes[slots], self._elapsed[slots]), 1).astype(np.float32)

    def step(self, actions: NDArray[Any], slots: Slots) -> Transitions:
        self.calls.append(slots.tolist())
        for slot, action in zip(slots.tolist(), actions.tolist(), strict=True):
            self.actions[slot, int(self._episodes[slot]), int(self._elapsed[slot])] = action
        rewards = 100.0 * slots + 10.0 * self._episodes[slots] + self._elapsed[slots]
        self._elapsed[slots] += 1
        ended = np.array([self._elapsed[slot] == self._length(slot) for slot in slots.tolist()])
        return Transitions(
            self._observe(slots), rewards, ended & self._terminates[slots], ended & self._truncates[slots]
        )

    def _length(self, slot: int) -> int:
        lengths = self.lengths[slot]
        return lengths[min(int(self._episodes[slot]), len(lengths) - 1)]

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


def episodes_of(batch: Any) -> EpisodeCollector:
    return EpisodeCollector(batch, INFO, CPU)


def segments_of(batch: Any, steps: int) -> SegmentCollector:
    return SegmentCollector(batch, INFO, CPU, steps)


def collected(collector: Collector, actor: Actor | None = None) -> tuple[Rollout, Finished, list[Heartbeat]]:
    """What one collection gives, and the signs of life until then."""
    phases = collector.collect(actor or actor_of(policy_of()))
    heard = []
    while True:
        try:
            heard.append(next(phases))
        except StopIteration as stop:
            return *stop.value, heard
