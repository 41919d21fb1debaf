"""What passes between a policy and any of Gymnasium's environments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from engine.config.environments import EnvironmentConfig
from engine.environments.batches.gymnasium import GymnasiumBatch, from_environment, to_environment
from engine.runtime.errors import RunError
from tests.engine.support import Toy, register

EVERY = np.arange(2)


def made(id: str, seeds: list[int], **rest: Any) -> GymnasiumBatch:
    return GymnasiumBatch(EnvironmentConfig(id=id), seeds, **rest)


@pytest.fixture(autouse=True)
def _forget_actions() -> Iterator[None]:
    Toy.received.clear()
    yield
    Toy.received.clear()


def test_discrete_actions_count_from_the_spaces_start() -> None:
    assert to_environment(np.array([0, 2]), spaces.Discrete(3, start=5)) == [5, 7]


def test_discrete_observations_count_from_0() -> None:
    got = from_environment([np.int64(-2), 1], spaces.Discrete(4, start=-2))
    assert got.tolist() == [0, 3]
    assert got.dtype == np.int64


def test_box_actions_are_clipped_to_their_bounds() -> None:
    space = spaces.Box(np.array([-1.0, -2.0], np.float32), np.array([1.0, np.inf], np.float32))
    first, second = to_environment(np.array([[-9.0, -9.0], [9.0, 9e9]], np.float32), space)
    assert first.tolist() == [-1.0, -2.0]
    assert second.tolist() == [1.0, np.float32(9e9)]


def test_box_actions_inside_their_bounds_are_left_alone() -> None:
    space = spaces.Box(-1.0, 1.0, (2,))
    (got,) = to_environment(np.array([[0.25, -0.5]], np.float32), space)
    assert got.tolist() == [0.25, -0.5]


def test_the_policys_own_actions_are_not_clipped_in_place() -> None:
    actions = np.array([[5.0]], np.float32)
    to_environment(actions, spaces.Box(-1.0, 1.0, (1,)))
    assert actions.tolist() == [[5.0]]


def test_actions_without_bounds_pass_through() -> None:
    (got,) = to_environment(np.array([[1e30, -1e30]], np.float32), spaces.Box(-np.inf, np.inf, (2,)))
    assert got.tolist() == [np.float32(1e30), np.float32(-1e30)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 2, 2)])
def test_box_actions_have_the_spaces_shape_and_type(shape: tuple[int, ...], dtype: Any) -> None:
    space = spaces.Box(-3, 3, shape, dtype)
    size = int(np.prod(shape))
    (got,) = to_environment(np.linspace(-9, 9, size, dtype=np.float32)[None], space)
    assert (got.shape, got.dtype) == (shape, np.dtype(dtype))
    assert space.contains(got)


@pytest.mark.parametrize(
    ("space", "actions", "expected"),
    [
        (spaces.MultiDiscrete([2, 3]), [1, 2], [1, 2]),
        (spaces.MultiDiscrete([2, 3], start=[5, -1]), [1, 2], [6, 1]),
        (spaces.MultiDiscrete([[2, 3], [4, 2]]), [1, 2, 3, 0], [[1, 2], [3, 0]]),
        (spaces.MultiBinary(3), [1, 0, 1], [1, 0, 1]),
        (spaces.MultiBinary([2, 2]), [1, 0, 1, 1], [[1, 0], [1, 1]]),
    ],
    ids=str,
)
def test_actions_of_several_parts_have_the_spaces_shape_type_and_start(
    space: Any, actions: list[int], expected: Any
) -> None:
    (got,) = to_environment(np.array([actions]), space)
    assert got.tolist() == expected
    assert got.dtype == space.dtype
    assert space.contains(got)


@pytest.mark.parametrize("dtype", [np.float64, np.uint8, np.int64])
def test_box_observations_become_flat_float32(dtype: Any) -> None:
    space = spaces.Box(0, 200, (2, 3), dtype)
    one = np.arange(6).reshape(2, 3).astype(dtype)
    got = from_environment([one, one + 1], space)
    assert (got.shape, got.dtype) == ((2, 6), np.float32)
    assert got.tolist() == [[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6]]


def test_a_scalar_box_is_one_component() -> None:
    space = spaces.Box(-1.0, 1.0, ())
    assert from_environment([np.float32(0.5), np.float32(-0.5)], space).shape == (2, 1)
    (action,) = to_environment(np.array([[3.0]], np.float32), space)
    assert np.shape(action) == ()
    assert action == 1.0


def test_the_environment_receives_converted_actions() -> None:
    id = register("Tests/Offset-v0", action=spaces.Discrete(3, start=5), observation=spaces.Discrete(4, start=-2))
    batch = made(id, [0, 1])
    observations = batch.reset(EVERY)
    batch.step(np.array([0, 2]), EVERY)
    assert Toy.received == [5, 7]
    assert observations.min() >= 0
    batch.close()


@pytest.mark.parametrize("reward", [2, np.float32(2.0), np.int64(2), np.array(2.0), True])
def test_rewards_of_any_number_type_become_float64(reward: Any) -> None:
    batch = made(register("Tests/Reward-v0", reward=reward), [0, 1])
    batch.reset(EVERY)
    moved = batch.step(np.array([0, 1]), EVERY)
    assert moved.rewards.dtype == np.float64
    assert moved.rewards.tolist() == [float(reward)] * 2
    batch.close()


def test_termination_and_truncation_are_told_apart() -> None:
    terminating = made(register("Tests/Terminates-v0", lengths=(1,)), [0])
    truncating = made(register("Tests/Truncates-v0", limit=1, what="never ends"), [0])
    for batch, expected in ((terminating, (True, False)), (truncating, (False, True))):
        batch.reset(EVERY[:1])
        moved = batch.step(np.array([0]), EVERY[:1])
        assert (moved.terminated[0], moved.truncated[0]) == expected
        batch.close()


def test_the_same_seeds_give_the_same_episodes_over_several_resets() -> None:
    batches = [made("Acrobot-v1", [7, 8]) for _ in range(2)]
    for _ in range(3):
        first, second = (batch.reset(EVERY) for batch in batches)
        assert np.array_equal(first, second)
    for batch in batches:
        batch.close()


def test_a_second_episode_is_not_the_first_again() -> None:
    batch = made("Acrobot-v1", [7, 8])
    assert not np.array_equal(batch.reset(EVERY), batch.reset(EVERY))
    batch.close()


def test_options_and_the_time_limit_are_passed_on() -> None:
    environment = EnvironmentConfig(id="FrozenLake-v1", options={"map_name": "8x8"}, time_limit=1)
    batch = GymnasiumBatch(environment, [0])
    batch.reset(EVERY[:1])
    assert batch.observation_space.n == 64
    assert batch.step(np.array([0]), EVERY[:1]).truncated.tolist() == [True]
    batch.close()


def test_progress_tells_the_environment_worked_on_and_counts_calls() -> None:
    progress = np.zeros(2, np.int64)
    batch = made("Acrobot-v1", [0, 1, 2], progress=progress)
    assert progress.tolist() == [2, 3]
    batch.reset(np.array([0, 2]))
    assert progress.tolist() == [2, 5]
    batch.step(np.array([0]), np.array([0]))
    assert progress.tolist() == [0, 6]
    batch.close()


def test_each_environment_can_be_seen() -> None:
    batch = made("FrozenLake-v1", [0, 1], render=True)
    batch.reset(EVERY)
    batch.step(np.array([1]), EVERY[:1])
    pictures = [batch.render(index) for index in (0, 1)]
    assert pictures[0].dtype == np.uint8
    assert pictures[0].shape == pictures[1].shape
    assert batch.metadata["render_fps"] == 4
    batch.close()


def test_an_observation_of_another_shape_is_a_run_error() -> None:
    id = register("Tests/Outside-v0", what="ones", observation=spaces.Box(-1.0, 1.0, (3,)))
    batch = made(id, [0, 1])
    with pytest.raises(RunError, match=r"^Tests/Outside-v0 .* of the shape \(2,\) in its reset, where .* \(3,\)"):
        batch.reset(EVERY)
    batch.close()


def test_only_the_named_environments_are_stepped() -> None:
    batch = made(register("Tests/Indices-v0", action=spaces.Discrete(9)), [0, 1, 2])
    batch.reset(np.arange(3))
    batch.step(np.array([4, 6]), np.array([0, 2]))
    assert Toy.received == [4, 6]
    batch.close()


@pytest.mark.parametrize(("what", "during"), [("raises in reset", "reset"), ("raises in episode 0", "step")])
def test_an_environment_that_raises_is_a_run_error_naming_it(what: str, during: str) -> None:
    batch = made(register("Tests/Raises-v0", what=what), [5])

    def play() -> None:
        batch.reset(EVERY[:1])
        batch.step(np.array([0]), EVERY[:1])

    with pytest.raises(RunError, match=rf"^Tests/Raises-v0 with the seed 5 raised \w+: .*in its {during}\.$"):
        play()
    batch.close()
