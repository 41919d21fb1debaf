"""Collecting experience without leaving the device on which the policy and the environments are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from engine.catalogue.spaces import EnvironmentInfo
from engine.collection.collector import (
    LONGEST_EPISODE,
    Collecting,
    Collection,
    Ends,
    EpisodeBound,
    Steps,
    WholeEpisodes,
    counts,
    endless,
    fixed_length,
    numbers,
    whole_episodes,
)
from engine.config import RunConfig
from engine.environments.batches.batched import BatchedEnvironments, batched
from engine.policies.actor import NOT_FINITE, Actor
from engine.reports.events import Heartbeat, Heartbeats
from engine.runtime.cuda_graph import CudaGraph
from engine.runtime.errors import RunError
from engine.runtime.heartbeat import HeartbeatTimer
from engine.runtime.state import Parts, State, TensorState

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


class DeviceEpisodes:
    """The episodes that environments on a device are in the middle of, in tensors that stay where they are: what is
    shown now [N, …], steps and raw returns so far [N]. None is ``begun`` before the first ``restart``."""

    def __init__(self, environments: BatchedEnvironments) -> None:
        self.environments = environments
        self.observations: Tensor = environments.observe()
        device = self.observations.device
        self.elapsed = torch.zeros(environments.size, dtype=torch.int64, device=device)
        real = torch.float32 if device.type == "mps" else torch.float64
        self.returns = torch.zeros(environments.size, dtype=real, device=device)
        self.begun = False
        self._tensors = TensorState(
            {"observations": self.observations, "elapsed": self.elapsed, "returns": self.returns}
        )

    def restart(self) -> None:
        """Begin an episode in every environment."""
        self.observations.copy_(self.environments.restart())
        self.elapsed.zero_()
        self.returns.zero_()
        self.begun = True

    def state(self) -> State:
        return {"begun": self.begun, "tensors": self._tensors.state()}

    def load(self, state: Mapping[str, Any]) -> None:
        self.begun = state["begun"]
        self._tensors.load(state["tensors"])


class Chunk:
    """The next steps of all environments, in tensors [steps, N, …] that are written anew by every ``take``.

    An episode that ends is followed by the next one at once. ``following`` is what was seen after each step, at an
    episode's end its true final observation; ``totals`` is the episode's return so far, that step included.
    """

    def __init__(self, episodes: DeviceEpisodes, actor: Actor, steps: int) -> None:
        self._episodes, self._actor = episodes, actor
        now = episodes.observations
        random_numbers = actor.generator.get_state()
        with torch.no_grad():
            actions, _, _ = actor.decide(now, None)  # only to see of which shape they are
        actor.generator.set_state(random_numbers)
        shape = (steps, len(now))
        self.observations = now.new_zeros(steps, *now.shape)
        self.following = torch.zeros_like(self.observations)
        self.actions = actions.new_zeros(steps, *actions.shape)
        self.rewards = torch.zeros(shape, device=now.device)
        self.totals = episodes.returns.new_zeros(shape)
        self.elapsed = episodes.elapsed.new_zeros(shape)
        self.terminated, self.truncated, self.greedy = (
            torch.zeros(shape, dtype=torch.bool, device=now.device) for _ in range(3)
        )
        self._take = CudaGraph(self._steps, now.device, actor.generator)

    def take(self) -> dict[str, Tensor]:
        """The next steps, in memory that stays."""
        with torch.no_grad():
            self._take((self._actor.temperature, self._actor.greedy_share))
            return {name: getattr(self, name).clone() for name in _KEPT}

    def _steps(self) -> None:
        now, elapsed, returns = self._episodes.observations, self._episodes.elapsed, self._episodes.returns
        environments = self._episodes.environments
        for step in range(len(self.rewards)):
            actions, greedy, _ = self._actor.decide(now, None)
            moved: Any = environments.advance(self._actor.to_environment_there(actions))  # of tensors, here
            ended = moved.terminated | moved.truncated
            returns += moved.rewards
            self.observations[step] = now
            self.actions[step] = actions
            self.following[step] = moved.observations
            self.rewards[step] = moved.rewards
            self.totals[step] = returns
            self.elapsed[step] = elapsed
            self.terminated[step] = moved.terminated
            self.truncated[step] = moved.truncated & ~moved.terminated
            if greedy is not None:
                self.greedy[step] = greedy
            now.copy_(environments.restart(ended))
            elapsed.add_(1).mul_(~ended)
            returns.mul_(~ended)


class DeviceEpisodeCollector:
    """Plays one episode in every environment, as ``EpisodeCollector`` does, with everything on one device; the host
    waits for it once a chunk, to know whether all episodes have ended.

    The episodes are the first that each environment plays after all have begun anew; what those that end early play
    after that is thrown away.
    """

    def __init__(
        self, environments: BatchedEnvironments, environment: EnvironmentInfo, budget: int | None = None
    ) -> None:
        self._episodes, self._environment = DeviceEpisodes(environments), environment
        self._bound = EpisodeBound(environment, budget)
        self.parts = Parts()
        self.parts.add("environments", environments)
        self._chunk: Chunk | None = None

    def state(self) -> State:
        return self.parts.state()

    def load(self, state: Mapping[str, Any]) -> None:
        self.parts.load(state)

    def collect(self, actor: Actor, *, watched: bool = False) -> Collecting:
        """One episode per environment."""
        with _enough_memory(self._episodes.environments.size, self._environment):
            self._chunk = self._chunk or Chunk(self._episodes, actor, CHUNK)
            self._episodes.restart()
            taken = yield from self._taken(self._chunk)
            return _whole(taken, actor)

    def _taken(self, chunk: Chunk) -> Heartbeats[dict[str, Tensor]]:
        """Chunk after chunk, until all episodes have ended."""
        timer = HeartbeatTimer()
        parts: list[dict[str, Tensor]] = []
        over = torch.zeros_like(chunk.terminated[0])
        while True:
            parts.append(chunk.take())
            over |= (chunk.terminated | chunk.truncated).any(0)
            if bool(over.all()):
                return _joined(parts)
            if len(parts) * CHUNK >= LONGEST_EPISODE:
                raise endless(self._environment)
            if len(parts) * CHUNK * len(over) > self._bound.most:
                raise self._bound.outgrown(len(parts) * CHUNK * len(over))
            if timer.due():
                yield Heartbeat("collecting", len(parts) * CHUNK * len(over))


class DeviceFixedLengthCollector:
    """Takes the same number of ``steps`` in every environment, as ``FixedLengthCollector`` does, with everything on one
    device; the host waits for it once an iteration."""

    def __init__(self, environments: BatchedEnvironments, environment: EnvironmentInfo, steps: int) -> None:
        self._environment, self._steps = environment, steps
        self.parts = Parts()
        self.parts.add("environments", environments)
        self._episodes = self.parts.add("episodes", DeviceEpisodes(environments))
        self._chunk: Chunk | None = None

    def state(self) -> State:
        return self.parts.state()

    def load(self, state: Mapping[str, Any]) -> None:
        self.parts.load(state)

    def collect(self, actor: Actor, *, watched: bool = False) -> Collecting:
        """The next rollout."""
        with _enough_memory(self._episodes.environments.size, self._environment):
            self._chunk = self._chunk or Chunk(self._episodes, actor, _largest_divisor(self._steps))
            if not self._episodes.begun:
                self._episodes.restart()
            taken = yield from self._taken(self._chunk)
            return _fixed_length(taken, actor)

    def _taken(self, chunk: Chunk) -> Heartbeats[dict[str, Tensor]]:
        """Chunk after chunk, until there are enough steps."""
        timer = HeartbeatTimer()
        parts: list[dict[str, Tensor]] = []
        while len(parts) * len(chunk.rewards) < self._steps:
            parts.append(chunk.take())
            if timer.due():
                yield Heartbeat("collecting", len(parts) * chunk.rewards.numel())
        return _joined(parts)


@contextmanager
def _enough_memory(size: int, environment: EnvironmentInfo) -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError:
        raise RunError(
            f"{size} environments of {environment.id} at once take more memory than the device has; use "
            "fewer episodes, environments or steps per update."
        ) from None


_KEPT = ("observations", "following", "actions", "rewards", "totals", "elapsed", "terminated", "truncated", "greedy")


def _joined(parts: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Chunks behind one another.

    Raises:
        RunError: an action is not a finite number.
    """
    taken = {name: torch.cat([part[name] for part in parts]) for name in _KEPT}
    if taken["actions"].is_floating_point() and not bool(taken["actions"].isfinite().all()):
        raise RunError(NOT_FINITE)
    return taken


def _steps(taken: dict[str, Tensor], actor: Actor) -> Steps:
    greedy = taken["greedy"] if actor.greedy_share else None
    return Steps(taken["observations"], taken["actions"], taken["rewards"], greedy, actor.greedy_share)


def _whole(taken: dict[str, Tensor], actor: Actor) -> Collection:
    ended = (taken["terminated"] | taken["truncated"]).int()
    lengths = (ended.cumsum(0) == 0).sum(0) + 1
    last = (lengths - 1).unsqueeze(0)
    returns, terminated = (taken[name].gather(0, last).squeeze(0) for name in ("totals", "terminated"))
    final = taken["following"][last.squeeze(0), torch.arange(len(lengths), device=lengths.device)]
    return whole_episodes(_steps(taken, actor), WholeEpisodes(numbers(returns), lengths, terminated, final))


def _fixed_length(taken: dict[str, Tensor], actor: Actor) -> Collection:
    terminated, truncated = taken["terminated"], taken["truncated"]
    ended = terminated | truncated
    returns, lengths = numbers(taken["totals"][ended]), counts(taken["elapsed"][ended] + 1)
    ends = Ends(terminated, truncated, taken["elapsed"], returns, lengths)
    cut = truncated.clone()
    cut[-1] = ~terminated[-1]
    after_cuts = taken["following"].transpose(0, 1)[cut.transpose(0, 1)]
    return fixed_length(_steps(taken, actor), ends, after_cuts)


def _largest_divisor(steps: int) -> int:
    """The largest number up to ``CHUNK`` that divides ``steps``."""
    return next(length for length in range(min(CHUNK, steps), 0, -1) if steps % length == 0)
