"""Where the states of an environment lie beside each other, so that what is known of each can be drawn in its cell;
importable without torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from engine.config.environments import EnvironmentConfig
from engine.mdp.blackjack import HANDS
from engine.mdp.finite import BANDIT_MEANS, CORRIDOR_LENGTH, GRID
from engine.mdp.small_worlds import in_blocks

LEFT, DOWN, RIGHT, UP = (-1, 0), (0, 1), (1, 0), (0, -1)
Way = tuple[int, int]

_LAKES = {
    "4x4": ("SFFF", "FHFH", "FFFH", "HFFG"),
    "8x8": ("SFFFFFFF", "FFFFFFFF", "FFFHFFFF", "FFFFFHFF", "FFFHFFFF", "FHHFFFHF", "FHFFHFHF", "FFFHFFFG"),
}
_TAXI_PLACES = ("red", "green", "yellow", "blue")


@dataclass(frozen=True)
class StateGrid:
    """The cells of an environment, on one page or several.

    Attributes:
        pages: the state in each cell by page, row and column; −1 where a cell has none.
        choices: what tells the pages apart, each a name and what there is to choose; the last one changes first.
        ways: where each action leads, (right, down); None where it does not move.
        letters: of a map by row, S start, G goal, H hole, C cliff, # wall, small ones for other places; empty without.
        rows, columns: what they stand for, and their names; empty where they are mere places.
        arms: whether there is one state alone, whose actions are the arms of a bandit.
        seen: what is observed in each state, where that does not tell all of them apart; else empty.
        walls: of a map where nothing passes between two cells beside each other, (row, column) of the left one.
    """

    pages: tuple[tuple[tuple[int, ...], ...], ...]
    ways: tuple[Way | None, ...]
    choices: tuple[tuple[str, tuple[str, ...]], ...] = ()
    letters: tuple[str, ...] = ()
    rows: tuple[str, tuple[str, ...]] = ("", ())
    columns: tuple[str, tuple[str, ...]] = ("", ())
    arms: bool = False
    seen: tuple[int, ...] = ()
    walls: tuple[tuple[int, int], ...] = ()

    @cached_property
    def _places(self) -> dict[int, tuple[int, int, int]]:
        return {
            state: (page, row, column)
            for page, rows in enumerate(self.pages)
            for row, cells in enumerate(rows)
            for column, state in enumerate(cells)
            if state >= 0
        }

    def place(self, state: int) -> tuple[int, int, int] | None:
        """Page, row and column of a state; None where it has no cell."""
        return self._places.get(state)

    @cached_property
    def acting(self) -> tuple[int, ...]:
        """The states in which somebody acts, of all pages."""
        return tuple(state for state, (_, row, column) in self._places.items() if self.acts(row, column))

    def looking_like(self, observation: int) -> tuple[int, ...]:
        """The states in which that is observed."""
        if not self.seen:
            return (observation,)
        return tuple(state for state, seen in enumerate(self.seen) if seen == observation)

    @cached_property
    def seams(self) -> tuple[tuple[tuple[int, int], bool], ...]:
        """Where states end that look alike, of a map whose states do not all look different: the cell, and whether it
        is beneath it rather than at its right."""
        cells = self.pages[0]
        if not self.seen:
            return ()
        seen = [[self.seen[state] if state >= 0 else None for state in row] for row in cells]
        return tuple(
            ((row, column), below)
            for row in range(len(cells))
            for column in range(len(cells[0]))
            for below, (down, right) in ((True, (1, 0)), (False, (0, 1)))
            if row + down < len(cells) and column + right < len(cells[0])
            if None not in (pair := (seen[row][column], seen[row + down][column + right])) and pair[0] != pair[1]
        )

    def letter(self, row: int, column: int) -> str:
        return self.letters[row][column] if self.letters else ""

    def acts(self, row: int, column: int) -> bool:
        """Whether anybody ever acts there."""
        return self.letter(row, column) not in ("G", "H", "#", "C")


def state_grid(environment: EnvironmentConfig) -> StateGrid | None:
    """The cells of an environment; None where its states do not lie beside each other."""
    make = _GRIDS.get(environment.id)
    return make(environment.options) if make is not None else None


def _numbered(letters: Sequence[str]) -> tuple[tuple[tuple[int, ...], ...], ...]:
    width = len(letters[0])
    return (tuple(tuple(range(row * width, (row + 1) * width)) for row in range(len(letters))),)


def _map(letters: Sequence[str], ways: tuple[Way | None, ...]) -> StateGrid:
    return StateGrid(_numbered(letters), ways, letters=tuple(letters))


def _grid_world(options: dict[str, Any]) -> StateGrid:
    rows, block = tuple(options.get("map", GRID)), int(options.get("block", 1))
    plain = _map(rows, (LEFT, DOWN, RIGHT, UP))
    return plain if block == 1 else replace(plain, seen=in_blocks(rows, block))


def _corridor(options: dict[str, Any]) -> StateGrid:
    return _map(("S" + "." * (options.get("length", CORRIDOR_LENGTH) - 2) + "G",), (LEFT, RIGHT))


def _bandit(options: dict[str, Any]) -> StateGrid:
    return StateGrid((((0,),),), (None,) * len(options.get("means", BANDIT_MEANS)), arms=True)


def _taxi(_options: dict[str, Any]) -> StateGrid:
    """The state is ((row · 5 + column) · 5 + passenger) · 4 + destination."""
    pages = tuple(
        tuple(tuple(((row * 5 + column) * 5 + passenger) * 4 + destination for column in range(5)) for row in range(5))
        for passenger in range(5)
        for destination in range(4)
    )
    choices = (("Passenger", (*_TAXI_PLACES, "in the taxi")), ("Destination", _TAXI_PLACES))
    letters = ("r...g", ".....", ".....", ".....", "y..b.")
    # As its picture has them: |R: | : :G|, |Y| : |B: |.
    walls = ((0, 1), (1, 1), (3, 0), (3, 2), (4, 0), (4, 2))
    return StateGrid(pages, (DOWN, UP, RIGHT, LEFT, None, None), choices, letters, walls=walls)


def _ledge(_options: dict[str, Any]) -> StateGrid:
    return StateGrid((((0, 1, -1),),), (None, RIGHT), letters=("S.H",), seen=(0, 0))


def _blackjack(_options: dict[str, Any]) -> StateGrid:
    number = {(hand.total, hand.shown, hand.usable): state for state, hand in enumerate(HANDS) if not hand.natural}
    totals, cards = tuple(range(21, 3, -1)), tuple(range(1, 11))
    pages = tuple(
        tuple(tuple(number.get((total, card, usable), -1) for card in cards) for total in totals)
        for usable in (False, True)
    )
    return StateGrid(
        pages,
        (None, None),
        (("Ace", ("counts 1, or none", "counts 11")),),
        rows=("hand", tuple(map(str, totals))),
        columns=("dealer", ("A", *map(str, range(2, 11)))),
    )


def _lake(usual: str) -> Callable[[dict[str, Any]], StateGrid]:
    return lambda options: _map(_LAKES[options.get("map_name", usual)], (LEFT, DOWN, RIGHT, UP))


def _cliff(_options: dict[str, Any]) -> StateGrid:
    return _map((*["." * 12] * 3, "S" + "C" * 10 + "G"), (UP, RIGHT, DOWN, LEFT))


_GRIDS: dict[str, Callable[[dict[str, Any]], StateGrid]] = {
    "GridWorld-v0": _grid_world,
    "Corridor-v0": _corridor,
    "Bandit-v0": _bandit,
    "FrozenLake-v1": _lake("4x4"),
    "FrozenLake8x8-v1": _lake("8x8"),
    "CliffWalking-v1": _cliff,
    "CliffWalkingSlippery-v1": _cliff,
    "Taxi-v4": _taxi,
    "BlackjackHands-v0": _blackjack,
    "Blackjack-v1": _blackjack,
    "Ledge-v0": _ledge,
}
