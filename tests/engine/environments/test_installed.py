"""What is registered with Gymnasium besides what the catalogue describes."""

from __future__ import annotations

from collections.abc import Iterator

import gymnasium
import pytest

from engine.environments.making.installed import other_registered_ids


@pytest.fixture(autouse=True)
def _registry_as_before() -> Iterator[None]:
    before = dict(gymnasium.registry)
    yield
    gymnasium.registry.clear()
    gymnasium.registry.update(before)


def test_what_gymnasium_has_besides_is_little():
    own = [id for id in other_registered_ids() if "/" not in id]
    assert "CliffWalkingSlippery-v1" in own
    assert not {"CartPole-v1", "CartPole-v0", "Hopper-v4", "Bandit-v0", "GymV26Environment-v0"} & set(own)


def test_only_the_newest_version_is_named():
    for version in (9, 10, 2):
        gymnasium.register(f"Besides/Maze-v{version}", "besides:Maze")
    gymnasium.register("Besides/Timeless", "besides:Timeless")
    assert [id for id in other_registered_ids() if id.startswith("Besides/")] == [
        "Besides/Maze-v10",
        "Besides/Timeless",
    ]


@pytest.mark.parametrize("id", ["phys2d/CartPole-v1", "tabular/Blackjack-v0"])
def test_the_same_again_for_jax_is_left_out(id: str):
    assert id in gymnasium.registry
    assert id not in other_registered_ids()


def test_the_old_names_of_a_game_are_left_out():
    gymnasium.register("Pong-v4", "ale_py.env:AtariEnv")
    gymnasium.register("ALE/Tetris-v5", "ale_py.env:AtariEnv")
    found = other_registered_ids()
    assert "ALE/Tetris-v5" in found
    assert "Pong-v4" not in found
