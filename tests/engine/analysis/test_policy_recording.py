"""Recording a policy: the episodes that were asked for, no others, and none more often for being short."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from engine.analysis.playback import PolicySnapshot, snapshot, thawed
from engine.analysis.policy_recording import LONGEST, Progress, Wanted, record
from engine.catalogue.configured import changed, described
from engine.config import PolicyGradientConfig
from engine.config.environments import EnvironmentConfig
from engine.config.parameters import with_values
from engine.environments.batches.rendering import in_this_process
from engine.networks.normalizer import Normalizer
from engine.policies.policy import Policy
from engine.runtime.errors import RequestError, RunError


def frozen(environment: EnvironmentConfig, **values: Any) -> PolicySnapshot:
    config = with_values(PolicyGradientConfig(environment=environment), values)
    plain = described(environment)
    assert plain is not None
    info = changed(plain, environment)
    normalizer = Normalizer(info.observation.size) if environment.normalize_observations else None
    policy = Policy(config.policy, info, torch.Generator().manual_seed(3), False, normalizer)
    return snapshot(policy, config, info, 5)


CARTPOLE = EnvironmentConfig(
    id="CartPole-v1", observation_noise=0.05, sticky_actions=0.2, normalize_observations=True, time_limit=40
)


def test_episodes_are_those_of_the_policy_in_the_environment_as_it_is_changed() -> None:
    policy = frozen(CARTPOLE)
    recorded = record(policy, Wanted(12), seed=1)
    episodes = recorded.demonstrations.episodes
    assert recorded.demonstrations.environment == CARTPOLE
    assert recorded.sentence == "Recorded 12 episodes."
    assert len({episode.seed for episode in episodes}) == 12
    assert all(episode.terminated != episode.truncated for episode in episodes)
    again = record(policy, Wanted(12), seed=1)
    assert np.array_equal(again.demonstrations.observations, recorded.demonstrations.observations)
    other = record(policy, Wanted(12), seed=2)
    assert not {episode.seed for episode in episodes} & {episode.seed for episode in other.demonstrations.episodes}
    made = in_this_process(CARTPOLE).stepped
    seen = [made.begin(episodes[3].seed or 0)]
    seen += [made.step(action[None], np.array([0])).observations for action in episodes[3].actions[:-1]]
    assert np.array_equal(np.concatenate(seen), episodes[3].observations)


def test_greedy_takes_the_most_likely_actions_of_each_state() -> None:
    made = frozen(EnvironmentConfig(id="CartPole-v1"))
    weights = {
        name: value + 0.1 * torch.randn(value.shape, generator=torch.Generator().manual_seed(0))
        for name, value in made.state.items()
    }
    made = replace(made, state=weights)
    episodes = record(made, Wanted(3, greedy=True), seed=0).demonstrations
    with torch.no_grad():
        expected = thawed(made)(torch.from_numpy(episodes.observations)).mode().numpy()
    assert np.array_equal(episodes.actions, expected)
    sampled = record(made, Wanted(3), seed=0).demonstrations
    with torch.no_grad():
        likely = thawed(made)(torch.from_numpy(sampled.observations)).mode().numpy()
    assert not np.array_equal(sampled.actions, likely)


def test_a_memory_is_of_its_own_in_each_episode() -> None:
    config = EnvironmentConfig(id="CartPole-v1", hidden=(1, 3), time_limit=30)
    made = frozen(config, policy={"kind": "gru"})
    policy = thawed(made)
    for episode in record(made, Wanted(10, greedy=True), seed=4).demonstrations.episodes:
        memory = policy.start(1)
        for seen, action in zip(episode.observations, episode.actions, strict=True):
            with torch.no_grad():
                distribution, memory = policy.step(torch.from_numpy(seen[None]), memory)
            assert distribution.mode().item() == action


def test_only_what_returns_enough_is_kept_and_how_many_it_took_is_told() -> None:
    policy = frozen(EnvironmentConfig(id="CartPole-v1", time_limit=60))
    every = record(policy, Wanted(60), seed=0).demonstrations.episodes
    good = [episode for episode in every if episode.total_return is not None and episode.total_return >= 25]
    assert len(good) >= 6
    found = record(policy, Wanted(6, at_least=25), seed=0)
    assert [episode.seed for episode in found.demonstrations.episodes] == [episode.seed for episode in good[:6]]
    played = 1 + [episode.seed for episode in every].index(good[5].seed)
    assert found.progress == Progress(6, played, max(each.total_return or 0.0 for each in every[:played]))
    assert found.sentence == f"Recorded 6 episodes with a return of at least 25, of {played} played."
    few = record(policy, Wanted(6, at_least=25, tries=7), seed=0)
    kept = len(few.demonstrations.episodes)
    assert 1 < kept < 6
    told = f"Recorded {kept} episodes of the 6 wanted with a return of at least 25, of 7 played."
    assert few.sentence == told
    with pytest.raises(RequestError, match=r"None of 8 episodes had a return of at least 1000, the best had \d+; ask"):
        record(policy, Wanted(2, at_least=1000, tries=8), seed=0)


def test_it_is_stopped_between_steps_and_keeps_what_has_ended() -> None:
    told: list[Progress] = []

    def until_three(progress: Progress) -> bool:
        told.append(progress)
        return progress.kept < 3

    stopped = record(frozen(EnvironmentConfig(id="CartPole-v1")), Wanted(100), 0, until_three)
    assert 3 <= len(stopped.demonstrations.episodes) < 12
    assert [each.kept for each in told] == sorted(each.kept for each in told)
    with pytest.raises(RequestError, match="stopped before an episode"):
        record(frozen(EnvironmentConfig(id="CartPole-v1")), Wanted(100), 0, lambda progress: False)


def test_an_episode_that_nothing_ends_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.analysis.policy_recording.LONGEST", 7)
    (episode,) = record(frozen(EnvironmentConfig(id="Pendulum-v1")), Wanted(), 0).demonstrations.episodes
    assert (len(episode), episode.terminated, episode.truncated) == (7, False, False)
    assert LONGEST > 10_000
    assert episode.actions.dtype == np.float32


def test_of_a_continuous_action_what_was_done_is_recorded_and_not_what_was_drawn() -> None:
    pendulum = EnvironmentConfig(id="Pendulum-v1", time_limit=60)
    (episode,) = record(frozen(pendulum), Wanted(), 0).demonstrations.episodes
    assert np.abs(episode.actions).max() == 2.0  # of a standard deviation of 1 in units of the bounds, many are beyond
    made = in_this_process(pendulum).stepped
    seen = [made.begin(episode.seed or 0)]
    seen += [made.step(action[None], np.array([0])).observations for action in episode.actions[:-1]]
    assert np.array_equal(np.concatenate(seen), episode.observations)


def test_a_policy_whose_numbers_are_not_finite_is_told_of() -> None:
    for id in ("CartPole-v1", "Pendulum-v1"):
        made = frozen(EnvironmentConfig(id=id))
        broken = replace(made, state={name: value * float("nan") for name, value in made.state.items()})
        for greedy in (False, True):
            with pytest.raises(RunError, match="policy of iteration 5 gives numbers that are not finite"):
                record(broken, Wanted(greedy=greedy), 0)


def test_what_cannot_be_wanted_is_refused() -> None:
    for wanted in ({"episodes": 0}, {"episodes": 5, "tries": 4}):
        with pytest.raises(RequestError, match="episode"):
            Wanted(**wanted)  # type: ignore[arg-type]
