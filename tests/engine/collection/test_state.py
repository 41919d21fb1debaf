"""A fresh collector goes on from the state of another exactly, whatever collects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch

from engine.catalogue.environments import ENVIRONMENTS
from engine.collection.collector import Collection, Collector
from engine.collection.collectors import EpisodeCollector, FixedLengthCollector
from engine.collection.device_collector import CHUNK, DeviceEpisodeCollector, DeviceFixedLengthCollector
from engine.collection.reward_scaling import RewardScaling
from engine.config.environments import EnvironmentConfig
from engine.config.policies import GRUPolicy, MLPPolicy
from engine.environments.batches.batched import BatchedEnvironments, batched
from engine.environments.batches.gymnasium import GymnasiumBatch
from engine.policies.actor import Actor
from engine.policies.policy import Policy
from engine.runtime import heartbeat
from tests.engine.scripted import CPU
from tests.engine.states import as_data

CARTPOLE = EnvironmentConfig(id="CartPole-v1", time_limit=70)
INFO = ENVIRONMENTS["CartPole-v1"]
SEEDS = range(3)


def on_torch() -> BatchedEnvironments:
    environments = batched(CARTPOLE, SEEDS, CPU)
    assert environments is not None
    return environments


COLLECTORS: dict[str, Callable[[], Collector]] = {
    "whole episodes": lambda: EpisodeCollector(batched(CARTPOLE, SEEDS), INFO, CPU),  # type: ignore[arg-type]
    "fixed length": lambda: FixedLengthCollector(batched(CARTPOLE, SEEDS), INFO, CPU, 20),  # type: ignore[arg-type]
    "whole episodes one by one": lambda: EpisodeCollector(GymnasiumBatch(CARTPOLE, SEEDS), INFO, CPU),
    "fixed length one by one": lambda: FixedLengthCollector(GymnasiumBatch(CARTPOLE, SEEDS), INFO, CPU, 20),
    "whole episodes on a device": lambda: DeviceEpisodeCollector(on_torch(), INFO),
    "fixed length on a device": lambda: DeviceFixedLengthCollector(on_torch(), INFO, CHUNK + 8),
}


def actor(memory: bool = False) -> Actor:
    kind = GRUPolicy(hidden_size=8) if memory else MLPPolicy(hidden_sizes=(8,))
    policy = Policy(kind, INFO, torch.Generator().manual_seed(3))
    acting = Actor(policy, torch.Generator().manual_seed(4), CPU)
    acting.greedy_share = 0.2
    return acting


def collected(collector: Collector, acting: Actor, times: int = 1) -> list[Any]:
    """All that so many collections give, as numbers."""
    found: list[Any] = []
    for _ in range(times):
        found += as_numbers(one(collector, acting))
    return found


def one(collector: Collector, acting: Actor) -> Collection:
    collecting = collector.collect(acting)
    while True:
        try:
            next(collecting)
        except StopIteration as stop:
            result: Collection = stop.value
            return result


def as_numbers(collection: Collection) -> list[Any]:
    """What is there behind an episode's end says nothing, and is left out."""
    rollout, finished = collection
    names = ("observations", "actions", "rewards", "terminated", "truncated", "elapsed", "greedy")
    found = [rollout.flat(getattr(rollout, name)).tolist() for name in names]
    others = [rollout.mask, rollout.final_observations, *(getattr(finished, field.name) for field in fields(finished))]
    memory = None if rollout.states is None else rollout.states.tolist()
    return [*found, memory, *(np.asarray(other).tolist() for other in others)]


@pytest.mark.parametrize("kind", COLLECTORS)
@pytest.mark.parametrize("before", [0, 3])
def test_a_fresh_collector_goes_on_exactly(kind: str, before: int) -> None:
    collector, acting = COLLECTORS[kind](), actor()
    collected(collector, acting, before)
    state = as_data({"collector": collector.state(), "actor": acting.state()})
    after = collected(collector, acting, 3)
    fresh, also = COLLECTORS[kind](), actor()
    fresh.load(state["collector"])
    also.load(state["actor"])
    assert collected(fresh, also, 3) == after


@pytest.mark.parametrize("kind", COLLECTORS)
def test_a_collector_goes_back_exactly(kind: str) -> None:
    collector, acting = COLLECTORS[kind](), actor()
    collected(collector, acting)
    state = {"collector": collector.state(), "actor": acting.state()}
    after = collected(collector, acting, 3)
    collector.load(state["collector"])
    acting.load(state["actor"])
    assert collected(collector, acting, 3) == after


def test_a_policys_memory_goes_on_too() -> None:
    collector, acting = COLLECTORS["fixed length"](), actor(memory=True)
    collected(collector, acting, 2)
    state = as_data(collector.state())
    numbers = acting.state()
    after = collected(collector, acting, 2)
    fresh = COLLECTORS["fixed length"]()
    fresh.load(state)
    acting.load(numbers)
    assert collected(fresh, acting, 2) == after


def test_on_a_device_a_state_is_loaded_into_the_same_memory() -> None:
    """A CUDA graph reads and writes the memory that it was recorded with."""
    collector, acting = DeviceFixedLengthCollector(on_torch(), INFO, CHUNK), actor()
    held = (collector._episodes.observations, collector._episodes.elapsed, collector._episodes.returns)
    one(collector, acting)
    collector.load(collector.state())
    episodes = collector._episodes
    assert all(
        now is then for now, then in zip((episodes.observations, episodes.elapsed, episodes.returns), held, strict=True)
    )


def test_an_episode_that_broke_off_is_followed_by_another() -> None:
    """The first environment's: its steps, return and the memory of it are gone, the others' go on."""
    collector, acting = COLLECTORS["fixed length one by one"](), actor(memory=True)
    one(collector, acting)
    state = collector.state()
    state["environments"]["environments"][0]["observation"] = np.zeros(4)
    under_way = state["episodes"]["elapsed"]
    fresh = COLLECTORS["fixed length one by one"]()
    fresh.load(state)
    rollout, finished = one(fresh, acting)
    assert rollout.elapsed[0].tolist() == [0, *under_way[1:]]
    assert rollout.states is not None
    assert (rollout.states[0] == 0.0).all()
    assert (rollout.states[1:] != 0.0).any(1).all()
    first, last = rollout.observations[0, 0].numpy(), int(rollout.elapsed[-1, 0])
    assert np.abs(first).max() <= 0.05  # as CartPole begins
    assert (finished.returns == finished.lengths).all()
    again, _ = one(fresh, acting)
    assert again.elapsed[0, 0] in (last + 1, 0)


def test_the_state_of_other_environments_is_refused() -> None:
    more = FixedLengthCollector(GymnasiumBatch(CARTPOLE, range(4)), INFO, CPU, 20)
    with pytest.raises(ValueError, match="3 environments"):
        COLLECTORS["fixed length one by one"]().load(more.state())


@pytest.mark.parametrize("kind", ["whole episodes", "whole episodes one by one"])
def test_a_collection_that_is_given_up_leaves_no_rewards_behind(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "HEARTBEAT", -1.0)
    collector, acting = COLLECTORS[kind](), actor()
    for _ in range(3):
        given_up = collector.collect(acting)
        for _ in range(30):
            next(given_up, None)
        _, finished = one(collector, acting)
        assert (finished.returns == finished.lengths).all()


@pytest.mark.parametrize("kind", ["whole episodes", "fixed length"])
def test_reward_scaling_goes_on_exactly(kind: str) -> None:
    configuration = EnvironmentConfig(id="CartPole-v1", normalize_rewards=True, reward_scale=0.5)
    collector, acting = COLLECTORS[kind](), actor()
    rollouts = []
    scaling = RewardScaling(configuration)
    fresh = RewardScaling(configuration)
    fresh.load(as_data(scaling.state()))
    for _ in range(4):
        rollout, _ = one(collector, acting)
        expected = scaling.learned(rollout, 0.9).rewards
        assert torch.equal(fresh.learned(rollout, 0.9).rewards, expected)
        rollouts.append(expected)
        following = RewardScaling(configuration)
        following.load(as_data(fresh.state()))
        fresh = following
    assert not torch.equal(rollouts[0][0], rollouts[1][0])
