"""What is said of the cells: what their numbers and arrows are, and of one of them which it is, what it is worth, and
what is done there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from app.panels.episode.action_drawings import action_label
from app.panels.surface.content import NAMED
from app.style.format import short_number
from engine.catalogue.spaces import Space
from engine.config import RunConfig
from engine.config.planning import PolicyIteration
from engine.config.value_based import SARSA

if TYPE_CHECKING:  # with numpy, and torch
    from engine.analysis.state_grids import StateGrid
    from engine.analysis.surfaces import Surface

Shows = Literal["values", "critic", "best", "actions"]
"""V of the policy or plan, V as a critic has learned it, V* of the best policy, or Q of each action."""
_WORDS = {
    "learned": "Learned values: V is the largest Q; arrows show the greedy policy",
    "exact": "V of the policy as it is, computed from the known dynamics; arrows show the policy",
    "planned": "V as planned so far; arrows show the policy that is greedy in it",
    "unknown": "Arrows show the policy; what it is worth is not known: it may never end, or the dynamics are hidden",
}


def heading_of(surface: Surface, config: RunConfig, letters: Sequence[str], shows: Shows) -> str:
    """What the numbers and arrows of all cells are."""
    words, k = _WORDS[surface.source], surface.turns_left
    if surface.source == "planned" and isinstance(config.update, PolicyIteration):
        whole = config.update.step == 1.0
        next_one = "greedy in it" if whole else "on its way to the greedy one"
        words = f"V of the policy that was evaluated; arrows show the next one, {next_one}"
    if surface.source == "learned" and isinstance(config.update, SARSA):
        words = "Learned values: V is the mean of Q as the policy explores; arrows show the greedy policy"
    if k is not None:
        words = f"V<sub>k</sub>, k = {k}: the best that {_turns(k)} can bring; arrows show what is best then"
    if surface.settled:
        words = "Settled: another step would change nothing; arrows show the best actions"
    if shows == "critic":
        words = "V as the critic has learned it; arrows show the policy"
    if shows == "best":
        words = "V* of the best policy, planned in the known dynamics; arrows show the policy as it is"
    if shows == "actions":
        words = words.replace("arrows show", "dots show")
    lit = "; framed: the states just backed up" if surface.backed_up and not surface.settled else ""
    named = f" ({', '.join(letters)})" if letters else ""
    return f"{words}{named}{lit} · iteration {surface.iteration:,}"


def _turns(count: int) -> str:
    return "1 turn" if count == 1 else f"{count:,} turns"


def words_of(grid: StateGrid, page: int, cell: tuple[int, int], surface: Surface | None, space: Space) -> str:
    """What is known of a cell by its row and column."""
    row, column = cell
    state, letter = grid.pages[page][row][column], grid.letter(row, column)
    rows, columns = grid.rows, grid.columns
    where = (
        f"{rows[0]} {rows[1][row]}, {columns[0]} {columns[1][column]}"
        if rows[1]
        else f"row {row + 1}, column {column + 1}"
    )
    where += f", {NAMED[letter]}" if letter in NAMED else ""
    if state < 0 or not grid.acts(row, column):
        return where
    if surface is None:
        return f"{where}, nothing known yet"
    worth = worth_of(state, surface)
    value = f": {worth}" if worth else ""
    if surface.critic is not None:
        value += f", learned {short_number(float(surface.critic[state]))}"
    if surface.best is not None:
        value += f", V* {short_number(float(surface.best[state]))}"
    parts = []
    for action in range(space.size):
        action_worth = float(surface.action_values[state, action])
        known = f" (Q {short_number(action_worth)})" if math.isfinite(action_worth) else ""
        parts.append(f"{action_label(space, action)} {surface.policy[state, action]:.2f}{known}")
    return f"{where}{value}; {', '.join(parts)}"


def worth_of(state: int, surface: Surface | None) -> str:
    """V of a state; empty where it is not known."""
    if surface is None or state < 0 or not math.isfinite(surface.values[state]):
        return ""
    return f"V {short_number(float(surface.values[state]))}"
