"""What is pointed at in the picture of an environment, as the action that leads there; importable without torch."""

from __future__ import annotations

from engine.analysis.state_grids import state_grid
from engine.config.environments import EnvironmentConfig
from engine.environments.making.finite_env import arm_at, cell_at, corridor_map
from engine.mdp.finite import BANDIT_MEANS, CORRIDOR_LENGTH, GRID

Place = tuple[float, float]  # across and down, as shares of the picture
_UNIFORM = ("FrozenLake-v1", "FrozenLake8x8-v1", "CliffWalking-v1", "CliffWalkingSlippery-v1")  # cells and nothing else
_TAXI_TILES = (11, 7)  # across and down, of which cells are every second across, and those within the wall down


def has_places(environment: EnvironmentConfig) -> bool:
    """Whether there is something to point at in its pictures: cells, or arms."""
    return environment.id in (*_UNIFORM, "GridWorld-v0", "Corridor-v0", "Taxi-v4", "Bandit-v0")


def action_towards(environment: EnvironmentConfig, state: int, place: Place) -> int | None:
    """The action that means to go from ``state`` to the neighbouring cell at ``place``, or pulls the arm there; None
    where nothing leads there.

    Args:
        state: the number of the one that the picture shows.
    """
    grid = state_grid(environment)
    if grid is None or not has_places(environment):
        return None
    if grid.arms:
        return arm_at(len(environment.options.get("means", BANDIT_MEANS)), place)
    here = grid.place(state)
    if here is None:
        return None
    _, row, column = here
    there = _cell(environment, state, place, (len(grid.pages[0]), len(grid.pages[0][0])))
    way = (there[1] - column, there[0] - row)
    return grid.ways.index(way) if way in grid.ways else None


def _cell(environment: EnvironmentConfig, state: int, place: Place, size: tuple[int, int]) -> tuple[int, int]:
    """Row and column of the cell at ``place``, of so many rows and columns."""
    across, down = place
    if environment.id == "GridWorld-v0":
        return cell_at(tuple(environment.options.get("map", GRID)), state, place)
    if environment.id == "Corridor-v0":
        return cell_at(corridor_map(environment.options.get("length", CORRIDOR_LENGTH)), state, place)
    if environment.id == "Taxi-v4":
        return int(down * _TAXI_TILES[1]) - 1, int((across * _TAXI_TILES[0] - 0.5) // 2)
    return int(down * size[0]), int(across * size[1])
