"""Replay of stacked frames: each is kept once, and observations come out as they went in."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.catalogue.configured import changed
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.replay import replay_layout
from engine.catalogue.spaces import Space
from engine.config.environments import EnvironmentConfig
from engine.environments.batches.changed import ChangedBatch
from engine.environments.batches.interface import Transitions as Moved
from engine.experience.prioritized_replay import PrioritizedReplay
from engine.experience.replay_buffer import Experience, Minibatch, ReplayBuffer
from engine.experience.replay_layout import ArrayLayout, TransitionLayout
from tests.engine.experience.replay_world import GAMMA, LAYOUT, World, all_slots, generator


def side_by_side(frames: list[NDArray[Any]], places: int) -> NDArray[Any]:
    """Frames [N, numbers] as observations [N, frames · numbers], by place."""
    stacked = np.stack([frame.reshape(len(frame), places, -1) for frame in frames], 2)
    return stacked.reshape(len(frames[0]), -1)


def seen_in_frames(experience: Experience, before: NDArray[Any], places: int, repeats: bool) -> Experience:
    """``experience`` as an environment shows the latest of it side by side, from ``before`` [N, k, 3], the frames that
    it shows first, which become those that it shows last; zeros stand before the first of an episode, or that again."""
    seen, finals = [], []
    for t in range(len(experience.rewards)):
        seen.append(side_by_side(list(before.swapaxes(0, 1)), places))
        after = np.concatenate((before[:, 1:], before[:, -1:] + np.float32([0, 0, 1])), 1)
        cut = experience.truncated[t] & ~experience.terminated[t]
        finals.append(side_by_side(list(after.swapaxes(0, 1)), places)[cut])
        over = experience.terminated[t] | experience.truncated[t]
        later = experience.observations[t + 1] if t + 1 < len(experience.rewards) else experience.following
        before[:] = np.where(over[:, None, None], later[:, None] if repeats else 0.0, after)
        before[:, -1] = later
    width = 3 * before.shape[1]
    observations = np.array(seen, np.float32).reshape(-1, len(before), width)
    final_observations = np.concatenate([np.zeros((0, width), np.float32), *finals])
    following = side_by_side(list(before.swapaxes(0, 1)), places)
    return replace(experience, observations=observations, final_observations=final_observations, following=following)


@given(
    size=st.integers(1, 3),
    rows=st.integers(1, 7),
    frames=st.integers(2, 4),
    places=st.sampled_from([1, 3]),
    repeats=st.booleans(),
    blocks=st.lists(st.integers(0, 9), min_size=1, max_size=10),
    often=st.sampled_from([0.05, 0.3]),
    seed=st.integers(0, 10_000),
)
@example(size=2, rows=2, frames=3, places=1, repeats=True, blocks=[2, 9], often=0.05, seed=1)  # two of nine are kept
def test_frames_that_are_kept_once_come_out_as_the_observations_that_went_in(
    size: int, rows: int, frames: int, places: int, repeats: bool, blocks: list[int], often: float, seed: int
) -> None:
    """As those of a buffer that keeps them whole, which begins in the middle of episodes, after steps that it was not
    given."""
    stacked = ArrayLayout((3 * frames,), "float32")
    world = World(size, seed, often)
    whole = ReplayBuffer(TransitionLayout(stacked, LAYOUT.action), rows * size, size)
    once = TransitionLayout(stacked, LAYOUT.action, False, frames, places, repeats)
    kept = PrioritizedReplay(once, rows * size, size)
    shown = np.zeros((size, frames, 3), np.float32)
    shown[:] = world.shown[:, None]
    seen_in_frames(world.play(2), shown, places, repeats)
    for steps in blocks:
        experience = seen_in_frames(world.play(steps), shown, places, repeats)
        for buffer in (whole, kept):
            buffer.append(experience)
        if steps == 3:
            broken = world.random.permutation(size)[:2]
            before = world.shown.copy()
            world.break_off(broken)
            anew = (world.shown != before).any(1)
            for buffer in (whole, kept):
                buffer.cut(broken)
            shown[anew] = world.shown[anew][:, None] if repeats else 0.0
            shown[:, -1] = world.shown
        assert len(kept) == len(whole)
        if not len(whole):
            continue
        slots = all_slots(kept._buffer)
        for n in (1, 3):
            one, other = whole.at(all_slots(whole), n, GAMMA), kept._buffer.at(slots, n, GAMMA)
            for name in Minibatch.__annotations__:
                if name != "slots":
                    assert torch.equal(getattr(one, name), getattr(other, name)), name
        drawn, chances = kept.sample(5 * len(slots), 1, GAMMA, generator())
        assert sorted(drawn.slots.unique().tolist()) == sorted(slots.tolist())
        assert chances.tolist() == pytest.approx([1 / len(slots)] * len(chances))


class Shown:
    """Environments that show numbers by chance, and end none of their episodes."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.size, self._numbers, self._random = 2, prod(shape), np.random.default_rng(0)

    def reset(self, indices: NDArray[np.int64]) -> NDArray[Any]:
        return self._random.integers(0, 256, (len(indices), self._numbers)).astype(np.float32)

    def step(self, actions: NDArray[Any], indices: NDArray[np.int64]) -> Moved:
        never = np.zeros(len(indices), np.bool_)
        return Moved(self.reset(indices), np.zeros(len(indices)), never, never)


@pytest.mark.parametrize(
    ("shape", "image", "bytes_of_a_frame"),
    [
        ((6,), False, 24),
        ((8, 9), True, 72),
        ((8, 9, 2), True, 144),
        ((2, 8, 9), True, 144),
        ((3, 4, 2), False, 4 * 3 * 24),  # of which nobody knows how it was stacked: kept whole
    ],
)
def test_frames_are_found_where_an_environment_that_stacks_them_puts_them(
    shape: tuple[int, ...], image: bool, bytes_of_a_frame: int
) -> None:
    space = Space("box", prod(shape), bounds=((0.0, 255.0),), shape=shape if len(shape) > 1 else (), image=image)
    environment = EnvironmentConfig(frame_stack=3)
    seen = changed(replace(ENVIRONMENTS["CartPole-v1"], observation=space), environment)
    layout = replay_layout(seen, environment)
    assert layout.frame.bytes == bytes_of_a_frame
    batch = ChangedBatch(cast("Any", Shown(shape)), environment, space, [1, 2])
    whole = ReplayBuffer(replace(layout, frames=1, places=1), 20, 2)
    kept = ReplayBuffer(layout, 20, 2)
    shown, both = batch.reset(np.arange(2)), np.arange(2)
    for _ in range(6):
        moved = batch.step(both, both)
        step = Experience(shown, both, moved.rewards, moved.terminated, moved.truncated, shown[:0], moved.observations)
        shown = moved.observations
        for buffer in (whole, kept):
            buffer.append(step)
    one, other = (buffer.at(all_slots(buffer), 2, GAMMA) for buffer in (whole, kept))
    assert torch.equal(one.observations, other.observations)
    assert torch.equal(one.next_observations, other.next_observations)
