"""Collecting experience without leaving the device on which the policy and the environments are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.catalogue.spaces import EnvironmentInfo
from engine.collection.collectors import LONGEST_EPISODE, Collecting, Collection, FinishedEpisodes, endless
from engine.config import RunConfig
from engine.environments.batches.batched import BatchedEnvironments, batched
from engine.experience.rollouts import Rollout
from engine.policies.actor import NOT_FINITE, Actor
from engine.reports.events import Heartbeat, Heartbeats
from engine.runtime.cuda_graph import CudaGraph
from engine.runtime.errors import RunError
from engine.runtime.heartbeat import HeartbeatTimer

CHUNK = 32  # steps that are taken, and on a CUDA device replayed, in one go


def environments_on(device: torch.device, config: RunConfig, seeds: Sequence[int]) -> BatchedEnvironments | None:
    """The run's environments on the policy's device, one per seed; None where they are stepped on the CPU: that is
    where the policy is, another way of stepping is wished for, their dynamics are not our own, they are seen through
    changes, or the policy has a memory."""
    environment = config.environment
    seen = environment.hidden or environment.observation_noise > 0.0 or environment.frame_stack > 1
    elsewhere = device.type == "cpu" or environment.stepping != "auto"
    if elsewhere or seen or environment.sticky_actions > 0.0 or config.policy.kind == "gru":
        return None
    return batched(environment, seeds, device)


class Chunk:
    """The next steps of all environments, in tensors [steps, N, …] that are written anew by every ``take``.

    An episode that ends is followed by the next one at once. ``following`` is what was seen after each step, at an
    episode's end its true final observation; ``totals`` is the episode's return so far, that step included.
    """

    def __init__(self, environments: BatchedEnvironments, actor: Actor, steps: int) -> None:
        self._environments, self._actor = environments, actor
        now = environments.restart()
        self._now, self._device = now, now.device
        self._elapsed = torch.zeros(environments.size, dtype=torch.int64, device=now.device)
        self._total = torch.zeros(environments.size, dtype=torch.float64, device=now.device)
        if now.device.type == "mps":
            self._total = self._total.float()
        with torch.no_grad():
            actions, _, _ = actor.decide(now, None)
        shape = (steps, environments.size)
        self.observations = now.new_zeros(steps, *now.shape)
        self.following = torch.zeros_like(self.observations)
        self.actions = actions.new_zeros(steps, *actions.shape)
        self.rewards = torch.zeros(shape, device=now.device)
        self.totals = self._total.new_zeros(shape)
        self.elapsed = self._elapsed.new_zeros(shape)
        self.terminated, self.truncated, self.greedy = (
            torch.zeros(shape, dtype=torch.bool, device=now.device) for _ in range(3)
        )
        self._take = CudaGraph(self._steps, now.device, actor.generator)

    def restart(self) -> None:
        """Begin an episode in every environment."""
        self._now.copy_(self._environments.restart())
        self._elapsed.zero_()
        self._total.zero_()

    def take(self) -> None:
        """The next steps."""
        with torch.no_grad():
            self._take((self._actor.temperature, self._actor.greedy_share))

    def _steps(self) -> None:
        for step in range(len(self.rewards)):
            actions, greedy, _ = self._actor.decide(self._now, None)
            moved: Any = self._environments.advance(actions)  # of tensors, here
            ended = moved.terminated | moved.truncated
            self._total += moved.rewards
            self.observations[step] = self._now
            self.actions[step] = actions
            self.following[step] = moved.observations
            self.rewards[step] = moved.rewards
            self.totals[step] = self._total
            self.elapsed[step] = self._elapsed
            self.terminated[step] = moved.terminated
            self.truncated[step] = moved.truncated & ~moved.terminated
            if greedy is not None:
                self.greedy[step] = greedy
            self._now.copy_(self._environments.restart(ended))
            self._elapsed.add_(1).mul_(~ended)
            self._total.mul_(~ended)


class DeviceCollector:
    """Takes the same number of ``steps`` in every environment, or plays whole episodes, as ``FixedLengthCollector`` and
    ``EpisodeCollector`` do, with everything on one device; the host waits for it once an iteration, or once a chunk
    where it has to know whether all episodes have ended.

    Whole episodes are the first that each environment plays after all have begun anew; what those that end early play
    after that is thrown away.

    Args:
        environments: batched ones on the policy's device.
        environment: what is known of them.
        steps: in every environment per iteration; None for whole episodes.
    """

    def __init__(
        self,
        environments: BatchedEnvironments,
        environment: EnvironmentInfo,
        steps: int | None,
    ) -> None:
        self._environments, self._environment = environments, environment
        self._steps = steps
        self._chunk: Chunk | None = None

    def collect(self, actor: Actor) -> Collecting:
        """As ``EpisodeCollector.collect``."""
        try:
            return (yield from self._collect(actor))
        except torch.OutOfMemoryError:
            raise RunError(
                f"{self._environments.size} environments of {self._environment.id} at once take more memory than the "
                "device has; use fewer episodes, environments or steps per update."
            ) from None

    def _collect(self, actor: Actor) -> Collecting:
        if self._chunk is None:
            length = CHUNK if self._steps is None else _largest_divisor(self._steps)
            self._chunk = Chunk(self._environments, actor, length)
        elif self._steps is None:
            self._chunk.restart()
        parts = yield from self._chunks(self._chunk, actor)
        steps = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        if steps["actions"].is_floating_point() and not bool(steps["actions"].isfinite().all()):
            raise RunError(NOT_FINITE)
        return self._whole(steps, actor) if self._steps is None else self._fixed_length(steps, actor)

    def _chunks(self, chunk: Chunk, actor: Actor) -> Heartbeats[list[dict[str, Tensor]]]:
        """Copies of chunk after chunk, until there is enough."""
        parts: list[dict[str, Tensor]] = []
        timer, size = HeartbeatTimer(), self._environments.size
        over = torch.zeros_like(chunk.terminated[0])
        taken = 0
        while True:
            chunk.take()
            parts.append({name: getattr(chunk, name).clone() for name in _KEPT})
            taken += len(chunk.rewards)
            if self._steps is None:
                over |= (chunk.terminated | chunk.truncated).any(0)
                if bool(over.all()):
                    return parts
                if taken >= LONGEST_EPISODE:
                    raise endless(self._environment)
            elif taken == self._steps:
                return parts
            if timer.due():
                yield Heartbeat("collecting", taken * size)

    def _whole(self, steps: dict[str, Tensor], actor: Actor) -> Collection:
        ended = (steps["terminated"] | steps["truncated"]).int()
        mask = ended.cumsum(0) - ended == 0  # up to the first end
        lengths = mask.sum(0)
        longest = int(lengths.max())
        steps, mask = {name: tensor[:longest] for name, tensor in steps.items()}, mask[:longest]
        returns = steps["totals"].gather(0, (lengths - 1).unsqueeze(0)).squeeze(0)
        taken = mask.sum(1).cumsum(0)[lengths - 1]
        for name in ("rewards", "terminated", "truncated"):
            steps[name] = steps[name] * mask
        finished = FinishedEpisodes(_numbers(returns), _counts(lengths), _counts(taken), int(mask.sum()))
        return self._rollout(steps, mask, actor), finished

    def _fixed_length(self, steps: dict[str, Tensor], actor: Actor) -> Collection:
        ended = steps["terminated"] | steps["truncated"]
        times, indices = ended.nonzero(as_tuple=True)
        steps["truncated"][-1] = ~steps["terminated"][-1]
        size = self._environments.size
        finished = FinishedEpisodes(
            _numbers(steps["totals"][times, indices]),
            _counts(steps["elapsed"][times, indices] + 1),
            _counts((times + 1) * size),
            len(ended) * size,
        )
        return self._rollout(steps, torch.ones_like(ended), actor), finished

    def _rollout(self, steps: dict[str, Tensor], mask: Tensor, actor: Actor) -> Rollout:
        cut = steps["truncated"].transpose(0, 1)
        return Rollout(
            observations=steps["observations"],
            actions=steps["actions"],
            rewards=steps["rewards"],
            terminated=steps["terminated"],
            truncated=steps["truncated"],
            mask=mask,
            elapsed=steps["elapsed"],
            final_observations=steps["following"].transpose(0, 1)[cut],
            whole_episodes=self._steps is None,
            greedy=steps["greedy"] if actor.greedy_share else None,
            greedy_share=actor.greedy_share,
        )


_KEPT = ("observations", "following", "actions", "rewards", "totals", "elapsed", "terminated", "truncated", "greedy")


def _largest_divisor(steps: int) -> int:
    """The largest number up to ``CHUNK`` that divides ``steps``."""
    return next(length for length in range(min(CHUNK, steps), 0, -1) if steps % length == 0)


def _numbers(tensor: Tensor) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = tensor.cpu().double().numpy()
    return numbers


def _counts(tensor: Tensor) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = tensor.cpu().numpy()
    return counts
