"""Joint collectors go on from a state exactly, with some seeds in the middle of their episodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from engine.catalogue.environments import ENVIRONMENTS
from engine.collection.collectors import FixedLengthCollector
from engine.config.environments import EnvironmentConfig
from engine.config.policies import MLPPolicy
from engine.environments.batches.batched import batched
from engine.environments.batches.gymnasium import GymnasiumBatch
from engine.environments.batches.interface import EnvironmentBatch
from engine.policies.policy import Policy
from engine.training.many_seeds import collectors as collecting
from engine.training.many_seeds.actor import JointActor, activation_of
from engine.training.many_seeds.collectors import (
    JointCollector,
    JointEpisodeCollector,
    JointFixedLengthCollector,
    PendingCollection,
)
from tests.engine.scripted import CPU, actor_of
from tests.engine.states import as_data

INFO = ENVIRONMENTS["CartPole-v1"]
SEEDS, EACH = 3, 2
KIND = MLPPolicy(hidden_sizes=(8,))


class Group:
    """Three seeds that collect again as soon as they have what they wait for."""

    def __init__(self, how: str, batch: EnvironmentBatch) -> None:
        self.policies = [Policy(KIND, INFO, torch.Generator().manual_seed(seed)) for seed in range(SEEDS)]
        actor = JointActor(self.policies, EACH, activation_of(KIND), torch.Generator().manual_seed(5))
        self.collector: JointCollector
        if how == "episodes":
            self.collector = JointEpisodeCollector(batch, INFO, actor, SEEDS)
        else:
            self.collector = JointFixedLengthCollector(FixedLengthCollector(batch, INFO, CPU, 15), actor, SEEDS)
        self.pending = {seed: PendingCollection() for seed in range(SEEDS)}
        self._runs = {seed: self._run(seed) for seed in range(SEEDS)}

    def _run(self, seed: int) -> Any:
        collecting = self.pending[seed].collect(actor_of(self.policies[seed], greedy_share=0.1 * seed))
        next(collecting)
        return collecting

    def played(self, times: int) -> list[Any]:
        """Which seeds were served in so many joint collections, and with what."""
        told: list[Any] = []
        for _ in range(times):
            joint = self.collector.collect(self.pending)
            while True:
                try:
                    next(joint)
                except StopIteration as stop:
                    complete = stop.value
                    break
            for seed in complete:
                try:
                    next(self._runs[seed])
                except StopIteration as stop:
                    rollout, finished = stop.value
                names = ("observations", "actions", "rewards", "terminated", "truncated", "elapsed")
                steps = [rollout.flat(getattr(rollout, name)).tolist() for name in names]
                told.append((seed, steps, rollout.final_observations.tolist(), finished.returns.tolist()))
                self._runs[seed] = self._run(seed)
        return told


def ours() -> EnvironmentBatch:
    batch = batched(EnvironmentConfig(id="CartPole-v1"), range(SEEDS * EACH))
    assert batch is not None
    return batch


def one_by_one() -> EnvironmentBatch:
    return GymnasiumBatch(EnvironmentConfig(id="CartPole-v1"), range(SEEDS * EACH))


@pytest.mark.parametrize("environments", [ours, one_by_one])
@pytest.mark.parametrize("how", ["episodes", "fixed length"])
def test_a_fresh_group_goes_on_exactly(how: str, environments: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "PATIENCE", 1)
    group = Group(how, environments())
    before = group.played(7)
    state = as_data(group.collector.state())
    assert how == "fixed length" or any(begun >= 0 for begun in state["begun"].tolist())
    after = group.played(7)
    fresh = Group(how, environments())
    fresh.collector.load(state)
    assert fresh.played(7) == after
    assert before != after


def test_a_seed_of_which_an_episode_broke_off_begins_anew_while_the_others_play_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collecting, "PATIENCE", 1)
    group = Group("episodes", one_by_one())
    while not (group.collector._running[:EACH].all() and group.collector._begun[1] >= 0):  # type: ignore[attr-defined]
        group.played(1)
    state = group.collector.state()
    state["parts"]["environments"]["environments"][0]["observation"] = np.zeros(4)
    fresh = Group("episodes", one_by_one())
    fresh.collector.load(state)
    assert fresh.collector._begun.tolist() == [-1, *state["begun"][1:].tolist()]  # type: ignore[attr-defined]
    assert {seed for seed, *_ in fresh.played(8)} == {0, 1, 2}
