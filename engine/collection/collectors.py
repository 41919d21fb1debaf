"""Collecting experience: whole episodes, or the same number of steps in every environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.environments.batches.interface import EnvironmentBatch
from engine.experience.rollouts import Rollout
from engine.policies.actor import Actor
from engine.reports.events import Heartbeat, Heartbeats
from engine.runtime.errors import RunError
from engine.runtime.heartbeat import HeartbeatTimer

FIRST_ROOM, MOST_ROOM = 1 << 26, 1 << 32  # bytes for the steps of one iteration, at first and at most
RESET_AT_ONCE = 64  # environments
LONGEST_EPISODE = 200_000  # steps; an episode longer than this has no end that learning could wait for


@dataclass(frozen=True)
class FinishedEpisodes:
    """The episodes that ended: undiscounted raw ``returns``, ``lengths`` in steps, how many steps had been ``taken``
    since collecting began when each ended, and the ``environments`` they were played in, None where that is not known;
    [episodes] each. Whole episodes are in the order in which they were begun, those of a fixed-length rollout in the
    order in which they ended."""

    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    taken: NDArray[np.int64]
    steps: int
    environments: NDArray[np.int64] | None = None


Collection = tuple[Rollout, FinishedEpisodes]
Collecting = Heartbeats[Collection]


class Storage:
    """Time-major arrays for a batch of environments, which can grow."""

    def __init__(self, environment: EnvironmentInfo, size: int, capacity: int) -> None:
        self._environment, self._size = environment, size
        self._per_step = size * (_bytes(environment.observation) + _bytes(environment.action) + 20)
        self.capacity = 0
        self.reserve(max(1, min(capacity, FIRST_ROOM // self._per_step)))

    observations: NDArray[Any]
    actions: NDArray[Any]
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    mask: NDArray[np.bool_]
    greedy: NDArray[np.bool_]
    elapsed: NDArray[np.int64]

    def reserve(self, capacity: int) -> None:
        """Make room for ``capacity`` steps, keeping what is there."""
        if capacity * self._per_step > MOST_ROOM:
            raise RunError(
                f"{self._size} environments of {self._environment.id} at once take more than {MOST_ROOM >> 30} GiB "
                "of memory; use fewer episodes, environments or steps per update."
            )
        shape = (capacity, self._size)
        fresh: dict[str, NDArray[Any]] = {
            "observations": _empty(shape, self._environment.observation),
            "actions": _empty(shape, self._environment.action),
            "rewards": np.zeros(shape, np.float64),
            "elapsed": np.zeros(shape, np.int64),
        } | {name: np.zeros(shape, np.bool_) for name in ("terminated", "truncated", "mask", "greedy")}
        for name, array in fresh.items():
            if self.capacity:
                array[: self.capacity] = getattr(self, name)
            setattr(self, name, array)
        self.capacity = capacity

    def clear(self, steps: int) -> None:
        """Forget the first ``steps`` steps."""
        for array in (self.rewards, self.terminated, self.truncated, self.mask):
            array[:steps] = 0

    def rollout(self, steps: int, final: list[NDArray[Any]], device: torch.device, **rest: Any) -> Rollout:
        def tensor(array: NDArray[Any]) -> Tensor:
            return torch.from_numpy(array[:steps]).to(device)

        after = np.concatenate(final) if final else self.observations[:1, :0].reshape(0, *self.observations.shape[2:])
        return Rollout(
            observations=tensor(self.observations),
            actions=tensor(self.actions),
            rewards=tensor(self.rewards[:steps].astype(np.float32)),
            terminated=tensor(self.terminated),
            truncated=tensor(self.truncated),
            mask=tensor(self.mask),
            elapsed=tensor(self.elapsed),
            final_observations=torch.from_numpy(after).to(device),
            greedy=tensor(self.greedy) if rest.get("greedy_share") else None,
            **rest,
        )


class EpisodeCollector:
    """Plays one episode in every environment of a batch at once.

    Which episodes count is settled before any is played, so long ones are as likely to be counted as short ones:
    taking the first N to finish would favour short episodes and bias every estimate. Environments whose episode has
    ended are left out of the remaining steps.
    """

    def __init__(self, batch: EnvironmentBatch, environment: EnvironmentInfo, device: torch.device) -> None:
        self._batch, self._environment, self._device = batch, environment, device
        self._storage = Storage(environment, batch.size, min(environment.time_limit or 1024, 1024))
        self._used = 0

    def collect(self, actor: Actor) -> Collecting:
        """One episode per environment, with the actions of ``actor``.

        Yields signs of life; returns the rollout and what its episodes came to.

        Raises:
            RunError: the environment raised or gave what cannot be learned from, or an episode had no end.
        """
        storage, size = self._storage, self._batch.size
        storage.clear(self._used)
        timer = HeartbeatTimer()
        indices = np.arange(size)
        observations = yield from _reset_all(self._batch, timer)
        final = np.empty_like(observations)
        state = actor.start(size)
        steps, taken = 0, 0
        while len(indices):
            if steps == storage.capacity:
                self._grow()
            actions, greedy, state = actor.act(observations, state)
            moved = self._batch.step(actions, indices)
            where = (steps, slice(None)) if len(indices) == size else (steps, indices)
            storage.observations[where] = observations
            storage.actions[where] = actions
            storage.rewards[where] = moved.rewards
            storage.terminated[where] = moved.terminated
            storage.truncated[where] = moved.truncated & ~moved.terminated
            storage.mask[where] = True
            storage.elapsed[where] = steps
            if greedy is not None:
                storage.greedy[where] = greedy
            steps, taken = steps + 1, taken + len(indices)
            observations = moved.observations
            ended = moved.terminated | moved.truncated
            if ended.any():
                final[indices[ended]] = observations[ended]
                indices, observations = indices[~ended], observations[~ended]
                state = None if state is None else state[torch.from_numpy(~ended).to(state.device)]
            if timer.due():
                yield Heartbeat("collecting", taken)
        self._used = steps
        cut = storage.truncated[:steps].any(0)
        before = actor.start(size)
        rollout = storage.rollout(steps, [final[cut]], self._device, greedy_share=actor.greedy_share, states=before)
        return rollout, self._finished(steps)

    def _finished(self, steps: int) -> FinishedEpisodes:
        mask = self._storage.mask[:steps]
        lengths = mask.sum(0)
        returns = self._storage.rewards[:steps].sum(0)
        taken = mask.sum(1).cumsum()[lengths - 1]
        return FinishedEpisodes(returns, lengths, taken, int(mask.sum()), np.arange(self._batch.size))

    def _grow(self) -> None:
        if self._storage.capacity >= LONGEST_EPISODE:
            raise endless(self._environment)
        self._storage.reserve(min(2 * self._storage.capacity, LONGEST_EPISODE))


def endless(environment: EnvironmentInfo) -> RunError:
    """What to report of an episode of ``LONGEST_EPISODE`` steps."""
    return RunError(
        f"An episode of {environment.id} did not end within {LONGEST_EPISODE} steps; "
        "only environments whose episodes end can be learned from in whole episodes."
    )


class FixedLengthCollector:
    """Takes the same number of steps in every environment; an episode that ends is followed by the next at once, and
    one still under way goes on when the next rollout is collected."""

    def __init__(self, batch: EnvironmentBatch, environment: EnvironmentInfo, device: torch.device, steps: int) -> None:
        self._batch, self._device, self._steps = batch, device, steps
        self._storage = Storage(environment, batch.size, steps)
        if self._storage.capacity < steps:
            self._storage.reserve(steps)
        self._storage.mask[:] = True
        self._observations: NDArray[Any] | None = None
        self._state: Tensor | None = None
        self._elapsed = np.zeros(batch.size, np.int64)
        self._returns = np.zeros(batch.size)

    def collect(self, actor: Actor) -> Collecting:
        """The next rollout, with the actions of ``actor``; as ``EpisodeCollector.collect``."""
        storage, size = self._storage, self._batch.size
        timer = HeartbeatTimer()
        indices = np.arange(size)
        if self._observations is None:
            self._observations = yield from _reset_all(self._batch, timer)
            self._state = actor.start(size)
        observations, state = self._observations, self._state
        before = None if state is None else state.clone()
        finals: list[tuple[NDArray[np.int64], NDArray[Any]]] = []
        ended_episodes: list[tuple[float, int, int, int]] = []
        for step in range(self._steps):
            actions, greedy, state = actor.act(observations, state)
            moved = self._batch.step(actions, indices)
            storage.observations[step] = observations
            storage.actions[step] = actions
            storage.rewards[step] = moved.rewards
            storage.terminated[step] = moved.terminated
            cut = moved.truncated & ~moved.terminated
            storage.elapsed[step] = self._elapsed
            if greedy is not None:
                storage.greedy[step] = greedy
            self._elapsed += 1
            self._returns += moved.rewards
            observations = moved.observations
            ended = moved.terminated | moved.truncated
            over = ended if step < self._steps - 1 else ~moved.terminated
            storage.truncated[step] = cut if step < self._steps - 1 else over
            if over.any():
                unfinished = storage.truncated[step].nonzero()[0]
                finals.append((unfinished, observations[unfinished]))
            if ended.any():
                again = indices[ended]
                taken = (step + 1) * size
                ended_episodes += [(self._returns[i], self._elapsed[i], taken, i) for i in again.tolist()]
                self._elapsed[again] = 0
                self._returns[again] = 0.0
                observations = observations.copy()
                observations[again] = self._batch.reset(again)
                if state is not None:
                    state = state.clone()  # out of inference mode, in which nothing may be written to it
                    state[again] = 0.0
            if timer.due():
                yield Heartbeat("collecting", (step + 1) * size)
        self._observations, self._state = observations, state
        rollout = storage.rollout(
            self._steps,
            _by_environment(finals),
            self._device,
            greedy_share=actor.greedy_share,
            whole_episodes=False,
            states=before,
        )
        return rollout, _as_finished(ended_episodes, self._steps * size)


class Collector(Protocol):
    """What collects the experience of one iteration."""

    def collect(self, actor: Actor) -> Collecting:
        """As ``EpisodeCollector.collect``."""


def _by_environment(finals: list[tuple[NDArray[np.int64], NDArray[Any]]]) -> list[NDArray[Any]]:
    """Final observations, gathered step by step, in the order of their environments, then of time."""
    if not finals:
        return []
    order = np.argsort(np.concatenate([indices for indices, _ in finals]), kind="stable")
    return [np.concatenate([observations for _, observations in finals])[order]]


def _as_finished(episodes: list[tuple[float, int, int, int]], steps: int) -> FinishedEpisodes:
    return FinishedEpisodes(
        returns=np.array([episode[0] for episode in episodes], np.float64),
        lengths=np.array([episode[1] for episode in episodes], np.int64),
        taken=np.array([episode[2] for episode in episodes], np.int64),
        steps=steps,
        environments=np.array([episode[3] for episode in episodes], np.int64),
    )


def _reset_all(batch: EnvironmentBatch, timer: HeartbeatTimer) -> Heartbeats[NDArray[Any]]:
    first = []
    for some in np.array_split(np.arange(batch.size), -(-batch.size // RESET_AT_ONCE)):
        first.append(batch.reset(some))
        if timer.due():
            yield Heartbeat("resetting")
    return np.concatenate(first)


def _bytes(space: Space) -> int:
    if space.kind == "discrete":
        return 8
    return 4 * space.size if space.kind == "box" else 8 * len(_parts(space))


def _parts(space: Space) -> tuple[int, ...]:
    return space.parts if space.kind == "multi-discrete" else (2,) * space.size


def _empty(shape: tuple[int, int], space: Space) -> NDArray[Any]:
    if space.kind == "discrete":
        return np.zeros(shape, np.int64)
    if space.kind == "box":
        return np.zeros((*shape, space.size), np.float32)
    return np.zeros((*shape, len(_parts(space))), np.int64)
