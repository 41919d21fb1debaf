"""Collecting whole episodes: what is stored where, which actions were greedy, and the signs of life while it lasts."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.collection import collectors as collection
from engine.collection.collectors import EpisodeCollector
from engine.config.policies import GRUPolicy, LinearPolicy
from engine.environments.batches.interface import Indices, Transitions
from engine.policies.policy import Policy
from engine.runtime import heartbeat as timer
from engine.runtime.errors import RunError
from tests.engine.scripted import CPU, INFO, Scripted, actor_of, collected, episodes_of, limit_episodes, policy_of

LENGTHS = [3, 1, 5, 3]


def test_the_mask_marks_the_steps_that_were_taken() -> None:
    rollout, _, _ = collected(episodes_of(Scripted(LENGTHS)))
    assert rollout.mask.sum(0).tolist() == LENGTHS
    assert rollout.mask.shape == (5, 4)
    assert all(rollout.mask[:length, n].all() for n, length in enumerate(LENGTHS))


def test_ends_stand_at_the_last_step_and_are_told_apart() -> None:
    rollout, _, _ = collected(episodes_of(Scripted(LENGTHS, truncated=[2, 3])))
    assert rollout.terminated.nonzero().tolist() == [[0, 1], [2, 0]]
    assert rollout.truncated.nonzero().tolist() == [[2, 3], [4, 2]]


def test_an_end_that_is_both_is_a_termination() -> None:
    rollout, _, _ = collected(episodes_of(Scripted([2], both=[0])))
    assert rollout.terminated[1, 0]
    assert not rollout.truncated.any()
    assert len(rollout.final_observations) == 0


def test_observations_actions_and_rewards_belong_to_the_same_step() -> None:
    batch = Scripted(LENGTHS)
    rollout, _, _ = collected(episodes_of(batch))
    for t, n in rollout.mask.nonzero().tolist():
        assert rollout.observations[t, n].tolist() == [n, 0, t]
        assert rollout.actions[t, n].item() == batch.actions[n, 0, t]
        assert rollout.rewards[t, n].item() == 100 * n + t


def test_elapsed_counts_the_steps_since_the_episode_began() -> None:
    rollout, _, _ = collected(episodes_of(Scripted(LENGTHS)))
    assert rollout.flat(rollout.elapsed).tolist() == [t for length in LENGTHS for t in range(length)]


def test_only_episodes_cut_off_have_a_final_observation_the_true_one() -> None:
    rollout, _, _ = collected(episodes_of(Scripted(LENGTHS, truncated=[3, 0])))
    assert rollout.final_observations.tolist() == [[0, 0, 3], [3, 0, 3]]


@pytest.mark.parametrize("observation", [Space("box", 3), Space("discrete", 9)], ids=lambda space: space.kind)
def test_without_a_cut_there_is_no_final_observation_but_one_of_the_right_shape(observation: Space) -> None:
    info = EnvironmentInfo("Scripted", "Scripted", "A test.", observation, Space("discrete", 4), 50)

    class Plain(Scripted):
        def _observe(self, indices: Indices) -> NDArray[Any]:
            return super()._observe(indices) if observation.kind == "box" else indices.copy()

    actor = actor_of(Policy(LinearPolicy(), info, torch.Generator()))
    rollout, _, _ = collected(EpisodeCollector(Plain(LENGTHS), info, CPU), actor)
    assert rollout.final_observations.shape == (0, *rollout.observations.shape[2:])
    assert rollout.final_observations.dtype == rollout.observations.dtype


def test_padding_carries_no_reward_and_no_end() -> None:
    rollout, _, _ = collected(episodes_of(Scripted(LENGTHS)))
    assert not rollout.rewards[~rollout.mask].any()
    assert not (rollout.terminated | rollout.truncated)[~rollout.mask].any()


def test_an_environment_whose_episode_has_ended_is_left_alone() -> None:
    batch = Scripted(LENGTHS)
    collected(episodes_of(batch))
    assert batch.calls == [[0, 1, 2, 3], [0, 2, 3], [0, 2, 3], [2], [2]]


def test_what_the_episodes_came_to_is_told_in_the_order_in_which_they_were_begun() -> None:
    _, finished, _ = collected(episodes_of(Scripted(LENGTHS)))
    assert finished.returns.tolist() == [0 + 1 + 2, 100, 1000 + 10, 900 + 3]
    assert finished.lengths.tolist() == LENGTHS
    assert finished.steps == sum(LENGTHS)


def test_an_episode_is_taken_when_its_last_step_and_all_beside_it_are() -> None:
    """4, 3, 3, 1 and 1 steps are taken side by side."""
    _, finished, _ = collected(episodes_of(Scripted(LENGTHS)))
    assert finished.taken.tolist() == [10, 4, 12, 10]


def test_nothing_of_a_longer_rollout_is_left_in_the_next() -> None:
    batch = Scripted([(7, 2), (6, 4)])
    collector = episodes_of(batch)
    collected(collector)
    rollout, finished, _ = collected(collector)
    assert rollout.mask.sum(0).tolist() == [2, 4]
    assert finished.returns.tolist() == [10 + 11, 440 + 6]
    assert (rollout.terminated.sum(0) == 1).all()


def test_an_episode_longer_than_was_reserved_is_kept_whole() -> None:
    lengths = [120, 51, 200]
    rollout, finished, _ = collected(episodes_of(Scripted(lengths)))
    assert rollout.mask.sum(0).tolist() == lengths
    assert rollout.observations[:120, 0, 2].tolist() == list(range(120))
    assert finished.returns.tolist() == [sum(100 * n + t for t in range(length)) for n, length in enumerate(lengths)]


def test_an_episode_without_end_is_a_run_error(monkeypatch: pytest.MonkeyPatch) -> None:
    limit_episodes(monkeypatch, 300)
    with pytest.raises(RunError, match=r"did not end within 300 steps; .*\.$"):
        collected(episodes_of(Scripted([10_000])))


def test_an_episode_of_the_greatest_length_allowed_still_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    limit_episodes(monkeypatch, 300)
    rollout, _, _ = collected(episodes_of(Scripted([300])))
    assert len(rollout.mask) == 300


def test_more_than_fits_into_memory_is_a_run_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection, "MOST_ROOM", 3000)
    with pytest.raises(RunError, match=r"^1 environments of Scripted at once take more than .*\.$"):
        collected(episodes_of(Scripted([200])))


# --- acting -----------------------------------------------------------------------------------------------------------


def test_actions_come_from_the_generator_given() -> None:
    actions = [
        collected(episodes_of(Scripted([30])), actor_of(policy_of(), seed))[0].actions.clone() for seed in (1, 1, 2)
    ]
    assert torch.equal(actions[0], actions[1])
    assert not torch.equal(actions[0], actions[2])


def test_without_greedy_actions_nothing_is_marked() -> None:
    rollout, _, _ = collected(episodes_of(Scripted([30])))
    assert rollout.greedy is None
    assert rollout.greedy_share == 0.0


def test_actions_marked_greedy_are_the_policys_most_likely_ones() -> None:
    policy = policy_of()
    rollout, _, _ = collected(episodes_of(Scripted([50] * 4)), actor_of(policy, greedy_share=0.5))
    assert rollout.greedy is not None
    with torch.no_grad():
        mode = policy(rollout.flat(rollout.observations)).mode()
    same = rollout.flat(rollout.actions) == mode
    marked = rollout.flat(rollout.greedy)
    assert same[marked].all()
    assert not same[~marked].all()
    assert rollout.greedy_share == 0.5


@pytest.mark.parametrize("share", [0.2, 0.8])
def test_the_share_of_greedy_actions_is_the_one_asked_for(share: float) -> None:
    rollout, _, _ = collected(episodes_of(Scripted([50] * 40)), actor_of(policy_of(), greedy_share=share))
    assert rollout.greedy is not None
    # 2000 draws: four standard deviations are at most 0.036.
    assert rollout.greedy.float().mean().item() == pytest.approx(share, abs=0.036)


def test_a_policy_that_is_always_greedy_acts_the_same_whatever_the_generator() -> None:
    runs = [collected(episodes_of(Scripted([30])), actor_of(policy_of(), seed, 1.0))[0] for seed in (1, 2)]
    assert torch.equal(runs[0].actions, runs[1].actions)
    assert all(run.greedy is not None and run.greedy.all() for run in runs)


def test_an_action_that_is_no_number_is_a_run_error() -> None:
    info = EnvironmentInfo("Scripted", "Scripted", "A test.", Space("box", 3), Space("box", 2), 50)
    policy = Policy(LinearPolicy(), info, torch.Generator())
    with torch.no_grad():
        next(policy.parameters()).fill_(torch.nan)
    with pytest.raises(RunError, match=r"actions are no longer finite .*\.$"):
        collected(EpisodeCollector(Scripted([3]), info, CPU), actor_of(policy))


def test_a_memory_goes_with_its_episode_when_others_end() -> None:
    """What each step was acted on is what the whole sequence, passed through the network at once, says."""
    policy = policy_of(GRUPolicy(hidden_size=8))
    acted = _log_of_actions(policy)
    rollout, _, _ = collected(episodes_of(Scripted(LENGTHS)), acted)
    assert rollout.states is not None
    assert not rollout.states.any()
    with torch.no_grad():
        logits = policy.over(rollout.flat(rollout.observations), rollout.sequences).logits
    expected = [acted.logits[step][acted.order[step].index(n)] for n in range(4) for step in range(LENGTHS[n])]
    torch.testing.assert_close(logits, torch.stack(expected))


def _log_of_actions(policy: Any) -> Any:
    """An actor that writes down the logits of every step, and for which indices they were."""
    actor = actor_of(policy)
    actor.logits, actor.order = [], []
    act = actor.act

    def logged(observations: NDArray[Any], state: Any) -> Any:
        with torch.no_grad():
            distribution, _ = policy.step(torch.from_numpy(observations), state)
        actor.logits.append(distribution.logits)
        actor.order.append(observations[:, 0].astype(int).tolist())
        return act(observations, state)

    actor.act = logged
    return actor


# --- signs of life ----------------------------------------------------------------------------------------------------


class Slow(Scripted):
    """Every step takes ``pace`` seconds of a clock that only this environment moves."""

    now = 0.0
    pace = 0.03

    def step(self, actions: NDArray[Any], indices: Indices) -> Transitions:
        Slow.now += self.pace
        return super().step(actions, indices)


@pytest.fixture
def _slow_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Slow, "now", 0.0)
    monkeypatch.setattr(timer, "time", SimpleNamespace(perf_counter=lambda: Slow.now))


@pytest.mark.usefixtures("_slow_clock")
def test_a_slow_environment_gives_signs_of_life_within_a_tenth_of_a_second() -> None:
    collector = EpisodeCollector(Slow([50]), INFO, CPU)
    heard = [0.0] + [Slow.now for _ in collector.collect(actor_of(policy_of()))] + [Slow.now]
    assert max(after - before for before, after in pairwise(heard)) <= 0.1


@pytest.mark.usefixtures("_slow_clock")
def test_heartbeats_count_the_steps_taken_so_far() -> None:
    _, _, heard = collected(episodes_of(Slow([2, 4])))
    assert [sign.environment_steps for sign in heard] == [2, 4, 5, 6]
    assert {sign.doing for sign in heard} == {"collecting"}


@pytest.mark.usefixtures("_slow_clock")
def test_resetting_many_slow_environments_gives_signs_of_life_too() -> None:
    class SlowToReset(Scripted):
        def reset(self, indices: Indices) -> NDArray[Any]:
            Slow.now += 0.03
            return super().reset(indices)

    _, _, heard = collected(episodes_of(SlowToReset([1] * 200)))
    assert [sign.doing for sign in heard][:4] == ["resetting"] * 4


def test_a_fast_environment_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timer, "time", SimpleNamespace(perf_counter=lambda: 0.0))
    assert collected(episodes_of(Scripted([50])))[2] == []


def test_rewards_are_summed_in_double_precision() -> None:
    class Tiny(Scripted):
        def step(self, actions: NDArray[Any], indices: Indices) -> Transitions:
            moved = super().step(actions, indices)
            return moved._replace(rewards=np.full(len(indices), 0.1))

    _, finished, _ = collected(episodes_of(Tiny([10])))
    assert finished.returns.tolist() == pytest.approx([1.0], abs=1e-12)
