"""Environments stepped one by one: a fresh batch goes on from a state exactly, or says what of it it cannot."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from numpy.typing import NDArray

from engine.catalogue.environments import ENVIRONMENTS, missing_extra
from engine.catalogue.spaces import Space
from engine.config.environments import EnvironmentConfig
from engine.environments.batches.changed import ChangedBatch
from engine.environments.batches.choice import random_actions
from engine.environments.batches.gymnasium import GymnasiumBatch
from engine.environments.batches.processes import ProcessBatch
from engine.environments.making import registry
from engine.runtime.state import inexact
from tests.engine.states import as_data
from tests.engine.support import Toy, register

SEEDS = [3, 4, 8]
EVERY = np.arange(3)
Told = list[NDArray[Any]]

STEPS = {  # so many are taken before and after; in the longer ones all are then in a later episode
    "CartPole-v1": 60,
    "CartPolePositions-v0": 60,
    "MountainCar-v0": 250,
    "MountainCarContinuous-v0": 40,
    "Pendulum-v1": 230,
    "Acrobot-v1": 40,
    "FrozenLake-v1": 30,
    "CliffWalking-v1": 40,
    "Taxi-v4": 230,
    "Blackjack-v1": 10,
    "BlackjackHands-v0": 10,
    "GridWorld-v0": 60,
    "Bandit-v0": 5,
    "LunarLander-v3": 150,
    "LunarLanderContinuous-v3": 150,
    "BipedalWalker-v3": 120,
    "CarRacing-v3": 8,
    "InvertedPendulum-v5": 40,
    "Ant-v5": 70,
    "Hopper-v5": 60,
    "Reacher-v5": 70,
    "MiniGrid-Dynamic-Obstacles-5x5-v0": 40,
    "MiniGrid-DoorKey-5x5-v0": 270,
    "ALE/Breakout-v5": 250,
}


def made(id: str, **values: Any) -> GymnasiumBatch:
    return GymnasiumBatch(EnvironmentConfig(id=id, **values), SEEDS)


def played(batch: Any, steps: int, space: Any, first: int = 0) -> Told:
    """All that ``batch`` tells over so many random steps, in which what ends begins anew."""
    told: Told = []
    for step in range(first, first + steps):
        space.seed(step)
        moved = batch.step(random_actions(space, 3), EVERY)
        told += moved
        ended = (moved.terminated | moved.truncated).nonzero()[0]
        if len(ended):
            told += [ended, batch.reset(ended)]
    return told


def same(one: Told, other: Told) -> bool:
    return len(one) == len(other) and all(
        np.array_equal(first, second) for first, second in zip(one, other, strict=True)
    )


LATER = {"BipedalWalker-v3": 330, "LunarLander-v3": 330}  # steps, with some episodes in them


@pytest.mark.parametrize("id", LATER)
def test_an_episode_of_box2d_does_not_depend_on_those_before_it(id: str) -> None:
    """A world keeps where it had its bodies, and by that changes the rounding of what is played in it later."""
    batch, fresh = (made(id, time_limit=120) for _ in range(2))
    batch.reset(EVERY)
    played(batch, LATER[id], batch.action_space)
    fresh.load(as_data(batch.state()))
    assert not len(fresh.interrupted)
    assert same(played(fresh, 200, fresh.action_space), played(batch, 200, batch.action_space))
    batch.close()
    fresh.close()


def test_environments_of_gymnasiums_behind_a_wrapper_from_elsewhere_come_from_elsewhere() -> None:
    wrapper = gymnasium.envs.registration.WrapperSpec("Mine", "tests.engine.support:Mine", {})
    gymnasium.register("Tests/Wrapped-v0", "gymnasium.envs.classic_control:CartPoleEnv", additional_wrappers=(wrapper,))
    assert not registry.is_known("Tests/Wrapped-v0")
    assert registry.is_known("CartPole-v1")


@pytest.mark.parametrize("id", STEPS)
def test_a_fresh_batch_goes_on_exactly_from_the_state_of_another(id: str) -> None:
    extra = missing_extra(ENVIRONMENTS[id].family)
    if extra is not None:
        pytest.skip(f"needs the extra {extra.name}")
    batch, fresh, steps = made(id), made(id), STEPS[id]
    batch.reset(EVERY)
    before = played(batch, steps, batch.action_space)
    state = as_data(batch.state())
    after = played(batch, steps, batch.action_space, steps)
    fresh.load(state)
    assert not len(fresh.interrupted)
    assert same(played(fresh, steps, fresh.action_space, steps), after)
    assert not same(before, after)
    assert inexact(state) == ()
    batch.close()
    fresh.close()


def test_what_has_not_begun_or_is_over_goes_on_exactly_too() -> None:
    """The first environment is in an episode, the second one's is over, the third one has not begun any."""

    def rest(batch: GymnasiumBatch) -> Told:
        told: Told = [batch.reset(np.array([1, 2]))]
        return told + played(batch, 20, batch.action_space)

    batch, fresh = made("CartPole-v1"), made("CartPole-v1")
    batch.reset(np.array([0, 1]))
    batch.step(np.array([0]), np.array([0]))
    while not batch.step(np.array([1]), np.array([1])).terminated:
        pass
    fresh.load(as_data(batch.state()))
    assert not len(fresh.interrupted)
    assert same(rest(fresh), rest(batch))


def test_a_state_may_be_taken_of_what_was_loaded() -> None:
    batch, second, third = (made("LunarLander-v3") for _ in range(3))
    batch.reset(EVERY)
    played(batch, 20, batch.action_space)
    second.load(batch.state())
    third.load(second.state())
    assert same(played(third, 20, batch.action_space), played(batch, 20, batch.action_space))


@pytest.mark.parametrize("workers", [1, 2])
def test_states_travel_between_this_process_and_workers(workers: int) -> None:
    id = "FrozenLake-v1"
    there = ProcessBatch(EnvironmentConfig(id=id), SEEDS, workers)
    try:
        here = made(id)
        here.reset(EVERY)
        played(here, 30, here.action_space)
        there.load(here.state())
        state = as_data(there.state())
        after = played(there, 30, here.action_space)
        assert same(played(here, 30, here.action_space), after)
        fresh = made(id)
        fresh.load(state)
        assert same(played(fresh, 30, here.action_space), after)
    finally:
        there.close()


class Hidden(Toy):
    """Rewards are of no generator that could be known, and so are observations where it ``shows``."""

    drawn = 0.0

    def __init__(self, shows: bool = True, **values: Any) -> None:
        super().__init__(lengths=(9,), **values)
        self._shows = shows

    def _observe(self) -> Any:
        Hidden.drawn += 1.0 / 1024.0
        return np.array([Hidden.drawn if self._shows else 0.0, self._left / 100.0], np.float32)


@pytest.mark.parametrize("shows", [True, False])
def test_environments_from_elsewhere_say_that_they_may_not_go_on_exactly(shows: bool) -> None:
    id = register("Tests/Hidden-v0", Hidden)
    batch, fresh = made(id, options={"shows": shows}), made(id, options={"shows": shows})
    batch.reset(EVERY[:2])
    batch.step(np.array([0]), EVERY[:1])
    state = batch.state()
    (sentence,) = inexact({"collector": [state]})
    assert sentence.startswith("Tests/Hidden-v0 comes from elsewhere: ")
    fresh.load(state)
    assert fresh.interrupted.tolist() == ([0, 1] if shows else [])


class Rough(gymnasium.Env[Any, Any]):
    """Writes to the actions that it is given, and has no random numbers that could be read."""

    observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

    @property
    def np_random(self) -> Any:
        raise NotImplementedError

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        self._sum = np.zeros(2, np.float32)
        return self._sum.copy(), {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        action += self._sum
        self._sum[:] = action
        return self._sum.copy(), 1.0, False, False, {}


def test_an_environment_that_is_rough_with_what_it_is_given_goes_on_all_the_same() -> None:
    id = register("Tests/Rough-v0", Rough)
    batch, fresh = made(id), made(id)
    batch.reset(EVERY)
    played(batch, 10, batch.action_space)
    fresh.load(as_data(batch.state()))
    assert not len(fresh.interrupted)
    assert same(played(fresh, 10, batch.action_space), played(batch, 10, batch.action_space))


def test_an_episode_that_breaks_off_is_followed_by_those_that_would_have_followed() -> None:
    """Their random numbers are known, though the way to the end of this one is not."""
    batch, fresh = made("Blackjack-v1"), made("Blackjack-v1")
    batch.reset(EVERY)
    played(batch, 10, batch.action_space)
    state = batch.state()
    for one in state["environments"]:
        one["observation"] = one["observation"] + 1
    fresh.load(state)
    assert fresh.interrupted.tolist() == [0, 1, 2]
    first = batch.reset(EVERY), fresh.reset(EVERY)
    assert np.array_equal(*first)
    assert same(played(fresh, 20, batch.action_space), played(batch, 20, batch.action_space))


def test_the_state_of_other_environments_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^This is not the state of 3 environments of Taxi-v4 stepped one by one\.$"):
        made("Taxi-v4").load({"environments": []})


SPACE = Space("box", 4)
CHANGES = {"hidden": (1,), "observation_noise": 0.5, "frame_stack": 3, "sticky_actions": 0.3}


def test_changed_environments_go_on_exactly() -> None:
    """Frames, noise, sticky actions, and which episodes have just begun."""

    def changed() -> ChangedBatch:
        return ChangedBatch(made("CartPole-v1"), EnvironmentConfig(**CHANGES), SPACE, SEEDS)

    batch, fresh, space = changed(), changed(), made("CartPole-v1").action_space
    batch.reset(EVERY)
    played(batch, 40, space)
    batch.reset(np.array([1]))
    state = as_data(batch.state())
    after = played(batch, 40, space)
    fresh.load(state)
    assert same(played(fresh, 40, space), after)
    assert not len(fresh.interrupted)
