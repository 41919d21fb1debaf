"""Collecting experience: whole episodes, or the same number of steps in every environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.collection.collector import (
    LONGEST_EPISODE,
    Collecting,
    Ends,
    EpisodeBound,
    Steps,
    WholeEpisodes,
    endless,
    fixed_length,
    whole_episodes,
)
from engine.environments.batches.interface import NONE, EnvironmentBatch, Indices
from engine.policies.actor import Actor
from engine.reports.events import EpisodeEnded, Heartbeat, Heartbeats
from engine.runtime.errors import RunError
from engine.runtime.heartbeat import HeartbeatTimer
from engine.runtime.state import Parts, State

FIRST_ROOM, MOST_ROOM = 1 << 26, 1 << 32  # bytes for the steps of one iteration, at first and at most
RESET_AT_ONCE = 64  # environments
UNDER_WAY = "under way"  # where the state of a run alone holds episodes that were begun together with other runs


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
    greedy: NDArray[np.bool_]

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
            "greedy": np.zeros(shape, np.bool_),
        }
        for name, array in fresh.items():
            if self.capacity:
                array[: self.capacity] = getattr(self, name)
            setattr(self, name, array)
        self.capacity = capacity

    def steps(
        self, rows: slice, columns: slice, device: torch.device, greedy_share: float, memory: Tensor | None = None
    ) -> Steps:
        """What is stored in these rows, for the environments of these columns."""

        def tensor(array: NDArray[Any]) -> Tensor:
            return torch.from_numpy(array[rows, columns]).to(device)

        greedy = tensor(self.greedy) if greedy_share else None
        return Steps(
            tensor(self.observations), tensor(self.actions), tensor(self.rewards), greedy, greedy_share, memory
        )


class EpisodeCollector:
    """Plays one episode in every environment of a batch at once.

    Which episodes count is settled before any is played, so long ones are as likely to be counted as short ones:
    taking the first N to finish would favour short episodes and bias every estimate. Environments whose episode has
    ended are left out of the remaining steps.
    """

    def __init__(
        self, batch: EnvironmentBatch, environment: EnvironmentInfo, device: torch.device, budget: int | None = None
    ) -> None:
        self._batch, self._environment, self._device = batch, environment, device
        self._bound = EpisodeBound(environment, budget)
        self.parts = Parts()
        self.parts.add("environments", batch)
        self._storage = Storage(environment, batch.size, min(environment.time_limit or 1024, 1024))
        self._used = 0
        self._under_way: Mapping[str, Any] | None = None  # episodes that others have begun to play

    def state(self) -> State:
        begun = {} if self._under_way is None else {UNDER_WAY: self._under_way}
        return self.parts.state() | begun

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``, which may be that of one seed of several, in the middle of its episodes; where one of
        those broke off, all begin anew."""
        begun = state.get(UNDER_WAY)
        self.parts.load({name: part for name, part in state.items() if name != UNDER_WAY})
        self._under_way = begun if len(self._batch.interrupted) == 0 else None

    def collect(self, actor: Actor, *, watched: bool = False) -> Collecting:
        """One episode per environment."""
        storage, size, most = self._storage, self._batch.size, self._bound.most
        storage.rewards[: self._used] = 0.0
        timer = HeartbeatTimer()
        memory = actor.start(size)
        if self._under_way is None:
            indices = np.arange(size)
            observations = yield from _reset_all(self._batch, timer)
            final = np.empty_like(observations)
            lengths, terminated = np.zeros(size, np.int64), np.zeros(size, np.bool_)
            steps, taken = 0, 0
        else:
            steps, indices, final, lengths, terminated = self._begun(self._under_way)
            observations, taken = final[indices], int(lengths.sum()) + steps * len(indices)
            self._under_way = None
        self._used = storage.capacity  # unless it comes to its end, no one knows how much
        while len(indices):
            if steps == storage.capacity:
                self._grow()
                self._used = storage.capacity
            actions, greedy, memory = actor.act(observations, memory)
            moved = self._batch.step(actor.to_environment(actions), indices)
            where = (steps, slice(None)) if len(indices) == size else (steps, indices)
            storage.observations[where] = observations
            storage.actions[where] = actions
            storage.rewards[where] = moved.rewards
            if greedy is not None:
                storage.greedy[where] = greedy
            steps, taken = steps + 1, taken + len(indices)
            if taken > most:
                raise self._bound.outgrown(taken)
            observations = moved.observations
            ended = moved.terminated | moved.truncated
            if ended.any():
                over = indices[ended]
                final[over], lengths[over], terminated[over] = observations[ended], steps, moved.terminated[ended]
                if watched:
                    played = np.full(len(over), steps)
                    yield from _told(over, storage.rewards[:steps], played, storage.rewards[:steps].sum(0)[over], taken)
                indices, observations = indices[~ended], observations[~ended]
                memory = None if memory is None else memory[torch.from_numpy(~ended).to(memory.device)]
            if timer.due():
                yield Heartbeat("collecting", taken)
        self._used = steps
        rows, everywhere = slice(steps), slice(None)
        stored = storage.steps(rows, everywhere, self._device, actor.greedy_share, actor.start(size))
        ends = [torch.from_numpy(array).to(self._device) for array in (lengths, terminated, final)]
        return whole_episodes(stored, WholeEpisodes(storage.rewards[rows].sum(0), *ends))

    def _begun(
        self, under_way: Mapping[str, Any]
    ) -> tuple[int, Indices, NDArray[Any], NDArray[np.int64], NDArray[np.bool_]]:
        """How many steps have been taken in the episodes ``under_way``, where they go on, and by environment what it
        shows, how many steps it took to its end, 0 before that, and whether it terminated."""
        stored, running = under_way["stored"], under_way["running"]
        steps = len(stored["rewards"])
        if steps > self._storage.capacity:
            self._storage.reserve(steps)
        for name, array in stored.items():
            getattr(self._storage, name)[:steps] = array
        ended = ~running
        self._storage.rewards[:steps][np.arange(steps)[:, None] >= np.where(running, steps, under_way["lengths"])] = 0.0
        return (
            steps,
            running.nonzero()[0],
            under_way["seen"].copy(),
            np.where(ended, under_way["lengths"], 0),
            ended & under_way["terminated"],
        )

    def _grow(self) -> None:
        if self._storage.capacity >= LONGEST_EPISODE:
            raise endless(self._environment)
        self._storage.reserve(min(2 * self._storage.capacity, LONGEST_EPISODE))


class UnfinishedEpisodes:
    """The episodes that one rollout ends in the middle of and the next goes on with: what every environment shows, the
    policy's memory [N, hidden], and steps and raw returns so far [N]. Nothing is shown before the first rollout."""

    def __init__(self, size: int) -> None:
        self.observations: NDArray[Any] | None = None
        self.memory: Tensor | None = None
        self.elapsed, self.returns = np.zeros(size, np.int64), np.zeros(size)

    def state(self) -> State:
        return {
            "observations": None if self.observations is None else self.observations.copy(),
            "memory": None if self.memory is None else self.memory.clone(),
            "elapsed": self.elapsed.copy(),
            "returns": self.returns.copy(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        if state["elapsed"].shape != self.elapsed.shape:
            raise ValueError(f"This state is of {len(state['elapsed'])} environments, not of {len(self.elapsed)}.")
        observations, memory = state["observations"], state["memory"]
        self.observations = None if observations is None else observations.copy()
        self.memory = None if memory is None else memory.clone()
        self.elapsed[:], self.returns[:] = state["elapsed"], state["returns"]


class FixedLengthCollector:
    """Takes the same number of steps in every environment; an episode that ends is followed by the next at once, and
    one still under way goes on when the next rollout is collected."""

    def __init__(self, batch: EnvironmentBatch, environment: EnvironmentInfo, device: torch.device, steps: int) -> None:
        self._batch, self._device, self._steps = batch, device, steps
        self._storage = Storage(environment, batch.size, steps)
        if self._storage.capacity < steps:
            self._storage.reserve(steps)
        shape = (steps, batch.size)
        self._terminated, self._truncated = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        self._elapsed = np.zeros(shape, np.int64)
        self.parts = Parts()
        self.parts.add("environments", batch)
        self._unfinished = self.parts.add("episodes", UnfinishedEpisodes(batch.size))
        self._interrupted = NONE

    def state(self) -> State:
        return self.parts.state()

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``; where an episode broke off, the next rollout begins with another one."""
        self.parts.load(state)
        self._interrupted = self._batch.interrupted

    def collect(self, actor: Actor, *, watched: bool = False) -> Collecting:
        """The next rollout."""
        storage, unfinished, size = self._storage, self._unfinished, self._batch.size
        timer = HeartbeatTimer()
        indices = np.arange(size)
        observations, memory = yield from self._begun(actor, timer)
        before = None if memory is None else memory.clone()
        elapsed, returns = unfinished.elapsed, unfinished.returns
        finished_returns, finished_lengths = [np.zeros(0)], [NONE]
        after_cuts: list[tuple[Indices, NDArray[Any]]] = []
        for step in range(self._steps):
            actions, greedy, memory = actor.act(observations, memory)
            moved = self._batch.step(actor.to_environment(actions), indices)
            storage.observations[step] = observations
            storage.actions[step] = actions
            storage.rewards[step] = moved.rewards
            self._terminated[step] = moved.terminated
            cut = moved.truncated & ~moved.terminated
            self._truncated[step] = cut
            self._elapsed[step] = elapsed
            if greedy is not None:
                storage.greedy[step] = greedy
            elapsed += 1
            returns += moved.rewards
            observations = moved.observations
            ended = moved.terminated | moved.truncated
            some_ended = ended.any()
            if step == self._steps - 1:
                cut = ~moved.terminated
                after_cuts.append((indices[cut], observations[cut]))
            elif some_ended:
                after_cuts.append((indices[cut], observations[cut]))
            if some_ended:
                again = indices[ended]
                finished_returns.append(returns[again])
                finished_lengths.append(elapsed[again])
                if watched:
                    yield from _told(
                        again, storage.rewards[: step + 1], elapsed[again], returns[again], (step + 1) * size
                    )
                observations = observations.copy()
                memory = self._begin_again(again, observations, memory)
            if timer.due():
                yield Heartbeat("collecting", (step + 1) * size)
        unfinished.observations, unfinished.memory = observations, memory
        stored = storage.steps(slice(self._steps), slice(None), self._device, actor.greedy_share, before)
        terminated, truncated, elapsed_before = (
            torch.from_numpy(array).to(self._device) for array in (self._terminated, self._truncated, self._elapsed)
        )
        finished = np.concatenate(finished_returns), np.concatenate(finished_lengths)
        ends = Ends(terminated, truncated, elapsed_before, *finished)
        return fixed_length(stored, ends, torch.from_numpy(_by_environment(after_cuts)).to(self._device))

    def _begun(self, actor: Actor, timer: HeartbeatTimer) -> Heartbeats[tuple[NDArray[Any], Tensor | None]]:
        """What every environment shows, and what the policy remembers, before the first step."""
        unfinished = self._unfinished
        if unfinished.observations is None:
            unfinished.memory = actor.start(self._batch.size)
            return (yield from _reset_all(self._batch, timer)), unfinished.memory
        memory = None if unfinished.memory is None else unfinished.memory.to(self._device)
        if len(self._interrupted):
            memory = self._begin_again(self._interrupted, unfinished.observations, memory)
            self._interrupted = NONE
        return unfinished.observations, memory

    def _begin_again(self, which: Indices, observations: NDArray[Any], memory: Tensor | None) -> Tensor | None:
        """Begin the next episode in environments whose last one is over; the memory after that."""
        self._unfinished.elapsed[which] = 0
        self._unfinished.returns[which] = 0.0
        observations[which] = self._batch.reset(which)
        if memory is not None:
            memory = memory.clone()  # out of inference mode, in which nothing may be written to it
            memory[which] = 0.0
        return memory


def _told(
    environments: Indices, rewards: NDArray[np.float64], lengths: Indices, totals: NDArray[np.float64], taken: int
) -> Iterator[EpisodeEnded]:
    """The episodes of these ``environments`` that ended with the last of the ``rewards`` [steps, N], after so many
    steps ``taken`` by all."""
    for environment, length, total in zip(environments.tolist(), lengths.tolist(), totals.tolist(), strict=True):
        own = rewards[max(len(rewards) - length, 0) :, environment].astype(np.float32)
        yield EpisodeEnded(environment=environment, rewards=own, total=total, length=length, environment_steps=taken)


def _by_environment(seen: list[tuple[Indices, NDArray[Any]]]) -> NDArray[Any]:
    """Observations gathered step by step, in the order of their environments, then of time."""
    order = np.argsort(np.concatenate([indices for indices, _ in seen]), kind="stable")
    return np.concatenate([observations for _, observations in seen])[order]


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
