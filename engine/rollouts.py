"""Rollouts, and their collection: whole episodes, one per environment of a batch, played side by side."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.catalogue import EnvironmentInfo, Space
from engine.environments.interface import EnvironmentBatch
from engine.errors import RunError
from engine.phases import Working
from engine.policies.policy import Policy
from engine.pulse import Pulse

FIRST_ROOM, MOST_ROOM = 1 << 26, 1 << 32  # bytes for the steps of one iteration, at first and at most
RESET_AT_ONCE = 64  # environments
LONGEST_EPISODE = 200_000  # steps; an episode longer than this has no end that learning could wait for


@dataclass(frozen=True)
class Rollout:
    """N whole episodes, time-major and padded to the longest, T steps.

    ``observations`` [T, N, …], ``actions`` [T, N, …], ``rewards`` [T, N] float32, ``terminated`` and ``truncated``
    [T, N]; ``mask`` [T, N] is True on the steps that were really taken; ``final_observations`` [N, …] are the true
    observations after each episode's last step. Actions are the policy's own, before any clipping to bounds. The
    tensors may share memory with the collector and hold until it collects again.
    """

    observations: Tensor
    actions: Tensor
    rewards: Tensor
    terminated: Tensor
    truncated: Tensor
    mask: Tensor
    final_observations: Tensor


class Collector:
    """Plays one episode in every environment of a batch at once.

    Which episodes count is settled before any is played, so long ones are as likely to be counted as short ones:
    taking the first N to finish would favour short episodes and bias every estimate. Environments whose episode has
    ended are left out of the remaining steps.
    """

    def __init__(self, batch: EnvironmentBatch, environment: EnvironmentInfo, device: torch.device) -> None:
        self._batch = batch
        self._environment = environment
        self._device = device
        self._capacity = 0
        self._per_step = batch.size * (_bytes(environment.observation) + _bytes(environment.action) + 11)
        self._reserve(max(1, min(environment.time_limit or 1024, 1024, FIRST_ROOM // self._per_step)))

    def _reserve(self, capacity: int) -> None:
        """Make room for ``capacity`` steps, keeping what is there."""
        if capacity * self._per_step > MOST_ROOM:
            raise RunError(
                f"{self._batch.size} episodes of {self._environment.id} at once take more than {MOST_ROOM >> 30} GiB "
                "of memory; use fewer episodes per update."
            )
        old, size = self._capacity, self._batch.size
        fresh = {
            "observations": _empty(capacity, size, self._environment.observation),
            "actions": _empty(capacity, size, self._environment.action),
            "rewards": np.zeros((capacity, size), np.float64),
            "terminated": np.zeros((capacity, size), np.bool_),
            "truncated": np.zeros((capacity, size), np.bool_),
            "mask": np.zeros((capacity, size), np.bool_),
        }
        for name, array in fresh.items():
            if old:
                array[:old] = getattr(self, "_" + name)
            setattr(self, "_" + name, array)
        self._capacity = capacity

    _observations: NDArray[Any]
    _actions: NDArray[Any]
    _rewards: NDArray[np.float64]
    _terminated: NDArray[np.bool_]
    _truncated: NDArray[np.bool_]
    _mask: NDArray[np.bool_]

    def collect(
        self, policy: Policy, generator: torch.Generator, steps_before: int
    ) -> Generator[Working, None, tuple[Rollout, NDArray[np.float64]]]:
        """One episode per environment, with actions sampled from ``policy``.

        Yields signs of life; returns the rollout and the raw float64 rewards [T, N].

        Raises:
            RunError: the environment raised or gave what cannot be learned from, or an episode had no end.
        """
        for array in (self._rewards, self._terminated, self._truncated, self._mask):
            array[:] = 0
        pulse = Pulse()
        slots = np.arange(self._batch.size)
        first = []
        for some in np.array_split(slots, -(-len(slots) // RESET_AT_ONCE)):
            first.append(self._batch.reset(some))
            if pulse.due():
                yield Working("resetting", steps_before)
        observations = np.concatenate(first)
        final = np.empty_like(observations)
        steps, taken = 0, 0
        while len(slots):
            if steps == self._capacity:
                self._grow()
            actions = self._act(policy, observations, generator)
            moved = self._batch.step(actions, slots)
            where = (steps, slice(None)) if len(slots) == self._batch.size else (steps, slots)
            self._observations[where] = observations
            self._actions[where] = actions
            self._rewards[where] = moved.rewards
            self._terminated[where] = moved.terminated
            self._truncated[where] = moved.truncated
            self._mask[where] = True
            steps, taken = steps + 1, taken + len(slots)
            observations = moved.observations
            ended = moved.terminated | moved.truncated
            if ended.any():
                final[slots[ended]] = observations[ended]
                slots, observations = slots[~ended], observations[~ended]
            if pulse.due():
                yield Working("collecting", steps_before + taken)
        return self._rollout(steps, final), self._rewards[:steps]

    def _grow(self) -> None:
        if self._capacity >= LONGEST_EPISODE:
            raise RunError(
                f"An episode of {self._environment.id} did not end within {LONGEST_EPISODE} steps; "
                "only environments whose episodes end can be learned from in whole episodes."
            )
        self._reserve(min(2 * self._capacity, LONGEST_EPISODE))

    def _act(self, policy: Policy, observations: NDArray[Any], generator: torch.Generator) -> NDArray[Any]:
        with torch.inference_mode():
            inputs = torch.from_numpy(observations).to(self._device)
            actions: NDArray[Any] = policy(inputs).sample(generator).cpu().numpy()
        if not np.isfinite(actions).all():
            raise RunError(
                "The policy's actions are no longer finite numbers; the learning rate is probably too large, so lower "
                "it and start again."
            )
        return actions

    def _rollout(self, steps: int, final: NDArray[Any]) -> Rollout:
        def tensor(array: NDArray[Any]) -> Tensor:
            return torch.from_numpy(array).to(self._device)

        return Rollout(
            observations=tensor(self._observations[:steps]),
            actions=tensor(self._actions[:steps]),
            rewards=tensor(self._rewards[:steps].astype(np.float32)),
            terminated=tensor(self._terminated[:steps]),
            truncated=tensor(self._truncated[:steps]),
            mask=tensor(self._mask[:steps]),
            final_observations=tensor(final),
        )


def _bytes(space: Space) -> int:
    return 8 if space.kind == "discrete" else 4 * space.size


def _empty(capacity: int, size: int, space: Space) -> NDArray[Any]:
    if space.kind == "discrete":
        return np.zeros((capacity, size), np.int64)
    return np.zeros((capacity, size, space.size), np.float32)
