"""Rollouts: time-major experience, and its steps one sequence after another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class Rollout:
    """Experience of N environments over T steps: whole episodes, padded to the longest, or T of each, unpadded.

    ``observations`` [T, N, …], ``actions`` [T, N, …], ``rewards`` [T, N] float32, ``mask`` [T, N] True on the steps
    really taken, ``elapsed`` int64 [T, N] the steps since their episode's start. An episode ends where ``terminated``
    [T, N] (nothing follows) or is cut off where ``truncated`` [T, N] (its rest was not seen: a time limit, or the end
    of the rollout); ``final_observations`` [E, …] are what was seen after each of the E truncated steps, environment by
    environment. ``greedy`` [T, N] marks actions that were the policy's most likely ones instead of samples, chosen so
    with the probability ``greedy_share``. ``states`` [N, hidden] is what a recurrent policy remembered at the rollout's
    start. Actions are the policy's own, before any clipping to bounds. The tensors may share memory with the
    collector and hold until it collects again.
    """

    observations: Tensor
    actions: Tensor
    rewards: Tensor
    terminated: Tensor
    truncated: Tensor
    mask: Tensor
    elapsed: Tensor
    final_observations: Tensor
    whole_episodes: bool = True
    greedy: Tensor | None = None
    greedy_share: float = 0.0
    states: Tensor | None = None

    @property
    def environments(self) -> int:
        return self.mask.shape[1]

    @cached_property
    def _mask_by_environment(self) -> Tensor:
        return self.mask.transpose(0, 1)

    @cached_property
    def full(self) -> bool:
        """Whether there is no padding."""
        return bool(self.mask.all())

    def flat(self, tensor: Tensor) -> Tensor:
        """[T, N, …] to [M, …]: the steps really taken, sequence after sequence, each in the order of time."""
        by_environment = tensor.transpose(0, 1)
        return by_environment.flatten(0, 1) if self.full else by_environment[self._mask_by_environment]

    def unflat(self, flat: Tensor) -> Tensor:
        """[M] back to [T, N], with 0 where there is padding."""
        if self.full:
            return flat.view(self.environments, -1).transpose(0, 1)
        grid = torch.zeros(self._mask_by_environment.shape, dtype=flat.dtype, device=flat.device)
        grid[self._mask_by_environment] = flat
        return grid.transpose(0, 1)

    def at_cuts(self, values: Tensor) -> Tensor:
        """[E] to [T, N]: ``values`` of the final observations where they were seen, 0 elsewhere."""
        grid = torch.zeros(self._mask_by_environment.shape, dtype=values.dtype, device=values.device)
        grid[self.truncated.transpose(0, 1)] = values
        return grid.transpose(0, 1)

    @cached_property
    def sequences(self) -> Sequences:
        """The K uninterrupted parts of episodes, environment by environment."""
        ends = self.flat(self.terminated | self.truncated).nonzero().flatten().cpu()
        lengths = ends.diff(prepend=torch.tensor([-1]))
        if self.states is None:
            return Sequences(lengths, None, self.flat(self.truncated)[ends.to(self.mask.device)])
        begun = self.flat(self.elapsed)[(ends - lengths + 1).to(self.mask.device)] > 0
        first = torch.zeros(len(lengths), self.states.shape[1], device=self.states.device)
        # A sequence that goes on from an earlier rollout is its environment's first one here.
        environments = (ends - lengths + 1).to(self.mask.device) // len(self.mask)
        first[begun] = self.states[environments[begun]]
        return Sequences(lengths, first, self.flat(self.truncated)[ends.to(self.mask.device)])


@dataclass(frozen=True)
class Sequences:
    """K sequences of steps: ``lengths`` [K] on the CPU, what a recurrent policy remembered before each [K, hidden] or
    None where it has no memory, and whether each was cut off, [K]."""

    lengths: Tensor
    states: Tensor | None
    cut: Tensor

    def at(self, chosen: Tensor) -> Sequences:
        """Those at the indices ``chosen``."""
        here = chosen.to(self.cut.device)
        states = None if self.states is None else self.states[here]
        return Sequences(self.lengths[chosen], states, self.cut[here])


def grouped(lengths: Tensor, most: int) -> list[Tensor]:
    """Indices of sequences in groups of at most ``most`` steps, or of one longer sequence."""
    groups: list[list[int]] = [[]]
    room = most
    for index, length in enumerate(lengths.tolist()):
        if groups[-1] and length > room:
            groups.append([])
            room = most
        groups[-1].append(index)
        room -= length
    return [torch.tensor(group) for group in groups]
