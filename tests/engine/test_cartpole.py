"""The batched cart pole against Gymnasium's own, step by step, to the last bit."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.environments.batches import make_batch
from engine.environments.cartpole import CartPoleBatch
from engine.environments.gymnasium_batch import GymnasiumBatch


def balancing(observations: NDArray[Any]) -> NDArray[np.int64]:
    """Keeps the pole up for hundreds of steps."""
    return (observations @ np.array([0.1, 0.5, 3.0, 1.0]) > 0).astype(np.int64)


@pytest.mark.parametrize("skill", [0.0, 0.6, 0.97, 1.0])
def test_every_step_equals_gymnasiums(skill: float) -> None:
    """Carts act by chance or balance, end at different times, and begin anew while the others go on."""
    seeds = [3, 14, 159, 2653]
    ours, theirs = CartPoleBatch(seeds), [gymnasium.make("CartPole-v1") for _ in seeds]
    generator = np.random.default_rng(8)
    every = np.arange(4)
    observations = ours.reset(every)
    reference = np.stack([env.reset(seed=seed)[0] for env, seed in zip(theirs, seeds, strict=True)])
    ends: set[tuple[bool, bool]] = set()
    for _ in range(1100):
        assert np.array_equal(observations, reference)
        chance = generator.integers(2, size=4)
        actions = np.where(generator.random(4) < skill, balancing(observations), chance)
        moved = ours.step(actions, every)
        steps = [env.step(action) for env, action in zip(theirs, actions, strict=True)]
        observations, reference = moved.observations.copy(), np.stack([step[0] for step in steps])
        assert moved.rewards.tolist() == [step[1] for step in steps]
        assert moved.terminated.tolist() == [step[2] for step in steps]
        assert moved.truncated.tolist() == [step[3] for step in steps]
        assert np.array_equal(observations, reference)
        over = np.flatnonzero(moved.terminated | moved.truncated)
        if len(over):
            ends |= set(zip(moved.terminated.tolist(), moved.truncated.tolist(), strict=True))
            observations[over] = ours.reset(over)
            reference[over] = np.stack([theirs[slot].reset()[0] for slot in over])
    if skill in (0.0, 1.0):
        assert ((True, False) if skill == 0.0 else (False, True)) in ends
    for env in theirs:
        env.close()


def test_a_call_moves_only_the_slots_it_names() -> None:
    one, other = CartPoleBatch([1, 2, 3]), CartPoleBatch([1, 2, 3])
    every = np.arange(3)
    one.reset(every)
    other.reset(every)
    left_out = np.array([0, 2])
    for _ in range(5):
        one.step(np.array([1, 0]), left_out)
    alone = one.step(np.array([1]), np.array([1]))
    together = other.step(np.array([0, 1, 0]), every)
    assert np.array_equal(alone.observations[0], together.observations[1])


def test_observations_are_float32_rows_and_rewards_raw_float64() -> None:
    batch = CartPoleBatch([0, 1])
    observations = batch.reset(np.arange(2))
    moved = batch.step(np.array([0, 1]), np.arange(2))
    assert (observations.dtype, observations.shape) == (np.float32, (2, 4))
    assert (moved.observations.dtype, moved.rewards.dtype) == (np.float32, np.float64)
    assert (moved.terminated.dtype, moved.truncated.dtype) == (np.bool_, np.bool_)


def test_what_a_step_returns_is_not_overwritten_by_the_next() -> None:
    batch = CartPoleBatch([0])
    every = np.arange(1)
    first = batch.reset(every)
    kept = first.copy()
    batch.step(np.array([1]), every)
    assert np.array_equal(first, kept)


def test_the_batched_and_the_general_batch_are_the_same_environment() -> None:
    seeds, every = [5, 6], np.arange(2)
    fast, general = CartPoleBatch(seeds), GymnasiumBatch("CartPole-v1", seeds)
    assert np.array_equal(fast.reset(every), general.reset(every))
    for action in (0, 1, 1, 0, 1):
        for ours, theirs in zip(
            fast.step(np.full(2, action), every), general.step(np.full(2, action), every), strict=True
        ):
            assert np.array_equal(ours, theirs)
            assert ours.dtype == theirs.dtype
    general.close()


def test_hidden_velocities_are_all_that_differs_where_they_are_hidden() -> None:
    seeds, every = [5, 6], np.arange(2)
    whole, hidden = make_batch("CartPole-v1", seeds), make_batch("CartPolePositions-v0", seeds)
    general = GymnasiumBatch("CartPolePositions-v0", seeds)
    seen = whole.reset(every)[:, [0, 2]]
    assert np.array_equal(hidden.reset(every), seen)
    assert np.array_equal(general.reset(every), seen)
    for action in (0, 1, 1, 0, 1) * 3:
        actions = np.full(2, action)
        moved, ours, theirs = (batch.step(actions, every) for batch in (whole, hidden, general))
        assert np.array_equal(ours.observations, moved.observations[:, [0, 2]])
        assert np.array_equal(ours.observations, theirs.observations)
        assert np.array_equal(ours.terminated, theirs.terminated)
    general.close()


def test_the_fast_batch_is_the_one_that_is_used() -> None:
    assert isinstance(make_batch("CartPole-v1", [0]), CartPoleBatch)
    assert isinstance(make_batch("CartPolePositions-v0", [0]), CartPoleBatch)
    general = make_batch("Acrobot-v1", [0])
    assert isinstance(general, GymnasiumBatch)
    general.close()
