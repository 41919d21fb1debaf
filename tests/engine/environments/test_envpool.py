"""EnvPool behind the same interface, where it is installed; and what is said where it is not, or will not do."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from engine.config.environments import EnvironmentConfig
from engine.environments.batches import envpool as envpool_batch
from engine.environments.batches.choice import random_actions
from engine.environments.batches.envpool import EnvPoolBatch
from engine.environments.batches.interface import EnvironmentBatch
from engine.runtime.errors import RequestError, RunError
from engine.runtime.state import inexact

needs_envpool = pytest.mark.skipif(find_spec("envpool") is None, reason="needs EnvPool")
EVERY = np.arange(4)
SEEDS = [5, 6, 2**32 - 1, 6]


@pytest.fixture
def closing() -> Iterator[list[EnvironmentBatch]]:
    batches: list[EnvironmentBatch] = []
    yield batches
    for batch in batches:
        batch.close()


def made(id: str, closing: list[EnvironmentBatch], seeds: list[int] | None = None, **values: Any) -> EnvPoolBatch:
    batch = EnvPoolBatch(EnvironmentConfig(id=id, **values), SEEDS if seeds is None else seeds)
    closing.append(batch)
    return batch


def test_without_envpool_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envpool_batch, "find_spec", lambda name: None)
    with pytest.raises(RequestError, match=r"^EnvPool is not installed; install it with: pip install envpool$"):
        made("Acrobot-v1", [])


def test_an_envpool_that_cannot_be_loaded_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(name: str) -> Any:
        raise ImportError("libGL.so.1 is missing")

    monkeypatch.setattr(envpool_batch, "find_spec", lambda name: object())
    monkeypatch.setattr(envpool_batch.importlib, "import_module", fails)
    with pytest.raises(RequestError, match=r"^EnvPool could not be loaded: ImportError: libGL.so.1 is missing\.$"):
        made("Acrobot-v1", [])


@needs_envpool
@pytest.mark.parametrize(
    ("id", "values", "told"),
    [
        ("Corridor-v0", {}, "EnvPool does not have Corridor-v0"),
        ("FrozenLake-v1", {"options": {"map_name": "8x8"}}, "EnvPool steps FrozenLake-v1 without options only"),
        ("Blackjack-v1", {}, "EnvPool's Blackjack-v1 is not Gymnasium's"),
    ],
)
def test_what_envpool_does_not_have_just_so_is_refused(id: str, values: dict[str, Any], told: str) -> None:
    with pytest.raises(RequestError, match=f"^{told}"):
        made(id, [], **values)


@needs_envpool
@pytest.mark.parametrize("id", ["CartPole-v1", "Pendulum-v1", "FrozenLake-v1", "LunarLander-v3"])
def test_an_environments_episodes_follow_from_its_own_seed_and_actions(id: str, closing: list[Any]) -> None:
    """Whatever the others' seeds are, and whichever of them are stepped."""
    several, alone = made(id, closing), made(id, closing, SEEDS[1:2])
    several.action_space.seed(0)
    only = np.zeros(1, np.int64)
    for _ in range(3):
        first = several.reset(EVERY), alone.reset(only)
        assert first[0].dtype == first[1].dtype
        assert np.array_equal(first[0][1:2], first[1])
        for step in range(40):
            indices = EVERY if step % 3 == 0 else np.array([1, 3])
            actions = random_actions(several.action_space, len(indices))
            where = int(np.flatnonzero(indices == 1)[0])
            one, other = several.step(actions, indices), alone.step(actions[where : where + 1], only)
            for mine, theirs in zip(one, other, strict=True):
                assert mine.dtype == theirs.dtype
                assert np.array_equal(mine[where], theirs[0])
            ended = one.terminated | one.truncated
            if ended.any():
                fresh = several.reset(indices[ended])
                if ended[where]:
                    position = int(np.flatnonzero(indices[ended] == 1)[0])
                    assert np.array_equal(fresh[position], alone.reset(only)[0])


@needs_envpool
def test_another_seed_gives_another_episode(closing: list[Any]) -> None:
    first = made("CartPole-v1", closing).reset(EVERY)
    assert np.array_equal(first[1], first[3])
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], first[2])


@needs_envpool
def test_the_last_observation_is_of_the_episode_that_ended(closing: list[Any]) -> None:
    """A pole that has fallen lies beyond its angle, and after a reset it stands again."""
    batch = made("CartPole-v1", closing)
    batch.reset(EVERY)
    indices = EVERY
    for _ in range(30):
        moved = batch.step(np.ones(len(indices), np.int64), indices)
        fallen = np.abs(moved.observations[:, 2]) > 12.0 * 2.0 * np.pi / 360.0
        assert np.array_equal(fallen, moved.terminated)
        assert not moved.truncated.any()
        assert (moved.rewards == 1.0).all()
        indices = indices[~moved.terminated]
        if not len(indices):
            break
    assert not len(indices)
    assert np.abs(batch.reset(EVERY)).max() <= 0.05
    assert not batch.step(np.zeros(4, np.int64), EVERY).terminated.any()


@needs_envpool
@pytest.mark.parametrize(("limit", "steps"), [(0, 200), (7, 7)])
def test_time_limits_truncate(limit: int, steps: int, closing: list[Any]) -> None:
    batch = made("Pendulum-v1", closing, time_limit=limit)
    for _ in range(2):
        batch.reset(EVERY)
        for step in range(1, steps + 1):
            moved = batch.step(np.zeros((4, 1), np.float32), EVERY)
            assert not moved.terminated.any()
            assert moved.truncated.tolist() == [step == steps] * 4


@needs_envpool
def test_actions_are_clipped_to_their_bounds(closing: list[Any]) -> None:
    batches = [made("Pendulum-v1", closing) for _ in range(2)]
    for batch in batches:
        batch.reset(EVERY)
    moved = [
        batch.step(np.full((4, 1), action, np.float32), EVERY)
        for batch, action in zip(batches, (2.0, 9.0), strict=True)
    ]
    assert np.array_equal(moved[0].observations, moved[1].observations)
    assert np.array_equal(moved[0].rewards, moved[1].rewards)


@needs_envpool
def test_what_was_given_is_not_overwritten_by_the_next_step(closing: list[Any]) -> None:
    batch = made("Pendulum-v1", closing)
    first = batch.reset(EVERY)
    before = first.copy()
    for _ in range(5):
        batch.step(np.zeros((4, 1), np.float32), EVERY)
    assert np.array_equal(first, before)


@needs_envpool
def test_what_envpool_raises_is_a_run_error(closing: list[Any]) -> None:
    batch = made("Pendulum-v1", closing)
    batch.reset(EVERY)
    with pytest.raises(RunError, match=r"^Pendulum-v1 raised \w+.*in its step\.$"):
        batch.step(np.zeros((4, 1), np.float32), np.array(["nowhere"] * 4))  # type: ignore[arg-type]


@needs_envpool
def test_going_on_from_a_state_means_new_episodes(closing: list[Any]) -> None:
    batch, fresh, again = (made("CartPole-v1", closing) for _ in range(3))
    fresh.load(batch.state())
    assert not len(fresh.interrupted)
    first = batch.reset(EVERY)
    assert np.array_equal(fresh.reset(EVERY), first)
    state = batch.state()
    (sentence,) = inexact(state)
    assert sentence.startswith("What EnvPool's environments are in the middle of cannot be read")
    seen = []
    for other in (fresh, again):
        other.load(state)
        assert other.interrupted.tolist() == EVERY.tolist()
        seen.append(other.reset(EVERY))
    assert np.array_equal(*seen)
    assert not (seen[0] == first).all(1).any()


@needs_envpool
def test_closing_twice_does_no_harm() -> None:
    batch = made("CartPole-v1", [])
    batch.reset(EVERY)
    batch.close()
    batch.close()
