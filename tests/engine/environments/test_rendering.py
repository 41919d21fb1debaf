"""One environment whose episodes begin from seeds: the same ones from the same seed, wherever and after whatever."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from engine.config.environments import EnvironmentConfig
from engine.environments.batches.changed import with_changes
from engine.environments.batches.gymnasium import GymnasiumBatch
from engine.environments.batches.rendering import Rendered, rendered
from engine.environments.making.registry import observation_space

ONLY = np.array([0])
CHANGED = EnvironmentConfig(
    id="CartPole-v1", observation_noise=0.1, sticky_actions=0.5, frame_stack=2, hidden=(1,), time_limit=6
)


def _episode(made: Rendered, seed: int) -> list[list[float]]:
    """All that is seen and paid."""
    told = [made.stepped.begin(seed).ravel().tolist()]
    for number in range(5):
        moved = made.stepped.step(np.array([number % 2]), ONLY)
        told.append([*moved.observations.ravel().tolist(), moved.rewards[0]])
    return told


def _in_this_process(seed: int) -> Rendered:
    batch = GymnasiumBatch(CHANGED, [seed])
    space = observation_space(CHANGED.id, batch.observation_space)
    return Rendered(batch, with_changes(batch, CHANGED, space, [seed]))


@pytest.fixture
def in_a_worker() -> Iterator[Rendered]:
    made = rendered(CHANGED)
    yield made
    made.stepped.close()


def test_the_same_seed_begins_the_same_episode_wherever_and_whatever_was_played_before(in_a_worker: Rendered) -> None:
    first, other = _episode(in_a_worker, 7), _episode(in_a_worker, 8)
    assert _episode(in_a_worker, 7) == first == _episode(_in_this_process(5), 7) != other
    assert _in_this_process(7).stepped.reset(ONLY).ravel().tolist() == first[0]  # as a run does with this seed
    assert in_a_worker.rendering.render(0).shape == (400, 600, 3)


def test_an_episode_begun_from_a_seed_is_gone_on_with_from_a_state() -> None:
    batch, again = GymnasiumBatch(CHANGED, [0]), GymnasiumBatch(CHANGED, [0])
    batch.begin(7)
    batch.step(np.array([1]), ONLY)
    again.load(batch.state())
    assert not len(again.interrupted)
    assert np.array_equal(batch.step(np.array([1]), ONLY).observations, again.step(np.array([1]), ONLY).observations)
    assert np.array_equal(batch.reset(ONLY), again.reset(ONLY))


def test_several_environments_are_begun_from_no_one_seed() -> None:
    with pytest.raises(ValueError, match="not 2 together"):
        GymnasiumBatch(EnvironmentConfig(), [0, 1]).begin(7)


@pytest.mark.parametrize("id", ["CartPole-v1", "FrozenLake-v1", "LunarLander-v3"])
def test_one_that_is_closed_takes_nothing_from_others_that_draw_or_from_a_gamepad(id: str) -> None:
    import pygame

    pygame.font.init()
    pygame.joystick.init()
    batch = GymnasiumBatch(EnvironmentConfig(id=id), [0], render=True)
    batch.begin(0)
    batch.render(0)
    batch.close()
    assert pygame.font.get_init()
    assert pygame.joystick.get_init()
