"""Collecting the same number of steps in every environment, against what happens one step after another."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine.catalogue.environments import ENVIRONMENTS
from engine.collection.collectors import FixedLengthCollector
from engine.config.environments import EnvironmentConfig
from engine.config.policies import GRUPolicy, LinearPolicy
from engine.environments.batches.batched import batched
from engine.experience.rollouts import Rollout
from engine.policies.policy import Policy
from tests.engine.scripted import CPU, Scripted, actor_of, collected, fixed_length_of, policy_of

LENGTHS = [(2, 3, 4), (1, 1, 7), (9, 2), (4, 4, 4)]
CUT_OFF = [1, 3]
STEPS = 5


def batch() -> Scripted:
    return Scripted(LENGTHS, truncated=CUT_OFF)


@dataclass
class Truth:
    """What one environment goes through, step by step: (episode, step) before each step, and what ends after it."""

    seen: list[tuple[int, int]] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    after: list[tuple[int, int]] = field(default_factory=list)


def truth(index: int, count: int) -> Truth:
    found, episode, step = Truth(), 0, 0
    for _ in range(count):
        found.seen.append((episode, step))
        step += 1
        found.after.append((episode, step))
        over = step == LENGTHS[index][min(episode, len(LENGTHS[index]) - 1)]
        found.ends.append(("truncated" if index in CUT_OFF else "terminated") if over else "")
        if over:
            episode, step = episode + 1, 0
    return found


def three_rollouts() -> list[Rollout]:
    """Copies, for a rollout only holds until the next is collected."""
    collector, found = fixed_length_of(batch(), STEPS), []
    for _ in range(3):
        rollout = collected(collector)[0]
        tensors = {f.name: getattr(rollout, f.name) for f in fields(rollout)}
        found.append(replace(rollout, **{name: t.clone() for name, t in tensors.items() if torch.is_tensor(t)}))
    return found


EACH_ROLLOUT = pytest.mark.parametrize("nth", [0, 1, 2])


@EACH_ROLLOUT
def test_every_step_is_what_a_loop_over_steps_would_see(nth: int) -> None:
    rollout = three_rollouts()[nth]
    assert rollout.mask.all()
    assert not rollout.whole_episodes
    for n in range(4):
        seen = truth(n, 15).seen[nth * STEPS : (nth + 1) * STEPS]
        assert rollout.observations[:, n].tolist() == [[n, *one] for one in seen]
        assert rollout.rewards[:, n].tolist() == [100 * n + 10 * episode + step for episode, step in seen]
        assert rollout.elapsed[:, n].tolist() == [step for _, step in seen]


@EACH_ROLLOUT
def test_a_rollouts_last_step_is_cut_off_unless_it_terminated(nth: int) -> None:
    rollout = three_rollouts()[nth]
    for n in range(4):
        *before, last = truth(n, 15).ends[nth * STEPS : (nth + 1) * STEPS]
        ends = [*before, last or "truncated"]
        assert rollout.terminated[:, n].tolist() == [end == "terminated" for end in ends]
        assert rollout.truncated[:, n].tolist() == [end == "truncated" for end in ends]


@EACH_ROLLOUT
def test_final_observations_are_the_true_ones_environment_by_environment(nth: int) -> None:
    rollout = three_rollouts()[nth]
    expected = []
    for n in range(4):
        after = truth(n, 15).after[nth * STEPS : (nth + 1) * STEPS]
        expected += [[n, *after[t]] for t in range(STEPS) if rollout.truncated[t, n]]
    assert rollout.final_observations.tolist() == expected
    assert rollout.at_cuts(rollout.final_observations[:, 0])[rollout.truncated].tolist() == [
        n for _, n in rollout.truncated.nonzero().tolist()
    ]


def test_an_episode_that_ends_with_the_rollout_is_followed_by_the_next_in_the_next() -> None:
    """A terminated one without a cut, one at its time limit with the true final observation."""
    for truncated in ([], [0]):
        collector = fixed_length_of(Scripted([(3, 9)], truncated=truncated), 3)
        first = collected(collector)[0]
        assert first.terminated[2, 0] == (not truncated)
        assert first.final_observations.tolist() == ([[0, 0, 3]] if truncated else [])
        assert collected(collector)[0].observations[0, 0].tolist() == [0, 1, 0]


def test_what_both_terminates_and_is_cut_off_is_a_termination() -> None:
    rollout = collected(fixed_length_of(Scripted([2], both=[0]), 4))[0]
    assert rollout.terminated[:, 0].tolist() == [False, True, False, True]
    assert not rollout.truncated.any()
    assert rollout.final_observations.shape == (0, 3)


def test_an_episode_across_rollouts_is_reported_once_and_whole() -> None:
    collector = fixed_length_of(Scripted([(7, 9)]), 3)
    first, second, third = (collected(collector)[1] for _ in range(3))
    assert first.returns.tolist() == second.returns.tolist() == []
    assert third.returns.tolist() == [sum(range(7))]
    assert third.lengths.tolist() == [7]
    assert third.taken.tolist() == [1]


def test_episodes_are_reported_in_the_rollout_in_which_they_end() -> None:
    collector = fixed_length_of(batch(), STEPS)
    first, second, _ = (collected(collector)[1] for _ in range(3))
    assert sorted(zip(first.lengths.tolist(), first.taken.tolist(), strict=True)) == [
        (1, 4),
        (1, 8),
        (2, 8),
        (3, 20),
        (4, 16),
    ]
    assert first.steps == 20
    assert sorted(zip(second.lengths.tolist(), second.returns.tolist(), strict=True)) == [
        (4, 4 * 20.0 + 6),
        (4, 4 * 310.0 + 6),
        (7, 7 * 120.0 + 21),
        (9, 9 * 200.0 + 36),
    ]


def test_every_environment_takes_every_step() -> None:
    scripted = batch()
    collected(fixed_length_of(scripted, STEPS))
    assert scripted.calls == [[0, 1, 2, 3]] * STEPS


def test_a_rollout_counts_the_steps_of_all_its_environments() -> None:
    _, finished, _ = collected(fixed_length_of(batch(), STEPS))
    assert finished.steps == STEPS * 4


def test_cart_poles_in_rollouts_equal_cart_poles_stepped_by_hand() -> None:
    """A real environment, with ends wherever they come, over several rollouts."""
    seeds, steps, info = [1, 2, 3], 40, ENVIRONMENTS["CartPole-v1"]
    batch, by_hand = (batched(EnvironmentConfig(id=info.id), seeds) for _ in range(2))
    assert batch is not None
    assert by_hand is not None
    collector = FixedLengthCollector(batch, info, CPU, steps)
    every = np.arange(3)
    observations = by_hand.reset(every)
    ended = 0
    actor = actor_of(Policy(LinearPolicy(), info, torch.Generator()))
    for _ in range(3):
        rollout = collected(collector, actor)[0]
        for t in range(steps):
            assert np.array_equal(rollout.observations[t].numpy(), observations)
            moved = by_hand.step(rollout.actions[t].numpy(), every)
            assert np.array_equal(rollout.terminated[t].numpy(), moved.terminated)
            observations = moved.observations.copy()
            over = np.flatnonzero(moved.terminated | moved.truncated)
            ended += len(over)
            if len(over):
                observations[over] = by_hand.reset(over)
    assert ended > 3


# --- sequences and memory ---------------------------------------------------------------------------------------------


def test_sequences_are_pieces_of_episodes_across_rollouts() -> None:
    first, second, third = three_rollouts()
    assert first.sequences.lengths.tolist() == [2, 3, 1, 1, 3, 5, 4, 1]
    assert first.sequences.cut.tolist() == [False, False, True, True, True, True, True, True]
    assert second.sequences.lengths.tolist() == [4, 1, 4, 1, 4, 1, 3, 2]
    assert second.sequences.cut.tolist() == [False, True, True, True, False, True, True, True]
    assert all(rollout.sequences.lengths.sum() == 20 for rollout in (first, second, third))


class Remembering:
    """An actor that writes down what it remembered before each step, and the logits it acted on."""

    def __init__(self, policy: Any) -> None:
        self._policy, self._actor = policy, actor_of(policy)
        self.greedy_share = 0.0
        self.states: list[torch.Tensor] = []
        self.logits: list[torch.Tensor] = []

    def start(self, size: int) -> Any:
        return self._actor.start(size)

    def to_environment(self, actions: NDArray[Any]) -> NDArray[Any]:
        return actions

    def act(self, observations: NDArray[Any], state: torch.Tensor) -> Any:
        with torch.no_grad():
            self.logits.append(self._policy.step(torch.from_numpy(observations), state)[0].logits)
        self.states.append(state.clone())
        return self._actor.act(observations, state)


@EACH_ROLLOUT
def test_a_memory_over_whole_sequences_is_the_one_that_acted(nth: int) -> None:
    policy = policy_of(GRUPolicy(hidden_size=8))
    collector, actor = fixed_length_of(batch(), STEPS), Remembering(policy)
    rollout = None
    for _ in range(nth + 1):
        rollout = collected(collector, actor)[0]  # type: ignore[arg-type]
    assert rollout is not None
    with torch.no_grad():
        logits = policy.over(rollout.flat(rollout.observations), rollout.sequences).logits
    acted = torch.stack(actor.logits[-STEPS:])
    torch.testing.assert_close(logits, rollout.flat(acted))


def test_a_rollout_begins_with_what_the_one_before_ended_with() -> None:
    policy = policy_of(GRUPolicy(hidden_size=8))
    collector, actor = fixed_length_of(batch(), STEPS), Remembering(policy)
    first = collected(collector, actor)[0]  # type: ignore[arg-type]
    assert first.states is not None
    assert not first.states.any()
    second = collected(collector, actor)[0]  # type: ignore[arg-type]
    assert second.states is not None
    torch.testing.assert_close(second.states, actor.states[STEPS])
    # Environments 1 and 2 are in the middle of an episode, that of environment 0 ended with the rollout.
    assert second.states[1].any()
    assert second.states[2].any()
    assert not second.states[0].any()


def test_the_memory_is_empty_wherever_an_episode_begins() -> None:
    actor = Remembering(policy_of(GRUPolicy(hidden_size=8)))
    collector = fixed_length_of(batch(), 15)
    rollout = collected(collector, actor)[0]  # type: ignore[arg-type]
    remembered = torch.stack(actor.states).abs().sum(-1)
    assert torch.equal(remembered == 0.0, rollout.elapsed == 0)


def test_sequences_begin_with_what_was_remembered_and_new_episodes_with_nothing() -> None:
    collector, actor = fixed_length_of(batch(), STEPS), Remembering(policy_of(GRUPolicy(hidden_size=8)))
    collected(collector, actor)  # type: ignore[arg-type]
    second = collected(collector, actor)[0]  # type: ignore[arg-type]
    assert second.states is not None
    sequences = second.sequences
    assert sequences.states is not None
    starts = (sequences.lengths.cumsum(0) - sequences.lengths).tolist()
    for sequence, start in enumerate(starts):
        index, _, step = second.flat(second.observations)[start].tolist()
        expected = second.states[int(index)] if step else torch.zeros(8)
        assert torch.equal(sequences.states[sequence], expected)


def test_a_policy_without_a_memory_has_no_states() -> None:
    rollout = collected(fixed_length_of(batch(), STEPS))[0]
    assert rollout.states is None
    assert rollout.sequences.states is None


# --- greedy actions ---------------------------------------------------------------------------------------------------


def test_greedy_actions_are_marked_in_rollouts_too() -> None:
    policy = policy_of()
    rollout = collected(fixed_length_of(batch(), 50), actor_of(policy, greedy_share=0.5))[0]
    assert rollout.greedy is not None
    assert rollout.greedy_share == 0.5
    with torch.no_grad():
        mode = policy(rollout.flat(rollout.observations)).mode()
    same, marked = rollout.flat(rollout.actions) == mode, rollout.flat(rollout.greedy)
    assert same[marked].all()
    assert not same[~marked].all()


def test_the_share_of_greedy_actions_may_change_from_rollout_to_rollout() -> None:
    collector, policy = fixed_length_of(batch(), STEPS), policy_of()
    shares = (1.0, 0.0, 1.0)
    found = [collected(collector, actor_of(policy, greedy_share=share))[0] for share in shares]
    assert [rollout.greedy_share for rollout in found] == list(shares)
    assert found[1].greedy is None
