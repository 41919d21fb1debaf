"""What is pointed at in a picture: the cell beside the agent as it is drawn, and the arm."""

from __future__ import annotations

import numpy as np
import pytest

from engine.analysis.pictured_places import Place, action_towards
from engine.analysis.state_grids import state_grid
from engine.config.environments import EnvironmentConfig
from engine.environments.making import registry


def middle_of_agent(environment: EnvironmentConfig, state: int, other: int) -> tuple[Place, tuple[float, float]]:
    """Where the agent is drawn, found by what its picture has otherwise than in another state, and how large a cell is:
    both as shares of the picture."""
    made = registry.make(environment.id, environment.options, render=True)
    made.reset(seed=0)
    bare = made.unwrapped
    pictures = []
    for shown in (state, other):
        for name in ("_state", "s"):
            if hasattr(bare, name):
                setattr(bare, name, shown)
        pictures.append(np.array(made.render(), np.int64))
    made.close()
    grid = state_grid(environment)
    assert grid is not None
    rows, columns = np.nonzero(np.abs(pictures[0] - pictures[1]).sum(-1))
    (_, row, column), (_, beneath, aside) = grid.place(state), grid.place(other)
    height, width, _ = pictures[0].shape
    # What differs spans both cells; the agent's is at the end where it stands.
    cell = (1 + np.ptp(rows)) / (1 + abs(row - beneath)), (1 + np.ptp(columns)) / (1 + abs(column - aside))
    down = rows.min() + cell[0] / 2 if row <= beneath else rows.max() - cell[0] / 2
    across = columns.min() + cell[1] / 2 if column <= aside else columns.max() - cell[1] / 2
    return (across / width, down / height), (cell[1] / width, cell[0] / height)


@pytest.mark.parametrize(
    ("id", "options", "state", "other"),
    [
        ("GridWorld-v0", {}, 12, 0),
        ("GridWorld-v0", {"map": ("S" + "." * 29, "." * 30, "." * 29 + "G")}, 45, 16),
        ("Corridor-v0", {}, 3, 0),
        ("FrozenLake-v1", {}, 6, 0),
        ("FrozenLake8x8-v1", {}, 20, 0),
        ("CliffWalking-v1", {}, 17, 0),
    ],
)
def test_the_cells_beside_the_agent_are_where_they_are_drawn(
    id: str, options: dict[str, object], state: int, other: int
) -> None:
    environment = EnvironmentConfig(id=id, options=options)
    grid = state_grid(environment)
    assert grid is not None
    (across, down), (wide, high) = middle_of_agent(environment, state, other)
    for action, way in enumerate(grid.ways):
        assert way is not None
        place = (across + way[0] * wide, down + way[1] * high)
        assert action_towards(environment, state, place) == action, (way, place)
    assert action_towards(environment, state, (across, down)) is None
    assert action_towards(environment, state, (across + 2.5 * wide, down)) is None


def test_a_taxi_drives_to_the_cell_beside_it_and_an_arm_is_pulled() -> None:
    taxi, state = EnvironmentConfig(id="Taxi-v4"), ((1 * 5 + 2) * 5 + 0) * 4  # row 2, column 3 of 5
    middle, right, below = (5.5 / 11, 2.5 / 7), (7.5 / 11, 2.5 / 7), (5.5 / 11, 3.5 / 7)
    assert [action_towards(taxi, state, place) for place in (middle, right, below)] == [None, 2, 0]
    bandit = EnvironmentConfig(id="Bandit-v0")
    assert [action_towards(bandit, 0, (0.5 + (arm - 2) * 92 / 480, 0.5)) for arm in range(5)] == [0, 1, 2, 3, 4]
    assert action_towards(bandit, 0, (0.001, 0.5)) is None


def test_nothing_is_pointed_at_where_there_are_no_cells() -> None:
    assert action_towards(EnvironmentConfig(id="CartPole-v1"), 0, (0.5, 0.5)) is None
