"""What is seen and done through changes, against a scripted batch whose every observation is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.catalogue.spaces import Space
from engine.config.environments import EnvironmentConfig
from engine.environments.batches.changed import ChangedBatch, with_changes
from engine.environments.batches.interface import Indices, Transitions

THREE = Space("box", 3)


class Script:
    """Environment i shows (100 i + t, 10 t, −t) at time t, and keeps every action it is given."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.time = np.zeros(size, np.int64)
        self.taken: list[tuple[list[int], NDArray[Any]]] = []
        self.closed = False

    def reset(self, indices: Indices) -> NDArray[Any]:
        self.time[indices] = 0
        return self._seen(indices)

    def step(self, actions: NDArray[Any], indices: Indices) -> Transitions:
        self.taken.append((indices.tolist(), actions.copy()))
        self.time[indices] += 1
        never = np.zeros(len(indices), np.bool_)
        return Transitions(self._seen(indices), np.ones(len(indices)), never, never)

    def close(self) -> None:
        self.closed = True

    def _seen(self, indices: Indices) -> NDArray[Any]:
        time = self.time[indices]
        return np.stack((100 * indices + time, 10 * time, -time), 1).astype(np.float32)


def changed_script(size: int = 2, space: Space = THREE, **changes: Any) -> tuple[Script, ChangedBatch]:
    script = Script(size)
    batch = with_changes(script, EnvironmentConfig(**changes), space, range(size))
    assert isinstance(batch, ChangedBatch)
    return script, batch


def test_without_changes_the_batch_is_left_as_it_is() -> None:
    script = Script(2)
    plain = EnvironmentConfig(time_limit=9, reward_offset=1.0, reward_scale=2.0, normalize_rewards=True)
    assert with_changes(script, plain, THREE, [1, 2]) is script


def test_hidden_components_are_left_out() -> None:
    _, batch = changed_script(hidden=(1,))
    assert batch.reset(np.arange(2)).tolist() == [[0, 0], [100, 0]]
    assert batch.step(np.zeros(1, np.int64), np.array([1])).observations.tolist() == [[101, -1]]


def test_a_stack_holds_the_latest_observations_and_begins_with_zeros() -> None:
    _, batch = changed_script(frame_stack=3)
    everyone, second = np.arange(2), np.array([1])
    assert batch.reset(everyone)[1].tolist() == [0, 0, 0, 0, 0, 0, 100, 0, 0]
    batch.step(np.zeros(1, np.int64), second)
    batch.step(np.zeros(1, np.int64), second)
    moved = batch.step(np.zeros(2, np.int64), everyone).observations
    assert moved[0].tolist() == [0, 0, 0, 0, 0, 0, 1, 10, -1]
    assert moved[1].tolist() == [101, 10, -1, 102, 20, -2, 103, 30, -3]
    assert batch.reset(second)[0].tolist() == [0, 0, 0, 0, 0, 0, 100, 0, 0]


@pytest.mark.parametrize(
    ("shape", "frames"),
    [((4, 4, 2), (4, 4, 6)), ((2, 4, 4), (6, 4, 4)), ((4, 8), (3, 4, 8))],
    ids=["channels last", "channels first", "no channels"],
)
def test_images_are_stacked_by_their_channels(shape: tuple[int, ...], frames: tuple[int, ...]) -> None:
    """Frame t is filled with t, so that in the stack every pixel of its channels is."""

    class Filled(Script):
        def _seen(self, indices: Indices) -> NDArray[Any]:
            return np.repeat(self.time[indices, None] + 1, 32, 1).astype(np.float32)

    script = Filled(1)
    batch = with_changes(script, EnvironmentConfig(frame_stack=3), Space("box", 32, shape=shape), [0])
    only = np.array([0])
    batch.reset(only)
    batch.step(np.zeros(1, np.int64), only)
    seen = batch.step(np.zeros(1, np.int64), only).observations.reshape(frames)
    channels = seen if len(shape) == 2 or shape[0] == 2 else seen.transpose(2, 0, 1)
    of_frame = channels.reshape(3, -1)
    assert [set(row) for row in of_frame.tolist()] == [{1.0}, {2.0}, {3.0}]


def test_noise_has_its_standard_deviation_and_differs_between_environments_and_steps() -> None:
    script, batch = changed_script(size=400, observation_noise=0.5)
    everyone = np.arange(400)
    noise = batch.reset(everyone) - script._seen(everyone)
    later = batch.step(np.zeros(400, np.int64), everyone).observations - script._seen(everyone)
    assert noise.std() == pytest.approx(0.5, rel=0.1)
    assert abs(noise.mean()) < 0.05
    assert abs(np.corrcoef(noise.ravel(), later.ravel())[0, 1]) < 0.1


def test_the_same_seeds_give_the_same_noise() -> None:
    first, again = (changed_script(observation_noise=1.0)[1].reset(np.arange(2)) for _ in range(2))
    assert (first == again).all()


def test_a_single_environments_noise_is_not_made_of_the_numbers_that_it_draws_itself() -> None:
    script, batch = changed_script(size=1, observation_noise=1.0)
    noise = batch.reset(np.array([0])) - script._seen(np.array([0]))
    its_own = np.random.default_rng(0).standard_normal((1, 3), np.float32)
    assert not np.isclose(noise, its_own, atol=1e-4).any()


def test_sticky_actions_repeat_the_action_that_was_really_taken_before() -> None:
    script, batch = changed_script(size=1000, sticky_actions=0.25)
    everyone = np.arange(1000)
    batch.reset(everyone)
    for action in range(4):
        batch.step(np.full(1000, action), everyone)
    taken = np.array([actions for _, actions in script.taken])
    assert (taken[0] == 0).all()  # the first action has none before it
    for time in range(1, 4):
        stuck = taken[time] == taken[time - 1]
        assert stuck.mean() == pytest.approx(0.25, abs=0.05)
        assert (taken[time][~stuck] == time).all()


def test_an_action_does_not_stick_beyond_its_episode() -> None:
    script, batch = changed_script(size=200, sticky_actions=0.99)
    everyone = np.arange(200)
    batch.reset(everyone)
    batch.step(np.full(200, 1), everyone)
    batch.reset(everyone)
    batch.step(np.full(200, 2), everyone)
    assert (script.taken[-1][1] == 2).all()


def test_continuous_actions_stick_as_a_whole() -> None:
    script, batch = changed_script(size=300, sticky_actions=0.5)
    everyone = np.arange(300)
    batch.reset(everyone)
    for sign in (1.0, -1.0):
        batch.step(np.tile(np.array([[sign, 2 * sign]], np.float32), (300, 1)), everyone)
    assert {tuple(action) for action in script.taken[-1][1].tolist()} == {(1.0, 2.0), (-1.0, -2.0)}


def test_closing_closes_what_is_behind() -> None:
    script, batch = changed_script(frame_stack=2)
    batch.close()
    assert script.closed
