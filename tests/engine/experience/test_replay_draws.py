"""What is drawn from replay: uniformly each alike, prioritized as often as its priority says."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from engine.config.replay import ReplayConfig
from engine.experience.prioritized_replay import PrioritizedReplay
from engine.experience.replay import LEAST_PRIORITY, Horizon, Replay
from engine.experience.replay_buffer import Minibatch, ReplayBuffer
from engine.experience.transitions import Transitions
from engine.maths.priorities import prioritized_weights
from tests.engine.experience.replay_world import GAMMA, LAYOUT, World, all_slots, assert_holds, generator


def test_uniform_draws_take_every_transition_alike() -> None:
    """Pearson's χ² over 20 transitions, once the ring has gone round."""
    world, buffer = World(2, 0), ReplayBuffer(LAYOUT, 20, 2)
    buffer.append(world.play(17))
    slots = buffer.draw(20_000, generator())
    counts = np.bincount(slots, minlength=buffer.slots)
    assert counts[buffer.head * 2 : buffer.head * 2 + 2].tolist() == [0, 0]
    assert stats.chisquare(counts[all_slots(buffer)]).pvalue > 1e-3
    batch = buffer.sample(64, 3, GAMMA, generator(1))
    assert_holds(batch, world, 3)
    assert (batch.actions >= 7).all()
    assert batch.to(torch.device("cpu")).slots.tolist() == batch.slots.tolist()


def test_prioritized_draws_go_by_priority_and_their_weights_undo_it() -> None:
    world, replay = World(2, 0), PrioritizedReplay(LAYOUT, 20, 2)
    replay.append(world.play(17))
    fresh, alike = replay.sample(200, 1, GAMMA, generator())
    assert alike.tolist() == pytest.approx([1 / 20] * 200)
    slots = torch.unique(fresh.slots)
    assert len(slots) == 20
    priorities = torch.linspace(0.0, 3.0, 20, dtype=torch.float64)
    replay.update(slots, priorities)
    drawn, probabilities = replay.sample(20_000, 1, GAMMA, generator(1))
    assert_holds(Minibatch(*(getattr(drawn, name)[:40] for name in Minibatch.__annotations__)), world, 1)
    expected = (priorities / priorities.sum()).numpy()
    which = torch.searchsorted(slots, drawn.slots)
    np.testing.assert_allclose(probabilities.numpy(), expected[which.numpy()], rtol=1e-6)
    counts = np.bincount(which.numpy(), minlength=20)
    assert counts[0] == 0
    assert stats.chisquare(counts[1:], 20_000 * expected[1:]).pvalue > 1e-3
    # Of what has a priority above 0: unweighted, the mean is far from the uniform one, weighted it is there.
    numbers = torch.arange(20.0)[which] ** 2
    weights = prioritized_weights(probabilities, 19, 1.0, normalized=False)
    uniform = (torch.arange(1.0, 20.0) ** 2).mean().item()
    error = (weights * numbers).std().item() / 20_000**0.5
    assert (weights * numbers).mean().item() == pytest.approx(uniform, abs=4 * error)
    assert abs(numbers.mean().item() - uniform) > 40 * error


def test_new_transitions_have_the_greatest_priority_and_old_ones_leave_with_theirs() -> None:
    world, replay = World(2, 0), PrioritizedReplay(LAYOUT, 8, 2)
    for steps in (1, 2, 1, 3, 9, 1):
        replay.append(world.play(steps))
        batch, probabilities = replay.sample(400, 1, GAMMA, generator())
        assert_holds(batch, world, 1)
        assert len(batch.slots.unique()) == len(replay)
        assert probabilities.tolist() == pytest.approx([1 / len(replay)] * 400)  # the greatest that there was
        once, _ = replay.sample(len(replay), 1, GAMMA, generator())  # out of every part of the priorities one
        assert len(once.slots.unique()) == len(replay)
        replay.update(batch.slots, torch.full((400,), 3.0))
    replay.update(batch.slots, torch.full((400,), 0.5))
    replay.append(world.play(1))
    after, probabilities = replay.sample(400, 1, GAMMA, generator())
    newest = after.ages < 2
    assert probabilities[newest].tolist() == pytest.approx([3.0 / 9.0] * int(newest.sum()))
    assert (after.ages < 2).float().mean().item() == pytest.approx(6.0 / 9.0, abs=0.02)
    # Slots that were drawn before the last step and hold no transition now are left alone.
    replay.update(batch.slots, torch.ones(400))
    assert len(replay.sample(400, 1, GAMMA, generator())[0].slots.unique()) == 8


def test_priorities_are_of_the_exponent_that_is_in_force_however_it_changes() -> None:
    """Of the square root, the old ones are raised to it; of a state that does not say, they are taken as they are."""
    world, replay = World(2, 0), PrioritizedReplay(LAYOUT, 20, 2)
    replay.weigh(1.0)
    replay.append(world.play(17))
    slots = replay.sample(200, 1, GAMMA, generator())[0].slots.unique()
    replay.update(slots, torch.linspace(0.0, 9.0, 20, dtype=torch.float64))
    going_on, early = PrioritizedReplay(LAYOUT, 20, 2), PrioritizedReplay(LAYOUT, 20, 2)
    going_on.load(replay.state())
    early.load({name: part for name, part in replay.state().items() if name != "exponent"})
    for buffer, exponent in ((replay, 0.5), (going_on, 0.5), (early, 1.0)):
        buffer.weigh(0.5)
        expected = torch.linspace(0.0, 9.0, 20, dtype=torch.float64) ** exponent
        drawn, probabilities = buffer.sample(60, 1, GAMMA, generator())
        which = torch.searchsorted(slots, drawn.slots)
        torch.testing.assert_close(probabilities.double(), (expected / expected.sum())[which], rtol=1e-5, atol=0.0)
    replay.append(world.play(1))
    newest, chances = replay.sample(200, 1, GAMMA, generator())
    assert chances[newest.ages < 2].tolist() == pytest.approx([chances.max().item()] * int((newest.ages < 2).sum()))
    for exponent in (0.0, 0.7):  # by which all are alike, and stay it until they are looked at again
        replay.weigh(exponent)
        drawn, probabilities = replay.sample(200, 1, GAMMA, generator())
        assert probabilities.tolist() == pytest.approx([1 / len(drawn.slots.unique())] * 200)


def test_a_change_of_the_exponent_reaches_what_is_kept_with_the_next_draw() -> None:
    config = ReplayConfig(sampling="prioritized", priority_exponent=1.0, minibatch_size=300)
    replay = Replay(config, LAYOUT, 2, generator())
    seen, actions = np.zeros((1, 2, 3), np.float32), np.zeros((1, 2), np.int64)
    rewards, never = np.zeros((1, 2)), np.zeros((1, 2), np.bool_)
    replay.append(Transitions(seen, actions, rewards, never, never, seen, seen[0]), rewards)
    draw = partial(replay.draws, horizon=Horizon(1, GAMMA), steps=1, progress=1.0, device=torch.device("cpu"))
    (first,) = draw(config)
    replay.learned(config, first.batch, torch.where(first.batch.slots == 0, 8.0, 1.0))
    for exponent in (1.0, 1.0 / 3.0):
        (drawn,) = draw(config.model_copy(update={"priority_exponent": exponent}))
        share = (8.0 + LEAST_PRIORITY) ** exponent / sum((each + LEAST_PRIORITY) ** exponent for each in (8.0, 1.0))
        assert (drawn.batch.slots == 0).double().mean().item() == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("sampling", ["uniform", "prioritized"])
def test_what_an_early_version_kept_with_all_frames_fills_anew(sampling: Any) -> None:
    config, once = ReplayConfig(capacity=24, sampling=sampling), replace(LAYOUT, frames=3)
    early = Replay(config, LAYOUT, 2, generator())
    early._buffer.append(World(2, 0).play(9))
    now = Replay(config, once, 2, generator())
    now._buffer.append(World(2, 0).play(9))
    state = now.state()
    now.load(early.state())
    assert len(now) == 0
    now.load(state)
    assert len(now) == 18
