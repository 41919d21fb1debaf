"""Our finite processes as environments of Gymnasium: they keep to its rules, equal their batch, can be watched."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from engine.environments.batches.batched import finite_environments
from engine.environments.making.finite_env import FiniteEnv, register
from engine.environments.making.known_dynamics import finite_mdp
from engine.mdp.finite import BANDIT_MEANS, CORRIDOR_LENGTH, GRID
from engine.mdp.small_worlds import OURS


@pytest.fixture(autouse=True)
def _registered() -> None:
    register()


@pytest.mark.parametrize("id", OURS)
def test_gymnasium_finds_nothing_wrong(id: str) -> None:
    check_env(gymnasium.make(id, render_mode="rgb_array").unwrapped)


def test_registering_again_changes_nothing() -> None:
    before = {id: gymnasium.spec(id) for id in OURS}
    register()
    assert all(gymnasium.spec(id) is spec for id, spec in before.items())
    assert [spec.max_episode_steps for spec in before.values()] == [1, 50, 100, None]


@pytest.mark.parametrize("id", OURS)
def test_the_batch_steps_as_the_environment_does(id: str) -> None:
    mdp = finite_mdp(id)
    assert mdp is not None
    assert gymnasium.make(id).observation_space.n == mdp.observations
    env, batch, one = gymnasium.make(id), finite_environments(mdp, [9]), np.arange(1)
    assert env.reset(seed=9)[0] == batch.reset(one)[0]
    generator = np.random.default_rng(2)
    ends: set[tuple[bool, bool]] = set()
    for _ in range(1500):
        action = int(generator.integers(mdp.actions))
        state, reward, terminated, truncated, _ = env.step(action)
        moved = batch.step(np.array([action]), one)
        assert [part[0] for part in moved] == [state, reward, terminated, truncated]
        if terminated or truncated:
            ends.add((terminated, truncated))
            assert env.reset()[0] == batch.reset(one)[0]
    rare = {"Bandit-v0": {(True, True)}, "Ledge-v0": {(True, False)}}
    assert ends >= rare.get(id, {(True, False), (False, True)})


def picture(env: Any) -> Any:
    image = env.render()
    assert (image.dtype, image.ndim, image.shape[1:]) == (np.uint8, 3, (480, 3))
    assert image.flags.c_contiguous
    return image


@pytest.mark.parametrize(("id", "actions"), [("Corridor-v0", [1] * 6), ("GridWorld-v0", [2, 2, 1, 2, 2, 1, 1, 1])])
def test_each_state_has_a_picture_of_its_own(id: str, actions: list[int]) -> None:
    env = gymnasium.make(id, render_mode="rgb_array")
    state, _ = env.reset(seed=3)
    seen = {state: picture(env)}
    for action in actions:
        state, _, terminated, _, _ = env.step(action)
        seen[state] = picture(env)
    assert terminated
    images = list(seen.values())
    assert len(images) == len(actions) + 1
    assert len({image.tobytes() for image in images}) == len(images)


def test_the_agent_is_drawn_in_its_cell_and_nowhere_else() -> None:
    env = gymnasium.make("GridWorld-v0", render_mode="rgb_array")
    env.reset(seed=3)
    before = picture(env)
    assert env.step(2)[0] == 1
    changed = np.argwhere((before != picture(env)).any(-1))
    assert (changed.min(0) >= [10, 10]).all()
    assert (changed.max(0) < [102, 194]).all()


def test_a_picture_is_not_overwritten_by_the_next() -> None:
    env = gymnasium.make("Corridor-v0", render_mode="rgb_array")
    env.reset(seed=0)
    first = picture(env)
    kept = first.copy()
    first[:] = 0
    env.reset()
    assert np.array_equal(picture(env), kept)


def test_the_bandit_shows_which_arm_was_pulled_and_what_it_paid() -> None:
    env = gymnasium.make("Bandit-v0", render_mode="rgb_array")
    env.reset(seed=0)
    images = {picture(env).tobytes()}
    shown: set[tuple[int, float]] = set()
    for _ in range(25):
        for arm in range(len(BANDIT_MEANS)):
            env.reset()
            shown.add((arm, float(env.step(arm)[1])))
            images.add(picture(env).tobytes())
    assert len(shown) == 2 * len(BANDIT_MEANS)
    assert len(images) == 1 + len(shown)


def test_the_spaces_and_rates_are_those_of_the_process() -> None:
    spaces = {
        "Bandit-v0": (1, 5, 2),
        "Corridor-v0": (CORRIDOR_LENGTH, 2, 8),
        "GridWorld-v0": (len("".join(GRID)), 4, 8),
    }
    for id, (states, actions, rate) in spaces.items():
        env: Any = gymnasium.make(id)
        assert (env.observation_space.n, env.action_space.n, env.metadata["render_fps"]) == (states, actions, rate)


def test_what_it_cannot_do_is_refused() -> None:
    with pytest.raises(ValueError, match="CartPole-v1 is not an environment of ours; Bandit-v0, Corridor-v0"):
        FiniteEnv("CartPole-v1")
    env = FiniteEnv("Corridor-v0")
    env.reset(seed=0)
    assert env.render() is None
    with pytest.raises(ValueError, match="There is no action 2; actions are 0 to 1"):
        env.step(2)
