"""Collecting whole episodes: what is stored where, and the signs of life while it lasts."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine import pulse, rollouts
from engine.catalogue import EnvironmentInfo, Space
from engine.config import LinearPolicy
from engine.environments.interface import Slots, Transitions
from engine.errors import RunError
from engine.phases import Working
from engine.policies.policy import Policy
from engine.rollouts import Collector, Rollout

INFO = EnvironmentInfo("Scripted", "Scripted", "A test.", Space("box", 2), Space("discrete", 4), 50)


class Scripted:
    """Slot n runs an episode of ``lengths[n]`` steps; observations are (slot, step), rewards 100 slot + step."""

    def __init__(self, lengths: list[int], truncated: set[int] | None = None) -> None:
        self.size = len(lengths)
        self._lengths = np.array(lengths)
        self._truncated = np.isin(np.arange(self.size), list(truncated or ()))
        self._elapsed = np.zeros(self.size, np.int64)
        self.calls: list[list[int]] = []
        self.actions: dict[tuple[int, int], int] = {}

    def reset(self, slots: Slots) -> NDArray[Any]:
        self._elapsed[slots] = 0
        return self._observe(slots)

    def _observe(self, slots: Slots) -> NDArray[Any]:
        return np.stack((slots, self._elapsed[slots]), 1).astype(np.float32)

    def step(self, actions: NDArray[Any], slots: Slots) -> Transitions:
        self.calls.append(slots.tolist())
        for slot, action in zip(slots.tolist(), actions.tolist(), strict=True):
            self.actions[slot, int(self._elapsed[slot])] = action
        rewards = 100.0 * slots + self._elapsed[slots]
        self._elapsed[slots] += 1
        ended = self._elapsed[slots] == self._lengths[slots]
        cut = self._truncated[slots]
        return Transitions(self._observe(slots), rewards, ended & ~cut, ended & cut)

    def close(self) -> None:
        pass


def collect(batch: Scripted, seed: int = 0) -> tuple[Rollout, NDArray[np.float64], list[Working]]:
    collector = Collector(batch, INFO, torch.device("cpu"))
    return finished(collector, seed)


def finished(collector: Collector, seed: int = 0) -> tuple[Rollout, NDArray[np.float64], list[Working]]:
    policy = Policy(LinearPolicy(), INFO, torch.Generator())
    phases = collector.collect(policy, torch.Generator().manual_seed(seed), 1000)
    heard = []
    while True:
        try:
            heard.append(next(phases))
        except StopIteration as stop:
            return *stop.value, heard


LENGTHS = [3, 1, 5, 3]


def test_the_mask_marks_the_steps_that_were_taken() -> None:
    rollout, _, _ = collect(Scripted(LENGTHS))
    assert rollout.mask.sum(0).tolist() == LENGTHS
    assert rollout.mask.shape == (5, 4)
    assert all(rollout.mask[:length, n].all() for n, length in enumerate(LENGTHS))


def test_ends_stand_at_the_last_step_and_are_told_apart() -> None:
    rollout, _, _ = collect(Scripted(LENGTHS, truncated={2, 3}))
    assert rollout.terminated.nonzero().tolist() == [[0, 1], [2, 0]]
    assert rollout.truncated.nonzero().tolist() == [[2, 3], [4, 2]]


def test_observations_actions_and_rewards_belong_to_the_same_step() -> None:
    batch = Scripted(LENGTHS)
    rollout, rewards, _ = collect(batch)
    for t, n in rollout.mask.nonzero().tolist():
        assert rollout.observations[t, n].tolist() == [n, t]
        assert rollout.actions[t, n].item() == batch.actions[n, t]
        assert rollout.rewards[t, n].item() == rewards[t, n] == 100 * n + t


def test_final_observations_are_the_true_ones_of_each_episode() -> None:
    rollout, _, _ = collect(Scripted(LENGTHS))
    assert rollout.final_observations.tolist() == [[n, length] for n, length in enumerate(LENGTHS)]


def test_padding_carries_no_reward_and_no_end() -> None:
    rollout, rewards, _ = collect(Scripted(LENGTHS))
    assert not rewards[~rollout.mask.numpy()].any()
    assert not (rollout.terminated | rollout.truncated)[~rollout.mask].any()


def test_an_environment_whose_episode_has_ended_is_left_alone() -> None:
    batch = Scripted(LENGTHS)
    collect(batch)
    assert batch.calls == [[0, 1, 2, 3], [0, 2, 3], [0, 2, 3], [2], [2]]


def test_nothing_of_a_longer_rollout_is_left_in_the_next() -> None:
    batch = Scripted([7, 6])
    collector = Collector(batch, INFO, torch.device("cpu"))
    finished(collector)
    batch._lengths = np.array([2, 4])
    rollout, rewards, _ = finished(collector)
    assert rollout.mask.sum(0).tolist() == [2, 4]
    assert rewards.sum(0).tolist() == [0 + 1, 400 + 6]
    assert (rollout.terminated.sum(0) == 1).all()


def test_an_episode_longer_than_was_reserved_is_kept_whole() -> None:
    rollout, rewards, _ = collect(Scripted([120, 51, 200]))
    assert rollout.mask.sum(0).tolist() == [120, 51, 200]
    assert rollout.observations[:120, 0, 1].tolist() == list(range(120))
    assert rewards.sum(0).tolist() == [
        sum(100 * n + t for t in range(length)) for n, length in enumerate([120, 51, 200])
    ]


def test_an_episode_without_end_is_a_run_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollouts, "LONGEST_EPISODE", 300)
    with pytest.raises(RunError, match=r"did not end within 300 steps; .*\.$"):
        collect(Scripted([10_000]))


def test_an_episode_of_the_greatest_length_allowed_still_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollouts, "LONGEST_EPISODE", 300)
    rollout, _, _ = collect(Scripted([300]))
    assert len(rollout.mask) == 300


def test_actions_come_from_the_generator_given() -> None:
    actions = [collect(Scripted([30]), seed)[0].actions.clone() for seed in (1, 1, 2)]
    assert torch.equal(actions[0], actions[1])
    assert not torch.equal(actions[0], actions[2])


class Slow(Scripted):
    """Every step takes ``pace`` seconds of a clock that only this environment moves."""

    now = 0.0
    pace = 0.03

    def step(self, actions: NDArray[Any], slots: Slots) -> Transitions:
        Slow.now += self.pace
        return super().step(actions, slots)


def test_a_slow_environment_gives_signs_of_life_within_a_tenth_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Slow, "now", 0.0)
    monkeypatch.setattr(pulse, "time", SimpleNamespace(perf_counter=lambda: Slow.now))
    collector = Collector(Slow([50]), INFO, torch.device("cpu"))
    policy = Policy(LinearPolicy(), INFO, torch.Generator())
    heard = [0.0] + [Slow.now for _ in collector.collect(policy, torch.Generator(), 0)] + [Slow.now]
    assert max(after - before for before, after in pairwise(heard)) <= 0.1


def test_signs_of_life_count_the_steps_of_the_whole_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Slow, "now", 0.0)
    monkeypatch.setattr(pulse, "time", SimpleNamespace(perf_counter=lambda: Slow.now))
    _, _, heard = finished(Collector(Slow([2, 4]), INFO, torch.device("cpu")))
    assert [sign.environment_steps for sign in heard] == [1002, 1004, 1005, 1006]
    assert {sign.doing for sign in heard} == {"collecting"}


def test_a_fast_environment_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "time", SimpleNamespace(perf_counter=lambda: 0.0))
    assert collect(Scripted([50]))[2] == []
