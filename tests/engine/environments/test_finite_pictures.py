"""Pictures of small environments whose size a person has changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.environments.making.finite_env import FiniteEnv
from engine.reports.frames import Image


def pictured(process: str, **options: Any) -> FiniteEnv:
    env = FiniteEnv(process, render_mode="rgb_array", **options)
    env.reset(seed=0)
    return env


def maze(height: int, width: int) -> tuple[str, ...]:
    cells = "S" + "." * (height * width - 2) + "G"
    return tuple(cells[row * width : (row + 1) * width] for row in range(height))


def at(env: FiniteEnv, state: int) -> Image:
    """The picture with the agent in a state, wherever its policy would lead it."""
    env._state = state
    image: Image = env.render()
    return image


@pytest.mark.parametrize("size", [(1, 2), (2, 1), (1, 20), (20, 1), (2, 20), (20, 20), (7, 3), (25, 40)])
def test_a_map_of_any_shape_is_pictured_legibly(size: tuple[int, int]) -> None:
    env = pictured("GridWorld-v0", map=maze(*size))
    image = at(env, 0)
    assert 480 <= image.shape[1] <= 740
    assert 92 <= image.shape[0] <= 740
    changed = np.argwhere((image != at(env, 1)).any(-1))
    first, last = changed.min(0), changed.max(0)
    assert (last - first).max() >= 36  # the agent's cell, or the two that it left and reached


@pytest.mark.parametrize(("length", "states"), [(2, (0, 1)), (20, range(20)), (300, (0, 14, 15, 150, 299))])
def test_the_agent_is_seen_all_along_a_corridor(length: int, states: range | tuple[int, ...]) -> None:
    env = pictured("Corridor-v0", length=length)
    blue = [(at(env, state) == (0, 114, 178)).all(-1).sum() for state in states]
    assert min(blue) > 100


def test_a_long_corridor_stands_still_for_half_a_view() -> None:
    env = pictured("Corridor-v0", length=300)
    before, near, far = at(env, 150), at(env, 153), at(env, 156)
    assert 0 < (before != near).any(-1).sum() < 4 * 36 * 36
    assert np.array_equal(far, at(env, 166))  # the next view, and the agent at the same place in it


@pytest.mark.parametrize("state", [14, 15, 24, 25, 150])
def test_what_lies_on_both_sides_of_the_agent_is_seen(state: int) -> None:
    image = at(pictured("Corridor-v0", length=300), state)
    columns = np.argwhere((image == (0, 114, 178)).all(-1))[:, 1]
    assert 4 * 36 < columns.min() < columns.max() < image.shape[1] - 4 * 36


@pytest.mark.parametrize(("arms", "rows"), [(1, 1), (5, 1), (6, 1), (7, 2), (12, 2), (40, 4)])
def test_any_number_of_arms_is_pictured(arms: int, rows: int) -> None:
    env = pictured("Bandit-v0", means=[0.0] * (arms - 1) + [1.0])
    untouched = env.render()
    assert untouched.shape[0] == 320 * rows
    assert untouched.shape[1] >= 480
    env.step(arms - 1)
    changed = np.argwhere((untouched != env.render()).any(-1))
    assert changed[:, 0].min() >= 320 * (rows - 1)  # the last arm is in the last row
    assert np.ptp(changed[:, 1]) < 92
