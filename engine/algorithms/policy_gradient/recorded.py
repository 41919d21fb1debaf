"""Many gradient steps on a device that nobody waits for: held back there, or recorded once and replayed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from engine.algorithms.policy_gradient.surrogates import Surrogate
from engine.experience.batch import Batch, Chunk, LearnedValue
from engine.experience.rollouts import Rollout
from engine.runtime.cuda_graph import CudaGraph


class StepMetrics(NamedTuple):
    """What a minibatch came to before its step, on the device until the update is over.

    ``losses`` are the mean loss of each chunk, to be added up by ``shares``; ``value_losses`` have their share in them
    already, and are empty without a V to fit; ``norm`` is the gradient's length, None where nobody asks for it.
    """

    shares: list[float]
    losses: list[Tensor]
    value_losses: list[Tensor]
    norm: Tensor | None


class ConditionalSteps:
    """Undoes steps on the device from where a condition no longer holds, which the host need not know meanwhile.

    Args:
        tensors: all that a step changes.
    """

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        self._tensors = list(tensors)
        self._before = [torch.empty_like(tensor) for tensor in self._tensors]
        self.holds = torch.ones((), dtype=torch.bool, device=self._tensors[0].device)

    @torch.no_grad()
    def step(self, condition: Tensor, work: Callable[[], None]) -> None:
        """Do ``work``, and undo it unless the condition holds and has always held."""
        for before, tensor in zip(self._before, self._tensors, strict=True):
            before.copy_(tensor)
        work()
        self.holds.logical_and_(condition)
        for before, tensor in zip(self._before, self._tensors, strict=True):
            tensor.copy_(torch.where(self.holds, tensor, before))


class RecordedStep:
    """A gradient step on minibatches of one size, which a CUDA graph repeats.

    A graph reads from where it read when it was recorded, so every minibatch is copied there first. All that is a
    number in Python is as it was then, so a ``key`` has to stand for all of them.

    Args:
        surrogate, chunk: an update with which the step is to be tried, and a minibatch of it.
        step: takes one, of a surrogate and a chunk.
    """

    def __init__(
        self, key: Hashable, surrogate: Surrogate, chunk: Chunk, step: Callable[[Surrogate, Chunk], StepMetrics]
    ) -> None:
        self.key = key
        self._chunk, self._surrogate = _in_place_of(surrogate, chunk)
        self._step = step
        self._told: Tensor | None = None
        device = chunk.observations.device
        self._graph = CudaGraph(self._work, device, torch.Generator(device))  # of random numbers there are none

    def __call__(self, surrogate: Surrogate, chunk: Chunk) -> StepMetrics:
        """One step on ``chunk``."""
        self._copy(surrogate, chunk)
        self._graph(self.key)
        assert self._told is not None
        loss, norm, *value = self._told.clone().unbind()
        return StepMetrics([1.0], [loss], value, norm)

    def _work(self) -> None:
        told = self._step(self._surrogate, self._chunk)
        assert told.norm is not None
        numbers = torch.stack([told.losses[0], told.norm, *told.value_losses])
        self._told = torch.zeros_like(numbers) if self._told is None else self._told
        self._told.copy_(numbers)

    def _copy(self, surrogate: Surrogate, chunk: Chunk) -> None:
        mine, rows = self._surrogate, chunk.rows
        pairs = [
            (self._chunk.observations, chunk.observations),
            (self._chunk.actions, chunk.actions),
            (mine.given.weights, surrogate.given.weights[rows]),
            (mine.old_log_probs, surrogate.old_log_probs[rows]),
        ]
        baseline = surrogate.given.batch.baseline
        if isinstance(baseline, LearnedValue):
            kept = mine.given.batch.learned
            pairs += [(kept.targets, baseline.targets[rows]), (kept.values, baseline.values[rows])]
        for into, of in pairs:
            into.copy_(of)


def _in_place_of(surrogate: Surrogate, chunk: Chunk) -> tuple[Chunk, Surrogate]:
    """A batch that is a single minibatch like ``chunk``, all of it, and a surrogate of it, in memory of their own."""
    size, given = len(chunk.actions), surrogate.given
    like = given.weights

    def zeros(dtype: torch.dtype) -> Tensor:
        return torch.zeros(size, 1, dtype=dtype, device=like.device)

    rollout = Rollout(
        observations=chunk.observations.clone().unsqueeze(1),
        actions=chunk.actions.clone().unsqueeze(1),
        rewards=zeros(like.dtype),
        terminated=zeros(torch.bool),
        truncated=zeros(torch.bool),
        mask=~zeros(torch.bool),
        elapsed=zeros(torch.int64),
        final_observations=chunk.observations[:0],
        whole_episodes=given.batch.rollout.whole_episodes,
    )
    baseline = given.batch.baseline
    if isinstance(baseline, LearnedValue):
        values, targets = baseline.values[:1], baseline.targets[:1]
        baseline = LearnedValue(values.repeat(size), targets.repeat(size), zeros(values.dtype))
    batch = Batch(rollout, torch.zeros_like(like[:1]).repeat(size), torch.ones_like(like[:1]).repeat(size), baseline)
    (whole,) = batch.chunks(size)
    mine = replace(given, batch=batch, watched=False)
    return whole, replace(surrogate, given=mine, old_log_probs=torch.zeros_like(batch.advantages))
