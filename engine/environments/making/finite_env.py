"""Finite decision processes as environments of Gymnasium's, with pictures to watch them by."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from engine.mdp.finite import BANDIT_MEANS, CORRIDOR_LENGTH, GRID, FiniteMDP
from engine.mdp.probes import WORLDS
from engine.mdp.small_worlds import OURS, our_process
from engine.runtime.errors import RunError

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]


def register() -> None:
    """Make ``OURS`` and the probes known to Gymnasium; calling it again changes nothing."""
    for id in (*OURS, *WORLDS):
        if id not in gymnasium.registry:
            horizon = our_process(id, {}).horizon
            gymnasium.register(
                id, f"{__name__}:FiniteEnv", max_episode_steps=horizon, kwargs={"process": id}, order_enforce=True
            )


class FiniteEnv(gymnasium.Env[int, int]):
    """One of ``OURS``, drawing as the batch of it does: of the same seed and actions come the same episodes.

    The time limit is not kept here but by the wrapper that Gymnasium puts around a registered environment.

    Raises:
        RequestError: the options do not fit.
        ValueError: ``process`` is none of ``OURS``; from ``step``, there is no such action.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 8}  # noqa: RUF012 - as Gymnasium has it

    def __init__(self, process: str, render_mode: str | None = None, **options: Any) -> None:
        if process not in OURS and process not in WORLDS:
            raise ValueError(f"{process} is not an environment of ours; {', '.join(OURS)} are.")
        mdp = our_process(process, options)
        if process == "Bandit-v0":
            self.metadata = {**self.metadata, "render_fps": 2}
        self.render_mode = render_mode
        self.observation_space: spaces.Space[Any] = spaces.Discrete(mdp.observations)
        self.action_space: spaces.Space[Any] = spaces.Discrete(mdp.actions)
        self._mdp = mdp
        self._picture = _PICTURES[process](options) if process in _PICTURES else _of_a_row(mdp)
        self._state = 0
        self._action: int | None = None
        self._reward = 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self._state = self._choice(self._mdp.initial)
        self._action, self._reward = None, 0.0
        return self._observed, {}

    def put(self, state: int) -> int:
        """Go on from ``state``; what is observed there.

        Raises:
            RunError: there is no such state.
        """
        if not 0 <= state < self._mdp.states:
            raise RunError(f"There is no state {state}; states are 0 to {self._mdp.states - 1}.")
        self._state, self._action, self._reward = state, None, 0.0
        return self._observed

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        if not self.action_space.contains(action):
            raise ValueError(f"There is no action {action}; actions are 0 to {self._mdp.actions - 1}.")
        outcome = self._choice(self._mdp.probabilities[self._state, action])
        index = (self._state, action, outcome)
        self._state = int(self._mdp.next_states[index])
        self._action, self._reward = int(action), float(self._mdp.rewards[index])
        return self._observed, self._reward, bool(self._mdp.ends[index]), False, {}

    @property
    def _observed(self) -> int:
        return self._state if self._mdp.seen is None else self._mdp.seen[self._state]

    def _choice(self, probabilities: NDArray[np.float64]) -> int:
        return int((probabilities.cumsum() > self.np_random.random()).argmax())

    def render(self) -> Any:
        """The state as a picture, uint8 [height, width, 3]; None unless made to give ``rgb_array``."""
        if self.render_mode != "rgb_array":
            return None
        return self._picture(self._state, self._action, self._reward)


# --- pictures ---------------------------------------------------------------------------------------------------------

# Greys, and blue, green and vermilion of the Okabe-Ito palette, which colour-blind people can tell apart.
_BACK: Colour = (222, 227, 233)
_FLOOR: Colour = (247, 248, 250)
_INK: Colour = (32, 38, 47)
_MUTED: Colour = (86, 97, 113)
_FAINT: Colour = (160, 171, 186)
_WHITE: Colour = (255, 255, 255)
_BLUE: Colour = (0, 114, 178)
_PALE_BLUE: Colour = (205, 226, 240)
_GREEN: Colour = (0, 158, 115)
_PALE_GREEN: Colour = (208, 237, 226)
_VERMILION: Colour = (213, 94, 0)
_GOLD: Colour = (240, 182, 32)

_WIDTH = 480
_MARGIN = 10
_LEAST_CELL, _LARGEST_CELL = 36, 92
_MOST_CELLS = 20  # in view along either axis
_MOST_ARMS = 12  # side by side
_ARM = (320, 92)  # height and width of one
_ARMS_ASPECT = 0.8  # width by height of many arms together

_LEFT, _DOWN, _RIGHT, _UP = (-1, 0), (0, 1), (1, 0), (0, -1)


class _Canvas:
    """A picture drawn at four times its size and shrunk, which smooths every edge; lengths are pixels after that."""

    _FINE = 4

    def __init__(self, width: int, height: int) -> None:
        import pygame  # not before there is something to draw: loading it takes long
        import pygame.font

        self._pygame = pygame
        self._size = (width, height)
        self._surface = pygame.Surface((width * self._FINE, height * self._FINE), 0, 32)
        self._surface.fill(_BACK)

    def box(self, corners: tuple[float, float, float, float], colour: Colour, radius: float = 0.0) -> None:
        """A filled rectangle from (left, top) to (right, bottom)."""
        left, top, right, bottom = (round(corner * self._FINE) for corner in corners)
        area = self._pygame.Rect(left, top, right - left, bottom - top)
        self._pygame.draw.rect(self._surface, colour, area, border_radius=round(radius * self._FINE))

    def disc(self, centre: tuple[float, float], radius: float, colour: Colour) -> None:
        self._pygame.draw.circle(self._surface, colour, self._fine(centre), radius * self._FINE)

    def ellipse(self, corners: tuple[float, float, float, float], colour: Colour) -> None:
        left, top, right, bottom = (round(corner * self._FINE) for corner in corners)
        self._pygame.draw.ellipse(self._surface, colour, self._pygame.Rect(left, top, right - left, bottom - top))

    def line(self, points: Sequence[tuple[float, float]], width: float, colour: Colour) -> None:
        """A line through ``points`` with round ends."""
        start, end = points
        self._pygame.draw.line(self._surface, colour, self._fine(start), self._fine(end), round(width * self._FINE))
        for point in points:
            self.disc(point, width / 2.0, colour)

    def polygon(self, points: Sequence[tuple[float, float]], colour: Colour) -> None:
        self._pygame.draw.polygon(self._surface, colour, [self._fine(point) for point in points])

    def text(self, text: str, centre: tuple[float, float], size: float, colour: Colour) -> None:
        self._pygame.font.init()
        written = self._pygame.font.Font(None, round(size * self._FINE)).render(text, True, colour)
        self._surface.blit(written, written.get_rect(center=self._fine(centre)))

    def image(self) -> Image:
        shrunk = self._pygame.transform.smoothscale(self._surface, self._size)
        return np.ascontiguousarray(self._pygame.surfarray.array3d(shrunk).swapaxes(0, 1))

    def _fine(self, point: tuple[float, float]) -> tuple[float, float]:
        return point[0] * self._FINE, point[1] * self._FINE


@dataclass(frozen=True)
class _View:
    """The part of a map that is pictured: all of it, or where it is too large what lies around the agent."""

    rows: tuple[str, ...]
    top: int
    left: int

    @property
    def cell(self) -> int:
        """The side of a cell: such that the map fits, but neither illegibly small nor needlessly large."""
        longest = max(len(self.rows), len(self.rows[0]))
        return min(max((_WIDTH - 2 * _MARGIN) // longest, _LEAST_CELL), _LARGEST_CELL)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture; a single row or column is not to be a mere strip."""
        height, width = len(self.rows) * self.cell, len(self.rows[0]) * self.cell
        return max(height, min(2 * self.cell, width)) + 2 * _MARGIN, max(width, _WIDTH - 2 * _MARGIN) + 2 * _MARGIN

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """Top and left of a cell of the whole map."""
        height, width = self.size
        above = (height - len(self.rows) * self.cell) // 2
        before = (width - len(self.rows[0]) * self.cell) // 2
        return above + (row - self.top) * self.cell, before + (column - self.left) * self.cell


def cell_at(rows: tuple[str, ...], state: int, place: tuple[float, float]) -> tuple[int, int]:
    """Row and column of the cell at a ``place`` in the picture of a map, (across, down) as shares of the picture, while
    it shows ``state``; they lie outside of the map where no cell does."""
    view = _around(rows, *divmod(state, len(rows[0])))
    height, width = view.size
    top, left = view.corner(view.top, view.left)
    row, column = (place[1] * height - top) // view.cell, (place[0] * width - left) // view.cell
    return view.top + int(row), view.left + int(column)


def arm_at(count: int, place: tuple[float, float]) -> int | None:
    """The arm at a ``place`` in the picture of a bandit; None where none is."""
    rows, columns = _arms_layout(count)
    before = max(_WIDTH - columns * _ARM[1], 2 * _MARGIN) // 2
    row, column = int(place[1] * rows), int((place[0] * (2 * before + columns * _ARM[1]) - before) // _ARM[1])
    arm = row * columns + column
    return arm if 0 <= column < columns and 0 <= row < rows and arm < count else None


def _around(rows: tuple[str, ...], row: int, column: int) -> _View:
    """The view of a map in which its cell (row, column) can be seen."""
    top, left = _first(row, len(rows)), _first(column, len(rows[0]))
    return _View(tuple(line[left : left + _MOST_CELLS] for line in rows[top : top + _MOST_CELLS]), top, left)


def _first(place: int, count: int) -> int:
    """The first of the cells in view along one axis. It moves by half a view at a time: the map is to stand still."""
    half = _MOST_CELLS // 2
    return min(max((place - half // 2) // half * half, 0), max(count - _MOST_CELLS, 0))


def _grid_picture(
    rows: tuple[str, ...], ways: Sequence[tuple[int, int]], state: int, action: int | None, _reward: float
) -> Image:
    """The map from above, the agent in its cell, looking where it meant to go."""
    row, column = divmod(state, len(rows[0]))
    view = _around(rows, row, column)
    image = _empty_grid(view).copy()
    cell = _cell(rows[row][column], view.cell, None if action is None else ways[action], True)
    top, left = view.corner(row, column)
    image[top : top + view.cell, left : left + view.cell] = cell
    return image


@lru_cache(maxsize=16)
def _empty_grid(view: _View) -> Image:
    image = np.empty((*view.size, 3), np.uint8)
    image[:] = _BACK
    for row, cells in enumerate(view.rows, start=view.top):
        for column, letter in enumerate(cells, start=view.left):
            top, left = view.corner(row, column)
            image[top : top + view.cell, left : left + view.cell] = _cell(letter, view.cell, None, False)
    return image


@cache
def _cell(letter: str, size: int, way: tuple[int, int] | None, agent: bool) -> Image:
    """One cell of a map, [size, size, 3]; ``way`` is where the agent in it looks, None if at the beholder."""
    canvas = _Canvas(size, size)
    floor = {"S": _PALE_BLUE, "G": _PALE_GREEN, "#": _MUTED}.get(letter, _FLOOR)
    canvas.box((1.5, 1.5, size - 1.5, size - 1.5), floor, 0.08 * size)
    if letter == "#":
        for height in (1 / 3, 2 / 3):
            canvas.box((1.5, height * size - 0.75, size - 1.5, height * size + 0.75), _FAINT)
        for left, height in ((0.35, 0), (0.8, 0), (0.1, 1), (0.57, 1), (0.35, 2), (0.8, 2)):
            edges = (max(height * size / 3, 1.5), min((height + 1) * size / 3, size - 1.5))
            canvas.box((left * size - 0.75, edges[0], left * size + 0.75, edges[1]), _FAINT)
    elif letter == "H":
        canvas.ellipse((0.1 * size, 0.2 * size, 0.9 * size, 0.84 * size), _VERMILION)
        canvas.ellipse((0.15 * size, 0.25 * size, 0.85 * size, 0.82 * size), _INK)
    elif letter == "G":
        _flag(canvas, size)
    if agent:
        middle = {"H": (0.5, 0.56), "G": (0.36, 0.62)}.get(letter, (0.5, 0.5))
        radius = {"H": 0.2, "G": 0.24}.get(letter, 0.3)
        _agent(canvas, (middle[0] * size, middle[1] * size), radius * size, way or (0, 0))
    return canvas.image()


def _flag(canvas: _Canvas, size: int) -> None:
    x, top, foot = 0.66 * size, 0.14 * size, 0.86 * size
    canvas.ellipse((x - 0.12 * size, foot - 0.04 * size, x + 0.12 * size, foot + 0.04 * size), _FAINT)
    canvas.line(((x, top), (x, foot)), 0.045 * size, _INK)
    canvas.polygon(((x, top), (x - 0.46 * size, top + 0.15 * size), (x, top + 0.3 * size)), _GREEN)


def _agent(canvas: _Canvas, middle: tuple[float, float], radius: float, way: tuple[int, int]) -> None:
    x, y = middle
    canvas.disc(middle, radius * 1.12, _WHITE)
    canvas.disc(middle, radius, _BLUE)
    for side in (-1, 1):
        eye = (x + (0.36 * side + 0.2 * way[0]) * radius, y + (0.24 * way[1] - 0.1) * radius)
        canvas.disc(eye, 0.26 * radius, _WHITE)
        canvas.disc((eye[0] + 0.11 * way[0] * radius, eye[1] + 0.11 * way[1] * radius), 0.13 * radius, _INK)


def _bandit_picture(means: tuple[float, ...], _state: int, action: int | None, reward: float) -> Image:
    """The arms in rows, each with its chance to pay; the one just pulled is blue and shows what it paid."""
    arms = [_arm(arm, means[arm], reward if arm == action else None) for arm in range(len(means))]
    height, width = _ARM
    rows, columns = _arms_layout(len(arms))
    before = max(_WIDTH - columns * width, 2 * _MARGIN) // 2
    image = np.empty((rows * height, 2 * before + columns * width, 3), np.uint8)
    image[:] = _BACK
    for place, arm in enumerate(arms):
        row, column = divmod(place, columns)
        top, left = row * height, before + column * width
        image[top : top + height, left : left + width] = arm
    return image


def _arms_layout(count: int) -> tuple[int, int]:
    """The rows and columns in which so many arms stand."""
    height, width = _ARM
    rows = max(1, round(math.sqrt(count * width / (_ARMS_ASPECT * height))), math.ceil(count / _MOST_ARMS))
    return rows, math.ceil(count / rows)


@cache
def _arm(arm: int, mean: float, paid: float | None) -> Image:
    """One arm, [*_ARM, 3]; ``paid`` is what it gave, None if another was pulled or none yet."""
    canvas = _Canvas(_ARM[1], _ARM[0])
    pulled = paid is not None
    body = _BLUE if pulled else _MUTED
    knob = (80.0, 178.0) if pulled else (80.0, 84.0)
    canvas.line(((70.0, 136.0), knob), 5.0, _INK)
    canvas.disc(knob, 9.0, _VERMILION)
    canvas.box((8.0, 62.0, 70.0, 206.0), body, 12.0)
    canvas.box((4.0, 200.0, 74.0, 214.0), _INK, 5.0)
    canvas.box((15.0, 76.0, 63.0, 134.0), _FLOOR, 6.0)
    if paid:
        canvas.disc((39.0, 105.0), 21.0, _INK)
        canvas.disc((39.0, 105.0), 19.5, _GOLD)
    if pulled:
        canvas.text(f"{paid:g}", (39.0, 106.5), 38.0, _INK)
    canvas.text(str(arm + 1), (39.0, 170.0), 40.0, _WHITE)
    canvas.box((8.0, 240.0, 70.0, 250.0), _FAINT, 5.0)
    canvas.box((8.0, 240.0, 8.0 + 62.0 * mean, 250.0), _INK, 5.0)
    canvas.text(f"pays {100 * mean:.0f} %", (39.0, 268.0), 22.0, _INK)
    return canvas.image()


def corridor_map(length: int) -> tuple[str, ...]:
    return ("S" + "." * (length - 2) + "G",)


_LEDGE = ("S.H",)

_Picture = Callable[[int, int | None, float], Image]


def _of_a_row(mdp: FiniteMDP) -> _Picture:
    """States as squares in a row, for worlds that have no picture of their own."""
    return partial(_grid_picture, ("." * mdp.states,), (_DOWN,) * mdp.actions)


_PICTURES: dict[str, Callable[[dict[str, Any]], _Picture]] = {
    "Bandit-v0": lambda options: partial(_bandit_picture, tuple(options.get("means", BANDIT_MEANS))),
    "Corridor-v0": lambda options: partial(
        _grid_picture, corridor_map(options.get("length", CORRIDOR_LENGTH)), (_LEFT, _RIGHT)
    ),
    "GridWorld-v0": lambda options: partial(
        _grid_picture, tuple(options.get("map", GRID)), (_LEFT, _DOWN, _RIGHT, _UP)
    ),
    "Ledge-v0": lambda _options: partial(_grid_picture, _LEDGE, (_DOWN, _RIGHT)),
}
