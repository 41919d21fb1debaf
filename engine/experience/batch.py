"""What an update rule learns from: the steps of a rollout with their advantages, and ways to cut them into chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from engine.experience.rollouts import Rollout, Sequences, grouped
from engine.runtime.heartbeat import ROWS

ROWS_ON_DEVICE = 65_536  # as ROWS on a GPU, which takes as long for a few as for many
_SMALL = 256  # numbers in a row; many rows of pictures would not fit a GPU


@dataclass(frozen=True)
class Chunk:
    """Some steps of a batch, few enough to be computed at once: ``rows`` picks them from any tensor [M, …] of it;
    ``sequences`` says where episodes begin and end in them, and is None where nothing depends on it."""

    rows: Tensor | slice
    observations: Tensor
    actions: Tensor
    sequences: Sequences | None


@dataclass(frozen=True)
class ConstantBaseline:
    """``amount`` was subtracted from the credit whatever the state; it broadcasts to [T, N], and is 0 without one."""

    amount: Tensor


@dataclass(frozen=True)
class ParameterBaseline:
    """``amounts`` [P] are to be subtracted, one in each component of the gradient; the advantages are the credit."""

    amounts: Tensor


@dataclass(frozen=True)
class LearnedValue:
    """V(s) was subtracted: ``values`` [M], the ``targets`` [M] that V is to be fitted to, and the temporal-difference
    ``errors`` [T, N] of which the advantages are sums."""

    values: Tensor
    targets: Tensor
    errors: Tensor


Baseline = ConstantBaseline | ParameterBaseline | LearnedValue
NO_BASELINE = ConstantBaseline(torch.zeros(()))


def retargeted(batch: Batch, targets: Tensor | None) -> Batch:
    """The same, whose learned value is to be fitted to these ``targets`` [M]; as it is where there are none."""
    return batch if targets is None else replace(batch, baseline=replace(batch.learned, targets=targets))


@dataclass(frozen=True)
class Batch:
    """M steps, sequence after sequence, each sequence in the order of time; padding is left out.

    ``observations`` [M, …], ``actions`` [M, …], ``advantages`` [M] before normalisation, ``state_weights`` [M] the γᵗ
    of each step, or 1 where states count alike, and the ``baseline`` that the advantages were made with.
    """

    rollout: Rollout
    advantages: Tensor
    state_weights: Tensor
    baseline: Baseline

    @cached_property
    def observations(self) -> Tensor:
        return self.rollout.flat(self.rollout.observations)

    @cached_property
    def actions(self) -> Tensor:
        return self.rollout.flat(self.rollout.actions)

    @property
    def size(self) -> int:
        return len(self.advantages)

    @property
    def learned(self) -> LearnedValue:
        """The baseline, where it is a learned value.

        Raises:
            TypeError: it is another.
        """
        if not isinstance(self.baseline, LearnedValue):
            raise TypeError(f"the baseline is a {type(self.baseline).__name__}, not a learned value.")
        return self.baseline

    @property
    def divisor(self) -> int:
        """What sums over steps are divided by: the number of episodes, or of steps where these are not whole."""
        return self.rollout.environments if self.rollout.whole_episodes else self.size

    @property
    def recurrent(self) -> bool:
        return self.rollout.states is not None

    def weights(self, advantages: Tensor | None = None) -> Tensor:
        """What each step's ∇ log π is multiplied with, [M]: γᵗ·Â, with these Â [M] or the batch's own."""
        return self.state_weights * (self.advantages if advantages is None else advantages)

    def chunks(self, most: int = 0) -> list[Chunk]:
        """The batch in order, in chunks of about ``most`` steps, or of as many as the device should have at once; whole
        sequences where the policy has a memory."""
        most = most or self.at_once
        if self.recurrent:
            return [self._of_sequences(group) for group in grouped(self.rollout.sequences.lengths, most)]
        starts = range(0, self.size, most)
        return [self._of_rows(slice(start, min(start + most, self.size))) for start in starts]

    def episodes(self) -> list[Chunk]:
        """Each sequence as a chunk of its own."""
        return [self._of_sequences(torch.tensor([index])) for index in range(len(self.lengths))]

    def minibatches(self, size: int, generator: torch.Generator) -> Iterator[list[Chunk]]:
        """All steps once in random order, ``size`` at a time (0 for all at once); whole sequences where the policy has
        a memory, then about ``size`` steps at a time. A large minibatch comes in several chunks."""
        if size == 0 or size >= self.size:
            yield self.chunks()
        elif self.recurrent:
            order = torch.randperm(len(self.lengths), generator=generator)
            for group in grouped(self.lengths[order], size):
                chosen = order[group]
                yield [self._of_sequences(chosen[some]) for some in grouped(self.lengths[chosen], self.at_once)]
        else:
            order = sent(torch.randperm(self.size, generator=generator), self.advantages.device)
            for rows in torch.split(order, size):
                yield [self._of_rows(some) for some in torch.split(rows, self.at_once)]

    @property
    def at_once(self) -> int:
        """How many steps to pass through a network at once."""
        return rows_at_once(self.observations, ROWS)

    @property
    def lengths(self) -> Tensor:
        return self.rollout.sequences.lengths

    def sample(self, most: int) -> Chunk:
        """At most ``most`` steps, evenly spread; whole sequences where the policy has a memory, at least one."""
        every = -(-self.size // most)
        if self.recurrent:
            evenly = torch.arange(0, len(self.lengths), every)
            return self._of_sequences(evenly[grouped(self.lengths[evenly], most)[0]])
        return self._of_rows(torch.arange(0, self.size, every, device=self.advantages.device))

    def _of_rows(self, rows: Tensor | slice) -> Chunk:
        return Chunk(rows, self.observations[rows], self.actions[rows], None)

    def _of_sequences(self, chosen: Tensor) -> Chunk:
        """Sequences by their index."""
        all_of = self.rollout.sequences
        lengths = all_of.lengths.tolist()
        ends = all_of.lengths.cumsum(0).tolist()
        rows = torch.cat([torch.arange(ends[k] - lengths[k], ends[k]) for k in chosen.tolist()])
        rows = rows.to(self.advantages.device)
        return Chunk(rows, self.observations[rows], self.actions[rows], all_of.at(chosen))


def rows_at_once(rows: Tensor, most: int) -> int:
    """How many of a batch's ``rows`` [M, …] to pass through a network at once: ``most`` on the CPU."""
    return most if rows.is_cpu or rows[:1].numel() > _SMALL else ROWS_ON_DEVICE


def sent(order: Tensor, device: torch.device) -> Tensor:
    """A tensor of the CPU's on ``device``. From memory that may be swapped out, the CPU would have to wait until a CUDA
    device has done all that it was given before."""
    return order.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else order.to(device)
