"""Replay: what comes out is what was appended, within episodes, and so after a checkpoint."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.experience.prioritized_replay import PrioritizedReplay
from engine.experience.replay_buffer import Experience, Minibatch, ReplayBuffer
from engine.experience.replay_layout import ArrayLayout, TransitionLayout, replay_bytes
from engine.runtime.errors import RunError
from engine.training.checkpoint import from_bytes, to_bytes
from tests.engine.experience.replay_world import GAMMA, LAYOUT, World, all_slots, assert_holds, generator, of_one_step
from tests.engine.states import as_data, held
from tests.engine.training.walking import leaves

NO_FINALS = np.zeros((0, 3), np.float32)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_windows_are_the_steps_that_followed_as_far_as_the_episode_goes(n: int) -> None:
    """Also where the ring has begun anew, and by which chance each action was taken."""
    world, buffer = World(3, seed=5), ReplayBuffer(replace(LAYOUT, likelihoods=True), 40, 3)
    for steps in (4, 1, 7, 6):
        experience = world.play(steps)
        buffer.append(replace(experience, log_probs=-experience.rewards.astype(np.float32)))
    again = ReplayBuffer(replace(LAYOUT, likelihoods=True), 40, 3)
    again.load(buffer.state())
    slots = all_slots(buffer)
    windows = again.windows(slots, n, GAMMA)
    ahead = windows.steps.actions.view(n, -1)
    for column, time in enumerate(ahead[0].tolist()):
        *_, length = world.transition(time, int(slots[column]) % 3, n)
        assert ahead[:length, column].tolist() == list(range(time, time + length))
        assert windows.carry[:, column].tolist() == pytest.approx([GAMMA] * (length - 1) + [0.0] * (n + 1 - length))
        assert windows.log_probs[:length, column].tolist() == [-float(time + step) for step in range(length)]
    first = Minibatch(*(part[: len(slots)] for part in vars(windows.steps).values()))
    assert_holds(first, world, 1)
    with pytest.raises(ValueError, match="log_probs are kept here"):
        again.append(world.play(1))


@given(
    size=st.integers(1, 3),
    rows=st.integers(1, 9),
    n=st.integers(1, 5),
    blocks=st.lists(st.integers(0, 6), min_size=1, max_size=10),
    often=st.sampled_from([0.05, 0.3, 0.8]),
    seed=st.integers(0, 10_000),
)
def test_every_transition_is_one_that_happened_within_one_episode(
    size: int, rows: int, n: int, blocks: list[int], often: float, seed: int
) -> None:
    """Whatever the ring's size, however much comes at once, and where episodes break off: none crosses an end, a cut,
    the newest row or the place where the ring begins again."""
    world, buffer = World(size, seed, often), ReplayBuffer(LAYOUT, rows * size, size)
    for steps in blocks:
        buffer.append(of_one_step(world.play(1)) if steps == 1 else world.play(steps))
        if steps == 3:
            broken = world.random.permutation(size)[:2]
            buffer.cut(broken)
            world.break_off(broken)
        assert len(buffer) == min(world.steps, rows) * size
        batch = buffer.at(all_slots(buffer), n, GAMMA)
        times = np.arange(max(0, world.steps - rows), world.steps)
        assert batch.actions.tolist() == times.repeat(size).tolist()
        assert_holds(batch, world, n)


def test_final_observations_find_room_as_cuts_become_frequent_and_leave_with_their_rows() -> None:
    world, buffer = World(3, 0, often=0.05), ReplayBuffer(LAYOUT, 90, 3)
    for often in (0.05, 0.5, 0.05, 0.5):
        world.often = often
        for _ in range(80):
            buffer.append(of_one_step(world.play(1)))
        assert_holds(buffer.at(all_slots(buffer), 2, GAMMA), world, 2)
    assert max(len(array) for array in held(vars(buffer)) if array.shape[1:] == (3,)) == buffer.slots
    cuts = sum(cut for row in world.log[-30:] for _, _, cut, _ in row)
    assert buffer.state()["kept_finals"] == cuts
    assert len(buffer.state()["final_observations"]) <= 64  # room for twice the some 30 that there were at once


def test_wrong_variants_are_seen_to_be_wrong() -> None:
    """A truncation taken for a termination, or the next row taken for what a cut episode came to."""
    world, buffer = World(2, 1), ReplayBuffer(LAYOUT, 40, 2)
    experience = world.play(20)
    merged = experience.terminated | experience.truncated
    buffer.append(replace(experience, terminated=merged, final_observations=NO_FINALS))
    with pytest.raises(AssertionError):
        assert_holds(buffer.at(all_slots(buffer), 3, GAMMA), world, 3)
    crossing = ReplayBuffer(LAYOUT, 40, 2)
    crossing.append(replace(experience, truncated=np.zeros_like(experience.truncated), final_observations=NO_FINALS))
    with pytest.raises(AssertionError):
        assert_holds(crossing.at(all_slots(crossing), 1, GAMMA), world, 1)


@pytest.mark.parametrize("steps", [0, 3, 30])
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("prioritized", [False, True], ids=["uniform", "prioritized"])
def test_it_goes_on_from_its_state_as_if_nothing_had_been(steps: int, prioritized: bool, frames: int) -> None:
    make = PrioritizedReplay if prioritized else ReplayBuffer
    layout = replace(LAYOUT, frames=frames)
    world, first, second = World(2, 3), make(layout, 24, 2), make(layout, 24, 2)
    second.append(World(2, 8, often=0.9).play(40))  # something else, to be forgotten
    for _ in range(2):
        first.append(world.play(steps))
    if isinstance(first, PrioritizedReplay) and steps:
        batch, _ = first.sample(9, 1, GAMMA, generator(5))
        first.update(batch.slots, torch.linspace(0.1, 7.0, 9))
    fresh = make(layout, 24, 2)
    fresh.load(first.state())
    assert leaves(fresh) == leaves(first)
    state = as_data(first.state())
    kept = to_bytes(first.state())
    own = list(held([vars(part) for part in first.parts] if isinstance(first, PrioritizedReplay) else vars(first)))
    assert not any(np.shares_memory(mine, theirs) for mine in own for theirs in held(first.state()))
    second.load(from_bytes(kept))
    rest = [world.play(count) for count in (1, 1, 7, 2, 20)]
    for experience in rest:
        for buffer in (first, second):
            buffer.append(experience)
        one, other = (buffer.sample(16, 3, GAMMA, generator(2)) for buffer in (first, second))
        for mine, theirs in zip(held(one), held(other), strict=True):
            assert torch.equal(mine, theirs)
    for mine, theirs in zip(held(first.state()), held(second.state()), strict=True):
        assert np.array_equal(mine, theirs)
    assert to_bytes(state) == kept  # which is what it was
    with pytest.raises(ValueError, match="state is of"):
        make(layout, 26, 2).load(state)


def test_pixels_take_a_byte_each_and_others_are_refused() -> None:
    layout = TransitionLayout(ArrayLayout((4,), "uint8"), ArrayLayout((2,), "float32"))
    shown = np.arange(2 * 8, dtype=np.float32).reshape(2, 2, 4) + 240.0
    never = np.zeros(2, np.bool_)
    step = Experience(shown[0], np.full((2, 2), 0.1), np.zeros(2), never, never, shown[0][:0], shown[1] % 256.0)
    buffer = ReplayBuffer(layout, 6, 2)
    buffer.append(step)
    batch = buffer.sample(8, 1, GAMMA, generator())
    assert batch.observations.dtype == batch.next_observations.dtype == torch.uint8
    assert batch.actions.dtype == torch.float32
    rows = batch.slots.numpy()
    assert batch.observations.tolist() == shown[0][rows].tolist()
    assert batch.next_observations.tolist() == (shown[1] % 256.0)[rows].tolist()
    for wrong in (shown[1] + 0.5, shown[1] + 256.0, -shown[1]):
        with pytest.raises(RunError, match="whole numbers from 0 to 255"):
            ReplayBuffer(layout, 6, 2).append(replace(step, following=wrong))


@pytest.mark.parametrize("prioritized", [False, True], ids=["uniform", "prioritized"])
def test_its_memory_is_told_beforehand(prioritized: bool) -> None:
    layout = TransitionLayout(ArrayLayout((12,), "uint8"), ArrayLayout((3,), "float32"))
    buffer = (PrioritizedReplay if prioritized else ReplayBuffer)(layout, 10_000, 4)
    parts = [vars(part) for part in buffer.parts] if isinstance(buffer, PrioritizedReplay) else [vars(buffer)]
    taken = sum(array.nbytes for part in parts for array in held(part))
    assert replay_bytes(layout, 10_000, 4, prioritized) == pytest.approx(taken, rel=0.03)
    more = replay_bytes(layout, 10_000, 4, prioritized, time_limit=50) - replay_bytes(layout, 10_000, 4, prioritized)
    assert more == pytest.approx(2 * 10_000 / 50 * 12, rel=0.01)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="no room for a step of 8 environments"):
        ReplayBuffer(LAYOUT, 7, 8)
    for empty in (ReplayBuffer(LAYOUT, 8, 2), PrioritizedReplay(LAYOUT, 8, 2)):
        with pytest.raises(ValueError, match=r"no transition in the replay buffer|nothing to draw"):
            empty.sample(4, 1, GAMMA, generator())
        empty.cut(np.array([0]))  # of which there is nothing yet
        empty.append(World(2, 0).play(0))
        assert len(empty) == 0
    step = World(2, 0, often=0.0).play(3)
    for name in ("observations", "actions", "terminated", "following"):
        with pytest.raises(ValueError, match=f"{name} .* must have the shape"):
            ReplayBuffer(LAYOUT, 8, 2).append(replace(step, **{name: getattr(step, name)[:1]}))
    with pytest.raises(ValueError, match=r"final_observations .* must have the shape"):
        ReplayBuffer(LAYOUT, 8, 2).append(replace(step, truncated=~step.truncated))
