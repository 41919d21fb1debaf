"""Collecting for several seeds in one batch of environments: seed after seed, each in columns of its own."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from engine.catalogue.spaces import EnvironmentInfo
from engine.collection.collector import (
    LONGEST_EPISODE,
    Collecting,
    Collection,
    EpisodeBound,
    FinishedEpisodes,
    WholeEpisodes,
    endless,
    whole_episodes,
)
from engine.collection.collectors import FixedLengthCollector, Storage
from engine.environments.batches.interface import EnvironmentBatch, Indices
from engine.experience.rollouts import Rollout
from engine.policies.actor import Actor
from engine.reports.events import Heartbeat, Heartbeats
from engine.runtime.errors import RunError
from engine.runtime.heartbeat import HeartbeatTimer
from engine.runtime.state import Parts, State, Stateful
from engine.training.many_seeds.actor import JointActor

PATIENCE = 128
_CPU = torch.device("cpu")
_STORED = ("observations", "actions", "rewards", "greedy")


class PendingCollection:
    """What a seed's run takes for a collector: it waits there until its share of the joint collection is complete."""

    def __init__(self) -> None:
        self.waiting = False
        self.greedy_share = 0.0
        self._result: Collection | RunError | None = None

    def collect(self, actor: Actor, *, watched: bool = False) -> Collecting:
        """As ``EpisodeCollector.collect``; the run is not to be resumed before ``complete``."""
        self.waiting, self.greedy_share = True, actor.greedy_share
        while self._result is None:
            yield Heartbeat("collecting")
        collected, self._result = self._result, None
        if isinstance(collected, RunError):
            raise collected
        return collected

    def state(self) -> State:
        """Nothing: what is under way is the joint collector's, and the run will wait here for it again."""
        return {}

    def load(self, state: Mapping[str, Any]) -> None:
        pass

    def forget(self) -> None:
        """Wait for nothing."""
        self._result, self.waiting = None, False

    def complete(self, collected: Collection | RunError) -> None:
        """Let the run go on, with what was collected for it or with what went wrong."""
        self._result, self.waiting = collected, False


class JointCollector(Stateful, Protocol):
    """What collects for all seeds at once."""

    def collect(self, pending: Mapping[int, PendingCollection]) -> Heartbeats[list[int]]:
        """Go on until some of those ``pending``, by their seeds' indices, are complete; which ones."""


class JointFixedLengthCollector:
    """The same number of steps in every environment: all seeds wait for each other, and none waits long."""

    def __init__(self, collector: FixedLengthCollector, actor: JointActor, seeds: int) -> None:
        self._collector, self._actor, self._seeds = collector, actor, seeds
        self.parts = Parts()
        self.parts.add("collector", collector)
        self.parts.add("actor", actor)

    def state(self) -> State:
        return self.parts.state()

    def load(self, state: Mapping[str, Any]) -> None:
        self.parts.load(state)

    def collect(self, pending: Mapping[int, PendingCollection]) -> Heartbeats[list[int]]:
        for seed, one in pending.items():
            self._actor.refresh(seed, one.greedy_share)
        rollout, finished = yield from self._of_each(self._collector.collect(self._actor))
        for seed, one in pending.items():
            one.complete(self._actor.failure(seed) or self._share(rollout, finished, seed, one.greedy_share))
        return list(pending)

    def _of_each(self, collecting: Collecting) -> Heartbeats[Collection]:
        """The steps told on the way are those of one seed."""
        while True:
            try:
                beat = next(collecting)
            except StopIteration as stop:
                collection: Collection = stop.value
                return collection
            if isinstance(beat, Heartbeat):
                yield replace(beat, environment_steps=beat.environment_steps // self._seeds)

    def _share(self, rollout: Rollout, finished: FinishedEpisodes, seed: int, greedy_share: float) -> Collection:
        """The columns of the seed at this index."""
        each = rollout.environments // self._seeds
        columns = slice(seed * each, (seed + 1) * each)
        cuts = rollout.truncated.sum(0)
        before, here = int(cuts[: columns.start].sum()), int(cuts[columns].sum())
        shared = replace(
            rollout,
            **{name: getattr(rollout, name)[:, columns] for name in _COLUMNS},
            final_observations=rollout.final_observations[before : before + here],
            greedy=None if rollout.greedy is None or greedy_share == 0.0 else rollout.greedy[:, columns],
            greedy_share=greedy_share,
        )
        mine = finished.environments // each == seed
        return shared, FinishedEpisodes(
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
    the next while the others play on, so that a step taken for all serves nearly all. Only to learn together do
    seeds wait: ``PATIENCE`` steps, counted over all who wait. Which episodes a seed learns from is settled before they
    are played, as in ``EpisodeCollector``.
    """

    def __init__(
        self,
        batch: EnvironmentBatch,
        environment: EnvironmentInfo,
        actor: JointActor,
        seeds: int,
        bound: EpisodeBound | None = None,
    ) -> None:
        self._bound = bound or EpisodeBound(environment, None)
        self._batch, self._actor, self._seeds, self._each = batch, actor, seeds, batch.size // seeds
        self._environment = environment
        # Room for several episodes one after another, since seeds begin at different times.
        self._storage = Storage(environment, batch.size, 4 * min(environment.time_limit or 1024, 1024))
        self._row = 0
        self._begun = np.full(seeds, -1)  # the row at which each seed began to play; -1 where it does not
        self._running = np.zeros(batch.size, np.bool_)
        self._indices: Indices = np.arange(0)
        self._lengths = np.zeros(batch.size, np.int64)
        self._terminated = np.zeros(batch.size, np.bool_)
        self._seen: NDArray[Any] | None = None  # what each environment shows, its last observation once it has ended
        self._loaded: set[int] = set()  # seeds that play since a state was loaded, and act with other weights as yet
        self.parts = Parts()
        self.parts.add("environments", batch)
        self.parts.add("actor", actor)

    def state(self) -> State:
        begun = self._begun[self._begun >= 0]
        first = int(begun.min()) if len(begun) else self._row
        rows = slice(first, self._row)
        return {
            "parts": self.parts.state(),
            "stored": {name: getattr(self._storage, name)[rows].copy() for name in _STORED},
            "begun": np.where(self._begun >= 0, self._begun - first, -1),
            "running": self._running.copy(),
            "lengths": self._lengths.copy(),
            "terminated": self._terminated.copy(),
            "seen": None if self._seen is None else self._seen.copy(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``; a seed of which an episode broke off begins all of its episodes anew."""
        self.parts.load(state["parts"])
        self._row = len(state["stored"]["rewards"])
        if self._row > self._storage.capacity:
            self._storage.reserve(self._row)
        for name, array in state["stored"].items():
            getattr(self._storage, name)[: self._row] = array
        for kept, name in (
            (self._begun, "begun"),
            (self._running, "running"),
            (self._lengths, "lengths"),
            (self._terminated, "terminated"),
        ):
            kept[:] = state[name]
        self._seen = None if state["seen"] is None else state["seen"].copy()
        self._stop(set((self._batch.interrupted // self._each).tolist()))
        self._loaded = set((self._begun >= 0).nonzero()[0].tolist())

    def collect(self, pending: Mapping[int, PendingCollection]) -> Heartbeats[list[int]]:
        fresh = [seed for seed in pending if self._begun[seed] < 0]
        self._stop(self._loaded - pending.keys())
        for seed in {*fresh, *(self._loaded & pending.keys())}:
            self._actor.refresh(seed, pending[seed].greedy_share)
        self._loaded.clear()
        self._begin(fresh)
        timer = HeartbeatTimer()
        patience, done = PATIENCE, []
        longest = self._bound.most // self._each  # rows in which a seed's episodes cannot have become too long
        while len(self._indices) and patience > 0:
            if self._tick():
                done = [seed for seed in pending if not self._columns(self._running, seed).any()]
            if self._row > longest:
                self._check_bound()
            patience -= len(done)
            if timer.due():
                yield Heartbeat("collecting")
        for seed in done:
            collected = self._played(seed, pending[seed].greedy_share)
            pending[seed].complete(self._actor.failure(seed) or collected)
            self._begun[seed] = -1
        return done

    def _stop(self, seeds: Set[int]) -> None:
        """Leave the episodes of these seeds where they are."""
        for seed in seeds:
            self._begun[seed] = -1
            self._columns(self._running, seed)[:] = False
        self._indices = self._running.nonzero()[0]

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
            moved = self._batch.step(self._actor.to_environment(actions), indices)
            storage.rewards[row] = moved.rewards
            seen[:] = moved.observations
        else:
            moved = self._batch.step(self._actor.to_environment(actions[indices]), indices)
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

    def _check_bound(self) -> None:
        for seed in (self._begun >= 0).nonzero()[0].tolist():
            running = self._columns(self._running, seed)
            steps = np.where(running, self._row - self._begun[seed], self._columns(self._lengths, seed)).sum()
            if steps > self._bound.most:
                raise self._bound.outgrown(int(steps))

    def _make_room(self) -> None:
        """Forget what no seed still needs, or else take more memory."""
        storage, first = self._storage, int(self._begun[self._begun >= 0].min())
        kept = self._row - first
        if kept > storage.capacity // 2:
            if kept >= LONGEST_EPISODE:
                raise endless(self._environment)
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
        lengths = self._lengths[columns].copy()
        rows = slice(begun, begun + int(lengths.max()))
        played = np.arange(rows.stop - begun)[:, None] < lengths
        returns = np.where(played, self._storage.rewards[rows, columns], 0.0).sum(0)
        ends = (torch.from_numpy(array) for array in (lengths, self._terminated[columns], self._seen[columns]))
        stored = self._storage.steps(rows, columns, _CPU, greedy_share)
        return whole_episodes(stored, WholeEpisodes(returns, *ends))
