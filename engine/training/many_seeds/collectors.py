"""Collecting for several seeds in one batch of environments: seed after seed, each in columns of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from engine.catalogue.spaces import EnvironmentInfo
from engine.collection.collectors import (
    LONGEST_EPISODE,
    Collecting,
    Collection,
    FinishedEpisodes,
    FixedLengthCollector,
    Storage,
)
from engine.environments.batches.interface import EnvironmentBatch, Indices
from engine.experience.rollouts import Rollout
from engine.policies.actor import Actor
from engine.reports.events import Heartbeat, Heartbeats
from engine.runtime.errors import RunError
from engine.runtime.heartbeat import HeartbeatTimer
from engine.training.many_seeds.actor import JointActor

PATIENCE = 128


class PendingCollection:
    """What a seed's run takes for a collector: it waits there until its share of the joint collection is complete."""

    def __init__(self) -> None:
        self.waiting = False
        self.greedy_share = 0.0
        self._result: Collection | RunError | None = None

    def collect(self, actor: Actor) -> Collecting:
        """As ``EpisodeCollector.collect``; the run is not to be resumed before ``complete``."""
        self.waiting, self.greedy_share = True, actor.greedy_share
        while self._result is None:
            yield Heartbeat("collecting")
        collected, self._result = self._result, None
        if isinstance(collected, RunError):
            raise collected
        return collected

    def complete(self, collected: Collection | RunError) -> None:
        """Let the run go on, with what was collected for it or with what went wrong."""
        self._result, self.waiting = collected, False


class JointCollector(Protocol):
    """What collects for all seeds at once."""

    def collect(self, pending: Mapping[int, PendingCollection]) -> Heartbeats[list[int]]:
        """Go on until some of those ``pending``, by their seeds' indices, are complete; which ones."""


class JointFixedLengthCollector:
    """The same number of steps in every environment: all seeds wait for each other, and none waits long."""

    def __init__(self, collector: FixedLengthCollector, actor: JointActor, seeds: int) -> None:
        self._collector, self._actor, self._seeds = collector, actor, seeds

    def collect(self, pending: Mapping[int, PendingCollection]) -> Heartbeats[list[int]]:
        for seed, one in pending.items():
            self._actor.refresh(seed, one.greedy_share)
        rollout, finished = yield from self._collector.collect(self._actor)
        for seed, one in pending.items():
            one.complete(self._actor.failure(seed) or self._share(rollout, finished, seed, one.greedy_share))
        return list(pending)

    def _share(self, rollout: Rollout, finished: FinishedEpisodes, seed: int, greedy_share: float) -> Collection:
        """The columns of the seed at this index."""
        each = rollout.environments // self._seeds
        columns = slice(seed * each, (seed + 1) * each)
        cuts = rollout.truncated.sum(0)
        before, here = int(cuts[: columns.start].sum()), int(cuts[columns].sum())
        own = replace(
            rollout,
            **{name: getattr(rollout, name)[:, columns] for name in _COLUMNS},
            final_observations=rollout.final_observations[before : before + here],
            greedy=None if rollout.greedy is None or greedy_share == 0.0 else rollout.greedy[:, columns],
            greedy_share=greedy_share,
        )
        assert finished.environments is not None
        mine = finished.environments // each == seed
        return own, FinishedEpisodes(
            returns=finished.returns[mine],
            lengths=finished.lengths[mine],
            taken=finished.taken[mine] // self._seeds,
            steps=finished.steps // self._seeds,
            environments=finished.environments[mine] - columns.start,
        )


_COLUMNS = ("observations", "actions", "rewards", "terminated", "truncated", "mask", "elapsed")


class JointEpisodeCollector:
    """Whole episodes: one in each of a seed's environments, in the seed's own time.

    Seeds do not wait for each other's longest episode. One whose episodes have all ended learns from them and begins
    the next while the others play on, so that a step taken for all serves nearly all. Only to learn in company do
    seeds wait: ``PATIENCE`` steps, counted over all who wait. Which episodes a seed learns from is settled before they
    are played, as in ``EpisodeCollector``.
    """

    def __init__(self, batch: EnvironmentBatch, environment: EnvironmentInfo, actor: JointActor, seeds: int) -> None:
        self._batch, self._actor, self._seeds, self._each = batch, actor, seeds, batch.size // seeds
        self._id = environment.id
        # Room for several episodes one after another, since seeds begin at different times.
        self._storage = Storage(environment, batch.size, 4 * min(environment.time_limit or 1024, 1024))
        self._row = 0
        self._begun = np.full(seeds, -1)  # the row at which each seed began to play; -1 where it does not
        self._running = np.zeros(batch.size, np.bool_)
        self._indices: Indices = np.arange(0)
        self._lengths = np.zeros(batch.size, np.int64)
        self._terminated = np.zeros(batch.size, np.bool_)
        self._seen: NDArray[Any] | None = None  # what each environment shows, its last observation once it has ended

    def collect(self, pending: Mapping[int, PendingCollection]) -> Heartbeats[list[int]]:
        fresh = [seed for seed in pending if self._begun[seed] < 0]
        for seed in fresh:
            self._actor.refresh(seed, pending[seed].greedy_share)
        self._begin(fresh)
        timer = HeartbeatTimer()
        patience, done = PATIENCE, []
        while len(self._indices) and patience > 0:
            if self._tick():
                done = [seed for seed in pending if not self._columns(self._running, seed).any()]
            patience -= len(done)
            if timer.due():
                yield Heartbeat("collecting")
        for seed in done:
            collected = self._played(seed, pending[seed].greedy_share)
            pending[seed].complete(self._actor.failure(seed) or collected)
            self._begun[seed] = -1
        return done

    def _begin(self, seeds: list[int]) -> None:
        if not seeds:
            return
        indices = np.concatenate([np.arange(seed * self._each, (seed + 1) * self._each) for seed in sorted(seeds)])
        first = self._batch.reset(indices)
        if self._seen is None:
            self._seen = np.zeros((self._batch.size, *first.shape[1:]), first.dtype)
        self._seen[indices] = first
        self._running[indices] = True
        self._indices = self._running.nonzero()[0]
        if (self._begun < 0).all():
            self._row = 0
        self._begun[seeds] = self._row

    def _tick(self) -> bool:
        """One step in every environment whose episode goes on; whether one ended."""
        storage, indices, seen = self._storage, self._indices, self._seen
        assert seen is not None
        if self._row == storage.capacity:
            self._make_room()
        row = self._row
        actions, greedy, _ = self._actor.act(seen, None)
        storage.observations[row] = seen
        storage.actions[row] = actions
        if greedy is not None:
            storage.greedy[row] = greedy
        if len(indices) == len(seen):
            moved = self._batch.step(actions, indices)
            storage.rewards[row] = moved.rewards
            seen[:] = moved.observations
        else:
            moved = self._batch.step(actions[indices], indices)
            storage.rewards[row, indices] = moved.rewards
            seen[indices] = moved.observations
        self._row += 1
        ended = moved.terminated | moved.truncated
        if not ended.any():
            return False
        over = indices[ended]
        self._lengths[over] = self._row - self._begun[over // self._each]
        self._terminated[over] = moved.terminated[ended]
        self._running[over] = False
        self._indices = indices[~ended]
        return True

    def _make_room(self) -> None:
        """Forget what no seed still needs, or else take more memory."""
        storage, first = self._storage, int(self._begun[self._begun >= 0].min())
        kept = self._row - first
        if kept > storage.capacity // 2:
            if kept >= LONGEST_EPISODE:
                raise RunError(
                    f"An episode of {self._id} did not end within {LONGEST_EPISODE} steps; only environments whose "
                    "episodes end can be learned from in whole episodes."
                )
            storage.reserve(2 * storage.capacity)
            return
        for array in (storage.observations, storage.actions, storage.rewards, storage.greedy):
            array[:kept] = array[first : self._row]
        self._begun[self._begun >= 0] -= first
        self._row = kept

    def _columns(self, per_environment: NDArray[Any], seed: int) -> NDArray[Any]:
        return per_environment[..., seed * self._each : (seed + 1) * self._each]

    def _played(self, seed: int, greedy_share: float) -> Collection:
        """What the seed at this index has played."""
        assert self._seen is not None
        begun, columns = int(self._begun[seed]), slice(seed * self._each, (seed + 1) * self._each)
        lengths, terminated = self._lengths[columns], self._terminated[columns]
        steps = int(lengths.max())
        window = slice(begun, begun + steps)
        time = np.arange(steps)[:, None]
        mask, last = time < lengths, time == lengths - 1
        storage = self._storage
        rewards = np.where(mask, storage.rewards[window, columns], 0.0)
        rollout = Rollout(
            observations=torch.from_numpy(storage.observations[window, columns]),
            actions=torch.from_numpy(storage.actions[window, columns]),
            rewards=torch.from_numpy(rewards.astype(np.float32)),
            terminated=torch.from_numpy(last & terminated),
            truncated=torch.from_numpy(last & ~terminated),
            mask=torch.from_numpy(mask),
            elapsed=torch.from_numpy(np.where(mask, time, 0)),
            final_observations=torch.from_numpy(self._seen[columns][~terminated]),
            greedy=torch.from_numpy(storage.greedy[window, columns]) if greedy_share > 0.0 else None,
            greedy_share=greedy_share,
        )
        taken = mask.sum(1).cumsum()[lengths - 1]
        return rollout, FinishedEpisodes(rewards.sum(0), lengths, taken, int(lengths.sum()), np.arange(self._each))
