"""What the states of known finite processes are called; importable without torch."""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt

from engine.config.environments import EnvironmentConfig
from engine.mdp.blackjack import HANDS
from engine.mdp.finite import GRID

_STANDS = "RGYB"  # of a taxi, by their colours
_WIDE_CLIFF = 12  # columns


def state_names(environment: EnvironmentConfig, count: int) -> tuple[str, ...]:
    """Of all ``count`` states, in the order of their numbers, as "row 2, column 3"; the first is 1."""
    id = environment.id
    if id in ("GridWorld-v0", "FrozenLake-v1", "FrozenLake8x8-v1", "CliffWalking-v1", "CliffWalkingSlippery-v1"):
        return tuple(map(_cell_of(_columns(environment, count)), range(count)))
    if id in _NAMES:
        return tuple(map(_NAMES[id], range(count)))
    return tuple(f"state {state + 1}" for state in range(count))


def _columns(environment: EnvironmentConfig, count: int) -> int:
    rows = environment.options.get("map" if environment.id == "GridWorld-v0" else "desc")
    if rows:
        return len(rows[0])
    if environment.id == "GridWorld-v0":
        return len(GRID[0])
    return _WIDE_CLIFF if environment.id.startswith("Cliff") else isqrt(count)


def _cell_of(columns: int) -> Callable[[int], str]:
    return lambda state: f"row {state // columns + 1}, column {state % columns + 1}"


def _taxi(state: int) -> str:
    """Gymnasium counts the destination first, then the passenger's place, the column and the row."""
    rest, to = divmod(state, 4)
    rest, passenger = divmod(rest, 5)
    row, column = divmod(rest, 5)
    waits = "rides" if passenger == 4 else f"at {_STANDS[passenger]}"
    return f"row {row + 1}, column {column + 1}, passenger {waits}, to {_STANDS[to]}"


def _hand(state: int) -> str:
    hand = HANDS[state]
    kind = "natural" if hand.natural else "soft" if hand.usable else "hard"
    return f"{kind} {hand.total} against {'an ace' if hand.shown == 1 else hand.shown}"


_NAMES: dict[str, Callable[[int], str]] = {
    "Bandit-v0": lambda _state: "the only state",
    "Corridor-v0": lambda state: f"square {state + 1}",
    "Ledge-v0": lambda state: f"square {state + 1}",
    "Taxi-v4": _taxi,
    "BlackjackHands-v0": _hand,
}
